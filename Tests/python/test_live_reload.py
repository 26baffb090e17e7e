"""SIGHUP: a good file is taken over, a faulty one changes nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from talk import PING, PONG, code, parsed, request
from user import User, acting_as

if TYPE_CHECKING:
    from conftest import StartDaemon
    from daemon import Daemon
    from peer import Peer


def reload(daemon: Daemon, configuration: str, said: str = "configuration reloaded") -> str:
    """The line that says what came of it."""
    before = len(daemon.log.lines)
    daemon.configuration.write_text(configuration, encoding="utf-8")
    daemon.signal(signal.SIGHUP)
    return daemon.log.wait_for(said, after=before)


def policy(peer: Peer, ns: str = "quiz", **changes: object) -> dict[str, Any]:
    line = request("policy", ns=ns, set=changes) if changes else request("policy", ns=ns)
    found: dict[str, Any] = parsed(peer.ask(line))["policy"]
    return found


def test_a_good_file(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("defaults: {ttl: 10m}\nnamespaces: {quiz: {stale: 5s}}\n")
    with daemon.connect() as peer:
        peer.ask(request("set", ns="used", key="k", value=1))
        peer.ask(request("watch", ns="quiz", events=["policy"]))
        reload(daemon, "defaults: {ttl: 20m, stale: 1s}\nnamespaces: {quiz: {stale: 7s}, new: {ttl: 3s}}\n")
        assert parsed(peer.receive()) == {"event": "policy", "ns": "quiz", "pid": 0}
        found = {ns: policy(peer, ns) for ns in ("quiz", "used", "new", "other")}
        assert {ns: (fields["ttl"], fields["stale"]) for ns, fields in found.items()} == {
            "quiz": (1200, 7),
            "used": (1200, 1),
            "new": (3, 1),
            "other": (1200, 1),
        }
        # What is stored stays.
        assert parsed(peer.ask(request("get", ns="used", key="k")))["hit"] is True


def test_what_was_set_stays_unless_its_field_changes(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("namespaces: {quiz: {ttl: 10s, stale: 20s}}")
    with daemon.connect() as peer:
        policy(peer, ttl=11, stale=21, max_ttl=31)
        reload(daemon, "namespaces: {quiz: {ttl: 10s, stale: 22s, jitter: 0.5}}")
        kept = policy(peer)
        assert (kept["ttl"], kept["stale"], kept["max_ttl"], kept["jitter"]) == (11, 22, 31, 0.5)
        reload(daemon, "namespaces: {quiz: {ttl: 12s, stale: 22s, max_ttl: none}}")
        kept = policy(peer)
        assert (kept["ttl"], kept["stale"], kept["max_ttl"], kept["jitter"]) == (12, 22, 31, 0.1)


def test_a_faulty_file_changes_nothing_and_names_every_fault(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("namespaces:\n  quiz: {ttl: 10s}\n")
    with daemon.connect() as peer:
        before = policy(peer)
        faulty = "namespaces:\n  quiz:\n    ttl: 99s\n    stael: 5s\n    jitter: 2\nlimits:\n  items: many\n"
        reload(daemon, faulty, f"{daemon.configuration}:7")
        for line, word in ((4, "stael"), (5, "jitter"), (7, "items")):
            said = daemon.log.wait_for(f"{daemon.configuration}:{line}:")
            assert word in said
            assert "level=error" in said
        assert policy(peer) == before
        reload(daemon, "namespaces: {quiz: {ttl: 99s}}")
        assert policy(peer)["ttl"] == 99


def test_a_file_that_is_gone_changes_nothing(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("defaults: {ttl: 10s}")
    with daemon.connect() as peer:
        daemon.configuration.unlink()
        daemon.signal(signal.SIGHUP)
        assert str(daemon.configuration) in daemon.log.wait_for("not reloaded")
        assert policy(peer)["ttl"] == 10


def test_what_needs_a_restart_is_said(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("memory: 16MiB")
    with daemon.connect() as peer:
        said = reload(daemon, "memory: 32MiB\nlimits: {items: 1}\nsocket: {mode: 0600}")
        for name in ("memory", "limits", "socket"):
            assert name in said.partition("needs_restart")[2]
        assert parsed(peer.ask(request("stats")))["memory"]["limit"] == 16 << 20
        assert parsed(peer.ask(request("hello")))["limits"]["items"] == 1000


def test_unknown_namespaces(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("unknown_namespaces: create")
    with daemon.connect() as peer:
        reload(daemon, "unknown_namespaces: refuse\nnamespaces: {quiz: {}}")
        assert code(peer.ask(request("get", ns="other", key="k"))) == "unknown_namespace"
        assert parsed(peer.ask(request("get", ns="quiz", key="k")))["hit"] is False


def test_access(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("socket: {mode: 0666}")
    daemon.socket.parent.chmod(0o711)
    somebody = User(uid=54321, gid=54322)
    with acting_as(somebody):
        early = daemon.connect()
    with early:
        assert early.ask(PING) == PONG
        reload(daemon, "socket: {mode: 0666}\naccess: {uids: [7]}")
        with acting_as(somebody):
            late = daemon.connect()
        with late:
            assert [code(line) for line in late.receive_all()] == ["forbidden"]
        # Who is in stays in.
        assert early.ask(PING) == PONG
