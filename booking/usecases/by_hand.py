"""Times the owner chooses by hand: any time at all, once they have waived what speaks against it; never another call's.

The slot function says what speaks against a time, as it does for clients. What is placed by hand has no buffers of
its own in the wall against overlaps, so that it fits between two calls.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.errors import NotWaived, Taken
from booking.rules.lifecycle import Actor, Step, after
from booking.rules.period import Period
from booking.rules.slots import Reason, all_reasons
from booking.store.models import Call, HeldPeriod
from booking.store.owner_lock import lock_owner
from booking.usecases.availability import Offer, load_offer
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, announce, booked_already, hold, new_call, record

_SAID_BY_ANOTHER: dict[Reason, frozenset[Reason]] = {
    Reason.OUTSIDE_HOURS: frozenset({Reason.ABSENCE, Reason.HOLIDAY}),
    Reason.BUFFER: frozenset({Reason.BUSY}),
    Reason.UNKNOWN_CALENDAR: frozenset({Reason.TOO_FAR}),
}
"""Reasons that need no word of their own where another one holds."""


@dataclass(frozen=True)
class ByHand:
    """How an owner chose a time: what they have waived, and whether a calendar was silent when it was asked."""

    waived: Collection[Reason] = ()
    in_doubt: bool = False


def objections(offer: Offer, start: datetime, *, in_doubt: bool = False) -> tuple[Reason, ...]:
    """Name all that an owner has to waive before a call may stand at ``start``.

    The grid of starts is for clients: a time between two of them needs no word.
    """
    found = set(all_reasons(offer.agenda, start)) - {Reason.OFF_STEP}
    if in_doubt or offer.mode != "book":
        found.add(Reason.UNKNOWN_CALENDAR)
    return tuple(each for each in Reason if each in found and not _SAID_BY_ANOTHER.get(each, frozenset()) & found)


def check_place(db: Session, offer: Offer, start: datetime, by_hand: ByHand, *, without: str = "") -> bool:
    """Make sure that the owner's call may stand at ``start``; say whether it stands there by the rules of booking.

    :param without: the id of a call that is to be moved: its own time is no other's.
    :raises Taken: another call holds the time.
    :raises NotWaived: something speaks against it that the owner has not waived.
    """
    other = other_call(db, offer.owner.id, Period(start, start + offer.length), without=without)
    if other is not None:
        raise Taken(other)
    against = objections(offer, start, in_doubt=by_hand.in_doubt)
    if not set(against) <= set(by_hand.waived):
        raise NotWaived(against)
    return not against


def other_call(db: Session, owner_id: int, period: Period, *, without: str = "") -> str | None:
    """Return the id of the first call whose time, with its buffers, touches ``period``."""
    touching = (HeldPeriod.starts_at < period.end) & (HeldPeriod.ends_at > period.start)
    mine = select(HeldPeriod.call_id).where(HeldPeriod.owner_id == owner_id, HeldPeriod.call_id != without, touching)
    return db.scalar(mine.order_by(HeldPeriod.starts_at).limit(1))


def enter(
    db: Session,
    house: House,
    owner_slug: str,
    type_slug: str,
    wish: Wish,
    now: datetime,
    by_hand: ByHand,
) -> Call:
    """Enter a call that was arranged by phone, or return the one that the same form has entered already.

    The client hears of it by mail, where there is an address; the owner does not.

    :raises NotFound: no such owner or call type.
    :raises KeyReused: the form was used for another call.
    :raises Taken: another call holds the time.
    :raises NotWaived: something speaks against the time that the owner has not waived.
    """
    lock_owner(db, slug=owner_slug)
    entered = booked_already(db, owner_slug, type_slug, wish)
    if entered is not None:
        return entered
    offer = load_offer(db, owner_slug, type_slug, now, minutes=wish.minutes)
    check_place(db, offer, wish.start, by_hand)
    call = new_call(house, offer, type_slug, wish, now)
    call.state = after(None, Step.BOOK)
    db.add(call)
    hold(db, call, is_padded=False)
    record(call, Actor.OWNER, Step.BOOK, now)
    announce(db, house, call, now, by=Actor.OWNER)
    db.flush()
    return call
