"""Business hours: weekly windows, date overrides, absences and public holidays, in the owner's wall time."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from booking.errors import InvalidText
from booking.rules.period import Period
from booking.rules.wall import LocalDay, local_days

MINUTES_A_DAY: Final = 1440
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {name: number for names in (_DAYS, _FULL_DAYS) for number, name in enumerate(names)}
_WINDOW: Final = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?")
_CLOSED: Final = "closed"

Windows = tuple["Window", ...]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A window of one day, in minutes after local midnight: ``0 <= start < end <= 1440``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= MINUTES_A_DAY:
            raise ValueError(f"a window needs 0 <= start < end <= {MINUTES_A_DAY}: {self.start}, {self.end}")

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


@dataclass(frozen=True, slots=True, order=True)
class Absence:
    """Days off, both ends included, with an optional public notice, and whom clients can turn to meanwhile."""

    first: date
    last: date
    notice: str = ""
    stand_in: str = ""
    announced: tuple[date, ...] = ()
    """The first and the last day that clients were told by mail; nothing where they were told none."""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"an absence can't end before it begins: {self.first}, {self.last}")

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        return self.first, self.last


@dataclass(frozen=True)
class Timetable:
    """When the owner takes calls. An absence beats an override, that beats a holiday, and that beats the week."""

    weekly: tuple[Windows, ...] = ((),) * 7
    overrides: Mapping[date, Windows] = field(default_factory=dict, hash=False)
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        if len(self.weekly) != len(_DAYS):
            raise ValueError(f"a week has seven days, not {len(self.weekly)}")
        for windows in (*self.weekly, *self.overrides.values()):
            if any(later.start < earlier.end for earlier, later in pairwise(windows)):
                raise ValueError(f"the windows of a day must be sorted and not overlap: {format_windows(windows)}")

    def absence_on(self, day: date) -> Absence | None:
        """Return the absence that covers this day."""
        return next((absence for absence in self.absences if absence.first <= day <= absence.last), None)

    def is_holiday(self, day: date, holidays: Collection[date]) -> bool:
        """Say whether a public holiday is what closes this day."""
        return day in holidays and day not in self.overrides and self.absence_on(day) is None

    def windows_on(self, day: date, holidays: Collection[date]) -> Windows:
        """Return the windows of this day, sorted; none where it is closed."""
        if self.absence_on(day) is not None:
            return ()
        if day in self.overrides:
            return self.overrides[day]
        return () if day in holidays else self.weekly[day.weekday()]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON; what is empty is left out."""
        data: dict[str, Any] = {}
        if any(self.weekly):
            data["weekly"] = [_pairs(windows) for windows in self.weekly]
        if self.overrides:
            data["overrides"] = {day.isoformat(): _pairs(self.overrides[day]) for day in sorted(self.overrides)}
        if self.absences:
            data["absences"] = [_absence_row(absence) for absence in self.absences]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Timetable":
        """Read what :meth:`to_json` wrote; ``{}`` is a timetable that is never open.

        :raises ValueError: the windows or absences are impossible.
        """
        return cls(
            weekly=tuple(_windows(pairs) for pairs in data.get("weekly", [[]] * len(_DAYS))),
            overrides={date.fromisoformat(day): _windows(pairs) for day, pairs in data.get("overrides", {}).items()},
            absences=tuple(_absence(row) for row in data.get("absences", [])),
        )


def parse_weekly(text: str) -> tuple[Windows, ...]:
    """Read a week such as ``mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00``; days that are not named are closed.

    :raises InvalidText: it can't be read.
    """
    week: dict[int, Windows] = {}
    for group in re.split(r"[;\n]", _tidied(text)):
        if not group.strip():
            continue
        names, _, hours = group.strip().partition(" ")
        days, windows = _parse_days(names), parse_windows(hours)
        for day in days:
            if day in week:
                raise InvalidText(f"{_DAYS[day]} is named twice; write all its hours behind one name")
            week[day] = windows
    if not week:
        raise InvalidText('no hours are given; write them like "mon-fri 09:00-12:00 13:00-17:00", or "mon-sun closed"')
    return tuple(week.get(day, ()) for day in range(len(_DAYS)))


def format_weekly(weekly: Sequence[Windows]) -> str:
    """Write a week so that :func:`parse_weekly` reads it again."""
    groups: list[str] = []
    for windows, run in groupby(range(len(_DAYS)), key=lambda day: weekly[day]):
        days = list(run)
        if windows or len(days) == len(_DAYS):
            names = _DAYS[days[0]] if len(days) == 1 else f"{_DAYS[days[0]]}-{_DAYS[days[-1]]}"
            groups.append(f"{names} {format_windows(windows)}")
    return "; ".join(groups)


