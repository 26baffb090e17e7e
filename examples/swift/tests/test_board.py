"""The board and the quiz application, on one sidecar: what one of them has kept the other shows, and what one ends is
ended for both.
"""

import os
from collections.abc import Generator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from seed import quiz_id
from stage.cache import accepts
from stage.process import Process
from world import World, identity, statements

PROGRAM = Path(os.environ.get("BOARD_BIN", Path(__file__).parents[1] / ".build" / "debug" / "QuizBoard"))


@pytest.fixture(scope="module")
def board(world: World, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client, None, None]:
    path = tmp_path_factory.mktemp("board") / "board.sock"
    environment = {"PANNIER_SOCKET": str(world.sidecar), "BOARD_SOCKET": str(path)}
    with Process([PROGRAM], environment=environment) as process:
        process.wait_for(accepts(path))
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://board", timeout=30) as client:
            yield client


def test_the_board_shows_what_the_application_has_kept(world: World, board: httpx.Client) -> None:
    world.clear()
    assert board.get(f"/board/{quiz_id(0)}").status_code == 404
    quiz = world.one.get(f"/api/quiz/{quiz_id(0)}")
    shown = board.get(f"/board/{quiz_id(0)}")
    assert shown.status_code == 200
    assert shown.json()["title"] == quiz["title"]
    assert UUID(shown.json()["id"]) == quiz_id(0)
    assert shown.json()["question_count"] == quiz["question_count"]
    assert board.get("/board/hit-rate").json()["hitRate"] > 0


def test_what_the_board_ends_the_application_reads_anew(world: World, board: httpx.Client) -> None:
    path = f"/api/quiz/{quiz_id(1)}"
    world.one.get(path)
    assert statements(world.other.ask("GET", path)) == 0
    assert board.delete(f"/board/{quiz_id(1)}").json()["ended"] >= 1
    assert statements(world.other.ask("GET", path)) > 0


def test_what_the_application_changes_the_board_no_longer_shows(world: World, board: httpx.Client) -> None:
    path = world.new_quiz("Before")
    world.one.get(path)
    address = f"/board/{path.rpartition('/')[2]}"
    assert board.get(address).json()["title"] == "Before"
    answer = world.one.ask("PATCH", path, {"title": "After"}, headers=identity(None))
    assert answer.status_code == 200, answer.text
    # Nobody has read it since.
    assert board.get(address).status_code == 404
    world.other.get(path)
    assert board.get(address).json()["title"] == "After"


def test_that_a_quiz_does_not_exist_is_known_too(world: World, board: httpx.Client) -> None:
    nobody = uuid4()
    assert world.one.ask("GET", f"/api/quiz/{nobody}").status_code == 404
    assert "no such quiz" in board.get(f"/board/{nobody}").text
