"""Telling clients of an absence by mail, once each, when its owner says so.

An absence keeps the days that clients were told of; other days may be told once more. What waits in the outbox is not
sent if the absence is moved or removed before.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.errors import BookingError, NotFound
from booking.mail.facts import AwayFacts
from booking.rules import glide
from booking.rules.hours import Absence
from booking.rules.lifecycle import HOLDS_TIME, State
from booking.rules.period import Period
from booking.rules.reminders import after_night
from booking.store.accounts import ClientNote
from booking.store.models import Call, CallType, Job, Owner
from booking.store.outbox import DROPPED, SET_ASIDE
from booking.usecases.availability import holidays_of, is_bookable, load_offer
from booking.usecases.clients import contacts_of, is_blocked
from booking.usecases.hours import absence_from, with_absence
from booking.usecases.housekeeping import NEWS_OF_ABSENCES
from booking.usecases.notify import House, booking_url

LOOKS_BACK: Final = timedelta(days=90)
"""How long ago a call was, at most, with clients who are told."""
MOST_PEOPLE: Final = 300
"""Who had, or will have, the latest calls; more would look like a bulk sender's to a usual mail server."""
APART: Final = timedelta(seconds=3)
"""Between two mails, so that what others wait for leaves between them."""
TIMES_BEFORE: Final = 2
MESSAGE: Final = "away"


class ToldAlready(BookingError):
    """Clients were told of these very days."""


@dataclass(frozen=True)
class Person:
    """A client who is told. ``call`` is the latest one: it decides on language, zone and what can be booked."""

    call: Call
    has_call: bool
    """A call is ahead that the absence does not touch."""


@dataclass(frozen=True)
class Around:
    """The free starts around an absence: the last ones before it, the first one after it."""

    before: tuple[datetime, ...] = ()
    after: tuple[datetime, ...] = ()


def can_announce(absence: Absence, today: date) -> bool:
    """Say whether there are days that clients were not told of; what is over need not be told."""
    return absence.announced != absence.days and absence.last >= today


def people(db: Session, owner: Owner, absence: Absence, now: datetime) -> list[Person]:
    """Return who is told: clients with a call in the last 90 days or ahead, those with the latest calls first.

    Each person once, however the address is written. Only addresses with a call that was confirmed, or that were
    proved to be the client's; nobody who is blocked.
    """
    blocked = select(ClientNote.contact).where(ClientNote.owner_id == owner.id, ClientNote.blocked_at.is_not(None))
    unwanted = set(db.scalars(blocked))
    is_known = or_(
        Call.state == State.CONFIRMED, and_(Call.state == State.REQUESTED, Call.address_proved_at.is_not(None))
    )
    mine = select(Call).where(Call.owner_id == owner.id, Call.email != "", Call.ends_at > now - LOOKS_BACK, is_known)
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in db.scalars(mine.order_by(Call.starts_at.desc(), Call.id).options(joinedload(Call.call_type))):
        calls[call.email.lower()].append(call)
    zone = ZoneInfo(owner.timezone)
    span = Period(glide.begins(absence, zone), glide.ends(absence, zone))
    return [
        Person(theirs[0], _is_left_alone(theirs, span, now))
        for theirs in calls.values()
        if not any(contact in unwanted for call in theirs for contact in contacts_of(call.email, call.phone))
    ][:MOST_PEOPLE]


def announce(db: Session, house: House, owner: Owner, first: date, words: str, now: datetime) -> int:
    """Write the mails that tell of the absence that begins on ``first``; return how many. The owner's lock is held.

    Where there is nobody to tell, nothing is kept of it.

    :param words: the owner's own, in one line; may be empty.
    :raises NotFound: there is no such absence.
    :raises ToldAlready: clients were told of its days, or it is over.
    """
    absence = absence_from(owner.timetable, first)
    if absence is None:
        raise NotFound("no such absence")
    if not can_announce(absence, now.astimezone(ZoneInfo(owner.timezone)).date()):
        raise ToldAlready("clients were told of these days")
    days = {"first": absence.first.isoformat(), "last": absence.last.isoformat()}
    told = _told(db, owner, days)
    count = 0
    letters = Letters(db, house, owner, absence, words, now)
    for person in people(db, owner, absence, now):
        group = _group(house, owner, person.call.email)
        before = told.get(group)
        if before is not None and before.items() >= days.items():
            continue
        is_update = before is not None and bool(absence.announced)
        facts = letters.facts(person, is_update=is_update)
        leaves = after_night(now + APART * count, ZoneInfo(facts.timezone))
        db.add(_job(house, owner, group, facts, now, leaves, glide.ends(absence, ZoneInfo(owner.timezone))))
        count += 1
    if count:
        announced = replace(absence, announced=absence.days)
        owner.timetable = with_absence(owner.timetable, announced, instead_of=absence)
    return count


