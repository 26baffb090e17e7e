"""For tests of what uses the cache: a sidecar of the process's own, with no socket, no process and a clock to move.

from pannier.testing import FakeCache

with FakeCache() as fake:
    assert get_quiz(1) == get_quiz(1)
    fake.advance("11m")
"""

from ._fake import FakeCache

__all__ = ["FakeCache"]
