"""Canvas: courses of modules with pages, files and links, whose texts follow from their numbers."""

import random
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standins.standin import Standin, failure

SHORTEST, LONGEST = 0.15, 0.4
TEXT: Final = (
    "energy matter reaction enzyme membrane gradient protein nucleus electron orbit equilibrium pressure entropy "
    "velocity momentum vector integral derivative theorem proof hypothesis sample variance treaty parliament "
    "trade currency inflation supply demand metaphor narrator stanza syntax morpheme vowel glacier sediment mantle"
)
WORDS: Final = TEXT.split()
WORDS_A_PAGE: Final = 220


def canvas(scale: float = 1.0) -> Starlette:
    service = Standin(SHORTEST, LONGEST, scale)

    async def items(request: Request) -> Response:
        course, module = request.path_params["course"], request.path_params["module"]
        if not await service.answers("items", f"{course}/{module}"):
            return failure()
        return JSONResponse(
            [
                {"type": "SubHeader", "title": f"Module {module}", "ref": ""},
                {"type": "Page", "title": "Introduction", "ref": f"m{module}-introduction"},
                {"type": "Page", "title": "In depth", "ref": f"m{module}-in-depth"},
                {"type": "File", "title": "Notes", "ref": f"{module}01"},
                {"type": "ExternalUrl", "title": "A film", "ref": "https://example.org/film"},
            ]
        )

    async def page(request: Request) -> Response:
        course, ref = request.path_params["course"], request.path_params["ref"]
        if not await service.answers("page", f"{course}/{ref}"):
            return failure()
        return JSONResponse({"title": ref, "body": f"<h1>{ref}</h1><p>{prose(f'{course}/{ref}')}</p>"})

    async def file(request: Request) -> Response:
        course, ref = request.path_params["course"], request.path_params["ref"]
        if not await service.answers("file", f"{course}/{ref}"):
            return failure()
        return JSONResponse({"name": f"{ref}.txt", "text": prose(f"{course}/{ref}")})

    return service.app(
        [
            Route("/courses/{course:int}/modules/{module:int}/items", items),
            Route("/courses/{course:int}/pages/{ref}", page),
            Route("/courses/{course:int}/files/{ref}", file),
        ]
    )


def prose(seed: str) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(WORDS) for _ in range(WORDS_A_PAGE)).capitalize() + "."
