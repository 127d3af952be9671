"""When the owner takes calls: business hours, single days, absences, public holidays.

What the operator writes is read here and handed to the same functions that the desk uses. Those take a timetable and
return the changed one, so that it can be looked at before it is saved, or an owner whose lock is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from booking.errors import InvalidText, NotFound
from booking.rules.hours import Absence, Timetable, Windows, parse_weekly, parse_windows
from booking.rules.period import Period
from booking.store.models import Call, Owner
from booking.usecases import keyvalue
from booking.usecases.availability import public_holidays
from booking.usecases.day import calls_between, day_window
from booking.usecases.setup import lock

LONGEST_ABSENCE: Final = timedelta(days=366)
LONGEST_NOTICE: Final = 400
"""Characters that the public page says about an absence."""
LONGEST_STAND_IN: Final = 200
"""Characters that say whom clients can turn to meanwhile."""


@dataclass(frozen=True)
class Holidays:
    """Which public holidays are kept: country and region, and the names of those that are working days, one a line."""

    country: str
    region: str
    worked: str


def set_hours(db: Session, owner_slug: str, text: str) -> Owner:
    """Set the weekly hours, such as ``mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00``.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the text can't be read as hours.
    """
    owner = lock(db, owner_slug)
    owner.timetable = with_week(owner.timetable, parse_weekly(text))
    return owner


def override_day(db: Session, owner_slug: str, day: date, text: str) -> Owner:
    """Give one day hours of its own, ``closed``, or ``usual`` to take that back.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the text can't be read as hours.
    """
    owner = lock(db, owner_slug)
    windows = None if text.strip().lower() == "usual" else parse_windows(text)
    owner.timetable = with_day(owner.timetable, day, windows)
    return owner


def set_holidays(db: Session, owner_slug: str, country: str, region: str, today: date) -> Owner:
    """Keep the public holidays of a country and region; without a country they are working days.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the country or region is not known.
    """
    owner = lock(db, owner_slug)
    country, region = country.upper(), region.upper()
    if country:
        try:
            public_holidays(country, region, today.year)
        except NotImplementedError as error:
            raise InvalidText(
                f"the holidays of {country} {region}".rstrip() + " are not known; give a country of two letters and, "
                "where it has regions, one of its ISO 3166-2 codes, such as --country DE --region BY"
            ) from error
    worked = owner.holidays_worked if country == owner.holiday_country else ""
    keep_holidays(owner, Holidays(country, region if country else "", worked))
    return owner


def add_absence(db: Session, owner_slug: str, first: date, last: date, notice: str, stand_in: str = "") -> Owner:
    """Add days off, both ends included.

    :param notice: shown on the public page.
    :param stand_in: whom clients can turn to meanwhile, in one or two lines.
    :raises NotFound: there is no such owner.
    :raises InvalidText: the days or one of the texts can't be used.
    """
    owner = lock(db, owner_slug)
    if last < first:
        raise InvalidText(f"the last day, {last}, lies before the first, {first}")
    if last - first > LONGEST_ABSENCE:
        raise InvalidText("give at most a year at once")
    text, helper = keyvalue.line(LONGEST_NOTICE)(notice), keyvalue.prose(LONGEST_STAND_IN)(stand_in)
    owner.timetable = with_absence(owner.timetable, Absence(first, last, str(text), str(helper)))
    return owner


def remove_absence(db: Session, owner_slug: str, first: date) -> Owner:
    """Take back the absence that begins on a day.

    :raises NotFound: there is no such owner or absence.
    """
    owner = lock(db, owner_slug)
    kept = tuple(absence for absence in owner.timetable.absences if absence.first != first)
    if kept == owner.timetable.absences:
        raise NotFound(f"{owner_slug} has no absence that begins on {first}")
    owner.timetable = replace(owner.timetable, absences=kept)
    return owner


def with_week(timetable: Timetable, weekly: Sequence[Windows]) -> Timetable:
    """Return a timetable with other weekly hours, Monday first."""
    return replace(timetable, weekly=tuple(weekly))


def with_day(timetable: Timetable, day: date, windows: Windows | None) -> Timetable:
    """Return a timetable in which one day has hours of its own; ``None`` gives it its usual ones again."""
    overrides = {other: kept for other, kept in timetable.overrides.items() if other != day}
    if windows is not None:
        overrides[day] = windows
    return replace(timetable, overrides=overrides)


def with_absence(timetable: Timetable, new: Absence | None, *, instead_of: Absence | None = None) -> Timetable:
    """Return a timetable with one absence more, or with another one (or none) in the place of an old one.

    One of the very same days is replaced, too; what clients were told of these days stays told.
    """
    kept = {absence for absence in timetable.absences if absence != instead_of}
    if new is not None:
        same = {absence for absence in kept if absence.days == new.days}
        told = next((absence.announced for absence in same if absence.announced), ())
        kept = (kept - same) | {replace(new, announced=new.announced or told)}
    return replace(timetable, absences=tuple(sorted(kept)))


def absence_from(timetable: Timetable, first: date) -> Absence | None:
    """Return the absence that begins on a day."""
    return next((absence for absence in timetable.absences if absence.first == first), None)


def overlapping(timetable: Timetable, new: Absence, *, but: Absence | None = None) -> Absence | None:
    """Return an absence that shares a day with a new one."""
    others = (absence for absence in timetable.absences if absence != but)
    return next((each for each in others if each.first <= new.last and new.first <= each.last), None)


def coming_overrides(timetable: Timetable, today: date) -> list[tuple[date, Windows]]:
    """Return the days from today on that have hours of their own, in their order."""
    return sorted((day, windows) for day, windows in timetable.overrides.items() if day >= today)


def coming_absences(timetable: Timetable, today: date) -> list[Absence]:
    """Return the absences that are not over, in their order."""
    return sorted(absence for absence in timetable.absences if absence.last >= today)


def calls_within(db: Session, owner: Owner, first: date, last: date) -> list[Call]:
    """Return the planned calls of the owner's days ``first`` to ``last``, both included."""
    window = Period(day_window(owner, first).start, day_window(owner, last).end)
    return calls_between(db, owner, window)


def kept_of(owner: Owner) -> Holidays:
    """Return which public holidays the owner keeps."""
    return Holidays(owner.holiday_country, owner.holiday_region, owner.holidays_worked)


def keep_holidays(owner: Owner, holidays: Holidays) -> None:
    """Set which public holidays are kept; the owner's lock is held, and country and region are known ones."""
    owner.holiday_country, owner.holiday_region = holidays.country, holidays.region
    owner.holidays_worked = holidays.worked
