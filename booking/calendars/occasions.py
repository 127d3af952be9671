"""Reads one VEVENT: when it begins and ends, whatever is missing or broken in it.

An event without an end lasts a minute (RFC 5545 says: no time at all, but it stands there for a reason), a DATE without
one a day. An end before the start is a mistake that nobody can read: a day, and it is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from icalendar import Component

from booking.calendars.components import RECURRENCE, TIMES, TZID, Moment, Zones, to_utc
from booking.calendars.screen import NotUnderstood

DAY: Final = timedelta(days=1)
SHORTEST: Final = timedelta(minutes=1)
EASTERNMOST: Final = timedelta(hours=14)
WESTERNMOST: Final = timedelta(hours=12)
HARMLESS: Final = frozenset({"UID", "SEQUENCE", "STATUS", "TRANSP", "EXDATE", "EXRULE", "RECURRENCE-ID"})
"""What may be broken without a moment becoming free: left out, the event blocks at least what it did."""


@dataclass(frozen=True)
class Occasion:
    """One VEVENT, read. ``start`` and ``end`` are both DATEs or both aware; ``end`` is later.

    ``exact`` is the length where it is given as one, which DST does not change. ``zone_is_known`` is false where a TZID
    means nothing to anybody; the wall time is then taken as UTC.
    """

    component: Component
    start: Moment
    end: Moment
    exact: timedelta | None
    zone_is_known: bool

    @property
    def is_all_day(self) -> bool:
        """Say whether it lasts for whole days."""
        return not isinstance(self.start, datetime)

    @property
    def is_override(self) -> bool:
        """Say whether it stands for one instance (or all later ones) of a series."""
        return "RECURRENCE-ID" in self.component

    @property
    def recurs(self) -> bool:
        """Say whether it is a series."""
        return any(name in self.component for name in RECURRENCE)


@dataclass
class Reader:
    """Reads the events of one object, and notes in ``problems`` (as keys, in order) what it had to guess."""

    zones: Zones
    problems: dict[str, None] = field(default_factory=dict)

    def occasion(self, component: Component) -> Occasion:
        """Read one VEVENT.

        :raises NotUnderstood: when it begins or ends can't be read.
        """
        self._drop_broken(component)
        start = self.moment(component, "DTSTART")
        try:
            return self._occasion(component, start)
        except OverflowError as error:
            raise NotUnderstood("the event ends after the last year there is", self.utc(start)) from error

    def period(self, occasion: Occasion) -> tuple[datetime, datetime]:
        """Return the start and end of an event by itself, in UTC."""
        return self.utc(occasion.start), to_utc(occasion.end, self.zones.owner, is_end=True)

    def utc(self, moment: Moment) -> datetime:
        """Return a moment in UTC; a DATE is the owner's midnight."""
        return to_utc(moment, self.zones.owner)

    def moment(self, component: Component, name: str) -> Moment:
        """Return a property as a DATE or as an aware DATE-TIME."""
        prop: Any = component[name]
        return self.zones.moment(getattr(prop, "dt", None), prop.params)

    def values(self, component: Component, name: str) -> list[Any]:
        """Return the values of RDATE or EXDATE: DATEs, aware DATE-TIMEs, or pairs of these (periods)."""
        return [self.value(value.dt, prop.params) for prop in as_list(component.get(name)) for value in prop.dts]

    def value(self, value: Any, params: Mapping[str, Any]) -> Any:
        """Return one value: a DATE, an aware DATE-TIME, or a pair of these (a period)."""
        if not isinstance(value, tuple):
            return self.zones.moment(value, params)
        start = self.zones.moment(value[0], params)
        return start, later(start, value[1]) if isinstance(value[1], timedelta) else self.zones.moment(value[1], params)

    def _drop_broken(self, component: Component) -> None:
        broken = {str(name).upper() for name, _ in component.errors}
        broken |= {name for name in TIMES if isinstance(component.get(name), list)}
        if "DTSTART" in broken or "DTSTART" not in component:
            raise NotUnderstood("the start of an event can't be read")
        if "RDATE" in broken:
            raise NotUnderstood("the dates of an event can't be read")
        if beyond := broken - HARMLESS:
            since = self._earliest(self.moment(component, "DTSTART"))
            raise NotUnderstood(f"a part of an event can't be read ({', '.join(sorted(beyond))})", since)
        for name in sorted(broken):
            self.problems[f"a part of an event can't be read ({name}), it blocks without it"] = None
            component.pop(name, None)

    def _earliest(self, start: Moment) -> datetime:
        return earlier(self.utc(start), EASTERNMOST) if self.zones.unknown else self.utc(start)

    def _occasion(self, component: Component, start: Moment) -> Occasion:
        exact = None
        if "DTEND" in component:
            end = self.moment(component, "DTEND")
        elif "DURATION" not in component:
            end = start if isinstance(start, datetime) else start + DAY
        else:
            length = self._length(component, start)
            if length % DAY:
                start, exact = self._timed(start), length
            end = later(start, length)
        if isinstance(start, datetime) or isinstance(end, datetime):
            start, end = self._timed(start), self._timed(end)
        known = self._zone_is_known(component)
        return Occasion(component, start, self._after(start, end), exact, known)

    def _length(self, component: Component, start: Moment) -> timedelta:
        length = getattr(component["DURATION"], "dt", None)
        if not isinstance(length, timedelta):
            raise NotUnderstood("the length of an event can't be read", self._earliest(start))
        return length

    def _timed(self, moment: Moment) -> datetime:
        if isinstance(moment, datetime):
            return moment
        return datetime(moment.year, moment.month, moment.day, tzinfo=self.zones.owner)

    def _after(self, start: Moment, end: Moment) -> Moment:
        """Return an end after the start, whatever the event says."""
        if not (isinstance(start, datetime) and isinstance(end, datetime)):
            if end < start:
                self.problems["an event ends before it starts, it blocks one day"] = None
            return end if end > start else start + DAY
        begins, ends = self.utc(start), self.utc(end)
        if ends > begins:
            return end
        wall = end.replace(tzinfo=None) - start.replace(tzinfo=None)
        if start.tzinfo is end.tzinfo and wall > timedelta():  # the start lies where DST leaves an hour out
            return begins + wall
        if ends < begins:
            self.problems["an event ends before it starts, it blocks one day"] = None
        return begins + (DAY if ends < begins else SHORTEST)

    def _zone_is_known(self, component: Component) -> bool:
        params = [getattr(component.get(name), "params", {}) for name in ("DTSTART", "DTEND")]
        unknown = {str(param.get(TZID, "")) for param in params} & self.zones.unknown
        if unknown:
            self.problems["the time zone of an event is not known, it blocks wherever that may be"] = None
        return not unknown


def earlier(moment: datetime, by: timedelta) -> datetime:
    """Return a moment in UTC some time earlier; before the first year there is only its first moment."""
    first = datetime.min.replace(tzinfo=UTC)
    return moment - by if moment - first > by else first


def later(start: Moment, length: timedelta) -> Moment:
    """Return a moment later by a DURATION: its days by the calendar, the rest by the clock (RFC 5545, 3.3.6)."""
    if not isinstance(start, datetime):
        return start + length
    days, rest = divmod(length, DAY)
    moved = start + timedelta(days=days)
    return moved if not rest else (moved.astimezone(UTC) + rest).astimezone(start.tzinfo)


def as_list(value: Any) -> list[Any]:
    """Return the values of a property that may stand once, several times or not at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
