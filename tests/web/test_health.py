"""A watchman's two questions."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from booking.app import create_app
from booking.services import Services
from booking.store.database import Database
from booking.store.models import Calendar, Installation
from tests.fakes import Clock
from tests.web.visitors import Visitor, open_house


@pytest.fixture
def visitor(services: Services) -> Visitor:
    open_house(services)
    with services.database.writing() as db:
        db.execute(sa.update(Installation).values(worker_seen_at=services.now()))
    return Visitor(create_app(services.settings, services))


def test_healthz_says_ok_and_asks_nobody(services: Services, tmp_path: object) -> None:
    broken = replace(services, database=Database(f"sqlite:///{tmp_path}/not/migrated.db"))
    answer = Visitor(create_app(broken.settings, broken)).get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_readyz_is_200_while_everything_does_its_part(visitor: Visitor) -> None:
    answer = visitor.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"ready": True, "database": "ok", "worker": "ok", "calendars": "ok"}


def test_readyz_is_503_when_the_worker_is_silent_for_more_than_a_minute(visitor: Visitor, clock: Clock) -> None:
    clock.advance(timedelta(seconds=60))
    assert visitor.get("/readyz").status_code == 200
    clock.advance(timedelta(seconds=1))
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.get_json()["worker"]) == (503, "silent")


def test_readyz_is_503_when_a_worker_never_ran(visitor: Visitor, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Installation).values(worker_seen_at=None))
    assert visitor.get("/readyz").status_code == 503


def test_readyz_counts_the_calendars_that_were_not_read_within_15_minutes(visitor: Visitor, services: Services) -> None:
    with services.database.writing() as db:
        first = db.scalar(sa.select(Calendar.id).order_by(Calendar.id).limit(1))
        late = services.now() - timedelta(minutes=15, seconds=1)
        db.execute(sa.update(Calendar).where(Calendar.id == first).values(read_at=late))
    answer = visitor.get("/readyz")
    assert (answer.status_code, answer.get_json()["calendars"]) == (503, "1 of 2 not read")


def test_readyz_asks_nothing_of_calendars_that_are_paused_or_do_not_block(visitor: Visitor, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Calendar).where(Calendar.id == 1).values(read_at=None, paused_at=services.now()))
        db.execute(sa.update(Calendar).where(Calendar.id == 2).values(read_at=None, is_busy=False))
    assert visitor.get("/readyz").get_json()["calendars"] == "ok"


def test_readyz_is_503_without_tables(services: Services, tmp_path: object) -> None:
    broken = replace(services, database=Database(f"sqlite:///{tmp_path}/empty.db"))
    answer = Visitor(create_app(broken.settings, broken)).get("/readyz")
    assert (answer.status_code, answer.get_json()) == (503, {"ready": False, "database": "unreachable"})


def test_readyz_names_no_person_and_no_address(visitor: Visitor) -> None:
    text = json.dumps(visitor.get("/readyz").get_json())
    assert not any(word in text.lower() for word in ("anna", "bert", "@", "http", "/calls"))
