"""A day laid out: calls, their buffers, other busy time and what is left of the business hours, in their order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.rules.period import Period, Timeline


class Kind(StrEnum):
    """What a stretch of a day is."""

    CALL = "call"
    BUFFER = "buffer"
    BUSY = "busy"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, and what it is; ``what`` is the place of its call or event among those that were given."""

    period: Period
    kind: Kind
    what: int = -1


@dataclass(frozen=True, slots=True)
class HeldStretch:
    """A call's own time, and the time it holds with its buffers."""

    call: Period
    held: Period


def lay_out(
    window: Period, calls: Sequence[HeldStretch], busy: Sequence[Period], hours: Iterable[Period]
) -> list[Stretch]:
    """Return the stretches of ``window``, sorted by beginning: calls and busy ones whole, free ones as they are left.

    Calls and busy periods may overlap (the owner may put a call over an event); nothing free overlaps anything.
    """
    stretches = [Stretch(call.call, Kind.CALL, place) for place, call in enumerate(calls)]
    stretches += [Stretch(period, Kind.BUSY, place) for place, period in enumerate(busy)]
    for place, call in enumerate(calls):
        around = ((call.held.start, call.call.start), (call.call.end, call.held.end))
        stretches += [Stretch(Period(*edges), Kind.BUFFER, place) for edges in around if edges[0] < edges[1]]
    taken = Timeline.of([*busy, *(call.held for call in calls), *(call.call for call in calls)])
    stretches += [Stretch(period, Kind.FREE) for hour in hours for period in _left(hour, taken)]
    inside = (each for each in stretches if each.period.overlaps(window) or each.kind is Kind.CALL)
    return sorted(inside, key=lambda each: (each.period.start, each.period.end))


def _left(hour: Period, taken: Timeline) -> Iterable[Period]:
    """What ``taken`` leaves of one window of business hours."""
    start: datetime = hour.start
    for period in taken.clipped(int(hour.start.timestamp()), int(hour.end.timestamp())).periods():
        if start < period.start:
            yield Period(start, period.start)
        start = max(start, period.end)
    if start < hour.end:
        yield Period(start, hour.end)
