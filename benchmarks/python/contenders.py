"""Who is measured: our client and its peers, each asked for a hit as its own pages show. It measures nothing.

All keep the same 32 values of about 300 bytes, reached over Unix sockets. Peers are imported by name, since they are
only there in the virtual environment of this benchmark.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Call = Callable[[int], object]
    AsyncCall = Callable[[int], Awaitable[object]]

KEYS = 32
COURSE = {
    "title": "Algebra for people who had given up on it, with a hundred exercises",
    "author": {"id": "5b0f7a8e-9d5f-4f0a-8d8e-0a9f6f2f3c11", "name": "Ada Lovelace", "email": "ada@example.org"},
    "tags": ["maths", "algebra", "exercises"],
    "published": True,
    "rating": 4.75,
    "questions": 112,
}


@dataclass(frozen=True)
class Sockets:
    pannier: str
    redis: str
    memcached: str


def value(number: int) -> dict[str, Any]:
    return {"id": number, **COURSE}


def model() -> Any:
    """A pydantic model of the values."""
    pydantic = import_module("pydantic")
    author = pydantic.create_model("Author", id=import_module("uuid").UUID, name=(str, ...), email=(str, ...))
    return pydantic.create_model(
        "Course",
        id=(int, ...),
        title=(str, ...),
        author=(author, ...),
        tags=(list[str], ...),
        published=(bool, ...),
        rating=(float, ...),
        questions=(int, ...),
    )


def bare(sockets: Sockets) -> Call:
    """The least that a Python process can do: bytes out, bytes in."""
    end = socket.socket(socket.AF_UNIX)
    end.connect(sockets.pannier)
    lines = [b'{"op":"get","ns":"courses","key":"%d"}\n' % number for number in range(KEYS)]

    def call(number: int) -> object:
        end.sendall(lines[number])
        return end.recv(65536)

    _pannier(sockets)
    return call


def _pannier(sockets: Sockets) -> Any:
    pannier = import_module("pannier")
    pannier.configure(socket=sockets.pannier, request_timeout=5)
    with pannier.Cache(raises=True) as store:
        store.set_many("courses", {str(number): value(number) for number in range(KEYS)})
    return pannier


def pannier_decorated(sockets: Sockets) -> Call:
    kind = model()

    def course(number: int) -> Any:
        raise LookupError(number)

    decorated: Call = _pannier(sockets).cached("courses", key="{number}", returns=kind)(course)
    return decorated


def pannier_get(sockets: Sockets) -> Call:
    courses = _pannier(sockets).cache.sync.namespace("courses", model())
    keys = [str(number) for number in range(KEYS)]
    return lambda number: courses.get(keys[number])


def pannier_decorated_async(sockets: Sockets) -> AsyncCall:
    kind = model()

    async def course(number: int) -> Any:
        raise LookupError(number)

    decorated: AsyncCall = _pannier(sockets).cached("courses", key="{number}", returns=kind)(course)
    return decorated


def redis_py(sockets: Sockets) -> Call:
    client = import_module("redis").Redis(unix_socket_path=sockets.redis)
    for number in range(KEYS):
        client.set(f"plain:{number}", json.dumps(value(number)))
    return lambda number: json.loads(client.get(f"plain:{number}"))


def pymemcache(sockets: Sockets) -> Call:
    client = import_module("pymemcache.client.base").Client(f"unix:{sockets.memcached}")
    for number in range(KEYS):
        client.set(f"plain:{number}", json.dumps(value(number)))
    return lambda number: json.loads(client.get(f"plain:{number}"))


def redis_py_async(sockets: Sockets) -> AsyncCall:
    redis_py(sockets)
    client = import_module("redis.asyncio").Redis(unix_socket_path=sockets.redis)

    async def call(number: int) -> object:
        return json.loads(await client.get(f"plain:{number}"))

    return call


def aiocache(sockets: Sockets) -> AsyncCall:
    module = import_module("aiocache")
    module.caches.add("redis", {"cache": "aiocache.RedisCache"})
    # It takes a host and a port alone.
    module.caches.get("redis").client = import_module("redis.asyncio").Redis(unix_socket_path=sockets.redis)

    @module.cached(alias="redis", key_builder=_aiocache_key)  # type: ignore[untyped-decorator]
    async def course(number: int) -> Any:
        return value(number)

    call: AsyncCall = course
    return call


def _aiocache_key(_: object, number: int) -> str:
    return f"aiocache:course:{number}"


def cashews(sockets: Sockets) -> AsyncCall:
    module = import_module("cashews")
    # It knows no sockets but its backend does.
    pickler = import_module("cashews.picklers").PicklerType.DEFAULT
    module.register_backend("unix", import_module("cashews.backends.redis").Redis, pass_uri=True, pickler=pickler)
    module.cache.setup(f"unix://{sockets.redis}")

    @module.cache(ttl="1h", key="course:{number}")  # type: ignore[untyped-decorator]
    async def course(number: int) -> Any:
        return value(number)

    call: AsyncCall = course
    return call


def fastapi_cache2(sockets: Sockets) -> AsyncCall:
    client = import_module("redis.asyncio").Redis(unix_socket_path=sockets.redis)
    backend = import_module("fastapi_cache.backends.redis").RedisBackend(client)
    import_module("fastapi_cache").FastAPICache.init(backend, prefix="fastapi-cache")

    async def course(number: int) -> dict[str, Any]:
        return value(number)

    call: AsyncCall = import_module("fastapi_cache.decorator").cache(expire=3600)(course)
    return call


SYNC: dict[str, Callable[[Sockets], Call]] = {
    "bare socket": bare,
    "pannier, decorated": pannier_decorated,
    "pannier, get": pannier_get,
    "pymemcache": pymemcache,
    "redis-py": redis_py,
}
ASYNC: dict[str, Callable[[Sockets], AsyncCall]] = {
    "pannier, decorated": pannier_decorated_async,
    "redis-py": redis_py_async,
    "aiocache, decorated": aiocache,
    "cashews, decorated": cashews,
    "fastapi-cache2, decorated": fastapi_cache2,
}
