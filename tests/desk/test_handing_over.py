"""Another calendar takes over the calls; a calendar is removed."""

from datetime import timedelta

from sqlalchemy import select

from booking.services import Services
from booking.store.models import Calendar, PlacedEvent
from booking.usecases.day import day_window, events_between
from booking.worker import read_calendar, run_job
from tests.desk.deskwork import Desk
from tests.desk.test_calendars import LIST, MINE, NoWriting, add_second, calendar, work
from tests.fakes import Clock, Server
from tests.web.visitors import TUESDAY


def booked(desk: Desk, services: Services) -> str:
    """Book a call and have it written; return where it stands."""
    assert desk.book(TUESDAY).status_code == 201
    work(services)
    with services.database.reading() as db:
        return db.scalars(select(PlacedEvent.href)).one()


def test_another_calendar_takes_over_the_calls_that_are_ahead(
    desk: Desk, services: Services, server: Server, clock: Clock
) -> None:
    href = booked(desk, services)
    number = add_second(services)
    path = f"/desk/calendars/{number}/take-calls"
    assert "1 call moves there" in desk.read(path)
    assert desk.send(path).status_code == 303
    assert "1 call is being moved there." in desk.read(LIST)
    assert "1 call is still being moved out of it." in desk.read(LIST)
    run_job(services, kinds=("calendar",))
    clock.advance(timedelta(minutes=3))
    while read_calendar(services):
        pass
    assert (len(server["/anna/calls/"].objects), len(server["/anna/new/"].objects)) == (1, 1)
    with services.database.reading() as db:
        owner = db.get_one(Calendar, 1).owner
        assert events_between(db, owner, day_window(owner, TUESDAY.date())) == []
    assert (calendar(services, 1).takes_calls, calendar(services, number).takes_calls) == (False, True)
    clock.advance(timedelta(minutes=5))
    work(services)
    assert href not in server["/anna/calls/"].objects
    assert len(server["/anna/new/"].objects) == 1
    assert "still being moved" not in desk.read(LIST)
    assert (len(calendar(services, 1).busy), len(calendar(services, number).busy)) == (0, 0)


def test_calls_may_stay_where_they_are(desk: Desk, services: Services, server: Server) -> None:
    href = booked(desk, services)
    number = add_second(services)
    assert desk.send(f"/desk/calendars/{number}/take-calls", moves="no").status_code == 303
    work(services)
    assert href in server["/anna/calls/"].objects
    assert server["/anna/new/"].objects == {}


def test_a_calendar_that_can_not_be_written_does_not_take_the_calls(
    desk: Desk, services: Services, server: Server
) -> None:
    number = add_second(services)
    server.calendars["/anna/new/"] = NoWriting("/anna/new/")
    answer = desk.send(f"/desk/calendars/{number}/take-calls")
    assert answer.status_code == 422
    assert "nothing can be written there" in answer.text
    assert calendar(services, 1).takes_calls


def test_a_calendar_in_which_calls_stand_is_removed_only_when_that_is_meant(desk: Desk, services: Services) -> None:
    booked(desk, services)
    add_second(services)
    path = f"{MINE}/remove"
    assert "1 planned call stands in it." in desk.read(path)
    assert desk.send(path).status_code == 422
    assert calendar(services).id == 1
    assert desk.send(path, anyway="yes").status_code == 303
    with services.database.reading() as db:
        assert db.get(Calendar, 1) is None


def test_an_empty_calendar_is_removed_at_once(desk: Desk, services: Services) -> None:
    assert desk.send(f"{MINE}/remove").status_code == 303
    with services.database.reading() as db:
        assert db.get(Calendar, 1) is None
    assert TUESDAY in desk.slots()
