"""Days and moments as other programs write them: RFC 3339, read strictly and written fast."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_CLOCK: Final = tuple(f"T{minute // 60:02}:{minute % 60:02}:00" for minute in range(1440))


def read_instant(text: str) -> datetime | None:
    """Return the moment in aware UTC, or ``None`` where the text is no RFC 3339 time with an offset.

    The first and last years, where zones overflow, are none.
    """
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):  # 31 February; an offset that leaves the years 1 to 9999
        return None
    return moment if date.min.year < moment.year < date.max.year else None


def read_day(text: str) -> date | None:
    """Return the day of ``YYYY-MM-DD``, or ``None``; the first and last years, where zones overflow, are none."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def write_instant(moment: datetime, zone: ZoneInfo) -> str:
    """Return one moment in ``zone``, as RFC 3339."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def write_instants(moments: Iterable[datetime], zone: ZoneInfo) -> list[str]:
    """Return many moments of UTC in ``zone``: day and offset are written once, three times as fast."""
    days: dict[int, _Day | None] = {}
    written = []
    for moment in moments:
        ordinal = moment.toordinal()
        if ordinal not in days:
            days[ordinal] = _day(ordinal, zone)
        day = days[ordinal]
        if day is None or moment.second or moment.microsecond:
            written.append(write_instant(moment, zone))
        else:
            shift, minute = divmod(moment.hour * 60 + moment.minute + day.offset_minutes, 1440)
            written.append(day.dates[shift] + _CLOCK[minute] + day.suffix)
    return written


class _Day(NamedTuple):
    """One UTC day as a zone sees it: its local dates (the same, the next, the one before), and its offset."""

    dates: tuple[str, str, str]
    offset_minutes: int
    suffix: str


@lru_cache(maxsize=1024)
def _day(ordinal: int, zone: ZoneInfo) -> _Day | None:
    """Return what all minutes of the day share; ``None`` where the zone's offset changes that day."""
    start = datetime.combine(date.fromordinal(ordinal), time(), UTC).astimezone(zone)
    end = datetime.combine(date.fromordinal(ordinal), time(23, 59, 59), UTC).astimezone(zone)
    offset = start.utcoffset() or timedelta()
    if offset != end.utcoffset() or offset % timedelta(minutes=1):
        return None
    same, later, earlier = (date.fromordinal(ordinal + shift).isoformat() for shift in (0, 1, -1))
    return _Day((same, later, earlier), offset // timedelta(minutes=1), start.isoformat()[19:])
