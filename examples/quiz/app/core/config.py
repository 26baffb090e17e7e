"""What the application is told by its environment. It opens nothing, and no other file reads variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
# Without a driver a URL means the asynchronous one that is installed.
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class SettingError(ValueError):
    """A variable that can't be meant."""


@dataclass(frozen=True)
class Settings:
    database_url: str = "sqlite+aiosqlite:///quiz.db"
    # The feature flag: off, the very same code runs uncached.
    cache_enabled: bool = True
    # None: where the sidecar is by default.
    cache_socket: Path | None = None
    cache_warming_enabled: bool = False
    # How many of the quizzes that were changed last are warmed.
    cache_warming_batch_size: int = 200
    canvas_url: str = "http://127.0.0.1:8101"
    llm_url: str = "http://127.0.0.1:8102"
    llm_model: str = "small-1"
    # None: there are no admin routes.
    admin_token: str | None = None

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "Settings":
        given = {name: value.strip() for name, value in variables.items() if value.strip()}
        default = cls()
        socket = given.get("CACHE_SOCKET")
        return cls(
            database_url=database_url(given.get("DATABASE_URL", default.database_url)),
            cache_enabled=flag(given, "CACHE_ENABLED", default.cache_enabled),
            cache_socket=Path(socket) if socket else None,
            cache_warming_enabled=flag(given, "CACHE_WARMING_ENABLED", default.cache_warming_enabled),
            cache_warming_batch_size=count(given, "CACHE_WARMING_BATCH_SIZE", default.cache_warming_batch_size),
            canvas_url=given.get("CANVAS_URL", default.canvas_url),
            llm_url=given.get("LLM_URL", default.llm_url),
            llm_model=given.get("LLM_MODEL", default.llm_model),
            admin_token=given.get("ADMIN_TOKEN"),
        )


def database_url(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.partition("+")[0] not in DRIVERS:
        raise SettingError(f"DATABASE_URL is {text!r}: expected sqlite:///FILE or postgresql://…")
    return f"{DRIVERS.get(scheme, scheme)}:{rest}"


def flag(given: Mapping[str, str], name: str, default: bool) -> bool:
    text = given.get(name)
    if text is None:
        return default
    if text.lower() not in TRUE | FALSE:
        raise SettingError(f"{name} is {text!r}: expected 1 or 0")
    return text.lower() in TRUE


def count(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise SettingError(f"{name} is {text!r}: expected a whole number above 0")
    return int(text)
