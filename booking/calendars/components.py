"""Takes an iCalendar object apart: its events, each with what decides when it blocks, and nothing else.

Only the few properties that matter are parsed, so that a broken description or alarm spoils nothing and titles are
never touched. Wall times stay wall times; which zone they are in is answered here too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Component, Event, FreeBusy

from booking.calendars.screen import NotUnderstood
from booking.calendars.zones import zone_of

LARGEST: Final = 5 * 2**20
MOST_COMPONENTS: Final = 10_000
MOST_EVENTS: Final = 1_500
"""In one object: a series with very many changed instances. More would take too long."""
LONGEST_UID: Final = 255
LONGEST_LINE: Final = 10_000
MOST_DATES: Final = 5_000
TIMES: Final = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"})
RECURRENCE: Final = frozenset({"RRULE", "RDATE", "EXDATE"})
NEEDED: Final = TIMES | RECURRENCE | {"EXRULE", "UID", "STATUS", "TRANSP", "SEQUENCE", "FREEBUSY"}
READ: Final[Mapping[str, type[Component]]] = {"VEVENT": Event, "VFREEBUSY": FreeBusy}
NAME: Final = re.compile(r"[A-Za-z0-9-]+")
ESCAPED: Final = re.compile(r"\\([,;\\])")
DATES: Final = ("RDATE;", "RDATE:", "EXDATE")
TZID: Final = "X-TZID"
"""What TZID is renamed to, since the library would look it up among the zones of all objects it has seen so far."""
TZID_PARAM: Final = re.compile(r";TZID=", re.IGNORECASE)
PARAMS: Final = re.compile(r'(?:"[^"]*"|[^":])*')
"""Everything before the value: a colon in quotes belongs to a parameter."""
MOST_ZONES: Final = 10
"""Time zones that one object may define; those of the others count as unknown."""

Moment = date | datetime
"""A DATE, or a DATE-TIME that is aware; see :class:`Zones`."""


@dataclass(frozen=True)
class Parts:
    """What an object holds: events and free/busy components, and its time zones by TZID (text)."""

    components: list[Component]
    definitions: Mapping[str, str]
    uid: str
    rules_out: bool
    """A deprecated EXRULE was left out: its instances block."""


@dataclass
class Zones:
    """Makes aware moments of one object's values."""

    owner: ZoneInfo
    definitions: Mapping[str, str]
    unknown: set[str] = field(default_factory=set)

    def of(self, value: Any, params: Mapping[str, Any]) -> tzinfo:
        """Return the zone of a value: UTC, that of its TZID, or the owner's for a floating one.

        Where a TZID can't be understood it is noted in ``unknown``, and the wall time is taken as UTC.
        """
        tzid = str(params.get(TZID, ""))
        if isinstance(value, datetime) and value.tzinfo is not None:
            return UTC
        if not tzid:
            return self.owner
        zone = zone_of(tzid, self.definitions)
        if zone is None:
            self.unknown.add(tzid)
        return zone or UTC

    def moment(self, value: Any, params: Mapping[str, Any]) -> Moment:
        """Return a value as a DATE or as an aware DATE-TIME."""
        if isinstance(value, datetime):
            return value.replace(tzinfo=self.of(value, params))
        if isinstance(value, date):
            return value
        raise NotUnderstood("a date or time of the event can't be read")


def to_utc(moment: Moment, zone: tzinfo, *, is_end: bool = False) -> datetime:
    """Return a moment in UTC; a DATE is midnight in ``zone``.

    A wall time that comes twice is the first, one that DST leaves out is taken with the offset before the gap
    (RFC 5545, 3.3.5); a midnight that comes twice ends a day the second time. Beyond the first and the last year
    there is only the first and the last moment.
    """
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone, fold=1 if is_end else 0)
        if is_end and _is_in_gap(moment):
            moment = moment.replace(fold=0)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


def _is_in_gap(moment: datetime) -> bool:
    first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
    return first is not None and second is not None and first < second


def take_apart(ics: str) -> Parts:
    """Return the parts of an object.

    :raises NotUnderstood: it is too large, cut, or no iCalendar object.
    """
    if len(ics) > LARGEST:
        raise NotUnderstood("the object is larger than 5 MB")
    if not ics.strip():
        raise NotUnderstood("the object is empty or too large to be fetched")
    blocks = _Blocks()
    for name, line in _lines(ics):
        blocks.take(name, line)
    if blocks.stack or not blocks.count:
        raise NotUnderstood("the object is cut or its components are mixed up")
    lines = [line for _, block in blocks.found for line in block]
    if len(blocks.found) > MOST_EVENTS:
        raise NotUnderstood("the object holds too many events")
    dates = sum(line.count(",") + 1 for line in lines if line[:6].upper() in DATES)
    if dates > MOST_DATES:
        raise NotUnderstood("the event lists too many dates")
    if any(len(line) > LONGEST_LINE for line in lines if line[:6].upper() not in DATES):
        raise NotUnderstood("a line of the event is too long")
    components = [_parsed(name, block) for name, block in blocks.found]
    uids = [str(component["UID"]) for component in components if "UID" in component]
    rules_out = any(line.upper().startswith("EXRULE") for line in lines)
    zones = dict(map(_definition, blocks.zones[:MOST_ZONES]))
    return Parts(components, zones, uids[0][:LONGEST_UID] if uids else "", rules_out)


def _parsed(name: str, block: list[str]) -> Component:
    try:
        return READ[name].from_ical("\r\n".join([f"BEGIN:{name}", *block, f"END:{name}", ""]))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
        raise NotUnderstood("a part of the object can't be read") from error


def _lines(ics: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each unfolded line, and the line."""
    for line in re.sub(r"\r?\n[ \t]", "", ics.lstrip("\ufeff")).split("\n"):
        content = line.rstrip("\r")
        if name := NAME.match(content):
            yield name.group().upper(), content


class _Blocks:
    """Sorts the lines of an object into the needed lines of what can block, and the text of each VTIMEZONE."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.found: list[tuple[str, list[str]]] = []
        self.zones: list[list[str]] = []
        self.count = 0

    def take(self, name: str, line: str) -> None:
        value = line.partition(":")[2].strip().upper()
        if name == "BEGIN":
            self._begin(value)
        if self.stack[:1] != ["VCALENDAR"]:
            raise NotUnderstood("this is no calendar object")
        if self.stack[1:2] == ["VTIMEZONE"]:
            self.zones[-1].append(line)
        elif len(self.stack) == 2 and self.stack[1] in READ and name in NEEDED:
            self.found[-1][1].append(_hide_zone(line))
        if name == "END" and self.stack.pop() != value:
            raise NotUnderstood("the object is cut or its components are mixed up")

    def _begin(self, value: str) -> None:
        self.count += 1
        if self.count > MOST_COMPONENTS:
            raise NotUnderstood("the object holds too many components")
        self.stack.append(value)
        if len(self.stack) == 2 and value in READ:
            self.found.append((value, []))
        elif len(self.stack) == 2 and value == "VTIMEZONE":
            self.zones.append([])


def _hide_zone(line: str) -> str:
    """Rename TZID wherever it stands among the parameters."""
    return PARAMS.sub(lambda params: TZID_PARAM.sub(f";{TZID}=", params.group()), line, count=1)


def _definition(lines: list[str]) -> tuple[str, str]:
    names = [line.partition(":")[2].strip() for line in lines if line.upper().startswith(("TZID:", "TZID;"))]
    name = ESCAPED.sub(r"\1", names[0]) if names else ""
    return name, "\r\n".join(lines) + "\r\n"
