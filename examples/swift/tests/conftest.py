"""The world of the quiz application's own tests: workers, database, sidecar."""

import importlib.util
import sys
from pathlib import Path

QUIZ = Path(__file__).parents[2] / "quiz"
sys.path[:0] = [str(QUIZ), str(QUIZ / "tests"), str(QUIZ.parents[1] / "clients" / "python" / "src")]

spec = importlib.util.spec_from_file_location("quiz_world", QUIZ / "tests" / "conftest.py")
assert spec is not None
assert spec.loader is not None
quiz_world = importlib.util.module_from_spec(spec)
spec.loader.exec_module(quiz_world)

stand_ins, database, world = quiz_world.stand_ins, quiz_world.database, quiz_world.world