def parse_windows(text: str) -> Windows:
    """Read the hours of one day, such as ``09:00-12:00 13:00-17:00``, or ``closed``.

    :raises InvalidText: they can't be read, or they overlap.
    """
    tidied = _tidied(text).strip()
    if tidied == _CLOSED:
        return ()
    windows = sorted(_parse_window(word) for word in re.split(r"[ ,]+", tidied))
    for earlier, later in pairwise(windows):
        if later.start < earlier.end:
            raise InvalidText(f"{earlier} and {later} overlap; write one window, or two that don't share any time")
    return tuple(windows)


def format_windows(windows: Iterable[Window]) -> str:
    """Write the hours of one day so that :func:`parse_windows` reads them again."""
    return " ".join(str(window) for window in windows) or _CLOSED


def open_spans(day: LocalDay, timetable: Timetable, holidays: Collection[date]) -> list[tuple[int, int]]:
    """Return the windows of one day as ``(start, end)`` in epoch seconds; what a gap of DST swallows is left out."""
    edges = [(day.edge(window.start), day.edge(window.end)) for window in timetable.windows_on(day.date, holidays)]
    return [(start, end) for start, end in edges if start < end]


def open_periods(
    timetable: Timetable, zone: ZoneInfo, holidays: Collection[date], first_day: date, last_day: date
) -> list[Period]:
    """Return the business hours of the owner's days ``first_day`` to ``last_day``, both included, in UTC and sorted."""
    return list(iter_open_periods(timetable, zone, holidays, first_day, last_day))


def iter_open_periods(
    timetable: Timetable, zone: ZoneInfo, holidays: Collection[date], first_day: date, last_day: date
) -> Iterator[Period]:
    """Yield what :func:`open_periods` returns, day by day, for those who stop early."""
    for day in local_days(zone, first_day, last_day):
        for start, end in open_spans(day, timetable, holidays):
            yield Period(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def _pairs(windows: Windows) -> list[list[int]]:
    return [[window.start, window.end] for window in windows]


def _windows(pairs: Iterable[tuple[int, int]]) -> Windows:
    return tuple(Window(start, end) for start, end in pairs)


def _absence_row(absence: Absence) -> list[Any]:
    row: list[Any] = [absence.first.isoformat(), absence.last.isoformat(), absence.notice]
    if absence.stand_in or absence.announced:
        row += [absence.stand_in, [day.isoformat() for day in absence.announced]]
    return row


def _absence(row: Sequence[Any]) -> Absence:
    """Read a row; those that were written before a stand-in could be named end with the notice."""
    first, last, notice, *more = row
    stand_in, announced = more or ("", ())
    days = tuple(date.fromisoformat(day) for day in announced)
    return Absence(date.fromisoformat(first), date.fromisoformat(last), notice, stand_in, days)


def _tidied(text: str) -> str:
    text = text.lower().replace("–", "-")
    return re.sub(r"[ \t\r]+", " ", re.sub(r"\s*([-,;])\s*", r"\1", text))


def _parse_days(names: str) -> list[int]:
    days: list[int] = []
    for name in names.split(","):
        first, _, last = name.partition("-")
        if first not in _NUMBERS or (last or first) not in _NUMBERS:
            raise InvalidText(f'"{name}" is not a day; write mon, tue, wed, thu, fri, sat, sun, or a range: mon-fri')
        begin, end = _NUMBERS[first], _NUMBERS[last or first]
        days.extend(day % len(_DAYS) for day in range(begin, end + 1 if begin <= end else end + len(_DAYS) + 1))
    return days


def _parse_window(word: str) -> Window:
    match = _WINDOW.fullmatch(word)
    if match is None:
        raise InvalidText(f'"{word}" is not a window; write it like 09:00-12:00, or write "{_CLOSED}"')
    hour, minute, end_hour, end_minute = (int(part or 0) for part in match.groups())
    if max(minute, end_minute) >= 60:
        raise InvalidText(f'"{word}" has more than 59 minutes; write it like 09:00-12:45')
    try:
        return Window(hour * 60 + minute, end_hour * 60 + end_minute)
    except ValueError:
        raise InvalidText(f'"{word}" must begin before it ends, between 00:00 and 24:00 of one day') from None
