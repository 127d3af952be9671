"""The glide path of absences: which of them clients are told of, from when on, and when the owner is back. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Absence, Timetable

ANNOUNCED_WITHIN: Final = timedelta(days=14)
"""How long before an absence the public page speaks of it."""
LONGEST_SEARCH: Final = timedelta(days=400)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Away:
    """An absence that clients are told of.

    ``back`` is the first day with business hours after it; ``None`` where there is none within a year. ``runs_on`` says
    that the next absence begins before that day, ``follows`` that the one before ran on into this one.
    """

    absence: Absence
    back: date | None
    runs_on: bool
    follows: bool


def coming(timetable: Timetable, today: date, holidays: Collection[date]) -> list[Away]:
    """Return the absences that are on or begin within two weeks, and those that follow without a working day between.

    :param today: the owner's day.
    """
    found: list[Away] = []
    ahead = [absence for absence in sorted(timetable.absences) if absence.last >= today]
    for number, absence in enumerate(ahead):
        follows = bool(found) and found[-1].runs_on
        if absence.first > today + ANNOUNCED_WITHIN and not follows:
            break
        found.append(_away(timetable, absence, ahead[number + 1 : number + 2], holidays, follows=follows))
    return found


def of(timetable: Timetable, absence: Absence, holidays: Collection[date]) -> Away:
    """Return what there is to tell of one absence, whenever it is."""
    others = sorted(timetable.absences)
    before = [each for each in others if each.last < absence.first][-1:]
    follows = any(_runs_into(timetable, each, absence, holidays) for each in before)
    after = [each for each in others if each.first > absence.last][:1]
    return _away(timetable, absence, after, holidays, follows=follows)


def begins(absence: Absence, zone: ZoneInfo) -> datetime:
    """Return the midnight at which an absence begins, in UTC; ``zone`` is the owner's."""
    return datetime.combine(absence.first, time(), zone).astimezone(UTC)


def ends(absence: Absence, zone: ZoneInfo) -> datetime:
    """Return the midnight at which an absence is over, in UTC; ``zone`` is the owner's."""
    return datetime.combine(absence.last + _DAY, time(), zone).astimezone(UTC)


def last_before(absence: Absence, zone: ZoneInfo, free: Sequence[datetime], count: int) -> Sequence[datetime]:
    """Return the last of the free starts, which are sorted, before an absence begins."""
    index = bisect_left(free, begins(absence, zone))
    return free[max(0, index - count) : index]


def first_after(absence: Absence, zone: ZoneInfo, free: Sequence[datetime]) -> Sequence[datetime]:
    """Return the first of the free starts, which are sorted, after an absence; nothing where there is none."""
    index = bisect_left(free, ends(absence, zone))
    return free[index : index + 1]


def _away(
    timetable: Timetable, absence: Absence, after: list[Absence], holidays: Collection[date], *, follows: bool
) -> Away:
    runs_on = any(_runs_into(timetable, absence, each, holidays) for each in after)
    return Away(absence, _day_back(timetable, absence.last, holidays), runs_on, follows)


def _runs_into(timetable: Timetable, absence: Absence, later: Absence, holidays: Collection[date]) -> bool:
    back = _day_back(timetable, absence.last, holidays)
    return back is None or back > later.first


def _day_back(timetable: Timetable, last: date, holidays: Collection[date]) -> date | None:
    days = (last + _DAY * number for number in range(1, LONGEST_SEARCH.days))
    return next((day for day in days if timetable.windows_on(day, holidays)), None)
