"""What every page behind a client's link does: find the call, keep the answer private, lead back to the call."""

from datetime import timedelta
from typing import Final

from flask import Response, abort, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.errors import NotFound
from booking.rules.lifecycle import HOLDS_TIME
from booking.signing import LINK_FROM_MAIL, Link
from booking.store.models import Call
from booking.usecases import calls
from booking.web import pages
from booking.web.context import gettext, link, now, services, use_call

RETRY_DATABASE: Final = timedelta(seconds=5)


def find(token: str) -> tuple[Call, Link]:
    """Return the call a link leads to, and what the link says; else the answer is 404."""
    ours = services()
    said = ours.signing.read_link(token) or abort(404)
    with ours.database.reading() as db:
        try:
            found = calls.find_call(db, said)
        except NotFound:
            abort(404)
    use_call(found)
    return found, said


def note_proof(db: Session, said: Link) -> None:
    """Whoever acts through a link that only the mail holds has received the mail."""
    if said.purpose == LINK_FROM_MAIL:
        calls.prove_address(db, said.call_id, said.version, now())


def on_dead_link(_error: NotFound) -> ResponseReturnValue:
    """Answer 404 where the link was revoked after it was looked at."""
    return pages.error(404)


def is_ahead(found: Call) -> bool:
    """Say whether the call holds a time that has not begun: only then can anything about it be changed."""
    return found.state in HOLDS_TIME and found.starts_at > now()


def to_call(token: str) -> ResponseReturnValue:
    """Lead back to the call."""
    return redirect(link("manage.call", token=token), 303)


def personal(template: str, status: int = 200, **values: object) -> Response:
    """Render a page that nobody between here and the reader may keep."""
    return private(pages.page(template, status, None, is_personal=True, **values))


def later(response: Response, wait: timedelta) -> Response:
    """Say when it is worth trying again."""
    response.headers["Retry-After"] = str(int(wait.total_seconds()))
    return response


def private(response: Response) -> Response:
    """Let nobody between here and the reader keep an answer."""
    response.headers["Cache-Control"] = "no-store"
    return response


def refusal(case: str) -> str:
    """Say why nothing was changed, and what to do next."""
    words = {
        "stale": gettext(
            "This page was open for long, or your browser sent no cookie."
            " Nothing you typed is lost: press the button once more."
        ),
        "address": gettext(
            "Several mails have gone to this address today. Open the link in one of them, or try tomorrow."
        ),
        "changes": gettext("This call has been changed many times. Write to me by replying to the confirmation."),
        "moves": gettext(
            "The call has been moved as often as it can be. You can still cancel it or reply to the confirmation."
        ),
        "too_soon": gettext("The call is too near to be moved. You can still cancel it or reply to the confirmation."),
        "often": gettext(
            "Too many requests came from your network. Wait a few minutes, then press the button once more."
        ),
        "locked": gettext("Nothing has been changed. Wait a moment, then try again."),
        "silent": gettext(
            "I can't see my calendar at the moment, so the call stays where it is. Try again in a few minutes."
        ),
    }
    return words[case]
