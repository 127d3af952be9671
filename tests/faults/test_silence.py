"""A real calendar server falls silent and comes back: calls are noted meanwhile, and answered by the worker."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from booking.app import create_app
from booking.rules.lifecycle import State
from booking.services import Services, real_services
from booking.settings import Settings
from booking.store.models import Calendar, Call, Job, PlacedEvent
from booking.usecases.availability import load_offer
from booking.usecases.setup import check_key
from booking.worker import run_once
from tests.builders import add_call_type, add_owner
from tests.calendars.conftest import DavServer, radicale, running
from tests.conftest import KEY
from tests.fakes import event

HOUR = timedelta(hours=1)
HANGING = 8


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[DavServer]:
    """A server of this test's own, which may be stopped."""
    (tmp_path / "dav").mkdir()
    with radicale(tmp_path / "dav") as server:
        yield server


@pytest.fixture
def services(sqlite_url: str, tmp_path: Path, dav: DavServer) -> Iterator[Services]:
    settings = Settings.from_env(
        {
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": sqlite_url,
            "SECRET_KEY": KEY,
            "CALDAV_ALLOW": "127.0.0.1",
            "EMBEDDED_CALENDAR": "off",
            "RATE_LIMITS": "off",
        }
    )
    built = real_services(settings)
    with built.database.writing() as db:
        check_key(db, built.vault)
        owner = add_owner(db, hours="mon-sun 00:00-24:00")
        add_call_type(db, owner, notice_minutes=0, who_calls="client")
        calendar = Calendar(
            owner_id=owner.id,
            kind="caldav",
            url=dav.calendar_url("calls"),
            username=dav.username,
            password_encrypted=built.vault.lock(dav.password),
            takes_calls=True,
        )
        db.add(calendar)
    with closing(built.calendar(calendar, 10)) as opened:
        opened.make("Calls")
    work(built)
    yield built
    built.database.dispose()


@pytest.fixture
def app(services: Services) -> Flask:
    return create_app(services.settings, services)


@contextmanager
def stopped(server: DavServer) -> Iterator[None]:
    """Let the server take connections and say nothing."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def work(services: Services) -> None:
    """Do everything that is due; what waits for later is due too."""
    with services.database.writing() as db:
        past = services.now() - timedelta(seconds=1)
        db.execute(update(Calendar).values(next_read_at=past))
        db.execute(update(Job).where(Job.done_at.is_(None), Job.not_after.is_(None)).values(not_before=past))
    while run_once(services):
        pass


def a_start(services: Services) -> datetime:
    with services.database.reading() as db:
        return load_offer(db, "anna", "call", services.now() + 30 * HOUR).all_free()[0]


def post(app: Flask, start: datetime, name: str = "kim") -> dict[str, str]:
    details = {"start": start.isoformat(), "name": name, "email": f"{name}@example.com"}
    answer = app.test_client().post("/api/v1/anna/call/calls", json=details)
    assert answer.status_code == 201, answer.get_json()
    return dict(answer.get_json())


def call_of(services: Services) -> Call:
    with services.database.reading() as db:
        return db.scalars(select(Call)).one()


def told(services: Services) -> list[str]:
    with services.database.reading() as db:
        jobs = db.scalars(select(Job).where(Job.kind == "mail", Job.not_after.is_(None)).order_by(Job.number))
        return [f"{job.payload['message']} {job.payload['to']}" for job in jobs if job.call_id]


def test_a_time_noted_while_the_calendar_hangs_is_confirmed_when_it_answers(
    services: Services, app: Flask, dav: DavServer
) -> None:
    start = a_start(services)
    with stopped(dav):
        assert post(app, start)["state"] == "requested"
    work(services)
    work(services)
    assert call_of(services).state is State.CONFIRMED
    assert told(services) == ["requested client", "confirmed client", "booked owner"]
    with services.database.reading() as db:
        calendar = db.scalars(select(Calendar)).one()
    with closing(services.calendar(calendar, 10)) as opened:
        (resource,) = opened.changes({}).fetched
    assert f"X-SPRECHZEIT-CALL:{call_of(services).id}" in resource.ics


def test_a_time_that_turns_out_to_be_taken_is_declined_with_alternatives(
    services: Services, app: Flask, dav: DavServer
) -> None:
    start = a_start(services)
    with stopped(dav):
        post(app, start)
    with services.database.reading() as db:
        calendar = db.scalars(select(Calendar)).one()
    with closing(services.calendar(calendar, 10)) as opened:
        opened.put(opened.href_for("dentist"), event("dentist", start, start + HOUR), replaces=None)
    work(services)
    work(services)
    assert call_of(services).state is State.DECLINED
    assert told(services) == ["requested client", "declined client"]
    with services.database.reading() as db:
        declined = db.scalars(select(Job).where(Job.kind == "mail").order_by(Job.number.desc())).first()
    assert declined is not None
    assert len(declined.payload["alternatives"]) == 3


def test_with_a_wrong_password_times_are_only_noted_until_it_is_right_again(
    services: Services, app: Flask, dav: DavServer
) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(password_encrypted=services.vault.lock("wrong")))
    assert post(app, a_start(services))["state"] == "requested"
    work(services)
    assert call_of(services).state is State.REQUESTED
    with services.database.writing() as db:
        db.execute(update(Calendar).values(password_encrypted=services.vault.lock(dav.password)))
    work(services)
    work(services)
    assert call_of(services).state is State.CONFIRMED


def test_eight_clients_who_wait_for_a_hanging_calendar_stop_no_page(
    services: Services, app: Flask, dav: DavServer
) -> None:
    """The pages come from the database alone: each answers while every POST still waits."""
    with services.database.reading() as db:
        starts = load_offer(db, "anna", "call", services.now() + 30 * HOUR).all_free()[::8][:HANGING]
    began = time.monotonic()
    with stopped(dav), ThreadPoolExecutor(HANGING) as pool:
        waiting = [pool.submit(post, app, start, f"c{number}") for number, start in enumerate(starts)]
        for _ in range(5):
            assert app.test_client().get("/anna/call").status_code == 200
        assert not all(future.done() for future in waiting)
        states = {future.result(timeout=30)["state"] for future in waiting}
    assert states == {"requested"}
    assert time.monotonic() - began < 30


def test_a_time_noted_while_the_server_was_down_is_confirmed_when_it_is_started_again(
    services: Services, app: Flask, dav: DavServer, tmp_path: Path
) -> None:
    dav.process.kill()
    dav.process.wait()
    assert post(app, a_start(services))["state"] == "requested"
    work(services)
    assert call_of(services).state is State.REQUESTED
    port, command = urlsplit(dav.url).port, dav.process.args
    assert port is not None
    assert isinstance(command, list)
    with running(command, port, tmp_path / "again.log"):
        work(services)
        work(services)
        assert call_of(services).state is State.CONFIRMED
        with services.database.reading() as db:
            assert db.scalars(select(PlacedEvent)).one().etag


def test_the_server_that_was_killed_is_refused_at_once_and_noted(
    services: Services, app: Flask, dav: DavServer
) -> None:
    start = a_start(services)
    dav.process.kill()
    dav.process.wait()
    assert post(app, start)["state"] == "requested"
    call = call_of(services)
    assert call.answer_by is not None
    assert datetime.now(UTC) < call.answer_by < start
    with services.database.writing() as db:
        db.execute(update(Call).values(answer_by=services.now()))
    work(services)
    assert call_of(services).state is State.DECLINED
