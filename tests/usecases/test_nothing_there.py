"""What is asked of something that is not there (any more), or is so already, does nothing."""

from datetime import UTC, date, datetime

from sqlalchemy import select, update

from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import CallType, Job, Owner, PlacedEvent
from booking.usecases import call_types, free_days, messages, morning, placing
from booking.usecases.notify import House
from tests.builders import wish
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_a_new_link_is_only_for_what_a_link_leads_to_and_only_the_archived_come_back() -> None:
    shown = CallType(slug="call", visibility="listed", archived_at=None)
    call_types.renew_link(shown, "secret")
    call_types.bring_back(shown)
    assert (shown.slug, shown.visibility) == ("call", "listed")


def test_without_a_country_no_day_is_a_holiday() -> None:
    assert free_days.label_of("", "", date(2026, 12, 25), "de") == ""


def test_a_report_about_an_event_that_has_another_name_by_now_changes_nothing(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        before = db.get_one(PlacedEvent, call.id).uid
        placing.note_removed(db, call.id, "another", services.now())
        placing.note_uid_taken(db, call.id, "another", house.host)
    with services.database.reading() as db:
        placed = db.get_one(PlacedEvent, call.id)
        assert (placed.uid, placed.generation) == (before, 1)


def test_without_its_job_no_morning_mail_is_written(services: Services, house: House) -> None:
    with services.database.writing() as db:
        owner_id = db.scalars(select(Owner.id)).one()
        again = morning.compose(db, house, owner_id, services.now())
    assert again > services.now()
    with services.database.reading() as db:
        assert db.scalars(select(Job)).all() == []


def test_a_mail_with_a_link_that_is_gone_says_nothing_and_only_mails_are_pointless(
    services: Services, house: House, book_one: Book
) -> None:
    book_one(wish(TUESDAY))
    with services.database.reading() as db:
        gone = Job(kind="mail", group="x", payload={"message": "reset", "to": "owner", "way_in": "gone"})
        assert messages.facts_of(db, house, gone) is None
        written = db.scalars(select(Job).where(Job.kind == "calendar")).one()
        assert not messages.is_pointless(db, written, services.now())


def test_the_same_thing_is_to_be_told_by_phone_once(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.execute(update(Job).values(parked_at=services.now()))
        db.add(PhoneTask(owner_id=call.owner_id, call_id=call.id, message="booked", created_at=services.now()))
    with services.database.writing() as db:
        owner = db.get_one(Owner, call.owner_id)
        job = db.scalars(select(Job).where(Job.group == f"{call.id}.client", Job.kind == "mail")).first()
        assert job is not None
        message = messages.find_message(db, owner, job.id)
        assert message is not None
        messages.drop(db, message, services.now(), by_phone=True)
    with services.database.reading() as db:
        assert len(db.scalars(select(PhoneTask)).all()) == 1
