"""When a client is reminded of a call: never at night, never too soon after booking, never twice at one moment."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

NIGHT_BEGINS: Final = time(22)
NIGHT_ENDS: Final = time(7)
EVENING: Final = time(20)
"""When a reminder comes that would have come at night: the evening before it."""
AFTER_BOOKING: Final = timedelta(hours=1)
"""Nobody has to be reminded of what was arranged within the hour."""


def reminder_times(
    starts_at: datetime, before: Iterable[timedelta], zone: ZoneInfo, booked_at: datetime
) -> list[datetime]:
    """Return when to remind, in UTC and in order.

    :param before: how long before the call, each; ``zone`` is the client's.
    """
    wished = {_by_day(starts_at - each, zone) for each in before}
    return sorted(moment for moment in wished if booked_at + AFTER_BOOKING <= moment < starts_at)


def next_night(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return when the night begins after a moment of the day: a reminder that is late by then is not sent."""
    return datetime.combine(moment.astimezone(zone).date(), NIGHT_BEGINS, zone).astimezone(moment.tzinfo)


def after_night(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment itself by day; at night, when the night ends."""
    local = moment.astimezone(zone)
    if NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return moment
    morning = local.date() + timedelta(days=1) if local.time() >= NIGHT_BEGINS else local.date()
    return datetime.combine(morning, NIGHT_ENDS, zone).astimezone(moment.tzinfo)


def _by_day(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return moment
    evening = local.date() if local.time() >= NIGHT_BEGINS else local.date() - timedelta(days=1)
    return datetime.combine(evening, EVENING, zone).astimezone(moment.tzinfo)
