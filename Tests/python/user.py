"""Connects as another user. The kernel notes who a peer is at that moment; the process is itself again right after."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator


class User(NamedTuple):
    """By number: nothing need be known of them."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@contextmanager
def acting_as(user: User) -> Generator[None]:
    if os.geteuid() != 0:
        raise PermissionError("only root can connect as somebody else: `make test` sees to that, for whoever runs it")
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups(user.groups)
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)
