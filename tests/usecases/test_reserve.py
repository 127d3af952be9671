"""Booking a call under the owner's lock."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.errors import CapReached, KeyReused, NotFound, NotOffered
from booking.services import Services
from booking.store.models import Call, HeldPeriod, Job, PlacedEvent
from booking.usecases.availability import load_offer
from booking.usecases.calls import prove_address
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, book
from tests.builders import add_calendar, add_call_type, add_owner, wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_a_booked_call_holds_its_padded_period_and_writes_three_jobs(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod)).one()
        jobs = db.scalars(select(Job).where(Job.not_after.is_(None)).order_by(Job.number)).all()
        placed = db.scalars(select(PlacedEvent)).one()
    assert (held.starts_at, held.ends_at) == (TUESDAY, TUESDAY + timedelta(minutes=40))
    assert [(job.kind, job.payload.get("to")) for job in jobs] == [
        ("calendar", None),
        ("mail", "client"),
        ("mail", "owner"),
    ]
    assert placed.uid == f"{call.id}-1@calls.example.org"
    assert call.owner_wall_time == "2026-11-24T09:30 Europe/Berlin"


def test_a_period_that_is_held_is_not_offered_again(services: Services, book_one: Book) -> None:
    book_one(wish(TUESDAY))
    with pytest.raises(NotOffered) as refused:
        book_one(wish(TUESDAY + timedelta(minutes=30), request_key="key-2"))
    assert refused.value.reason == "busy"


def test_the_same_request_twice_is_one_call(services: Services, book_one: Book) -> None:
    first = book_one(wish(TUESDAY))
    assert book_one(wish(TUESDAY)).id == first.id
    with services.database.reading() as db:
        assert len(db.scalars(select(Call)).all()) == 1


def test_a_key_can_t_be_used_for_another_request(services: Services, book_one: Book) -> None:
    book_one(wish(TUESDAY))
    with pytest.raises(KeyReused):
        book_one(wish(TUESDAY + timedelta(hours=1)))


def test_an_unknown_owner_or_call_type_is_not_found(services: Services, house: House) -> None:
    with services.database.writing() as db, pytest.raises(NotFound):
        book(db, house, "nobody", "call", wish(), services.now())
    with services.database.writing() as db, pytest.raises(NotFound):
        book(db, house, "anna", "nothing", wish(), services.now())


def test_five_upcoming_calls_are_the_most_for_one_number(services: Services, book_one: Book) -> None:
    for day in range(5):
        book_one(wish(TUESDAY + timedelta(days=7 * day), request_key=str(day), email=f"{day}@example.com"))
    with pytest.raises(CapReached) as refused:
        book_one(wish(TUESDAY + timedelta(days=36), request_key="6", email="6@example.com"))
    assert refused.value.cap == "person"


def test_five_upcoming_calls_are_the_most_for_one_address_however_it_is_written(
    services: Services, book_one: Book
) -> None:
    prove(services, book_one)
    for day in range(1, 5):
        book_one(wish(TUESDAY + timedelta(days=7 * day), request_key=str(day), phone=""))
    with pytest.raises(CapReached) as refused:
        book_one(wish(TUESDAY + timedelta(days=36), request_key="6", phone="", email="Kim@Example.com"))
    assert refused.value.cap == "person"


def test_an_address_that_never_used_its_link_gets_three_first_mails_a_day(
    services: Services, book_one: Book, clock: Clock
) -> None:
    for day in range(3):
        book_one(wish(TUESDAY + timedelta(days=7 * day), request_key=str(day)))
    with pytest.raises(CapReached) as refused:
        book_one(wish(TUESDAY + timedelta(days=28), request_key="4"))
    assert refused.value.cap == "address"
    clock.advance(timedelta(hours=25))
    book_one(wish(TUESDAY + timedelta(days=28), request_key="4"))


def test_an_address_that_used_its_link_gets_every_mail(services: Services, book_one: Book) -> None:
    prove(services, book_one)
    for day in range(1, 5):
        book_one(wish(TUESDAY + timedelta(days=7 * day), request_key=str(day)))
    with services.database.reading() as db:
        assert len(db.scalars(select(Job).where(Job.first_mail_to != "")).all()) == 5


def test_one_network_books_twenty_calls_an_hour_at_most(services: Services, book_one: Book, clock: Clock) -> None:
    with services.database.reading() as db:
        free = load_offer(db, "anna", "call", services.now()).all_free()[::4]
    for number, start in enumerate(free[:20]):
        book_one(wish(start, request_key=str(number), email=f"{number}@example.com", phone="", origin="net"))
    one_more = wish(free[20], request_key="20", email="20@example.com", phone="", origin="net")
    with pytest.raises(CapReached) as refused:
        book_one(one_more)
    assert refused.value.cap == "origin"
    clock.advance(timedelta(minutes=61))
    book_one(one_more)


@pytest.mark.parametrize(
    ("most", "same", "cap"), [(20, {"origin": "net"}, "origin"), (3, {"email": "victim@example.com"}, "address")]
)
def test_what_is_counted_over_all_owners_is_not_exceeded_by_booking_at_two_of_them_at_once(
    services: Services, house: House, book_one: Book, most: int, same: dict[str, str], cap: str
) -> None:
    with services.database.writing() as db:
        bert = add_owner(db, "bert")
        add_call_type(db, bert)
        add_calendar(db, bert)
    with services.database.reading() as db:
        free = load_offer(db, "anna", "call", services.now()).nearest(TUESDAY, 200)[::3]

    def stranger(number: int) -> Wish:
        facts = {"request_key": str(number), "email": f"{number}@example.com", "phone": f"+49170123{number:04}"}
        return wish(free[number], **{**facts, **same})

    for number in range(most - 1):
        book_one(stranger(number))

    def book_at_bert() -> Call:
        with services.database.writing() as db:
            return book(db, house, "bert", "call", stranger(most), services.now())

    with ThreadPoolExecutor(1) as somebody_else:
        with services.database.writing() as db:
            book(db, house, "anna", "call", stranger(most - 1), services.now())
            second = somebody_else.submit(book_at_bert)
            wait([second], timeout=0.5)  # where nothing keeps it back, it has booked by then
        with pytest.raises(CapReached) as refused:
            second.result(timeout=30)
    assert refused.value.cap == cap


def test_without_a_calendar_for_calls_only_mails_are_written(services: Services, house: House) -> None:
    with services.database.writing() as db:
        owner = add_owner(db, "berta")
        add_call_type(db, owner)
        book(db, house, "berta", "call", wish(), services.now())
        assert {job.kind for job in db.scalars(select(Job))} == {"mail"}


def prove(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY, request_key="first", phone=""))
    with services.database.writing() as db:
        prove_address(db, call.id, call.link_version, services.now())
