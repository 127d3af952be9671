"""Messages: every mail that went, waits or failed, as it was sent; what is stuck is tried again, or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.errors import BookingError
from booking.mail.messages import Facts, render
from booking.store.models import Call, Job
from booking.store.outbox import NotWaiting, is_under_way
from booking.usecases import messages as outgoing
from booking.usecases.messages import Message, Which
from booking.usecases.notify import host_of
from booking.web.context import gettext, now, services
from booking.web.desk import message_words as words
from booking.web.desk.fields import Box
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.reserving import house
from booking.web.story import moment

MOST_PAGES: Final = 10_000


class DropForm(DeskForm):
    """Whether the client is told by phone instead."""

    by_phone = Box()


@dataclass(frozen=True)
class Row:
    """A message in the list, in words."""

    id: str
    to: str
    subject: str
    locale: str
    call: Call | None
    call_at: str
    state: words.State


@dataclass(frozen=True)
class Choices:
    """What can be done with a message, and what has to be known before."""

    can_retry: bool = False
    can_drop: bool = False
    by_phone: bool = False
    warnings: Sequence[str] = ()


@desk.get("/messages")
def messages() -> ResponseReturnValue:
    """List the messages, newest first."""
    text = request.args.get("which", "")
    which = Which(text) if text in list(Which) else Which.ALL
    number = min(max(request.args.get("page", 0, type=int), 0), MOST_PAGES)
    with services().database.reading() as db:
        found = outgoing.list_messages(db, signed_in(), which, number, now())
        rows = [_row(db, message) for message in found.messages]
    filters = [
        (Which.ALL, gettext("All")),
        (Which.WAITING, gettext("Waiting")),
        (Which.STUCK, gettext("Stuck")),
    ]
    return page("desk/messages.html", rows=rows, which=which, filters=filters, number=number, has_more=found.has_more)


@desk.get("/messages/<message_id>")
def message(message_id: str) -> ResponseReturnValue:
    """Show one message, as it was or will be sent."""
    return _message_page(message_id)


@desk.post("/messages/<message_id>/retry")
@acts
def retry_message(message_id: str) -> ResponseReturnValue:
    """Try a message that failed again, at once."""
    if not DeskForm().validate():
        return _message_page(message_id, 400, note_of("stale"))
    try:
        with services().database.writing() as db:
            outgoing.retry(db, _own(db, message_id), now())
    except NotWaiting:
        return _message_page(message_id, 409, _too_late())
    return done(gettext("It is tried again right now."), "desk.message", message_id=message_id)


@desk.post("/messages/<message_id>/drop")
@acts
def drop_message(message_id: str) -> ResponseReturnValue:
    """Let a message never leave; its client is told by phone, if the owner says so."""
    form = DropForm()
    if not form.validate():
        return _message_page(message_id, 400, note_of("stale"))
    try:
        with services().database.writing() as db:
            outgoing.drop(db, _own(db, message_id), now(), by_phone=bool(form.by_phone.data))
    except NotWaiting:
        return _message_page(message_id, 409, _too_late())
    return done(gettext("Dropped: it is not sent."), "desk.message", message_id=message_id)


def _own(db: Session, message_id: str) -> Message:
    """Return a message of the owner who is logged in; what is somebody else's is not there."""
    return outgoing.find_message(db, signed_in(), message_id) or abort(404)


def _message_page(message_id: str, status: int = 200, note: str = "") -> ResponseReturnValue:
    with services().database.reading() as db:
        found = _own(db, message_id)
        facts = outgoing.facts_of(db, house(services()), found.job)
        row, choices = _row(db, found), _choices(db, found)
    mail = _rendered(facts, found.job) if facts else None
    part = mail.get_body(("plain",)) if mail else None
    return page(
        "desk/message.html",
        status,
        row=row,
        kind=found.job.kind,
        text=part.get_content() if part else "",
        has_file=bool(mail and any(mail.iter_attachments())),
        is_sent=row.state.kind == "sent",
        choices=choices,
        form=DropForm(),
        note=note,
    )


def _row(db: Session, found: Message) -> Row:
    job, call = found.job, found.call
    facts = outgoing.facts_of(db, house(services()), job)
    mail = _rendered(facts, job) if facts else None
    return Row(
        id=job.id,
        to=_reader(job),
        subject=str(mail["Subject"]) if mail else _unnamed(job),
        locale=facts.locale if facts and mail else "",
        call=call,
        call_at=moment(call.starts_at) if call else "",
        state=words.state(job),
    )


def _rendered(facts: Facts, job: Job) -> EmailMessage | None:
    """Make a mail again from its facts, as of the moment when it left (or will leave).

    ``None`` where it can't be made: such a one never leaves either.
    """
    at = job.done_at or job.sending_at or max(now(), job.not_before)
    settings = services().settings
    try:
        return render(facts, job_id=job.id, mail_from=settings.mail_from, host=host_of(settings.base_url), now=at)
    except BookingError:
        return None


def _choices(db: Session, found: Message) -> Choices:
    job = found.job
    if job.done_at is not None or is_under_way(job, now()):
        return Choices()
    warnings = []
    is_pointless = outgoing.is_pointless(db, job, now())
    can_retry = (job.parked_at is not None or job.error_kind != "") and not is_pointless
    if is_pointless:
        warnings.append(gettext("This message has nothing to tell any more, so that it can't be tried again."))
    if can_retry and words.is_in_doubt(job):
        warnings.append(gettext("It may have left already. If you try again, it may arrive twice."))
    if can_retry and outgoing.is_overtaken(db, job):
        warnings.append(gettext("A later message about this call exists. What this one says may be out of date."))
    return Choices(can_retry, True, outgoing.can_be_told_by_phone(found, now()), warnings)


def _reader(job: Job) -> str:
    """Say to whom a message goes."""
    if job.kind == "calendar":
        return gettext("Your calendar")
    if not job.payload:
        return gettext("forgotten")
    if job.payload["to"] == "owner":
        return gettext("You")
    name, address = job.payload["client_name"], job.payload["recipient"]
    return f"{name} ({address})"


def _unnamed(job: Job) -> str:
    """Name what has no subject."""
    if job.kind == "calendar":
        return gettext("An entry in your calendar")
    return gettext("What it said was forgotten.") if not job.payload else gettext("A mail that can't be written")


def _too_late() -> str:
    return gettext("Nothing was changed: meanwhile it is on its way, or all is done. Below is how it stands now.")
