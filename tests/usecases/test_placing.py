"""The event of a call in the owner's calendar: what must stand there."""

from datetime import UTC, datetime

from sqlalchemy import delete

from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import PlacedEvent
from booking.usecases import placing
from booking.usecases.calls import cancel
from booking.usecases.notify import House
from tests.builders import wish
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_a_confirmed_call_must_stand_there_and_its_period_is_noted_before_it_is_written(
    services: Services, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        wanted = placing.placement(db, call.id, services.now())
    assert wanted is not None
    assert wanted.ics is not None
    assert f"X-SPRECHZEIT-CALL:{call.id}" in wanted.ics
    with services.database.reading() as db:
        placed = db.get_one(PlacedEvent, call.id)
    assert (placed.starts_at, placed.ends_at) == (call.starts_at, call.ends_at)


def test_a_cancelled_call_must_not_stand_there_and_is_no_longer_ours_once_it_is_gone(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        placing.placement(db, call.id, services.now())
        placing.note_placed(db, call.id, "/anna/calls/x.ics", '"1"')
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.writing() as db:
        wanted = placing.placement(db, call.id, services.now())
        assert wanted is not None
        assert (wanted.ics, wanted.href, wanted.etag) == (None, "/anna/calls/x.ics", '"1"')
        placing.note_removed(db, call.id)
        placed = db.get_one(PlacedEvent, call.id)
        assert (placed.href, placed.etag, placed.starts_at) == ("", "", None)


def test_a_uid_that_the_server_keeps_for_something_else_is_followed_by_the_next(
    services: Services, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        placing.begin_new_generation(db, call.id, "calls.example.org")
        placed = db.get_one(PlacedEvent, call.id)
    assert (placed.generation, placed.uid) == (2, f"{call.id}-2@calls.example.org")


def test_a_call_that_no_calendar_takes_needs_no_event(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.execute(delete(PlacedEvent))
        assert placing.placement(db, call.id, services.now()) is None
