"""A chat model behind the API that most have: messages in, a text and its price in tokens out."""

from dataclasses import dataclass
from types import TracebackType

import httpx

SECONDS = 60.0
CONNECTIONS = 100

Message = dict[str, str]


class LLMError(Exception):
    """The model does not answer."""


@dataclass(frozen=True)
class Completion:
    text: str
    tokens: int


class LLMClient:
    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = httpx.AsyncClient(base_url=url, timeout=SECONDS, limits=limits)

    async def __aenter__(self) -> "LLMClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def complete(self, model: str, messages: list[Message], temperature: float) -> Completion:
        asked = {"model": model, "messages": messages, "temperature": temperature}
        try:
            answer = await self._http.post("/v1/chat/completions", json=asked)
            answer.raise_for_status()
            said = answer.json()
            return Completion(said["choices"][0]["message"]["content"], said["usage"]["total_tokens"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise LLMError(f"{model}: {error or type(error).__name__}") from error
