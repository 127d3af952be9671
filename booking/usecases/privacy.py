"""What is kept about one client: handed out, or erased. Calls, their history, mails, the owner's notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.errors import InvalidPhone, InvalidText, NotFound
from booking.rules.lifecycle import HOLDS_TIME
from booking.rules.phone import parse_phone
from booking.store.accounts import ClientNote
from booking.store.models import Call, Job, Owner, PlacedEvent
from booking.usecases.clients import contacts_of
from booking.usecases.housekeeping import NEWS_OF_ABSENCES, empty_calls, empty_news_of_absences
from booking.usecases.notify import House, write_calendar
from booking.usecases.setup import lock


@dataclass(frozen=True)
class ClientData:
    """Everything that is kept about one client of one owner; calls come with call type and history."""

    calls: Sequence[Call]
    mails: Sequence[Job]
    notes: Sequence[ClientNote]

    def ahead(self, now: datetime) -> list[Call]:
        """Return the calls that are still to come: as long as there are any, the client can't be erased."""
        return [call for call in self.calls if call.state in HOLDS_TIME and call.ends_at > now]


class CallsAhead(InvalidText):
    """A client can't be erased, because calls with them are still to come."""

    def __init__(self, calls: Sequence[Call]) -> None:
        ids = " ".join(call.id for call in calls)
        super().__init__(f"a call with this client is still to come; cancel it first: call cancel {ids}")


def export(db: Session, owner_slug: str, client: str) -> ClientData:
    """Return what is kept about a client, known by mail address, or by number where there is none.

    :raises NotFound: there is no such owner, or nothing is kept.
    """
    owner = db.scalar(select(Owner).where(Owner.slug == owner_slug))
    if owner is None:
        raise NotFound(f"there is no owner {owner_slug!r}")
    contact = _contact(client, owner)
    whole = (joinedload(Call.owner), joinedload(Call.call_type), selectinload(Call.changes))
    is_theirs = func.lower(Call.email) == contact if "@" in contact else Call.phone == contact
    mine = select(Call).where(Call.owner_id == owner.id, is_theirs)
    calls = db.scalars(mine.order_by(Call.starts_at).options(*whole)).all()
    contacts = {contact, *(each for call in calls for each in contacts_of(call.email, call.phone))}
    kept = select(ClientNote).where(ClientNote.owner_id == owner.id, ClientNote.contact.in_(contacts))
    notes = db.scalars(kept.order_by(ClientNote.id)).all()
    if not calls and not notes:
        raise NotFound(f"nothing is kept about {client} with {owner_slug!r}")
    of_calls = Job.call_id.in_([call.id for call in calls])
    mails = db.scalars(
        select(Job).where(Job.kind == "mail", of_calls | _is_news_of_absences(owner.id, contact)).order_by(Job.number)
    ).all()
    return ClientData(calls, mails, notes)


def erase(db: Session, owner_slug: str, client: str, now: datetime, house: House) -> ClientData:
    """Take the client out of every call, mail, note and event; times and states stay for the owner's records.

    Returns what was erased, so that files that were made of it can be removed too.

    :raises NotFound: there is no such owner, or nothing is kept.
    :raises CallsAhead: a call with this client is still to come.
    """
    lock(db, owner_slug)
    data = export(db, owner_slug, client)
    ahead = data.ahead(now)
    if ahead:
        raise CallsAhead(ahead)
    # The session must not write the old values back, and must not show them in the rows that are returned.
    for row in (*data.calls, *data.mails, *data.notes):
        db.expunge(row)
    empty_calls(db, [call.id for call in data.calls])
    empty_news_of_absences(db)
    db.execute(delete(ClientNote).where(ClientNote.id.in_([note.id for note in data.notes])))
    for call in data.calls:
        placed = db.get(PlacedEvent, call.id)
        if placed is not None and placed.href:
            write_calendar(db, house, db.get_one(Call, call.id), now)
    db.flush()
    return data


def _contact(client: str, owner: Owner) -> str:
    """Return a mail address in lower case, or a number as E.164; numbers without a country code are the owner's."""
    text = client.strip().lower()
    if "@" in text:
        return text
    try:
        return parse_phone(text, owner.country, frozenset()).e164
    except InvalidPhone as error:
        raise NotFound(f"{client!r} is neither a mail address nor a number") from error


def _is_news_of_absences(owner_id: int, email: str) -> ColumnElement[bool]:
    """Mails about absences belong to a person, and to no call."""
    recipient = func.lower(Job.payload["recipient"].as_string())
    is_news = Job.call_id.is_(None) & Job.group.startswith(f"{NEWS_OF_ABSENCES}.")
    return (Job.owner_id == owner_id) & is_news & (recipient == email)
