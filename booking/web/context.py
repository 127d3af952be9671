"""What every page knows: the services, one ``now`` per request, the reader's language and time zone.

Language and zone are chosen here and nowhere else: by the address (``?lang=``, ``?tz=``), then by the call or the
browser, then by the owner. What the address said is carried on by every link made with :func:`link`.
"""

import hashlib
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlencode
from zoneinfo import available_timezones

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from booking.language import LANGUAGES, Language
from booking.services import Services
from booking.store.models import Call, Owner
from booking.web.unbroken import page_language

EXTENSION: Final = "sprechzeit"
CARRIED: Final = ("lang", "tz")
"""What the reader chose in the address, and every link keeps."""

LANGUAGE_NAMES: Final = {"en": "English", "de": "Deutsch", "ru": "Русский"}
DEFAULT_ZONE: Final = "UTC"

_NO_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})
"""In the zone database, but no zone of any place."""


def init_app(app: Flask) -> None:
    """Choose language and zone before every request, and hand the templates what they all use."""
    app.before_request(_choose)
    app.jinja_env.globals.update(
        _=_page_gettext,
        gettext=_page_gettext,
        ngettext=_page_ngettext,
        link=link,
        here=here,
        static_link=static_link,
        languages=LANGUAGE_NAMES,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def services(app: Flask | None = None) -> Services:
    """Return what comes from outside, of the app that answers just now or of the one given."""
    return cast(Services, (app or current_app).extensions[EXTENSION])


def now() -> datetime:
    """Return the moment of this request: read once, aware UTC."""
    if "now" not in g:
        g.now = services().now()
    return cast(datetime, g.now)


def reader() -> Language:
    """Return the reader's language."""
    return cast(Language, g.language) if "language" in g else page_language("en")


def zone_name() -> str:
    """Return the IANA name of the reader's time zone."""
    return cast(str, g.zone) if "zone" in g else DEFAULT_ZONE


def gettext(message: str, **values: object) -> str:
    """Translate one sentence for the reader."""
    return reader().gettext(message, **values)


def ngettext(singular: str, plural: str, number: int, **values: object) -> str:
    """Translate one sentence that counts for the reader."""
    return reader().ngettext(singular, plural, number, **values)


def read_zone(text: object) -> str | None:
    """Return the name of a time zone, or ``None`` where the text names none.

    Asked of the list of names: ``ZoneInfo('Europe')`` would raise IsADirectoryError.
    """
    return text if isinstance(text, str) and text in zone_names() else None


@cache
def zone_names() -> frozenset[str]:
    """Return every zone a reader may be in."""
    return frozenset(available_timezones() - _NO_PLACE)


def accepted_language() -> str | None:
    """Return the first of our languages that the browser asks for; regions don't matter."""
    return _first_of_ours(request.headers.get("Accept-Language", ""))


@lru_cache(maxsize=500)
def _first_of_ours(header: str) -> str | None:
    wished = (code.partition("-")[0].lower() for code in parse_accept_header(header, LanguageAccept).values())
    return next((code for code in wished if code in LANGUAGES), None)


def use_owner(owner: Owner) -> None:
    """Let the owner decide what neither address nor browser said."""
    g.owner = owner
    if g.get("language_from", "nothing") == "nothing":
        g.language = page_language(owner.locale)
    if not g.get("zone_given"):
        g.zone = owner.timezone


def use_call(call: Call) -> None:
    """Show a call in the language and the zone it was agreed in, unless the address says otherwise."""
    g.owner = call.owner
    if g.get("language_from") != "address":
        g.language = page_language(call.locale)
    if not g.get("zone_given"):
        g.zone = call.timezone


def link(endpoint: str, **values: object) -> str:
    """Return the address of a page, with the language and zone the reader chose."""
    carried = {name: request.args[name] for name in CARRIED if name in request.args and name not in values}
    return url_for(endpoint, **{**carried, **values})  # type: ignore[arg-type]


def here(**changes: str) -> str:
    """Return this page's address with changed parameters; relative, so that no path can lead elsewhere."""
    return "?" + urlencode({**request.args.to_dict(), **changes})


def static_link(name: str) -> str:
    """Return the address of a static file; it changes with the file, so that browsers may keep it for long."""
    return url_for("static", filename=name, v=_fingerprint(current_app.static_folder or "", name))


@cache
def _fingerprint(folder: str, name: str) -> str:
    return hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()[:12]


def _choose() -> None:
    chosen = request.args.get("lang", "")
    accepted = accepted_language()
    if chosen in LANGUAGES:
        g.language, g.language_from = page_language(chosen), "address"
    elif accepted:
        g.language, g.language_from = page_language(accepted), "browser"
    else:
        g.language, g.language_from = page_language("en"), "nothing"
    zone = read_zone(request.args.get("tz"))
    g.zone, g.zone_given = zone or DEFAULT_ZONE, zone is not None


def _page_gettext(message: str, **values: object) -> Markup:
    sentence = _sentence(reader().code, message)
    return sentence % values if values else sentence


def _page_ngettext(singular: str, plural: str, number: int, **values: object) -> Markup:
    return escape(reader().ngettext(singular, plural, number, **values))


@lru_cache(maxsize=2000)
def _sentence(code: str, message: str) -> Markup:
    """Return a sentence of ours; what is filled in will be escaped, unless it is markup already."""
    return escape(page_language(code).gettext(message))