def is_about_absence(job: Job) -> bool:
    """Say whether a job is a mail that tells a client of an absence."""
    return bool(job.payload) and job.payload.get("message") == MESSAGE


def mail_facts(job: Job) -> AwayFacts:
    """Return what such a mail says."""
    return AwayFacts.from_payload(job.payload)


def is_over(db: Session, job: Job) -> bool:
    """Say whether such a mail has nothing to tell any more: other days hold, or the client is blocked meanwhile."""
    days = (date.fromisoformat(job.payload["first"]), date.fromisoformat(job.payload["last"]))
    owner = db.get_one(Owner, job.owner_id)
    if days not in [absence.days for absence in owner.timetable.absences]:
        return True
    return is_blocked(db, owner.id, job.payload["recipient"], "")


class Letters:
    """What the mails about one absence say; the free times around it are looked up once for each call type."""

    def __init__(self, db: Session, house: House, owner: Owner, absence: Absence, words: str, now: datetime) -> None:
        self._db, self._house, self._owner, self._now = db, house, owner, now
        self._absence, self._words = absence, words
        self._back = glide.of(owner.timetable, absence, holidays_of(owner, now)).back
        self._around: dict[int, Around] = {}

    def facts(self, person: Person, *, is_update: bool = False) -> AwayFacts:
        """Return what one client is told."""
        owner, absence, call = self._owner, self._absence, person.call
        is_neutral = owner.discretion == "neutral"  # then no address may name a call type
        around = Around() if is_neutral else self._times(call.call_type)
        return AwayFacts(
            recipient=call.email,
            client_name=call.name,
            locale=call.locale,
            timezone=call.timezone,
            owner_name=owner.name,
            owner_email=owner.email,
            discretion=owner.discretion,
            sender_name=owner.sender_name,
            signature=owner.signature,
            first=absence.first,
            last=absence.last,
            back=self._back,
            notice=self._words,
            stand_in=absence.stand_in,
            booking_url=f"{self._house.base_url}/{owner.slug}" if is_neutral else booking_url(self._house, call),
            before=around.before,
            after=around.after,
            is_update=is_update,
            has_call=person.has_call,
        )

    def _times(self, call_type: CallType) -> Around:
        if call_type.id not in self._around:
            self._around[call_type.id] = self._look(call_type)
        return self._around[call_type.id]

    def _look(self, call_type: CallType) -> Around:
        if not is_bookable(call_type):
            return Around()
        offer = load_offer(self._db, self._owner.slug, call_type.slug, self._now)
        if offer.mode != "book":
            return Around()
        free, zone = offer.all_free(), offer.zone
        is_ahead = self._now < glide.begins(self._absence, zone) <= offer.horizon.end
        before = glide.last_before(self._absence, zone, free, TIMES_BEFORE) if is_ahead else ()
        return Around(tuple(before), tuple(glide.first_after(self._absence, zone, free)))


def _is_left_alone(calls: Sequence[Call], span: Period, now: datetime) -> bool:
    ahead = [Period(call.starts_at, call.ends_at) for call in calls if call.state in HOLDS_TIME and call.ends_at > now]
    return bool(ahead) and not any(each.overlaps(span) for each in ahead)


def _told(db: Session, owner: Owner, days: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return what each group of mails told last; empty where that was forgotten since.

    What never left does not count, nor what still waits and will not leave, because other days hold by now.
    """
    mine = select(Job).where(
        Job.owner_id == owner.id,
        Job.kind == "mail",
        Job.group.startswith(f"{NEWS_OF_ABSENCES}.{owner.id}."),
        Job.last_error.not_in((DROPPED, SET_ASIDE)),
    )
    told = {}
    for job in db.scalars(mine.order_by(Job.number)):
        is_waiting = job.done_at is None and job.parked_at is None
        if not is_waiting or job.payload.items() >= days.items():
            told[job.group] = job.payload
    return told


def _group(house: House, owner: Owner, email: str) -> str:
    """Mails to one person leave in their order, so that the last one holds."""
    return f"{NEWS_OF_ABSENCES}.{owner.id}.{house.signing.keyed_hash(NEWS_OF_ABSENCES, email.lower())}"


def _job(
    house: House, owner: Owner, group: str, facts: AwayFacts, now: datetime, leaves: datetime, until: datetime
) -> Job:
    return Job(
        id=house.token(),
        owner_id=owner.id,
        kind="mail",
        group=group,
        payload=facts.to_payload(),
        created_at=now,
        not_before=leaves,
        not_after=until,
    )
