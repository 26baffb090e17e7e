"""What the documents say of the daemon, against the daemon: neither may know what the other doesn't."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, cast

import pytest

import documents
import schemas
from daemon import BINARY, ROOT, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas import Json

README = ROOT / "README.md"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
PROTOCOL = ROOT / "protocol" / "PROTOCOL.md"
CONFIGURATION = ROOT / "docs" / "CONFIGURATION.md"
EXAMPLES = [ROOT / "examples" / name / "README.md" for name in ("socat", "quiz")]
DOCUMENTS = [README, ARCHITECTURE, CONFIGURATION, PROTOCOL, *EXAMPLES]

# A handful of commands against a debug build, on a busy machine.
SESSION_SECONDS = 60.0
# Before each command's output in a session; no command prints it.
MARK = "\x01"
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ms": 0.001, "s": 1, "m": 60, "": 1}


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """With nothing configured, so that what it tells of itself are the defaults."""
    with Daemon("") as daemon:
        yield daemon


def ask(daemon: Daemon, line: str) -> dict[str, Json]:
    with daemon.connect() as peer:
        return cast("dict[str, Json]", schemas.parse(peer.ask(line)))


def members(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def names(cell: str) -> list[str]:
    return documents.code(cell)


# README


@pytest.mark.parametrize("index", range(3), ids=["socat", "leases", "command line"])
def test_the_readme_s_sessions_go_as_shown(index: int, tmp_path: Path) -> None:
    block = documents.blocks(README, "console")[index]
    with Daemon("") as daemon:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "pannier.sock").symlink_to(daemon.socket)
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir()
        (bin_folder / "pannier").symlink_to(BINARY)
        documents.assert_lines_fit(replay(block, tmp_path, bin_folder), block)


def test_the_readme_has_these_sessions_and_no_others() -> None:
    assert len(documents.blocks(README, "console")) == 3


def replay(block: list[str], folder: Path, bin_folder: Path) -> list[str]:
    """The block as a shell has it: each command behind its `$`, and what it printed."""
    commands = [line.removeprefix("$ ") for line in block if line.startswith("$ ")]
    script = "\n".join(f"printf '{MARK}\\n'\n{command}" for command in commands)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
    ended = subprocess.run(
        ["sh", "-c", f"exec 2>&1\n{script}"],
        cwd=folder,
        env={**environment, "PATH": f"{bin_folder}:{environment['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SESSION_SECONDS,
    )
    printed = ended.stdout.split(f"{MARK}\n")[1:]
    lines: list[str] = []
    for command, output in zip(commands, printed, strict=True):
        lines += [f"$ {command}", *output.splitlines()]
    return lines


def test_the_readme_s_configuration_is_taken(tmp_path: Path) -> None:
    (block,) = documents.blocks(README, "yaml")
    file = tmp_path / "pannier.yaml"
    file.write_text("\n".join(block), encoding="utf-8")
    ended = subprocess.run(
        [BINARY, "check", file], capture_output=True, text=True, check=False, timeout=SESSION_SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_can_be_made() -> None:
    """`make` lists every target, and the README names no other."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    targets = set(phony.split()) - {"help"}
    assert set(re.findall(r"@echo 'make ([\w-]+) ", makefile)) == targets
    named = re.findall(r"(?:^|`)make ([\w-]+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"run", "test", "lint"} <= set(named) <= targets


def test_an_entry_costs_what_the_readme_says(daemon: Daemon) -> None:
    """The README's example: a key of 16 bytes, a value of 100 bytes of JSON, no tags, not stale."""
    (claimed,) = re.findall(r"key of 16 bytes and a value of 100 takes (\d+) bytes", README.read_text(encoding="utf-8"))
    with daemon.connect() as peer:
        peer.ask(f'{{"op":"set","ns":"cost","key":"{"k" * 16}","value":"{"v" * 98}"}}')
        counters = members(members(schemas.parse(peer.ask('{"op":"stats","ns":"cost"}')))["namespaces"])["cost"]
    assert members(counters)["bytes"] == int(claimed)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in documents.links(path):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            titles = documents.subsections(target.read_text(encoding="utf-8").split("\n"))
            assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], link


def test_what_is_named_exists() -> None:
    """The README names files, ARCHITECTURE.md what stands in them."""
    sources = [path for folder in ("Sources", "Tests") for path in (ROOT / folder).rglob("*.swift")]
    folders = {path.parent.name for path in sources}
    files = {path.name for path in sources} | {path.stem for path in sources} | folders
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = [name for path in (README, ARCHITECTURE) for name in names(path.read_text(encoding="utf-8"))]
    words = {name for name in named if re.fullmatch(r"[A-Z][A-Za-z]+[\w+.]*", name) and not name.endswith(".md")}
    assert len(words) > 40
    unknown = {name for name in words if name not in files and not all(part in text for part in name.split("."))}
    assert not unknown


