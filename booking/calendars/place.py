"""Places our own event in a calendar and removes it, whatever happens in between.

A write whose answer is lost is never repeated blindly: what stands there is read first. An event is ours where both its
UID and its ``X-SPRECHZEIT-CALL`` are; anything else is left alone.
"""

import re
from dataclasses import dataclass
from typing import Final

from booking.calendars.port import Calendar, CalendarError, Conflict, Unreachable

ATTEMPTS: Final = 3
TELLING: Final = frozenset({"DTSTART", "DTEND", "SEQUENCE", "STATUS", "TRANSP"})
"""What differs between two states of one call; titles are escaped differently by servers."""


class UidTaken(CalendarError):
    """The calendar keeps this UID for something that is not ours (or remembers it as deleted); take another one."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where our event stands, and its version."""

    href: str
    etag: str


def place(calendar: Calendar, *, uid: str, call_id: str, ics: str, href: str = "", etag: str = "") -> Placed:
    """Make our event stand in the calendar as ``ics`` says; doing it again changes nothing.

    :param href: where it was last placed, ``etag`` its version then; both empty for the first time.
    :raises UidTaken: the calendar keeps something else there, or the UID for something else.
    :raises CalendarError: it is not known to stand there; try again later.
    """
    href = href or calendar.href_for(uid)
    replaces = etag or None
    missed = 0
    for _ in range(ATTEMPTS):
        failure = _write(calendar, href, ics, replaces)
        found = calendar.find(href)
        if found is not None and not is_ours(found.ics, uid, call_id):
            raise UidTaken("something else stands in the calendar where our event belongs")
        if found is not None and (failure is None or _same(found.ics, ics)):
            return Placed(href, found.etag)
        replaces = found.etag if found is not None else None
        missed += found is None
        if failure is not None and missed > 1:
            raise _not_placed(failure)
    raise Unreachable("the calendar does not keep our event; it is written again later")


def remove(calendar: Calendar, *, href: str, uid: str, call_id: str) -> None:
    """Make our event be gone; one that is gone already, or is not ours, is left alone.

    :raises CalendarError: it is not known to be gone; try again later.
    """
    for _ in range(ATTEMPTS):
        found = calendar.find(href)
        if found is None or not is_ours(found.ics, uid, call_id):
            return
        try:
            calendar.delete(href, etag=found.etag)
        except Conflict:
            continue  # it was changed a moment ago: read it again
        return
    raise Unreachable("our event changes while it is being removed; it is removed later")


def is_ours(ics: str, uid: str, call_id: str) -> bool:
    """Say whether an object is the event of this call, by its UID and our own mark."""
    lines = _values(ics)
    return ("UID", uid) in lines and ("X-SPRECHZEIT-CALL", call_id) in lines


def _write(calendar: Calendar, href: str, ics: str, replaces: str | None) -> CalendarError | None:
    """Write once; return what went wrong where only reading can tell what stands there now."""
    try:
        calendar.put(href, ics, replaces=replaces)
    except (Conflict, Unreachable) as error:
        return error
    return None


def _not_placed(failure: CalendarError) -> CalendarError:
    if isinstance(failure, Conflict):
        return UidTaken("the calendar keeps the UID of our event for something else")
    return failure


def _same(there: str, ours: str) -> bool:
    telling = [{line for line in _values(ics) if line[0] in TELLING} for ics in (there, ours)]
    return telling[0] == telling[1]


def _values(ics: str) -> list[tuple[str, str]]:
    """Return the name and the value of each unfolded line; parameters don't matter here."""
    rows = (re.match(r'([^:;]+)(?:;(?:"[^"]*"|[^":])*)?:(.*)', line) for line in _unfolded(ics))
    return [(row.group(1).upper(), row.group(2).strip().replace("\\,", ",")) for row in rows if row]


def _unfolded(ics: str) -> list[str]:
    return re.sub(r"\r?\n[ \t]", "", ics).split("\n")
