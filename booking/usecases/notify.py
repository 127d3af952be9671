"""Who hears what, and when: facts for mails and the calendar, written into the outbox.

Clients hear at once. The owner's notices obey quiet time (:mod:`booking.usecases.hearing`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.errors import CapReached
from booking.mail.messages import CallFacts
from booking.rules.lifecycle import Actor, State
from booking.rules.quiet import is_quiet
from booking.rules.reminders import next_night, reminder_times
from booking.signing import LINK_FROM_MAIL, Signing
from booking.store.accounts import PhoneTask
from booking.store.models import Call, Job, Owner
from booking.store.outbox import DROPPED
from booking.store.owner_lock import lock_count
from booking.usecases.availability import is_bookable, lengths_of
from booking.usecases.hearing import REMINDER, call_heard_at, working_time
from booking.usecases.wording import wording_of

FIRST_MAILS: Final = frozenset({"booked", "requested", "corrected", "moved"})
"""What a stranger could cause by typing in somebody else's address."""
TOLD_BY_PHONE: Final = frozenset({"moved", "cancelled", "confirmed", "declined"})
"""What a client has to hear who did not do it, and gave no address."""
FIRST_MAILS_A_DAY: Final = 3
"""Mails to one address that never used a link of its mails: nobody can be bombed through us."""
LEFT: Final = "left"
LATEST_REMINDER: Final = timedelta(hours=2)
"""A reminder that could not leave for so long is not sent any more."""
OWNER_REMINDED: Final = timedelta(hours=1)
"""How long before a call in quiet time its owner is reminded of it."""


@dataclass(frozen=True)
class House:
    """What a use case needs to speak for this installation."""

    base_url: str
    signing: Signing
    token: Callable[[], str]

    @property
    def host(self) -> str:
        """The host name that UIDs and Message-IDs end in."""
        return host_of(self.base_url)


def host_of(base_url: str) -> str:
    """Return the host name of this installation's public address."""
    return urlsplit(base_url).hostname or "localhost"


def desk_link(base_url: str, call_id: str) -> str:
    """Return the address of a call's page at its owner's desk."""
    return f"{base_url}/desk/calls/{call_id}"


def tell_client(
    db: Session, house: House, call: Call, message: str, now: datetime, *, by: Actor = Actor.CLIENT, **more: Any
) -> None:
    """Write the client's mail into the outbox; for a client without an address the owner gets a task instead.

    :param by: who caused it: what an owner causes is no stranger's doing, and counts for no cap.
    :param more: further facts of :class:`booking.mail.messages.CallFacts`.
    :raises CapReached: ``address``, where a mail that a stranger could cause is one too many today.
    """
    if not call.email:
        _tell_by_phone(db, call, message, now, by)
        return
    address = ""
    if message in FIRST_MAILS and by is not Actor.OWNER:
        address = house.signing.keyed_hash("address", call.email.lower())
        lock_count(db, address)
        if _first_mails(db, address, now) >= FIRST_MAILS_A_DAY and not _is_proved(db, call.email, address):
            raise CapReached("address")
    facts = replace(facts_of(house, call, message, "client"), **more)
    job = _job(house, call, "mail", "client", now)
    job.payload, job.first_mail_to = facts.to_payload(), address
    db.add(job)


def tell_owner(
    db: Session, house: House, call: Call, message: str, now: datetime, *, by: Actor = Actor.CLIENT, **more: Any
) -> None:
    """Write the owner's mail into the outbox: it leaves in business hours, or before a call that begins earlier.

    Of what owners do themselves they get none, and none of what waited to be told: they have seen the call.

    :param by: who caused it.
    :param more: further facts of :class:`booking.mail.messages.CallFacts`.
    """
    if by is Actor.OWNER:
        _drop_waiting(db, f"{call.id}.owner", now)
        return
    facts = replace(facts_of(house, call, message, "owner"), **more)
    job = _job(house, call, "mail", "owner", now)
    job.payload, job.not_before = facts.to_payload(), call_heard_at(call, now, facts.moved_from)
    db.add(job)


def remind(db: Session, house: House, call: Call, now: datetime) -> None:
    """Write the reminders of a call into the outbox, each for its time; any change of the call makes them stale.

    The owner has one where the call begins in quiet time: such a call stands only where they agreed to it.
    """
    for moment in reminders_of(call, now):
        latest = min(moment + LATEST_REMINDER, call.starts_at, next_night(moment, ZoneInfo(call.timezone)))
        db.add(_reminder(house, call, "client", now, moment, latest))
    moment = call.starts_at - OWNER_REMINDED
    if moment > now and is_quiet(call.starts_at, working_time(call.owner, now)):
        db.add(_reminder(house, call, "owner", now, moment, call.starts_at))


def reminders_of(call: Call, since: datetime) -> list[datetime]:
    """Return when the client of a call that was booked, or last changed, at ``since`` is reminded of it.

    Under neutral discretion only a client who asked for it is reminded.
    """
    if not call.email or (call.owner.discretion == "neutral" and not call.wants_reminders):
        return []
    before = [timedelta(minutes=int(minutes)) for minutes in call.call_type.reminders.split()]
    return reminder_times(call.starts_at, before, ZoneInfo(call.timezone), since)


def decide_later(db: Session, house: House, call: Call, now: datetime) -> None:
    """Write into the outbox that the clock must answer a request."""
    db.add(_job(house, call, "decide", "decide", now))


def write_calendar(db: Session, house: House, call: Call, now: datetime) -> None:
    """Write into the outbox that the calendar must show the call's current state."""
    db.add(_job(house, call, "calendar", "calendar", now))


