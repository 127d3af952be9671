"""Facts become messages: what a mail says, in its reader's language and zone.

The wording stands in ``templates/mail``: one template for a message and its reader, rendered twice, so that
the text part and the HTML part say the same. Nothing is decided here and nothing leaves from here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from booking.language import language
from booking.mail.away import AwayView
from booking.mail.facts import AccountFacts as AccountFacts
from booking.mail.facts import AwayFacts as AwayFacts
from booking.mail.facts import CalendarFacts as CalendarFacts
from booking.mail.facts import CallFacts as CallFacts
from booking.mail.facts import Facts as Facts
from booking.mail.facts import MorningFacts as MorningFacts
from booking.mail.facts import read_facts as read_facts
from booking.mail.morning import MorningView
from booking.mail.views import AccountView, CalendarView, CallView, OwnersView, ascii_address, signature_of
from booking.mail.views import on_date as on_date
from booking.rules.ics import Method, client_ics
from booking.rules.text import single_line

TEMPLATES: Final = Path(__file__).parents[2] / "templates" / "mail"
LONGEST_TITLE: Final = 120
_LONGEST_NAME: Final = 80
_MEANT_IN_HEADERS: Final = str.maketrans(dict.fromkeys('"\\<>()[]@,;:=', " "))
_FILES: Final[Mapping[str, Method]] = {
    "booked": "REQUEST",
    "confirmed": "REQUEST",
    "moved": "REQUEST",
    "corrected": "REQUEST",
    "cancelled": "CANCEL",
}
"""The messages that bring the client a calendar file: those after which something else holds than before."""


def render(facts: Facts, *, job_id: str, mail_from: str, host: str, now: datetime) -> EmailMessage:
    """Return the finished message. The same facts and ``job_id`` always give the same Message-ID.

    :raises InvalidText: where an address can't be written in a header.
    """
    code = language(facts.locale).code
    subject, text = _rendered(code, "text", facts, now)
    _, html = _rendered(code, "html", facts, now)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = single_line(subject)
    message["From"] = _sender(facts, mail_from, now)
    message["To"] = Address(addr_spec=ascii_address(facts.recipient))
    answers_to = _answers_to(facts)
    if answers_to:
        message["Reply-To"] = Address(addr_spec=ascii_address(answers_to))
    message["Date"] = now
    message["Message-ID"] = f"<{single_line(job_id)}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    # Quoted-printable: every server takes it, and no line is longer than a server allows.
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if isinstance(facts, CallFacts) and facts.to == "client" and facts.discretion != "neutral":
        _attach(message, facts, mail_from, now)
    message["Content-Language"] = code  # last: what sets a message's content drops or moves Content- headers
    return message


def client_calendar(facts: CallFacts, *, method: Method, mail_from: str, now: datetime) -> str:
    """Return the client's iCalendar file, for the mail (REQUEST, CANCEL) or for download (PUBLISH)."""
    speak = language(facts.locale)
    call = CallView(facts, now)
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


def _answers_to(facts: Facts) -> str:
    if isinstance(facts, CallFacts):
        return facts.owner_email if facts.to == "client" else facts.client_email
    return facts.owner_email if isinstance(facts, AwayFacts) else ""


def _sender(facts: Facts, mail_from: str, now: datetime) -> Address:
    if not isinstance(facts, CallFacts | AwayFacts) or facts.to == "owner":
        return Address(addr_spec=mail_from)
    # Folding a long or foreign name, `email` (Python 3.11) loses its quotation marks: with `",<eve@example.org>` in it,
    # the sender was Eve. So a name keeps nothing that means something in a header.
    name = single_line(signature_of(facts).translate(_MEANT_IN_HEADERS))[:_LONGEST_NAME].strip()
    if "." in name and not name.isascii():
        # A name that it quotes loses blanks where it is folded; these are none to it.
        name = name.replace(" ", "\N{NO-BREAK SPACE}")
    return Address(name, addr_spec=mail_from)


def _attach(message: EmailMessage, facts: CallFacts, mail_from: str, now: datetime) -> None:
    method = _FILES.get(facts.message)
    if method is None:
        return
    message.add_attachment(
        client_calendar(facts, method=method, mail_from=mail_from, now=now).encode(),
        maintype="text",
        subtype="calendar",
        params={"method": method, "charset": "utf-8"},
        filename="call.ics",
    )


def _rendered(code: str, layout: str, facts: Facts, now: datetime) -> tuple[str, str]:
    template = _environment(code, layout).get_template(f"{facts.message}_{facts.to}.jinja")
    module = template.make_module(_seen(facts, now))
    return str(vars(module)["subject"]), re.sub(r"\n{3,}", "\n\n", str(module)).strip() + "\n"


def _seen(facts: Facts, now: datetime) -> dict[str, object]:
    if isinstance(facts, AwayFacts):
        return {"away": AwayView(facts)}
    if isinstance(facts, CalendarFacts):
        return {"calendar": CalendarView(facts)}
    if isinstance(facts, AccountFacts):
        return {"account": AccountView(facts)}
    if isinstance(facts, MorningFacts):
        return {"morning": MorningView(facts, now)}
    return {"call": CallView(facts, now) if facts.to == "client" else OwnersView(facts, now)}


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
