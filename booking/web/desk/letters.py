"""Made-up facts for every mail there is, so that owners can look at all of them; what is said of the owner is real."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from booking.language import Language, language
from booking.mail.messages import AccountFacts, AwayFacts, CalendarFacts, CallFacts, Facts, MorningFacts
from booking.rules.lifecycle import State
from booking.store.models import Call, CallType, Owner
from booking.usecases.notify import House, booking_url, facts_of
from booking.web.context import gettext

TO_CLIENT: Final = ("booked", "requested", "confirmed", "declined", "moved", "corrected", "reminder", "cancelled")
TO_OWNER: Final = ("booked", "moved", "corrected", "cancelled", "reminder")
OF_ABSENCE: Final = ("away",)
OF_CALENDAR: Final = ("calendar_silent", "calendar_back")
OF_ACCOUNT: Final = ("reset",)
OF_MORNING: Final = ("morning",)
KINDS: Final = (
    *((message, "client") for message in (*TO_CLIENT, *OF_ABSENCE)),
    *((message, "owner") for message in (*OF_MORNING, *TO_OWNER, *OF_CALENDAR, *OF_ACCOUNT)),
)
_CLIENT: Final = "Kim"
_ADDRESS: Final = "kim@example.com"
_AT: Final = time(9, 30)
_TUESDAY: Final = 1
_USUAL_COUNTRY: Final = "DE"
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    """One mail: what it tells, whom, and in which language."""

    message: str
    to: str
    code: str


def kinds() -> list[tuple[str, str, Sequence[tuple[str, str]]]]:
    """Return the list of all mails: for each reader a heading, and each message with its name."""
    names = _names()
    headings = {"client": gettext("To clients"), "owner": gettext("To you")}
    return [
        (to, heading, [(message, names[message]) for message, reader in KINDS if reader == to])
        for to, heading in headings.items()
    ]


def made_up(owner: Owner, kind: Kind, house: House, now: datetime) -> Facts:
    """Return facts as they would be of this owner, with a client nobody knows."""
    if kind.message in OF_ABSENCE:
        return _of_absence(owner, kind, house, now)
    if kind.message in OF_CALENDAR:
        return _of_calendar(owner, kind, now)
    if kind.message in OF_ACCOUNT:
        return _of_account(owner, kind, house, now)
    if kind.message in OF_MORNING:
        return _of_morning(owner, kind, house, now)
    return _of_call(owner, kind, house, now)


def _of_call(owner: Owner, kind: Kind, house: House, now: datetime) -> CallFacts:
    start = _some_tuesday(owner, now)
    speech = language(kind.code)
    call = _call(owner, start, speech)
    facts = facts_of(house, call, kind.message, kind.to)
    return replace(facts, locale=kind.code, **_further(kind, start, speech))


def _further(kind: Kind, start: datetime, speech: Language) -> dict[str, Any]:
    """Return what only some messages tell."""
    told_by_owner = kind.to == "client" and kind.message in ("moved", "cancelled")
    reason = {"reason": speech.gettext("I have to be elsewhere at that time.")} if told_by_owner else {}
    further: dict[str, dict[str, Any]] = {
        "moved": {"moved_from": start - _HOUR},
        "cancelled": {"cancelled_by": "owner" if kind.to == "client" else "client"},
        "requested": {"answer_by": start - timedelta(hours=16)},
        "declined": {"alternatives": (start + _HOUR, start + 2 * _HOUR, start + timedelta(days=1))},
    }
    return {**further.get(kind.message, {}), **reason}


def _of_absence(owner: Owner, kind: Kind, house: House, now: datetime) -> AwayFacts:
    start, speech, zone = _some_tuesday(owner, now), language(kind.code), ZoneInfo(owner.timezone)
    call = _call(owner, start, speech)
    first = start.astimezone(zone).date()
    return AwayFacts(
        recipient=call.email,
        client_name=call.name,
        locale=kind.code,
        timezone=owner.timezone,
        owner_name=owner.name,
        owner_email=owner.email,
        discretion=owner.discretion,
        sender_name=owner.sender_name,
        signature=owner.signature,
        first=first,
        last=first + timedelta(days=3),
        back=first + timedelta(days=6),
        notice="",
        stand_in="",
        booking_url=booking_url(house, call),
        before=(start - timedelta(days=1), start - timedelta(days=1) + _HOUR),
        after=(start + timedelta(days=6),),
    )


def _of_calendar(owner: Owner, kind: Kind, now: datetime) -> CalendarFacts:
    return CalendarFacts(
        message=kind.message,
        recipient=owner.email,
        locale=kind.code,
        timezone=owner.timezone,
        calendar_name=next((each.name for each in owner.calendars if each.name), gettext("Work")),
        error_kind="Unreachable",
        silent_since=now - _HOUR,
    )


def _of_account(owner: Owner, kind: Kind, house: House, now: datetime) -> AccountFacts:
    return AccountFacts(
        message=kind.message,
        recipient=owner.email,
        locale=kind.code,
        timezone=owner.timezone,
        owner_name=owner.name,
        link=f"{house.base_url}/desk/…",
        expires_at=now + _HOUR,
    )


def _of_morning(owner: Owner, kind: Kind, house: House, now: datetime) -> MorningFacts:
    today = _of_call(owner, replace(kind, message="booked"), house, now)
    later = replace(today, starts_at=today.starts_at + timedelta(days=1), ends_at=today.ends_at + timedelta(days=1))
    return MorningFacts(
        recipient=owner.email,
        locale=kind.code,
        timezone=owner.timezone,
        discretion=owner.discretion,
        day=today.starts_at,
        calls=[today],
        requests=[],
        news=[later],
        silent=[],
        stuck=0,
        link=f"{house.base_url}/desk",
        stuck_link="",
    )


def _call(owner: Owner, start: datetime, speech: Language) -> Call:
    """Return a call that is nowhere but here."""
    types = [each for each in owner.call_types if each.archived_at is None]
    call_type = types[0] if types else CallType(slug="call", name=speech.gettext("First call"), minutes=30)
    caller = "client" if call_type.who_calls == "client" else "owner"
    return Call(
        id="preview",
        owner=owner,
        call_type=call_type,
        state=State.CONFIRMED,
        starts_at=start,
        ends_at=start + timedelta(minutes=call_type.minutes),
        name=_CLIENT,
        email=_ADDRESS,
        phone="" if caller == "client" else _some_number(owner.country),
        note=speech.gettext("It is about a text for my web site."),
        answers={},
        who_calls=caller,
        timezone=owner.timezone,
        locale=speech.code,
        link_version=1,
        ics_uid="preview",
        sequence=0,
    )


def _some_tuesday(owner: Owner, now: datetime) -> datetime:
    """Return a moment at least two days ahead, in the morning of the owner's zone."""
    zone = ZoneInfo(owner.timezone)
    day = now.astimezone(zone).date() + timedelta(days=2)
    day += timedelta(days=(_TUESDAY - day.weekday()) % 7)
    return datetime.combine(day, _AT, zone).astimezone(UTC)


def _some_number(country: str) -> str:
    """Return a number that the numbering plan of the country gives as its example."""
    number = phonenumbers.example_number_for_type(country or _USUAL_COUNTRY, PhoneNumberType.MOBILE)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else "+4915123456789"


def _names() -> dict[str, str]:
    return {
        "booked": gettext("A call is booked"),
        "requested": gettext("A time is noted while a calendar is silent"),
        "confirmed": gettext("A noted time is confirmed"),
        "declined": gettext("A noted time does not work"),
        "moved": gettext("A call is moved"),
        "corrected": gettext("Number or mail address is corrected"),
        "reminder": gettext("Reminder of a call"),
        "cancelled": gettext("A call is cancelled"),
        "away": gettext("An absence"),
        "calendar_silent": gettext("A calendar is silent"),
        "calendar_back": gettext("A calendar answers again"),
        "reset": gettext("A new password"),
        "morning": gettext("The morning mail"),
    }
