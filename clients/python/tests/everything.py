"""What the Python client stores and reads of each kind that the Swift client has, too, for that one's tests.

`write` stores it under "python"; `read` exits with 1 where what is under "swift" is not the same.
PANNIER_SOCKET says where.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

from pydantic import ConfigDict

from pannier import MISS, Cache


class Color(str, Enum):
    RED = "red"


@dataclass
class Inner:
    moment: datetime


@dataclass
class Everything:
    # pydantic writes a model's bytes as text, unless the model says otherwise.
    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    uuid: UUID
    moment: datetime
    price: Decimal
    span: timedelta
    data: bytes
    color: Color
    missing: UUID | None
    ids: list[UUID]
    pair: tuple[int, str]
    names: set[str]
    by_number: dict[int, Inner]
    large: int
    ratio: float
    text: str


AN_ID = UUID("e9fcf578-69b8-4b21-8ad2-b5ca457ec8e2")
MOMENT = datetime(2026, 11, 26, 16, 5, 0, 250000, tzinfo=timezone.utc)
EVERYTHING = Everything(
    uuid=AN_ID,
    moment=MOMENT,
    price=Decimal("12345678901234567890.25"),
    span=timedelta(days=1, microseconds=5),
    data=bytes([0, 255, 62]),
    color=Color.RED,
    missing=None,
    ids=[AN_ID],
    pair=(7, "seven"),
    names={"a"},
    by_number={7: Inner(MOMENT)},
    large=2**63,
    ratio=0.1,
    text='Zoë "☃" / \x01',
)


def main(task: str) -> int:
    values = Cache(raises=True).namespace("everything", Everything)
    if task == "write":
        return 0 if values.set("python", EVERYTHING) else 1
    found = values.get("swift")
    if found is MISS or found != EVERYTHING:
        print(f"{found}\n  is not\n{EVERYTHING}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
