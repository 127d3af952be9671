"""What happens to a call once it is booked: found by its link, moved, cancelled, corrected.

The owner and the clock name a call by its id; a client acts through a :class:`~booking.signing.Link`, which must still
lead to the call when the lock is held: a link that is revoked at the same moment does nothing any more.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.errors import CapReached, IllegalStep, NotFound, NotOffered
from booking.rules.lifecycle import Actor, State, Step, after
from booking.rules.slots import Reason
from booking.signing import Link
from booking.store.models import Call, PlacedEvent
from booking.store.owner_lock import lock_owner
from booking.usecases.availability import Offer, load_offer
from booking.usecases.by_hand import ByHand, check_place
from booking.usecases.notify import House, remind, tell_client, tell_owner, write_calendar
from booking.usecases.reserve import hold, record, release, set_time

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
    return db.scalars(_whole(call_id)).one_or_none()


def _whole(call_id: str) -> Select[Call]:
    options = (joinedload(Call.owner), joinedload(Call.call_type), selectinload(Call.changes))
    return select(Call).where(Call.id == call_id).options(*options)


def cancel(db: Session, which: str | Link, actor: Actor, now: datetime, house: House, *, reason: str = "") -> Call:
    """Cancel a call that has not begun: its time is free at once, the event goes, the other side is told.

    A client's request is withdrawn instead; the owner declines it (:func:`booking.usecases.requests.decline`).

    :param reason: why, in the owner's words; the client reads them.
    :raises NotFound: no such call, or the link is revoked.
    :raises IllegalStep: it is cancelled already, or has begun.
    """
    call = lock_call(db, which)
    if call.state is State.REQUESTED and actor is Actor.CLIENT:
        return _withdraw(db, call, actor, now)
    state = after(call.state, Step.CANCEL)
    _must_be_ahead(call, now)
    call.state = state
    call.sequence += 1
    release(db, call)
    record(call, actor, Step.CANCEL, now, reason=reason)
    _tell(db, house, call, "cancelled", now, actor, cancelled_by=actor, reason=reason)
    db.flush()
    return call


def load_offer_to_move(db: Session, call: Call, now: datetime) -> Offer:
    """Return where a call may be moved to: everything that is free, its own time included; it keeps its length."""
    minutes = int((call.ends_at - call.starts_at) / timedelta(minutes=1))
    return load_offer(db, call.owner.slug, call.call_type.slug, now, without=call.id, minutes=minutes)


def why_not_movable(offer: Offer, call: Call) -> str:
    """Say why a client may not move a call any more: ``begun``, ``too_soon`` or ``moves``; nothing where it may be.

    The owner's notice counts for the old time too: what is so near is planned for already.
    """
    if call.state is not State.CONFIRMED or call.starts_at <= offer.agenda.now:
        return "begun"
    if offer.why_not(call.starts_at) is Reason.TOO_SOON:
        return "too_soon"
    moves = sum(change.step == Step.MOVE and change.actor == Actor.CLIENT for change in call.changes)
    return "moves" if moves >= call.owner.most_moves else ""


def move(
    db: Session,
    which: str | Link,
    start: datetime,
    actor: Actor,
    now: datetime,
    house: House,
    *,
    reason: str = "",
    by_hand: ByHand | None = None,
) -> Call:
    """Move a call to another free time, by the rules of booking; its old time is free at once, the other side is told.

    Moving it to where it stands does nothing, so that a form that is sent twice moves once.

    :param reason: why, in the owner's words; the client reads them.
    :param by_hand: the owner chose any time at all; what speaks against it must have been waived.
    :raises Taken: another call holds the time that was chosen by hand.
    :raises NotWaived: something speaks against the time that was chosen by hand.
    :raises NotFound: no such call, or the link is revoked.
    :raises IllegalStep: it is not confirmed, has begun, or is too near (the notice counts for the old time too).
    :raises CapReached: ``moves``: the client has moved it as often as the owner allows.
    :raises NotOffered: the new start is not free.
    """
    call = lock_call(db, which)
    if call.starts_at == start and call.state is State.CONFIRMED:
        return call
    state = after(call.state, Step.MOVE)
    offer = load_offer_to_move(db, call, now)
    _must_be_movable(offer, call, actor)
    is_offered = _check_new_time(db, offer, start, by_hand, call)
    old_start, call.state = call.starts_at, state
    set_time(call, offer, start)
    call.sequence += 1
    release(db, call)
    hold(db, call, is_padded=is_offered)
    record(call, actor, Step.MOVE, now, reason=reason, moved_from=old_start)
    _tell(db, house, call, "moved", now, actor, moved_from=old_start, reason=reason)
    remind(db, house, call, now)
    db.flush()
    return call


def correct(
    db: Session, which: str | Link, *, phone: str, email: str, actor: Actor, now: datetime, house: House
) -> Call:
    """Correct the client's number (E.164) or mail address; nothing happens where both stay the same.

    Another address gets new links: those in mails to the old one end, so that a link of a mail proves the
    address it was sent to.

    :raises NotFound: no such call, or the link is revoked.
    :raises IllegalStep: it is cancelled, or has begun.
    :raises CapReached: ``changes`` or ``address``: it was changed too often.
    """
    call = lock_call(db, which)
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
    if call.state is State.REQUESTED:
        tell_client(db, house, call, "requested", now, by=actor)
    else:
        tell_client(db, house, call, "corrected", now, by=actor)
        tell_owner(db, house, call, "corrected", now, by=actor)
        remind(db, house, call, now)
    db.flush()
    return call


def prove_address(db: Session, call_id: str, version: int, now: datetime) -> None:
    """Note that somebody acted through a link which only the mail holds: the address is the client's own.

    A link of another version proves nothing: it was mailed to an address that was corrected since.

    :raises NotFound: no such call.
    """
    call = lock_call(db, call_id)
    if call.link_version == version:
        call.address_proved_at = call.address_proved_at or now


def lock_call(db: Session, which: str | Link) -> Call:
    """Take the lock of a call's owner, and return the call as it is now, with owner, call type and history.

    :raises NotFound: no such call, or the link does not lead to it any more.
    """
    call_id = which.call_id if isinstance(which, Link) else which
    owner_id = db.scalar(select(Call.owner_id).where(Call.id == call_id))
    lock_owner(db, owner_id=owner_id)
    # What this session read of the call before it had the lock may have changed since.
    call = db.scalars(_whole(call_id).execution_options(populate_existing=True)).one_or_none()
    if call is None or (isinstance(which, Link) and call.link_version != which.version):
        raise NotFound("no such call")
    return call


def _must_be_ahead(call: Call, now: datetime) -> None:
    if call.starts_at <= now:
        raise IllegalStep("the call has begun")


def _check_new_time(db: Session, offer: Offer, start: datetime, by_hand: ByHand | None, call: Call) -> bool:
    """Make sure that the call may stand there; say whether it does by the rules of booking."""
    if by_hand is not None:
        return check_place(db, offer, start, by_hand, without=call.id)
    reason = offer.why_not(start) if offer.mode == "book" else Reason.UNKNOWN_CALENDAR
    if reason is not None:
        raise NotOffered(reason)
    return True


def _must_be_movable(offer: Offer, call: Call, actor: Actor) -> None:
    why_not = why_not_movable(offer, call)
    if why_not == "begun":
        raise IllegalStep("the call has begun")
    if actor is Actor.CLIENT and why_not == "too_soon":
        raise IllegalStep("the call is too near to be moved")
    if actor is Actor.CLIENT and why_not == "moves":
        raise CapReached("moves")


def _withdraw(db: Session, call: Call, actor: Actor, now: datetime) -> Call:
    """A request ends without a mail: whoever withdraws it sees that on the page, and the owner never heard of it."""
    call.state = after(call.state, Step.WITHDRAW)
    release(db, call)
    record(call, actor, Step.WITHDRAW, now)
    db.flush()
    return call


def _tell(db: Session, house: House, call: Call, message: str, now: datetime, by: Actor, **more: Any) -> None:
    if db.get(PlacedEvent, call.id) is not None:
        write_calendar(db, house, call, now)
    tell_client(db, house, call, message, now, by=by, **more)
    tell_owner(db, house, call, message, now, by=by, **more)
