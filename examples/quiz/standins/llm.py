"""A chat model that names facts, and makes questions of them. What it says follows from what it is asked."""

import json
import random
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.standin import Standin, failure

SHORTEST, LONGEST = 1.0, 4.0
OPTIONS: Final = 4
FACTS: Final = 3
# A token is about so many characters.
TOKEN_CHARACTERS: Final = 4


def llm(scale: float = 1.0) -> Starlette:
    service = Standin(SHORTEST, LONGEST, scale)

    async def complete(request: Request) -> Response:
        asked = await request.json()
        spelled = json.dumps(asked, sort_keys=True)
        if not await service.answers("complete", spelled):
            return failure()
        role, text = (message["content"] for message in asked["messages"])
        said = json.dumps(facts(text, spelled) if "facts" in role else question(text, spelled))
        return JSONResponse(
            {
                "model": asked["model"],
                "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
                "usage": {"total_tokens": (len(spelled) + len(said)) // TOKEN_CHARACTERS},
            }
        )

    return service.app([Route("/v1/chat/completions", complete, methods=["POST"])])


def facts(text: str, seed: str) -> list[str]:
    chosen = random.Random(seed)
    return [f"what {word} means here" for word in chosen.sample(text.split(), FACTS)]


def question(asked: str, seed: str) -> dict[str, Any]:
    chosen = random.Random(seed)
    words = sorted({word.strip(".,:") for word in asked.split()})
    options = chosen.sample(words, OPTIONS)
    answer = chosen.randrange(OPTIONS)
    return {"text": f"Which of these goes with {chosen.choice(words)}?", "options": options, "answer": answer}