def remove_left(db: Session, house: House, call: Call, now: datetime) -> None:
    """Write into the outbox that the call's event must go from calendars that do not take the call any more.

    Apart from writing the call's event, which must not wait for that.
    """
    db.add(_job(house, call, "calendar", LEFT, now))


def is_about_left(job: Job) -> bool:
    """Say whether a job was written by :func:`remove_left`."""
    return job.group.endswith(f".{LEFT}")


def is_stale(db: Session, job: Job, now: datetime) -> bool:
    """Say whether a mail has nothing to tell any more.

    A reminder that comes too late, or of a call that has changed since, says nothing true; the owner's is of no use
    where the call begins in business hours by now. An owner who never heard of a call that is cancelled meanwhile need
    not hear that it was booked. A client whose data was erased is not written to.
    """
    if not job.payload or (job.not_after is not None and now >= job.not_after):
        return True
    call = db.get(Call, job.call_id) if job.call_id else None
    if call is None:
        return False
    if job.payload["message"] == REMINDER:
        is_needed = job.payload["to"] != "owner" or is_quiet(call.starts_at, working_time(call.owner, now))
        return call.state != State.CONFIRMED or call.sequence != job.payload["sequence"] or not is_needed
    is_news_to_owner = job.payload["to"] == "owner" and job.payload["message"] in ("booked", "corrected")
    return is_news_to_owner and call.state == State.CANCELLED


def _tell_by_phone(db: Session, call: Call, message: str, now: datetime, by: Actor) -> None:
    """Leave the owner the task of telling a client who gave no address; what has changed again is not told any more."""
    open_tasks = update(PhoneTask).where(PhoneTask.call_id == call.id, PhoneTask.done_at.is_(None))
    db.execute(open_tasks.values(done_at=now).execution_options(synchronize_session=False))
    if message in TOLD_BY_PHONE and by is not Actor.CLIENT:
        db.add(PhoneTask(owner_id=call.owner_id, call_id=call.id, message=message, created_at=now))


def _drop_waiting(db: Session, group: str, now: datetime) -> None:
    is_waiting = Job.done_at.is_(None) & Job.parked_at.is_(None) & Job.sending_at.is_(None)
    waiting = update(Job).where(Job.group == group, is_waiting).values(done_at=now, last_error=DROPPED)
    db.execute(waiting.execution_options(synchronize_session=False))


def _reminder(house: House, call: Call, to: str, now: datetime, at: datetime, until: datetime) -> Job:
    whose = f"reminder.{at:%Y%m%dT%H%M}.{call.sequence}" if to == "client" else f"reminder.owner.{call.sequence}"
    job = _job(house, call, "mail", whose, now)
    job.payload, job.not_before, job.not_after = facts_of(house, call, REMINDER, to).to_payload(), at, until
    return job


def _job(house: House, call: Call, kind: str, to: str, now: datetime) -> Job:
    return Job(
        id=house.token(),
        owner_id=call.owner_id,
        kind=kind,
        call_id=call.id,
        group=f"{call.id}.{to}",
        payload={},
        created_at=now,
        not_before=now,
    )


def _is_proved(db: Session, email: str, address: str) -> bool:
    """Say whether somebody who reads this address's mails has used a link that only they hold.

    The call must still have the address: one that was corrected since proves nothing of the old one.
    """
    told = select(Call.id).join(Job, Job.call_id == Call.id).where(Job.first_mail_to == address)
    proved = told.where(func.lower(Call.email) == email.lower(), Call.address_proved_at.is_not(None))
    return db.scalar(proved.limit(1)) is not None


def _first_mails(db: Session, address: str, now: datetime) -> int:
    since = now - timedelta(days=1)
    return db.scalar(select(func.count()).where(Job.first_mail_to == address, Job.created_at > since)) or 0


def facts_of(house: House, call: Call, message: str, to: str) -> CallFacts:
    """Return what a mail about a call is made of; ``to`` is ``client`` or ``owner``."""
    owner: Owner = call.owner
    to_client = to == "client"
    link = house.signing.link_token(call.id, call.link_version, LINK_FROM_MAIL)
    return CallFacts(
        message=message,
        to=to,
        recipient=call.email if to_client else owner.email,
        locale=call.locale if to_client else owner.locale,
        timezone=call.timezone if to_client else owner.timezone,
        owner_name=owner.name,
        owner_email=owner.email,
        owner_timezone=owner.timezone,
        owner_phone=owner.phone,
        caller_id=owner.caller_id,
        discretion=owner.discretion,
        sender_name=owner.sender_name,
        signature=owner.signature,
        call_id=call.id,
        starts_at=call.starts_at,
        ends_at=call.ends_at,
        call_type_name=wording_of(call.call_type, owner.locale, call.locale if to_client else owner.locale).name,
        who_calls=call.who_calls,
        client_name=call.name,
        client_phone=call.phone,
        client_email=call.email,
        note=call.note,
        answers=call.answers,
        client_timezone=call.timezone,
        ics_uid=call.ics_uid,
        sequence=call.sequence,
        link=f"{house.base_url}/c/{link}" if to_client else desk_link(house.base_url, call.id),
        booking_url=booking_url(house, call),
        unusual_minutes=_unusual_minutes(call),
        answer_by=call.answer_by,
    )


def booking_url(house: House, call: Call) -> str:
    """Return where another call can be chosen: of the same type, or of any where that one can't be booked any more."""
    page = f"{house.base_url}/{call.owner.slug}"
    return f"{page}/{call.call_type.slug}" if is_bookable(call.call_type) else page


def _unusual_minutes(call: Call) -> int:
    minutes = int((call.ends_at - call.starts_at).total_seconds() // 60)
    is_offered = minutes in lengths_of(call.call_type)
    return minutes if is_offered and minutes != call.call_type.minutes else 0
