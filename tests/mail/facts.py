"""Facts of one call or calendar for the tests of mails: sensible values, changed by name."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from icalendar import Calendar

from booking.mail.messages import AccountFacts, AwayFacts, CalendarFacts, CallFacts, Facts, MorningFacts, render

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
"""Tuesday, 9:30 in Berlin, 0:30 in Vancouver, 14:15 in Kathmandu."""

OLD_START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""Monday, 10:00 in Berlin."""

ALTERNATIVES = tuple(START + timedelta(minutes=minutes) for minutes in (-30, 30, 24 * 60))
ANSWER_BY = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
"""17:00 in Berlin on the day of :data:`NOW`."""

TO_CLIENT = ("booked", "requested", "confirmed", "declined", "moved", "reminder", "corrected", "cancelled")
TO_OWNER = ("booked", "moved", "corrected", "cancelled", "reminder")
TO_OWNER_OF_CALENDAR = ("calendar_silent", "calendar_back")
MESSAGES = (*((message, "client") for message in TO_CLIENT), *((message, "owner") for message in TO_OWNER))

MAIL_FROM = "calls@example.org"


def facts(**values: Any) -> CallFacts:
    """Return the client's facts, or the owner's with ``to="owner"``."""
    to_owner = values.get("to") == "owner"
    known: dict[str, Any] = {
        "message": "booked",
        "to": "client",
        "recipient": "anna@example.org" if to_owner else "kim@example.com",
        "locale": "en",
        "timezone": "Europe/Berlin",
        "owner_name": "Anna Beispiel",
        "owner_email": "anna@example.org",
        "owner_timezone": "Europe/Berlin",
        "owner_phone": "+4930901820",
        "caller_id": "My number is withheld.",
        "discretion": "normal",
        "sender_name": "",
        "call_id": "abc",
        "starts_at": START,
        "ends_at": START + timedelta(minutes=30),
        "call_type_name": "First call",
        "who_calls": "owner",
        "client_name": "Kim",
        "client_phone": "+491701234567",
        "client_email": "kim@example.com",
        "note": "",
        "client_timezone": "Europe/Berlin",
        "ics_uid": "def@calls.example.org",
        "sequence": 0,
        "link": f"https://calls.example.org/{'desk/calls/abc' if to_owner else 'c/abc-1.sig'}",
        "booking_url": "https://calls.example.org/anna",
        "cancelled_by": "",
        "moved_from": OLD_START,
        "answer_by": ANSWER_BY,
        "alternatives": ALTERNATIVES,
    }
    return CallFacts(**{**known, **values})


def calendar_facts(**values: Any) -> CalendarFacts:
    known: dict[str, Any] = {
        "message": "calendar_silent",
        "recipient": "anna@example.org",
        "locale": "en",
        "timezone": "Europe/Berlin",
        "calendar_name": "Work",
        "error_kind": "Unreachable",
        "silent_since": datetime(2026, 11, 20, 11, 42, tzinfo=UTC),
    }
    return CalendarFacts(**{**known, **values})


def account_facts(**values: Any) -> AccountFacts:
    known: dict[str, Any] = {
        "message": "reset",
        "recipient": "anna@example.org",
        "locale": "en",
        "timezone": "Europe/Berlin",
        "owner_name": "Anna Beispiel",
        "link": "https://calls.example.org/desk/reset/abc.sig",
        "expires_at": NOW + timedelta(hours=1),
    }
    return AccountFacts(**{**known, **values})


def morning_facts(**values: Any) -> MorningFacts:
    """Return a full morning; every list can be changed by name."""
    here = {"to": "owner", "locale": values.get("locale", "en")}
    later = {"starts_at": START + timedelta(hours=2), "ends_at": START + timedelta(hours=3)}
    other = {"client_name": "Lee", "who_calls": "client", "client_phone": "", "client_email": ""}
    known: dict[str, Any] = {
        "recipient": "anna@example.org",
        "locale": "en",
        "timezone": "Europe/Berlin",
        "discretion": "normal",
        "day": START,
        "calls": [facts(**here), facts(**here, **later, **other)],
        "requests": [facts(**here, starts_at=START + timedelta(days=2))],
        "news": [
            *(facts(**here, message=message) for message in ("booked", "moved", "corrected", "cancelled")),
            calendar_facts(message="calendar_silent"),
            calendar_facts(message="calendar_back", calendar_name="Home"),
        ],
        "silent": [calendar_facts(locale=here["locale"])],
        "stuck": 2,
        "link": "https://calls.example.org/desk",
        "stuck_link": "https://calls.example.org/desk/messages?which=stuck",
    }
    return MorningFacts(**{**known, **values})


def away_facts(**values: Any) -> AwayFacts:
    known: dict[str, Any] = {
        "recipient": "kim@example.com",
        "client_name": "Kim",
        "locale": "en",
        "timezone": "Europe/Berlin",
        "owner_name": "Anna Beispiel",
        "owner_email": "anna@example.org",
        "discretion": "normal",
        "sender_name": "",
        "signature": "",
        "first": date(2026, 12, 1),
        "last": date(2026, 12, 4),
        "back": date(2026, 12, 7),
        "notice": "",
        "stand_in": "Bert Beispiel\n+49 30 5550123",
        "booking_url": "https://calls.example.org/anna/call",
        "before": (START + timedelta(days=6), START + timedelta(days=6, hours=2)),
        "after": (START + timedelta(days=13),),
        "has_call": True,
    }
    return AwayFacts(**{**known, **values})


def mail(**values: Any) -> EmailMessage:
    """Return the rendered mail of :func:`facts`."""
    return rendered(facts(**values))


def calendar_mail(**values: Any) -> EmailMessage:
    """Return the rendered mail of :func:`calendar_facts`."""
    return rendered(calendar_facts(**values))


def rendered(told: Facts) -> EmailMessage:
    return render(told, job_id="job1", mail_from=MAIL_FROM, host="calls.example.org", now=NOW)


def text_of(message: EmailMessage) -> str:
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    return _part(message, "html")


def calendar_of(message: EmailMessage) -> EmailMessage | None:
    """Return the attached calendar file, if there is one; nothing else may be attached."""
    attached = list(message.iter_attachments())
    assert all(part.get_content_type() == "text/calendar" for part in attached)
    assert len(attached) <= 1
    return attached[0] if attached else None


def calendar_in(part: EmailMessage) -> Any:
    """Return the calendar of an attached file, read again."""
    ics = part.get_payload(decode=True)
    assert isinstance(ics, bytes)
    return Calendar.from_ical(ics)


def _part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
