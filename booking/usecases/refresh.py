"""Keeping busy time fresh: what to ask a calendar, what its answer means, and saving it.

Three steps, because no network may happen inside a transaction: :func:`plan` (reads), the calendar's
answer and :func:`digest` (outside), :func:`apply` (writes, under the owner's lock). The worker and the
live check on booking go the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from booking.calendars.expand import Expansion, expand
from booking.calendars.port import CalendarError, Changes, Resource, Unreachable
from booking.errors import BookingError
from booking.rules.period import Period, Timeline
from booking.store.models import Calendar, CalendarResource, CallType
from booking.store.owner_lock import lock_owner
from booking.usecases.availability import COUNTS
from booking.usecases.placing import known_as_ours

READ_EVERY: Final = timedelta(minutes=2)
READ_AGAIN_AT_MOST_AFTER: Final = timedelta(minutes=5)
LOOK_BACK: Final = timedelta(days=1)
SPARE: Final = timedelta(days=7)
"""Expanded beyond the horizon, so that the whole calendar is expanded again once a week, not every day."""


class Overtaken(BookingError):
    """The calendar was read by somebody else meanwhile, and this answer does not fit what was saved. Read again."""


@dataclass(frozen=True)
class Plan:
    """What must be known before a calendar is asked.

    ``known`` is what is saved (``href → etag``), ``expanded_with`` names what the saved expansion depends on, besides
    the objects; ``stored`` holds the saved objects where all of them must be expanded again (the horizon moved, or a
    setting changed), else nothing.
    """

    calendar_id: int
    owner_id: int
    kind: str
    url: str
    username: str
    password_encrypted: str
    zone: str
    all_day_blocks: bool
    tentative_blocks: bool
    expanded_with: str
    covered_until: datetime
    read_at: datetime | None
    known: Mapping[str, str]
    stored: Sequence[Resource]
    is_suspended: bool
    """It was never read, or failed a moment ago and is not asked again yet: the circuit breaker of the live check."""


@dataclass(frozen=True)
class Reading:
    """A calendar's answer, understood: everything :func:`apply` saves."""

    plan: Plan
    asked_at: datetime
    listing: Mapping[str, str]
    expanded: Sequence[tuple[Resource, Expansion]]

    @property
    def changes_nothing(self) -> bool:
        """Say whether the calendar is as it was saved."""
        return not self.expanded and dict(self.listing) == dict(self.plan.known)


def plan(db: Session, calendar: Calendar, now: datetime) -> Plan:
    """Say what to ask a calendar that is due. ``calendar.owner`` must be loaded."""
    made = _plan(db, calendar, now)
    until = _needed_until(db, calendar, now)
    wanted = expanded_with(calendar)
    if made.expanded_with == wanted and made.covered_until >= until:
        return made
    rows = select(CalendarResource.href, CalendarResource.etag, CalendarResource.ics)
    mine = rows.where(CalendarResource.calendar_id == calendar.id)
    stored = tuple(Resource(href, etag, ics) for href, etag, ics in db.execute(mine))
    return replace(made, stored=stored, covered_until=until + SPARE, expanded_with=wanted)


def expanded_with(calendar: Calendar) -> str:
    """Name what the expansion of a calendar's objects depends on, besides the objects."""
    blocks = f"all-day-blocks={calendar.all_day_blocks} tentative-blocks={calendar.tentative_blocks}"
    return f"{calendar.owner.timezone} {blocks}"


def plans_for_live_check(db: Session, owner_slug: str, now: datetime) -> list[Plan]:
    """Say what to ask each calendar whose events block, only for what has changed; the worker does the rest."""
    mine = Calendar.owner.has(slug=owner_slug)
    calendars = db.scalars(select(Calendar).where(mine, COUNTS).options(joinedload(Calendar.owner)))
    return [_plan(db, calendar, now) for calendar in calendars]


def digest(made: Plan, changes: Changes, asked_at: datetime) -> Reading:
    """Understand a calendar's answer: expand what changed. Takes time, so it runs outside any transaction."""
    fetched = {resource.href for resource in changes.fetched}
    kept = [old for old in made.stored if old.href not in fetched and changes.listing.get(old.href) == old.etag]
    window = Period(asked_at - LOOK_BACK, made.covered_until)
    zone = ZoneInfo(made.zone)
    rules = {"all_day_blocks": made.all_day_blocks, "tentative_blocks": made.tentative_blocks}
    expanded = [
        (resource, expand(resource.ics, zone=zone, window=window, **rules)) for resource in (*kept, *changes.fetched)
    ]
    return Reading(made, asked_at, changes.listing, expanded)


