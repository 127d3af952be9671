"""Which time zone a TZID means: an IANA name, a Windows name, or what the object's own VTIMEZONE defines."""

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from typing import Final, cast
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from booking.calendars.screen import Budget, NotUnderstood

LARGEST_DEFINITION: Final = 100_000
LOCATION: Final = re.compile(r"^X-LIC-LOCATION[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
NAME: Final = re.compile(r"^TZID[^\r\n]*", re.MULTILINE | re.IGNORECASE)
RULE: Final = re.compile(r"^(?:RR|EXR)ULE[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
START: Final = re.compile(r"^DTSTART[^:\n]*:([0-9]{8}T[0-9]{6})\s*$", re.MULTILINE | re.IGNORECASE)
OBSERVANCE: Final = re.compile(r"^(?=BEGIN:(?:STANDARD|DAYLIGHT)\b)", re.MULTILINE | re.IGNORECASE)
YEARLY_ONLY: Final = re.compile(
    r"FREQ=YEARLY(;(UNTIL|COUNT|BYMONTH|BYDAY|BYMONTHDAY|WKST|INTERVAL)=[^;]+)*", re.IGNORECASE
)
MOST_RULES: Final = 12
MOST_YEARS: Final = 2_000
"""What all rules of a definition may walk through: some programs begin in 1601."""
FAR: Final = datetime(2100, 1, 1)  # noqa: DTZ001 - a wall time


def zone_of(tzid: str, definitions: Mapping[str, str]) -> tzinfo | None:
    """Return the zone a TZID means, or ``None`` where nobody can know.

    A known name wins over the object's definition, since many programs write one that holds for a year only.

    :param definitions: the object's VTIMEZONE components (unfolded text) by their TZID.
    """
    definition = definitions.get(tzid, "")
    located = LOCATION.search(definition)
    for name in (tzid, located.group(1).strip() if located else "", WINDOWS_TO_OLSON.get(tzid, "")):
        if name in _names():
            return ZoneInfo(name)
    return _defined(definition) or _at_the_end(tzid)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def _at_the_end(tzid: str) -> tzinfo | None:
    """Return the zone of a path such as ``/example.org/20250101/Europe/Berlin``."""
    words = tzid.strip("/").split("/")
    for count in (3, 2):
        if "/".join(words[-count:]) in _names():
            return ZoneInfo("/".join(words[-count:]))
    return None


@lru_cache(maxsize=256)
def _defined(definition: str) -> tzinfo | None:
    """Return the zone that a VTIMEZONE defines; one that can't be read, or would cost too much, defines none."""
    if not definition or len(definition) > LARGEST_DEFINITION:
        return None
    try:
        _check_cost(definition)
        component = Timezone.from_ical(NAME.sub("TZID:zone", definition))  # the library keeps one zone per name
        zone: tzinfo = cast(Timezone, component).to_tz(lookup_tzid=False)
        zone.utcoffset(datetime(2026, 1, 1))  # noqa: DTZ001 - a wall time is what a zone is asked for
    except (NotUnderstood, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError):
        return None
    return zone


def _check_cost(definition: str) -> None:
    """Walk every rule once, since the library walks it again for each moment that is asked for.

    :raises NotUnderstood: they can't be read, or cost too much.
    """
    budget = Budget(days=MOST_YEARS * 366, walked=MOST_YEARS, taken=MOST_YEARS)
    rules = [(rule.strip(), part) for part in OBSERVANCE.split(definition) for rule in RULE.findall(part)]
    if len(rules) > MOST_RULES:
        raise NotUnderstood("the time zone has too many rules")
    for rule, part in rules:
        starts = START.findall(part)
        if len(starts) != 1 or not YEARLY_ONLY.fullmatch(rule):
            raise NotUnderstood("the time zone has a rule that can't be read")
        start = datetime.strptime(starts[0], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time
        budget.check(re.sub(r"(UNTIL=[^;]*)Z", r"\1", rule, flags=re.IGNORECASE), start, start, FAR)
