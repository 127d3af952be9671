"""Asks calendar servers for the owner who waits: bounded in time and in number, and never inside a transaction."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from booking.calendars.live import ask_now
from booking.calendars.port import AuthRefused, CalendarError, Changes
from booking.calendars.probe import Step, Trial, probe
from booking.services import CalendarAddress, Services
from booking.store.models import Calendar
from booking.usecases import refresh
from booking.web.context import services

SECONDS: Final = 10.0
"""The owner waits so long for a server."""
SERVER_SECONDS: Final = 9.0
"""A server has so long to answer: its thread is free again before the owner asks anew."""


@dataclass(frozen=True)
class Attempt:
    """A calendar's address with a password that is not saved (yet)."""

    kind: str
    url: str
    username: str
    password_encrypted: str


def try_out(row: Calendar, *, writes: bool) -> Trial:
    """Try a calendar out; whatever happens is an answer."""
    ours = services()
    with ours.database.reading() as db:
        known = refresh.saved_etags(db, row.id)
    try:
        return ask_now(partial(_probe, ours, row, known, writes=writes), timeout=SECONDS)
    except CalendarError as error:
        return Trial(failed=Step.READ, error=error)


def is_refused(row: Calendar, password: str) -> bool:
    """Try a new password. Only a clear refusal counts: a server that is silent just now may not keep it from us."""
    ours = services()
    with ours.database.reading() as db:
        known = refresh.saved_etags(db, row.id)
    attempt = Attempt(row.kind, row.url, row.username, ours.vault.lock(password))
    try:
        ask_now(partial(_read, ours, attempt, known), timeout=SECONDS)
    except AuthRefused:
        return True
    except CalendarError:
        return False
    return False


def _probe(ours: Services, at: CalendarAddress, known: Mapping[str, str], *, writes: bool) -> Trial:
    with contextlib.closing(ours.calendar(at, SERVER_SECONDS)) as calendar:
        return probe(calendar, ours.token(), known=known, writes=writes)


def _read(ours: Services, at: CalendarAddress, known: Mapping[str, str]) -> Changes:
    with contextlib.closing(ours.calendar(at, SERVER_SECONDS)) as calendar:
        return calendar.changes(known)
