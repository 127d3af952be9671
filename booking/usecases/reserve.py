"""Booking a call under the owner's lock: is it still offered? Then call, held period and outbox, in one go."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from booking.errors import CapReached, KeyReused, NotOffered
from booking.rules.lifecycle import HOLDS_TIME, Actor, State, Step, after
from booking.rules.period import Period
from booking.rules.quiet import answer_by
from booking.store.models import Calendar, Call, CallChange, CallType, HeldPeriod, PlacedEvent
from booking.store.owner_lock import lock_count, lock_owner
from booking.usecases.availability import Offer, load_public_offer
from booking.usecases.clients import is_blocked
from booking.usecases.notify import (
    House,
    decide_later,
    remind,
    tell_client,
    tell_owner,
    write_calendar,
)

UPCOMING_PER_PERSON: Final = 5
REQUESTS_PER_PERSON: Final = 2
"""Open ones: nobody may keep many times from others without having one of them."""
BOOKINGS_PER_ORIGIN_AND_HOUR: Final = 20


@dataclass(frozen=True)
class Wish:
    """What a client asks for, already in shape.

    ``start`` is aware; ``phone`` is E.164 or empty; ``who_calls`` is ``owner`` or ``client``; ``timezone`` an IANA
    name; ``request_key`` says that a request is the same one again; ``origin`` is a keyed hash of the client's
    network, or empty where origins are not counted.
    """

    start: datetime
    name: str
    email: str
    phone: str
    note: str
    who_calls: str
    timezone: str
    locale: str
    request_key: str
    origin: str
    wants_reminders: bool = False
    minutes: int | None = None
    """How long the call shall be; its type's usual length where it is ``None``."""
    answers: Mapping[str, bool] = field(default_factory=dict)
    """What may be done, of what the form asked: ``voicemail``, ``others``, ``text``."""

    def digest(self, type_slug: str) -> str:
        """Return a hash of what is asked for: the same key with another digest is another request."""
        parts = [type_slug, str(self.start.timestamp()), self.name, self.email, self.phone, self.note, self.who_calls]
        parts += [str(self.minutes)] * (self.minutes is not None)
        parts += [f"{question} {answer}" for question, answer in sorted(self.answers.items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def book(
    db: Session, house: House, owner_slug: str, type_slug: str, wish: Wish, now: datetime, *, in_doubt: bool = False
) -> Call:
    """Book the call, or return the call that the same request has booked already.

    Where a calendar is silent (``in_doubt``, or because it was not read for long), the call is only requested: its
    time is held, and the clock decides as soon as the calendar answers (:mod:`booking.usecases.requests`).

    :raises NotFound: no such owner or call type, or nobody can book it.
    :raises LengthNotOffered: no call of this length can be booked.
    :raises KeyReused: the request key was used for another request.
    :raises NotOffered: the start is not a free slot (any more).
    :raises CapReached: this person, address or network has booked enough for now.
    """
    owner_id = lock_owner(db, slug=owner_slug)
    booked = booked_already(db, owner_slug, type_slug, wish)
    if booked is not None:
        return booked
    offer = load_public_offer(db, owner_slug, type_slug, now, minutes=wish.minutes)
    if in_doubt:
        offer = offer.as_far_as_known()
    reason = offer.why_not(wish.start)
    if reason is not None:
        raise NotOffered(reason)
    step = Step.BOOK if offer.mode == "book" else Step.REQUEST
    _check_caps(db, owner_id, wish, step, now)
    call = new_call(house, offer, type_slug, wish, now)
    call.state = after(None, step)
    db.add(call)
    hold(db, call)
    record(call, Actor.CLIENT, step, now)
    if step is Step.BOOK:
        announce(db, house, call, now, by=Actor.CLIENT)
    else:
        _promise(db, house, call, offer, now)
    db.flush()
    return call


def announce(db: Session, house: House, call: Call, now: datetime, *, by: Actor, message: str = "booked") -> None:
    """Have a confirmed call stand in the calendar, and both sides hear of it; ``message`` is the client's.

    :param by: who confirmed it: an owner who did it knows of it.
    """
    _place(db, house, call, now)
    tell_client(db, house, call, message, now, by=by)
    tell_owner(db, house, call, "booked", now, by=by)
    remind(db, house, call, now)


def hold(db: Session, call: Call, *, is_padded: bool = True) -> None:
    """Keep the call's period free of other calls, with the call type's buffers unless it was placed by hand."""
    held = Period(call.starts_at, call.ends_at)
    if is_padded:
        held = held.padded(*(timedelta(minutes=each) for each in _buffers(call.call_type)))
    db.add(HeldPeriod(owner_id=call.owner_id, call=call, starts_at=held.start, ends_at=held.end))


def _buffers(call_type: CallType) -> tuple[int, int]:
    return call_type.before_minutes, call_type.after_minutes


def release(db: Session, call: Call) -> None:
    """Let the call's time go."""
    db.execute(delete(HeldPeriod).where(HeldPeriod.call_id == call.id))


def set_time(call: Call, offer: Offer, start: datetime) -> None:
    """Give the call its time, and keep the wall time that was agreed on."""
    call.starts_at = start.astimezone(UTC)
    call.ends_at = call.starts_at + offer.length
    call.owner_wall_time = f"{start.astimezone(offer.zone):%Y-%m-%dT%H:%M} {offer.owner.timezone}"


def record(
    call: Call, actor: Actor, step: Step, now: datetime, *, reason: str = "", moved_from: datetime | None = None
) -> None:
    """Keep who did what to the call, when, and why; of a moved one also where it stood."""
    change = CallChange(at=now, actor=actor, step=step, state=call.state, reason=reason, from_starts_at=moved_from)
    call.changes.append(change)


def booked_already(db: Session, owner_slug: str, type_slug: str, wish: Wish) -> Call | None:
    """Return the call that the same request has booked, if it has.

    :raises KeyReused: the request key was used for another request.
    """
    call = db.scalar(select(Call).where(Call.owner.has(slug=owner_slug), Call.request_key == wish.request_key))
    if call is not None and call.request_digest != wish.digest(type_slug):
        raise KeyReused("this key was used for another request")
    return call


def _check_caps(db: Session, owner_id: int, wish: Wish, step: Step, now: datetime) -> None:
    """Whoever the owner has blocked is answered like somebody who has booked enough, and not told why."""
    if is_blocked(db, owner_id, wish.email, wish.phone):
        raise CapReached("person")
    same_person = [func.lower(Call.email) == wish.email.lower()] if wish.email else []
    if wish.phone:
        same_person.append(Call.phone == wish.phone)
    upcoming = select(func.count()).where(
        Call.owner_id == owner_id,
        Call.starts_at > now - timedelta(days=1),
        Call.ends_at > now,
        Call.state.in_(HOLDS_TIME),
    )
    open_requests = upcoming.where(Call.state == State.REQUESTED)
    counted = [(upcoming, UPCOMING_PER_PERSON)] + [(open_requests, REQUESTS_PER_PERSON)] * (step is Step.REQUEST)
    for mine, most in counted:
        if same_person and (db.scalar(mine.where(or_(*same_person))) or 0) >= most:
            raise CapReached("person")
    if wish.origin:
        lock_count(db, wish.origin)
        recent = select(func.count()).where(Call.origin == wish.origin, Call.created_at > now - timedelta(hours=1))
        if (db.scalar(recent) or 0) >= BOOKINGS_PER_ORIGIN_AND_HOUR:
            raise CapReached("origin")


def new_call(house: House, offer: Offer, type_slug: str, wish: Wish, now: datetime) -> Call:
    """Make the call that a client wishes for; it has no state yet, and holds no time."""
    call = Call(
        id=house.token(),
        owner_id=offer.owner.id,
        owner=offer.owner,
        call_type=offer.call_type,
        name=wish.name,
        email=wish.email,
        phone=wish.phone,
        note=wish.note,
        answers=dict(wish.answers),
        who_calls=wish.who_calls,
        timezone=wish.timezone,
        locale=wish.locale,
        wants_reminders=wish.wants_reminders,
        request_key=wish.request_key,
        request_digest=wish.digest(type_slug),
        origin=wish.origin,
        link_version=1,
        ics_uid=f"{house.token()}@{house.host}",
        sequence=0,
        created_at=now,
    )
    set_time(call, offer, wish.start)
    return call


def _promise(db: Session, house: House, call: Call, offer: Offer, now: datetime) -> None:
    """Promise an answer, and have the clock look for it."""
    agenda = offer.agenda
    promised = answer_by(now, call.starts_at, agenda.timetable, agenda.zone, agenda.holidays)
    call.answer_by = max(now, promised.replace(second=0, microsecond=0))  # as it is told: in whole minutes
    tell_client(db, house, call, "requested", now)
    decide_later(db, house, call, now)


def _place(db: Session, house: House, call: Call, now: datetime) -> None:
    """Have the event written, where a calendar takes the calls."""
    takes_calls = select(Calendar.id).where(Calendar.owner_id == call.owner_id, Calendar.takes_calls)
    calendar_id = db.scalar(takes_calls.order_by(Calendar.id).limit(1))
    if calendar_id is None:
        return
    db.add(PlacedEvent(call_id=call.id, calendar_id=calendar_id, generation=1, uid=event_uid(call.id, 1, house.host)))
    write_calendar(db, house, call, now)


def event_uid(call_id: str, generation: int, host: str) -> str:
    """Return the UID of the call's event: the next generation is for a server that won't take the last one."""
    return f"{call_id}-{generation}@{host}"