# PROTOCOL.md


def test_ops(daemon: Daemon) -> None:
    documented = documents.subsections(documents.section(PROTOCOL, "Operations"))
    documented += documents.subsections(documents.section(PROTOCOL, "The test clock"))
    assert documented == list(members(ask(daemon, '{"op":"stats"}')["requests"]))


def test_fields_of_every_op(daemon: Daemon) -> None:
    for op in members(ask(daemon, '{"op":"stats"}')["requests"]):
        documented: set[str] = set()
        for line in documents.section(PROTOCOL, op):
            if bullet := re.match(r"- (`[a-z_]+`.*?):", line):
                # "as for `get`" names an op; "or `items`:" comes after another colon.
                documented |= set(re.findall(r"`([a-z_]+)`", bullet[1].split(" as for ")[0]))
                documented |= set(re.findall(r", or `([a-z_]+)`:", line))
        refusal = members(ask(daemon, f'{{"op":"{op}","zzzzzzzz":1}}')["error"])
        message = cast("str", refusal["message"])
        known = set(message.split(" has: ")[1].split(", "))
        assert documented | {"id", "op"} == known, op


def test_error_codes(daemon: Daemon) -> None:
    (table,) = documents.tables(documents.section(PROTOCOL, "Errors"))
    assert [names(row[0])[0] for row in table] == list(members(ask(daemon, '{"op":"stats"}')["errors"]))


def test_limits(daemon: Daemon) -> None:
    (table,) = documents.tables(documents.section(PROTOCOL, "Limits"))
    documented = {names(row[0])[0]: number(row[1]) for row in table}
    assert documented == members(ask(daemon, '{"op":"hello"}')["limits"])
    assert list(documented) == list(members(ask(daemon, '{"op":"hello"}')["limits"]))


def test_features(daemon: Daemon) -> None:
    paragraph = " ".join(documents.section(PROTOCOL, "hello")).split("`features`", 1)[1].split("-->")[0]
    documented = [name for name in names(paragraph) if name not in ("get", "set", "delete")]
    assert documented == ask(daemon, '{"op":"hello"}')["features"]


def test_statistics(daemon: Daemon) -> None:
    ask(daemon, '{"op":"get","ns":"counted","key":"a"}')
    answer = ask(daemon, '{"op":"stats","ns":"counted"}')
    server, _, namespace = documents.tables(documents.section(PROTOCOL, "Statistics"))
    # What only a server with Redis tells is compared where there is one.
    told = [name for row in server for name in names(row[0]) if name != "redis"]
    assert told == [name for name in answer if name != "ok"]
    counters = members(members(answer["namespaces"])["counted"])
    plain: list[str] = []
    # What rows that begin with a dash name belongs to the row above them.
    parts: dict[str, list[str]] = {}
    for row in namespace:
        if row[0].startswith("`"):
            plain += [name for name in names(row[0]) if name not in ("hits_redis", "unproven", "claims")]
        else:
            parts.setdefault(plain[-1], []).extend(names(row[0]))
    assert plain == list(counters)
    assert parts == {name: list(members(counters[name])) for name in ("misses_by", "leases")}
    for name in ("waits", "loads"):
        (said,) = [row[1] for row in namespace if names(row[0]) == [name]]
        assert names(said) == list(members(counters[name]))
    (evictions,) = [row[1] for row in namespace if names(row[0]) == ["evictions"]]
    assert [name for name in names(evictions) if not name.startswith("max_")] == list(members(counters["evictions"]))


def test_policy_fields(daemon: Daemon) -> None:
    policy = members(ask(daemon, '{"op":"policy","ns":"any"}')["policy"])
    (table,) = documents.tables(documents.section(PROTOCOL, "policy"))
    assert [names(row[0])[0] for row in table] == list(policy)
    for row in table:
        assert policy[names(row[0])[0]] == value(row[1]), row[0]


def test_events(daemon: Daemon) -> None:
    (table,) = documents.tables(documents.section(PROTOCOL, "Events"))
    # A row without a name goes on with the event above it.
    events = [names(row[0])[0] for row in table if names(row[0])]
    (field,) = [line for line in documents.section(PROTOCOL, "watch") if line.startswith("- `events`")]
    # One that dropped some says so whatever was asked for.
    assert names(field)[1:] == [event for event in events if event != "dropped"]
    for event in names(field)[1:]:
        assert ask(daemon, f'{{"op":"watch","events":["{event}"]}}')["ok"] is True
    assert ask(daemon, '{"op":"watch","events":["dropped"]}')["ok"] is False


# CONFIGURATION.md


