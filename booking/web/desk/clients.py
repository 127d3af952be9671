"""The page of one client: all their calls, the owner's note, and whether they can book. Clients never see any of it."""

from flask import Response
from flask.typing import ResponseReturnValue

from booking.errors import ChangedMeanwhile
from booking.rules.phone import display
from booking.store.models import Call
from booking.usecases import calls, clients
from booking.usecases.clients import LONGEST_NOTE, Client
from booking.web import pages, story
from booking.web.context import gettext, now, services
from booking.web.desk.calls import own_call
from booking.web.desk.fields import Prose
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp


class NoteForm(DeskForm):
    """What the owner wants to remember about a client."""

    note = Prose(LONGEST_NOTE)


@desk.get("/calls/<call_id>/client")
def client(call_id: str) -> ResponseReturnValue:
    """Show all calls with the client of this one."""
    found = own_call(call_id)
    known = _load(found)
    form = NoteForm(data={"note": known.note})
    form.stamp.data = stamp(known.note)
    return _page(found, known, form)


@desk.post("/calls/<call_id>/client/note")
@acts
def keep_note(call_id: str) -> ResponseReturnValue:
    """Keep the note."""
    found, form = own_call(call_id), NoteForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        note = note_of("stale") if is_stale else ""
        return _page(found, _load(found), form, 400 if is_stale else 422, note=note)
    try:
        with services().database.writing() as db:
            locked = calls.lock_call(db, call_id)
            check_stamp(form, clients.load_client(db, locked, now()).note)
            clients.keep_note(db, locked, form.note.data or "")
    except ChangedMeanwhile:
        known = _load(found)
        form.stamp.data = stamp(known.note)
        return _page(found, known, form, 409, note=note_of("changed"))
    return done(gettext("The notes are kept."), "desk.client", call_id=call_id)


@desk.post("/calls/<call_id>/client/block")
def block(call_id: str) -> ResponseReturnValue:
    """Let this client book nothing any more."""
    own_call(call_id)
    with services().database.writing() as db:
        clients.block(db, calls.lock_call(db, call_id), now())
    return done(gettext("This client can't book any more. What is planned stays."), "desk.client", call_id=call_id)


@desk.post("/calls/<call_id>/client/unblock")
def unblock(call_id: str) -> ResponseReturnValue:
    """Let this client book again."""
    own_call(call_id)
    with services().database.writing() as db:
        clients.unblock(db, calls.lock_call(db, call_id))
    return done(gettext("This client can book again."), "desk.client", call_id=call_id)


def _load(found: Call) -> Client:
    with services().database.reading() as db:
        return clients.load_client(db, found, now())


def _page(found: Call, known: Client, form: NoteForm, status: int = 200, *, note: str = "") -> Response:
    return page(
        "desk/client.html",
        status,
        call=found,
        client=known,
        form=form,
        note=note,
        contacts=_written(known.contacts),
        blocked=_written(known.blocked),
        upcoming=[(each, pages.when(each.starts_at, signed_in()), story.state_words(each)) for each in known.upcoming],
        past=[(each, pages.when(each.starts_at, signed_in()), story.state_words(each)) for each in known.past],
        longest=LONGEST_NOTE,
    )


def _written(contacts: tuple[str, ...]) -> list[str]:
    return [display(contact) if contact.startswith("+") else contact for contact in contacts]
