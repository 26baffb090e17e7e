"""What a client asks of what is below it, be that connections to a sidecar or a test's stand-in for both."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        """The answer to a request, without its end. `wait`: for so long the sidecar was asked to wait.
        `is_change`: it is tried also where a sidecar that is gone isn't asked for a while.
        """
        ...

    def tell_later(self, line: bytes) -> None:
        """Of a change that nobody could be told of: before anything else is asked, as soon as a sidecar answers."""
        ...

    def close(self) -> None:
        """The calling thread's connection."""
        ...


class AwaitedLink(Protocol):
    async def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        """The answer to a request, without its end and its id."""
        ...

    def tell(self, line: bytes) -> None:
        """Sends a request whose answer nobody waits for."""
        ...

    def tell_later(self, line: bytes) -> None:
        """As `Link`'s."""
        ...

    async def aclose(self) -> None:
        """The running loop's connection."""
        ...
