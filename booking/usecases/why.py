"""Why a time is not offered: the reason that the slot rules name, with the facts that explain it to the owner.

Whether it is offered is the slot function's word alone (``Offer.why_not``). Nothing here decides, it looks up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.rules.hours import Absence, Windows
from booking.rules.period import Period
from booking.rules.quiet import earliest_start
from booking.rules.slots import Reason
from booking.store.models import Calendar, Call, HeldPeriod
from booking.usecases.availability import COUNTS, FRESH_FOR, Offer
from booking.usecases.day import Event, calls_between, events_between
from booking.usecases.hours import calls_within

_AROUND = timedelta(days=2)


@dataclass(frozen=True)
class Why:
    """The answer about one start. What does not belong to the reason is empty."""

    start: datetime
    reason: Reason | None
    day: date
    """The owner's day of the start."""
    windows: Windows = ()
    """The business hours of that day."""
    has_own_hours: bool = False
    absence: Absence | None = None
    earliest: datetime | None = None
    """When a call can begin at the soonest; ``None`` where the notice never ends before the horizon."""
    last_day: date | None = None
    """The farthest day that can be booked."""
    events: Sequence[Event] = ()
    calls: Sequence[Call] = ()
    """What is in the way."""
    silent: Sequence[str] = ()
    """Names of the calendars of which this time is not known."""
    counted: Sequence[Call] = ()
    """The calls that fill the day or the week."""
    near: Sequence[datetime] = ()
    """The nearest free times."""


def explain(db: Session, offer: Offer, start: datetime) -> Why:
    """Return why ``start`` (aware UTC) is not offered, or that it is."""
    agenda = offer.agenda
    reason, day = offer.why_not(start), start.astimezone(offer.zone).date()
    events, calls = _in_the_way(db, offer, start, reason)
    is_silent = reason is Reason.UNKNOWN_CALENDAR or offer.mode == "request"
    return Why(
        start,
        reason,
        day,
        windows=agenda.timetable.windows_on(day, agenda.holidays),
        has_own_hours=day in agenda.timetable.overrides,
        absence=agenda.timetable.absence_on(day),
        earliest=_earliest(offer),
        last_day=_last_day(offer),
        events=events,
        calls=calls,
        silent=_silent(db, offer, start) if is_silent else (),
        counted=_counted(db, offer, day, reason),
        near=offer.nearest(start),
    )


def _earliest(offer: Offer) -> datetime | None:
    agenda = offer.agenda
    return earliest_start(
        agenda.now,
        agenda.rules.notice,
        agenda.timetable,
        agenda.zone,
        agenda.holidays,
        agenda.notice_in_working_time,
        _last_day(offer),
    )


def _last_day(offer: Offer) -> date:
    today = offer.agenda.now.astimezone(offer.zone).date()
    return today + timedelta(days=offer.agenda.rules.horizon_days)


def _in_the_way(
    db: Session, offer: Offer, start: datetime, reason: Reason | None
) -> tuple[Sequence[Event], Sequence[Call]]:
    """Return the events and calls that a call at ``start`` would touch, or come too near to."""
    if reason not in (Reason.BUSY, Reason.BUFFER):
        return (), ()
    rules, own = offer.agenda.rules, Period(start, start + offer.length)
    padded = Period(start - rules.before, start + offer.length + rules.after)
    span = own if reason is Reason.BUSY else padded
    around = Period(start - _AROUND, start + offer.length + _AROUND)
    events = [event for event in events_between(db, offer.owner, around) if event.period.overlaps(span)]
    found = calls_between(db, offer.owner, around)
    held = {
        row.call_id: Period(row.starts_at, row.ends_at)
        for row in db.scalars(select(HeldPeriod).where(HeldPeriod.call_id.in_([call.id for call in found])))
    }
    return events, [call for call in found if held.get(call.id, Period(call.starts_at, call.ends_at)).overlaps(span)]


def _silent(db: Session, offer: Offer, start: datetime) -> list[str]:
    """Return the calendars that were not read lately, or not as far as this start."""
    calendars = db.scalars(select(Calendar).where(Calendar.owner_id == offer.owner.id, COUNTS).order_by(Calendar.id))
    until = start + offer.length + offer.agenda.rules.after
    return [
        calendar.name or calendar.url
        for calendar in calendars
        if calendar.read_at is None
        or calendar.covered_until is None
        or offer.agenda.now - calendar.read_at > FRESH_FOR
        or calendar.covered_until < until
    ]


def _counted(db: Session, offer: Offer, day: date, reason: Reason | None) -> list[Call]:
    """Return the calls of this type on the owner's day, or in the week from Monday, where those are full."""
    if reason not in (Reason.DAY_FULL, Reason.WEEK_FULL):
        return []
    first = day if reason is Reason.DAY_FULL else day - timedelta(days=day.weekday())
    last = day if reason is Reason.DAY_FULL else first + timedelta(days=6)
    starts = {held.starts_at for held in offer.agenda.held if held.counts}
    calls = calls_within(db, offer.owner, first, last)
    return [call for call in calls if call.starts_at in starts and first <= _day(call, offer) <= last]


def _day(call: Call, offer: Offer) -> date:
    return call.starts_at.astimezone(offer.zone).date()
