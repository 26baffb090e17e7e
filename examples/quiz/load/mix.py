"""What users do, in which shares, and with which quizzes: decided by a seed, before anything is asked. Quiz 0 is asked
for most, by Zipf's law.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from seed import owner

USERS, QUIZZES, QUESTIONS = 500, 2000, 8

# Per thousand. Each request besides proves its user, which is a cached read, too.
SHARES: Final = {
    "quiz": 280,
    "full": 180,
    "list": 160,
    "questions": 120,
    "statistics": 80,
    "user": 80,
    "content": 50,
    "update": 25,
    "approve": 15,
    "create": 5,
    "generate": 5,
}
WRITES: Final = frozenset({"update", "approve", "create", "generate"})


@dataclass(frozen=True)
class Step:
    """`user`: who asks; of a write it is the quiz's owner."""

    kind: str
    quiz: int
    user: int


def steps(skew: float, seed: int) -> Iterator[Step]:
    """Endless, and the same for the same seed. `skew`: the exponent of Zipf's law."""
    chosen = random.Random(seed)
    quizzes, users = zipf(QUIZZES, skew), zipf(USERS, skew)
    kinds, shares = list(SHARES), list(itertools.accumulate(SHARES.values()))
    while True:
        kind = chosen.choices(kinds, cum_weights=shares)[0]
        quiz = chosen.choices(range(QUIZZES), cum_weights=quizzes)[0]
        user = chosen.choices(range(USERS), cum_weights=users)[0]
        yield Step(kind, quiz, owner(quiz, USERS) if kind in WRITES else user)


def zipf(count: int, skew: float) -> list[float]:
    """Cumulative weights."""
    return list(itertools.accumulate(1 / (rank + 1) ** skew for rank in range(count)))
