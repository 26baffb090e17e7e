"""Times as people write them, in seconds: `10`, `"10m"`, `"1h30m"`, `timedelta(minutes=10)`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

    Duration = float | int | str | timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(duration: Duration) -> float:
    """A number of seconds above 0; of anything else a ValueError says what was expected."""
    found = _seconds(duration)
    if found is None or not 0 < found < float("inf"):
        raise ValueError(
            f'{duration!r} is no time: expected seconds above 0, a timedelta, or a text such as "10m" or "1h30m"'
        )
    return found


def _seconds(duration: Duration) -> float | None:
    if isinstance(duration, bool):
        return None
    if isinstance(duration, (int, float)):
        return float(duration)
    if not isinstance(duration, str):
        return duration.total_seconds()
    total, number = 0.0, ""
    rest = duration.strip()
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        number, rest = rest[:digits], rest[digits:]
        letters = len(rest) - len(rest.lstrip("smhd"))
        unit, rest = rest[:letters], rest[letters:]
        if not unit and not rest and not total:
            unit = "s"
        if unit not in _UNITS:
            return None
        try:
            total += float(number) * _UNITS[unit]
        except ValueError:
            return None
    return total if number else None
