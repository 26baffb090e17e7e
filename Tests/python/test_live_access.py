"""Who gets in at the running daemon's socket, and what they may do there."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from talk import PING, PONG, code, parsed, request
from user import User, acting_as

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartDaemon
    from daemon import Daemon
    from peer import Peer

ALICE = User(uid=54321, gid=54322)
GROUP = 54400

# Everybody may reach the socket: who is turned away is turned away by the daemon.
OPEN = "socket: {mode: 0666}\n"


def connect_as(daemon: Daemon, user: User) -> Peer:
    # The folder is its owner's alone.
    daemon.socket.parent.chmod(0o711)
    with acting_as(user):
        return daemon.connect()


@pytest.mark.parametrize(
    ("access", "user", "admitted"),
    [
        pytest.param("", ALICE, True, id="no lists"),
        pytest.param(f"access: {{uids: [{ALICE.uid}]}}", ALICE, True, id="her uid"),
        pytest.param("access: {uids: [7]}", ALICE, False, id="another uid"),
        pytest.param(f"access: {{gids: [{ALICE.gid}]}}", ALICE, True, id="her gid"),
        pytest.param("access: {gids: [7]}", ALICE, False, id="another gid"),
        pytest.param(f"access: {{gids: [{GROUP}]}}", ALICE._replace(groups=(7, GROUP)), True, id="one of her groups"),
        pytest.param(f"access: {{gids: [{GROUP}]}}", ALICE._replace(groups=(7, 8)), False, id="none of her groups"),
        pytest.param(f"access: {{uids: [7], gids: [{ALICE.gid}]}}", ALICE, True, id="either will do"),
        pytest.param("access: {uids: [7], gids: [7]}", ALICE, False, id="neither"),
        pytest.param(f"access: {{uids: [7], admins: [{ALICE.uid}]}}", ALICE, False, id="to be an admin lets nobody in"),
    ],
)
def test_who_may_connect(start_daemon: StartDaemon, access: str, user: User, admitted: bool) -> None:
    daemon = start_daemon(OPEN + access)
    with connect_as(daemon, user) as peer:
        if admitted:
            assert peer.ask(PING) == PONG
        else:
            [line] = peer.receive_all()
            assert code(line) == "forbidden"
            assert f"uid={user.uid}" in daemon.log.wait_for("refused a peer")
    # The owner always may.
    with daemon.connect() as owner:
        assert owner.ask(PING) == PONG


def test_a_refused_peer_that_talks_first(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(OPEN + "access: {uids: [7]}")
    with connect_as(daemon, ALICE) as peer:
        peer.send_what_fits((request("set", ns="a", key="k", value=1) + "\n").encode() * 100)
        [line] = peer.receive_all()
        assert code(line) == "forbidden"
    with daemon.connect() as owner:
        assert parsed(owner.ask(request("stats")))["namespaces"] == {}


@pytest.mark.parametrize("admins", [(), (7,), (7, ALICE.uid)])
def test_who_may_change_policies(start_daemon: StartDaemon, admins: tuple[int, ...]) -> None:
    daemon = start_daemon(f"{OPEN}access: {{admins: [{', '.join(map(str, admins))}]}}")
    change = request("policy", ns="a", set={"ttl": 7})
    with connect_as(daemon, ALICE) as peer, daemon.connect() as owner:
        assert parsed(peer.ask(request("policy", ns="a")))["policy"]["ttl"] == 300
        if ALICE.uid in admins:
            assert parsed(peer.ask(change))["policy"]["ttl"] == 7
        else:
            assert code(peer.ask(change)) == "forbidden"
            assert parsed(owner.ask(request("policy", ns="a")))["policy"]["ttl"] == 300
        assert peer.ask(PING) == PONG
        assert parsed(owner.ask(change))["policy"]["ttl"] == 7


def test_who_filled(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(OPEN)
    with connect_as(daemon, ALICE) as peer:
        peer.ask(request("set", ns="a", key="k", value=1))
        filled_by = parsed(peer.ask(request("explain", ns="a", key="k")))["filled_by"]
        assert filled_by == {"pid": os.getpid(), "uid": ALICE.uid}


# MARK: The file


@pytest.mark.parametrize(
    ("configuration", "mode", "group"),
    [
        ("", 0o660, os.getegid()),
        (f"socket: {{group: {GROUP}}}", 0o660, GROUP),
        (f"socket: {{mode: 0600, group: {GROUP}}}", 0o600, GROUP),
        ("socket: {mode: 0666}", 0o666, os.getegid()),
    ],
)
def test_mode_and_group(start_daemon: StartDaemon, configuration: str, mode: int, group: int) -> None:
    found = start_daemon(configuration).socket.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert (stat.S_IMODE(found.st_mode), found.st_gid, found.st_uid) == (mode, group, os.geteuid())


def test_the_file_is_never_more_open(start_daemon: StartDaemon) -> None:
    """Looked at without a pause while daemons start and end: every socket in the folder, under whatever name."""
    first = start_daemon(f"socket: {{group: {GROUP}}}")
    folder = first.socket.parent
    seen: set[tuple[bool, int, int]] = set()
    over = threading.Event()
    watching = threading.Thread(target=note_sockets, args=(folder, first.socket.name, seen, over))
    watching.start()
    try:
        for number in range(8):
            path = folder / f"other{number}.sock"
            started = start_daemon(f"socket: {{group: {GROUP}}}", socket=path)
            with started.connect() as peer:
                assert peer.ask(PING) == PONG
    finally:
        over.set()
        watching.join()
    assert (True, 0o660, GROUP) in seen
    for at_its_path, mode, group in seen:
        if at_its_path:
            # Whoever finds it where it belongs finds it as it was meant.
            assert (mode, group) == (0o660, GROUP)
        else:
            assert mode & ~0o660 == 0
            # Until it is the group's, no group may use it.
            assert group == GROUP or mode & 0o060 == 0


def note_sockets(folder: Path, besides: str, seen: set[tuple[bool, int, int]], over: threading.Event) -> None:
    while not over.is_set():
        for entry in os.scandir(folder):
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISSOCK(found.st_mode) and entry.name != besides:
                seen.add((entry.name.endswith(".sock"), stat.S_IMODE(found.st_mode), found.st_gid))
