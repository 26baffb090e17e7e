"""Multiple choice questions out of texts, by a model. It knows neither quizzes' rows nor where texts come from.

A text is cut into chunks, of each the model names the facts, and on these it writes questions. Each step costs seconds
and tokens, and is kept by itself, so that quizzes share what they have in common; and so is a whole generation that was
completed. What failed is not kept: the next caller tries again.
"""

import asyncio
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.clients.llm import LLMClient, LLMError, Message
from app.core.cache import MCQ_GENERATION
from app.models import QuestionDraft
from pannier import cached, llm_key

CHUNK_CHARACTERS: Final = 800
# What is shorter is hardly asked for twice.
KEPT_CHARACTERS: Final = 100

FACTS: Final = "Name the facts in the text that are worth asking about, as a JSON list of short texts."
QUESTION: Final = (
    "Write one multiple choice question on the text, with four options of which one is right, as JSON: "
    '{"text": "...", "options": ["..."], "answer": 0}'
)


_FACTS = TypeAdapter(list[str])


class Chunk(BaseModel):
    """A piece of text, and what of it is worth asking about."""

    text: str
    facts: list[str]
    tokens: int


class Outcome(BaseModel):
    """Of one question; None: the model's answer was none."""

    question: QuestionDraft | None
    tokens: int


class GenerationStatus(str, Enum):
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"


class Generation(BaseModel):
    status: GenerationStatus
    questions: list[QuestionDraft]
    tokens: int
    error: str | None = None


async def generate_questions(
    llm: LLMClient, texts: Sequence[str], count: int, model: str, temperature: float
) -> Generation:
    """Raises nothing where the model fails: the status tells."""
    return await generate(llm, list(texts), count, model, temperature)


@cached(
    MCQ_GENERATION,
    key="generation:{texts}:{count}:{model}:{temperature}",
    condition=lambda result: result.status is GenerationStatus.COMPLETED,
    wait="2m",
    tokens=lambda result: result.tokens,
)
async def generate(llm: LLMClient, texts: list[str], count: int, model: str, temperature: float) -> Generation:
    pieces = [piece for text in texts for piece in split(text)]
    if not pieces:
        return Generation(status=GenerationStatus.FAILED, questions=[], tokens=0, error="there is no text")
    asked = (_question(llm, pieces[n % len(pieces)], n // len(pieces), model, temperature) for n in range(count))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    return _summed_up(outcomes)


def split(text: str) -> list[str]:
    """Into pieces of about `CHUNK_CHARACTERS`, between words."""
    pieces: list[str] = []
    while len(text) > CHUNK_CHARACTERS:
        end = text.rfind(" ", 0, CHUNK_CHARACTERS)
        end = CHUNK_CHARACTERS if end <= 0 else end
        pieces.append(text[:end])
        text = text[end:].lstrip()
    return [*pieces, text] if text else pieces


async def _question(llm: LLMClient, piece: str, ordinal: int, model: str, temperature: float) -> Outcome:
    """`ordinal`: how many questions there are on this piece already."""
    chunk = await process_chunk(llm, model, piece)
    asked = f"Question {ordinal + 1} on: {'; '.join(chunk.facts)}\n\n{chunk.text}"
    return await generate_single_question(llm, model, told(QUESTION, asked), temperature)


def chunk_key(function: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    _, model, text = args
    return f"chunk:{llm_key(model, told(FACTS, text))}"


@cached(
    MCQ_GENERATION,
    key_builder=chunk_key,
    condition=lambda chunk: len(chunk.text) > KEPT_CHARACTERS,
    wait="2m",
    tokens=lambda chunk: chunk.tokens,
)
async def process_chunk(llm: LLMClient, model: str, text: str) -> Chunk:
    """Raises LLMError."""
    said = await llm.complete(model, told(FACTS, text), 0.0)
    try:
        return Chunk(text=text, facts=_FACTS.validate_json(said.text), tokens=said.tokens)
    except ValidationError as error:
        raise LLMError(f"{model}: its facts are no list of texts") from error


def told(role: str, text: str) -> list[Message]:
    return [{"role": "system", "content": role}, {"role": "user", "content": text}]


def question_key(function: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """By content, model and temperature: above 0 the first question is everybody's, which a quiz can live with."""
    _, model, messages, temperature = args
    return f"question:{llm_key(model, messages, temperature=temperature, allow_random=True)}"


@cached(
    MCQ_GENERATION,
    "2h",
    question_key,
    condition=lambda outcome: outcome.question is not None,
    wait="2m",
    tokens=lambda outcome: outcome.tokens,
)
async def generate_single_question(llm: LLMClient, model: str, messages: list[Message], temperature: float) -> Outcome:
    """Raises LLMError."""
    said = await llm.complete(model, messages, temperature)
    return Outcome(question=_parsed(said.text), tokens=said.tokens)


def _parsed(text: str) -> QuestionDraft | None:
    try:
        question = QuestionDraft.model_validate_json(text)
    except ValidationError:
        return None
    return question if 0 <= question.answer < len(question.options) else None


def _summed_up(outcomes: Sequence[Outcome | BaseException]) -> Generation:
    for outcome in outcomes:
        # A slip of our own is no model's failure.
        if isinstance(outcome, BaseException) and not isinstance(outcome, LLMError):
            raise outcome
    errors = [str(outcome) for outcome in outcomes if isinstance(outcome, LLMError)]
    answered = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    questions = [outcome.question for outcome in answered if outcome.question is not None]
    if len(questions) == len(outcomes):
        status = GenerationStatus.COMPLETED
    else:
        status = GenerationStatus.PARTIAL if questions else GenerationStatus.FAILED
        errors = errors or ["the model's answer was no question"]
    return Generation(
        status=status,
        questions=questions,
        tokens=sum(outcome.tokens for outcome in answered),
        error=errors[0] if errors else None,
    )
