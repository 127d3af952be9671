"""Handing out the link: to copy, as a QR code, on a printed card, in a voicemail greeting and in a text message."""

import io
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from flask import Response, request
from flask.typing import ResponseReturnValue

from booking.language import LANGUAGES, Language, language
from booking.store.models import Owner
from booking.usecases import call_types
from booking.usecases.availability import HIDDEN
from booking.web.context import LANGUAGE_NAMES, services
from booking.web.desk.room import desk, page, signed_in
from booking.web.own_link import private

CARDS_ON_A_SHEET: Final = 10


@dataclass(frozen=True)
class Words:
    """What to say and to write in one language."""

    code: str
    name: str
    voicemail: str
    message: str


@desk.get("/share")
def share() -> ResponseReturnValue:
    """Show the link, and all that it can be handed out with."""
    return page("desk/share.html", **facts())


@desk.get("/share/qr.svg")
def qr_code() -> ResponseReturnValue:
    """Return the link as a QR code: black on white with a quiet zone, so that it is read in the dark and on paper."""
    picture = io.BytesIO()
    segno.make(address_of(signed_in()), error="m").save(picture, kind="svg", scale=10, border=4, light="#fff")
    return private(Response(picture.getvalue(), mimetype="image/svg+xml"))


@desk.get("/share/card")
def card() -> ResponseReturnValue:
    """Show a sheet of cards to print, or a single large one."""
    count = 1 if "large" in request.args else CARDS_ON_A_SHEET
    return page("desk/card.html", count=count, **facts())


def facts() -> dict[str, Any]:
    """Return what the pages about the link show."""
    owner = signed_in()
    address = address_of(owner)
    offered = [each for each in call_types.in_use(owner) if each.visibility != HIDDEN]
    return {
        "address": address,
        "spoken": without_scheme(address),
        "is_local": (urlsplit(address).hostname or "").startswith(("127.", "localhost", "::1")),
        "type_links": [(each, f"{address}/{each.slug}") for each in offered],
        "words": _in_all_languages(owner),
    }


def address_of(owner: Owner) -> str:
    """Return the address of an owner's public page."""
    return f"{services().settings.base_url}/{owner.slug}"


def _in_all_languages(owner: Owner) -> list[Words]:
    """Return what to say and to write, in the owner's own language first."""
    own = owner.locale if owner.locale in LANGUAGES else LANGUAGES[0]
    return [_words(owner, code) for code in sorted(LANGUAGES, key=lambda code: code != own)]


def _words(owner: Owner, code: str) -> Words:
    speech, address = language(code), address_of(owner)
    greeting = _greeting(speech, owner.name, without_scheme(address))
    return Words(code, LANGUAGE_NAMES[code], greeting, _message(speech, owner.name, f"{address}?lang={code}"))


def _greeting(speech: Language, name: str, address: str) -> str:
    return speech.gettext(
        "Hello, this is the voicemail of %(name)s. I can't answer the phone just now."
        " At %(address)s you choose a time that suits you, and then I am there for you."
        " Or leave your name and number after the tone.",
        name=name,
        address=address,
    )


def _message(speech: Language, name: str, address: str) -> str:
    written = speech.gettext("I can't talk now. Here you choose a time that suits you: %(link)s", link=address)
    return f"{written}\n{name}"


def without_scheme(address: str) -> str:
    """Write an address as it is said and printed."""
    return address.partition("://")[2]
