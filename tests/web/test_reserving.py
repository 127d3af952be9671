"""Booking as the page and the API do it: the calendars are looked at first, outside any transaction."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.calendars.port import Unreachable
from booking.errors import NotOffered
from booking.rules.lifecycle import Actor, State
from booking.services import Services
from booking.store.models import Calendar, CalendarResource, Call, HeldPeriod, Owner
from booking.usecases.availability import load_offer
from booking.web.reserving import CalendarsSilent, move, origin_of, reserve
from booking.worker import read_calendar
from tests.builders import add_calendar, add_call_type, add_owner, wish
from tests.fakes import MONDAY, Clock, MemoryCalendar, Server, event

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def calendar(services: Services, server: Server) -> MemoryCalendar:
    with services.database.writing() as db:
        owner = add_owner(db)
        add_call_type(db, owner)
        add_calendar(db, owner)
    return server["/anna/calls/"]


def calls(services: Services) -> list[Call]:
    with services.database.reading() as db:
        return list(db.scalars(select(Call)))


def test_an_event_that_the_page_could_not_know_yet_is_seen_on_booking(
    services: Services, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    clock.advance(timedelta(minutes=1))
    with pytest.raises(NotOffered) as refused:
        reserve(services, "anna", "call", wish(TUESDAY))
    assert refused.value.reason == "busy"
    with services.database.reading() as db:
        assert load_offer(db, "anna", "call", services.now()).why_not(TUESDAY) == "busy"
    assert calls(services) == []


def test_while_a_calendar_does_not_answer_a_call_is_only_requested(
    services: Services, calendar: MemoryCalendar
) -> None:
    calendar.failing = Unreachable("connection refused")
    assert reserve(services, "anna", "call", wish(TUESDAY)).state is State.REQUESTED


def test_what_is_known_to_be_busy_can_t_even_be_requested(
    services: Services, calendar: MemoryCalendar, clock: Clock
) -> None:
    calendar.store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    clock.advance(timedelta(minutes=1))
    read_calendar(services)
    calendar.failing = Unreachable("connection refused")
    with pytest.raises(NotOffered):
        reserve(services, "anna", "call", wish(TUESDAY))
    assert calls(services) == []


def test_a_request_that_is_sent_again_finds_its_call_even_while_the_calendar_is_silent(
    services: Services, calendar: MemoryCalendar
) -> None:
    call = reserve(services, "anna", "call", wish(TUESDAY))
    calendar.failing = Unreachable("connection refused")
    assert reserve(services, "anna", "call", wish(TUESDAY)).id == call.id


def test_a_calendar_that_failed_a_moment_ago_is_not_asked_again(services: Services, calendar: MemoryCalendar) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(failures=1, next_read_at=MONDAY + HOUR))
    assert reserve(services, "anna", "call", wish(TUESDAY)).state is State.REQUESTED
    assert calendar.asked == 0


def test_an_unchanged_calendar_books_without_being_saved_again(services: Services, calendar: MemoryCalendar) -> None:
    assert reserve(services, "anna", "call", wish(TUESDAY)).state == State.CONFIRMED
    assert calendar.asked == 1
    with services.database.reading() as db:
        assert db.scalars(select(Calendar)).one().read_at == MONDAY


def test_a_calendar_that_no_worker_read_for_long_is_fresh_again_by_the_look_at_it(
    services: Services, calendar: MemoryCalendar, clock: Clock
) -> None:
    clock.advance(timedelta(minutes=20))
    assert reserve(services, "anna", "call", wish(TUESDAY)).state == State.CONFIRMED


def test_with_an_answer_that_another_reading_overtook_a_call_is_only_requested(
    services: Services, calendar: MemoryCalendar, clock: Clock
) -> None:
    """While the answer is on its way, the worker saves another state, so that the two do not fit together."""
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + HOUR))
    clock.advance(timedelta(minutes=1))
    read_calendar(services)
    clock.advance(timedelta(minutes=10))

    def answer_late(**where: object) -> MemoryCalendar:
        with services.database.writing() as db:
            db.execute(update(CalendarResource).values(etag='"of somebody else"'))
        return calendar

    call = reserve(replace(services, open_calendar=answer_late), "anna", "call", wish(TUESDAY + 4 * HOUR))
    assert call.state is State.REQUESTED


def test_the_wall_in_the_database_refuses_what_the_rules_let_through(
    services: Services, calendar: MemoryCalendar
) -> None:
    """A held period that no call explains: the slot rules see it too, so it is put where only the wall looks."""
    other = reserve(services, "anna", "call", wish(TUESDAY))
    with services.database.writing() as db:
        owner = db.scalars(select(Owner)).one()
        held = {"starts_at": MONDAY - timedelta(days=30), "ends_at": MONDAY + timedelta(days=30)}
        db.execute(update(HeldPeriod).where(HeldPeriod.owner_id == owner.id).values(**held))
    with pytest.raises(NotOffered) as refused:
        reserve(services, "anna", "call", wish(TUESDAY + 4 * HOUR, request_key="other"))
    assert refused.value.reason == "busy"
    assert [call.id for call in calls(services)] == [other.id]


def test_a_call_is_moved_after_a_look_at_the_calendars(
    services: Services, calendar: MemoryCalendar, clock: Clock
) -> None:
    call = reserve(services, "anna", "call", wish(TUESDAY))
    calendar.store("dentist.ics", event("dentist", TUESDAY + HOUR, TUESDAY + 2 * HOUR))
    clock.advance(timedelta(minutes=1))
    with pytest.raises(NotOffered):
        move(services, call, TUESDAY + HOUR, Actor.CLIENT)
    assert move(services, call, TUESDAY + 5 * HOUR, Actor.CLIENT).starts_at == TUESDAY + 5 * HOUR


def test_while_a_calendar_does_not_answer_a_call_stays_where_it_is(
    services: Services, calendar: MemoryCalendar
) -> None:
    call = reserve(services, "anna", "call", wish(TUESDAY))
    calendar.failing = Unreachable("connection refused")
    with pytest.raises(CalendarsSilent):
        move(services, call, TUESDAY + HOUR, Actor.CLIENT)
    assert calls(services)[0].starts_at == TUESDAY


def test_networks_are_told_apart_by_32_or_64_bits_and_nothing_of_them_is_kept(services: Services) -> None:
    assert origin_of(services, "2001:db8:1:2::1") == origin_of(services, "2001:db8:1:2:ffff::9")
    assert origin_of(services, "2001:db8:1:2::1") != origin_of(services, "2001:db8:1:3::1")
    assert origin_of(services, "192.0.2.1") != origin_of(services, "192.0.2.2")
    assert "192.0.2.1" not in origin_of(services, "192.0.2.1")
    assert origin_of(services, None) == ""
