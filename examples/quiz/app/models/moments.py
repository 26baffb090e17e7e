"""Moments in UTC, on databases that keep no time zone, too."""

from datetime import datetime, timezone

from sqlalchemy import DateTime, Dialect, TypeDecorator


def now() -> datetime:
    return datetime.now(timezone.utc)


class Moment(TypeDecorator[datetime]):
    """SQLite gives back what it was given, without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(timezone.utc) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=timezone.utc)
