"""The event of a call in the owner's calendar: what must stand there, and what came of writing it.

The worker asks :func:`placement`, writes outside any transaction, and reports. Before a write the period
is noted, so that our own event is known as ours even if the worker dies in between.

A write that fails leaves the event where it stood, and one whose answer is lost may have moved it all the same; the
call may move again before any of them succeeds. So every period noted since the last success is kept beside the
newest one, not only the last that was confirmed. They still count for a reading that was asked for before the success
(:func:`known_as_ours`): it may be saved after it. Whatever stands anywhere else was moved by the owner, and blocks.

A write is reported with its UID: where another calendar took the call over meanwhile (``takeover.py``), or the UID was
given up, the report is of an event that is no longer this one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.mail.messages import event_title
from booking.rules.ics import calendar_event
from booking.rules.lifecycle import HOLDS_TIME
from booking.rules.period import Period, Timeline
from booking.store.leftovers import LeftEvent
from booking.store.models import Calendar, Call, PlacedEvent
from booking.usecases.notify import desk_link
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


def placement(db: Session, call_id: str, base_url: str, now: datetime) -> Placement | None:
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
        _note_period(placed, Period(call.starts_at, call.ends_at), calendar.read_at)
        ics = calendar_event(
            uid=placed.uid,
            call_id=call.id,
            sequence=call.sequence,
            starts_at=call.starts_at,
            ends_at=call.ends_at,
            stamp=now,
            title=event_title(call.owner.locale, call.owner.discretion, call.name),
            link=desk_link(base_url, call.id),
        )
    return Placement(call_id, calendar, placed.uid, placed.href, placed.etag, ics)


def note_placed(db: Session, call_id: str, uid: str, href: str, etag: str, now: datetime) -> None:
    """Keep where the event of this UID stands and its version; ``now`` is a moment after the write."""
    placed = _placed(db, call_id, uid)
    if placed is not None:
        placed.href, placed.etag = href, etag
        placed.settled_at = now


def note_removed(db: Session, call_id: str, uid: str, now: datetime) -> None:
    """Keep that the event is gone: whatever appears under its UID from ``now`` on is not ours."""
    placed = _placed(db, call_id, uid)
    if placed is None:
        return
    placed.href = placed.etag = ""
    placed.earlier_periods = noted_periods(placed)
    placed.starts_at = placed.ends_at = None
    placed.settled_at = now


def note_uid_taken(db: Session, call_id: str, uid: str, host: str) -> None:
    """Give the event another UID: the server keeps this one for something else, or remembers it as deleted."""
    placed = _placed(db, call_id, uid)
    if placed is not None:
        begin_new_generation(placed, host)


def begin_new_generation(placed: PlacedEvent, host: str) -> None:
    """Give the event another UID, under which nothing stands anywhere yet."""
    call_id = placed.call_id
    placed.generation += 1
    placed.uid = event_uid(call_id, placed.generation, host)
    placed.href = placed.etag = ""
    placed.starts_at = placed.ends_at = placed.settled_at = None
    placed.earlier_periods = []


def known_as_ours(db: Session, calendar_id: int, asked_at: datetime) -> dict[str, set[Timeline]]:
    """Return the busy time that our own events may show, by UID, in a reading that was asked for at ``asked_at``."""
    written = db.scalars(select(PlacedEvent).where(PlacedEvent.calendar_id == calendar_id))
    spans = {
        placed.uid: _newest(placed) if _is_settled(placed, asked_at) else noted_periods(placed) for placed in written
    }
    is_there = LeftEvent.removed_at.is_(None) | (LeftEvent.removed_at > asked_at)
    for left in db.scalars(select(LeftEvent).where(LeftEvent.calendar_id == calendar_id, is_there)):
        spans[left.uid] = left.periods
    return {uid: {Timeline.of_spans([(start, end)]) for start, end in each} for uid, each in spans.items()}


def noted_periods(placed: PlacedEvent) -> list[list[int]]:
    """Return everywhere the event may stand (``[start, end]`` in epoch seconds)."""
    return placed.earlier_periods + _newest(placed)


def _note_period(placed: PlacedEvent, period: Period, read_at: datetime | None) -> None:
    """Note the period that is about to be written; those before it stay until a reading can't show them any more."""
    before = _newest(placed) if read_at is not None and _is_settled(placed, read_at) else noted_periods(placed)
    placed.starts_at, placed.ends_at = period.start, period.end
    placed.earlier_periods = [span for span in before if span not in _newest(placed)]
    placed.settled_at = None


def _placed(db: Session, call_id: str, uid: str) -> PlacedEvent | None:
    placed = db.get(PlacedEvent, call_id)
    return placed if placed is not None and placed.uid == uid else None


def _is_settled(placed: PlacedEvent, asked_at: datetime) -> bool:
    return placed.settled_at is not None and placed.settled_at <= asked_at


def _newest(placed: PlacedEvent) -> list[list[int]]:
    if placed.starts_at is None or placed.ends_at is None:
        return []
    return [[int(moment.timestamp()) for moment in (placed.starts_at, placed.ends_at)]]
