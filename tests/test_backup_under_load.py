"""Backups that are made while everybody books are whole, disturb nobody, and can be restored."""

import fcntl
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import embedded
from booking.backup import HELD, make_backup, restore_backup
from booking.doctor import house as doctor
from booking.errors import NotOffered
from booking.services import Services, real_services
from booking.settings import Settings
from booking.store.database import Database
from booking.store.models import Calendar, Call, CallChange, HeldPeriod, Job, PlacedEvent
from booking.usecases.availability import load_offer
from booking.usecases.calendars import add_calendar, embedded_calendar, embedded_users
from booking.usecases.reserve import book
from booking.usecases.setup import check_key
from booking.web.reserving import house
from booking.worker import heartbeat, run_once
from tests.builders import add_call_type, add_owner, wish
from tests.calendars.conftest import free_port, running
from tests.conftest import KEY

BOOKERS = 4
BACKUPS = 5
BOOKED_BETWEEN_BACKUPS = 6


@dataclass
class Load:
    """What the threads did: the calls they booked and the errors they met."""

    booked: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    refused: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    more: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> None:
        """Wait until so many calls are booked, or something has failed."""
        with self.more:
            assert self.more.wait_for(lambda: len(self.booked) >= count or bool(self.failures), timeout=60)


@pytest.fixture
def services(tmp_path: Path, sqlite_template: Path) -> Iterator[Services]:
    """A running installation: SQLite, the embedded calendar as a real server, mails as files."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    settings = Settings(
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir}/sprechzeit.db",
        base_url="http://127.0.0.1:8000",
        host="127.0.0.1",
        port=8000,
        secret_keys=(KEY,),
        embedded_calendar_port=free_port(),
    )
    shutil.copy(sqlite_template, data_dir / "sprechzeit.db")
    built = real_services(settings)
    with built.database.writing() as db:
        check_key(db, built.vault)
        owner = add_owner(db, hours="mon-sun 00:00-24:00")
        add_call_type(db, owner, minutes=20, before_minutes=5, step_minutes=10, notice_minutes=0, who_calls="client")
        row = add_calendar(db, "anna", embedded_calendar(db, "anna", built.vault, built.token), built.vault)
        users = embedded_users(db, built.vault)
    embedded.write_config(settings)
    embedded.write_users(settings, users.items())
    with running(embedded.command(settings), settings.embedded_calendar_port or 0, tmp_path / "log"):
        with closing(built.calendar(row, 20)) as calendar:
            calendar.make("Calls")
        while run_once(built):  # the calendar is read
            pass
        yield built
    built.database.dispose()


def book_on(services: Services, load: Load, starts: list[datetime], name: str) -> None:
    """Book one start after the other until the load is over; others want the same ones."""
    for number, start in enumerate(starts):
        if load.is_over.is_set():
            return
        one = wish(
            start, email=f"{name}.{number}@example.com", phone="", who_calls="client", request_key=f"{name}-{number}"
        )
        try:
            with services.database.writing() as db:
                call = book(db, house(services), "anna", "call", one, services.now())
        except NotOffered:
            load.refused += 1
            continue
        load.is_over.wait(0.01)  # SQLite's lock is not fair: let others have it
        with load.more:
            load.booked.append(call.id)
            load.more.notify_all()


def work_on(services: Services, load: Load) -> None:
    """Do the worker's work until the load is over."""
    while not load.is_over.is_set():
        heartbeat(services)
        if not run_once(services):
            load.is_over.wait(0.01)


@contextmanager
def under_load(services: Services) -> Iterator[Load]:
    load = Load()
    with services.database.reading() as db:
        starts = load_offer(db, "anna", "call", services.now() + timedelta(hours=1)).all_free()
    jobs = [(book_on, (services, load, starts[number:], f"c{number}")) for number in range(BOOKERS)]

    def kept(work: object, args: tuple[object, ...]) -> None:
        try:
            work(*args)  # type: ignore[operator]
        except BaseException as error:
            with load.more:
                load.failures.append(error)
                load.more.notify_all()

    threads = [threading.Thread(target=kept, args=job) for job in [*jobs, (work_on, (services, load))]]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.is_over.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_backups_made_while_everybody_books_are_consistent_and_disturb_nobody(
    services: Services, tmp_path: Path
) -> None:
    files, certain = [], []
    with under_load(services) as load:
        for number in range(BACKUPS):
            load.wait_for((number + 1) * BOOKED_BETWEEN_BACKUPS)
            certain.append(set(load.booked))
            files.append(make_backup(services, tmp_path / f"{number}.tar.gz").file)
    assert load.failures == []
    assert load.refused > 0

    sizes = []
    for number, file in enumerate(files):
        with restored(services, file, tmp_path / f"restored-{number}") as restored_services:
            sizes.append(check_whole(restored_services, certain[number]))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] <= len(load.booked)


