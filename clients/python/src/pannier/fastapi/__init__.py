"""HTTP caching for FastAPI, and for any ASGI app made with Starlette: answers are kept for all workers of a host."""

from ._rule import Rule

__all__ = ["Rule"]
