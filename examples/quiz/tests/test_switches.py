"""The settings, and the feature flag: off, nothing is read from the cache, and what is changed is still ended."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from app.core.config import SettingError, Settings
from conftest import environment
from stage.application import worker
from stage.cache import accepts
from world import Worker, World, statements


def test_the_flag_switches_off(world: World) -> None:
    quiz = world.new_quiz()
    world.one.get(quiz)
    for _ in range(3):
        assert statements(world.uncached.ask("GET", quiz)) == 2
        assert statements(world.one.ask("GET", quiz)) == 0


def test_what_is_changed_while_it_is_off_is_not_shown_when_it_is_on(world: World) -> None:
    quiz = world.new_quiz("Before")
    world.one.get(quiz)
    assert world.uncached.ask("PATCH", quiz, {"title": "After"}).status_code == 200
    assert world.one.get(quiz)["title"] == "After"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pannier_s_own_switch_does_too(world: World, tmp_path: Path) -> None:
    socket = tmp_path / "worker"
    settings = environment(world.database, world.sidecar, world.standins)
    with ExitStack() as stack:
        stack.enter_context(worker(socket, {**settings, "PANNIER_ENABLED": "0"})).wait_for(accepts(socket))
        off = stack.enter_context(Worker(socket))
        quiz = world.new_quiz()
        assert [statements(off.ask("GET", quiz)) for _ in range(2)] == [2, 2]


def test_settings() -> None:
    assert Settings.from_environment({}) == Settings()
    given = {
        "DATABASE_URL": "postgresql://me@db/quiz",
        "CACHE_ENABLED": "off",
        "CACHE_SOCKET": "/run/x.sock",
        "CACHE_WARMING_ENABLED": "1",
        "CACHE_WARMING_BATCH_SIZE": "50",
    }
    settings = Settings.from_environment(given)
    assert settings.database_url == "postgresql+asyncpg://me@db/quiz"
    assert (settings.cache_enabled, settings.cache_socket) == (False, Path("/run/x.sock"))
    assert (settings.cache_warming_enabled, settings.cache_warming_batch_size) == (True, 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_ENABLED", "perhaps"),
        ("CACHE_WARMING_BATCH_SIZE", "0"),
        ("CACHE_WARMING_BATCH_SIZE", "ten"),
        ("DATABASE_URL", "quiz.db"),
        ("DATABASE_URL", "mysql://db"),
    ],
)
def test_a_setting_that_can_t_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is '{value}': expected"):
        Settings.from_environment({name: value})
