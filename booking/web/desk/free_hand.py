"""Times the owner types instead of choosing one that is offered: read, and what speaks against them put into words.

What was waived travels with the form, together with the time it was waived for: another time is asked about anew.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.phone import display
from booking.rules.slots import Reason
from booking.store.models import Call
from booking.usecases.availability import Offer
from booking.usecases.calls import load_call
from booking.web import pages
from booking.web.context import gettext, now, reader, services
from booking.web.desk.room import signed_in
from booking.web.times import Time, written
from booking.web.times_page import written_out

FARTHEST: Final = timedelta(days=730)
"""How far ahead an owner can place a call by hand."""
NEAREST_SHOWN: Final = 6


def moment_of(day: date, minutes: int, zone: ZoneInfo) -> datetime | None:
    """Return a wall time in UTC, ``None`` where the clocks leave it out; of one that comes twice, the first."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - given its zone below
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == wall else None


def why_impossible(start: datetime | None) -> str:
    """Say why no call can stand at this moment, whatever is waived; nothing where it can."""
    if start is None:
        return gettext("The clocks change on this day, and this time is left out. Choose another one.")
    if start <= now():
        return gettext("This time has passed. Choose one that is to come.")
    if start > now() + FARTHEST:
        return gettext("Choose a day within the next two years.")
    return ""


def waiver(start: datetime, length: timedelta, reasons: Sequence[str]) -> str:
    """Return what the form carries, once the owner has read what speaks against a time."""
    return " ".join((written(start), str(length // timedelta(minutes=1)), *reasons))


def read_waiver(text: str, start: datetime, length: timedelta) -> frozenset[Reason]:
    """Return what the owner has waived for exactly this time."""
    expected = waiver(start, length, ())
    given = text.removeprefix(expected).split() if text.startswith(expected + " ") else []
    return frozenset(Reason(word) for word in given if word in set(Reason))


def against(reasons: Sequence[str]) -> list[str]:
    """Put into words what speaks against a time, a sentence each."""
    words = {
        Reason.OUTSIDE_HOURS: gettext("It is outside your business hours."),
        Reason.ABSENCE: gettext("You are away on this day."),
        Reason.HOLIDAY: gettext("This day is a public holiday."),
        Reason.BUSY: gettext("Your calendar is busy at this time."),
        Reason.BUFFER: gettext("It is nearer to another appointment than your buffers allow."),
        Reason.TOO_SOON: gettext("It is sooner than your notice allows."),
        Reason.TOO_FAR: gettext("It is farther ahead than clients can book."),
        Reason.DAY_FULL: gettext("The day has as many calls of this type as you allow."),
        Reason.WEEK_FULL: gettext("The week has as many calls of this type as you allow."),
        Reason.UNKNOWN_CALENDAR: gettext(
            "One of your calendars does not answer, so it is not known whether you are free."
        ),
    }
    return [words[Reason(reason)] for reason in reasons]


def taken_by(call_id: str) -> str:
    """Say which other call holds a time."""
    with services().database.reading() as db:
        other = load_call(db, call_id)
    if other is None or other.owner_id != signed_in().id:
        return gettext("Another call holds this time.")
    zone = ZoneInfo(signed_in().timezone)
    return gettext(
        "Another call stands there, with its buffers: %(name)s, %(day)s, %(begin)s to %(end)s.",
        name=other.name,
        day=reader().day(other.starts_at, zone),
        begin=reader().time(other.starts_at, zone),
        end=reader().time(other.ends_at, zone),
    )


def nearest(offer: Offer, start: datetime) -> list[Time]:
    """Write the free times that are nearest to a moment."""
    return written_out(offer, offer.nearest(start, NEAREST_SHOWN))


def number_of(call: Call) -> str:
    """Write the client's number; nothing where there is none."""
    return display(call.phone) if call.phone else ""


def date_and_clock(moment: datetime) -> dict[str, str]:
    """Return a moment as date and time fields hold it."""
    local = moment.astimezone(ZoneInfo(signed_in().timezone))
    return {"day": local.date().isoformat(), "clock": f"{local:%H:%M}"}


def said(moment: datetime) -> str:
    """Write a moment: Tuesday, 24 November, 9:30."""
    at = pages.when(moment, signed_in())
    return gettext("%(day)s, %(time)s", day=at.day, time=at.time)
