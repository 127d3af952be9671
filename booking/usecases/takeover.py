"""Another calendar takes over the calls: their events are written there, then removed from where they stood.

Two jobs for each call, so that a crash, or a calendar that is silent, loses nothing: the second one waits until the
first has come about. In between the event stands in both calendars, in each under a UID of its own, and is known as
ours in both (:func:`booking.usecases.placing.known_as_ours`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from booking.rules.lifecycle import State
from booking.store.leftovers import LeftEvent
from booking.store.models import Calendar, Call, PlacedEvent
from booking.usecases.notify import House, remove_left, write_calendar
from booking.usecases.placing import begin_new_generation, noted_periods
from booking.usecases.reserve import event_uid


@dataclass(frozen=True)
class Leaving:
    """An event that has to go, and the calendar it stands in."""

    calendar: Calendar
    uid: str
    href: str


def move_events(db: Session, house: House, to: Calendar, now: datetime) -> int:
    """Have every confirmed call that is not over stand in a calendar, and return how many come there.

    Calls that stand nowhere come along. The owner's lock must be held.
    """
    ahead = select(Call).where(Call.owner_id == to.owner_id, Call.state == State.CONFIRMED, Call.ends_at > now)
    count = 0
    for call in db.scalars(ahead.order_by(Call.starts_at).options(joinedload(Call.owner))).all():
        placed = db.get(PlacedEvent, call.id)
        if placed is not None and placed.calendar_id == to.id:
            continue
        is_left = False
        if placed is None:
            db.add(PlacedEvent(call_id=call.id, calendar_id=to.id, uid=event_uid(call.id, 1, house.host)))
        else:
            is_left = _leave(db, placed)
            placed.calendar_id = to.id
            begin_new_generation(placed, house.host)
        write_calendar(db, house, call, now)
        if is_left:
            remove_left(db, house, call, now)
        count += 1
    db.flush()
    return count


def count_elsewhere(db: Session, calendar: Calendar, now: datetime) -> int:
    """Return how many upcoming calls :func:`move_events` would bring into a calendar."""
    mine = select(func.count()).select_from(Call).outerjoin(PlacedEvent, PlacedEvent.call_id == Call.id)
    ahead = mine.where(Call.owner_id == calendar.owner_id, Call.state == State.CONFIRMED, Call.ends_at > now)
    elsewhere = PlacedEvent.call_id.is_(None) | (PlacedEvent.calendar_id != calendar.id)
    return db.scalar(ahead.where(elsewhere)) or 0


def count_upcoming(db: Session, calendar_id: int, now: datetime) -> int:
    """Return how many upcoming calls stand in a calendar."""
    placed = select(func.count()).select_from(PlacedEvent).join(Call, Call.id == PlacedEvent.call_id)
    ahead = placed.where(PlacedEvent.calendar_id == calendar_id, Call.state == State.CONFIRMED, Call.ends_at > now)
    return db.scalar(ahead) or 0


def count_leaving(db: Session, calendar_id: int) -> int:
    """Return how many events are still to be removed from a calendar."""
    left = select(func.count()).where(LeftEvent.calendar_id == calendar_id, LeftEvent.removed_at.is_(None))
    return db.scalar(left) or 0


def leaving(db: Session, call_id: str) -> Sequence[Leaving] | None:
    """Return the events of a call that have to go; ``None`` as long as it is not settled in its new calendar."""
    placed = db.get(PlacedEvent, call_id)
    if placed is not None and placed.settled_at is None:
        return None
    left = select(LeftEvent).where(LeftEvent.call_id == call_id, LeftEvent.removed_at.is_(None))
    return [Leaving(db.get_one(Calendar, row.calendar_id), row.uid, row.href) for row in db.scalars(left).all()]


def note_removed(db: Session, uids: Collection[str], now: datetime) -> None:
    """Keep that these events are gone: whatever appears under their UIDs from ``now`` on is not ours."""
    gone = update(LeftEvent).where(LeftEvent.uid.in_(uids)).values(removed_at=now)
    db.execute(gone.execution_options(synchronize_session=False))


def _leave(db: Session, placed: PlacedEvent) -> bool:
    """Note an event that may stand somewhere, so that it is removed; one that was never begun needs nothing."""
    periods = noted_periods(placed)
    if not periods and not placed.href:
        return False
    left = LeftEvent(
        uid=placed.uid, call_id=placed.call_id, calendar_id=placed.calendar_id, href=placed.href, periods=periods
    )
    db.add(left)
    return True
