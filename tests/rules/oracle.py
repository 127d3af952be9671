"""A slow second opinion on the slot rules: it walks through time minute by minute and shares no code with them.

It knows the owner's clock only by looking at it each minute. A clock that is put back shows times it has shown
before; :attr:`Clock.latest` is the latest it has shown so far, which is what the edges of windows are held against.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate

from booking.rules.period import Period
from booking.rules.slots import Agenda

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Clock:
    """The owner's wall clock at each minute from ``begin`` on."""

    begin: datetime
    shown: list[datetime]
    latest: list[datetime]
    seen: Counter[datetime]


def watch(agenda: Agenda, begin: datetime, minutes: int) -> Clock:
    shown = [(begin + MINUTE * n).astimezone(agenda.zone).replace(tzinfo=None, fold=0) for n in range(minutes)]
    return Clock(begin, shown, list(accumulate(shown, max)), Counter(shown))


def starts(agenda: Agenda, clock: Clock) -> set[datetime]:
    """Return every minute of the clock at which a call may begin; none near its end, where it can't see enough."""
    rules = agenda.rules
    hours = {day: _hours(agenda, day) for day in {wall.date() for wall in clock.shown}}
    open_walls = {minute for day, windows in hours.items() for minute in _walls(day, windows, 1)}
    grid = {minute for day, windows in hours.items() for minute in _walls(day, windows, rules.step // MINUTE)}
    is_open = [wall in open_walls for wall in clock.latest]
    blocked = _minutes(clock, [Period(*pair) for pair in _pairs(agenda)])
    length, before, after = rules.length // MINUTE, rules.before // MINUTE, rules.after // MINUTE
    now = (agenda.now - clock.begin) // MINUTE
    farthest = clock.shown[now].date() + timedelta(days=rules.horizon_days)
    calls = [call.starts_at.astimezone(agenda.zone).date() for call in agenda.held if call.counts]
    waited, found = timedelta(), set()
    for minute in range(now, len(clock.shown) - length - after):
        wall = clock.shown[minute]
        if (
            wall in grid
            and waited >= rules.notice
            and clock.seen[wall] == 1
            and wall.date() <= farthest
            and all(is_open[minute : minute + length])
            and not any(blocked[minute - before : minute + length + after])
            and _has_room(wall.date(), calls, rules.max_per_day, rules.max_per_week)
        ):
            found.add(clock.begin + MINUTE * minute)
        if is_open[minute] or not agenda.notice_in_working_time:
            waited += MINUTE
    return found


def _hours(agenda: Agenda, day: date) -> list[tuple[int, int]]:
    table = agenda.timetable
    if any(away.first <= day <= away.last for away in table.absences):
        return []
    if day in table.overrides:
        return [(window.start, window.end) for window in table.overrides[day]]
    return [] if day in agenda.holidays else [(window.start, window.end) for window in table.weekly[day.weekday()]]


def _walls(day: date, windows: list[tuple[int, int]], step: int) -> Iterable[datetime]:
    midnight = datetime.combine(day, time())
    return (midnight + MINUTE * minute for start, end in windows for minute in range(start, end, step))


def _pairs(agenda: Agenda) -> Iterable[tuple[datetime, datetime]]:
    """Yield all that no call may touch, with its buffers: events, other calls, what is not known."""
    for period in (*agenda.busy.periods(), *(call.held for call in agenda.held)):
        yield period.start, period.end
    ever = agenda.now - timedelta(days=30), agenda.now + timedelta(days=30)
    if agenda.known is None:
        yield ever
    else:
        yield ever[0], agenda.known.start
        yield agenda.known.end, ever[1]


def _minutes(clock: Clock, periods: list[Period]) -> bytearray:
    """Mark the minutes of the clock that lie in a period."""
    marked = bytearray(len(clock.shown))
    for period in periods:
        first, last = (max(0, (edge - clock.begin) // MINUTE) for edge in (period.start, period.end))
        marked[first:last] = b"\1" * (min(last, len(marked)) - first)
    return marked


def _has_room(day: date, calls: list[date], most_a_day: int | None, most_a_week: int | None) -> bool:
    week = sum(day.isocalendar()[:2] == other.isocalendar()[:2] for other in calls)
    return (most_a_day is None or calls.count(day) < most_a_day) and (most_a_week is None or week < most_a_week)
