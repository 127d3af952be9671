"""The facts of a mail as its reader sees them: words, numbers and times in that reader's language and zone.

Templates read nothing else. Nothing is decided here, and no sentence stands here but how a weekday is named in one.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from booking.errors import InvalidPhone, InvalidText
from booking.language import Language, language
from booking.mail.facts import AccountFacts, AwayFacts, CalendarFacts, CallFacts
from booking.rules.phone import display, masked, parse_phone
from booking.rules.text import several_lines, single_line

_PLAIN_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]+@[A-Za-z0-9.\-]+")
_LONGEST_CALENDAR_NAME: Final = 120


class CallView:
    """One call as one reader sees it; ``now`` decides which day is today."""

    def __init__(self, facts: CallFacts, now: datetime) -> None:
        self._facts = facts
        self._now = now
        self._language = language(facts.locale)
        self._zone = ZoneInfo(facts.timezone)
        self.is_neutral = facts.discretion == "neutral"
        self.owner_calls = facts.who_calls == "owner"
        self.minutes = int((facts.ends_at - facts.starts_at).total_seconds() // 60)
        self.cancelled_by = facts.cancelled_by
        self.is_unseen = facts.is_unseen
        self.reason = single_line(facts.reason)
        self.type_name = single_line(facts.call_type_name)
        self.caller_id = single_line(facts.caller_id)
        self.signature = signature_of(facts)
        # Written without a thought of who may see it: it often names a trade.
        self.farewell = "" if self.is_neutral else several_lines(facts.signature)
        self.link = facts.link
        self.booking_url = facts.booking_url
        self.answers_reach_owner = bool(facts.owner_email)

    @property
    def on_date(self) -> str:
        """The full date as it stands in a sentence: on Tuesday, 24 November 2026."""
        return on_date(self._language, self._facts.starts_at, self._zone)

    @property
    def day(self) -> str:
        """Tuesday, 24 November."""
        return self._language.day(self._facts.starts_at, self._zone)

    @property
    def short_day(self) -> str:
        """Tue 24 Nov."""
        return self._language.short_day(self._facts.starts_at, self._zone)

    @property
    def weekday(self) -> str:
        """Tuesday."""
        return self.day.partition(",")[0]

    @property
    def time(self) -> str:
        """9:30."""
        return self._language.time(self._facts.starts_at, self._zone)

    @property
    def end_time(self) -> str:
        """10:00."""
        return self._language.time(self._facts.ends_at, self._zone)

    @property
    def place(self) -> str:
        """Berlin."""
        return self._language.place(self._facts.timezone)

    @property
    def elsewhere(self) -> dict[str, str] | None:
        """Day, time and place where the other side is, if the clocks differ there at that moment."""
        other = self._facts.owner_timezone if self._facts.to == "client" else self._facts.client_timezone
        zone, start = ZoneInfo(other), self._facts.starts_at
        if start.astimezone(zone).utcoffset() == start.astimezone(self._zone).utcoffset():
            return None
        speak = self._language
        return {"day": speak.day(start, zone), "time": speak.time(start, zone), "place": speak.place(other)}

    @property
    def moved(self) -> dict[str, str]:
        """From which day and time to which; the same where it never moved."""
        speak, zone, before = self._language, self._zone, self._facts.moved_from or self._facts.starts_at
        old = {"old_day": speak.day(before, zone), "old_time": speak.time(before, zone)}
        return {**old, "day": self.day, "time": self.time, "place": self.place}

    @property
    def answer(self) -> dict[str, str]:
        """By which day and time there is an answer, before the call itself in any case; no day where it is today."""
        moment = self._facts.answer_by or self._facts.starts_at
        is_today = moment.astimezone(self._zone).date() == self._now.astimezone(self._zone).date()
        day = "" if is_today else self._language.day(moment, self._zone)
        return {"day": day, "time": self._language.time(moment, self._zone)}

    @property
    def answer_at(self) -> dict[str, str]:
        """By which day and time a request is answered, the day always named."""
        moment = self._facts.answer_by or self._facts.starts_at
        return {"day": self._language.short_day(moment, self._zone), "time": self._language.time(moment, self._zone)}

    @property
    def alternatives(self) -> list[dict[str, str]]:
        """Day and time of each start that is offered instead, and where it can be booked."""
        return [self._choice(start) for start in self._facts.alternatives]

    def _choice(self, start: datetime) -> dict[str, str]:
        return {
            "day": capital(self._language.day(start, self._zone)),
            "time": self._language.time(start, self._zone),
            "url": self._booking_link(start),
        }

    def _booking_link(self, start: datetime) -> str:
        minutes = {"minutes": str(self._facts.unusual_minutes)} if self._facts.unusual_minutes else {}
        return booking_link(self.booking_url, start, self._facts.timezone, self._language.code, **minutes)

    @property
    def masked_number(self) -> str:
        """The client's number, as much of it as a mail shows; empty where there is none."""
        return masked(self._facts.client_phone) if self._facts.client_phone else ""

    @property
    def owner_number(self) -> str:
        """The number the client rings, or empty."""
        return display(self._facts.owner_phone) if self._facts.owner_phone else ""


