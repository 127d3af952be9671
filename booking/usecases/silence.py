"""A calendar that falls silent: its owner is told once when it begins, and once when it is over."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.mail.messages import CalendarFacts
from booking.store.models import Calendar, Job
from booking.store.outbox import DROPPED
from booking.usecases.availability import FRESH_FOR
from booking.usecases.hearing import calendar_heard_at
from booking.usecases.notify import House


def note_silence(db: Session, house: House, calendar_id: int, now: datetime) -> None:
    """Tell the owner, once, that a calendar is unknown by now; the owner's lock must be held."""
    calendar = db.get(Calendar, calendar_id)
    if calendar is None or calendar.silence_told_at is not None or calendar.paused_at is not None:
        return
    if calendar.read_at is not None and now - calendar.read_at <= FRESH_FOR:
        return
    calendar.silence_told_at = now
    db.add(_job(db, house, calendar, "calendar_silent", now))


def note_answer(db: Session, house: House, calendar_id: int, now: datetime) -> None:
    """Tell the owner that a calendar answers again; where nobody heard of its silence, nobody hears of its end."""
    calendar = db.get(Calendar, calendar_id)
    if calendar is None or calendar.silence_told_at is None:
        return
    calendar.silence_told_at = None
    is_open = Job.done_at.is_(None) & Job.parked_at.is_(None) & Job.sending_at.is_(None)
    waiting = update(Job).where(Job.group == _group(calendar), is_open)
    unheard = waiting.values(done_at=now, last_error=DROPPED).returning(Job.payload)
    closed = db.scalars(unheard.execution_options(synchronize_session=False)).all()
    # A "back" among them means that an earlier silence was heard of, and its end not yet.
    if not closed or any(payload["message"] == "calendar_back" for payload in closed):
        db.add(_job(db, house, calendar, "calendar_back", now))


def facts_of(calendar: Calendar, message: str) -> CalendarFacts:
    """Return what a mail about a calendar is made of."""
    owner = calendar.owner
    return CalendarFacts(
        message=message,
        recipient=owner.email,
        locale=owner.locale,
        timezone=owner.timezone,
        calendar_name=calendar.name or calendar.url,
        error_kind=calendar.error_kind,
        silent_since=calendar.read_at,
    )


def _job(db: Session, house: House, calendar: Calendar, message: str, now: datetime) -> Job:
    return Job(
        id=house.token(),
        owner_id=calendar.owner_id,
        kind="mail",
        group=_group(calendar),
        payload=facts_of(calendar, message).to_payload(),
        created_at=now,
        not_before=calendar_heard_at(db, calendar.owner, now),
    )


def _group(calendar: Calendar) -> str:
    return f"calendar.{calendar.id}"
