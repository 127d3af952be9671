"""The page of days and times: what one call type offers, by days and hours of the reader's zone.

Built from the free starts alone; nothing here decides what is free.
"""

from bisect import bisect_left
from calendar import Calendar
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from booking.language import Language
from booking.usecases.availability import Offer
from booking.web.unbroken import page_language

STRIP: Final = 7
_DAY: Final = timedelta(days=1)
_PARTS: Final = ((0, "night"), (6, "morning"), (12, "afternoon"), (18, "evening"))
_MONTHS: Final = Calendar(firstweekday=0)


@dataclass(frozen=True)
class Time:
    """One start: the moment, how it is written, how it is read out, and the owner's clock where it differs."""

    start: datetime
    label: str
    full: str
    theirs: str

    @property
    def value(self) -> str:
        """The moment as it stands in addresses and forms."""
        return written(self.start)


@dataclass(frozen=True)
class Day:
    """One day of the strip or the month."""

    date: date
    weekday: str
    full: str
    is_free: bool
    is_chosen: bool
    is_open: bool
    """Within what can be booked at all."""


def written(start: datetime) -> str:
    """Write a moment for addresses and forms: in UTC with a Z, because a plus would have to be escaped."""
    return f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def by_day(free: list[datetime], zone: ZoneInfo) -> dict[date, list[datetime]]:
    """Sort free starts (UTC, sorted) into the days of a zone; one conversion a day, not one a start."""
    days: dict[date, list[datetime]] = {}
    index = 0
    while index < len(free):
        day = free[index].astimezone(zone).date()
        midnight = datetime.combine(day + _DAY, time(), zone).astimezone(UTC)
        end = bisect_left(free, midnight, index + 1)
        # A day can come twice: where clocks go back at midnight, its last hour does.
        days.setdefault(day, []).extend(free[index:end])
        index = end
    return days


