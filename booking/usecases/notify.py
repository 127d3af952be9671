"""Who hears what, and when: facts for mails and the calendar, written into the outbox.

Clients hear at once. The owner's notices wait for business hours, unless the call starts before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.errors import CapReached
from booking.mail.messages import CallFacts
from booking.rules.lifecycle import State
from booking.rules.quiet import notice_time
from booking.signing import LINK_FROM_MAIL, Signing
from booking.store.models import Call, Job, Owner
from booking.usecases.availability import holidays_of

FIRST_MAILS_A_DAY: Final = 3
"""Mails to one address that never used a link of its mails: nobody can be bombed through us."""


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


def tell_client(db: Session, house: House, call: Call, message: str, now: datetime, actor: str = "") -> None:
    """Write the client's mail into the outbox; a client without an address gets none.

    :raises CapReached: ``address``, where a mail that a stranger could cause is one too many today.
    """
    if not call.email:
        return
    address = ""
    if message in ("booked", "corrected"):
        address = house.signing.keyed_hash("address", call.email.lower())
        if _first_mails(db, address, now) >= FIRST_MAILS_A_DAY and not _is_proved(db, call.email, address):
            raise CapReached("address")
    facts = _facts(house, call, message, "client", actor)
    job = _job(house, call, "mail", "client", now)
    job.payload, job.first_mail_to = facts.to_payload(), address
    db.add(job)


def tell_owner(db: Session, house: House, call: Call, message: str, now: datetime, actor: str = "") -> None:
    """Write the owner's mail into the outbox: it leaves in business hours, or before a call that starts earlier."""
    facts = _facts(house, call, message, "owner", actor)
    job = _job(house, call, "mail", "owner", now)
    job.payload, job.not_before = facts.to_payload(), _owner_hears(call, now)
    db.add(job)


def write_calendar(db: Session, house: House, call: Call, now: datetime) -> None:
    """Write into the outbox that the calendar must show the call's current state."""
    db.add(_job(house, call, "calendar", "calendar", now))


def is_stale(db: Session, job: Job) -> bool:
    """Say whether a mail has nothing to tell any more.

    An owner who never heard of a call that is cancelled meanwhile need not hear that it was booked; and a
    client whose data was erased is not written to.
    """
    if not job.payload:
        return True
    is_news_to_owner = job.payload["to"] == "owner" and job.payload["message"] != "cancelled"
    return is_news_to_owner and db.scalar(select(Call.state).where(Call.id == job.call_id)) == State.CANCELLED


def _owner_hears(call: Call, now: datetime) -> datetime:
    owner = call.owner
    lead = timedelta(minutes=owner.morning_minutes)
    heard = notice_time(now, owner.timetable, ZoneInfo(owner.timezone), holidays_of(owner, now), lead)
    return heard if heard < call.starts_at else now


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


def _facts(house: House, call: Call, message: str, to: str, actor: str) -> CallFacts:
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
        call_id=call.id,
        starts_at=call.starts_at,
        ends_at=call.ends_at,
        call_type_name=call.call_type.name,
        who_calls=call.who_calls,
        client_name=call.name,
        client_phone=call.phone,
        client_email=call.email,
        note=call.note,
        client_timezone=call.timezone,
        ics_uid=call.ics_uid,
        sequence=call.sequence,
        link=f"{house.base_url}/c/{link}" if to_client else "",
        booking_url=f"{house.base_url}/{owner.slug}",
        cancelled_by=actor,
    )
