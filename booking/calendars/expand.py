"""From one iCalendar object to the time it blocks.

What blocks: every event that is not CANCELLED and not TRANSPARENT. A calendar's setting says whether TENTATIVE ones do,
and whether all-day events do even where they are TRANSPARENT. Floating times and whole days are in the owner's zone.
What can't be understood is never free: it blocks from its beginning to the window's end, or the whole window where not
even its beginning can be read, and ``problem`` names it. An event in a zone nobody knows blocks wherever on earth that
may be.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Component

from booking.calendars.components import LONGEST_UID, Parts, Zones, take_apart
from booking.calendars.occasions import EASTERNMOST, WESTERNMOST, Occasion, Reader, as_list, earlier
from booking.calendars.screen import Budget, NotUnderstood
from booking.calendars.series import Series
from booking.rules.period import Period

UID_LINE: Final = re.compile(r"^UID[^:\r\n]*:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expansion:
    """The busy time of one object that touches the window, its UID, and what was not understood (English, untitled)."""

    busy: tuple[Period, ...]
    uid: str
    problem: str


def expand(
    ics: str, *, zone: ZoneInfo, window: Period, all_day_blocks: bool, tentative_blocks: bool = True
) -> Expansion:
    """Return what an object blocks within a window; whatever it holds, within bounded time and memory.

    :param zone: the owner's zone: whole days and floating times are in it.
    :param all_day_blocks: whole-day events block even where they are marked as transparent.
    :param tentative_blocks: events that are not certain yet (STATUS:TENTATIVE) block.
    """
    try:
        parts = take_apart(ics)
    except NotUnderstood as error:
        uid = UID_LINE.search(ics[:100_000])
        return Expansion((window,), uid.group(1).strip()[:LONGEST_UID] if uid else "", str(error))
    reader = Reader(Zones(zone, parts.definitions))
    return _Expander(reader, window, all_day_blocks, tentative_blocks).expansion(parts)


@dataclass
class _Expander:
    """Collects what the parts of one object block."""

    reader: Reader
    window: Period
    all_day_blocks: bool
    tentative_blocks: bool
    busy: set[Period] = field(default_factory=set)
    budget: Budget = field(default_factory=Budget)

    def expansion(self, parts: Parts) -> Expansion:
        if parts.rules_out:
            self._note("an exclusion rule (EXRULE) is not understood, the instances it takes out block")
        groups: dict[str, list[Occasion]] = defaultdict(list)
        for component in parts.components:
            try:
                if component.name == "VFREEBUSY":
                    self._add_free_busy(component)
                else:
                    groups[str(component.get("UID", ""))].append(self.reader.occasion(component))
            except NotUnderstood as error:
                self._block_unknown(error)
        for group in groups.values():
            self._add_group(group)
        return Expansion(tuple(sorted(self.busy)), parts.uid, "; ".join(self.reader.problems))

    def _note(self, problem: str) -> None:
        self.reader.problems[problem] = None

    def _add_group(self, group: Sequence[Occasion]) -> None:
        """Add the events of one UID: single ones, or a series with its overrides."""
        series = [occasion for occasion in group if occasion.recurs and not occasion.is_override]
        overrides = [occasion for occasion in group if occasion.is_override]
        for occasion in group:
            if occasion not in series and not (series and occasion.is_override):
                self._add_single(occasion)
        for master in series:
            self._add_series(Series(self.reader, master, overrides, self.budget))

    def _add_single(self, occasion: Occasion) -> None:
        if self._blocks(occasion.component, is_all_day=occasion.is_all_day):
            self._block(*self.reader.period(occasion), zone_is_known=occasion.zone_is_known)

    def _add_series(self, series: Series) -> None:
        try:
            for instance in series.instances(self.window):
                if self._blocks(instance.component, is_all_day=instance.is_all_day):
                    self._block(instance.start, instance.end, zone_is_known=series.zone_is_known)
        except NotUnderstood as error:
            self._block_unknown(NotUnderstood(str(error), error.since or series.since))

    def _add_free_busy(self, component: Component) -> None:
        for prop in as_list(component.get("FREEBUSY")):
            if str(prop.params.get("FBTYPE", "BUSY")).upper() not in self._free_types:
                for value in getattr(prop, "dts", [prop]):
                    self._block(*map(self.reader.utc, self.reader.value(value.dt, {})))

    def _blocks(self, component: Any, *, is_all_day: bool) -> bool:
        status = str(component.get("STATUS", "")).upper()
        if status == "CANCELLED" or (status == "TENTATIVE" and not self.tentative_blocks):
            return False
        transparent = str(component.get("TRANSP", "")).upper() == "TRANSPARENT"
        return not transparent or (is_all_day and self.all_day_blocks)

    @property
    def _free_types(self) -> tuple[str, ...]:
        return ("FREE",) if self.tentative_blocks else ("FREE", "BUSY-TENTATIVE")

    def _block(self, start: datetime, end: datetime, *, zone_is_known: bool = True) -> None:
        if not zone_is_known:
            start = earlier(start, EASTERNMOST)
            end = min(end, datetime.max.replace(tzinfo=UTC) - WESTERNMOST) + WESTERNMOST
        if start < end and Period(start, end).overlaps(self.window):
            self.busy.add(Period(start, end))

    def _block_unknown(self, error: NotUnderstood) -> None:
        self._note(str(error))
        since = error.since or self.window.start
        if since < self.window.end:
            self.busy.add(Period(since, self.window.end))
