"""The outbox: claimed once, reported once, in order, never lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.services import Services
from booking.settings import Settings
from booking.store import outbox
from booking.store.models import Job
from tests.builders import add_owner
from tests.conftest import build_services
from tests.fakes import MONDAY, Clock, MailBox, Server

SECOND = timedelta(seconds=1)


@pytest.fixture
def services(settings: Settings, any_url: str, clock: Clock, mailbox: MailBox, server: Server) -> Iterator[Services]:
    for built in build_services(replace(settings, database_url=any_url), clock, mailbox, server):
        with built.database.writing() as db:
            add_owner(db)
        yield built


def add_job(services: Services, name: str, group: str = "g", wait: timedelta = timedelta()) -> None:
    with services.database.writing() as db:
        job = Job(
            id=name, owner_id=1, kind="mail", group=group, payload={}, created_at=MONDAY, not_before=MONDAY + wait
        )
        db.add(job)


def claim(services: Services) -> Job | None:
    with services.database.writing() as db:
        return outbox.claim(db, services.now(), services.token(), ("mail",))


def claimed(services: Services) -> Job:
    job = claim(services)
    assert job is not None
    return job


def load(services: Services, name: str) -> Job:
    with services.database.reading() as db:
        return db.scalars(select(Job).where(Job.id == name)).one()


def test_a_job_is_claimed_by_one_worker_until_its_lease_ends(services: Services, clock: Clock) -> None:
    add_job(services, "a")
    assert claimed(services).attempts == 1
    assert claim(services) is None
    clock.advance(outbox.LEASE)
    assert claimed(services).attempts == 2


def test_a_job_waits_for_its_time(services: Services, clock: Clock) -> None:
    add_job(services, "a", wait=SECOND)
    assert claim(services) is None
    clock.advance(SECOND)
    assert claimed(services).id == "a"


def test_jobs_of_one_group_leave_in_order_and_other_groups_do_not_wait(services: Services, clock: Clock) -> None:
    add_job(services, "first", wait=SECOND)
    add_job(services, "second")
    add_job(services, "other", group="h")
    assert claimed(services).id == "other"
    assert claim(services) is None
    clock.advance(SECOND)
    first = claimed(services)
    assert first.id == "first"
    with services.database.writing() as db:
        outbox.finish(db, first, services.now())
    assert claimed(services).id == "second"


def test_a_parked_job_does_not_stop_the_next_of_its_group(services: Services) -> None:
    add_job(services, "first")
    add_job(services, "second")
    with services.database.writing() as db:
        outbox.park(db, claimed_in(db, services), services.now(), "refused")
    assert load(services, "first").last_error == "refused"
    assert claimed(services).id == "second"


def claimed_in(db: Session, services: Services) -> Job:
    job = outbox.claim(db, services.now(), services.token(), ("mail",))
    assert job is not None
    return job


def test_whoever_lost_the_lease_can_t_report_any_more(services: Services, clock: Clock) -> None:
    add_job(services, "a")
    slow = claimed(services)
    clock.advance(outbox.LEASE)
    quick = claimed(services)
    for report in (outbox.finish, outbox.mark_sending):
        with services.database.writing() as db, pytest.raises(outbox.LeaseLost):
            report(db, slow, services.now())
    with services.database.writing() as db:
        outbox.finish(db, quick, services.now())
    with services.database.writing() as db, pytest.raises(outbox.LeaseLost):
        outbox.try_again(db, slow, services.now(), "late")
    assert load(services, "a").done_at == clock.time


def test_attempts_whose_end_nobody_knows_are_counted(services: Services, clock: Clock) -> None:
    add_job(services, "a")
    for expected in (0, 1):
        job = claimed(services)
        assert outbox.doubts(job) == expected
        with services.database.writing() as db:
            outbox.mark_sending(db, job, services.now())
        clock.advance(outbox.LEASE)
    assert outbox.doubts(claimed(services)) == 2


def test_an_attempt_that_certainly_failed_leaves_no_doubt(services: Services) -> None:
    add_job(services, "a")
    job = claimed(services)
    with services.database.writing() as db:
        outbox.mark_sending(db, job, services.now())
        outbox.try_again(db, job, services.now(), "cut", in_doubt=True)
    assert outbox.doubts(load(services, "a")) == 1
    job = claimed(services)
    with services.database.writing() as db:
        outbox.try_again(db, job, services.now(), "refused before it left")
    assert outbox.doubts(load(services, "a")) == 0
