"""Forgetting what is not needed any more."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from booking.services import Services
from booking.store.models import Call, HeldPeriod, Job
from booking.usecases.housekeeping import forget
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def tidy(services: Services) -> tuple[Call, list[Job]]:
    with services.database.writing() as db:
        forget(db, services.now())
    with services.database.reading() as db:
        return db.scalars(select(Call)).one(), list(
            db.scalars(select(Job).where(Job.kind == "mail", Job.not_after.is_(None)))
        )


def test_the_network_of_a_client_is_forgotten_after_a_day(services: Services, book_one: Book, clock: Clock) -> None:
    book_one(wish(TUESDAY, origin="net"))
    clock.advance(timedelta(hours=23))
    assert tidy(services)[0].origin == "net"
    clock.advance(timedelta(hours=2))
    assert tidy(services)[0].origin == ""


def test_a_period_is_not_held_any_more_two_weeks_after_it_is_over(
    services: Services, book_one: Book, clock: Clock
) -> None:
    book_one(wish(TUESDAY))
    for days, held in ((13, 1), (15, 0)):
        clock.time = TUESDAY + timedelta(days=days)
        tidy(services)
        with services.database.reading() as db:
            assert len(db.scalars(select(HeldPeriod)).all()) == held


def test_sent_mails_are_forgotten_after_a_month(services: Services, book_one: Book, clock: Clock) -> None:
    book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.execute(update(Job).values(done_at=services.now()))
    clock.advance(timedelta(days=29))
    assert all(job.payload for job in tidy(services)[1])
    clock.advance(timedelta(days=2))
    assert [job.payload for job in tidy(services)[1]] == [{}, {}]


def test_the_client_is_forgotten_90_days_after_the_call_and_the_times_stay(
    services: Services, book_one: Book, clock: Clock
) -> None:
    book_one(wish(TUESDAY, note="about the offer"))
    clock.time = TUESDAY + timedelta(days=90)
    assert tidy(services)[0].name == "Kim"
    clock.advance(timedelta(hours=1))
    call, jobs = tidy(services)
    assert (call.name, call.email, call.phone, call.note, call.timezone) == ("", "", "", "", "")
    assert (call.starts_at, call.link_version) == (TUESDAY, 2)
    assert [job.payload for job in jobs] == [{}, {}]
