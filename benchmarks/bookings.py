"""One booking, without and with the live look at the calendar, against a bare transaction."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.calendar import OWNER, Raw, calendar_house
from benchmarks.house import TYPE
from benchmarks.table import Line, compare
from booking import worker
from booking.services import Services
from booking.usecases.availability import load_offer
from booking.usecases.reserve import Wish, book
from booking.web.reserving import house, reserve

EVENTS = 500


def measure(folder: Path, *, rounds: int) -> Iterator[Line]:
    """Book in turns: a bare transaction, ours alone, ours after asking the server."""
    times: dict[str, list[float]] = {name: [] for name in ("floor", "book", "live", "raw")}
    with calendar_house(folder / "bookings", EVENTS) as (services, raw), _plain(folder / "plain.db") as plain:
        raw.everything(raw.hrefs())
        worker.read_calendar(services)
        with services.database.reading() as db:
            free = iter(load_offer(db, OWNER, TYPE, services.now()).all_free()[::3])
        for number in range(rounds):
            times["floor"].append(_timed(_book_plainly, plain, int(services.now().timestamp()) + number * 3600))
            times["book"].append(_timed(_book, services, _wish(next(free), f"a{number}")))
            times["raw"].append(_timed(Raw.listing, raw))
            times["live"].append(_timed(reserve, services, OWNER, TYPE, _wish(next(free), f"b{number}")))
    floor = "BEGIN IMMEDIATE, check, insert, commit"
    yield compare("one booking, without the live check", times["book"], floor, times["floor"])
    both = [a + b for a, b in zip(times["floor"], times["raw"], strict=True)]
    yield compare(f"one booking, with the live check ({EVENTS} events)", times["live"], "that and the server", both)


def _timed(step: object, *arguments: object) -> float:
    began = time.perf_counter()
    step(*arguments)  # type: ignore[operator]
    return time.perf_counter() - began


def _book(services: Services, wish: Wish) -> None:
    with services.database.writing() as db:
        book(db, house(services), OWNER, TYPE, wish, services.now())


def _wish(start: datetime, key: str) -> Wish:
    return Wish(
        start=start,
        name="Kim",
        email=f"kim-{key}@example.org",
        phone="",
        note="",
        who_calls="owner",
        timezone="Europe/Berlin",
        locale="en",
        request_key=key,
        origin="",
    )


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE held (id INTEGER PRIMARY KEY, starts INTEGER, ends INTEGER)")
        db.execute("CREATE INDEX held_starts ON held (starts)")
        yield db


def _book_plainly(db: sqlite3.Connection, start: int) -> None:
    end = start + int(timedelta(minutes=30).total_seconds())
    db.execute("BEGIN IMMEDIATE")
    if db.execute("SELECT 1 FROM held WHERE starts < ? AND ends > ?", (end, start)).fetchone() is None:
        db.execute("INSERT INTO held (starts, ends) VALUES (?, ?)", (start, end))
    db.execute("COMMIT")
