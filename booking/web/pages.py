"""What all pages share: how they are rendered, what an error says, and the words for who calls whom and when.

Sentences stand here or in the templates, each as one msgid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.lists import format_list
from flask import Response, g, make_response, render_template, request

from booking.mail.messages import on_date
from booking.store.models import CallType, Owner
from booking.usecases.wording import Wording, wording_of
from booking.web import framing
from booking.web.accent import read_colour
from booking.web.context import gettext, ngettext, reader, zone_name
from booking.web.unbroken import page_language


@dataclass(frozen=True)
class When:
    """A moment in words, in the reader's zone, and on the owner's clock where it differs."""

    full_date: str
    on_date: str
    day: str
    short_day: str
    time: str
    zone: str
    place: str
    theirs: str


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object) -> Response:
    """Render a page for the reader."""
    accent = g.owner.accent if "owner" in g else ""
    has_accent = read_colour(accent) is not None
    text = render_template(
        template,
        speech=reader(),
        zone=zone_name(),
        zone_given=g.get("zone_given", False),
        owner=g.get("owner"),
        has_accent=has_accent,
        **values,
    )
    response = as_page(text, status)
    response.headers.update(headers or {})
    return response


def as_page(text: str | bytes, status: int = 200) -> Response:
    """Return what was rendered as an answer."""
    response = make_response(text, status)
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def address() -> tuple[object, ...]:
    """Return all that a public page depends on, besides what it shows: who reads it where, and what was asked for."""
    return reader().code, zone_name(), g.get("zone_given", False), request.path, request.query_string


def kept(response: Response, etag: str = "") -> Response:
    """Let the reader's browser keep a page that holds nothing personal, and ask each time whether it has changed.

    :param etag: what stands for the text, where it is known already.
    """
    response.headers["Cache-Control"] = "private, no-cache"
    if not etag:
        response.add_etag()
        etag = response.get_etag()[0] or ""
    response.set_etag(etag + framing.mark())
    response.make_conditional(request)
    return response


def error(status: int, *, stale_form: bool = False, headers: Mapping[str, str] | None = None) -> Response:
    """Render what went wrong and what to do next."""
    headline, advice = _stale_form() if stale_form else _error_words(status)
    return page("error.html", status, headers, headline=headline, advice=advice)


def when(moment: datetime, owner: Owner) -> When:
    """Write a moment for the reader."""
    speech, zone, theirs = reader(), ZoneInfo(zone_name()), ZoneInfo(owner.timezone)
    return When(
        full_date=speech.full_date(moment, zone),
        on_date=on_date(speech, moment, zone),
        day=speech.day(moment, zone),
        short_day=speech.short_day(moment, zone),
        time=speech.time(moment, zone),
        zone=zone_words(zone.key),
        place=speech.place(zone.key),
        theirs=_theirs(moment, zone, theirs),
    )


def zone_words(name: str) -> str:
    """Name a zone by its place, for parentheses: Berlin time."""
    place = reader().place(name)
    return place if place == "UTC" else gettext("%(place)s time", place=place)


def short_date(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Write a day in short; with its year where that is not this one."""
    local = moment.astimezone(zone)
    day = reader().short_day(moment, zone)
    return day if local.year == now.astimezone(zone).year else f"{day} {local.year}"


def minutes(number: int) -> str:
    """Write a length: 30 minutes."""
    return ngettext("%(num)s minute", "%(num)s minutes", number)


def lengths(minutes: Sequence[int]) -> str:
    """Write lengths to choose from: 15, 30 or 45 minutes."""
    listed = format_list([str(each) for each in minutes], style="or", locale=reader().locale)
    return ngettext("%(lengths)s minute", "%(lengths)s minutes", minutes[-1], lengths=listed)


def spoken(call_type: CallType) -> str:
    """Say which languages can be spoken; nothing where the owner does not say."""
    return _spoken(reader().code, call_type.languages)


@lru_cache(maxsize=500)
def _spoken(code: str, languages: str) -> str:
    speech = page_language(code)
    names = [speech.locale.languages.get(each, each) for each in languages.split()]
    listed = format_list(names, locale=speech.locale)
    return speech.gettext("We can speak %(languages)s.", languages=listed) if names else ""


def wording(call_type: CallType, owner: Owner) -> Wording:
    """Return name and description of a call type in the reader's language, as far as they are written in it."""
    return wording_of(call_type, owner.locale, reader().code)


def who_calls(call_type: CallType) -> str:
    """Say in the owner's words who calls whom."""
    words = {
        "owner": gettext("I call you"),
        "client": gettext("You call me"),
        "choice": gettext("You choose who calls whom"),
    }
    return words[call_type.who_calls]


def _theirs(moment: datetime, zone: ZoneInfo, theirs: ZoneInfo) -> str:
    """Say what the owner's clock shows; nothing where it shows the same."""
    if moment.astimezone(theirs).utcoffset() == moment.astimezone(zone).utcoffset():
        return ""
    speech = reader()
    return gettext(
        "Where I am, it will be %(day)s, %(time)s (%(place)s time).",
        day=speech.day(moment, theirs),
        time=speech.time(moment, theirs),
        place=speech.place(theirs.key),
    )


def _stale_form() -> tuple[str, str]:
    return (
        gettext("This page was open for too long"),
        gettext("Go back, reload the page and send the form again. Your browser has to accept this site's cookie."),
    )


def _error_words(status: int) -> tuple[str, str]:
    words = {
        400: (
            gettext("This request can't be understood"),
            gettext("Go back to the page you came from and try again."),
        ),
        404: (
            gettext("There is nothing here"),
            gettext("The link is incomplete or no longer valid. Check that you copied all of it."),
        ),
        405: (
            gettext("This page can't be opened this way"),
            gettext("Go back to the page you came from and use its button."),
        ),
        413: (gettext("That was too much text"), gettext("Go back, shorten what you typed and send it again.")),
        429: (
            gettext("Too many requests came from your network"),
            gettext("Wait a few minutes, then try again."),
        ),
        503: (
            gettext("This does not work right now"),
            gettext("Nothing has been booked. Wait a moment, then try again."),
        ),
    }
    failed = (
        gettext("Something went wrong here"),
        gettext("It is not your fault. Try again in a few minutes."),
    )
    return words.get(status, words[400] if status < 500 else failed)
