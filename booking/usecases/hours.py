"""When the owner takes calls: business hours, single days, absences, public holidays."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from booking.errors import InvalidText, NotFound
from booking.rules.hours import Absence, parse_weekly, parse_windows
from booking.store.models import Owner
from booking.usecases import keyvalue
from booking.usecases.availability import public_holidays
from booking.usecases.setup import lock

LONGEST_ABSENCE = timedelta(days=366)


def set_hours(db: Session, owner_slug: str, text: str) -> Owner:
    """Set the weekly hours, such as ``mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00``.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the text can't be read as hours.
    """
    owner = lock(db, owner_slug)
    owner.timetable = replace(owner.timetable, weekly=parse_weekly(text))
    return owner


def override_day(db: Session, owner_slug: str, day: date, text: str) -> Owner:
    """Give one day hours of its own, ``closed``, or ``usual`` to take that back.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the text can't be read as hours.
    """
    owner = lock(db, owner_slug)
    overrides = {other: windows for other, windows in owner.timetable.overrides.items() if other != day}
    if text.strip().lower() != "usual":
        overrides[day] = parse_windows(text)
    owner.timetable = replace(owner.timetable, overrides=overrides)
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
    owner.holiday_country, owner.holiday_region = country, region if country else ""
    return owner


def add_absence(db: Session, owner_slug: str, first: date, last: date, notice: str) -> Owner:
    """Add days off, both ends included; ``notice`` is shown on the public page.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the days or the notice can't be used.
    """
    owner = lock(db, owner_slug)
    if last < first:
        raise InvalidText(f"the last day, {last}, lies before the first, {first}")
    if last - first > LONGEST_ABSENCE:
        raise InvalidText("give at most a year at once")
    text = str(keyvalue.line(400)(notice))
    absences = sorted({*owner.timetable.absences, Absence(first, last, text)})
    owner.timetable = replace(owner.timetable, absences=tuple(absences))
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
