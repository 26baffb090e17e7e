"""Every route answers the same with the cache and without, and whoever may not ask is told so."""

from typing import Any, TypeAlias

import pytest

from seed import question_id, quiz_id, user_id
from world import ADMIN, Worker, World, identity, statements

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

QUIZ = f"/api/quiz/{quiz_id(0)}"
READS = [
    "/api/quiz/",
    "/api/quiz/?skip=1&limit=2",
    "/api/quiz/?status=draft",
    QUIZ,
    f"{QUIZ}/full",
    f"{QUIZ}/full?approved_only=true",
    f"{QUIZ}/questions",
    f"{QUIZ}/questions?approved_only=true&skip=1&limit=2",
    f"{QUIZ}/statistics",
    f"{QUIZ}/content",
    f"/api/users/{user_id(1)}",
    "/api/users/?email=user2@example.org",
]
NOBODYS = f"/api/quiz/{user_id(0)}"
REFUSALS: list[tuple[str, str, Any, int]] = [
    ("GET", NOBODYS, None, 404),
    ("GET", f"{NOBODYS}/full", None, 404),
    ("GET", "/api/quiz/no-uuid", None, 422),
    ("GET", "/api/quiz/?limit=0", None, 422),
    ("GET", f"/api/users/{quiz_id(0)}", None, 404),
    ("GET", "/api/users/?email=nobody@example.org", None, 404),
    ("PATCH", f"/api/quiz/{quiz_id(1)}", {"title": "Mine"}, 403),
    ("PATCH", QUIZ, {"title": ""}, 422),
    ("POST", f"{QUIZ}/questions/approve", {"question_ids": [str(question_id(1, 0))]}, 404),
    ("POST", "/api/users/", {"email": "user1@example.org", "name": "Again"}, 409),
    ("PATCH", "/api/users/me", {"email": "user1@example.org"}, 409),
]


@pytest.mark.parametrize("path", READS)
def test_a_read_answers_the_same_uncached_missed_and_hit(world: World, path: str) -> None:
    world.clear()
    uncached = world.uncached.ask("GET", path)
    missed, hit, hit_elsewhere = (worker.ask("GET", path) for worker in (world.one, world.one, world.other))
    assert uncached.status_code == 200
    assert [answer.json() for answer in (missed, hit, hit_elsewhere)] == [uncached.json()] * 3
    assert statements(missed) == statements(uncached) > 0
    assert statements(hit) == statements(hit_elsewhere) == 0


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSALS)
def test_a_refusal_is_the_same_cached_and_uncached(
    world: World, method: str, path: str, body: Any, status: int
) -> None:
    answers = [worker.ask(method, path, body) for worker in (world.uncached, world.one, world.one)]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert answers[1].json() == answers[2].json() == answers[0].json()


def test_who_has_a_quiz_with_its_questions_is_told_so(world: World) -> None:
    quiz = world.new_quiz()
    first = world.one.ask("GET", f"{quiz}/full")
    known = {"If-None-Match": first.headers["etag"]}
    again = world.other.ask("GET", f"{quiz}/full", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    # Nobody who isn't let in is told even that.
    assert world.other.ask("GET", f"{quiz}/full", user=quiz_id(0), headers=known).status_code == 401
    assert world.other.ask("PATCH", quiz, {"title": "Another"}).status_code == 200
    changed = world.one.ask("GET", f"{quiz}/full", headers=known)
    assert (changed.status_code, changed.json()["quiz"]["title"]) == (200, "Another")


def test_nobody_is_nobody(world: World) -> None:
    for worker in (world.one, world.uncached):
        assert worker.ask("GET", QUIZ, user=quiz_id(0)).status_code == 401
        assert worker.ask("GET", QUIZ, headers={"X-User-Id": "me"}).status_code == 422


def life(worker: Worker, name: str) -> list[Any]:
    """Everything that a user does with a quiz, and what each step shows."""
    user = worker.ask("POST", "/api/users/", {"email": f"{name}@example.org", "name": "Ada"}).json()
    who = identity(user["id"])
    seen: list[Any] = []

    def step(method: str, path: str, body: object = None) -> Any:
        answer = worker.ask(method, path, body, headers=who)
        seen.append((answer.status_code, nameless(answer.json())))
        return answer.json()

    new = {"title": "Algebra", "course_id": 3, "module_ids": [2, 1], "question_count": 4, "temperature": 0.3}
    quiz = f"/api/quiz/{step('POST', '/api/quiz/', new)['id']}"
    for _ in range(2):
        step("GET", "/api/quiz/")
        step("GET", f"{quiz}/full")
        step("GET", f"{quiz}/statistics")
        step("POST", f"{quiz}/generate")
        questions = step("GET", f"{quiz}/questions")
        step("POST", f"{quiz}/questions/approve", {"question_ids": [questions[0]["id"], questions[2]["id"]]})
        step("GET", f"{quiz}/questions?approved_only=true")
        step("GET", f"{quiz}/statistics")
        step("PATCH", quiz, {"title": "Geometry"})
        step("GET", f"{quiz}/full?approved_only=true")
        step("PATCH", "/api/users/me", {"name": "Ada Lovelace"})
        step("GET", f"/api/users/{user['id']}")
    return seen


def nameless(shown: Json) -> Json:
    """Without what is another's each time."""
    if isinstance(shown, list):
        return [nameless(part) for part in shown]
    if isinstance(shown, dict):
        return {
            name: nameless(part)
            for name, part in shown.items()
            if name not in ("id", "quiz_id", "owner_id", "email") and not name.endswith("_at")
        }
    return shown


def test_changes_answer_the_same_cached_and_uncached(world: World) -> None:
    cached, uncached = life(world.one, "cached"), life(world.uncached, "uncached")
    assert cached == uncached
    assert [status for status, _ in cached] == [201, *([200] * 24)]


def test_the_admin_routes(world: World) -> None:
    for method, path in (("GET", "stats"), ("POST", "clear/users"), ("POST", "warm"), ("GET", "process")):
        for headers in ({}, {"Authorization": "Bearer another"}):
            assert world.one.ask(method, f"/admin/cache/{path}", headers=headers).status_code == 401
    world.clear()
    (run,) = world.one.ask("POST", "/admin/cache/warm", headers=ADMIN).json()["runs"]
    assert (run["name"], run["state"], run["failed"]) == ("quizzes", "done", 0)
    assert "; hit" in world.other.ask("GET", f"{QUIZ}/full").headers["Cache-Status"]
    warm = [QUIZ, f"{QUIZ}/full", f"{QUIZ}/questions", f"{QUIZ}/statistics", "/api/quiz/", f"/api/users/{user_id(0)}"]
    assert {path: statements(world.other.ask("GET", path)) for path in warm} == dict.fromkeys(warm, 0)
    assert world.one.ask("POST", "/admin/cache/clear/nothing", headers=ADMIN).status_code == 404
    stats, process, warming = (
        world.one.ask("GET", f"/admin/cache/{path}", headers=ADMIN).json() for path in ("stats", "process", "warm")
    )
    assert stats["namespaces"]["quizzes"]["hits"] > 0
    assert process["quizzes"]["hits"] > 0
    assert warming["runs"] == [run]
    (off,) = world.uncached.ask("POST", "/admin/cache/warm", headers=ADMIN).json()["runs"]
    assert off["state"] == "disabled"
