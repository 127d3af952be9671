"""What clients read of an absence: ahead of it the last free times before it, during it the first one after it.

Built from free starts that the page has in any case; nothing here decides what is free.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from booking.language import Language
from booking.rules import glide
from booking.rules.glide import Away
from booking.rules.hours import Absence
from booking.store.models import Owner
from booking.web.context import gettext, ngettext, reader, zone_name
from booking.web.pages import zone_words
from booking.web.times import written

LAST_BEFORE: Final = 2
"""How many of the last free times are named, where they are those of one call type; of several, one each."""


@dataclass(frozen=True)
class Offered:
    """The free starts of one call type, sorted, and the end of what can be booked at all.

    ``name`` is empty where the page is about this call type alone; ``way`` becomes a link with a start behind it.
    """

    free: Sequence[datetime]
    until: datetime
    way: str
    name: str = ""


@dataclass(frozen=True)
class Choice:
    """A free time as a link; ``name`` is that of the call type, where there are several."""

    label: str
    url: str
    name: str


@dataclass(frozen=True)
class Notice:
    """One absence in words; ``label`` is what stands before the choices, or the sentence that there are none."""

    sentence: str
    back: str
    notice: str
    stand_in: str
    label: str = ""
    choices: Sequence[Choice] = ()


def notices(
    owner: Owner, now: datetime, holidays: Collection[date], offered: Callable[[], Sequence[Offered]]
) -> list[Notice]:
    """Tell of the absences that are on or near.

    :param offered: asked only where there is one.
    """
    zone = ZoneInfo(owner.timezone)
    today = now.astimezone(zone).date()
    coming = glide.coming(owner.timetable, today, holidays)
    times = offered() if coming else ()
    told: list[Notice] = []
    is_on = False
    for away in coming:
        is_on = away.absence.first <= today or (away.follows and is_on)
        label, choices = _after(away, zone, times) if is_on else _before(away, zone, times)
        told.append(_notice(away, label, choices))
    return told


def span(speech: Language, absence: Absence) -> str:
    """Say from when to when the owner is away."""
    first, last = (_day(speech, day) for day in absence.days)
    if absence.first == absence.last:
        return speech.gettext("I am away on %(day)s.", day=first)
    return speech.gettext("I am away from %(first)s to %(last)s.", first=first, last=last)


def back_on(speech: Language, back: date | None) -> str:
    """Say when the owner is back; nothing where that is not known."""
    return "" if back is None else speech.gettext("I am back on %(day)s.", day=_day(speech, back))


def _day(speech: Language, day: date) -> str:
    return speech.day(datetime.combine(day, time(12), UTC), UTC)


def _notice(away: Away, label: str, choices: Sequence[Choice]) -> Notice:
    absence, speech = away.absence, reader()
    back = "" if away.runs_on else back_on(speech, away.back)
    return Notice(span(speech, absence), back, absence.notice, absence.stand_in, label, choices)


def _before(away: Away, zone: ZoneInfo, offered: Sequence[Offered]) -> tuple[str, list[Choice]]:
    """Name the last free times before an absence, as far as can be booked; what runs on has none of its own."""
    reaching = [] if away.follows else [each for each in offered if each.until >= glide.begins(away.absence, zone)]
    count = 1 if len(offered) > 1 else LAST_BEFORE
    last = [(each, glide.last_before(away.absence, zone, each.free, count)) for each in reaching]
    choices = [_choice(each, start) for each, starts in last for start in starts]
    if reaching and not choices:
        return gettext("There is no free time left before then."), []
    if not choices:
        return "", []
    label = ngettext(
        "The last free time before (%(zone)s):",
        "The last free times before (%(zone)s):",
        len(choices),
        zone=zone_words(zone_name()),
    )
    return label, choices


def _after(away: Away, zone: ZoneInfo, offered: Sequence[Offered]) -> tuple[str, list[Choice]]:
    """Name the first free time after an absence; where the next one follows at once, that one names it."""
    if away.runs_on:
        return "", []
    first = [(each, glide.first_after(away.absence, zone, each.free)) for each in offered]
    choices = [_choice(each, start) for each, starts in first for start in starts]
    if not choices:
        return "", []
    label = ngettext(
        "The first free time after (%(zone)s):",
        "The first free times after (%(zone)s):",
        len(choices),
        zone=zone_words(zone_name()),
    )
    return label, choices


def _choice(offered: Offered, start: datetime) -> Choice:
    speech, zone = reader(), ZoneInfo(zone_name())
    label = gettext("%(day)s, %(time)s", day=speech.short_day(start, zone), time=speech.time(start, zone))
    return Choice(label, f"{offered.way}{written(start)}", offered.name)
