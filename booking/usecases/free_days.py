"""Public holidays as their library knows them: of which countries and regions, and how they are called.

Which of them an owner keeps is decided in ``availability``; here they only get their names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

import holidays

from booking.usecases.availability import HOLIDAY_SEPARATOR, public_holidays

AHEAD: Final = timedelta(days=365)
"""How far ahead the coming holidays are listed."""


@dataclass(frozen=True)
class Holiday:
    """A public holiday with its coming days. ``name`` tells it apart, ``label`` is what a reader calls it."""

    name: str
    label: str
    days: tuple[date, ...]


@cache
def countries() -> tuple[str, ...]:
    """Return the countries whose holidays are known, by their codes of two letters."""
    return tuple(code for code in holidays.list_supported_countries() if len(code) == 2)


@cache
def regions(country: str) -> tuple[tuple[str, str], ...]:
    """Return the regions of a country that have holidays of their own: code and the name that the region uses."""
    if country not in countries():
        return ()
    known = holidays.country_holidays(country)
    names: dict[str, str] = {}
    for name, code in known.subdivisions_aliases.items():
        names.setdefault(code, name)
    return tuple((code, names.get(code, code)) for code in known.subdivisions)


def is_known(country: str, region: str) -> bool:
    """Say whether the holidays of a country and region are known; no country is a choice, too."""
    if not country:
        return not region
    return country in countries() and (not region or region in dict(regions(country)))


def coming(country: str, region: str, today: date, language: str) -> list[Holiday]:
    """Return the holidays of the next twelve months, by their first day; none without a country.

    :param language: of the reader; where a country's holidays have no names in it, the country's own language counts.
    """
    if not country:
        return []
    names = public_holidays(country, region, today.year)
    labels = _labels(country, region, today.year, language)
    days: dict[str, tuple[date, ...]] = {}
    for day in sorted(day for day in names if today <= day < today + AHEAD):
        for name in names[day].split(HOLIDAY_SEPARATOR):
            days[name] = (*days.get(name, ()), day)
    return [Holiday(name, labels.get(name, name), on) for name, on in days.items()]


def label_of(country: str, region: str, day: date, language: str) -> str:
    """Return how a reader calls the holiday of a day; empty where there is none."""
    if not country:
        return ""
    return public_holidays(country, region, day.year, _language(country, language)).get(day, "")


def worked_names(holidays_shown: Iterable[Holiday], closed: Iterable[str], before: str) -> str:
    """Return the names of the holidays that are working days, one a line: of those shown, all that are not closed.

    :param before: the names until now; one that is not among those shown, because it does not come every year, stays.
    """
    shown = {holiday.name for holiday in holidays_shown}
    worked = (set(before.splitlines()) - shown) | (shown - set(closed))
    return "\n".join(sorted(worked))


@cache
def _language(country: str, language: str) -> str:
    """Return the library's name of the nearest language: the reader's, else the country's own."""
    known = holidays.country_holidays(country)
    spoken = [code for code in known.supported_languages if code.partition("_")[0] == language]
    return spoken[0] if spoken else str(known.default_language or language)


@cache
def _labels(country: str, region: str, year: int, language: str) -> dict[str, str]:
    """Return what a reader calls each holiday, by its name.

    Names of one day are sorted in their own language, so that only a name that stands alone, or is the only one left,
    tells which label is its own.
    """
    names = public_holidays(country, region, year)
    labels = public_holidays(country, region, year, _language(country, language))
    known: dict[str, str] = {}
    for day in sorted(names, key=lambda day: names[day].count(HOLIDAY_SEPARATOR)):
        called = labels.get(day, names[day]).split(HOLIDAY_SEPARATOR)
        left = [name for name in names[day].split(HOLIDAY_SEPARATOR) if name not in known]
        free = [label for label in called if label not in known.values()]
        if len(left) == len(free) == 1:
            known[left[0]] = free[0]
    return known
