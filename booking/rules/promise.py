"""By when an answer is promised to whoever asked for a time that is not simply free; and whether one can be promised.

A promise is kept in business hours: the owner hears of a request when they are at work, has an hour of work left to
answer in, and answers before the wished time. What can't be promised so is not taken (product.md, "Never too late to
know").
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, iter_open_periods
from booking.rules.period import Period

TIME_TO_ANSWER: Final = timedelta(hours=1)
"""Of work, between hearing of a request and the promised moment."""
BEFORE_THE_WISH: Final = timedelta(hours=2)
"""A client who is told so long before a call can still arrange the day."""
_LOOK_AHEAD: Final = timedelta(days=366)


def promise(
    now: datetime, starts_at: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date]
) -> datetime | None:
    """Return by when a request made at ``now`` for ``starts_at`` (the earliest wish) is answered, in UTC.

    It is the end of the owner's next business day, the first that opens after ``now``; where that is too near the wish,
    the last moment of work that keeps the distance. So it is always a moment of work: never in quiet time, never in an
    absence, and at least an hour of work after ``now``.

    :returns: ``None`` where the owner can't hear of it in time: such a wish is not taken.
    """
    latest = starts_at - BEFORE_THE_WISH
    worked, last = timedelta(), None
    for day in _business_days(now, timetable, zone, holidays):
        for period in day:
            begin, end = max(period.start, now), min(period.end, latest)
            if begin < end:
                worked, last = worked + (end - begin), end
        opens_later = day[0].start > now
        if (opens_later and worked >= TIME_TO_ANSWER) or day[-1].end >= latest:
            break
    return last if worked >= TIME_TO_ANSWER else None


def last_morning(
    deadline: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date]
) -> datetime | None:
    """Return when the last business day before a deadline opens: then the owner is reminded of what is still open.

    :returns: ``None`` where the owner keeps no hours before it.
    """
    day = deadline.astimezone(zone).date()
    for number in range(_LOOK_AHEAD.days):
        each = day - timedelta(days=number)
        opening = next(iter_open_periods(timetable, zone, holidays, each, each), None)
        if opening is not None and opening.start < deadline:
            return opening.start
    return None


def _business_days(
    now: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date]
) -> Iterator[list[Period]]:
    """Yield the owner's days on which there is work left after ``now``, each with all its business hours."""
    first = now.astimezone(zone).date()
    for number in range(_LOOK_AHEAD.days):
        day = first + timedelta(days=number)
        periods = list(iter_open_periods(timetable, zone, holidays, day, day))
        if periods and periods[-1].end > now:
            yield periods
