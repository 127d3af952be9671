"""Who hears what, and when."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from booking.rules.hours import Timetable
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.signing import LINK_FROM_MAIL
from booking.store.models import Call, Job, Owner
from booking.usecases.calls import cancel, correct, move
from booking.usecases.hearing import call_heard_at
from booking.usecases.notify import House, host_of, is_stale
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
EVENING = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def mails(services: Services) -> dict[str, Job]:
    with services.database.reading() as db:
        return {
            job.payload["to"]: job for job in db.scalars(select(Job).where(Job.kind == "mail", Job.not_after.is_(None)))
        }


def test_in_business_hours_both_sides_hear_at_once(services: Services, book_one: Book) -> None:
    book_one(wish(TUESDAY))
    assert {job.not_before for job in mails(services).values()} == {services.now()}


def test_in_the_evening_the_owner_s_notice_waits_for_the_opening_or_the_morning_mail_before_it(
    services: Services, book_one: Book, clock: Clock
) -> None:
    clock.time = EVENING
    book_one(wish(TUESDAY + timedelta(hours=2)))
    assert mails(services)["client"].not_before == EVENING
    assert mails(services)["owner"].not_before == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_a_call_that_starts_before_the_owner_would_hear_is_told_at_once(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(datetime(2026, 11, 23, 10, 0, tzinfo=UTC)))
    clock.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    with services.database.writing() as db:
        db.scalars(select(Owner)).one().timetable = Timetable()
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    assert mails(services)["owner"].not_before == clock.time


def test_the_client_s_mail_holds_a_link_that_only_the_mail_holds(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    link = mails(services)["client"].payload["link"]
    read = services.signing.read_link(link.removeprefix("https://calls.example.org/c/"))
    assert read is not None
    assert read.purpose == LINK_FROM_MAIL
    assert mails(services)["owner"].payload["link"] == f"https://calls.example.org/desk/calls/{call.id}"


def test_a_client_without_an_address_is_not_written_to(services: Services, book_one: Book) -> None:
    book_one(wish(TUESDAY, email=""))
    assert set(mails(services)) == {"owner"}


def test_an_owner_who_never_heard_of_a_cancelled_call_is_not_told_that_it_was_booked(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    booked = mails(services)
    with services.database.reading() as db:
        assert not any(is_stale(db, job, services.now()) for job in booked.values())
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.reading() as db:
        assert is_stale(db, booked["owner"], services.now())
        assert not is_stale(db, booked["client"], services.now())
        assert not is_stale(db, mails(services)["owner"], services.now())


def test_a_mail_whose_facts_were_erased_is_stale(services: Services) -> None:
    with services.database.reading() as db:
        assert is_stale(db, Job(kind="mail", payload={}), services.now())


def test_an_owner_who_heard_of_a_call_hears_of_its_move_though_it_is_cancelled_meanwhile(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        move(db, call.id, TUESDAY + timedelta(hours=1), Actor.CLIENT, services.now(), house)
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.reading() as db:
        told = db.scalars(select(Job).where(Job.group.endswith(".owner")).order_by(Job.number)).all()
        assert [is_stale(db, job, services.now()) for job in told] == [True, False, False]


def test_what_is_past_waits_for_business_hours_and_an_old_time_counts_like_the_new_one(
    services: Services, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.reading() as db:
        loaded = db.get_one(Call, call.id, options=[joinedload(Call.owner)])
        night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
        assert call_heard_at(loaded, night) == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
        loaded.starts_at = night + timedelta(days=9)
        assert call_heard_at(loaded, night, night + timedelta(hours=1)) == night
        db.expunge_all()


def test_a_mail_about_no_call_is_not_stale(services: Services) -> None:
    with services.database.reading() as db:
        assert not is_stale(db, Job(kind="mail", payload={"message": "calendar_back", "to": "owner"}), services.now())


def test_uids_and_message_ids_end_in_the_host_of_the_public_address() -> None:
    assert host_of("https://calls.example.org/sub") == "calls.example.org"


def reminders(services: Services) -> list[Job]:
    with services.database.reading() as db:
        return list(db.scalars(select(Job).where(Job.not_after.is_not(None)).order_by(Job.not_before)))


def test_a_client_is_reminded_a_day_and_an_hour_before(services: Services, book_one: Book) -> None:
    start = TUESDAY + timedelta(days=1)
    book_one(wish(start))
    day, hour = reminders(services)
    assert (day.not_before, day.not_after) == (start - timedelta(days=1), start - timedelta(hours=22))
    assert (hour.not_before, hour.not_after) == (start - timedelta(hours=1), start)
    assert {job.payload["message"] for job in (day, hour)} == {"reminder"}


def test_a_reminder_is_stale_when_the_call_has_changed_or_it_comes_too_late(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(TUESDAY))
    (hour,) = reminders(services)
    with services.database.reading() as db:
        assert not is_stale(db, hour, hour.not_before)
        assert is_stale(db, hour, TUESDAY)
    with services.database.writing() as db:
        correct(db, call.id, phone="", email=call.email, actor=Actor.CLIENT, now=services.now(), house=house)
    with services.database.reading() as db:
        assert is_stale(db, hour, hour.not_before)
        assert not is_stale(db, reminders(services)[-1], hour.not_before)
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.reading() as db:
        assert all(is_stale(db, job, hour.not_before) for job in reminders(services))


def test_under_neutral_discretion_only_a_client_who_asked_for_it_is_reminded(
    services: Services, book_one: Book
) -> None:
    with services.database.writing() as db:
        db.scalars(select(Owner)).one().discretion = "neutral"
    book_one(wish(TUESDAY))
    assert reminders(services) == []
    book_one(wish(TUESDAY + timedelta(hours=1), request_key="2", wants_reminders=True))
    assert len(reminders(services)) == 2
