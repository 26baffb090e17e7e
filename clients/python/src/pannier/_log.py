"""The client's lines in the log named `pannier`. Only here is logging imported, and late: most processes have nothing
to say, and it takes as long to import as a third of all the rest.
"""

from __future__ import annotations


def warn(text: str) -> None:
    import logging

    logging.getLogger("pannier").warning("%s", text)


class Once:
    """Says each thing once, however its details differ."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, thing: str, details: object) -> None:
        if thing not in self._said:
            self._said.add(thing)
            warn(f"{thing}: {details}")
