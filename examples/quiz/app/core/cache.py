"""How the application uses its cache: what it calls the namespaces, and how a sidecar is found.

What is kept in a namespace, and for how long, is `pannier.yaml`'s; what ends it stands on the functions of
`services/cached_crud.py`.
"""

from typing import Final

import pannier
from app.core.config import Settings

USERS: Final = "users"
QUIZZES: Final = "quizzes"
QUESTIONS: Final = "questions"
CANVAS_CONTENT: Final = "canvas_content"
MCQ_GENERATION: Final = "mcq_generation"

NAMESPACES: Final = (USERS, QUIZZES, QUESTIONS, CANVAS_CONTENT, MCQ_GENERATION)


def configure(settings: Settings) -> None:
    pannier.configure(socket=settings.cache_socket)
    # Only off is said here: `PANNIER_ENABLED=0` switches off, too.
    if not settings.cache_enabled:
        pannier.configure(enabled=False)
