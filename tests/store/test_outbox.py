"""The outbox: claimed once, reported once, in order, never lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
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


def failed(services: Services, name: str = "a") -> Job:
    """Add a job that was tried in vain and waits for its next attempt."""
    add_job(services, name)
    with services.database.writing() as db:
        at = services.now() + timedelta(hours=1)
        outbox.try_again(db, claimed_in(db, services), at, "450 later", error_kind="MailDelayed")
    return load(services, name)


def test_a_job_that_failed_can_be_begun_anew_at_once(services: Services) -> None:
    job = failed(services)
    assert claim(services) is None
    with services.database.writing() as db:
        outbox.release(db, job.number, services.now())
    again = claimed(services)
    assert (again.attempts, again.last_error, again.error_kind) == (1, "", "")


def test_a_job_that_was_given_up_in_doubt_is_begun_anew_without_it(services: Services) -> None:
    add_job(services, "a")
    with services.database.writing() as db:
        job = claimed_in(db, services)
        outbox.mark_sending(db, job, services.now())
        db.refresh(job)
        outbox.mark_sending(db, job, services.now())
        outbox.park(db, job, services.now(), "nobody knows", error_kind="MailUncertain")
        outbox.release(db, job.number, services.now())
    assert outbox.doubts(claimed(services)) == 0


@pytest.mark.parametrize("change", [outbox.release, outbox.set_aside])
def test_a_job_that_is_being_done_or_done_is_not_taken_back(services: Services, change: Callable[..., None]) -> None:
    failed(services)
    with services.database.writing() as db:
        db.execute(update(Job).values(not_before=MONDAY))
    running = claimed(services)
    with services.database.writing() as db, pytest.raises(outbox.NotWaiting):
        change(db, running.number, services.now())
    with services.database.writing() as db:
        outbox.finish(db, running, services.now())
    with services.database.writing() as db, pytest.raises(outbox.NotWaiting):
        change(db, running.number, services.now())


def test_a_job_that_only_waits_for_its_time_can_not_be_hurried(services: Services) -> None:
    add_job(services, "a", wait=SECOND)
    with services.database.writing() as db, pytest.raises(outbox.NotWaiting):
        outbox.release(db, load(services, "a").number, services.now())
    assert claim(services) is None


@pytest.mark.parametrize("change", [outbox.release, outbox.set_aside])
def test_a_stalled_worker_whose_job_was_taken_back_can_neither_send_nor_report(
    services: Services, clock: Clock, change: Callable[..., None]
) -> None:
    failed(services)
    clock.advance(timedelta(hours=1))
    stalled = claimed(services)
    clock.advance(outbox.LEASE)
    with services.database.writing() as db:
        change(db, stalled.number, services.now())
    for report in (outbox.mark_sending, outbox.finish):
        with services.database.writing() as db, pytest.raises(outbox.LeaseLost):
            report(db, stalled, services.now())


def test_a_job_that_was_set_aside_is_never_done_and_lets_the_next_of_its_group_go(services: Services) -> None:
    job = failed(services)
    add_job(services, "next")
    assert claim(services) is None
    with services.database.writing() as db:
        outbox.set_aside(db, job.number, services.now())
    assert claimed(services).id == "next"
    assert load(services, "a").last_error == outbox.SET_ASIDE


def test_of_a_worker_and_an_owner_who_drops_the_same_job_one_comes_first(services: Services) -> None:
    """Whoever is second is told so: nothing is sent that was dropped, nothing is dropped that is on its way."""
    for number in range(12):
        add_job(services, f"race-{number}", group=f"r{number}")
        job, together = load(services, f"race-{number}"), threading.Barrier(2)
        told: list[str] = []

        def drop(job: Job = job, together: threading.Barrier = together, told: list[str] = told) -> None:
            together.wait()
            try:
                with services.database.writing() as db:
                    outbox.set_aside(db, job.number, services.now())
                told.append("dropped")
            except outbox.NotWaiting:
                told.append("too late")

        owner = threading.Thread(target=drop)
        owner.start()
        together.wait()
        taken = claim(services)
        owner.join()
        assert told == (["too late"] if taken else ["dropped"])
        if taken:
            with services.database.writing() as db:
                outbox.finish(db, taken, services.now())
