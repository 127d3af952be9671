"""The client's link: one call, shown to whoever holds the link; cancelled or corrected by POST only.

GET and HEAD change nothing, so that mail scanners may open every link. A forged, revoked or foreign link is 404.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.errors import CapReached, IllegalStep, InvalidPhone, NotFound
from booking.rules.ics import client_ics
from booking.rules.lifecycle import Actor, State, Step
from booking.rules.phone import display, parse_phone
from booking.signing import LINK_FROM_MAIL, LINK_FROM_PAGE, Link
from booking.store.models import Call, CallChange
from booking.usecases import calls
from booking.web import pages
from booking.web.context import gettext, link, now, reader, services, use_call, zone_name
from booking.web.forms import (
    CancelForm,
    CorrectionForm,
    Details,
    Problem,
    clean_correction,
    in_order,
    typed,
)
from booking.web.guards import csrf
from booking.web.reserving import house

SOON_AFTER: Final = timedelta(days=1)
"""How long after booking the page speaks of the mail that is on its way."""

bp = Blueprint("manage", __name__, url_prefix="/c/<token>")


@dataclass(frozen=True)
class Told:
    """One line of a call's history."""

    at: str
    what: str


@bp.get("")
def call(token: str) -> ResponseReturnValue:
    """Show the call: when, who calls whom, what happens if it fails, and what can be done."""
    found, _ = _find(token)
    return _call_page(found, token)


@bp.get("/call.ics")
def calendar_file(token: str) -> ResponseReturnValue:
    """Return the call for the client's calendar program."""
    found, _ = _find(token)
    if found.state is not State.CONFIRMED:
        abort(404)
    owner, ours, is_neutral = found.owner, services(), found.owner.discretion == "neutral"
    sentence = gettext("I will call you.") if found.who_calls == "owner" else gettext("You call me.")
    text = client_ics(
        method="PUBLISH",
        uid=found.ics_uid,
        sequence=found.sequence,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        stamp=now(),
        title=gettext("Appointment") if is_neutral else gettext("Call with %(name)s", name=owner.name),
        description="\n".join(([] if is_neutral else [sentence]) + [f"{ours.settings.base_url}/c/{token}"]),
        organizer_name=owner.sender_name or ("" if is_neutral else owner.name),
        organizer_email=ours.settings.mail_from,
        attendee_email=None,
    )
    name = "appointment" if is_neutral else "call"
    headers = {"Content-Disposition": f'attachment; filename="{name}.ics"', "Cache-Control": "no-store"}
    return Response(text, content_type="text/calendar; charset=utf-8; method=PUBLISH", headers=headers)


@bp.get("/correct")
def correction(token: str) -> ResponseReturnValue:
    """Ask for the right number and mail address."""
    found, _ = _find(token)
    if not _is_ahead(found):
        return _to_call(token)
    number = display(found.phone) if found.phone else ""
    return _correction_page(found, token, CorrectionForm(phone=number, email=found.email))


@bp.post("/correct")
def correct(token: str) -> ResponseReturnValue:
    """Correct number and mail address; another address gets a new link."""
    found, said = _find(token)
    form = CorrectionForm()
    if not form.validate():
        return _correction_page(found, token, form, 400, note=_words("stale"))
    cleaned = clean_correction(typed(form), found.owner, found.who_calls)
    if not isinstance(cleaned, Details):
        return _correction_page(found, token, form, 422, problems=cleaned)
    try:
        corrected = _correct(said, cleaned)
    except IllegalStep:
        return _to_call(token)
    except CapReached as error:
        return _correction_page(found, token, form, 429, note=_words(error.cap))
    return _to_call(_token_after(corrected, said))


@bp.get("/cancel")
def cancellation(token: str) -> ResponseReturnValue:
    """Ask once whether the call is to be cancelled."""
    found, _ = _find(token)
    return _cancellation_page(found, token) if _is_ahead(found) else _to_call(token)


