"""The worker is killed at every failpoint; nothing is lost, nothing happens twice."""

import ast
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, select, update

import booking
from booking.rules.hours import MINUTES_A_DAY, Timetable, parse_windows
from booking.rules.lifecycle import Actor
from booking.services import Services, real_services
from booking.settings import Settings
from booking.store.models import Calendar, Call, Job, Owner
from booking.usecases.availability import load_offer
from booking.usecases.calendars import NewCalendar, add_calendar, let_take_calls
from booking.usecases.calls import cancel
from booking.usecases.reserve import book
from booking.usecases.setup import check_key
from booking.web.reserving import house
from tests.builders import add_call_type, add_owner, wish
from tests.calendars.conftest import DavServer
from tests.conftest import KEY
from tests.mail.servers import Keeper, real_server

MOST_RUNS = 12
OF_REQUESTS = "request.decided"
OF_TAKE_OVER = "left.removed"
OF_MORNINGS = "morning.composed"


def failpoints() -> list[str]:
    """Return every failpoint that stands in the code."""
    names = set()
    for path in Path(booking.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "failpoint":
                (argument,) = node.args
                assert isinstance(argument, ast.Constant)
                names.add(str(argument.value))
    return sorted(names)


@dataclass
class Installation:
    environment: dict[str, str]
    services: Services
    received: Keeper

    def run_worker(self, failpoint: str = "") -> int:
        command = [sys.executable, "-m", "tests.faults.worker_process", failpoint]
        return subprocess.run(command, env=self.environment, check=False, timeout=60).returncode

    def make_everything_due(self) -> None:
        """Let leases and waits pass, as they would with time."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        with self.services.database.writing() as db:
            is_due = _still_to_do()
            db.execute(update(Job).where(is_due).values(not_before=past, leased_until=None))
            db.execute(update(Calendar).values(next_read_at=past))

    def work_until_done(self, failpoint: str) -> bool:
        """Run the worker, killed at the failpoint the first time it gets there; say whether it got there."""
        self.make_everything_due()
        was_killed = self.run_worker(failpoint) == -signal.SIGKILL
        for _ in range(MOST_RUNS):
            self.make_everything_due()
            assert self.run_worker() == 0
            with self.services.database.reading() as db:
                if not db.scalars(select(Job).where(_still_to_do())).all():
                    break
        return was_killed


def _still_to_do() -> ColumnElement[bool]:
    """Reminders and mornings wait for their own time."""
    return Job.done_at.is_(None) & Job.not_after.is_(None) & (Job.kind != "morning")


@pytest.fixture
def installation(sqlite_url: str, tmp_path: Path, dav_server: DavServer) -> Iterator[Installation]:
    received = Keeper()
    with real_server(received) as port:
        yield from installed(sqlite_url, tmp_path, dav_server, received, port)


def installed(
    sqlite_url: str, tmp_path: Path, dav_server: DavServer, received: Keeper, port: int
) -> Iterator[Installation]:
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_url,
        "SECRET_KEY": KEY,
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "CALDAV_ALLOW": "127.0.0.1",
        "EMBEDDED_CALENDAR": "off",
        "LOG_LEVEL": "ERROR",
    }
    services = real_services(Settings.from_env(environment))
    with services.database.writing() as db:
        check_key(db, services.vault)
        owner = add_owner(db, hours="mon-sun 00:00-24:00")
        add_call_type(db, owner, notice_minutes=0)
        calendar = Calendar(
            owner_id=owner.id,
            kind="caldav",
            url=dav_server.calendar_url(tmp_path.name),
            username=dav_server.username,
            password_encrypted=services.vault.lock(dav_server.password),
            takes_calls=True,
        )
        db.add(calendar)
    with closing(services.calendar(calendar, 10)) as opened:
        opened.make("Calls")
    yield Installation(environment, services, received)
    services.database.dispose()


def book_first_free(installation: Installation, number: int = 40, *, in_doubt: bool = False) -> Call:
    services = installation.services
    with services.database.writing() as db:
        now = services.now()
        start = load_offer(db, "anna", "call", now).all_free()[number]
        return book(db, house(services), "anna", "call", wish(start, request_key=f"{number}"), now, in_doubt=in_doubt)


def events_of(installation: Installation, folder: str = "") -> list[str]:
    with installation.services.database.reading() as db:
        calendar = db.scalars(select(Calendar).where(Calendar.url.contains(folder))).one()
    with closing(installation.services.calendar(calendar, 10)) as opened:
        return [resource.ics for resource in opened.changes({}).fetched]


def test_there_are_failpoints_to_die_at() -> None:
    assert len(failpoints()) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", sorted({*failpoints()} - {OF_REQUESTS, OF_TAKE_OVER, OF_MORNINGS}))
def test_a_killed_worker_loses_nothing_and_repeats_nothing(installation: Installation, failpoint: str) -> None:
    assert installation.run_worker() == 0
    call = book_first_free(installation)
    was_killed = installation.work_until_done(failpoint)
    if failpoint != "calendar.removed":
        assert was_killed
    (event,) = events_of(installation)
    assert f"X-SPRECHZEIT-CALL:{call.id}" in event
    assert_each_mail_once(installation, ["anna@example.org", "kim@example.com"])

    with installation.services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, installation.services.now(), house(installation.services))
    was_killed = installation.work_until_done(failpoint)
    if failpoint != "calendar.written":
        assert was_killed
    assert events_of(installation) == []
    assert_each_mail_once(installation, ["anna@example.org"] * 2 + ["kim@example.com"] * 2)


@pytest.mark.slow
def test_a_worker_killed_while_it_answers_a_request_answers_once(installation: Installation) -> None:
    assert installation.run_worker() == 0
    call = book_first_free(installation, in_doubt=True)
    assert installation.work_until_done(OF_REQUESTS)
    (event,) = events_of(installation)
    assert f"X-SPRECHZEIT-CALL:{call.id}" in event
    assert_each_mail_once(installation, ["anna@example.org", "kim@example.com", "kim@example.com"])


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", ["job.claimed", OF_MORNINGS, "mail.sending", "mail.sent", "job.reported"])
def test_a_worker_killed_in_the_morning_tells_the_night_once(installation: Installation, failpoint: str) -> None:
    assert installation.run_worker() == 0
    services = installation.services
    calls = [book_first_free(installation, number) for number in (500, 510)]  # five days ahead: nothing is urgent
    the_day_after_tomorrow = services.now().date() + timedelta(days=2)
    with services.database.writing() as db:
        # Nothing opens until then, and since midnight it is the time of the morning mail before it.
        owner = db.scalars(select(Owner)).one()
        opens = {the_day_after_tomorrow: parse_windows("00:00-24:00")}
        owner.timetable, owner.timezone, owner.morning_minutes = Timetable(overrides=opens), "UTC", 2 * MINUTES_A_DAY
        db.execute(update(Job).where(Job.group.endswith(".client")).values(done_at=services.now()))
        cancel(db, calls[0].id, Actor.CLIENT, services.now(), house(services))
    assert installation.run_worker(failpoint) == -signal.SIGKILL
    installation.work_until_done("")
    assert_each_mail_once(installation, ["anna@example.org", "kim@example.com"])
    to_owner = next(mail.data for mail in installation.received.mails if b"\nTo: anna@example.org" in mail.data)
    assert to_owner.count(b"New: Kim") == to_owner.count(b"Cancelled: Kim") == 2  # in the text, and in the HTML


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", ["calendar.noted", "calendar.written", OF_TAKE_OVER])
def test_a_worker_killed_while_calls_change_their_calendar_leaves_one_event(
    installation: Installation, dav_server: DavServer, failpoint: str
) -> None:
    assert installation.run_worker() == 0
    call = book_first_free(installation)
    installation.work_until_done("")
    services, folder = installation.services, f"other-{call.id}"
    other = NewCalendar("caldav", dav_server.calendar_url(folder), dav_server.username, dav_server.password)
    with services.database.writing() as db:
        to = add_calendar(db, "anna", other, services.vault)
    with closing(services.calendar(to, 10)) as opened:
        opened.make("Other")
    with services.database.writing() as db:
        assert let_take_calls(db, house(services), db.get_one(Calendar, to.id), services.now(), moves=True) == 1
    assert installation.work_until_done(failpoint)
    (event,) = events_of(installation, folder)
    assert f"X-SPRECHZEIT-CALL:{call.id}" in event
    assert events_of(installation, Path(installation.environment["DATA_DIR"]).name) == []


def assert_each_mail_once(installation: Installation, recipients: list[str]) -> None:
    """A mail may come twice after a crash, but then with the same Message-ID."""
    messages = [message_from_bytes(mail.data) for mail in installation.received.mails]
    by_id = {str(message["Message-ID"]): str(message["To"]) for message in messages}
    assert sorted(by_id.values()) == recipients
    again = Counter(str(message["Message-ID"]) for message in messages)
    assert max(again.values()) <= 2
