"""The free slots: the one place that decides whether a call may be booked at a time.

A page, the API and the moment of booking all ask :func:`free_slots` or its sibling :func:`why_not`; both run the
same rules in the same order. Inside, moments are epoch seconds UTC, because a sweep over plain integers is what
keeps a page of sixty days at about a millisecond.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, open_spans
from booking.rules.period import Period, Timeline
from booking.rules.quiet import earliest_start
from booking.rules.wall import LocalDay, local_date, local_days

_MINUTE: Final = timedelta(minutes=1)
_TWO_DAYS: Final = timedelta(days=2)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_EVER: Final = datetime.min.replace(tzinfo=UTC)

Keep = Callable[[Sequence[float]], Sequence[float]]
Spans = list[tuple[int, int]]


class Reason(StrEnum):
    """Why a time is not offered."""

    OUTSIDE_HOURS = "outside_hours"
    ABSENCE = "absence"
    HOLIDAY = "holiday"
    BUSY = "busy"
    BUFFER = "buffer"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    DAY_FULL = "day_full"
    WEEK_FULL = "week_full"
    UNKNOWN_CALENDAR = "unknown_calendar"
    OFF_STEP = "off_step"


@dataclass(frozen=True, slots=True)
class CallRules:
    """The rules of one call type: whole minutes all of them; ``None`` is no cap."""

    length: timedelta
    before: timedelta
    after: timedelta
    notice: timedelta
    horizon_days: int
    step: timedelta
    max_per_day: int | None = None
    max_per_week: int | None = None

    def __post_init__(self) -> None:
        spans = (self.length, self.step, self.before, self.after, self.notice)
        if any(span % _MINUTE for span in spans) or min(self.length, self.step) < _MINUTE or min(spans) < timedelta():
            raise ValueError(f"a call type needs whole minutes, a length and a step: {self}")


@dataclass(frozen=True, slots=True)
class HeldCall:
    """A call that holds its time. ``held`` is padded by its own buffers; ``counts`` says that the caps count it."""

    starts_at: datetime
    held: Period
    counts: bool


@dataclass(frozen=True)
class Agenda:
    """All that decides about one owner's one call type, read at ``now``.

    ``busy`` is what the calendars hold, ``known`` the span for which every one of them is known.
    """

    now: datetime
    zone: ZoneInfo
    timetable: Timetable
    holidays: frozenset[date]
    rules: CallRules
    busy: Timeline
    known: Period | None
    held: tuple[HeldCall, ...] = ()
    notice_in_working_time: bool = True


def free_slots(agenda: Agenda, window: Period) -> list[datetime]:
    """Return the moments in ``window`` at which a call may begin, in UTC, sorted."""
    earliest, end = _reach(agenda)
    first, last = max(window.start.timestamp(), earliest), min(window.end.timestamp(), end)
    if first >= last:
        return []
    days = _read_days(agenda, first, last)
    starts: Sequence[float] = days.grid[bisect_left(days.grid, first) : bisect_left(days.grid, last)]
    for _, keep in _rules(agenda, days):
        starts = keep(starts)
    return [datetime.fromtimestamp(start, UTC) for start in starts]


def why_not(agenda: Agenda, start: datetime) -> Reason | None:
    """Name the first reason for which a call may not begin at ``start``; ``None`` exactly where it is offered."""
    return next(_reasons(agenda, start), None)


def all_reasons(agenda: Agenda, start: datetime) -> tuple[Reason, ...]:
    """Name every reason for which a call may not begin at ``start``, each once; empty exactly where it is offered."""
    return tuple(dict.fromkeys(_reasons(agenda, start)))


def _reasons(agenda: Agenda, start: datetime) -> Iterator[Reason]:
    if start.tzinfo is None:
        raise ValueError(f"a start needs a time zone: {start}")
    moment = start.timestamp()
    earliest, end = _reach(agenda)
    if moment < earliest:
        yield Reason.TOO_SOON
    if moment >= end:
        yield Reason.TOO_FAR
    rules = _rules(agenda, _read_days(agenda, moment, moment))
    yield from (reason for reason, keep in rules if not keep((moment,)))


def _reach(agenda: Agenda) -> tuple[float, float]:
    """Return the first moment that is not too soon, and the first that is too far."""
    last_day = agenda.now.astimezone(agenda.zone).date() + timedelta(days=agenda.rules.horizon_days)
    earliest = earliest_start(
        agenda.now,
        agenda.rules.notice,
        agenda.timetable,
        agenda.zone,
        agenda.holidays,
        agenda.notice_in_working_time,
        last_day,
    )
    (day,) = local_days(agenda.zone, last_day, last_day)
    return (earliest or _NEVER).timestamp(), day.edge(1440)


@dataclass(slots=True)
class _Days:
    """What the owner's days say: the grid of starts, and spans of moments."""

    grid: list[int] = field(default_factory=list)
    open: Spans = field(default_factory=list)
    absent: Spans = field(default_factory=list)
    holiday: Spans = field(default_factory=list)
    repeated: Spans = field(default_factory=list)
    full_days: Spans = field(default_factory=list)
    full_weeks: Spans = field(default_factory=list)


