"""One call, as its owner sees it: who, when, on which number, what was agreed, and all that has happened; cancelling.

A call of another owner is not found.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from booking.errors import ChangedMeanwhile, IllegalStep, InvalidPhone, NotFound
from booking.language import language
from booking.rules.lifecycle import Actor, State
from booking.rules.phone import display, parse_phone
from booking.store.models import Call
from booking.usecases import calls, clients, listing, requests
from booking.web import pages, story
from booking.web.context import gettext, now, reader, services
from booking.web.desk import free_hand, history
from booking.web.desk.fields import Line
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp
from booking.web.own_link import RETRY_DATABASE, is_ahead, later, refusal
from booking.web.reserving import house

LONGEST_REASON: Final = 300


class ReasonForm(DeskForm):
    """Why a call is cancelled, in words that the client reads."""

    reason = Line(LONGEST_REASON)


@desk.get("/calls/<call_id>")
def call(call_id: str) -> ResponseReturnValue:
    """Show one call with everything that has happened to it."""
    return call_page(own_call(call_id))


@desk.get("/calls/<call_id>/cancel")
def ask_to_cancel(call_id: str) -> ResponseReturnValue:
    """Ask once whether the call is to be cancelled, or the request declined, and why."""
    found = own_call(call_id)
    return _cancel_page(found, ReasonForm()) if is_ahead(found) else call_page(found)


@desk.post("/calls/<call_id>/cancel")
@acts
def cancel(call_id: str) -> ResponseReturnValue:
    """Cancel the call, or decline the request; the client hears of it once, with the reason."""
    found, form = own_call(call_id), ReasonForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _cancel_page(found, form, 400 if is_stale else 422, note=note_of("stale") if is_stale else "")
    try:
        _cancel(found, form)
    except ChangedMeanwhile:
        return as_it_is(call_id) or _cancel_page(own_call(call_id), form, 409, note=note_of("changed"))
    except IllegalStep:
        return as_it_is(call_id) or call_page(own_call(call_id), 409)
    except OperationalError:
        return later(_cancel_page(found, form, 503, note=refusal("locked")), RETRY_DATABASE)
    said = gettext("The call is cancelled.") if found.state is State.CONFIRMED else gettext("The time is declined.")
    return done(f"{said} {who_tells(found)}", "desk.call", call_id=call_id)


@desk.post("/tasks/<int:task_id>/done")
def task_done(task_id: int) -> ResponseReturnValue:
    """Note that a client was told by phone."""
    try:
        with services().database.writing() as db:
            name = clients.finish_task(db, signed_in().id, task_id, now()).name
    except NotFound:
        abort(404)
    return done(gettext("Told: %(name)s", name=name), "desk.today")


def own_call(call_id: str) -> Call:
    """Return a call of this owner, with call type and history; else the answer is 404."""
    with services().database.reading() as db:
        found = calls.load_call(db, call_id)
    if found is None or found.owner_id != signed_in().id:
        abort(404)
    return found


def as_it_is(call_id: str) -> Response | None:
    """Where nothing can be changed any more, say so and show what the call is now."""
    found = own_call(call_id)
    if is_ahead(found):
        return None
    return call_page(found, 409, note=gettext("Nothing was changed: the call is not what it was a moment ago."))


def who_tells(found: Call) -> str:
    """Say how the client hears of what the owner did."""
    if found.email:
        return gettext("The client is told by mail.")
    return gettext("There is no mail address: tell the client by phone. Today reminds you of it.")


def call_page(found: Call, status: int = 200, *, note: str = "") -> Response:
    """Render the page of one call."""
    owner = signed_in()
    with services().database.reading() as db:
        mails = listing.list_mails(db, found.id)
    return page(
        "desk/call.html",
        status,
        call=found,
        note=note,
        at=pages.when(found.starts_at, owner),
        client_clock=client_clock(found),
        state=story.state_words(found),
        answer_by=free_hand.said(found.answer_by) if found.answer_by and found.state is State.REQUESTED else "",
        is_ahead=is_ahead(found),
        minutes=int((found.ends_at - found.starts_at) / timedelta(minutes=1)),
        number=free_hand.number_of(found),
        is_landline=is_landline(found.phone),
        owner_number=display(owner.phone) if owner.phone else "",
        answers=_answers(found.answers or {}),
        language=_language_name(found.locale),
        entries=history.history(found, mails),
        clients_words=found.locale,
    )


def client_clock(found: Call) -> str:
    """Say what the client's clock shows then; nothing where it shows the same, or the client is forgotten."""
    zone = ZoneInfo(found.timezone or signed_in().timezone)
    own = ZoneInfo(signed_in().timezone)
    if found.starts_at.astimezone(zone).utcoffset() == found.starts_at.astimezone(own).utcoffset():
        return ""
    return gettext(
        "%(day)s, %(time)s (%(place)s time)",
        day=reader().day(found.starts_at, zone),
        time=reader().time(found.starts_at, zone),
        place=reader().place(zone.key),
    )


def is_landline(phone: str) -> bool:
    """Say whether somebody else may answer on this number."""
    try:
        return bool(phone) and parse_phone(phone, "", frozenset()).is_landline
    except InvalidPhone:
        return False  # valid when it was noted; the library's numbering plans have moved on


def _cancel(found: Call, form: ReasonForm) -> None:
    ours = services()
    with ours.database.writing() as db:
        locked = calls.lock_call(db, found.id)
        check_stamp(form, locked.state, locked.starts_at)
        if locked.state is State.REQUESTED:
            requests.decline(db, house(ours), found.id, Actor.OWNER, now())
        else:
            calls.cancel(db, found.id, Actor.OWNER, now(), house(ours), reason=form.reason.data or "")


def _cancel_page(found: Call, form: ReasonForm, status: int = 200, *, note: str = "") -> Response:
    form.stamp.data = stamp(found.state, found.starts_at)
    at = pages.when(found.starts_at, signed_in())
    return page("desk/call_cancel.html", status, call=found, form=form, at=at, note=note, tells=who_tells(found))


def _answers(answers: Mapping[str, bool]) -> list[str]:
    """Say what the client allowed, as far as it was asked."""
    words = {
        "voicemail": (gettext("You may leave a message."), gettext("Leave no message.")),
        "others": (gettext("Somebody else may answer."), gettext("Nobody else should hear of the call.")),
        "text": (gettext("You may send a text message."), gettext("Send no text message.")),
    }
    return [words[key][0] if answers[key] else words[key][1] for key in words if key in answers]


def _language_name(code: str) -> str:
    name: str | None = language(code).locale.get_display_name(reader().locale)
    return name or code
