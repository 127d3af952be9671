"""What happens to a call once it is booked: found by its link, cancelled, corrected."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.errors import CapReached, IllegalStep, NotFound
from booking.rules.lifecycle import Actor, Step, after
from booking.signing import Link
from booking.store.models import Call, HeldPeriod, PlacedEvent
from booking.store.owner_lock import lock_owner
from booking.usecases.notify import House, tell_client, tell_owner, write_calendar
from booking.usecases.reserve import record

MOST_CHANGES: Final = 20
"""Changes of one call by its link: enough for every honest client."""


def find_call(db: Session, link: Link | None) -> Call:
    """Return the call a client's link leads to, with owner, call type and history.

    :raises NotFound: a forged or revoked link, or a call that is gone: they look the same.
    """
    call = load_call(db, link.call_id) if link else None
    if call is None or link is None or call.link_version != link.version:
        raise NotFound("no such call")
    return call


def load_call(db: Session, call_id: str) -> Call | None:
    """Return a call with owner, call type and history."""
    whole = (joinedload(Call.owner), joinedload(Call.call_type), selectinload(Call.changes))
    return db.scalar(select(Call).where(Call.id == call_id).options(*whole))


def cancel(db: Session, call_id: str, actor: Actor, now: datetime, house: House) -> Call:
    """Cancel a call that has not begun: its time is free at once, the event goes, both sides are told.

    :raises NotFound: no such call.
    :raises IllegalStep: it is cancelled already, or has begun.
    """
    call = _locked(db, call_id)
    state = after(call.state, Step.CANCEL)
    _must_be_ahead(call, now)
    call.state = state
    call.sequence += 1
    db.execute(delete(HeldPeriod).where(HeldPeriod.call_id == call.id))
    record(call, actor, Step.CANCEL, now)
    _tell(db, house, call, "cancelled", now, actor)
    db.flush()
    return call


def correct(db: Session, call_id: str, *, phone: str, email: str, actor: Actor, now: datetime, house: House) -> Call:
    """Correct the client's number (E.164) or mail address; nothing happens where both stay the same.

    Another address gets new links: those in mails to the old one end, so that a link of a mail proves the
    address it was sent to.

    :raises NotFound: no such call.
    :raises IllegalStep: it is cancelled, or has begun.
    :raises CapReached: ``changes`` or ``address``: it was changed too often.
    """
    call = _locked(db, call_id)
    if (call.phone, call.email) == (phone, email):
        return call
    call.state = after(call.state, Step.CORRECT)
    _must_be_ahead(call, now)
    if call.sequence >= MOST_CHANGES:
        raise CapReached("changes")
    if call.email != email:
        call.link_version += 1
        call.address_proved_at = None
    call.phone, call.email = phone, email
    call.sequence += 1
    record(call, actor, Step.CORRECT, now)
    tell_client(db, house, call, "corrected", now)
    tell_owner(db, house, call, "corrected", now)
    db.flush()
    return call


def prove_address(db: Session, call_id: str, now: datetime) -> None:
    """Note that somebody acted through a link which only the mail holds: the address is the client's own.

    :raises NotFound: no such call.
    """
    call = _locked(db, call_id)
    call.address_proved_at = call.address_proved_at or now


def _locked(db: Session, call_id: str) -> Call:
    owner_id = db.scalar(select(Call.owner_id).where(Call.id == call_id))
    lock_owner(db, owner_id=owner_id)
    call = load_call(db, call_id)
    if call is None:
        raise NotFound("no such call")
    return call


def _must_be_ahead(call: Call, now: datetime) -> None:
    if call.starts_at <= now:
        raise IllegalStep("the call has begun")


def _tell(db: Session, house: House, call: Call, message: str, now: datetime, actor: Actor) -> None:
    if db.get(PlacedEvent, call.id) is not None:
        write_calendar(db, house, call, now)
    tell_client(db, house, call, message, now, actor)
    tell_owner(db, house, call, message, now, actor)
