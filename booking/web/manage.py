"""The client's link: one call, shown to whoever holds the link; cancelled, withdrawn or corrected by POST only.

GET and HEAD change nothing, so that mail scanners may open every link. A forged, revoked or foreign link is 404.
"""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from booking.errors import CapReached, IllegalStep, InvalidPhone, NotFound
from booking.rules.ics import client_ics
from booking.rules.lifecycle import Actor, State
from booking.rules.phone import display, parse_phone
from booking.signing import LINK_FROM_PAGE, Link
from booking.store.models import Call
from booking.usecases import calls
from booking.web import pages, story
from booking.web.context import gettext, now, services
from booking.web.forms import (
    CancelForm,
    CorrectionForm,
    Details,
    Problem,
    clean_correction,
    corrects_phone,
    in_order,
    needs_email,
    typed,
)
from booking.web.guards import keeps_typed, seconds_to_wait
from booking.web.own_link import (
    RETRY_DATABASE,
    find,
    is_ahead,
    later,
    note_proof,
    on_dead_link,
    personal,
    refusal,
    to_call,
)
from booking.web.reserving import house

SOON_AFTER: Final = timedelta(days=1)
"""How long after booking the page speaks of the mail that is on its way."""

bp = Blueprint("manage", __name__, url_prefix="/c/<token>")
bp.register_error_handler(NotFound, on_dead_link)


@bp.get("")
def call(token: str) -> ResponseReturnValue:
    """Show the call: when, who calls whom, what happens if it fails, and what can be done."""
    found, _ = find(token)
    return _call_page(found, token)


@bp.get("/call.ics")
def calendar_file(token: str) -> ResponseReturnValue:
    """Return the call for the client's calendar program."""
    found, _ = find(token)
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
    found, _ = find(token)
    if not is_ahead(found):
        return to_call(token)
    number = display(found.phone) if found.phone else ""
    return _correction_page(found, token, CorrectionForm(phone=number, email=found.email))


@bp.post("/correct")
@keeps_typed
def correct(token: str) -> ResponseReturnValue:
    """Correct number and mail address; another address gets a new link."""
    found, said = find(token)
    form = CorrectionForm()
    if wait := seconds_to_wait():
        return later(_correction_page(found, token, form, 429, note=refusal("often")), timedelta(seconds=wait))
    if not form.validate():
        return _correction_page(found, token, form, 400, note=refusal("stale"))
    cleaned = clean_correction(typed(form), found)
    if not isinstance(cleaned, Details):
        return _correction_page(found, token, form, 422, problems=cleaned)
    try:
        corrected = _correct(said, cleaned)
    except IllegalStep:
        return to_call(token)
    except CapReached as error:
        return _correction_page(found, token, form, 429, note=refusal(error.cap))
    except OperationalError:
        return later(_correction_page(found, token, form, 503, note=refusal("locked")), RETRY_DATABASE)
    return to_call(_token_after(corrected, said))


@bp.get("/cancel")
def cancellation(token: str) -> ResponseReturnValue:
    """Ask once whether the call is to be cancelled, or the request withdrawn."""
    found, _ = find(token)
    return _cancellation_page(found, token) if is_ahead(found) else to_call(token)


@bp.post("/cancel")
@keeps_typed
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the call, or withdraw the request; what is over already, or has begun, stays as it is."""
    found, said = find(token)
    if wait := seconds_to_wait():
        return later(_cancellation_page(found, token, 429, note=refusal("often")), timedelta(seconds=wait))
    if not CancelForm().validate():
        return _cancellation_page(found, token, 400, note=refusal("stale"))
    ours = services()
    try:
        with ours.database.writing() as db:
            note_proof(db, said)
            calls.cancel(db, said, Actor.CLIENT, now(), house(ours))
    except IllegalStep:
        pass  # the call's page says how it is
    except OperationalError:
        return later(_cancellation_page(found, token, 503, note=refusal("locked")), RETRY_DATABASE)
    return to_call(token)


def _correct(said: Link, cleaned: Details) -> Call:
    ours = services()
    with ours.database.writing() as db:
        note_proof(db, said)
        return calls.correct(
            db,
            said,
            phone=cleaned.phone,
            email=cleaned.email,
            actor=Actor.CLIENT,
            now=now(),
            house=house(ours),
        )


def _token_after(corrected: Call, said: Link) -> str:
    """Return the link that still leads to the call; a new version was not mailed to whoever sits here."""
    purpose = said.purpose if corrected.link_version == said.version else LINK_FROM_PAGE
    return services().signing.link_token(corrected.id, corrected.link_version, purpose)


def _call_page(found: Call, token: str) -> Response:
    owner = found.owner
    return personal(
        "manage/call.html",
        call=found,
        token=token,
        at=pages.when(found.starts_at, owner),
        minutes=int((found.ends_at - found.starts_at).total_seconds() // 60),
        wording=pages.wording(found.call_type, owner),
        answers=story.answers(found),
        address=f"{services().settings.base_url}/c/{token}",
        corrects_phone=corrects_phone(found),
        is_neutral=owner.discretion == "neutral",
        is_ahead=is_ahead(found),
        is_new=now() - found.created_at < SOON_AFTER,
        state=story.state_words(found),
        answer_by=pages.when(found.answer_by, owner) if found.answer_by else None,
        reminders=story.reminders(found) if is_ahead(found) else [],
        number=display(found.phone) if found.phone else "",
        owner_number=display(owner.phone) if owner.phone else "",
        is_landline=_is_landline(found.phone),
        history=story.history(found),
        reason=story.last_reason(found),
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
    return personal(
        "manage/correct.html",
        status,
        call=found,
        token=token,
        form=form,
        needs_email=needs_email(found),
        corrects_phone=corrects_phone(found),
        at=pages.when(found.starts_at, found.owner),
        problems=in_order(problems or {}),
        note=note,
    )


def _cancellation_page(found: Call, token: str, status: int = 200, *, note: str = "") -> Response:
    at = pages.when(found.starts_at, found.owner)
    return personal("manage/cancel.html", status, call=found, token=token, form=CancelForm(), at=at, note=note)


def _is_landline(phone: str) -> bool:
    try:
        return bool(phone) and parse_phone(phone, "", frozenset()).is_landline
    except InvalidPhone:
        return False  # valid when it was booked; the library's numbering plans have moved on
