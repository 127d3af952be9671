"""Which time zone a TZID means: an IANA name, a Windows name, or what the object's own VTIMEZONE defines."""

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from typing import Final, cast
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

LARGEST_DEFINITION: Final = 100_000
LOCATION: Final = re.compile(r"^X-LIC-LOCATION[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
NAME: Final = re.compile(r"^TZID[^\r\n]*", re.MULTILINE | re.IGNORECASE)
RULE: Final = re.compile(r"^RRULE[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
YEARLY: Final = re.compile(r"FREQ=YEARLY(;(UNTIL|COUNT|BYMONTH|BYDAY|BYMONTHDAY|WKST|INTERVAL)=[^;]+)*", re.IGNORECASE)


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
    if not all(YEARLY.fullmatch(rule.strip()) for rule in RULE.findall(definition)):
        return None
    try:
        component = Timezone.from_ical(NAME.sub("TZID:zone", definition))  # the library keeps one zone per name
        zone: tzinfo = cast(Timezone, component).to_tz(lookup_tzid=False)
        zone.utcoffset(datetime(2026, 1, 1))  # noqa: DTZ001 - a wall time is what a zone is asked for
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None
    return zone
