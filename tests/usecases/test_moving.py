"""Moving a call to another free time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import CapReached, IllegalStep, NotOffered
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import Calendar, Call, HeldPeriod, Job, Owner
from booking.usecases.availability import load_offer
from booking.usecases.calls import cancel, load_call, load_offer_to_move, move, prove_address, why_not_movable
from booking.usecases.notify import House
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def moved(services: Services, house: House, call: Call, start: datetime, actor: Actor = Actor.CLIENT) -> Call:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=services.now()))
    with services.database.writing() as db:
        return move(db, call.id, start, actor, services.now(), house)


def jobs(services: Services) -> list[Job]:
    with services.database.reading() as db:
        return list(db.scalars(select(Job).where(Job.not_after.is_(None)).order_by(Job.number)))


def test_a_call_may_overlap_its_own_old_time_and_frees_the_rest_of_it(
    services: Services, house: House, book_one: Book
) -> None:
    call = moved(services, house, book_one(wish(TUESDAY)), TUESDAY + QUARTER)
    assert (call.starts_at, call.ends_at) == (TUESDAY + QUARTER, TUESDAY + 3 * QUARTER)
    assert (call.sequence, call.owner_wall_time) == (1, "2026-11-24T09:45 Europe/Berlin")
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod)).one()
        offer = load_offer(db, "anna", "call", services.now())
    assert held.starts_at == TUESDAY + QUARTER
    assert offer.why_not(TUESDAY - 2 * QUARTER) is None
    assert offer.why_not(TUESDAY - QUARTER) == "buffer"
    assert offer.why_not(TUESDAY + 4 * QUARTER) is None


def test_both_sides_are_told_once_and_the_calendar_is_written(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    moved(services, house, call, TUESDAY + HOUR)
    moved(services, house, call, TUESDAY + HOUR)
    told = [(job.kind, job.payload.get("message"), job.payload.get("moved_from")) for job in jobs(services)[3:]]
    assert told == [("calendar", None, None), *[("mail", "moved", TUESDAY.isoformat())] * 2]


def test_a_time_that_is_not_free_leaves_the_call_where_it_is(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    book_one(wish(TUESDAY + 2 * HOUR, request_key="other", email="o@example.com", phone=""))
    with pytest.raises(NotOffered):
        moved(services, house, call, TUESDAY + 2 * HOUR)
    with services.database.reading() as db:
        assert db.get_one(Call, call.id).starts_at == TUESDAY


def test_while_a_calendar_is_silent_nothing_is_moved(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(TUESDAY))
    clock.advance(HOUR)
    with services.database.writing() as db, pytest.raises(NotOffered) as refused:
        move(db, call.id, TUESDAY + HOUR, Actor.CLIENT, services.now(), house)
    assert refused.value.reason == "unknown_calendar"


def test_the_notice_counts_for_the_old_time_too_but_not_for_the_owner(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(TUESDAY))
    clock.time = TUESDAY - timedelta(minutes=29)
    with pytest.raises(IllegalStep):
        moved(services, house, call, TUESDAY + 4 * HOUR)
    assert why_not(services, call) == "too_soon"
    assert moved(services, house, call, TUESDAY + 5 * HOUR, Actor.OWNER).starts_at == TUESDAY + 5 * HOUR


def test_a_client_moves_a_call_as_often_as_the_owner_allows(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        prove_address(db, call.id, call.link_version, services.now())
        db.execute(update(Owner).values(most_moves=2))
    for start in (TUESDAY + HOUR, TUESDAY):
        moved(services, house, call, start)
    assert why_not(services, call) == "moves"
    with pytest.raises(CapReached) as refused:
        moved(services, house, call, TUESDAY + HOUR)
    assert refused.value.cap == "moves"


def test_a_call_that_has_begun_or_is_cancelled_can_t_be_moved(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(TUESDAY))
    other = book_one(wish(TUESDAY + HOUR, request_key="2", email="o@example.com", phone=""))
    with services.database.writing() as db:
        cancel(db, other.id, Actor.CLIENT, services.now(), house)
    assert why_not(services, other) == "begun"
    with pytest.raises(IllegalStep):
        moved(services, house, other, TUESDAY + 2 * HOUR)
    clock.time = TUESDAY
    with pytest.raises(IllegalStep):
        moved(services, house, call, TUESDAY + 4 * HOUR)


def why_not(services: Services, call: Call) -> str:
    with services.database.reading() as db:
        loaded = load_call(db, call.id)
        assert loaded is not None
        return why_not_movable(load_offer_to_move(db, loaded, services.now()), loaded)
