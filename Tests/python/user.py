"""Connects as another user. The kernel notes who a peer is at that moment; the process is itself again right after."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can connect as somebody else")


class User(NamedTuple):
    """By number: nothing need be known of them."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@contextmanager
def acting_as(user: User) -> Generator[None]:
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
