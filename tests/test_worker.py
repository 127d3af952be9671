"""The clock: mails leave, events are written, calendars are read; trouble is kept and tried again."""

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking import worker
from booking.calendars.port import AuthRefused, Conflict, Refused, Unreachable
from booking.mail.smtp import MailDelayed, MailRefused, MailUncertain
from booking.rules.hours import Absence
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import Calendar, Call, Installation, Job, Owner, PlacedEvent
from booking.usecases.calls import cancel
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import add_calendar, add_call_type, add_owner, wish
from tests.fakes import MONDAY, Clock, MailBox, MemoryCalendar, Server, event

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def calendar(server: Server) -> MemoryCalendar:
    return server["/anna/calls/"]


@pytest.fixture
def call(services: Services) -> Call:
    with services.database.writing() as db:
        owner = add_owner(db)
        add_call_type(db, owner)
        add_calendar(db, owner)
    with services.database.writing() as db:
        return book(db, house(services), "anna", "call", wish(TUESDAY), services.now())


def work(services: Services) -> None:
    while worker.run_job(services):
        pass


def job_of(services: Services, group: str) -> Job:
    with services.database.reading() as db:
        return db.scalars(select(Job).where(Job.group.endswith(group)).order_by(Job.number.desc())).first() or Job()


def cancel_it(services: Services, call: Call) -> None:
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house(services))


def test_a_booked_call_stands_in_the_calendar_and_both_sides_have_a_mail(
    services: Services, call: Call, calendar: MemoryCalendar, mailbox: MailBox
) -> None:
    work(services)
    (resource,) = calendar.objects.values()
    assert f"UID:{call.id}-1@calls.example.org" in resource.ics
    assert sorted(str(message["To"]) for message in mailbox.sent) == ["anna@example.org", "kim@example.com"]
    assert not worker.run_job(services)


def test_after_a_cancellation_the_event_is_gone_and_both_sides_are_told(
    services: Services, call: Call, calendar: MemoryCalendar, mailbox: MailBox
) -> None:
    work(services)
    cancel_it(services, call)
    work(services)
    assert calendar.objects == {}
    assert len(mailbox.to("kim@example.com")) == len(mailbox.to("anna@example.org")) == 2
    with services.database.reading() as db:
        assert db.get_one(PlacedEvent, call.id).starts_at is None


def test_a_call_cancelled_before_anything_left_never_stands_in_the_calendar(
    services: Services, call: Call, calendar: MemoryCalendar, mailbox: MailBox
) -> None:
    cancel_it(services, call)
    work(services)
    assert calendar.objects == {}
    assert len(mailbox.to("kim@example.com")) == 2
    assert len(mailbox.to("anna@example.org")) == 1


def test_our_own_event_is_not_read_as_busy(services: Services, call: Call, clock: Clock) -> None:
    work(services)
    clock.advance(MINUTE)
    worker.read_calendar(services)
    with services.database.reading() as db:
        assert len(db.scalars(select(Calendar)).one().busy) == 0


