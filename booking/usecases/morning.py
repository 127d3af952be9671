"""The morning mail: on every business day one, shortly before opening, with what the owner should know by then.

Each owner has one job that composes it, and is due again for the next day as soon as it has. Composing is one
transaction under the owner's lock: the notices that wait are taken along (they count as done), and the mail is written
into the outbox; from there it leaves like any other. The mail holds only which notices it tells: what it says is
gathered when it leaves, so that nothing of a client is kept twice.
"""

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from booking.mail.facts import MorningFacts, read_facts
from booking.rules.lifecycle import State
from booking.rules.quiet import Morning, next_morning
from booking.store import outbox
from booking.store.models import Calendar, Call, Job, Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import silence
from booking.usecases.day import calls_between, day_window
from booking.usecases.hearing import MORNING, is_notice, job_heard_at, working_time
from booking.usecases.notify import House, facts_of, is_stale
from booking.usecases.stuck import count_stuck

ASK_AGAIN: Final = timedelta(days=1)
"""When the hours of an owner who keeps none are looked at again, at the latest."""
_DAY: Final = timedelta(days=1)


def misplanned(db: Session) -> list[int]:
    """Return the owners without a job for the morning mail, and those whose hours have changed since it was planned."""
    known = {job.owner_id: job.payload["hours"] for job in db.scalars(select(Job).where(Job.kind == MORNING))}
    return [owner.id for owner in db.scalars(select(Owner).order_by(Owner.id)) if known.get(owner.id) != _hours(owner)]


def plan(db: Session, owner_id: int, now: datetime) -> None:
    """Make sure that an owner has exactly one job for the morning mail, and decide anew when all that waits leaves."""
    lock_owner(db, owner_id=owner_id)
    owner, job = db.get_one(Owner, owner_id), _job_of(db, owner_id)
    if job is None:
        db.add(_first_job(owner, now))
        return
    told = job.payload["told"]
    values = {"not_before": _due_at(owner, told, now), "payload": {"told": told, "hours": _hours(owner)}}
    if outbox.change(db, job, values, now):
        for notice in _waiting(db, owner, now):
            outbox.change(db, notice, {"not_before": job_heard_at(db, notice, now)}, now)


def compose(db: Session, house: House, owner_id: int, now: datetime) -> datetime:
    """Write the morning mail into the outbox if one is due; return when to look again.

    Done twice it is done once: the day is noted in the same transaction.
    """
    lock_owner(db, owner_id=owner_id)
    owner, job = db.get_one(Owner, owner_id), _job_of(db, owner_id)
    if job is None:
        return now + ASK_AGAIN
    morning = _next(owner, job.payload["told"], now)
    if morning is not None and morning.at <= now:
        _compose(db, house, owner, morning.day, now)
        job.payload = {**job.payload, "told": morning.day.isoformat()}
        db.flush()
    return _due_at(owner, job.payload["told"], now)


def mail_facts(db: Session, house: House, job: Job, now: datetime) -> MorningFacts:
    """Return what a morning mail says at this moment."""
    owner = db.get_one(Owner, job.owner_id)
    window = day_window(owner, date.fromisoformat(job.payload["day"]))
    of_day = [call for call in calls_between(db, owner, window) if call.state == State.CONFIRMED and call.ends_at > now]
    told = select(Job).where(Job.number.in_(job.payload["notices"])).order_by(Job.number)
    desk = f"{house.base_url}/desk"
    return MorningFacts(
        recipient=owner.email,
        locale=owner.locale,
        timezone=owner.timezone,
        discretion=owner.discretion,
        day=window.start,
        calls=[facts_of(house, call, "booked", "owner") for call in of_day],
        requests=[facts_of(house, call, "requested", "owner") for call in _open_requests(db, owner, now)],
        news=[read_facts(notice.payload) for notice in db.scalars(told) if notice.payload],  # erased: nobody's news
        silent=[silence.facts_of(calendar, "calendar_silent") for calendar in _silent(db, owner)],
        stuck=count_stuck(db, owner, now),
        link=desk,
        stuck_link=f"{desk}/messages?which=stuck",
    )


