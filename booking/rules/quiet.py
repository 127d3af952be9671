"""Quiet time: how soon a call may stand, and when the owner may hear of something.

:func:`leaves_at` alone decides when a notice to the owner leaves, :func:`next_morning` when the mail is due that tells
what has waited. Both are asked again whenever something is due, so that hours may change meanwhile.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, iter_open_periods
from booking.rules.period import Period

LEAST_TIME: Final = timedelta(hours=1)
"""How long before a wished time an answer comes at the latest, and how much of a day is enough to answer in."""

# Who does not open within a year after the last absence keeps no hours that could be waited for.
_LOOK_AHEAD: Final = timedelta(days=366)
_LONGEST_ABSENCE: Final = timedelta(days=5 * 366)


@dataclass(frozen=True)
class WorkingTime:
    """When an owner is at work; ``lead`` is how long before a day's first opening the morning mail comes."""

    timetable: Timetable
    zone: ZoneInfo
    holidays: Collection[date]
    lead: timedelta


@dataclass(frozen=True)
class Notice:
    """What decides when a notice to the owner leaves; the same one must not be told twice, nor too late.

    ``begins`` holds when the calls begin that it is about, a moved one's old time too; ``is_asked_for`` says that the
    owner waits for it (a log-in link, the reminder of a call out of hours); ``morning_of`` is the business day whose
    morning mail it is, ``None`` for anything else.
    """

    begins: tuple[datetime, ...] = ()
    is_asked_for: bool = False
    morning_of: date | None = None


@dataclass(frozen=True)
class Morning:
    """The morning mail of one business day: which day of the owner's, and when it leaves (aware UTC)."""

    day: date
    at: datetime


def earliest_start(
    now: datetime,
    notice: timedelta,
    timetable: Timetable,
    zone: ZoneInfo,
    holidays: Collection[date],
    in_working_time: bool,
    limit: date,
) -> datetime | None:
    """Return the first moment at which a call booked at ``now`` may begin.

    In working time only business hours count, so that the owner has had the whole notice at work before the call.

    :returns: ``None`` where the working time until the end of the owner's day ``limit`` is shorter than the notice.
    """
    if not notice or not in_working_time:
        return now + notice
    left = notice
    for period in iter_open_periods(timetable, zone, holidays, now.astimezone(zone).date(), limit):
        begin = max(period.start, now)
        if begin + left <= period.end:
            return begin + left
        left -= max(period.end - begin, timedelta())
    return None


def leaves_at(notice: Notice, now: datetime, work: WorkingTime) -> datetime:
    """Return when a notice leaves by itself: at once in business hours, else when they next begin.

    Before it is the first opening of its day, the morning mail takes along what waits (:func:`next_morning`); that mail
    itself leaves from then on. In quiet time leaves only what was asked for, and what is about a call that begins
    before the owner would hear of it. An owner who keeps no hours at all hears at once: it must not wait for ever.
    """
    opening = _next_opening(now, work)
    if opening is None or opening.start <= now or notice.is_asked_for:
        return now
    hears_at, day = opening.start, opening.start.astimezone(work.zone).date()
    if opening == _periods_of(day, work)[0]:
        morning = opening.start - work.lead
        if notice.morning_of == day and morning <= now:
            return now
        hears_at = morning if now < morning else hears_at
    return now if any(now < begins <= hears_at for begins in notice.begins) else opening.start


def next_morning(now: datetime, work: WorkingTime, told: date) -> Morning | None:
    """Return the next morning mail, of a business day after ``told``, the last day that had one.

    It is due ``work.lead`` before the day first opens. One that was missed (nothing ran) leaves at once, or when
    business goes on that day; after the day's last closing it is none any more.

    :returns: ``None`` for an owner who keeps no hours.
    """
    today = now.astimezone(work.zone).date()
    for day, periods in groupby(_periods(today, work), key=lambda period: period.start.astimezone(work.zone).date()):
        opens, *rest = periods
        closes = rest[-1].end if rest else opens.end
        if day > told and now < closes:
            morning = opens.start - work.lead
            return Morning(day, morning if now < morning else leaves_at(Notice(morning_of=day), now, work))
    return None


def next_opening(now: datetime, work: WorkingTime) -> datetime | None:
    """Return when business begins, or ``now`` in business hours; ``None`` where no hours are kept."""
    opening = _next_opening(now, work)
    return None if opening is None else max(now, opening.start)


def is_quiet(moment: datetime, work: WorkingTime) -> bool:
    """Say whether a moment lies outside business hours; an owner who keeps none has no quiet time."""
    opens = next_opening(moment, work)
    return opens is not None and opens > moment


def _next_opening(now: datetime, work: WorkingTime) -> Period | None:
    """Return the business hours that go on at ``now``, or come next."""
    today = now.astimezone(work.zone).date()
    return next((period for period in _periods(today, work) if now < period.end), None)


def _periods(first: date, work: WorkingTime) -> Iterator[Period]:
    back = max((absence.last for absence in work.timetable.absences), default=first)
    limit = min(max(first, back), first + _LONGEST_ABSENCE) + _LOOK_AHEAD
    return iter_open_periods(work.timetable, work.zone, work.holidays, first, limit)


def _periods_of(day: date, work: WorkingTime) -> list[Period]:
    return list(iter_open_periods(work.timetable, work.zone, work.holidays, day, day))


def answer_by(
    now: datetime, starts_at: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date]
) -> datetime:
    """Return by when a client who asked for ``starts_at`` has an answer; always between ``now`` and the start.

    It is the end of the owner's business day (of the next one, where less than :data:`LEAST_TIME` of today's is left),
    but an hour before the wished time at the latest; where even that is too near, half of the time that is left.
    """
    latest = starts_at - LEAST_TIME
    if latest < now + LEAST_TIME / 2:
        return now + (starts_at - now) / 2
    today = now.astimezone(zone).date()
    for period in iter_open_periods(timetable, zone, holidays, today, starts_at.astimezone(zone).date()):
        is_last_of_day = period.end == _closing(period.end, timetable, zone, holidays)
        if is_last_of_day and period.end >= now + LEAST_TIME:
            return min(period.end, latest)
    return latest


def _closing(moment: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date]) -> datetime:
    """Return when the owner's day, in which business hours end at ``moment``, closes for good."""
    day = (moment - timedelta(microseconds=1)).astimezone(zone).date()
    return max(period.end for period in iter_open_periods(timetable, zone, holidays, day, day))