@bp.post("/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the call; a call that is cancelled already, or has begun, stays as it is."""
    found, said = _find(token)
    if not CancelForm().validate():
        return _cancellation_page(found, token, 400, note=_words("stale"))
    ours = services()
    with contextlib.suppress(IllegalStep), ours.database.writing() as db:
        _note_proof(db, said)
        calls.cancel(db, said.call_id, Actor.CLIENT, now(), house(ours))
    return _to_call(token)


csrf.exempt(correct)  # the forms themselves check their origin, so that nothing typed is lost over an old page
csrf.exempt(cancel)


def _find(token: str) -> tuple[Call, Link]:
    ours = services()
    said = ours.signing.read_link(token) or abort(404)
    with ours.database.reading() as db:
        try:
            found = calls.find_call(db, said)
        except NotFound:
            abort(404)
    use_call(found)
    return found, said


def _correct(said: Link, cleaned: Details) -> Call:
    ours = services()
    with ours.database.writing() as db:
        _note_proof(db, said)
        return calls.correct(
            db,
            said.call_id,
            phone=cleaned.phone,
            email=cleaned.email,
            actor=Actor.CLIENT,
            now=now(),
            house=house(ours),
        )


def _note_proof(db: Session, said: Link) -> None:
    """Whoever acts through a link that only the mail holds has received the mail."""
    if said.purpose == LINK_FROM_MAIL:
        calls.prove_address(db, said.call_id, now())


def _token_after(corrected: Call, said: Link) -> str:
    """Return the link that still leads to the call; a new version was not mailed to whoever sits here."""
    purpose = said.purpose if corrected.link_version == said.version else LINK_FROM_PAGE
    return services().signing.link_token(corrected.id, corrected.link_version, purpose)


def _to_call(token: str) -> ResponseReturnValue:
    return redirect(link("manage.call", token=token), 303)


def _is_ahead(found: Call) -> bool:
    return found.state is State.CONFIRMED and found.starts_at > now()


def _call_page(found: Call, token: str) -> Response:
    owner = found.owner
    return _personal(
        "manage/call.html",
        call=found,
        token=token,
        at=pages.when(found.starts_at, owner),
        minutes=found.call_type.minutes,
        is_neutral=owner.discretion == "neutral",
        is_ahead=_is_ahead(found),
        is_new=found.state is State.CONFIRMED and now() - found.created_at < SOON_AFTER,
        state=_state_words(found),
        number=display(found.phone) if found.phone else "",
        owner_number=display(owner.phone) if owner.phone else "",
        is_landline=_is_landline(found.phone),
        history=[_told(change) for change in found.changes],
    )


def _correction_page(
    found: Call,
    token: str,
    form: CorrectionForm,
    status: int = 200,
    *,
    problems: dict[str, Problem] | None = None,
    note: str = "",
) -> Response:
    return _personal(
        "manage/correct.html",
        status,
        call=found,
        token=token,
        form=form,
        at=pages.when(found.starts_at, found.owner),
        problems=in_order(problems or {}),
        note=note,
    )


def _cancellation_page(found: Call, token: str, status: int = 200, *, note: str = "") -> Response:
    at = pages.when(found.starts_at, found.owner)
    return _personal("manage/cancel.html", status, call=found, token=token, form=CancelForm(), at=at, note=note)


def _personal(template: str, status: int = 200, **values: object) -> Response:
    """Render a page that nobody between here and the reader may keep."""
    return pages.page(template, status, {"Cache-Control": "no-store"}, is_personal=True, **values)


def _state_words(found: Call) -> str:
    moment = now()
    if found.state is State.CANCELLED:
        return gettext("This call is cancelled.")
    if moment < found.starts_at:
        return gettext("This call is arranged.")
    if moment < found.ends_at:
        return gettext("It is time for this call.")
    return gettext("The time of this call has passed.")


def _told(change: CallChange) -> Told:
    zone = ZoneInfo(zone_name())
    by_client = change.actor == Actor.CLIENT
    words = {
        Step.BOOK: gettext("You booked the call.") if by_client else gettext("I entered the call."),
        Step.CANCEL: gettext("You cancelled the call.") if by_client else gettext("I cancelled the call."),
        Step.CORRECT: gettext("Number or mail address was corrected."),
    }
    at: datetime = change.at
    when = gettext("%(day)s, %(time)s", day=reader().short_day(at, zone), time=reader().time(at, zone))
    return Told(when, words[Step(change.step)])


def _is_landline(phone: str) -> bool:
    try:
        return bool(phone) and parse_phone(phone, "", frozenset()).is_landline
    except InvalidPhone:
        return False  # valid when it was booked; the library's numbering plans have moved on


def _words(case: str) -> str:
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
    }
    return words[case]
