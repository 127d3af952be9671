"""Whether calendars answer, whether the one that takes the calls can be written, and what time it is there."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from booking.calendars.port import CalendarError
from booking.calendars.probe import Step, Trial, probe
from booking.doctor.finding import CLOCK_MAY_DIFFER, SET_CLOCK, Finding
from booking.errors import BookingError
from booking.services import Services
from booking.store import models
from booking.usecases import calendars as listing
from booking.usecases import refresh

CALENDAR_SECONDS: Final = 30.0


def calendars(services: Services) -> Iterator[Finding]:
    """Read every calendar, write to those that take calls, and compare their servers' clocks with ours."""
    with services.database.reading() as db:
        rows = [(row, refresh.saved_etags(db, row.id)) for row in listing.list_calendars(db)]
        problems = listing.problems(db)
    yield from _look(services, rows, problems, CALENDAR_SECONDS)


def calendar(services: Services, calendar_id: int, seconds: float) -> Iterator[Finding]:
    """Look at one calendar in the same way, for so long at most."""
    with services.database.reading() as db:
        rows = [(row, refresh.saved_etags(db, row.id)) for row in listing.list_calendars(db) if row.id == calendar_id]
        problems = [problem for problem in listing.problems(db) if problem[0].id == calendar_id]
    yield from _look(services, rows, problems, seconds)


def _look(
    services: Services,
    rows: Iterable[tuple[models.Calendar, Mapping[str, str]]],
    problems: Iterable[tuple[models.Calendar, str, str]],
    seconds: float,
) -> Iterator[Finding]:
    differences = []
    for row, known in rows:
        subject, trial = f"calendar {row.id} of {row.owner.slug}", None
        facts: dict[str, object] = {"calendar": row}
        if row.paused_at is not None and not row.takes_calls:
            words = "is paused by its owner: not read, and nothing in it blocks"
            yield Finding(subject, True, words, "calendar.paused", facts)
            continue
        try:
            trial, difference = _try(services, row, known, seconds)
            differences.append(difference)
            words = _words(row, trial)
        except BookingError as error:  # of the calendar, or of its stored password
            yield Finding(subject, False, str(error), "calendar.wrong", {**facts, "trial": trial})
        else:
            yield Finding(subject, True, words, "calendar.well", {**facts, "trial": trial})
    yield from _clock(differences)
    for row, href, problem in problems:
        advice = "its time is kept free of calls; open and save it again in the calendar program"
        words = f"can't be understood ({problem}): {advice}"
        yield Finding(f"event {href} in calendar {row.id}", False, words, "event.odd", {"calendar": row})


def _try(
    services: Services, row: models.Calendar, known: Mapping[str, str], seconds: float
) -> tuple[Trial, timedelta | None]:
    """Try a calendar out, and say how far its server's clock is ahead of ours, where it says so."""
    asked_at = services.now()
    with contextlib.closing(services.calendar(row, seconds)) as opened:
        trial = probe(opened, services.token(), known=known, writes=row.takes_calls)
        return trial, _ahead(trial.server_time, asked_at, services.now())


def _words(row: models.Calendar, trial: Trial) -> str:
    """Say how a calendar does.

    :raises CalendarError: it does not do what it must; the message says what to do.
    """
    if trial.failed is Step.REMOVE:
        where = f"remove the test event of 1 January 2000 ({trial.left}) yourself"
        raise CalendarError(f"what was written can't be removed again ({trial.error}): {where}") from trial.error
    if trial.failed is Step.READ:
        raise CalendarError(str(trial.error)) from trial.error
    if trial.failed is not None:
        advice = "give this user the right to write, or let another calendar take the calls (calendar add --help)"
        raise CalendarError(f"can be read, but the calls can't be written ({trial.error}): {advice}") from trial.error
    can_be_written = ", can be written" if row.takes_calls else ""
    return f"answers, {trial.objects} objects{can_be_written}"


def _ahead(there: datetime | None, earliest: datetime, latest: datetime) -> timedelta | None:
    return None if there is None else there - min(max(there, earliest), latest)


def _clock(differences: Iterable[timedelta | None]) -> Iterator[Finding]:
    known = [difference for difference in differences if difference is not None]
    if not known:
        return
    largest = max(known, key=abs)
    if abs(largest) > CLOCK_MAY_DIFFER:
        way = "behind" if largest > timedelta() else "ahead of"
        words = f"this machine's clock is {abs(largest)} {way} a calendar server's: {SET_CLOCK} Sprechzeit"
        yield Finding("clock", False, words, "clock.off")
    else:
        yield Finding("clock", True, "agrees with the calendar servers'", "clock.well")