def test_the_database_is_copied_while_the_embedded_calendar_stands_still(services: Services, tmp_path: Path) -> None:
    """An event that the database knows can't be missing then."""
    folder = services.settings.radicale_dir / "collections"
    with (folder / ".Radicale.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as the server does while it writes
        backing_up = threading.Thread(target=make_backup, args=(services, tmp_path / "backup.tar.gz"))
        backing_up.start()
        backing_up.join(timeout=0.5)
        assert backing_up.is_alive()
        with services.database.writing() as db:
            start = load_offer(db, "anna", "call", services.now() + timedelta(hours=1)).all_free()[0]
            one = wish(start, phone="", who_calls="client")
            call = book(db, house(services), "anna", "call", one, services.now())
    backing_up.join()
    with restored(services, tmp_path / "backup.tar.gz", tmp_path / "restored") as restored_services:
        check_whole(restored_services, {call.id})


@contextmanager
def restored(services: Services, file: Path, folder: Path) -> Iterator[Services]:
    """Restore a backup into a folder of its own."""
    settings = replace(services.settings, data_dir=folder, database_url=f"sqlite:///{folder}/sprechzeit.db")
    database = Database(settings.database_url)
    built = replace(services, settings=settings, database=database)
    held = restore_backup(built, file)
    told = [finding.words for finding in doctor.outbox(built) if HELD in finding.words]
    assert [words.partition(" × ")[0] for words in told] == ([str(held)] if held else [])
    yield built
    database.dispose()


def check_whole(services: Services, certain: set[str]) -> int:
    """Check that a restored installation holds no half call; return how many calls it has."""
    with closing(sqlite3.connect(services.settings.data_dir / "sprechzeit.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert services.database.is_current()
    with services.database.reading() as db:
        calls = db.scalars(select(Call)).all()
        assert certain <= {call.id for call in calls}
        for call in calls:
            check_call(db, call)
        held = db.scalars(select(HeldPeriod).order_by(HeldPeriod.starts_at)).all()
        assert len(held) == len(calls)
        assert all(one.ends_at <= other.starts_at for one, other in pairwise(held))
        check_outbox(db)
        check_events(services, db)
    return len(calls)


def check_call(db: Session, call: Call) -> None:
    (period,) = db.scalars(select(HeldPeriod).where(HeldPeriod.call_id == call.id)).all()
    assert period.starts_at == call.starts_at - timedelta(minutes=5)
    assert period.ends_at == call.ends_at + timedelta(minutes=10)
    assert len(db.scalars(select(CallChange).where(CallChange.call_id == call.id)).all()) == 1
    jobs = db.scalars(select(Job).where(Job.call_id == call.id)).all()
    assert [job.kind for job in jobs].count("calendar") == 1
    assert {job.payload["to"] for job in jobs if job.kind == "mail"} == {"client", "owner"}


def check_outbox(db: Session) -> None:
    """What was due is held, nothing else is."""
    now = datetime.now(UTC)
    for job in db.scalars(select(Job).where(Job.kind == "mail", Job.done_at.is_(None))):
        assert job.parked_at is not None or job.not_before > now - timedelta(minutes=1)
    assert not db.scalars(select(Job).where(Job.kind != "mail", Job.parked_at.is_not(None))).all()


def check_events(services: Services, db: Session) -> None:
    """An event that the database takes for written stands in the restored calendar."""
    (calendar,) = db.scalars(select(Calendar)).all()
    folder = services.settings.radicale_dir / "collections" / "collection-root" / calendar.url.strip("/")
    events = "".join(path.read_text() for path in folder.glob("*.ics"))
    for placed in db.scalars(select(PlacedEvent).where(PlacedEvent.etag != "")):
        assert placed.uid in events
