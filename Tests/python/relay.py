"""A way to Redis that can be cut without a word: what it holds back is neither passed on nor refused."""

from __future__ import annotations

import re
import selectors
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

EVERYBODY = "*"
# How a connection is named: `CLIENT SETNAME`, which the sidecar says in its first write.
NAME = re.compile(rb"SETNAME\r\n\$\d+\r\n([^\r]+)\r\n")
READ_BYTES = 1 << 16
# A peer that takes nothing for so long is a failed test, not a hanging one.
PEER_SECONDS = 20.0


class Way:
    """One connection and its continuation to Redis, once there is one."""

    def __init__(self, near: socket.socket) -> None:
        self.near = near
        self.far: socket.socket | None = None
        self.name = ""
        # Read of the near end, and not passed on.
        self.kept = b""

    def is_held(self, held: set[str]) -> bool:
        return EVERYBODY in held or self.name in held

    def close(self) -> None:
        self.near.close()
        if self.far:
            self.far.close()


class Relay:
    """Listens on a port of the loopback and passes on to a Unix socket, in a thread of its own; a context manager."""

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._wakes, self._woken = socket.socketpair()
        self._held: set[str] = set()
        self._ways: list[Way] = []
        self._is_ending = False
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}"

    def hold(self, *names: str) -> None:
        """From now on nothing goes through, in neither direction; of the connections so named, or of all."""
        self._become({*names} or {EVERYBODY})

    def release(self) -> None:
        """What was held back goes on its way."""
        self._become(set())

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_ending = True
        self._wakes.send(b".")
        self._thread.join(PEER_SECONDS)
        for end in (self._listener, self._wakes, self._woken):
            end.close()
        for way in self._ways:
            way.close()
        self._selector.close()

    def _become(self, held: set[str]) -> None:
        self._held = held
        self._wakes.send(b".")

    def _run(self) -> None:
        while not self._is_ending:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(READ_BYTES)
                    for way in [*self._ways]:
                        self._pass_on(way)
                elif isinstance(key.data, Way):
                    self._read(key.data, key.fileobj is key.data.near)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.settimeout(PEER_SECONDS)
        way = Way(near)
        self._ways.append(way)
        self._pass_on(way)

    def _read(self, way: Way, is_near: bool) -> None:
        if way not in self._ways:
            return
        end = way.near if is_near else way.far
        try:
            read = end.recv(READ_BYTES) if end and not way.is_held(self._held) else None
        except ConnectionError:
            read = b""
        if read == b"":
            self._end(way)
        elif read and is_near:
            way.kept += read
            if found := NAME.search(read):
                way.name = found[1].decode()
            self._pass_on(way)
        elif read:
            self._send(way, way.near, read)

    def _pass_on(self, way: Way) -> None:
        """What is kept, where it may go; and looks at the ends of the way, or doesn't."""
        is_held = way.is_held(self._held)
        if not is_held and way.far is None and not self._connect(way):
            return
        if not is_held and way.kept and way.far:
            kept, way.kept = way.kept, b""
            self._send(way, way.far, kept)
        if way not in self._ways:
            return
        for end in (way.near, way.far):
            if end is None:
                continue
            is_watched = end in self._selector.get_map()
            if is_held and is_watched:
                self._selector.unregister(end)
            elif not is_held and not is_watched:
                self._selector.register(end, selectors.EVENT_READ, way)

    def _connect(self, way: Way) -> bool:
        way.far = socket.socket(socket.AF_UNIX)
        way.far.settimeout(PEER_SECONDS)
        try:
            way.far.connect(self._target)
        except OSError:
            self._end(way)
            return False
        return True

    def _send(self, way: Way, end: socket.socket, sent: bytes) -> None:
        try:
            end.sendall(sent)
        except OSError:
            self._end(way)

    def _end(self, way: Way) -> None:
        if way in self._ways:
            self._ways.remove(way)
        for end in (way.near, way.far):
            if end and end in self._selector.get_map():
                self._selector.unregister(end)
        way.close()