def _compose(db: Session, house: House, owner: Owner, day: date, now: datetime) -> None:
    """Write the mail of one day, with all that waits; nothing where there is nothing to say."""
    mail = Job(
        id=f"{MORNING}-{owner.id}-{day}",  # one a day: the database refuses a second one
        owner_id=owner.id,
        kind="mail",
        group=f"{MORNING}.mail.{owner.id}",
        payload={"message": MORNING, "to": "owner", "day": day.isoformat(), "notices": _take_along(db, owner, now)},
        created_at=now,
        not_before=now,
    )
    if not mail_facts(db, house, mail, now).is_empty():
        db.add(mail)


def _take_along(db: Session, owner: Owner, now: datetime) -> list[int]:
    """Take the notices that wait, and those of an earlier morning mail that could not leave; return their numbers."""
    waiting = {job.number: job for job in _waiting(db, owner, now)}
    numbers: list[int] = []
    for number in outbox.take_along(db, list(waiting), now):
        numbers += waiting[number].payload.get("notices", [number])
    return sorted(numbers)


def _waiting(db: Session, owner: Owner, now: datetime) -> list[Job]:
    """Return the notices that have not left, and morning mails that could not."""
    mine = (Job.owner_id == owner.id, Job.kind == "mail", Job.done_at.is_(None), Job.parked_at.is_(None))
    notices = (job for job in db.scalars(select(Job).where(*mine).order_by(Job.number)) if is_notice(job))
    return [job for job in notices if not is_stale(db, job, now)]


def _first_job(owner: Owner, now: datetime) -> Job:
    """Make the job; a day that has begun for the owner already gets no morning mail any more."""
    today = now.astimezone(ZoneInfo(owner.timezone)).date()
    told = (today - _DAY).isoformat()
    morning = _next(owner, told, now)
    if morning is not None and morning.day == today and morning.at <= now:
        told = today.isoformat()
    return Job(
        id=f"{MORNING}-{owner.id}",  # one for each owner: the database refuses a second one
        owner_id=owner.id,
        kind=MORNING,
        group=f"{MORNING}.{owner.id}",
        payload={"told": told, "hours": _hours(owner)},
        created_at=now,
        not_before=_due_at(owner, told, now),
    )


def _due_at(owner: Owner, told: str, now: datetime) -> datetime:
    morning = _next(owner, told, now)
    return morning.at if morning else now + ASK_AGAIN


def _next(owner: Owner, told: str, now: datetime) -> Morning | None:
    return next_morning(now, working_time(owner, now), date.fromisoformat(told))


def _hours(owner: Owner) -> str:
    """Return a hash of all that decides when an owner is at work."""
    holidays = [owner.holiday_country, owner.holiday_region, owner.holidays_worked]
    decisive = [owner.timetable.to_json(), owner.timezone, owner.morning_minutes, *holidays]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _job_of(db: Session, owner_id: int) -> Job | None:
    mine = select(Job).where(Job.owner_id == owner_id, Job.kind == MORNING)
    return db.scalar(mine.execution_options(populate_existing=True))


def _open_requests(db: Session, owner: Owner, now: datetime) -> list[Call]:
    waiting = select(Call).where(Call.owner_id == owner.id, Call.state == State.REQUESTED, Call.starts_at > now)
    return list(db.scalars(waiting.order_by(Call.answer_by, Call.starts_at).options(joinedload(Call.call_type))))


def _silent(db: Session, owner: Owner) -> list[Calendar]:
    untold = (Calendar.silence_told_at.is_not(None), Calendar.paused_at.is_(None))
    return list(db.scalars(select(Calendar).where(Calendar.owner_id == owner.id, *untold).order_by(Calendar.id)))
