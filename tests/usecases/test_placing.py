"""The event of a call in the owner's calendar: what must stand there."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from booking.rules.lifecycle import Actor
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, Call, PlacedEvent
from booking.usecases import placing
from booking.usecases.calls import cancel
from booking.usecases.notify import House
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def write_at(services: Services, call: Call, *hours: int) -> None:
    """Begin to write the call at TUESDAY and so many hours, one after the other; nothing is heard of any of it."""
    for later in hours:
        start = TUESDAY + timedelta(hours=later)
        with services.database.writing() as db:
            db.execute(update(Call).values(starts_at=start, ends_at=start + 30 * MINUTE))
            placing.placement(db, call.id, services.settings.base_url, services.now())


def uid_of(call: Call) -> str:
    return f"{call.id}-1@calls.example.org"


def settle(services: Services, call: Call) -> None:
    with services.database.writing() as db:
        placing.note_placed(db, call.id, uid_of(call), "/anna/calls/x.ics", '"1"', services.now())


def ours(services: Services, asked_at: datetime) -> list[int]:
    """Return at how many hours after TUESDAY our event is known as ours in a reading of that moment."""
    with services.database.reading() as db:
        calendar_id = db.scalars(select(Calendar.id)).one()
        (lines,) = placing.known_as_ours(db, calendar_id, asked_at).values()
    periods = [Period(start, start + 30 * MINUTE) for start in (TUESDAY + timedelta(hours=h) for h in range(9))]
    known = [hours for hours, period in enumerate(periods) if Timeline.of([period]) in lines]
    assert len(known) == len(lines)
    return known


def test_a_confirmed_call_must_stand_there_and_its_period_is_noted_before_it_is_written(
    services: Services, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        wanted = placing.placement(db, call.id, services.settings.base_url, services.now())
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
        placing.placement(db, call.id, services.settings.base_url, services.now())
        placing.note_placed(db, call.id, uid_of(call), "/anna/calls/x.ics", '"1"', services.now())
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.writing() as db:
        wanted = placing.placement(db, call.id, services.settings.base_url, services.now())
        assert wanted is not None
        assert (wanted.ics, wanted.href, wanted.etag) == (None, "/anna/calls/x.ics", '"1"')
        placing.note_removed(db, call.id, uid_of(call), services.now())
        placed = db.get_one(PlacedEvent, call.id)
        assert (placed.href, placed.etag, placed.starts_at) == ("", "", None)


def test_a_uid_that_the_server_keeps_for_something_else_is_followed_by_the_next(
    services: Services, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        placing.note_uid_taken(db, call.id, uid_of(call), "calls.example.org")
        placed = db.get_one(PlacedEvent, call.id)
    assert (placed.generation, placed.uid) == (2, f"{call.id}-2@calls.example.org")


def test_a_call_that_no_calendar_takes_needs_no_event(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.execute(delete(PlacedEvent))
        assert placing.placement(db, call.id, services.settings.base_url, services.now()) is None


def test_until_a_write_succeeds_every_period_since_the_last_success_is_ours(
    services: Services, clock: Clock, book_one: Book
) -> None:
    """Any of the writes may have been done unheard; the call may come back to a time it had."""
    call = book_one(wish(TUESDAY))
    write_at(services, call, 0)
    settle(services, call)
    write_at(services, call, 1, 3, 2, 3)
    assert ours(services, clock.time) == [0, 1, 2, 3]


def test_after_a_write_succeeded_only_its_period_is_ours_in_what_is_read_from_then_on(
    services: Services, clock: Clock, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    before = clock.time
    write_at(services, call, 0, 1)
    clock.advance(MINUTE)
    settle(services, call)
    assert (ours(services, before), ours(services, clock.time)) == ([0, 1], [1])
    write_at(services, call, 2)
    assert ours(services, before) == [0, 1, 2]


def test_what_no_reading_can_show_any_more_is_forgotten_by_the_next_write(
    services: Services, clock: Clock, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    write_at(services, call, 0, 1)
    settle(services, call)
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=clock.time + MINUTE))
    write_at(services, call, 2)
    assert ours(services, clock.time) == [1, 2]


def test_a_removed_event_is_ours_only_in_what_was_read_before(services: Services, clock: Clock, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    before = clock.time
    write_at(services, call, 0, 1)
    clock.advance(MINUTE)
    with services.database.writing() as db:
        placing.note_removed(db, call.id, uid_of(call), services.now())
    assert (ours(services, before), ours(services, clock.time)) == ([0, 1], [])


def test_nothing_is_known_to_stand_under_a_new_uid_before_it_is_written(
    services: Services, clock: Clock, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    write_at(services, call, 0, 1)
    with services.database.writing() as db:
        placing.note_uid_taken(db, call.id, uid_of(call), "calls.example.org")
    assert ours(services, clock.time) == []
    write_at(services, call, 1)
    assert ours(services, clock.time) == [1]
