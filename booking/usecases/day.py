"""The owner's days: what is next, what one day holds, and what waits while the owner must not be disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from booking.calendars.titles import title_of
from booking.rules.day import HeldStretch, Stretch, lay_out
from booking.rules.hours import open_periods
from booking.rules.lifecycle import HOLDS_TIME
from booking.rules.period import Period
from booking.rules.quiet import next_opening
from booking.store.accounts import DeskSession, PhoneTask
from booking.store.models import Calendar, CalendarResource, Call, HeldPeriod, Job, Owner
from booking.usecases.availability import COUNTS, holidays_of
from booking.usecases.hearing import is_notice, working_time
from booking.usecases.placing import known_as_ours

AHEAD: Final = timedelta(days=14)
"""How far ahead the coming days are shown."""


MOST_TITLED: Final = 60
"""Events of one day that are told apart; nobody reads more."""


@dataclass(frozen=True)
class Event:
    """An event in one of the owner's calendars that blocks; its title is for the owner alone."""

    period: Period
    title: str
    calendar: str


@dataclass(frozen=True)
class Agenda:
    """One day of the owner, laid out; ``what`` of a stretch counts in ``calls`` or ``events``."""

    calls: Sequence[Call]
    events: Sequence[Event]
    stretches: Sequence[Stretch]


def day_window(owner: Owner, day: date) -> Period:
    """Return a day of the owner, from midnight to midnight, in UTC."""
    zone = ZoneInfo(owner.timezone)
    edges = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return Period(*(edge.astimezone(UTC) for edge in edges))


def quiet_until(owner: Owner, now: datetime) -> datetime | None:
    """Return when business begins again; ``None`` in business hours, and where there are none at all."""
    opens = next_opening(now, working_time(owner, now))
    return opens if opens is not None and opens > now else None


def calls_between(db: Session, owner: Owner, window: Period) -> list[Call]:
    """Return the calls that hold time and touch ``window``, earliest first."""
    mine = select(Call).where(Call.owner_id == owner.id, Call.state.in_(HOLDS_TIME))
    touching = mine.where(Call.starts_at > window.start - timedelta(days=1), Call.starts_at < window.end)
    calls = db.scalars(touching.order_by(Call.starts_at).options(joinedload(Call.call_type)))
    return [call for call in calls if call.ends_at > window.start]


def load_day(db: Session, owner: Owner, day: date, now: datetime) -> Agenda:
    """Lay out one day of the owner: calls with their buffers, events, what is left of the business hours."""
    window = day_window(owner, day)
    calls = calls_between(db, owner, window)
    held = _held(db, calls)
    events = events_between(db, owner, window)
    zone = ZoneInfo(owner.timezone)
    hours = open_periods(owner.timetable, zone, holidays_of(owner, now), day, day)
    stretches = lay_out(window, held, [event.period for event in events], hours)
    return Agenda(calls, events, stretches)


def events_between(db: Session, owner: Owner, window: Period) -> list[Event]:
    """Return the events that block in ``window``, earliest first; our own are calls, and no events.

    Only the first :data:`MOST_TITLED` have a title: each is read from an object of its own.
    """
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    found: list[tuple[Period, Calendar, str]] = []
    for calendar in db.scalars(select(Calendar).where(Calendar.owner_id == owner.id, COUNTS)).all():
        ours = known_as_ours(db, calendar.id, calendar.read_at or window.start)
        objects = select(CalendarResource.href, CalendarResource.uid, CalendarResource.busy)
        for href, uid, timeline in db.execute(objects.where(CalendarResource.calendar_id == calendar.id)):
            periods = timeline.clipped(start, end).periods()
            if periods and timeline not in ours.get(uid, ()):
                found += [(period, calendar, href) for period in periods]
    found.sort(key=lambda each: each[0])
    return [
        Event(period, _title(db, calendar, href, period, owner) if place < MOST_TITLED else "", calendar.name)
        for place, (period, calendar, href) in enumerate(found)
    ]


def _title(db: Session, calendar: Calendar, href: str, period: Period, owner: Owner) -> str:
    ics = db.get_one(CalendarResource, (calendar.id, href)).ics
    return title_of(ics, period.start, ZoneInfo(owner.timezone))


def waiting_news(db: Session, owner: Owner, now: datetime) -> list[dict[str, Any]]:
    """Return the facts of the notices that wait for business hours, oldest first.

    So does what a morning mail tells that has not left yet.
    """
    mails = select(Job).where(Job.owner_id == owner.id, Job.kind == "mail", Job.done_at.is_(None))
    notices = [job for job in db.scalars(mails.order_by(Job.number)) if is_notice(job)]
    told = [number for job in notices for number in job.payload.get("notices", ())]
    single = [job for job in notices if "notices" not in job.payload]
    waiting = [job for job in single if job.parked_at is None and job.not_before > now]
    taken_along = db.scalars(select(Job).where(Job.number.in_(told)).order_by(Job.number)).all() if told else []
    return [job.payload for job in (*taken_along, *waiting) if job.payload]


def next_call(db: Session, owner: Owner, now: datetime) -> Call | None:
    """Return the call that is going on, or comes next; a confirmed one, or one that is only requested."""
    mine = select(Call).where(Call.owner_id == owner.id, Call.state.in_(HOLDS_TIME), Call.ends_at > now)
    soon = mine.where(Call.starts_at > now - timedelta(days=1)).order_by(Call.starts_at).limit(1)
    return db.scalar(soon.options(joinedload(Call.call_type)))


def open_tasks(db: Session, owner: Owner) -> list[PhoneTask]:
    """Return what is still to be told by phone, oldest first."""
    tasks = select(PhoneTask).where(PhoneTask.owner_id == owner.id, PhoneTask.done_at.is_(None))
    return list(db.scalars(tasks.order_by(PhoneTask.id).options(joinedload(PhoneTask.call))))


def show_waiting(db: Session, session: str, until: datetime) -> None:
    """Let one browser (by its session's hash) see what waits, until business begins."""
    mine = update(DeskSession).where(DeskSession.token_hash == session)
    db.execute(mine.values(shows_waiting_until=until).execution_options(synchronize_session=False))


def _held(db: Session, calls: Sequence[Call]) -> list[HeldStretch]:
    rows = db.scalars(select(HeldPeriod).where(HeldPeriod.call_id.in_([call.id for call in calls])))
    held = {row.call_id: Period(row.starts_at, row.ends_at) for row in rows}
    own = {call.id: Period(call.starts_at, call.ends_at) for call in calls}
    return [HeldStretch(own[call.id], held.get(call.id, own[call.id])) for call in calls]
