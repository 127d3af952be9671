"""Quiet time: how soon a call may stand, and when the owner may hear of something."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, iter_open_periods

LEAST_TIME: Final = timedelta(hours=1)
"""How long before a wished time an answer comes at the latest, and how much of a day is enough to answer in."""

# Who does not open within a year keeps no hours that could be waited for.
_LOOK_AHEAD: Final = timedelta(days=366)


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


def notice_time(
    now: datetime, timetable: Timetable, zone: ZoneInfo, holidays: Collection[date], lead: timedelta
) -> datetime:
    """Return when the owner may hear of something: at once in business hours, else ``lead`` before they next begin.

    An owner who keeps no hours for a year hears of it at once: it must not wait for ever.
    """
    today = now.astimezone(zone).date()
    for period in iter_open_periods(timetable, zone, holidays, today, today + _LOOK_AHEAD):
        if now < period.end:
            return max(now, period.start - lead)
    return now


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
