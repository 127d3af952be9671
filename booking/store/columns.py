"""What a column can hold besides the database's own types: aware moments, timetables, busy time."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from booking.rules.hours import Timetable
from booking.rules.period import Timeline


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment, stored in UTC. SQLite drops offsets silently, so naive times are refused here."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times; hand UTC to the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone can't be stored: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class TimetableJson(sa.types.TypeDecorator[Timetable]):
    """An owner's hours, overrides and absences, kept as the value the rules work with."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Timetable | None, dialect: sa.Dialect) -> Any:
        """Hand plain JSON to the database."""
        return None if value is None else value.to_json()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Timetable:
        """Return the value."""
        return Timetable.from_json(value or {})


class PackedTimeline(sa.types.TypeDecorator[Timeline]):
    """A merged busy timeline, packed into one column: a page reads one row, not one per event."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Timeline | None, dialect: sa.Dialect) -> bytes:
        """Pack it."""
        return b"" if value is None else value.pack()

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> Timeline:
        """Unpack it."""
        return Timeline.unpack(value or b"")
