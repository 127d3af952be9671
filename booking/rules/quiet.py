"""Quiet time: how soon a call may stand, and when the owner may hear of something."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, iter_open_periods

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
