"""A calendar that falls silent: the owner is told once when it begins, and once when it is over."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.calendars.port import AuthRefused
from booking.services import Services
from booking.store.models import Calendar, Call, Job
from booking.usecases import refresh, silence
from booking.usecases.notify import House
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

EVENING = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def calendar_id(services: Services) -> int:
    with services.database.reading() as db:
        return db.scalars(select(Calendar.id)).one()


def fail(services: Services, house: House) -> None:
    with services.database.writing() as db:
        (made,) = refresh.plans_for_live_check(db, "anna", services.now())
        refresh.note_failure(db, made, AuthRefused("the password is refused"), services.now())
        silence.note_silence(db, house, made.calendar_id, services.now())


def answer(services: Services, house: House) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=services.now(), failures=0))
        silence.note_answer(db, house, calendar_id(services), services.now())


def mails(services: Services) -> list[Job]:
    with services.database.reading() as db:
        return list(db.scalars(select(Job).where(Job.group.startswith("calendar.")).order_by(Job.number)))


def heard(services: Services) -> list[str]:
    return [job.payload["message"] for job in mails(services)]


def test_a_calendar_that_fails_for_a_moment_is_nobody_s_news(services: Services, house: House, clock: Clock) -> None:
    clock.advance(QUARTER)
    fail(services, house)
    answer(services, house)
    assert mails(services) == []


def test_the_owner_is_told_once_when_a_calendar_is_unknown_and_once_when_it_is_back(
    services: Services, house: House, clock: Clock
) -> None:
    clock.advance(2 * QUARTER)
    fail(services, house)
    fail(services, house)
    assert heard(services) == ["calendar_silent"]
    (told,) = mails(services)
    assert told.payload["error_kind"] == "AuthRefused"
    assert told.not_before == clock.time
    with services.database.writing() as db:
        db.execute(update(Job).values(done_at=clock.time))
    answer(services, house)
    answer(services, house)
    assert heard(services) == ["calendar_silent", "calendar_back"]


def test_in_quiet_time_it_waits_and_what_is_over_by_then_is_not_told(
    services: Services, house: House, clock: Clock
) -> None:
    clock.time = EVENING
    fail(services, house)
    (told,) = mails(services)
    assert told.not_before == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    answer(services, house)
    (told,) = mails(services)
    assert told.done_at == clock.time


def test_a_second_silence_in_one_night_does_not_swallow_the_end_of_the_first(
    services: Services, house: House, clock: Clock
) -> None:
    clock.advance(2 * QUARTER)
    fail(services, house)
    with services.database.writing() as db:
        db.execute(update(Job).values(done_at=clock.time))
    clock.time = EVENING
    answer(services, house)
    clock.advance(2 * QUARTER)
    fail(services, house)
    answer(services, house)
    assert [job.payload["message"] for job in mails(services) if job.done_at is None] == ["calendar_back"]


def test_silence_that_threatens_a_call_before_the_morning_is_told_at_once(
    services: Services, house: House, clock: Clock, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)))
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=EVENING - 2 * QUARTER))
        db.execute(update(Call).values(starts_at=EVENING + QUARTER, ends_at=EVENING + 2 * QUARTER))
    fail(services, house)
    assert mails(services)[0].not_before == EVENING


def test_a_calendar_that_was_never_read_is_told_of_at_its_first_failure(services: Services, house: House) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=None))
    fail(services, house)
    assert mails(services)[0].payload["silent_since"] is None


@pytest.mark.parametrize("note", [silence.note_silence, silence.note_answer])
def test_a_calendar_that_was_removed_is_no_error(services: Services, house: House, note: object) -> None:
    with services.database.writing() as db:
        note(db, house, 999, services.now())  # type: ignore[operator]
    assert mails(services) == []
