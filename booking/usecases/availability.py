"""What can be booked: everything the slot rules need, gathered in two queries and without any network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased, contains_eager, selectinload

from booking.errors import LengthNotOffered, NotBookable, NotFound
from booking.rules.period import Period, Timeline
from booking.rules.slots import Agenda, CallRules, HeldCall, Reason, free_slots, why_not
from booking.store.models import Calendar, Call, CallType, HeldPeriod, Owner

FRESH_FOR: Final = timedelta(minutes=15)
"""A calendar that was not read for longer than this is unknown, and unknown is not free."""

COUNTS: Final = Calendar.is_busy & Calendar.paused_at.is_(None)
"""Of a calendar: what stands in it blocks, so that it is read."""

HOLIDAY_LANGUAGE: Final = "en_US"
"""In which holidays are kept apart by name. Without one the library asks the environment, and names would change."""
HOLIDAY_SEPARATOR: Final = "; "
"""Between the names of holidays that fall on one day."""

EVERYTHING: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)

LISTED, BY_LINK, HIDDEN = "listed", "link", "hidden"
"""Who finds a call type: everybody; whoever has its address; nobody, and nothing can be booked."""

# Built once: putting a statement together costs more than running it.
_ALL_TYPES: Final = aliased(CallType)
_OWNER_AND_CALENDARS: Final = (
    select(
        CallType,
        Calendar,
        select(func.count())
        .where(
            _ALL_TYPES.owner_id == Owner.id,
            _ALL_TYPES.id != CallType.id,
            _ALL_TYPES.visibility == LISTED,
            _ALL_TYPES.archived_at.is_(None),
        )
        .correlate(Owner, CallType)
        .scalar_subquery(),
    )
    .join(CallType.owner)
    .outerjoin(Calendar, (Calendar.owner_id == Owner.id) & COUNTS)
    .where(Owner.slug == bindparam("owner"), CallType.slug == bindparam("type"))
    .options(contains_eager(CallType.owner))
)
_HELD: Final = (
    select(Call.starts_at, Call.call_type_id, HeldPeriod.starts_at, HeldPeriod.ends_at)
    .join(HeldPeriod.call)
    .where(
        HeldPeriod.owner_id == bindparam("owner_id"),
        HeldPeriod.call_id != bindparam("without"),
        HeldPeriod.starts_at > bindparam("after"),
        HeldPeriod.starts_at < bindparam("before"),
    )
)


@dataclass(frozen=True)
class Offer:
    """What one call type offers at one moment. Every moment is aware UTC."""

    owner: Owner
    call_type: CallType
    agenda: Agenda
    mode: str
    """``book``, or ``request`` while a calendar is silent: then times are free as far as is known, and a call at one
    of them is only requested."""
    has_siblings: bool
    """The owner's list shows other call types too."""

    @property
    def zone(self) -> ZoneInfo:
        """The owner's time zone."""
        return self.agenda.zone

    @property
    def length(self) -> timedelta:
        """How long the call is."""
        return self.agenda.rules.length

    @property
    def minutes(self) -> int:
        """How long the call is, in minutes."""
        return int(self.length.total_seconds() // 60)

    @property
    def is_usual(self) -> bool:
        """Say whether that is the call type's usual length, so that addresses need not name it."""
        return self.minutes == self.call_type.minutes

    @property
    def lengths(self) -> tuple[int, ...]:
        """Every length in minutes that the client can choose, the usual one among them, shortest first."""
        return lengths_of(self.call_type)

    def as_far_as_known(self) -> "Offer":
        """Return the offer of a moment at which a calendar is silent: what it last said is taken for all there is.

        Nothing of it may be booked, only requested: unknown is not free.
        """
        return replace(self, agenda=replace(self.agenda, known=EVERYTHING), mode="request")

    @cached_property
    def horizon(self) -> Period:
        """From now to the end of the farthest day that can be booked."""
        last = self.agenda.now.astimezone(self.zone).date() + timedelta(days=self.agenda.rules.horizon_days + 1)
        return Period(self.agenda.now, datetime.combine(last, time(), self.zone).astimezone(UTC))

    def free(self, window: Period) -> list[datetime]:
        """Return the starts that can be booked within ``window``."""
        return free_slots(self.agenda, window)

    def all_free(self) -> list[datetime]:
        """Return every start that can be booked."""
        return self.free(self.horizon)

    def why_not(self, start: datetime) -> Reason | None:
        """Name the reason why ``start`` is not offered; ``None`` where it is."""
        return why_not(self.agenda, start)

    def nearest(self, start: datetime, count: int = 3) -> list[datetime]:
        """Return the free starts nearest to ``start``, in their order."""
        return sorted(sorted(self.all_free(), key=lambda free: abs(free - start))[:count])


def find_owner(db: Session, slug: str) -> Owner:
    """Return the owner with the call types.

    :raises NotFound: there is none of this name.
    """
    owner = db.scalar(select(Owner).where(Owner.slug == slug).options(selectinload(Owner.call_types)))
    if owner is None:
        raise NotFound("no such owner")
    return owner


def only_owner(db: Session) -> Owner | None:
    """Return the owner of an installation that has just one."""
    owners = db.scalars(select(Owner).limit(2)).all()
    return owners[0] if len(owners) == 1 else None


def listed_types(owner: Owner) -> list[CallType]:
    """Return the call types that everybody may find, in the owner's order."""
    return [each for each in owner.call_types if each.visibility == LISTED and each.archived_at is None]


def is_bookable(call_type: CallType) -> bool:
    """Say whether anybody can book it; calls that stand already live on in any case."""
    return call_type.visibility != HIDDEN and call_type.archived_at is None


def lengths_of(call_type: CallType) -> tuple[int, ...]:
    """Return every length in minutes that can be chosen, the usual one among them, shortest first."""
    return tuple(sorted({call_type.minutes, *map(int, call_type.lengths.split())}))


def load_public_offer(
    db: Session, owner_slug: str, type_slug: str, now: datetime, *, minutes: int | None = None
) -> Offer:
    """Gather what a client can book; ``minutes`` is the length that was chosen, the usual one where none was.

    :raises NotFound: no such owner or call type; as :class:`NotBookable` where it is hidden or archived.
    :raises LengthNotOffered: no client can choose this length.
    """
    return load_offer(db, owner_slug, type_slug, now, minutes=minutes, is_public=True)


def load_offer(
    db: Session,
    owner_slug: str,
    type_slug: str,
    now: datetime,
    *,
    without: str = "",
    minutes: int | None = None,
    is_public: bool = False,
) -> Offer:
    """Gather what decides about one call type: two queries, whatever the number of events.

    :param without: the id of a call whose own time counts as free: one that is to be moved, or confirmed.
    :param minutes: the call's length; the usual one where it is ``None``.
    :param is_public: a client books: only what is bookable counts, see :func:`load_public_offer`.
    :raises NotFound: no such owner or call type.
    """
    rows = db.execute(_OWNER_AND_CALENDARS, {"owner": owner_slug, "type": type_slug}).all()
    if not rows:
        raise NotFound("no such call type")
    call_type: CallType = rows[0][0]
    if is_public:
        _must_be_bookable(call_type, minutes)
    found: list[Calendar | None] = [row[1] for row in rows]
    calendars = [calendar for calendar in found if calendar is not None]
    owner, zone, rules = call_type.owner, ZoneInfo(call_type.owner.timezone), rules_of(call_type, minutes)
    agenda = Agenda(
        now=now,
        zone=zone,
        timetable=owner.timetable,
        holidays=holidays_of(owner, now),
        rules=rules,
        busy=_busy(calendars),
        known=_known(calendars, now),
        held=_held(db, call_type, now, rules, without),
        notice_in_working_time=owner.notice_in_working_time,
    )
    offer = Offer(owner, call_type, agenda, "book", has_siblings=rows[0][2] > 0)
    return offer if agenda.known else offer.as_far_as_known()


def rules_of(call_type: CallType, minutes: int | None = None) -> CallRules:
    """Return the rules of a call type as the slot function takes them, for a call of this length or the usual one."""
    return CallRules(
        length=timedelta(minutes=minutes or call_type.minutes),
        before=timedelta(minutes=call_type.before_minutes),
        after=timedelta(minutes=call_type.after_minutes),
        notice=timedelta(minutes=call_type.notice_minutes),
        horizon_days=call_type.horizon_days,
        step=timedelta(minutes=call_type.step_minutes),
        max_per_day=call_type.max_per_day,
        max_per_week=call_type.max_per_week,
    )


def holidays_of(owner: Owner, now: datetime) -> frozenset[date]:
    """Return the public holidays the owner keeps, from last year to two years ahead; none where they are off."""
    return kept_holidays(owner.holiday_country, owner.holiday_region, owner.holidays_worked, now.year)


@lru_cache(maxsize=500)
def kept_holidays(country: str, region: str, worked: str, year: int) -> frozenset[date]:
    """Return the public holidays around ``year`` without those on which work goes on.

    :param worked: their names, one a line; a day on which several fall is kept unless all of them are named.
    """
    if not country:
        return frozenset()
    names = frozenset(worked.splitlines())
    days = public_holidays(country, region, year)
    return frozenset(day for day, name in days.items() if not names.issuperset(name.split(HOLIDAY_SEPARATOR)))


@cache
def public_holidays(country: str, region: str, year: int, language: str = HOLIDAY_LANGUAGE) -> dict[date, str]:
    """Return the public holidays of a country and region around ``year``, with their names.

    :raises NotImplementedError: the ``holidays`` library does not know the country or region.
    """
    years = range(year - 1, year + 3)
    return dict(holidays.country_holidays(country, subdiv=region or None, years=years, language=language))


def _must_be_bookable(call_type: CallType, minutes: int | None) -> None:
    if not is_bookable(call_type):
        raise NotBookable("nobody can book this call type")
    if minutes is not None and minutes not in lengths_of(call_type):
        raise LengthNotOffered(f"no call of {minutes} minutes is offered")


def _busy(calendars: Sequence[Calendar]) -> Timeline:
    if len(calendars) == 1:
        return calendars[0].busy
    return Timeline.of([]).union(calendar.busy for calendar in calendars)


def _known(calendars: Sequence[Calendar], now: datetime) -> Period | None:
    """Every reading covers from the day before it on; the calendar that covers least decides."""
    until = datetime.max.replace(tzinfo=UTC)
    for calendar in calendars:
        if calendar.read_at is None or calendar.covered_until is None or now - calendar.read_at > FRESH_FOR:
            return None
        until = min(until, calendar.covered_until)
    return Period(now - _DAY, until) if until > now else None


def _held(db: Session, call_type: CallType, now: datetime, rules: CallRules, without: str) -> tuple[HeldCall, ...]:
    """The held periods of the owner; a week more on both sides, for the caps by week."""
    until = now + timedelta(days=rules.horizon_days) + _WEEK
    window = {"after": now - _WEEK - _DAY, "before": until + _DAY}
    rows = db.execute(_HELD, {"owner_id": call_type.owner_id, "without": without, **window})
    return tuple(
        HeldCall(starts_at, Period(held_from, held_to), counts=call_type_id == call_type.id)
        for starts_at, call_type_id, held_from, held_to in rows
    )
