"""Another calendar takes over the calls: nothing is lost, nothing stands twice, whatever happens in between."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.calendars.port import Refused, Unreachable
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.leftovers import LeftEvent
from booking.store.models import Calendar, Call, Job, PlacedEvent
from booking.store.owner_lock import lock_owner
from booking.usecases import calendars, takeover
from booking.usecases.calls import cancel, move
from booking.usecases.housekeeping import forget
from booking.usecases.notify import House
from booking.worker import read_calendar, run_job
from tests.builders import add_calendar, wish
from tests.fakes import Clock, MemoryCalendar, Server, event
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Crash(BaseException):
    """The worker dies here."""


@pytest.fixture
def old(server: Server) -> MemoryCalendar:
    return server["/anna/calls/"]


@pytest.fixture
def new(server: Server, services: Services) -> MemoryCalendar:
    with services.database.writing() as db:
        owner = db.scalars(select(Calendar)).one().owner
        add_calendar(db, owner, url="/anna/new/", takes_calls=False)
    return server["/anna/new/"]


@pytest.fixture
def call(services: Services, book_one: Book) -> Call:
    """A call that stands in the old calendar."""
    booked = book_one(wish(TUESDAY))
    write(services)
    return booked


def write(services: Services) -> None:
    while run_job(services, kinds=("calendar",)):
        pass


def read(services: Services, clock: Clock) -> None:
    clock.advance(3 * MINUTE)
    while read_calendar(services):
        pass


def hand_over(services: Services, house: House, url: str = "/anna/new/", *, moves: bool = True) -> int:
    with services.database.writing() as db:
        row = db.scalars(select(Calendar).where(Calendar.url == url)).one()
        lock_owner(db, owner_id=row.owner_id)
        return calendars.let_take_calls(db, house, row, services.now(), moves=moves)


def busy(services: Services) -> list[int]:
    with services.database.reading() as db:
        return [len(row.busy) for row in db.scalars(select(Calendar).order_by(Calendar.id))]


def settle(services: Services, clock: Clock) -> None:
    """Let the worker do all that it can do within some hours."""
    for _ in range(12):
        clock.advance(HOUR / 2)
        write(services)
        read(services, clock)


@pytest.mark.usefixtures("call")
def test_the_event_moves_and_blocks_nothing_at_any_moment(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    read(services, clock)
    assert hand_over(services, house) == 1
    read(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (1, 0, [0, 0])
    assert run_job(services, kinds=("calendar",))
    read(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (1, 1, [0, 0])
    write(services)
    read(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (0, 1, [0, 0])
    assert hand_over(services, house) == 0


@pytest.mark.usefixtures("call")
def test_as_long_as_the_new_calendar_is_silent_the_event_stays_in_the_old_one(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    new.failing = Unreachable("later")
    settle(services, clock)
    assert len(old.objects) == 1
    new.failing = None
    settle(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (0, 1, [0, 0])


@pytest.mark.usefixtures("call")
def test_a_new_calendar_that_takes_nothing_does_not_cost_the_event(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    new.failing = Refused("never")
    settle(services, clock)
    assert (len(old.objects), len(new.objects)) == (1, 0)


@pytest.mark.parametrize("point", ["job.claimed", "calendar.noted", "calendar.written", "left.removed"])
@pytest.mark.usefixtures("call")
def test_a_crash_at_any_step_loses_nothing(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar, point: str
) -> None:
    hand_over(services, house)
    reached: list[str] = []

    def die(name: str) -> None:
        if name == point and not reached:
            reached.append(name)
            raise Crash

    dying = Services(**{**services.__dict__, "failpoint": die})
    with pytest.raises(Crash):
        write(dying)
    settle(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (0, 1, [0, 0])


def test_a_write_to_the_old_calendar_that_ends_after_the_change_is_not_taken_for_the_new_one(
    services: Services, house: House, clock: Clock, book_one: Book, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    book_one(wish(TUESDAY))

    def meanwhile(name: str) -> None:
        if name == "calendar.written" and not new.objects:
            hand_over(services, house)

    run_job(Services(**{**services.__dict__, "failpoint": meanwhile}), kinds=("calendar",))
    settle(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (0, 1, [0, 0])
    with services.database.reading() as db:
        assert db.scalars(select(PlacedEvent.href)).one() in new.objects


def test_a_call_that_is_cancelled_on_the_way_is_gone_from_both(
    services: Services, house: House, clock: Clock, call: Call, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    with services.database.writing() as db:
        cancel(db, call.id, Actor.OWNER, services.now(), house)
    settle(services, clock)
    assert (len(old.objects), len(new.objects)) == (0, 0)


def test_a_call_that_is_moved_on_the_way_stands_at_its_new_time_alone(
    services: Services, house: House, clock: Clock, call: Call, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    with services.database.writing() as db:
        move(db, call.id, TUESDAY + 2 * HOUR, Actor.OWNER, services.now(), house)
    settle(services, clock)
    (resource,) = new.objects.values()
    assert "DTSTART:20261124T103000Z" in resource.ics
    assert (len(old.objects), busy(services)) == (0, [0, 0])


@pytest.mark.usefixtures("call")
def test_back_and_forth_ends_where_it_was_said_last(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    for url in ("/anna/new/", "/anna/calls/", "/anna/new/", "/anna/calls/"):
        hand_over(services, house, url)
    settle(services, clock)
    assert (len(old.objects), len(new.objects), busy(services)) == (1, 0, [0, 0])


@pytest.mark.usefixtures("call")
def test_what_the_owner_made_of_the_old_event_blocks_until_it_is_removed(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    ((href, resource),) = old.objects.items()
    longer = resource.ics.replace("DTEND:20261124T090000Z", "DTEND:20261124T120000Z")
    old.put(href, longer, replaces=resource.etag)
    read(services, clock)
    assert busy(services) == [1, 0]
    settle(services, clock)
    assert (len(old.objects), busy(services)) == (0, [0, 0])


@pytest.mark.usefixtures("call")
def test_only_our_own_event_is_removed(
    services: Services, house: House, clock: Clock, old: MemoryCalendar, new: MemoryCalendar
) -> None:
    hand_over(services, house)
    ((href, resource),) = old.objects.items()
    old.put(href, event("theirs", TUESDAY, TUESDAY + HOUR), replaces=resource.etag)
    settle(services, clock)
    assert list(old.objects) == [href]


def test_a_call_that_stood_nowhere_comes_along(
    services: Services, house: House, clock: Clock, book_one: Book, new: MemoryCalendar
) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(takes_calls=False))
    book_one(wish(TUESDAY))
    assert hand_over(services, house) == 1
    settle(services, clock)
    assert len(new.objects) == 1


@pytest.mark.usefixtures("call", "new")
def test_without_moving_only_new_calls_go_there(services: Services, house: House, old: MemoryCalendar) -> None:
    assert hand_over(services, house, moves=False) == 0
    write(services)
    assert len(old.objects) == 1
    with services.database.reading() as db:
        rows = db.scalars(select(Calendar).order_by(Calendar.id)).all()
        assert [row.takes_calls for row in rows] == [False, True]
        assert takeover.count_elsewhere(db, rows[1], services.now()) == 1


@pytest.mark.usefixtures("call", "new")
def test_a_call_that_is_over_stays_where_it_is(services: Services, house: House, clock: Clock) -> None:
    clock.advance(timedelta(days=3))
    assert hand_over(services, house) == 0


@pytest.mark.usefixtures("call", "new", "old")
def test_what_has_left_is_forgotten_after_a_day(services: Services, house: House, clock: Clock) -> None:
    hand_over(services, house)
    settle(services, clock)
    clock.advance(timedelta(days=1))
    with services.database.writing() as db:
        assert db.scalars(select(LeftEvent)).all() != []
        forget(db, services.now())
        assert db.scalars(select(LeftEvent)).all() == []


@pytest.mark.usefixtures("call", "new")
def test_a_calendar_that_is_removed_meanwhile_leaves_no_job_behind(
    services: Services, house: House, clock: Clock
) -> None:
    hand_over(services, house)
    with services.database.writing() as db:
        calendars.remove_calendar(db, "anna", 1, services.now(), anyway=True)
    settle(services, clock)
    with services.database.reading() as db:
        jobs = db.scalars(select(Job).where(Job.kind == "calendar")).all()
    assert all(job.done_at is not None for job in jobs)
