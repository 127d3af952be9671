"""Expands one series with its overrides, in the wall time of the series' own zone.

Everything the library gets is a wall time without a zone, so that an instance, its EXDATE and its override are compared
as a calendar shows them; the zone is put on again afterwards, which keeps the wall time across DST.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Component, Event
from icalendar.prop import vDDDLists, vDDDTypes, vRecur

from booking.calendars.components import Moment, to_utc
from booking.calendars.occasions import DAY, EASTERNMOST, SHORTEST, Occasion, Reader, as_list, earlier
from booking.calendars.screen import Budget, NotUnderstood
from booking.rules.period import Period


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance in UTC, and the event it comes from."""

    start: datetime
    end: datetime
    is_all_day: bool
    component: Component


class Series:
    """One series; its expansion touches a window, and costs no more than the budget."""

    def __init__(self, reader: Reader, master: Occasion, overrides: Sequence[Occasion], budget: Budget) -> None:
        self._reader = reader
        self._occasions = [master, *overrides]
        self._master = master
        self._budget = budget
        zone = master.start.tzinfo if isinstance(master.start, datetime) else reader.zones.owner
        self._zone: tzinfo = zone or UTC
        self.zone_is_known = all(occasion.zone_is_known for occasion in self._occasions)

    @property
    def since(self) -> datetime:
        """The earliest moment the series can touch."""
        starts = [self._reader.period(occasion)[0] for occasion in self._occasions]
        for value in self._reader.values(self._master.component, "RDATE"):
            starts.append(self._reader.utc(value[0] if isinstance(value, tuple) else value))
        return min(starts) if self.zone_is_known else earlier(min(starts), EASTERNMOST)

    def instances(self, window: Period) -> Iterator[Instance]:
        """Yield the instances around a window.

        :raises NotUnderstood: a rule can't be read or costs too much.
        """
        try:
            first, last = self._wall(window.start) - 2 * DAY, self._wall(window.end) + 2 * DAY
            calendar = self._calendar(first, last)
            for found in recurring_ical_events.of(calendar).between(first, last):
                yield self._instance(found)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise NotUnderstood("a series can't be expanded", self.since) from error

    def _instance(self, found: Any) -> Instance:
        occasion = self._occasions[int(found["X-INDEX"])]
        start, end = found["DTSTART"].dt, found["DTEND"].dt
        is_all_day = not isinstance(start, datetime)
        if (start, end) == self._walls(occasion):  # the event itself: its moments are exact
            begins, ends = self._reader.period(occasion)
        elif is_all_day:
            begins, ends = to_utc(start, self._zone), to_utc(end, self._zone, is_end=True)
        else:
            begins, ends = self._zoned(start), self._end(start, end, occasion)
        return Instance(begins, ends, is_all_day, occasion.component)

    def _end(self, start: datetime, end: datetime, occasion: Occasion) -> datetime:
        begins, ends = self._zoned(start), self._zoned(end)
        if ends <= begins:  # the instance starts where DST leaves an hour out
            ends = begins + (end - start)
        return max(ends, begins + occasion.exact) if occasion.exact else ends

    def _calendar(self, first: datetime, last: datetime) -> Calendar:
        calendar = Calendar()
        for index, occasion in enumerate(self._occasions):
            event = self._event(occasion)
            event["X-INDEX"] = str(index)
            calendar.add_component(event)
        start, end = self._midnight(self._plain(self._master.start)), self._midnight(self._plain(self._master.end))
        shift = self._shift()
        for rule in as_list(calendar.subcomponents[0].get("RRULE")):
            self._budget.check(rule.to_ical().decode(), start, first - (end - start) - shift, last + shift)
        return calendar

    def _shift(self) -> timedelta:
        """Return how far an override moves the rest of its series at most."""
        shift = timedelta()
        for override in self._occasions[1:]:
            if _is_this_and_future(override.component):
                at = self._reader.moment(override.component, "RECURRENCE-ID")
                shift = max(shift, abs(self._wall(override.start) - self._wall(at)))
        return shift

    def _event(self, occasion: Occasion) -> Event:
        event = Event()
        start, end = self._walls(occasion)
        event["UID"] = "series"
        event["DTSTART"], event["DTEND"] = vDDDTypes(start), vDDDTypes(end)
        event["SEQUENCE"] = occasion.component.get("SEQUENCE", 0)
        if occasion.is_override:
            event["RECURRENCE-ID"] = self._recurrence_id(occasion.component)
        else:
            self._copy_recurrence(occasion.component, event)
        return event

    def _walls(self, occasion: Occasion) -> tuple[Moment, Moment]:
        """Return the start and the end of an event as wall times (or DATEs) that follow each other."""
        start, end = self._plain(occasion.start), self._plain(occasion.end)
        if end <= start:  # the clock is put back in between
            begins, ends = self._reader.period(occasion)
            end = start + max(ends - begins, SHORTEST)
        return start, end

    def _recurrence_id(self, component: Component) -> vDDDTypes:
        moment = self._reader.moment(component, "RECURRENCE-ID")
        value = vDDDTypes(self._as_master(moment))
        if _is_this_and_future(component):
            value.params["RANGE"] = "THISANDFUTURE"
        return value

    def _copy_recurrence(self, component: Component, event: Event) -> None:
        recurrence: Any = event
        if rules := [self._rule(rule) for rule in as_list(component.get("RRULE"))]:
            recurrence["RRULE"] = rules
        if dates := [self._date(value) for value in self._reader.values(component, "RDATE")]:
            recurrence["RDATE"] = vDDDLists(dates)
        if gone := [self._as_master(value) for value in self._reader.values(component, "EXDATE")]:
            recurrence["EXDATE"] = vDDDLists(gone)

    def _rule(self, rule: vRecur) -> vRecur:
        """Return a rule whose UNTIL is of the same type as the start; one that is a DATE includes that whole day."""
        copy = vRecur(rule)
        untils = [value for value in as_list(copy.get("UNTIL")) if isinstance(value, date)]
        if untils:
            until = untils[0]
            if not isinstance(until, datetime):
                wall = self._midnight(until) + DAY - timedelta(seconds=1)
            else:
                wall = self._wall(until) if until.tzinfo else until
            copy["UNTIL"] = [wall.date() if self._master.is_all_day else wall]
        return copy

    def _date(self, value: Any) -> Any:
        if isinstance(value, tuple):
            start, end = (self._wall(moment) for moment in value)
            return start.date() if self._master.is_all_day else (start, end)
        if self._master.is_all_day or isinstance(value, datetime):
            return self._as_master(value)
        raise NotUnderstood("a series of times lists a date without a time", self.since)

    def _as_master(self, moment: Moment) -> Moment:
        """Return a moment as a wall time, or as a DATE where the series is one of whole days."""
        plain = self._plain(moment)
        return plain.date() if self._master.is_all_day and isinstance(plain, datetime) else plain

    def _plain(self, moment: Moment) -> Moment:
        return self._wall(moment) if isinstance(moment, datetime) else moment

    def _wall(self, moment: Moment) -> datetime:
        """Return the wall time of a moment in the series' zone, without the zone; a DATE is its midnight."""
        if isinstance(moment, datetime):
            return moment.astimezone(self._zone).replace(tzinfo=None, fold=0)
        return self._midnight(moment)

    def _zoned(self, wall: datetime) -> datetime:
        return to_utc(wall.replace(tzinfo=self._zone), self._zone)

    def _midnight(self, moment: Moment) -> datetime:
        if isinstance(moment, datetime):
            return moment
        return datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - a wall time is meant


def _is_this_and_future(component: Component) -> bool:
    params = getattr(component.get("RECURRENCE-ID"), "params", {})
    return str(params.get("RANGE", "")).upper() == "THISANDFUTURE"