def apply(db: Session, reading: Reading, now: datetime) -> None:
    """Save a reading under the owner's lock: afterwards the saved objects are exactly those of the listing.

    An answer older than what is saved is dropped; a calendar that was removed meanwhile is no error.

    :raises Overtaken: another reading was saved meanwhile and this one does not fit on top of it.
    """
    lock_owner(db, owner_id=reading.plan.owner_id)
    calendar = db.get(Calendar, reading.plan.calendar_id, populate_existing=True)
    if calendar is None or (calendar.read_at is not None and reading.asked_at <= calendar.read_at):
        return
    if _save_resources(db, calendar, reading) or calendar.expanded_with != reading.plan.expanded_with:
        merge(db, calendar, reading.asked_at)
    calendar.expanded_with = reading.plan.expanded_with
    calendar.covered_until = reading.plan.covered_until
    calendar.read_at = reading.asked_at
    calendar.next_read_at = now + READ_EVERY
    calendar.failures, calendar.last_error, calendar.error_kind = 0, "", ""


def note_failure(db: Session, made: Plan, error: CalendarError, now: datetime) -> None:
    """Keep that a calendar could not be read, and when it is asked again."""
    lock_owner(db, owner_id=made.owner_id)
    calendar = db.get(Calendar, made.calendar_id, populate_existing=True)
    if calendar is None:
        return
    wait = min(READ_AGAIN_AT_MOST_AFTER, timedelta(seconds=15 * 2 ** min(calendar.failures, 5)))
    asked_for = error.retry_after if isinstance(error, Unreachable) else None
    calendar.failures += 1
    calendar.last_error, calendar.error_kind = str(error), type(error).__name__
    calendar.next_read_at = now + max(wait, asked_for or wait)


def claim_due(db: Session, now: datetime, lease: timedelta) -> Calendar | None:
    """Take one calendar that is due to be read, for as long as ``lease``; ``None`` where none is due."""
    due = COUNTS & (Calendar.next_read_at.is_(None) | (Calendar.next_read_at <= now))
    first = select(Calendar.id).where(due).order_by(Calendar.next_read_at.nulls_first(), Calendar.id).limit(1)
    take = update(Calendar).where(Calendar.id == first.scalar_subquery(), due).values(next_read_at=now + lease)
    taken = db.scalar(take.returning(Calendar.id).execution_options(synchronize_session=False))
    return db.get(Calendar, taken, options=[joinedload(Calendar.owner)]) if taken is not None else None


def merge(db: Session, calendar: Calendar, asked_at: datetime) -> None:
    """Merge the busy time of all objects, without our own events that stand where we wrote them.

    :param asked_at: when the calendar was asked: our own event may have moved since.
    """
    ours = known_as_ours(db, calendar.id, asked_at)
    rows = select(CalendarResource.uid, CalendarResource.busy).where(CalendarResource.calendar_id == calendar.id)
    foreign = (busy for uid, busy in db.execute(rows) if len(busy) and busy not in ours.get(uid, ()))
    calendar.busy = Timeline.of([]).union(foreign)


def saved_etags(db: Session, calendar_id: int) -> dict[str, str]:
    """Return what is saved of a calendar: ``href → etag``."""
    rows = select(CalendarResource.href, CalendarResource.etag).where(CalendarResource.calendar_id == calendar_id)
    return {href: etag for href, etag in db.execute(rows)}


def _plan(db: Session, calendar: Calendar, now: datetime) -> Plan:
    is_waiting = calendar.next_read_at is not None and calendar.next_read_at > now
    return Plan(
        calendar_id=calendar.id,
        owner_id=calendar.owner_id,
        kind=calendar.kind,
        url=calendar.url,
        username=calendar.username,
        password_encrypted=calendar.password_encrypted,
        zone=calendar.owner.timezone,
        all_day_blocks=calendar.all_day_blocks,
        tentative_blocks=calendar.tentative_blocks,
        expanded_with=calendar.expanded_with,
        covered_until=calendar.covered_until or now,
        read_at=calendar.read_at,
        known=saved_etags(db, calendar.id),
        stored=(),
        is_suspended=calendar.read_at is None or (calendar.failures > 0 and is_waiting),
    )


def _needed_until(db: Session, calendar: Calendar, now: datetime) -> datetime:
    """The farthest day anybody can book, and a little more for buffers and time zones."""
    farthest = select(func.max(CallType.horizon_days)).where(CallType.owner_id == calendar.owner_id)
    return now + timedelta(days=(db.scalar(farthest) or 0) + 3)


def _save_resources(db: Session, calendar: Calendar, reading: Reading) -> bool:
    """Make the saved objects those of the listing; say whether anything changed."""
    rows = db.scalars(select(CalendarResource).where(CalendarResource.calendar_id == calendar.id))
    saved = {row.href: row for row in rows}
    expanded = {resource.href: (resource, expansion) for resource, expansion in reading.expanded}
    for href, etag in reading.listing.items():
        if href not in expanded and (href not in saved or saved[href].etag != etag):
            raise Overtaken("the calendar was read by somebody else meanwhile")
    for href in saved.keys() - reading.listing.keys():
        db.delete(saved[href])
    for href, (resource, expansion) in expanded.items():
        row = saved.get(href)
        if row is None:
            row = CalendarResource(calendar_id=calendar.id, href=href)
            db.add(row)
        row.etag, row.ics, row.uid = resource.etag, resource.ics, expansion.uid
        row.busy, row.problem = Timeline.of(expansion.busy), expansion.problem
    db.flush()
    return bool(expanded) or saved.keys() != reading.listing.keys()
