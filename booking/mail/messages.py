"""Facts become messages: what a mail says, in its reader's language and zone.

The wording stands in ``templates/mail``: one template for a message and its reader, rendered twice, so that
the text part and the HTML part say the same. Nothing is decided here and nothing leaves from here.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from booking.errors import InvalidPhone, InvalidText
from booking.language import Language, language
from booking.rules.ics import Method, client_ics
from booking.rules.phone import display, masked, parse_phone
from booking.rules.text import several_lines, single_line

TEMPLATES: Final = Path(__file__).parents[2] / "templates" / "mail"
LONGEST_TITLE: Final = 120
_LONGEST_NAME: Final = 80
_MEANT_IN_HEADERS: Final = str.maketrans(dict.fromkeys('"\\<>()[]@,;:=', " "))
_PLAIN_ADDRESS: Final = re.compile(r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]+@[A-Za-z0-9.\-]+")


@dataclass(frozen=True)
class CallFacts:
    """Everything one mail about one call needs; times are aware UTC.

    ``message`` is ``booked``, ``cancelled`` or ``corrected``; ``to`` is ``client`` or ``owner``. ``locale`` and
    ``timezone`` are the recipient's. ``client_phone`` and ``owner_phone`` are E.164 or empty; ``caller_id`` is the
    owner's sentence on which number a call comes from. ``link`` is the client's own (empty in the owner's mail),
    ``booking_url`` the public page. ``cancelled_by`` is ``client``, ``owner`` or anything else for nobody in person.
    """

    message: str
    to: str
    recipient: str
    locale: str
    timezone: str
    owner_name: str
    owner_email: str
    owner_timezone: str
    owner_phone: str
    caller_id: str
    discretion: str
    sender_name: str
    call_id: str
    starts_at: datetime
    ends_at: datetime
    call_type_name: str
    who_calls: str
    client_name: str
    client_phone: str
    client_email: str
    note: str
    client_timezone: str
    ics_uid: str
    sequence: int
    link: str
    booking_url: str
    cancelled_by: str = ""

    def to_payload(self) -> dict[str, Any]:
        """Return the facts as JSON can keep them."""
        return {
            **asdict(self),
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "CallFacts":
        """Read what :meth:`to_payload` wrote."""
        moments = {name: datetime.fromisoformat(payload[name]) for name in ("starts_at", "ends_at")}
        return cls(**{**payload, **moments})


class CallView:
    """The facts as one reader sees them: words, numbers and times in that reader's language and zone."""

    def __init__(self, facts: CallFacts) -> None:
        self._facts = facts
        self._language = language(facts.locale)
        self._zone = ZoneInfo(facts.timezone)
        self.is_neutral = facts.discretion == "neutral"
        self.owner_calls = facts.who_calls == "owner"
        self.minutes = int((facts.ends_at - facts.starts_at).total_seconds() // 60)
        self.cancelled_by = facts.cancelled_by
        self.type_name = single_line(facts.call_type_name)
        self.caller_id = single_line(facts.caller_id)
        self.signature = single_line(facts.sender_name or ("" if self.is_neutral else facts.owner_name))
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
    def masked_number(self) -> str:
        """The client's number, as much of it as a mail shows; empty where there is none."""
        return masked(self._facts.client_phone) if self._facts.client_phone else ""

    @property
    def owner_number(self) -> str:
        """The number the client rings, or empty."""
        return display(self._facts.owner_phone) if self._facts.owner_phone else ""


class OwnersView(CallView):
    """What only the owner reads: who the client is, and what the client wrote."""

    def __init__(self, facts: CallFacts) -> None:
        super().__init__(facts)
        self.name = single_line(facts.client_name)
        self.email = ascii_address(facts.client_email) if facts.client_email else ""
        self.note = several_lines(facts.note)
        self.phone = single_line(facts.client_phone)
        self.number = display(self.phone) if self.phone else ""
        self.is_landline = _is_landline(self.phone)


def render(facts: CallFacts, *, job_id: str, mail_from: str, host: str, now: datetime) -> EmailMessage:
    """Return the finished message. The same facts and ``job_id`` always give the same Message-ID.

    :raises InvalidText: where an address can't be written in a header.
    """
    speak = language(facts.locale)
    call = CallView(facts) if facts.to == "client" else OwnersView(facts)
    subject, text = _rendered(speak.code, "text", f"{facts.message}_{facts.to}", call)
    _, html = _rendered(speak.code, "html", f"{facts.message}_{facts.to}", call)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = single_line(subject)
    message["From"] = _sender(facts, mail_from)
    message["To"] = Address(addr_spec=ascii_address(facts.recipient))
    answers_to = facts.owner_email if facts.to == "client" else facts.client_email
    if answers_to:
        message["Reply-To"] = Address(addr_spec=ascii_address(answers_to))
    message["Date"] = now
    message["Message-ID"] = f"<{single_line(job_id)}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    # Quoted-printable: every server takes it, and no line is longer than a server allows.
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if facts.to == "client" and not call.is_neutral:
        _attach(message, facts, mail_from, now)
    message["Content-Language"] = speak.code  # last: what sets a message's content drops or moves Content- headers
    return message


def client_calendar(facts: CallFacts, *, method: Method, mail_from: str, now: datetime) -> str:
    """Return the client's iCalendar file, for the mail (REQUEST, CANCEL) or for download (PUBLISH)."""
    speak = language(facts.locale)
    call = CallView(facts)
    if call.is_neutral:
        title, sentence = speak.gettext("Appointment"), ""
    else:
        title = speak.gettext("Call with %(name)s", name=single_line(facts.owner_name))
        sentence = speak.gettext("I will call you.") if call.owner_calls else speak.gettext("You call me.")
    return client_ics(
        method=method,
        uid=facts.ics_uid,
        sequence=facts.sequence,
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        stamp=now,
        title=title[:LONGEST_TITLE],
        description="\n".join(line for line in (sentence, facts.link) if line),
        organizer_name=call.signature,
        organizer_email=mail_from,
        attendee_email=None if method == "PUBLISH" else ascii_address(facts.client_email),
    )


def event_title(locale: str, discretion: str, client_name: str) -> str:
    """Return the title of the event in the owner's calendar: at most 120 characters, in one line."""
    speak = language(locale)
    name = single_line(client_name)
    if discretion == "neutral":
        return speak.gettext("Appointment")
    return speak.gettext("Call: %(name)s", name=name)[:LONGEST_TITLE]


def on_date(speak: Language, moment: datetime, zone: tzinfo) -> str:
    """Return the full date with the preposition it takes in a sentence (Russian: «в среду», «во вторник»)."""
    date = speak.full_date(moment, zone).partition(", ")[2]
    weekday = moment.astimezone(zone).weekday()
    return speak.gettext(_ON_WEEKDAY[weekday], date=date)


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


def _sender(facts: CallFacts, mail_from: str) -> Address:
    if facts.to == "owner":
        return Address(addr_spec=mail_from)
    # Folding a long or foreign name, `email` (Python 3.11) loses its quotation marks: with `",<eve@example.org>` in it,
    # the sender was Eve. So a name keeps nothing that means something in a header.
    name = single_line(CallView(facts).signature.translate(_MEANT_IN_HEADERS))
    return Address(name[:_LONGEST_NAME].strip(), addr_spec=mail_from)


def _attach(message: EmailMessage, facts: CallFacts, mail_from: str, now: datetime) -> None:
    method: Method = "CANCEL" if facts.message == "cancelled" else "REQUEST"
    message.add_attachment(
        client_calendar(facts, method=method, mail_from=mail_from, now=now).encode(),
        maintype="text",
        subtype="calendar",
        params={"method": method, "charset": "utf-8"},
        filename="call.ics",
    )


def _is_landline(e164: str) -> bool:
    try:
        return bool(e164) and parse_phone(e164, "", frozenset()).is_landline
    except InvalidPhone:
        return False  # valid when it was booked; the library's numbering plans have moved on


def _rendered(code: str, layout: str, name: str, call: CallView) -> tuple[str, str]:
    template = _environment(code, layout).get_template(f"{name}.jinja")
    module = template.make_module({"call": call})
    return str(vars(module)["subject"]), re.sub(r"\n{3,}", "\n\n", str(module)).strip() + "\n"


@cache
def _environment(code: str, layout: str) -> Environment:
    speak = language(code)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=layout == "html",  # noqa: S701 - the text part is no markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension fills the places itself, escaped where the layout escapes.
    environment.install_gettext_callables(speak.gettext, speak.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(layout=f"{layout}.jinja", lang=code)
    return environment