def settings() -> dict[str, list[str]]:
    """Each documented setting's path, with its default, range and meaning."""
    found: dict[str, list[str]] = {}
    for title, prefix in (("The server", ""), ("Policies", "defaults."), ("Limits", ""), ("Redis", "")):
        (table,) = documents.tables(documents.section(CONFIGURATION, title))
        found |= {prefix + names(row[0])[0]: row[1:] for row in table}
    return found


def refusals(tmp_path: Path, configuration: str) -> list[str]:
    """What the daemon says of a faulty configuration, instead of serving."""
    file = tmp_path / "faulty.yaml"
    file.write_text(configuration, encoding="utf-8")
    ended = subprocess.run(
        [BINARY, "serve", "--config", file, "--socket", tmp_path / "never.sock"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SESSION_SECONDS,
    )
    assert ended.returncode != 0
    return [line.split(f"{file}:", 1)[1].split(": ", 1)[1] for line in ended.stderr.split("\n") if f"{file}:" in line]


def parents(path: str) -> list[str]:
    """`a.b.c`: `a` and `a.b`."""
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def nested(settings: dict[str, int]) -> str:
    """Settings by their paths, as a file."""
    file: dict[str, Json] = {}
    for path, value in settings.items():
        section = file
        *names, last = path.split(".")
        for name in names:
            section = members(section.setdefault(name, {}))
        section[last] = value
    return json.dumps(file)


def test_every_setting_is_documented_and_there(tmp_path: Path) -> None:
    """The daemon lists what it knows where it is given what it doesn't."""
    sections = sorted({part for path in settings() for part in parents(path)})
    faulty = nested(dict.fromkeys(["zzzzzzzz", *(f"{name}.zzzzzzzz" for name in sections)], 1))
    known: set[str] = set()
    for fault in refusals(tmp_path, faulty):
        place, _, rest = fault.rpartition('unknown field "zzzzzzzz"; known are ')
        prefix = place.removesuffix(": ")
        known |= {f"{prefix}.{name}" if prefix else name for name in rest.split(", ")}
    assert known - {*sections, "namespaces"} == set(settings())


def test_what_a_rule_may_have_is_documented(tmp_path: Path) -> None:
    (fault,) = refusals(tmp_path, 'defaults: {rules: [{match: "*", zzzzzzzz: 1}]}\n')
    text = " ".join(documents.section(CONFIGURATION, "Policies"))
    (rule,) = re.findall(r"A \*\*rule\*\* is `\{match: GLOB\}` with any of (.*?)\.", text)
    assert ["match", *names(rule)] == fault.split("known are ")[1].split(", ")


def test_ranges_are_documented(tmp_path: Path) -> None:
    """Each setting far beyond any range: the daemon names the right one."""
    text = nested(dict.fromkeys(settings(), 9999999999999999))
    said: dict[str, str] = dict(fault.split(": ", 1) for fault in refusals(tmp_path, text))
    checked = 0
    for path, (_, span, _) in settings().items():
        if limits := re.search(r"it must be (.*)|write a number from (.*?),", said.get(path, "")):
            assert re.sub(r", or (none|auto|off)$", "", span) == (limits[1] or limits[2]), path
            checked += 1
        elif words := re.search(r"is not one of (.*)", said.get(path, "")):
            assert names(span) == words[1].split(" | "), path
            checked += 1
    assert checked >= 20


def test_defaults_are_documented(daemon: Daemon) -> None:
    limits = members(ask(daemon, '{"op":"hello"}')["limits"])
    policy = members(ask(daemon, '{"op":"policy","ns":"any"}')["policy"])
    for path, (default, _, _) in settings().items():
        section, _, name = path.rpartition(".")
        if section == "limits":
            assert number(default) == limits[name], path
        elif section.startswith("defaults."):
            assert members(policy[section.removeprefix("defaults.")])[name] == value(default), path
        # A strategy is short for others, and nothing by itself.
        elif section == "defaults" and name != "strategy":
            assert policy[name] == value(default), path
    memory = members(ask(daemon, '{"op":"stats"}')["memory"])
    assert number(settings()["memory"][0]) == memory["limit"]
    assert f"{daemon.socket.stat().st_mode & 0o777:04o}" == settings()["socket.mode"][0]


def value(text: str) -> Json:
    """A default as the tables have it, as JSON has it."""
    text = text.strip("`")
    if text in {"none", "off"}:
        return None
    if text.startswith("{"):
        return schemas.parse(text)
    if text.startswith("["):
        return [part.strip(' "') for part in text[1:-1].split(",") if part]
    return number(text) if text[0].isdigit() else text


def number(text: str) -> float:
    """`16MiB`, `16 MiB`, `5m`, `0.1`: as JSON has it, in bytes or seconds."""
    found = re.fullmatch(r"([0-9.]+) ?([A-Za-z]*)", text)
    assert found, text
    return float(found[1]) * UNITS[found[2]]
