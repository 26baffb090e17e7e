"""What is cold is loaded once, however many ask at once, and what fails is not kept."""

import asyncio
from collections.abc import Sequence

import httpx

from world import ADMIN, World, statements

CALLERS = 25


async def all_at_once(world: World, method: str, path: str, count: int = CALLERS) -> list[httpx.Response]:
    """So many callers of each of both workers."""
    async with world.one.concurrently() as one, world.other.concurrently() as other:
        return await asyncio.gather(*(client.request(method, path) for client in (one, other) for _ in range(count)))


def statuses(answers: Sequence[httpx.Response]) -> set[int]:
    return {answer.status_code for answer in answers}


def test_a_cold_quiz_is_loaded_once_for_all_callers_of_all_workers(world: World) -> None:
    quiz = world.new_quiz()
    # The user who asks is there, and the quiz is not.
    assert world.one.ask("POST", "/admin/cache/clear/quizzes", headers=ADMIN).status_code == 200
    world.one.get("/api/users/?email=user0@example.org")
    answers = asyncio.run(all_at_once(world, "GET", quiz))
    assert statuses(answers) == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert sum(statements(answer) for answer in answers) == 1
    # The callers are as many as that: uncached each of them asks twice.
    assert len(answers) == 2 * CALLERS


def test_what_expires_under_load_is_loaded_once(world: World) -> None:
    quiz = f"{world.new_quiz()}/full"
    for _ in range(2):
        world.one.get(quiz)
        world.pass_time(16 * 60)
        # Whatever else the question takes has been asked for already.
        world.other.get(quiz.removesuffix("/full"))
        answers = asyncio.run(all_at_once(world, "GET", quiz))
        assert statuses(answers) == {200}
        # The quiz, and its questions.
        assert sum(statements(answer) for answer in answers) == 2


def test_a_cold_course_is_asked_of_canvas_once(world: World) -> None:
    quiz = world.new_quiz(modules=[1, 4])
    world.clear()
    before = world.standins.canvas_calls()
    answers = asyncio.run(all_at_once(world, "GET", f"{quiz}/content"))
    assert statuses(answers) == {200}
    # Of each of two modules its items, two pages and a file.
    assert world.standins.canvas_calls() - before == 8


def test_quizzes_over_the_same_modules_share_their_questions(world: World) -> None:
    quizzes = [world.new_quiz(modules=modules) for modules in ([2, 3], [3, 2], [2, 3])]
    world.clear()
    before = world.standins.llm_calls()
    made = [world.one.ask("POST", f"{quiz}/generate") for quiz in quizzes]
    assert statuses(made) == {200}
    # The facts of three chunks, and a question on each.
    assert world.standins.llm_calls() - before == 6
    texts = [[question["text"] for question in world.other.get(f"{quiz}/questions")] for quiz in quizzes]
    assert texts[0] == texts[1] == texts[2]
    assert len(texts[0]) == 3


def test_a_failure_of_the_model_is_not_kept(world: World) -> None:
    quiz = world.new_quiz(modules=[5], questions=4)
    world.clear()
    before = world.standins.llm_calls()
    world.tell_llm(fail_next=1)
    failed = world.one.ask("POST", f"{quiz}/generate")
    assert failed.status_code == 502
    assert world.other.get(quiz)["status"] == "failed"
    assert world.other.get(f"{quiz}/questions") == []
    # Of four chunks one has no facts, and no question.
    assert world.standins.llm_calls() - before == 7
    # Within a second of a failure whoever asks is served, and nothing is kept.
    world.pass_time(2)
    assert world.other.ask("POST", f"{quiz}/generate").status_code == 200
    # What else there was has been kept.
    assert world.standins.llm_calls() - before == 9
    assert world.one.get(quiz)["status"] == "ready"
    assert len(world.one.get(f"{quiz}/questions")) == 4
    assert world.one.ask("POST", f"{quiz}/generate").status_code == 200
    assert world.standins.llm_calls() - before == 9


def test_a_failure_of_canvas_is_not_kept(world: World) -> None:
    quiz = world.new_quiz(modules=[1])
    world.clear()
    world.tell_canvas(fail_next=1)
    assert world.one.ask("GET", f"{quiz}/content").status_code == 502
    assert world.other.ask("GET", f"{quiz}/content").status_code == 200


def test_while_canvas_is_down_what_it_said_last_is_shown(world: World) -> None:
    quiz = world.new_quiz(modules=[1])
    world.clear()
    before = world.one.get(f"{quiz}/content")
    # Beyond each lifetime in it.
    world.pass_time(3 * 3600)
    world.tell_canvas(fail_next=1000)
    assert world.other.get(f"{quiz}/content") == before
    assert world.uncached.ask("GET", f"{quiz}/content").status_code == 502
    world.tell_canvas(fail_next=0)


def test_uncached_each_call_is_made(world: World) -> None:
    quiz = world.new_quiz(modules=[2], questions=3)
    before = world.standins.llm_calls(), world.standins.canvas_calls()
    for _ in range(2):
        assert world.uncached.ask("POST", f"{quiz}/generate").status_code == 200
    assert (world.standins.llm_calls() - before[0], world.standins.canvas_calls() - before[1]) == (12, 8)
