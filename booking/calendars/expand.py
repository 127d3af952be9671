"""From one iCalendar object to the time it blocks.

What blocks: every event that is not CANCELLED and not TRANSPARENT; TENTATIVE ones do; transparent all-day events where
the calendar says so. Floating times and whole days are in the owner's zone. An event without an end blocks a minute, one
that ends before it starts blocks a day. What can't be understood is never free: it blocks from its beginning to the
window's end, or the whole window where not even the beginning can be read, and is named in ``problem``.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Component, Event
from icalendar.prop import vDDDLists, vDDDTypes, vRecur

from booking.calendars.components import Moment, NotUnderstood, Parts, Zones, length_of, take_apart, to_utc
from booking.calendars.screen import Budget
from booking.rules.period import Period

DAY: Final = timedelta(days=1)
SHORTEST: Final = timedelta(minutes=1)
EASTERNMOST: Final = timedelta(hours=14)
WESTERNMOST: Final = timedelta(hours=12)
RECURRING: Final = ("RRULE", "RDATE", "EXDATE")
HARMLESS: Final = frozenset({"UID", "SEQUENCE", "STATUS", "TRANSP", "EXDATE", "EXRULE", "RECURRENCE-ID"})
"""What may be broken without a moment becoming free: left out, the event blocks at least what it did."""
UID_LINE: Final = re.compile(r"^UID[^:\r\n]*:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
FREE_BY_TYPE: Final = "FREE"


@dataclass(frozen=True, slots=True)
class Expansion:
    """The busy time of one object that touches the window, its UID, and what was not understood (English, no titles)."""

    busy: tuple[Period, ...]
    uid: str
    problem: str


def expand(ics: str, *, zone: ZoneInfo, window: Period, all_day_blocks: bool) -> Expansion:
    """Return what an object blocks within a window; whatever it holds, within bounded time and memory.

    :param zone: the owner's zone: whole days and floating times are in it.
    :param all_day_blocks: whole-day events block even where they are marked as transparent.
    """
    try:
        parts = take_apart(ics)
    except NotUnderstood as error:
        uid = UID_LINE.search(ics[:100_000])
        return Expansion((window,), uid.group(1).strip() if uid else "", str(error))
    return _Expander(parts, zone, window, all_day_blocks).expansion()


@dataclass(frozen=True)
class _Occasion:
    """One VEVENT of the object, read: ``start`` and ``end`` are both DATEs or both aware."""

    component: Component
    start: Moment
    end: Moment
    exact: timedelta | None
    """The length, where it is given as one: it is not changed by DST."""

    @property
    def is_all_day(self) -> bool:
        return not isinstance(self.start, datetime)

    @property
    def is_override(self) -> bool:
        return "RECURRENCE-ID" in self.component

    @property
    def recurs(self) -> bool:
        return any(name in self.component for name in RECURRING)


@dataclass
class _Expander:
    """Collects what the parts of one object block."""

    parts: Parts
    zone: ZoneInfo
    window: Period
    all_day_blocks: bool
    busy: set[Period] = field(default_factory=set)
    problems: dict[str, None] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        self.zones = Zones(self.zone, self.parts.definitions)

    def expansion(self) -> Expansion:
        """Return what all parts block together."""
        if self.parts.rules_out:
            self.problems["an exclusion rule (EXRULE) is not understood, the instances it takes out block"] = None
        groups: dict[str, list[_Occasion]] = defaultdict(list)
        for component in self.parts.components:
            try:
                if component.name == "VFREEBUSY":
                    self._add_free_busy(component)
                else:
                    groups[str(component.get("UID", ""))].append(self._read(component))
            except NotUnderstood as error:
                self._block_unknown(error)
        for group in groups.values():
            self._add_group(group)
        return Expansion(tuple(sorted(self.busy)), self.parts.uid, "; ".join(self.problems))

    def _block_unknown(self, error: NotUnderstood) -> None:
        self.problems[str(error)] = None
        since = error.since or self.window.start
        if since < self.window.end:
            self.busy.add(Period(since, self.window.end))

    def _block(self, start: datetime, end: datetime, *, zone_is_known: bool = True) -> None:
        if not zone_is_known:
            start = max(start, datetime.min.replace(tzinfo=UTC) + EASTERNMOST) - EASTERNMOST
            end = min(end, datetime.max.replace(tzinfo=UTC) - WESTERNMOST) + WESTERNMOST
        if start < end and Period(start, end).overlaps(self.window):
            self.busy.add(Period(start, end))

    def _blocks(self, component: Component, *, is_all_day: bool) -> bool:
        if str(component.get("STATUS", "")).upper() == "CANCELLED":
            return False
        transparent = str(component.get("TRANSP", "")).upper() == "TRANSPARENT"
        return not transparent or (is_all_day and self.all_day_blocks)

    # Reading one event

    def _read(self, component: Component) -> _Occasion:
        self._drop_broken(component)
        start = self._moment(component, "DTSTART")
        try:
            return self._occasion(component, start)
        except NotUnderstood as error:
            raise NotUnderstood(str(error), to_utc(start, self.zone) - EASTERNMOST) from error
        except OverflowError as error:
            raise NotUnderstood("the event ends after the last year there is", to_utc(start, self.zone)) from error

    def _drop_broken(self, component: Component) -> None:
        broken = {str(name).upper() for name, _ in component.errors}
        doubled = {name for name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID") if _is_list(component.get(name))}
        if "DTSTART" in doubled or "DTSTART" in broken or "DTSTART" not in component:
            raise NotUnderstood("the start of an event can't be read")
        if "RDATE" in broken:
            raise NotUnderstood("the dates of an event can't be read")
        if beyond := (broken | doubled) - HARMLESS:
            start = to_utc(self._moment(component, "DTSTART"), self.zone)
            raise NotUnderstood(f"a part of an event can't be read ({', '.join(sorted(beyond))})", start - EASTERNMOST)
        for name in broken | doubled:
            self.problems[f"a part of an event can't be read ({name}), it blocks without it"] = None
            component.pop(name, None)

    def _moment(self, component: Component, name: str) -> Moment:
        prop = component[name]
        return self.zones.moment(getattr(prop, "dt", None), getattr(prop, "params", {}))

    def _occasion(self, component: Component, start: Moment) -> _Occasion:
        exact = None
        if "DTEND" in component:
            end = self._moment(component, "DTEND")
        elif (length := length_of(component, start)) is None:
            end = start if isinstance(start, datetime) else start + DAY
        else:
            if length % DAY:
                start, exact = self._timed(start), length
            end = _later(start, length)
        if isinstance(start, datetime) or isinstance(end, datetime):
            start, end = self._timed(start), self._timed(end)
        return _Occasion(component, start, self._not_before(start, end), exact)

    def _timed(self, moment: Moment) -> datetime:
        if isinstance(moment, datetime):
            return moment
        return datetime(moment.year, moment.month, moment.day, tzinfo=self.zone)

    def _not_before(self, start: Moment, end: Moment) -> Moment:
        """Return an end after the start, whatever the event says."""
        if not (isinstance(start, datetime) and isinstance(end, datetime)):
            if end < start:
                self.problems["an event ends before it starts, it blocks one day"] = None
            return end if end > start else start + DAY
        begins, ends = to_utc(start, self.zone), to_utc(end, self.zone)
        if ends > begins:
            return end
        wall = end.replace(tzinfo=None) - start.replace(tzinfo=None)
        if start.tzinfo is end.tzinfo and wall > timedelta():  # the start lies where DST leaves an hour out
            return begins + wall
        if ends < begins:
            self.problems["an event ends before it starts, it blocks one day"] = None
        return begins + (DAY if ends < begins else SHORTEST)

    # Placing events

    def _add_group(self, group: Sequence[_Occasion]) -> None:
        """Add the events of one UID: a series with its overrides, or single ones."""
        masters = [occasion for occasion in group if not occasion.is_override]
        overrides = [occasion for occasion in group if occasion.is_override]
        series = [master for master in masters if master.recurs]
        singles = masters if not series else [master for master in masters if not master.recurs]
        for single in [*singles, *([] if series else overrides)]:
            if self._blocks(single.component, is_all_day=single.is_all_day):
                self._block(*self._exact(single), zone_is_known=not self._is_foreign(single))
        for master in series:
            try:
                _Series(self, master, overrides).add()
            except NotUnderstood as error:
                moments = [self._exact(occasion)[0] for occasion in (master, *overrides)]
                self._block_unknown(NotUnderstood(str(error), min([*moments, *self._dates(master)]) - EASTERNMOST))

    def _exact(self, occasion: _Occasion) -> tuple[datetime, datetime]:
        start, end = to_utc(occasion.start, self.zone), to_utc(occasion.end, self.zone, is_end=True)
        return start, end

    def _is_foreign(self, occasion: _Occasion) -> bool:
        """Say whether a time of the event is in a zone nobody knows; it then blocks wherever that may be."""
        params = [getattr(occasion.component.get(name), "params", {}) for name in ("DTSTART", "DTEND")]
        unknown = {str(param.get("TZID", "")) for param in params} & self.zones.unknown
        if unknown:
            self.problems["the time zone of an event is not known, it blocks wherever that may be"] = None
        return bool(unknown)

    def _dates(self, master: _Occasion) -> list[datetime]:
        return [to_utc(_first(value), self.zone) for value in self._values(master.component, "RDATE")]

    def _values(self, component: Component, name: str) -> list[Any]:
        """Return the moments of RDATE or EXDATE: DATEs, aware DATE-TIMEs, or pairs (periods)."""
        values: list[Any] = []
        for prop in _as_list(component.get(name)):
            for value in prop.dts:
                values.append(self._value(value.dt, prop.params))
        return values

    def _value(self, value: Any, params: Any) -> Any:
        if not isinstance(value, tuple):
            return self.zones.moment(value, params)
        start = self.zones.moment(value[0], params)
        end = _later(start, value[1]) if isinstance(value[1], timedelta) else self.zones.moment(value[1], params)
        return start, end

    def _add_free_busy(self, component: Component) -> None:
        if component.errors:
            raise NotUnderstood("free/busy time can't be read")
        for prop in _as_list(component.get("FREEBUSY")):
            if str(prop.params.get("FBTYPE", "BUSY")).upper() == FREE_BY_TYPE:
                continue
            for period in getattr(prop, "dts", [prop]):
                start, end = self._value(period.dt, {})
                self._block(to_utc(start, self.zone), to_utc(end, self.zone))


class _Series:
    """A series and its overrides, expanded in the wall time of the series' own zone.

    Everything the library gets is a wall time without a zone, so that an instance, its EXDATE and its override are
    compared as the calendar shows them; the zone is put on again afterwards, which keeps the wall time across DST.
    """

    def __init__(self, expander: _Expander, master: _Occasion, overrides: Sequence[_Occasion]) -> None:
        self._expander = expander
        self._occasions = [master, *overrides]
        self._master = master
        zone = master.start.tzinfo if isinstance(master.start, datetime) else expander.zone
        self._zone: tzinfo = zone or UTC
        self._is_known = not any([expander._is_foreign(occasion) for occasion in self._occasions])

    def add(self) -> None:
        """Add what the series blocks.

        :raises NotUnderstood: a rule can't be read or costs too much.
        """
        window = self._expander.window
        first, last = self._wall(window.start) - 2 * DAY, self._wall(window.end) + 2 * DAY
        try:
            calendar = self._calendar(last)
            for instance in recurring_ical_events.of(calendar).between(first, last):
                self._add_instance(instance)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise NotUnderstood("a series can't be expanded") from error

    def _wall(self, moment: Moment) -> datetime:
        return self._expander.zones.wall(moment, self._zone)

    def _add_instance(self, instance: Component) -> None:
        occasion = self._occasions[int(instance["X-INDEX"])]
        start, end = instance["DTSTART"].dt, instance["DTEND"].dt
        is_all_day = not isinstance(start, datetime)
        if not self._expander._blocks(occasion.component, is_all_day=is_all_day):
            return
        if occasion.is_override and start == self._plain(occasion.start):
            begins, ends = self._expander._exact(occasion)
        elif is_all_day:
            begins, ends = to_utc(start, self._zone), to_utc(end, self._zone, is_end=True)
        else:
            begins, ends = to_utc(start.replace(tzinfo=self._zone), self._zone), self._end(start, end, occasion)
        self._expander._block(begins, ends, zone_is_known=self._is_known)

    def _end(self, start: datetime, end: datetime, occasion: _Occasion) -> datetime:
        begins, ends = (to_utc(wall.replace(tzinfo=self._zone), self._zone) for wall in (start, end))
        if ends <= begins:  # the instance starts where DST leaves an hour out
            ends = begins + (end - start)
        return max(ends, begins + occasion.exact) if occasion.exact else ends

    def _calendar(self, last: datetime) -> Calendar:
        calendar = Calendar()
        shift = timedelta()
        for index, occasion in enumerate(self._occasions):
            event = self._event(occasion)
            event["X-INDEX"] = str(index)
            calendar.add_component(event)
            if occasion.is_override and "RANGE" in event["RECURRENCE-ID"].params:
                shift = max(shift, abs(self._wall(occasion.start) - self._wall(event["RECURRENCE-ID"].dt)))
        last = self._expander.budget.farthest(last, shift)
        for rule in _as_list(calendar.subcomponents[0].get("RRULE")):
            self._expander.budget.check(rule.to_ical().decode(), self._wall_of(self._plain(self._master.start)), last)
        return calendar

    def _event(self, occasion: _Occasion) -> Event:
        event = Event()
        start, end = self._plain(occasion.start), self._plain(occasion.end)
        if end <= start:  # the clock is put back in between
            end = start + max(to_utc(occasion.end, self._zone) - to_utc(occasion.start, self._zone), SHORTEST)
        event["UID"] = "series"
        event["DTSTART"], event["DTEND"] = vDDDTypes(start), vDDDTypes(end)
        event["SEQUENCE"] = occasion.component.get("SEQUENCE", 0)
        if occasion.is_override:
            event["RECURRENCE-ID"] = self._recurrence_id(occasion.component)
        else:
            self._copy_recurrence(occasion.component, event)
        return event

    def _recurrence_id(self, component: Component) -> vDDDTypes:
        moment = self._expander._moment(component, "RECURRENCE-ID")
        value = vDDDTypes(self._as_master(moment) if isinstance(moment, datetime) else moment)
        if str(component["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
            value.params["RANGE"] = "THISANDFUTURE"
        return value

    def _copy_recurrence(self, component: Component, event: Event) -> None:
        if rules := [self._rule(rule) for rule in _as_list(component.get("RRULE"))]:
            event["RRULE"] = rules
        if dates := [self._date(value) for value in self._expander._values(component, "RDATE")]:
            event["RDATE"] = vDDDLists(dates)
        if gone := [self._as_master(value) for value in self._expander._values(component, "EXDATE")]:
            event["EXDATE"] = vDDDLists(gone)

    def _rule(self, rule: vRecur) -> vRecur:
        """Return a rule whose UNTIL is of the same type as the start; one that is a DATE includes that whole day."""
        copy = vRecur(rule)
        untils = [value for value in _as_list(copy.get("UNTIL")) if isinstance(value, date)]
        if untils:
            until = untils[0]
            if isinstance(until, datetime):
                wall = self._wall(until) if until.tzinfo else until
            else:
                wall = self._wall(until) + DAY - timedelta(seconds=1)
            copy["UNTIL"] = [wall.date() if self._master.is_all_day else wall]
        return copy

    def _date(self, value: Any) -> Any:
        if isinstance(value, tuple):
            start, end = (self._wall(moment) for moment in value)
            return (start, end) if not self._master.is_all_day else start.date()
        if self._master.is_all_day or isinstance(value, datetime):
            return self._as_master(value)
        raise NotUnderstood("a series of times lists a date without a time")

    def _plain(self, moment: Moment) -> Moment:
        return self._wall(moment) if isinstance(moment, datetime) else moment

    def _as_master(self, moment: Moment) -> Moment:
        """Return a moment as a wall time, or as a DATE where the series is one of whole days."""
        plain = self._plain(moment)
        return plain.date() if self._master.is_all_day and isinstance(plain, datetime) else plain

    def _wall_of(self, plain: Moment) -> datetime:
        return plain if isinstance(plain, datetime) else datetime(plain.year, plain.month, plain.day)  # noqa: DTZ001


def _later(start: Moment, length: timedelta) -> Moment:
    """Return a moment later by a DURATION: its days by the calendar, the rest by the clock (RFC 5545, 3.3.6)."""
    if not isinstance(start, datetime):
        return start + length
    days, rest = divmod(length, DAY)
    moved = start + timedelta(days=days)
    return moved if not rest else (moved.astimezone(UTC) + rest).astimezone(start.tzinfo)


def _first(value: Any) -> Moment:
    moment: Moment = value[0] if isinstance(value, tuple) else value
    return moment


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