def test_a_mail_that_has_to_wait_is_tried_again_ever_later(
    services: Services, call: Call, mailbox: MailBox, clock: Clock
) -> None:
    waits = []
    for _ in range(8):
        mailbox.failing = [MailDelayed("450 later")] * 2
        work(services)
        job = job_of(services, ".client")
        waits.append((job.not_before - clock.time) // MINUTE)
        clock.time = job.not_before
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert job.last_error == "450 later"
    work(services)
    assert len(mailbox.to("kim@example.com")) == 1


def test_a_mail_to_the_owner_that_had_to_wait_does_not_leave_in_quiet_time(
    services: Services, call: Call, mailbox: MailBox, clock: Clock
) -> None:
    """It was due in business hours; by the time it could leave, the owner is away."""
    mailbox.failing = [MailDelayed("450 later")] * 2
    work(services)
    with services.database.writing() as db:
        owner = db.scalars(select(Owner)).one()
        owner.timetable = replace(owner.timetable, absences=(Absence(MONDAY.date(), MONDAY.date()),))
    clock.advance(timedelta(hours=1))
    work(services)
    assert mailbox.to("anna@example.org") == []
    job = job_of(services, ".owner")
    assert job.not_before == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    clock.time = job.not_before
    work(services)
    assert len(mailbox.to("anna@example.org")) == 1


def test_after_two_days_of_waiting_a_mail_is_parked(services: Services, call: Call, mailbox: MailBox) -> None:
    with services.database.writing() as db:
        db.execute(update(Job).values(attempts=53))
    mailbox.failing = [MailDelayed("450 later")] * 2
    work(services)
    assert job_of(services, ".client").parked_at == services.now()


def test_a_mail_that_is_refused_is_parked_with_the_reason(services: Services, call: Call, mailbox: MailBox) -> None:
    mailbox.failing = [MailRefused("550 no such user")]
    work(services)
    job = job_of(services, ".client")
    assert (job.parked_at, job.last_error) == (services.now(), "550 no such user")
    assert len(mailbox.to("anna@example.org")) == 1


def test_a_mail_is_parked_after_a_second_attempt_whose_end_nobody_knows(
    services: Services, call: Call, mailbox: MailBox, clock: Clock
) -> None:
    for _ in range(2):
        mailbox.failing = [MailUncertain("cut after DATA")]
        work(services)
        clock.advance(timedelta(hours=1))
    work(services)
    job = job_of(services, ".client")
    assert job.parked_at is not None
    assert job.last_error == "it is not known whether this mail left"


def test_a_calendar_that_does_not_answer_gets_the_event_later(
    services: Services, call: Call, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.failing = Unreachable("busy", timedelta(minutes=7))
    work(services)
    job = job_of(services, ".calendar")
    assert (job.not_before - clock.time, job.last_error) == (7 * MINUTE, "busy")
    calendar.failing = None
    clock.time = job.not_before
    work(services)
    assert len(calendar.objects) == 1


def test_a_wrong_password_keeps_the_event_waiting_and_an_object_the_server_never_takes_is_parked(
    services: Services, call: Call, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.failing = AuthRefused("the password is refused")
    work(services)
    assert job_of(services, ".calendar").parked_at is None
    calendar.failing = Refused("never")
    clock.advance(MINUTE)
    work(services)
    assert job_of(services, ".calendar").parked_at is not None


def test_a_uid_that_the_server_keeps_for_something_else_is_followed_by_the_next(
    services: Services, call: Call, calendar: MemoryCalendar
) -> None:
    calendar.store(f"{call.id}-1@calls.example.org.ics", event("foreign", TUESDAY, TUESDAY + MINUTE))
    work(services)
    assert f"/anna/calls/{call.id}-2@calls.example.org.ics" in calendar.objects


def test_a_calendar_that_was_removed_needs_no_event(services: Services, call: Call) -> None:
    with services.database.writing() as db:
        db.delete(db.get_one(PlacedEvent, call.id))
        db.delete(db.scalars(select(Calendar)).one())
    work(services)
    assert job_of(services, ".calendar").done_at is not None


def test_a_job_that_breaks_is_kept_and_does_not_stop_the_others(
    services: Services, call: Call, mailbox: MailBox, caplog: pytest.LogCaptureFixture
) -> None:
    with services.database.writing() as db:
        db.execute(update(Job).where(Job.group.endswith(".client")).values(payload={"to": "client", "message": "?"}))
    with caplog.at_level(logging.ERROR):
        work(services)
    assert job_of(services, ".client").last_error.endswith("see the log")
    assert len(mailbox.to("anna@example.org")) == 1


def test_a_request_whose_answer_breaks_once_is_looked_at_again_and_never_given_up(
    services: Services, call: Call, clock: Clock
) -> None:
    with services.database.writing() as db:
        db.add(
            Job(
                id="d",
                owner_id=call.owner_id,
                kind="decide",
                call_id=call.id,
                group="d",
                payload={},
                created_at=clock.time,
                not_before=clock.time,
                attempts=200,
            )
        )

    def break_once(name: str) -> None:
        if name == "request.decided":
            raise ArithmeticError

    work(Services(**{**services.__dict__, "failpoint": break_once}))
    job = job_of(services, "d")
    assert (job.parked_at, job.not_before - clock.time) == (None, timedelta(seconds=20))


def test_a_worker_that_lost_its_lease_reports_nothing(
    services: Services, call: Call, mailbox: MailBox, clock: Clock
) -> None:
    def take_over(name: str) -> None:
        if name == "mail.sending":
            with services.database.writing() as db:
                db.execute(update(Job).where(Job.done_at.is_(None)).values(lease="another"))

    work(Services(**{**services.__dict__, "failpoint": take_over}))
    assert job_of(services, ".client").done_at is None


def test_a_due_calendar_is_read_and_one_that_fails_is_noted(
    services: Services, call: Call, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.store("dentist.ics", event("dentist", TUESDAY, TUESDAY + MINUTE))
    clock.advance(MINUTE)
    while worker.run_once(services):
        pass
    clock.advance(timedelta(minutes=3))
    calendar.failing = AuthRefused("the password is refused")
    assert worker.read_calendar(services)
    with services.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (len(row.busy), row.failures, row.last_error) == (1, 1, "the password is refused")
    assert not worker.read_calendar(services)


def test_a_reading_that_another_one_overtook_is_dropped(
    services: Services, call: Call, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + MINUTE))

    def meanwhile(name: str) -> None:
        with services.database.writing() as db:
            db.execute(update(Calendar).values(next_read_at=None))
        calendar.store("one.ics", event("one", TUESDAY + MINUTE, TUESDAY + 2 * MINUTE))
        worker.read_calendar(services)

    clock.advance(MINUTE)
    worker.read_calendar(Services(**{**services.__dict__, "failpoint": meanwhile}))
    with services.database.reading() as db:
        (busy,) = db.scalars(select(Calendar)).one().busy.periods()
    assert busy.start == TUESDAY + MINUTE


def test_the_heartbeat_says_that_the_worker_lives(services: Services, clock: Clock) -> None:
    worker.heartbeat(services)
    with services.database.reading() as db:
        assert db.scalars(select(Installation.worker_seen_at)).one() == clock.time


def test_the_worker_forgets_what_need_not_be_kept(services: Services, call: Call, clock: Clock) -> None:
    clock.advance(timedelta(days=200))
    worker.forget(services)
    with services.database.reading() as db:
        assert db.get_one(Call, call.id).name == ""


def test_the_worker_runs_until_it_is_stopped(services: Services, call: Call, mailbox: MailBox) -> None:
    stop = threading.Event()

    def stop_after_the_last(name: str) -> None:
        if name == "job.reported" and len(mailbox.sent) == 2:
            stop.set()

    worker.run(Services(**{**services.__dict__, "failpoint": stop_after_the_last}), stop)
    assert len(mailbox.sent) == 2


def test_a_conflict_that_lasts_is_tried_again_later(services: Services, call: Call, calendar: MemoryCalendar) -> None:
    calendar.failing = Conflict("locked")
    work(services)
    assert job_of(services, ".calendar").not_before > services.now()


def test_an_answer_nobody_thought_of_stops_no_other_calendar(
    services: Services, call: Call, calendar: MemoryCalendar, clock: Clock
) -> None:
    class Odd(Exception):
        pass

    def changes(_known: object) -> None:
        raise Odd

    calendar.changes = changes  # type: ignore[assignment,method-assign]
    clock.advance(MINUTE)
    assert worker.read_calendar(services)
    with services.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (row.failures, row.last_error) == (1, "its answer could not be used (Odd: see the log)")
