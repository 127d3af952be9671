"""What we write as iCalendar (RFC 5545, RFC 5546): the owner's event, and the client's file.

Pure text: nothing is read, no clock is asked. Times are UTC, so that no zone has to be described.
"""

from datetime import UTC, datetime
from typing import Final, Literal

from icalendar import Calendar, Event, vCalAddress, vDatetime

from booking.rules.text import several_lines, single_line

PRODUCT: Final = "-//Sprechzeit//Sprechzeit//EN"
CALL_PROPERTY: Final = "X-SPRECHZEIT-CALL"
"""Property by which an event in the owner's calendar is known as ours."""

_UNQUOTABLE: Final = str.maketrans({'"': "'", "^": None, "\\": None})

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]


def calendar_event(
    *,
    uid: str,
    call_id: str,
    sequence: int,
    starts_at: datetime,
    ends_at: datetime,
    stamp: datetime,
    title: str,
    link: str,
) -> str:
    """Return the event that stands in the owner's calendar; ``link`` leads to the call, and is all it says of it.

    It names no ATTENDEE and no ORGANIZER (a server would send its own invitations) and has no alarm.
    """
    event = _event(uid, sequence, starts_at, ends_at, stamp, title)
    event.add("status", "CONFIRMED")
    event.add("description", single_line(link))
    event.add(CALL_PROPERTY, single_line(call_id))
    return _text(event, None)


def client_ics(  # noqa: PLR0913 - all of them by name
    *,
    method: Method,
    uid: str,
    sequence: int,
    starts_at: datetime,
    ends_at: datetime,
    stamp: datetime,
    title: str,
    description: str,
    organizer_name: str,
    organizer_email: str,
    attendee_email: str | None,
) -> str:
    """Return the client's file: REQUEST or CANCEL for a mail, PUBLISH (which names no attendee) for a download."""
    event = _event(uid, sequence, starts_at, ends_at, stamp, title)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    if description:
        event.add("description", several_lines(description))
    event.add("organizer", _address(organizer_email, {"CN": _quotable(organizer_name)}))
    if attendee_email is not None and method != "PUBLISH":
        event.add("attendee", _address(attendee_email, {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}))
    return _text(event, method)


def _event(uid: str, sequence: int, starts_at: datetime, ends_at: datetime, stamp: datetime, title: str) -> Event:
    event = Event()
    event.add("uid", single_line(uid))
    event.add("dtstamp", vDatetime(stamp.astimezone(UTC).replace(microsecond=0)))
    event.add("dtstart", vDatetime(starts_at.astimezone(UTC)))
    event.add("dtend", vDatetime(ends_at.astimezone(UTC)))
    event.add("sequence", sequence)
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    event.add("summary", single_line(title))
    return event


def _address(email: str, parameters: dict[str, str]) -> vCalAddress:
    address = vCalAddress(f"mailto:{single_line(email)}")
    for name, value in parameters.items():
        if value:
            address.params[name] = value
    return address


def _quotable(name: str) -> str:
    # A parameter's value can't hold a quotation mark and knows no escapes (RFC 5545, 3.2); few programs know RFC 6868's
    # way around it, and some read a backslash as an escape all the same.
    return single_line(name.translate(_UNQUOTABLE))


def _text(event: Event, method: Method | None) -> str:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if method is not None:
        calendar.add("method", method)
    calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()