def _read_days(agenda: Agenda, first: float, last: float) -> _Days:
    """Read the owner's days from the one of ``first`` to the last that a call begun by ``last`` can touch."""
    days, counts = _Days(), _Counts(agenda)
    last_day = local_date(agenda.zone, last)
    step = agenda.rules.step // _MINUTE
    for day in local_days(agenda.zone, local_date(agenda.zone, first), last_day + agenda.rules.length + _TWO_DAYS):
        days.open += open_spans(day, agenda.timetable, agenda.holidays)
        if day.date <= last_day:
            for window in agenda.timetable.windows_on(day.date, agenda.holidays):
                days.grid += day.starts(window.start, window.end, step)
            _note(agenda, counts, day, days)
    return days


def _note(agenda: Agenda, counts: "_Counts", day: LocalDay, days: _Days) -> None:
    if agenda.timetable.absence_on(day.date) is not None:
        days.absent.append(day.whole())
    if agenda.timetable.is_holiday(day.date, agenda.holidays):
        days.holiday.append(day.whole())
    if (repeated := day.repeated()) is not None:
        days.repeated.append(repeated)
    if counts.is_full_day(day.date):
        days.full_days.append(day.whole())
    if counts.is_full_week(day.date):
        days.full_weeks.append(day.whole())


class _Counts:
    """How many calls count against the caps, by the owner's days and weeks (Monday to Sunday)."""

    def __init__(self, agenda: Agenda) -> None:
        self._rules = agenda.rules
        dates = [call.starts_at.astimezone(agenda.zone).date() for call in agenda.held if call.counts]
        self._days = Counter(dates)
        self._weeks = Counter(_monday(day) for day in dates)

    def is_full_day(self, day: date) -> bool:
        return self._rules.max_per_day is not None and self._days[day] >= self._rules.max_per_day

    def is_full_week(self, day: date) -> bool:
        return self._rules.max_per_week is not None and self._weeks[_monday(day)] >= self._rules.max_per_week


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _rules(agenda: Agenda, days: _Days) -> Iterator[tuple[Reason, Keep]]:
    """Yield every rule in the order in which reasons are named, as what keeps the starts that obey it."""
    length = int(agenda.rules.length.total_seconds())
    before = int(agenda.rules.before.total_seconds())
    after = length + int(agenda.rules.after.total_seconds())
    held = Timeline.of(call.held for call in agenda.held)
    yield Reason.ABSENCE, _begins_outside(days.absent)
    yield Reason.HOLIDAY, _begins_outside(days.holiday)
    yield Reason.OUTSIDE_HOURS, partial(Timeline.of_spans(days.open).inverted().free_starts, before=0, after=length)
    yield Reason.OUTSIDE_HOURS, _begins_outside(days.repeated)
    yield Reason.OFF_STEP, partial(_on_grid, days.grid)
    yield Reason.UNKNOWN_CALENDAR, partial(_unknown(agenda.known).free_starts, before=before, after=after)
    for line in (agenda.busy, held):
        yield Reason.BUSY, partial(line.free_starts, before=0, after=length)
    for line in (agenda.busy, held):
        yield Reason.BUFFER, partial(line.free_starts, before=before, after=after)
    yield Reason.DAY_FULL, _begins_outside(days.full_days)
    yield Reason.WEEK_FULL, _begins_outside(days.full_weeks)


def _begins_outside(spans: Spans) -> Keep:
    return partial(Timeline.of_spans(spans).free_starts, before=0, after=1)


def _on_grid(grid: Sequence[int], starts: Sequence[float]) -> Sequence[float]:
    offered = frozenset(grid)
    return [start for start in starts if start in offered]


def _unknown(known: Period | None) -> Timeline:
    """Return the time of which nothing is known, rounded up to whole seconds."""
    if known is None:
        return Timeline.of((Period(_EVER, _NEVER),))
    return Timeline.of((Period(_EVER, known.start), Period(known.end, _NEVER)))
