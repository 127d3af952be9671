"""Requests that wait for a silent calendar: answered by the clock, as soon as it can be known, by the time promised."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.rules.lifecycle import Actor, State, Step, after
from booking.store.models import Calendar, Call
from booking.usecases.availability import COUNTS, Offer, is_bookable
from booking.usecases.calls import load_offer_to_move, lock_call
from booking.usecases.notify import House, tell_client
from booking.usecases.reserve import announce, record, release

ALTERNATIVES: Final = 3
TIME_TO_TELL: Final = timedelta(minutes=1)
"""The answer is written this long before the promised moment, so that the mail is there by then."""


def decide(db: Session, house: House, call_id: str, now: datetime) -> bool:
    """Answer a request if it can be answered by now; say whether there is nothing more to do.

    Confirmed where every calendar was read since the request and the time is free; declined where it is not, or where
    no calendar has answered by the time that was promised.

    :raises NotFound: no such call.
    """
    call = lock_call(db, call_id)
    if call.state is not State.REQUESTED:
        return True
    offer = load_offer_to_move(db, call, now)
    if offer.mode == "book" and _read_since(db, call):
        # What was in time when it was asked for has not become too late by our waiting.
        as_asked = replace(offer, agenda=replace(offer.agenda, now=call.created_at))
        is_free = call.starts_at > now and as_asked.why_not(call.starts_at) is None
        _confirm(db, house, call, now) if is_free else _decline(db, house, call, offer, now)
        return True
    if call.answer_by is None or now >= call.answer_by - TIME_TO_TELL:
        _decline(db, house, call, offer, now, is_unseen=True)
        return True
    return False


def decline(db: Session, house: House, call_id: str, actor: Actor, now: datetime) -> Call:
    """Decline a request before the clock answers it; the client is told, with the nearest free times.

    :raises NotFound: no such call.
    :raises IllegalStep: it is no request (any more).
    """
    call = lock_call(db, call_id)
    _decline(db, house, call, load_offer_to_move(db, call, now), now, actor=actor)
    return call


def _read_since(db: Session, call: Call) -> bool:
    """Say whether every calendar that blocks was read after the request was made."""
    unread = (Calendar.read_at.is_(None)) | (Calendar.read_at <= call.created_at)
    mine = (Calendar.owner_id == call.owner_id) & COUNTS
    return db.scalar(select(Calendar.id).where(mine, unread).limit(1)) is None


def _confirm(db: Session, house: House, call: Call, now: datetime) -> None:
    call.state = after(call.state, Step.CONFIRM)
    record(call, Actor.CLOCK, Step.CONFIRM, now)
    announce(db, house, call, now, by=Actor.CLOCK, message="confirmed")
    db.flush()


def _decline(
    db: Session,
    house: House,
    call: Call,
    offer: Offer,
    now: datetime,
    *,
    actor: Actor = Actor.CLOCK,
    is_unseen: bool = False,
) -> None:
    call.state = after(call.state, Step.DECLINE)
    release(db, call)
    record(call, actor, Step.DECLINE, now)
    near = offer.nearest(call.starts_at, 1 + ALTERNATIVES) if is_bookable(call.call_type) else []
    others = [start for start in near if start != call.starts_at]
    told = {"alternatives": tuple(others[:ALTERNATIVES]), "is_unseen": is_unseen}
    tell_client(db, house, call, "declined", now, by=actor, **told)
    db.flush()