class Times:
    """Everything the page of days and times shows."""

    def __init__(
        self,
        offer: Offer,
        speech: Language,
        zone: ZoneInfo,
        wished: Mapping[str, date | None],
        *,
        but: datetime | None = None,
    ) -> None:
        """Take the offer, how to write it, and the days the address asked for (``day`` and ``from``).

        ``but`` is a start that is left out: that of the call which is to be moved.
        """
        self._offer, self._language, self._zone = offer, speech, zone
        free = offer.all_free()
        self.free = [start for start in free if start != but] if but else free
        self._days = by_day(self.free, zone)
        self.today = offer.agenda.now.astimezone(zone).date()
        self.last = (offer.horizon.end - timedelta(seconds=1)).astimezone(zone).date()
        self.first_shown = self._first_shown(wished.get("day"), wished.get("from"))
        self.chosen = self._chosen(wished.get("day"))

    @property
    def is_silent(self) -> bool:
        """Say whether a calendar is silent, so that times are free only as far as is known."""
        return self._offer.mode == "request"

    @property
    def next_free(self) -> Time | None:
        """The first free time of all."""
        return self.time(self.free[0]) if self.free else None

    @property
    def next_day(self) -> str:
        """The day of the first free time, short: Tue 24 Nov."""
        return self._language.short_day(self.free[0], self._zone) if self.free else ""

    @cached_property
    def strip(self) -> list[Day]:
        """The seven days of the strip."""
        return [self._day(self.first_shown + _DAY * number) for number in range(STRIP)]

    @property
    def earlier(self) -> date | None:
        """Where the strip before begins, weeks without a free time left out."""
        before = [day for day in self._days if day < self.first_shown]
        return max(self.today, self._aligned(before[-1])) if before else None

    @property
    def later(self) -> date | None:
        """Where the strip after begins, weeks without a free time left out."""
        after = next((day for day in self._days if day >= self.first_shown + _DAY * STRIP), None)
        return self._aligned(after) if after else None

    @property
    def groups(self) -> list[tuple[str, list[Time]]]:
        """The chosen day's times by part of the day."""
        starts = self._days.get(self.chosen, [])
        repeated = Counter(_clock(start.astimezone(self._zone)) for start in starts)
        groups: dict[str, list[Time]] = {}
        for start in starts:
            local = start.astimezone(self._zone)
            part = next(name for hour, name in reversed(_PARTS) if local.hour >= hour)
            groups.setdefault(part, []).append(self.time(start, name_offset=repeated[_clock(local)] > 1))
        names = _part_names(self._language)
        return [(names[part], times) for part, times in groups.items()]

    @property
    def chosen_label(self) -> str:
        """The chosen day, written out."""
        return self.full(self.chosen)

    @property
    def weekdays(self) -> list[str]:
        """Monday to Sunday, short."""
        return _weekdays(self._language.code)

    @property
    def strip_name(self) -> str:
        """The month, or both months, of the strip."""
        first, last = self.strip[0].date, self.strip[-1].date
        name = format_date(first, "LLLL", locale=self._language.locale)
        if first.month == last.month:
            return f"{name} {first.year}"
        return f"{name} – {format_date(last, 'LLLL y', locale=self._language.locale)}"

    @property
    def month_name(self) -> str:
        """The month of the chosen day."""
        return format_date(self.chosen, "LLLL y", locale=self._language.locale)

    @property
    def month(self) -> list[list[Day | None]]:
        """The weeks of that month, Monday first; days of other months are ``None``."""
        weeks = _MONTHS.monthdatescalendar(self.chosen.year, self.chosen.month)
        return [[self._day(day) if day.month == self.chosen.month else None for day in week] for week in weeks]

    @property
    def month_before(self) -> date | None:
        """The first free day of the month before that has one."""
        before = [day for day in self._days if day < self.chosen.replace(day=1)]
        return next((day for day in before if _month(day) == _month(before[-1])), None)

    @property
    def month_after(self) -> date | None:
        """The first free day of the month after that has one."""
        return next((day for day in self._days if _month(day) > _month(self.chosen)), None)

    @property
    def after_chosen(self) -> date | None:
        """The next day with a free time after the chosen one."""
        return next((day for day in self._days if day > self.chosen), None)

    def time(self, start: datetime, *, name_offset: bool = False) -> Time:
        """Write one start in the reader's zone, with the owner's clock where it differs."""
        local, theirs = start.astimezone(self._zone), start.astimezone(self._offer.zone)
        label = _clock(local)
        if name_offset:
            label = f"{label} ({local:UTC%z})"
        full = self._language.gettext("%(day)s, %(time)s", day=self.full(local.date()), time=label)
        return Time(start, label, full, _clock(theirs) if theirs.utcoffset() != local.utcoffset() else "")

    def full(self, day: date) -> str:
        """Write a day out: Tuesday, 24 November."""
        return _full_day(self._language.code, day)

    def silence(self) -> str:
        """Say why the chosen day has no free time, as far as a stranger may know."""
        noon = datetime.combine(self.chosen, time(12), self._zone).astimezone(UTC)
        theirs = noon.astimezone(self._offer.zone).date()
        agenda = self._offer.agenda
        absence = agenda.timetable.absence_on(theirs)
        if absence:
            return self._language.gettext("I am away on this day.")
        if theirs in agenda.holidays:
            return self._language.gettext("This day is a public holiday.")
        if agenda.known is None or agenda.known.end < datetime.combine(theirs, time(), self._offer.zone):
            return self._language.gettext("I can't see my calendar for this day yet, so I offer no times.")
        return self._language.gettext("There are no free times on this day.")

    def _aligned(self, day: date) -> date:
        """Return the start of the strip that shows ``day``: strips are counted from today."""
        return self.today + _DAY * ((day - self.today).days // STRIP * STRIP)

    def _first_shown(self, day: date | None, first: date | None) -> date:
        if first and (day is None or first <= day < first + _DAY * STRIP):
            return min(max(first, self.today), self.last)
        wished = day or (min(self._days) if self._days else self.today)
        return self._aligned(min(max(wished, self.today), self.last))

    def _chosen(self, day: date | None) -> date:
        if day and self.first_shown <= day < self.first_shown + _DAY * STRIP:
            return day
        return next((day for day in self._days if day >= self.first_shown), self.first_shown)

    def _day(self, day: date) -> Day:
        return Day(
            date=day,
            weekday=self.weekdays[day.weekday()],
            full=self.full(day),
            is_free=day in self._days,
            is_chosen=day == self.chosen,
            is_open=self.today <= day <= self.last,
        )


@lru_cache(maxsize=2048)
def _full_day(code: str, day: date) -> str:
    """Writing a date costs more than finding out whether it is free: each is written once."""
    return page_language(code).day(datetime.combine(day, time(12), UTC), UTC)


@cache
def _weekdays(code: str) -> list[str]:
    return [format_date(date(2024, 1, number), "ccc", locale=page_language(code).locale) for number in range(1, 8)]


def _clock(local: datetime) -> str:
    return f"{local.hour}:{local.minute:02}"


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _part_names(speech: Language) -> dict[str, str]:
    return {
        "night": speech.gettext("Night"),
        "morning": speech.gettext("Morning"),
        "afternoon": speech.gettext("Afternoon"),
        "evening": speech.gettext("Evening"),
    }
