"""When an owner hears of something: what the rule of quiet time has to know of a notice, of its call and its owner.

:mod:`booking.rules.quiet` decides; here is only gathered what it asks for.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.rules.lifecycle import HOLDS_TIME
from booking.rules.quiet import Notice, WorkingTime, leaves_at
from booking.store.models import Call, Job, Owner
from booking.usecases.availability import holidays_of

MORNING = "morning"
"""The message of the morning mail; the job that composes it is of this kind."""
REMINDER = "reminder"


def working_time(owner: Owner, now: datetime) -> WorkingTime:
    """Return when an owner is at work."""
    lead = timedelta(minutes=owner.morning_minutes)
    return WorkingTime(owner.timetable, ZoneInfo(owner.timezone), holidays_of(owner, now), lead)


def call_heard_at(call: Call, now: datetime, moved_from: datetime | None = None) -> datetime:
    """Return when a notice about a call leaves: one that was moved must be heard of before its old time, too."""
    return leaves_at(_about(call, moved_from), now, working_time(call.owner, now))


def calendar_heard_at(db: Session, owner: Owner, now: datetime) -> datetime:
    """Return when a notice about a calendar leaves: it threatens the next call."""
    return leaves_at(_about_calendar(db, owner.id, now), now, working_time(owner, now))


def job_heard_at(db: Session, job: Job, now: datetime) -> datetime:
    """Return when a mail may be read: a client's at once; the owner's not in quiet time, though it was due before."""
    if job.payload["to"] != "owner":
        return now
    return leaves_at(_notice(db, job, now), now, working_time(db.get_one(Owner, job.owner_id), now))


def is_notice(job: Job) -> bool:
    """Say whether a mail tells its owner something unasked, a morning mail too: such a one obeys quiet time."""
    is_asked_for = job.payload.get("message") == REMINDER or "way_in" in job.payload
    return job.payload.get("to") == "owner" and not is_asked_for


def _notice(db: Session, job: Job, now: datetime) -> Notice:
    if not is_notice(job):
        return Notice(is_asked_for=True)
    if job.payload["message"] == MORNING:
        return Notice(morning_of=date.fromisoformat(job.payload["day"]))
    if job.call_id is None:
        return _about_calendar(db, job.owner_id, now)
    moved_from = job.payload.get("moved_from")
    return _about(db.get_one(Call, job.call_id), datetime.fromisoformat(moved_from) if moved_from else None)


def _about(call: Call, moved_from: datetime | None) -> Notice:
    return Notice(begins=(call.starts_at,) if moved_from is None else (call.starts_at, moved_from))


def _about_calendar(db: Session, owner_id: int, now: datetime) -> Notice:
    ahead = (Call.owner_id == owner_id, Call.starts_at > now, Call.state.in_(HOLDS_TIME))
    begins = db.scalar(select(func.min(Call.starts_at)).where(*ahead))
    return Notice(begins=() if begins is None else (begins,))
