"""The event of a call in the owner's calendar: what must stand there, and what came of writing it.

The worker asks :func:`placement`, writes outside any transaction, and reports. Before a write the period
is noted, so that our own event is known as ours even if the worker dies in between.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.mail.messages import event_title
from booking.rules.ics import calendar_event
from booking.rules.lifecycle import HOLDS_TIME
from booking.store.models import Calendar, Call, PlacedEvent
from booking.usecases.reserve import event_uid


@dataclass(frozen=True)
class Placement:
    """What must stand in a calendar for one call; ``ics`` is ``None`` where nothing must."""

    call_id: str
    calendar: Calendar
    uid: str
    href: str
    etag: str
    ics: str | None


def placement(db: Session, call_id: str, now: datetime) -> Placement | None:
    """Say what must stand there for the call's current state, and note the period that is about to be written.

    ``None`` where no calendar takes this call (any more).
    """
    placed = db.get(PlacedEvent, call_id)
    if placed is None:
        return None
    call = db.scalars(select(Call).where(Call.id == call_id).options(joinedload(Call.owner))).one()
    calendar = db.get_one(Calendar, placed.calendar_id)
    ics = None
    if call.state in HOLDS_TIME:
        placed.starts_at, placed.ends_at = call.starts_at, call.ends_at
        ics = calendar_event(
            uid=placed.uid,
            call_id=call.id,
            sequence=call.sequence,
            starts_at=call.starts_at,
            ends_at=call.ends_at,
            stamp=now,
            title=event_title(call.owner.locale, call.owner.discretion, call.name),
        )
    return Placement(call_id, calendar, placed.uid, placed.href, placed.etag, ics)


def note_placed(db: Session, call_id: str, href: str, etag: str) -> None:
    """Keep where the event stands and its version."""
    placed = db.get_one(PlacedEvent, call_id)
    placed.href, placed.etag = href, etag


def note_removed(db: Session, call_id: str) -> None:
    """Keep that the event is gone: whatever appears under its UID from now on is not ours."""
    placed = db.get_one(PlacedEvent, call_id)
    placed.href = placed.etag = ""
    placed.starts_at = placed.ends_at = None


def begin_new_generation(db: Session, call_id: str, host: str) -> None:
    """Give the event another UID: the server keeps the last one for something else, or remembers it as deleted."""
    placed = db.get_one(PlacedEvent, call_id)
    placed.generation += 1
    placed.uid = event_uid(call_id, placed.generation, host)
    placed.href = placed.etag = ""
