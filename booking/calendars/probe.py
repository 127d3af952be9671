"""Tries out a calendar: reads it, writes a test event, reads it back, removes it. Nothing is left behind if possible.

The test event is a minute long ago that is free, not certain and private: nothing blocks, rings or is shown by it.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from booking.calendars.place import is_ours, remove
from booking.calendars.port import Calendar, CalendarError, Unreachable
from booking.rules.ics import PRODUCT

PROBE: Final = "sprechzeit-doctor-"
"""How the UIDs of our test events begin, so that one that was left behind by a crash is known as ours."""
PROBE_CALL: Final = "doctor"


class Step(StrEnum):
    """What is tried, in this order."""

    READ = "read"
    WRITE = "write"
    READ_BACK = "read_back"
    REMOVE = "remove"


@dataclass(frozen=True)
class Trial:
    """What came of it: how many objects there are, which step failed and why (``None``: none did).

    ``left`` is the href of the test event where it may still stand there; ``server_time`` is as the port says.
    """

    objects: int = 0
    failed: Step | None = None
    error: CalendarError | None = None
    left: str = ""
    server_time: datetime | None = None


def probe(calendar: Calendar, token: str, *, known: Mapping[str, str], writes: bool) -> Trial:
    """Try out a calendar; one that only blocks is only read.

    :param token: random; makes the test event's UID.
    :param known: what was read before (``href → etag``), so that it need not be read again.
    """
    try:
        listing = calendar.changes(known).listing
    except CalendarError as error:
        return Trial(failed=Step.READ, error=error)
    objects, server_time = len(listing), calendar.server_time
    if not writes:
        return Trial(objects, server_time=server_time)
    for href in listing:
        _remove_leftover(calendar, href)
    uid = f"{PROBE}{token}"
    failed, reason = _write_and_read(calendar, uid)
    try:
        _remove(calendar, calendar.href_for(uid), uid)
    except CalendarError as stuck:
        # Of a write that failed it is not known whether it has come about.
        failed, reason = (failed, reason) if failed else (Step.REMOVE, stuck)
        return Trial(objects, failed, reason, calendar.href_for(uid), server_time)
    return Trial(objects, failed, reason, server_time=server_time)


def _write_and_read(calendar: Calendar, uid: str) -> tuple[Step | None, CalendarError | None]:
    href = calendar.href_for(uid)
    try:
        calendar.put(href, _harmless_event(uid), replaces=None)
    except CalendarError as error:
        return Step.WRITE, error
    try:
        found = calendar.find(href)
    except CalendarError as error:
        return Step.READ_BACK, error
    if found is None or not is_ours(found.ics, uid, PROBE_CALL):
        return Step.READ_BACK, Unreachable("what was written is not what can be read")
    return None, None


def _remove_leftover(calendar: Calendar, href: str) -> None:
    """Remove a test event that a trial which was broken off has left."""
    name = unquote(href).rpartition("/")[2].removesuffix(".ics")
    if name.startswith(PROBE):
        with contextlib.suppress(CalendarError):  # what matters is whether today's can be removed
            _remove(calendar, href, name)


def _remove(calendar: Calendar, href: str, uid: str) -> None:
    remove(calendar, href=href, uid=uid, call_id=PROBE_CALL)


def _harmless_event(uid: str) -> str:
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "BEGIN:VEVENT", f"UID:{uid}"),
        *("DTSTAMP:20000101T000000Z", "DTSTART:20000101T000000Z", "DTEND:20000101T000100Z", "SEQUENCE:0"),
        *("STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "CLASS:PRIVATE", "SUMMARY:Sprechzeit tries to write"),
        *(f"X-SPRECHZEIT-CALL:{PROBE_CALL}", "END:VEVENT", "END:VCALENDAR", ""),
    )
    return "\r\n".join(lines)
