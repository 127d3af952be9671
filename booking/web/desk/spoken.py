"""Days and hours of the owner in words, as the rooms about availability say them."""

from calendar import Calendar, monthrange
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_date

from booking.rules.hours import Absence, Window
from booking.store.models import Owner
from booking.web.context import gettext, now, reader


def today(owner: Owner) -> date:
    """Return the day on which the owner is."""
    return now().astimezone(ZoneInfo(owner.timezone)).date()


def weekdays() -> list[int]:
    """Return the days of the week in the reader's order; Monday is 0."""
    return list(Calendar(reader().locale.first_week_day).iterweekdays())


def weekday(number: int) -> str:
    """Monday."""
    return format_date(date(2024, 1, 1 + number), "cccc", locale=reader().locale)


def short_weekday(number: int) -> str:
    """Mon."""
    return format_date(date(2024, 1, 1 + number), "ccc", locale=reader().locale)


def month(first: date) -> str:
    """November 2026."""
    return format_date(first, "LLLL y", locale=reader().locale)


def month_days(first: date) -> list[date | None]:
    """Return the cells of a month, week after week in the reader's order; what belongs to other months is ``None``."""
    begin, length = monthrange(first.year, first.month)
    lead = (begin - reader().locale.first_week_day) % 7
    days: list[date | None] = [None] * lead + [first.replace(day=number) for number in range(1, length + 1)]
    return days + [None] * (-len(days) % 7)


def day(date_: date) -> str:
    """Tuesday, 24 November; with its year where that is another one."""
    noon = datetime.combine(date_, time(12), UTC)
    return reader().day(noon, UTC) if date_.year == now().year else reader().full_date(noon, UTC)


def days(dates: Sequence[date]) -> str:
    """Several days, one after the other."""
    return "; ".join(day(each) for each in dates)


def span(absence: Absence) -> str:
    """From Tuesday, 24 November to Friday, 27 November; a single day is just that."""
    return _from_to(*absence.days)


def announced(absence: Absence) -> str:
    """Name the days that clients were told of by mail; nothing where they were told none."""
    return _from_to(absence.announced[0], absence.announced[-1]) if absence.announced else ""


def _from_to(first: date, last: date) -> str:
    return day(first) if first == last else gettext("%(first)s to %(last)s", first=day(first), last=day(last))


def clock(minute: int) -> str:
    """Write minutes after midnight: 9:30."""
    return f"{minute // 60}:{minute % 60:02}"


def hours(windows: Iterable[Window]) -> str:
    """9:00–12:00, 13:00–17:00; or that it is closed."""
    return ", ".join(f"{clock(each.start)}–{clock(each.end)}" for each in windows) or gettext("closed")


def moment(at: datetime, owner: Owner) -> str:
    """Tue 24 Nov, 9:30, on the owner's clock."""
    zone = ZoneInfo(owner.timezone)
    return gettext("%(day)s, %(time)s", day=reader().short_day(at, zone), time=reader().time(at, zone))