class OwnersView(CallView):
    """What only the owner reads: who the client is, and what the client wrote."""

    def __init__(self, facts: CallFacts, now: datetime) -> None:
        super().__init__(facts, now)
        self.name = single_line(facts.client_name)
        self.email = ascii_address(facts.client_email) if facts.client_email else ""
        self.note = several_lines(facts.note)
        self.answers = facts.answers
        self.phone = single_line(facts.client_phone)
        self.number = display(self.phone) if self.phone else ""
        self.is_landline = _is_landline(self.phone)


class CalendarView:
    """One silent calendar as its owner sees it."""

    def __init__(self, facts: CalendarFacts) -> None:
        self._facts = facts
        self._language = language(facts.locale)
        self._zone = ZoneInfo(facts.timezone)
        self.name = single_line(facts.calendar_name)[:_LONGEST_CALENDAR_NAME]
        self.error_kind = facts.error_kind

    @property
    def last_read(self) -> dict[str, str] | None:
        """Date (as it stands in a sentence), time and place of the last reading, if there was one."""
        moment = self._facts.silent_since
        if moment is None:
            return None
        speak, zone = self._language, self._zone
        return {
            "on_date": on_date(speak, moment, zone),
            "time": speak.time(moment, zone),
            "place": speak.place(self._facts.timezone),
        }


class AccountView:
    """The way into the desk as its owner reads of it."""

    def __init__(self, facts: AccountFacts) -> None:
        speak, zone = language(facts.locale), ZoneInfo(facts.timezone)
        self.name = single_line(facts.owner_name)
        self.link = facts.link
        self.until = speak.time(facts.expires_at, zone)
        self.place = speak.place(facts.timezone)


def on_date(speak: Language, moment: datetime, zone: tzinfo) -> str:
    """Return the full date with the preposition it takes in a sentence (Russian: «в среду», «во вторник»)."""
    date = speak.full_date(moment, zone).partition(", ")[2]
    weekday = moment.astimezone(zone).weekday()
    return speak.gettext(_ON_WEEKDAY[weekday], date=date)


def signature_of(facts: CallFacts | AwayFacts) -> str:
    """Return who a mail to a client is from: under neutral discretion only a name that was chosen for it."""
    return single_line(facts.sender_name or ("" if facts.discretion == "neutral" else facts.owner_name))


def booking_link(page: str, start: datetime, timezone: str, code: str, **more: str) -> str:
    """Return where a free start can be booked; ``page`` is that of the call type's times."""
    seen = {"start": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "tz": timezone, **more, "lang": code}
    return f"{page}/book?{urlencode(seen, safe=':/')}"


def capital(day: str) -> str:
    """Begin a day that stands on a line of its own: "Вторник", not "вторник"."""
    return day[:1].upper() + day[1:]


def ascii_address(address: str) -> str:
    """Return a mail address with its domain in punycode.

    :raises InvalidText: where it can't be written in ASCII, or is none.
    """
    if _PLAIN_ADDRESS.fullmatch(address) and address.isascii():
        return address
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError as error:
        raise InvalidText("this mail address can't be used; give one such as name@example.org") from error
    return found or ""


def N_(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is used."""
    return message


_ON_WEEKDAY: Final = (
    N_("on Monday, %(date)s"),
    N_("on Tuesday, %(date)s"),
    N_("on Wednesday, %(date)s"),
    N_("on Thursday, %(date)s"),
    N_("on Friday, %(date)s"),
    N_("on Saturday, %(date)s"),
    N_("on Sunday, %(date)s"),
)


def _is_landline(e164: str) -> bool:
    try:
        return bool(e164) and parse_phone(e164, "", frozenset()).is_landline
    except InvalidPhone:
        return False  # valid when it was booked; the library's numbering plans have moved on
