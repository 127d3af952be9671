"""What an owner keeps about a client: kept, found, handed out, forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import CapReached, NotFound
from booking.services import Services
from booking.store.accounts import ClientNote, PhoneTask
from booking.store.models import Call, CallChange
from booking.usecases import privacy
from booking.usecases.clients import block, finish_task, is_blocked, keep_note, load_client, unblock
from booking.usecases.housekeeping import forget
from booking.usecases.notify import House
from booking.usecases.reserve import book
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def noted(services: Services, call: Call, note: str = "Likes short answers.") -> None:
    with services.database.writing() as db:
        keep_note(db, call, note)


def contacts(services: Services) -> set[str]:
    with services.database.reading() as db:
        return set(db.scalars(select(ClientNote.contact)))


@pytest.mark.parametrize(
    ("email", "phone"),
    [("KIM@Example.com", ""), ("", "+491701234567"), ("kim@example.com", "+491709999999")],
)
def test_a_blocked_client_is_refused_like_a_busy_one_under_the_lock(
    services: Services, house: House, book_one: Book, email: str, phone: str
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        block(db, call, services.now())
    wished = wish(TUESDAY + 2 * HOUR, email=email, phone=phone, request_key="2")
    with services.database.writing() as db, pytest.raises(CapReached) as refused:
        book(db, house, "anna", "call", wished, services.now())
    assert refused.value.cap == "person"


def test_nobody_else_is_refused(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        block(db, call, services.now())
        assert not is_blocked(db, call.owner_id, "", "")
        assert not is_blocked(db, call.owner_id, "lou@example.com", "+491709999999")
        assert not is_blocked(db, call.owner_id + 1, call.email, call.phone)
    assert book_one(wish(TUESDAY + HOUR, email="lou@example.com", phone="+491709999999", request_key="2")).id


def test_unblocking_reaches_every_address_of_the_person(services: Services, book_one: Book) -> None:
    first = book_one(wish(TUESDAY))
    second = book_one(wish(TUESDAY + 2 * HOUR, email="second@example.com", request_key="2"))
    with services.database.writing() as db:
        block(db, first, services.now())
        assert set(load_client(db, second, services.now()).blocked) == {"kim@example.com", "+491701234567"}
        unblock(db, second)
    assert contacts(services) == set()


def test_blocking_keeps_the_note_and_unblocking_too(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    noted(services, call)
    with services.database.writing() as db:
        block(db, call, services.now())
        unblock(db, call)
    with services.database.reading() as db:
        assert load_client(db, call, services.now()).note == "Likes short answers."


def test_what_is_kept_is_handed_out_and_erased(services: Services, house: House, book_one: Book, clock: Clock) -> None:
    noted(services, book_one(wish(TUESDAY)))
    noted(services, book_one(wish(TUESDAY + 2 * HOUR, email="lou@example.com", phone="", request_key="2")), "Lou")
    with services.database.reading() as db:
        kept = privacy.export(db, "anna", "kim@example.com")
    assert {(note.contact, note.note) for note in kept.notes} == {
        ("kim@example.com", "Likes short answers."),
        ("+491701234567", "Likes short answers."),
    }
    clock.advance(timedelta(days=2))
    with services.database.writing() as db:
        db.execute(update(CallChange).values(reason="Kim is ill"))
        privacy.erase(db, "anna", "kim@example.com", services.now(), house)
    assert contacts(services) == {"lou@example.com"}
    with services.database.reading() as db:
        assert db.scalars(select(CallChange.reason).order_by(CallChange.id)).all() == ["", "Kim is ill"]


def test_a_note_of_an_address_without_calls_is_handed_out_and_erased_too(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.add(ClientNote(owner_id=call.owner_id, contact="old@example.com", note="x"))
    with services.database.writing() as db:
        assert len(privacy.erase(db, "anna", "OLD@example.com", services.now(), house).notes) == 1
    assert contacts(services) == set()


def test_a_note_goes_with_the_last_call_that_names_the_client(services: Services, book_one: Book, clock: Clock) -> None:
    noted(services, book_one(wish(TUESDAY)))
    noted(services, book_one(wish(TUESDAY + 2 * HOUR, email="lou@example.com", phone="", request_key="2")))
    with services.database.writing() as db:
        db.execute(update(Call).where(Call.email == "kim@example.com").values(ends_at=TUESDAY + HOUR))
    clock.time = TUESDAY + timedelta(days=90) + HOUR + timedelta(minutes=1)
    with services.database.writing() as db:
        forget(db, services.now())
    assert contacts(services) == {"lou@example.com"}


def test_a_task_of_another_owner_is_not_there(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        task = PhoneTask(owner_id=call.owner_id, call_id=call.id, message="moved", created_at=services.now())
        db.add(task)
        db.flush()
        with pytest.raises(NotFound):
            finish_task(db, call.owner_id + 1, task.id, services.now())
        assert task.done_at is None
        finish_task(db, call.owner_id, task.id, services.now())
        assert task.done_at == services.now()
