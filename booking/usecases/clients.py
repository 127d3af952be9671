"""What an owner keeps about the people they talk to: a note, whether they may book, and what to tell them by phone.

A client is known by mail address or number. Nothing here is ever shown to a client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.errors import NotFound
from booking.rules.lifecycle import HOLDS_TIME
from booking.store.accounts import ClientNote, PhoneTask
from booking.store.models import Call

LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Client:
    """One person, as an owner knows them: ``contacts`` are those of the call they were found by.

    ``upcoming`` calls come earliest first, ``past`` ones newest first. ``blocked`` holds every address and number of
    theirs that can't book.
    """

    contacts: tuple[str, ...]
    upcoming: Sequence[Call]
    past: Sequence[Call]
    note: str
    blocked: tuple[str, ...]


def contacts_of(email: str, phone: str) -> tuple[str, ...]:
    """Return what a client is known by: the address in lower case, and the number."""
    return tuple(contact for contact in (email.lower(), phone) if contact)


def load_client(db: Session, call: Call, now: datetime) -> Client:
    """Return the client of a call, with all their calls with the same owner."""
    calls = _calls_of(db, call)
    upcoming = [each for each in calls if each.state in HOLDS_TIME and each.ends_at > now]
    past = [each for each in reversed(calls) if each not in upcoming]
    contacts = contacts_of(call.email, call.phone)
    kept = {row.contact: row for row in _rows(db, call.owner_id, _all_contacts(calls, contacts))}
    notes = [kept[contact].note for contact in contacts if contact in kept]
    blocked = tuple(contact for contact, row in kept.items() if row.blocked_at is not None)
    return Client(contacts, upcoming, past, next((note for note in notes if note), ""), blocked)


def keep_note(db: Session, call: Call, note: str) -> None:
    """Keep what the owner wants to remember about the client of a call; the owner's lock must be held."""
    for contact in contacts_of(call.email, call.phone):
        _row(db, call.owner_id, contact).note = note
    _drop_empty(db, call.owner_id)


def block(db: Session, call: Call, now: datetime) -> None:
    """Let nobody book with this call's address or number any more; the owner's lock must be held.

    What is booked already stays.
    """
    for contact in contacts_of(call.email, call.phone):
        row = _row(db, call.owner_id, contact)
        row.blocked_at = row.blocked_at or now


def unblock(db: Session, call: Call) -> None:
    """Let the client book again, with whatever address or number they have; the owner's lock must be held."""
    contacts = _all_contacts(_calls_of(db, call), contacts_of(call.email, call.phone))
    for row in _rows(db, call.owner_id, contacts):
        row.blocked_at = None
    _drop_empty(db, call.owner_id)


def is_blocked(db: Session, owner_id: int, email: str, phone: str) -> bool:
    """Say whether the owner lets nobody book with this address or number."""
    contacts = contacts_of(email, phone)
    mine = select(ClientNote.id).where(ClientNote.owner_id == owner_id, ClientNote.contact.in_(contacts))
    return db.scalar(mine.where(ClientNote.blocked_at.is_not(None)).limit(1)) is not None


def finish_task(db: Session, owner_id: int, task_id: int, now: datetime) -> Call:
    """Note that the client was told by phone, and return the call; doing it twice is doing it once.

    :raises NotFound: the owner has no such task.
    """
    mine = select(PhoneTask).where(PhoneTask.id == task_id, PhoneTask.owner_id == owner_id)
    task = db.scalar(mine.options(joinedload(PhoneTask.call)))
    if task is None:
        raise NotFound("no such task")
    task.done_at = task.done_at or now
    return task.call


def _calls_of(db: Session, call: Call) -> list[Call]:
    """All calls of the same address or number with the same owner, earliest first; the call itself in any case."""
    same: list[ColumnElement[bool]] = [Call.id == call.id]
    if call.email:
        same.append(func.lower(Call.email) == call.email.lower())
    if call.phone:
        same.append(Call.phone == call.phone)
    mine = select(Call).where(Call.owner_id == call.owner_id, or_(*same)).options(joinedload(Call.call_type))
    return list(db.scalars(mine.order_by(Call.starts_at, Call.id)))


def _all_contacts(calls: Sequence[Call], first: tuple[str, ...]) -> tuple[str, ...]:
    others = (contact for each in calls for contact in contacts_of(each.email, each.phone))
    return tuple(dict.fromkeys((*first, *others)))


def _rows(db: Session, owner_id: int, contacts: Sequence[str]) -> Sequence[ClientNote]:
    mine = select(ClientNote).where(ClientNote.owner_id == owner_id, ClientNote.contact.in_(contacts))
    return db.scalars(mine.order_by(ClientNote.id)).all()


def _row(db: Session, owner_id: int, contact: str) -> ClientNote:
    found = next(iter(_rows(db, owner_id, (contact,))), None)
    if found is None:
        found = ClientNote(owner_id=owner_id, contact=contact, note="")
        db.add(found)
        db.flush()
    return found


def _drop_empty(db: Session, owner_id: int) -> None:
    """What says nothing is not kept."""
    db.flush()
    says_nothing = (ClientNote.note == "") & ClientNote.blocked_at.is_(None)
    for row in db.scalars(select(ClientNote).where(ClientNote.owner_id == owner_id, says_nothing)):
        db.delete(row)
    db.flush()
