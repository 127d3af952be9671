"""What leaves for one owner: mails that went, wait or failed, calendar entries that are stuck."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.mail.facts import Facts, read_facts
from booking.store import outbox
from booking.store.accounts import PhoneTask, WayIn
from booking.store.models import Call, Job, Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import away, morning, ways_in
from booking.usecases.day import quiet_until
from booking.usecases.hearing import MORNING
from booking.usecases.notify import House, is_stale
from booking.usecases.stuck import count_stuck as count_stuck
from booking.usecases.stuck import is_stuck

ON_A_PAGE: Final = 25
NEVER_BY_PHONE: Final = frozenset({"reminder", "requested"})
"""What nobody needs to be told by phone."""
HIDDEN_LINK: Final = "…"


class Which(StrEnum):
    """Which messages are looked at."""

    ALL = "all"
    WAITING = "waiting"
    STUCK = "stuck"


@dataclass(frozen=True)
class Message:
    """A job of the outbox, and the call that it is about."""

    job: Job
    call: Call | None


@dataclass(frozen=True)
class Found:
    """One page of messages, newest first; ``has_more`` says that there is another one."""

    messages: Sequence[Message]
    has_more: bool


def list_messages(db: Session, owner: Owner, which: Which, page: int, now: datetime) -> Found:
    """Return the messages of one owner, newest first."""
    is_mail = Job.kind == "mail"
    is_waiting = is_mail & Job.done_at.is_(None) & Job.parked_at.is_(None)
    wanted = {Which.ALL: or_(is_mail, is_stuck(now)), Which.WAITING: is_waiting, Which.STUCK: is_stuck(now)}[which]
    rows = select(Job, Call).outerjoin(Call, Call.id == Job.call_id).where(Job.owner_id == owner.id, wanted)
    newest = rows.order_by(Job.number.desc()).offset(page * ON_A_PAGE).limit(ON_A_PAGE + 1)
    found = [Message(job, call) for job, call in db.execute(newest)]
    return Found(found[:ON_A_PAGE], len(found) > ON_A_PAGE)


def find_message(db: Session, owner: Owner, message_id: str) -> Message | None:
    """Return one message of this owner: a mail, or an entry for the calendar."""
    mine = (Job.owner_id == owner.id, Job.id == message_id, Job.kind.in_(("mail", "calendar")))
    row = db.execute(select(Job, Call).outerjoin(Call, Call.id == Job.call_id).where(*mine)).first()
    return Message(row[0], row[1]) if row else None


def count_alarms(db: Session, owner: Owner, now: datetime, shown_until: datetime | None) -> int:
    """Count what is stuck and worth a word right now.

    In quiet time that is only what threatens a call before it is over, unless the owner wanted to see what waits.

    :param shown_until: until when this browser shows what waits.
    """
    stuck = count_stuck(db, owner, now)
    until = quiet_until(owner, now) if stuck else None
    if until is None or (shown_until is not None and shown_until > now):
        return stuck
    return count_stuck(db, owner, now, before=until)


def facts_of(db: Session, house: House, job: Job) -> Facts | None:
    """Return what a mail says; ``None`` where that was forgotten. A link into the desk is never shown."""
    if not job.payload:
        return None
    if job.payload["message"] == MORNING:
        return morning.mail_facts(db, house, job, job.created_at)
    if away.is_about_absence(job):
        return away.mail_facts(job)
    if "way_in" not in job.payload:
        return read_facts(job.payload)
    if db.get(WayIn, job.payload["way_in"]) is None:
        return None
    return replace(ways_in.mail_facts(db, house, job.payload["way_in"]), link=HIDDEN_LINK)


def is_pointless(db: Session, job: Job, now: datetime) -> bool:
    """Say whether a mail has nothing to tell any more, so that trying again would send nothing."""
    if job.kind != "mail":
        return False
    if is_stale(db, job, now):
        return True
    if away.is_about_absence(job):
        return away.is_over(db, job)
    return "way_in" in job.payload and ways_in.is_over(db, job.payload["way_in"], now)


def is_overtaken(db: Session, job: Job) -> bool:
    """Say whether the same reader was sent, or waits for, something later about the same call."""
    later = select(Job.number).where(Job.group == job.group, Job.number > job.number, Job.kind == "mail")
    told = later.where(Job.last_error.not_in((outbox.DROPPED, outbox.SET_ASIDE)))
    return job.kind == "mail" and job.call_id is not None and db.scalar(told.limit(1)) is not None


def can_be_told_by_phone(message: Message, now: datetime) -> bool:
    """Say whether what a mail was to tell a client can be told by phone instead."""
    job, call = message.job, message.call
    is_to_client = job.kind == "mail" and job.payload.get("to") == "client"
    if not is_to_client or call is None or not call.phone or call.ends_at <= now:
        return False
    return job.payload["message"] not in NEVER_BY_PHONE


def retry(db: Session, message: Message, now: datetime) -> None:
    """Let a message that failed begin anew at once.

    :raises NotWaiting: it is being done or done, or nothing has failed.
    """
    lock_owner(db, owner_id=message.job.owner_id)
    outbox.release(db, message.job.number, now)


def drop(db: Session, message: Message, now: datetime, *, by_phone: bool) -> None:
    """Let a message never leave; ``by_phone`` leaves the owner the task of telling the client where that is possible.

    :raises NotWaiting: it is being done, or done.
    """
    lock_owner(db, owner_id=message.job.owner_id)
    outbox.set_aside(db, message.job.number, now)
    if by_phone and message.call is not None and can_be_told_by_phone(message, now):
        _tell_by_phone(db, message.call, str(message.job.payload["message"]), now)


def _tell_by_phone(db: Session, call: Call, what: str, now: datetime) -> None:
    same = (PhoneTask.call_id == call.id, PhoneTask.message == what, PhoneTask.done_at.is_(None))
    if db.scalar(select(PhoneTask.id).where(*same).limit(1)) is None:
        db.add(PhoneTask(owner_id=call.owner_id, call_id=call.id, message=what, created_at=now))
