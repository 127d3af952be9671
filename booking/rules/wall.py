"""Wall time of the owner's days, turned into UTC: the one place where gaps and folds of DST are decided.

A wall time in a gap does not exist, one in a fold exists twice; neither is ever the start of a call. As the edge of
a window the first is the moment of the change itself, the second is the first of the two: the shorter reading of the
owner's hours. Moments are epoch seconds UTC, wall times are minutes after local midnight; 1440 is the next midnight.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_NO_OFFSET: Final = timedelta()
_EPOCH: Final = date(1970, 1, 1).toordinal()
# Wider than any change of a clock by an hour or two, narrower than the distance of two changes.
_AROUND: Final = 3 * 3600


class LocalDay:
    """One day of one zone. It knows of at most one change of the clock; get it from :func:`local_days`."""

    __slots__ = ("_after", "_before", "_change", "_midnight", "date")

    def __init__(self, day: date, before: int, change: int | None, after: int) -> None:
        """Take the offsets, in seconds east of UTC, before and after the change, and its moment."""
        self.date = day
        self._midnight = (day.toordinal() - _EPOCH) * 86400
        self._before = before
        self._change = change
        self._after = after

    def edge(self, minute: int) -> int:
        """Return the moment at which a window that begins or ends at this wall time does so."""
        wall = self._midnight + minute * 60
        if self._change is None or wall < self._change + self._before:
            return wall - self._before
        return max(self._change, wall - self._after)

    def whole(self) -> tuple[int, int]:
        """Return the moments at which the day begins and ends."""
        return self.edge(0), self.edge(1440)

    def starts(self, start: int, end: int, step: int) -> Sequence[int]:
        """Return the moments of every ``step`` minutes of ``[start, end)`` whose wall time exists exactly once."""
        walls = range(self._midnight + start * 60, self._midnight + end * 60, step * 60)
        if self._change is None:
            return range(walls.start - self._before, walls.stop - self._before, walls.step)
        doubtful = range(*sorted((self._change + self._before, self._change + self._after)))
        return [
            wall - (self._before if wall < doubtful.start else self._after) for wall in walls if wall not in doubtful
        ]

    def repeated(self) -> tuple[int, int] | None:
        """Return the span of moments whose wall time exists twice, if there is one."""
        if self._change is None or self._after >= self._before:
            return None
        return self._change - (self._before - self._after), self._change + (self._before - self._after)


def local_days(zone: ZoneInfo, first: date, last: date) -> Iterator[LocalDay]:
    """Yield the days from ``first`` to ``last``, both included."""
    day = first
    today = _midnight_offsets(zone, day)
    while day <= last:
        tomorrow = _midnight_offsets(zone, day + _DAY)
        if today == tomorrow:
            yield LocalDay(day, today[0], None, today[0])
        else:
            yield _changing(zone, day, today[0], tomorrow[0])
        day, today = day + _DAY, tomorrow


def local_date(zone: ZoneInfo, moment: float) -> date:
    """Return the zone's date at a moment in epoch seconds."""
    return datetime.fromtimestamp(moment, zone).date()


def _midnight_offsets(zone: ZoneInfo, day: date) -> tuple[int, int]:
    # Both readings: a change near midnight shows in their difference.
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return _offset(midnight), _offset(midnight.replace(fold=1))


def _changing(zone: ZoneInfo, day: date, today: int, tomorrow: int) -> LocalDay:
    midnight = (day.toordinal() - _EPOCH) * 86400
    first, last = midnight - today - _AROUND, midnight + 86400 - tomorrow + _AROUND
    before, after = _offset_at(zone, first), _offset_at(zone, last)
    moments = range(first, last)
    change = moments[bisect_left(moments, True, key=lambda moment: _offset_at(zone, moment) == after)]
    return LocalDay(day, before, change, after)


def _offset_at(zone: ZoneInfo, moment: int) -> int:
    return _offset(datetime.fromtimestamp(moment, zone))


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset() or _NO_OFFSET
    return offset.days * 86400 + offset.seconds
