"""Whether calendars answer, whether the one that takes the calls can be written, and what time it is there."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from booking.calendars.place import place, remove
from booking.calendars.port import Calendar, CalendarError
from booking.doctor.finding import CLOCK_MAY_DIFFER, SET_CLOCK, Finding
from booking.errors import BookingError
from booking.rules.ics import PRODUCT
from booking.services import Services
from booking.store import models
from booking.usecases import calendars as listing
from booking.usecases import refresh

CALENDAR_SECONDS: Final = 30.0

PROBE: Final = "sprechzeit-doctor-"
"""How the UIDs of our test events begin, so that one that was left behind by a crash is known as ours."""
PROBE_CALL: Final = "doctor"


def calendars(services: Services) -> Iterator[Finding]:
    """Read every calendar, write to those that take calls, and compare their servers' clocks with ours."""
    now = services.now()
    with services.database.reading() as db:
        plans = [(row, refresh.plan(db, row, now)) for row in listing.list_calendars(db)]
        problems = listing.problems(db)
    differences = []
    for row, plan in plans:
        subject = f"calendar {row.id} of {row.owner.slug}"
        try:
            count, difference = _read(services, plan)
            differences.append(difference)
            can_be_written = _try_to_write(services, row) if row.takes_calls else ""
        except BookingError as error:  # of the calendar, or of its stored password
            yield Finding(subject, False, str(error))
        else:
            yield Finding(subject, True, f"answers, {count} objects{can_be_written}")
    yield from _clock(differences)
    for row, href, problem in problems:
        advice = "its time is kept free of calls; open and save it again in the calendar program"
        yield Finding(f"event {href} in calendar {row.id}", False, f"can't be understood ({problem}): {advice}")


def _read(services: Services, plan: refresh.Plan) -> tuple[int, timedelta | None]:
    """Return how many objects a calendar has, and how far its server's clock is ahead of ours, where it says so."""
    asked_at = services.now()
    with contextlib.closing(services.calendar(plan, CALENDAR_SECONDS)) as calendar:
        answer = calendar.changes(plan.known)
        return len(answer.listing), _ahead(calendar.server_time, asked_at, services.now())


def _ahead(there: datetime | None, earliest: datetime, latest: datetime) -> timedelta | None:
    return None if there is None else there - min(max(there, earliest), latest)


def _clock(differences: Iterable[timedelta | None]) -> Iterator[Finding]:
    known = [difference for difference in differences if difference is not None]
    if not known:
        return
    largest = max(known, key=abs)
    if abs(largest) > CLOCK_MAY_DIFFER:
        way = "behind" if largest > timedelta() else "ahead of"
        words = f"this machine's clock is {abs(largest)} {way} a calendar server's: {SET_CLOCK} Sprechzeit"
        yield Finding("clock", False, words)
    else:
        yield Finding("clock", True, "agrees with the calendar servers'")


def _try_to_write(services: Services, row: models.Calendar) -> str:
    """Put an event into the calendar that disturbs nobody, read it back and remove it.

    :raises CalendarError: it can't be written, or can't be removed again.
    """
    uid = f"{PROBE}{services.token()}"
    with contextlib.closing(services.calendar(row, CALENDAR_SECONDS)) as calendar:
        _remove_leftovers(calendar)
        try:
            place(calendar, uid=uid, call_id=PROBE_CALL, ics=_harmless_event(uid))
        except CalendarError as error:
            with contextlib.suppress(CalendarError):  # a write that seemed to fail may have come about
                remove(calendar, href=calendar.href_for(uid), uid=uid, call_id=PROBE_CALL)
            advice = "give this user the right to write, or let another calendar take the calls (calendar add --help)"
            raise CalendarError(f"can be read, but the calls can't be written ({error}): {advice}") from error
        try:
            remove(calendar, href=calendar.href_for(uid), uid=uid, call_id=PROBE_CALL)
        except CalendarError as error:
            where = f"remove the test event of 1 January 2000 ({calendar.href_for(uid)}) yourself"
            raise CalendarError(f"what was written can't be removed again ({error}): {where}") from error
    return ", can be written"


def _remove_leftovers(calendar: Calendar) -> None:
    """Remove test events that an examination which was broken off has left."""
    for href in calendar.changes({}).listing:
        name = unquote(href).rpartition("/")[2].removesuffix(".ics")
        if name.startswith(PROBE):
            remove(calendar, href=href, uid=name, call_id=PROBE_CALL)


def _harmless_event(uid: str) -> str:
    """One minute long ago that is free and not certain: nothing blocks, rings or is shown by it."""
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "BEGIN:VEVENT", f"UID:{uid}"),
        *("DTSTAMP:20000101T000000Z", "DTSTART:20000101T000000Z", "DTEND:20000101T000100Z", "SEQUENCE:0"),
        *("STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "CLASS:PRIVATE", "SUMMARY:Sprechzeit tries to write"),
        *(f"X-SPRECHZEIT-CALL:{PROBE_CALL}", "END:VEVENT", "END:VCALENDAR", ""),
    )
    return "\r\n".join(lines)
