"""`make example`: the application with all that it needs, until Ctrl-C. What it was filled with is gone afterwards."""

import argparse
import asyncio
import signal
import socket
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from app.core.config import database_url
from app.core.database import create_engine
from seed import fill, quiz_id, user_id
from stage import cache
from stage.application import standins, uvicorn

USERS, QUIZZES, QUESTIONS = 50, 200, 8
TOKEN = "secret"


def main() -> None:
    parser = argparse.ArgumentParser(prog="stage", description="The quiz application with all that it needs.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", metavar="URL", help="without it: a SQLite file that is gone afterwards")
    parser.add_argument("--uncached", action="store_true", help="the same with CACHE_ENABLED=0")
    asked = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quiz-")))
        url = asked.database or f"sqlite:///{folder}/quiz.db"
        asyncio.run(filled(url))
        stack.enter_context(cache.sidecar(folder / "pannier.sock"))
        asked_of = stack.enter_context(standins(1.0))
        settings = {
            "DATABASE_URL": url,
            "CACHE_ENABLED": "0" if asked.uncached else "1",
            "CACHE_SOCKET": str(folder / "pannier.sock"),
            "CACHE_WARMING_ENABLED": "1",
            "CANVAS_URL": asked_of.canvas_url,
            "LLM_URL": asked_of.llm_url,
            "ADMIN_TOKEN": TOKEN,
        }
        arguments = ["--port", str(asked.port), "--workers", str(asked.workers)]
        served = stack.enter_context(uvicorn(arguments, settings, is_shown=True))
        served.wait_for(lambda: is_open(asked.port))
        print(welcome(asked.port, folder, asked_of.canvas_url, asked_of.llm_url), flush=True)
        signal.pause()


async def filled(url: str) -> None:
    engine = create_engine(database_url(url))
    await fill(engine, USERS, QUIZZES, QUESTIONS)
    await engine.dispose()


def is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def welcome(port: int, folder: Path, canvas_url: str, llm_url: str) -> str:
    site = f"http://127.0.0.1:{port}"
    quiz = f"{site}/api/quiz/{quiz_id(0)}"
    me = f"-H 'X-User-Id: {user_id(0)}'"
    return f"""
{USERS} users and {QUIZZES} quizzes. Every route, to click on: {site}/docs
(X-User-Id is {user_id(0)}, the admin token {TOKEN})

  curl -i {me} {quiz}/full
      twice: X-Database-Statements says what it cost the database
  curl -i {me} -X POST {quiz}/generate
      twice: the first takes seconds
  curl -s -H 'Authorization: Bearer {TOKEN}' {site}/admin/cache/stats
      what the cache has done
  curl -s {llm_url}/standin; curl -s {canvas_url}/standin
      how often the model and Canvas were asked
  pannier explain quizzes {quiz_id(0)} --socket {folder}/pannier.sock
      why something is there, or isn't

Ctrl-C ends all of it.
"""


if __name__ == "__main__":
    main()
