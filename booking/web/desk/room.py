"""What every room of the desk shares: who is logged in, how its pages are rendered, and how its forms act.

A page of the desk is seen by its owner alone. Whose data it shows follows from the session and never from the
address: what belongs to somebody else is not found.
"""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask import Blueprint, Response, current_app, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField

from booking.errors import ChangedMeanwhile
from booking.language import LANGUAGES
from booking.store.accounts import DeskSession
from booking.store.models import Owner
from booking.usecases import door, messages
from booking.web import pages
from booking.web.context import gettext, link, now, services
from booking.web.guards import csrf
from booking.web.own_link import private
from booking.web.unbroken import page_language

COOKIE: Final = "desk"
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

desk = Blueprint("desk", __name__, url_prefix="/desk")
csrf.exempt(desk)  # so that who is not logged in hears that first; :func:`check_origin` comes after it
_ACTING: Final[set[Callable[..., ResponseReturnValue]]] = set()


class DeskForm(FlaskForm):  # type: ignore[misc]
    """A form of the desk: it checks its own origin, and knows what was saved when it was shown (see :func:`stamp`)."""

    stamp = HiddenField()


def cookie_name() -> str:
    """Return the name of the cookie that holds the session's token."""
    return f"__Host-{COOKIE}" if services().settings.is_https else COOKIE


def signed_in() -> Owner:
    """Return the owner whose desk this is, with call types and calendars."""
    return session().owner


def session() -> DeskSession:
    """Return the session of this browser."""
    return cast(DeskSession, g.desk)


def find_visitor() -> DeskSession | None:
    """Return the session that the browser's cookie names, and speak the owner's language; ``None`` without one."""
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return None
    with services().database.reading() as db:
        found = door.find_session(db, token, now())
    if found is not None:
        g.desk = found
        speak_to(found.owner)
    return found


def speak_to(owner: Owner) -> None:
    """Show the desk in the owner's language, unless the address says otherwise, and in the owner's zone."""
    g.owner = owner
    if request.args.get("lang") not in LANGUAGES:
        g.language = page_language(owner.locale)
    g.zone, g.zone_given = owner.timezone, True


def acts(view: View) -> View:
    """Mark a view that takes a form: the form checks its origin itself, so that nothing typed is lost over an old page.

    Such a view asks ``form.validate()`` before anything else.
    """
    _ACTING.add(view)
    return view


def check_origin() -> None:
    """Refuse a form of another site, unless the view asks its own form."""
    if current_app.view_functions[str(request.endpoint)] not in _ACTING:
        csrf.protect()


def page(template: str, status: int = 200, **values: object) -> Response:
    """Render a page of the desk; nobody between here and the reader may keep it."""
    return private(pages.page(template, status, None, is_personal=True, alarm=_alarm(), **values))


def _alarm() -> int:
    """Count the stuck messages that every page speaks of; in quiet time they wait, unless a call is threatened."""
    if "desk" not in g:
        return 0
    with services().database.reading() as db:
        return messages.count_alarms(db, signed_in(), now(), session().shows_waiting_until)


def done(message: str, endpoint: str, **values: object) -> ResponseReturnValue:
    """Say on the next page what has been done, and lead there."""
    flash(message)
    return redirect(link(endpoint, **values), 303)


def stamp(*saved: Any) -> str:
    """Return what a form carries of the values it was filled with: if they differ later, somebody changed them."""
    return services().signing.keyed_hash("stamp", json.dumps(saved, default=str, sort_keys=True))


def check_stamp(form: DeskForm, *saved: Any) -> None:
    """Make sure that nothing was changed since the form was shown; asked under the owner's lock.

    :raises ChangedMeanwhile: another window, or somebody else, was faster.
    """
    if form.stamp.data != stamp(*saved):
        raise ChangedMeanwhile("these values were changed since the form was shown")


def note_of(case: str) -> str:
    """Say why a form was not taken, and what to do next."""
    words = {
        "stale": gettext(
            "This page was open for long, or your browser sent no cookie."
            " Nothing you typed is lost: press the button once more."
        ),
        "changed": gettext(
            "This was changed in another window while you were typing."
            " Below is what you typed; press the button once more to keep it, or reload the page to see what was saved."
        ),
    }
    return words[case]
