"""What tells of an absence outside of this site, to copy: an automatic reply, a voicemail greeting, a text message."""

from dataclasses import dataclass

from booking.language import LANGUAGES, Language, language
from booking.rules import glide
from booking.rules.hours import Absence
from booking.store.models import Owner
from booking.usecases.availability import holidays_of
from booking.web.away import back_on, span
from booking.web.context import LANGUAGE_NAMES, now
from booking.web.desk.share import address_of, without_scheme


@dataclass(frozen=True)
class Words:
    """What to write and to say in one language."""

    code: str
    name: str
    reply: str
    voicemail: str
    message: str


def in_all_languages(owner: Owner, absence: Absence) -> list[Words]:
    """Return the texts in every language, in the owner's own first."""
    own = owner.locale if owner.locale in LANGUAGES else LANGUAGES[0]
    return [_words(owner, absence, code) for code in sorted(LANGUAGES, key=lambda code: code != own)]


def _words(owner: Owner, absence: Absence, code: str) -> Words:
    speech, address = language(code), address_of(owner)
    link = f"{address}?lang={code}"
    away = _away(speech, owner, absence)
    stand_in = _stand_in(speech, absence)
    return Words(
        code,
        LANGUAGE_NAMES[code],
        reply=_reply(speech, owner, absence, away, stand_in, link),
        voicemail=_voicemail(speech, owner, away, stand_in, without_scheme(address)),
        message="\n".join((away, _choose(speech, link), owner.name)),
    )


def _reply(speech: Language, owner: Owner, absence: Absence, away: str, stand_in: str, link: str) -> str:
    # The notice is in the owner's language.
    notice = absence.notice if speech.code == owner.locale else ""
    thanks = speech.gettext("Thank you for your message.")
    lines = (f"{thanks} {away}", notice, stand_in, _choose(speech, link), owner.name)
    return "\n\n".join(line for line in lines if line)


def _voicemail(speech: Language, owner: Owner, away: str, stand_in: str, address: str) -> str:
    hello = speech.gettext("Hello, this is the voicemail of %(name)s.", name=owner.name)
    choose = speech.gettext("At %(address)s you choose a time for a call.", address=address)
    return " ".join(line for line in (hello, away, stand_in, choose) if line)


def _away(speech: Language, owner: Owner, absence: Absence) -> str:
    back = glide.of(owner.timetable, absence, holidays_of(owner, now())).back
    return f"{span(speech, absence)} {back_on(speech, back)}".strip()


def _stand_in(speech: Language, absence: Absence) -> str:
    if not absence.stand_in:
        return ""
    who = ", ".join(line.strip() for line in absence.stand_in.splitlines() if line.strip())
    whom = speech.gettext("While I am away you can turn to:")
    return f"{whom} {who}" if who.endswith(".") else f"{whom} {who}."


def _choose(speech: Language, link: str) -> str:
    return speech.gettext("Here you choose a time for a call: %(link)s", link=link)
