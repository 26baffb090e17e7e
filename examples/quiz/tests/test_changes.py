"""What is changed is seen at once by every worker, and what is rolled back ends nothing."""

from seed import question_id, quiz_id
from world import World, statements


def test_an_update_is_seen_at_once_by_every_worker(world: World) -> None:
    quiz = world.new_quiz()
    for turn in range(10):
        writer, reader = (world.one, world.other) if turn % 2 else (world.other, world.one)
        for worker in (writer, reader):
            worker.get(quiz)
            worker.get(f"{quiz}/full")
            worker.get("/api/quiz/")
        assert writer.ask("PATCH", quiz, {"title": f"Title {turn}"}).status_code == 200
        for worker in (reader, writer):
            assert worker.get(quiz)["title"] == f"Title {turn}"
            assert worker.get(f"{quiz}/full")["quiz"]["title"] == f"Title {turn}"
            assert worker.get("/api/quiz/")[0]["title"] == f"Title {turn}"


def test_a_new_quiz_is_in_its_owners_list_at_once(world: World) -> None:
    before = world.other.get("/api/quiz/?limit=200")
    quiz = world.new_quiz("Just now")
    after = world.other.get("/api/quiz/?limit=200")
    assert [f"/api/quiz/{one['id']}" for one in after] == [quiz, *(f"/api/quiz/{one['id']}" for one in before)]


def test_an_approval_is_seen_wherever_the_question_is(world: World) -> None:
    quiz = f"/api/quiz/{quiz_id(20)}"
    paths = [f"{quiz}/questions", f"{quiz}/questions?approved_only=true", f"{quiz}/full", f"{quiz}/statistics"]
    for path in [quiz, *paths]:
        world.other.get(path)
    wanted = [str(question_id(20, place)) for place in (1, 3)]
    answer = world.one.ask("POST", f"{quiz}/questions/approve", {"question_ids": wanted})
    assert answer.json() == {"approved": 2}
    # Of the quiz itself nothing has changed.
    assert statements(world.other.ask("GET", quiz)) == 0
    everything, approved, full, statistics = (world.other.get(path) for path in paths)
    assert set(wanted) <= {question["id"] for question in approved}
    assert [question["is_approved"] for question in everything] == [
        question["is_approved"] for question in full["questions"]
    ]
    assert statistics["approved"] == len(approved) == 6


def test_a_change_of_one_quiz_ends_no_other_s(world: World) -> None:
    quiz, other = world.new_quiz(), f"/api/quiz/{quiz_id(21)}/full"
    world.one.get(other)
    assert world.one.ask("PATCH", quiz, {"title": "Changed"}).status_code == 200
    assert statements(world.one.ask("GET", other)) == 0
    assert statements(world.one.ask("GET", quiz)) == 1


def test_an_approval_that_is_rolled_back_ends_nothing(world: World) -> None:
    quiz = f"/api/quiz/{quiz_id(40)}"
    paths = [f"{quiz}/questions", f"{quiz}/statistics", f"{quiz}/full"]
    before = [world.one.get(path) for path in paths]
    # The first is the quiz's, and has been changed when the second is not found.
    wanted = [str(question_id(40, 1)), str(question_id(41, 1))]
    assert world.one.ask("POST", f"{quiz}/questions/approve", {"question_ids": wanted}).status_code == 404
    after = [world.other.ask("GET", path) for path in paths]
    assert [answer.json() for answer in after] == before
    assert [statements(answer) for answer in after] == [0, 0, 0]
    assert [world.uncached.get(path) for path in paths] == before
