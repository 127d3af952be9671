"""Finding calls: by the client's name, number or mail address, or by the day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload

from booking.rules.period import Period
from booking.store.models import Call, Owner
from booking.usecases.day import day_window

ON_A_PAGE: Final = 50
LEAST_DIGITS: Final = 4
"""Fewer digits are found in nearly every number."""
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DOTTED: Final = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4}|[0-9]{2})?")


@dataclass(frozen=True)
class Found:
    """One page of calls; ``has_more`` says that there is another one."""

    calls: Sequence[Call]
    has_more: bool


def search(db: Session, owner: Owner, text: str, page: int, now: datetime) -> Found:
    """Return the calls that a text finds, newest first; without a text those that are not over, earliest first."""
    mine = select(Call).where(Call.owner_id == owner.id).options(joinedload(Call.call_type))
    wanted = text.strip()
    if wanted:
        mine = mine.where(_matches(owner, wanted, now)).order_by(Call.starts_at.desc(), Call.id)
    else:
        mine = mine.where(Call.ends_at > now).order_by(Call.starts_at, Call.id)
    rows = list(db.scalars(mine.offset(page * ON_A_PAGE).limit(ON_A_PAGE + 1)))
    return Found(rows[:ON_A_PAGE], len(rows) > ON_A_PAGE)


def read_date(text: str, today: date) -> date | None:
    """Read a day as people write it: ``2026-11-24``, ``24.11.2026``, or ``24.11.`` of the nearest year."""
    iso, dotted = _ISO.fullmatch(text), _DOTTED.fullmatch(text)
    if iso:
        return _day(*(int(part) for part in iso.groups()))
    if not dotted:
        return None
    number, month, year = dotted.groups()
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), int(month), int(number))
    near = [_day(today.year + offset, int(month), int(number)) for offset in (-1, 0, 1)]
    return min((day for day in near if day), key=lambda day: abs(day - today), default=None)


def _day(year: int, month: int, number: int) -> date | None:
    """Return a day, if there is one; the first and last years, where zones overflow, have none."""
    try:
        day = date(year, month, number)
    except ValueError:
        return None
    return day if date.min.year < year < date.max.year else None


def _matches(owner: Owner, text: str, now: datetime) -> ColumnElement[bool]:
    day = read_date(text, now.date())
    if day is not None:
        window: Period = day_window(owner, day)
        return (Call.starts_at >= window.start) & (Call.starts_at < window.end)
    # SQLite folds the case of ASCII letters only: Cyrillic names are looked for as they may be written.
    spellings = {text, text.lower(), text.upper(), text.title(), text.capitalize()}
    where = [column.contains(each, autoescape=True) for each in spellings for column in (Call.name, Call.email)]
    where.append(func.lower(Call.email).contains(text.lower(), autoescape=True))
    where.append(func.lower(Call.name).contains(text.lower(), autoescape=True))
    digits = re.sub(r"\D", "", text).lstrip("0")
    if len(digits) >= LEAST_DIGITS and re.fullmatch(r"[\d\s()+/.-]+", text):
        where.append(Call.phone.contains(digits))
    return or_(*where)
