"""Keeping busy time fresh: planned, asked, understood, saved."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from booking.calendars.port import CalendarGone, Unreachable
from booking.rules.lifecycle import Actor
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, CalendarResource, Owner, PlacedEvent
from booking.usecases import refresh
from booking.usecases.availability import load_offer
from booking.usecases.calls import cancel, move
from booking.usecases.notify import House
from booking.worker import run_job
from tests.builders import wish
from tests.fakes import MONDAY, Clock, MemoryCalendar, Server, event
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def calendar(server: Server) -> MemoryCalendar:
    return server["/anna/calls/"]


def planned(services: Services) -> refresh.Plan:
    with services.database.reading() as db:
        row = db.scalars(select(Calendar).options(joinedload(Calendar.owner))).one()
        return refresh.plan(db, row, services.now())


def understood(services: Services, made: refresh.Plan) -> refresh.Reading:
    return refresh.digest(made, services.ask(made, 1), services.now())


def saved(services: Services, reading: refresh.Reading) -> Calendar:
    with services.database.writing() as db:
        refresh.apply(db, reading, services.now())
        return db.scalars(select(Calendar)).one()


def read(services: Services, clock: Clock) -> Calendar:
    clock.advance(timedelta(minutes=2))
    return saved(services, understood(services, planned(services)))


def write(services: Services) -> None:
    """Let the worker write what waits for the calendar."""
    while run_job(services, kinds=("calendar",)):
        pass


def busy(calendar: Calendar) -> list[Period]:
    return calendar.busy.periods()


def test_an_event_blocks_from_the_next_reading_on_until_it_is_deleted(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    resource = calendar.store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    assert busy(read(services, clock)) == [Period(TUESDAY, TUESDAY + HOUR)]
    with services.database.reading() as db:
        assert load_offer(db, "anna", "call", services.now()).why_not(TUESDAY) == "busy"
    del calendar.objects[resource.href]
    assert busy(read(services, clock)) == []


def test_a_changed_event_blocks_where_it_stands_now(services: Services, clock: Clock, calendar: MemoryCalendar) -> None:
    calendar.store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    read(services, clock)
    calendar.store("dentist.ics", event("dentist", TUESDAY + HOUR, TUESDAY + 2 * HOUR))
    assert busy(read(services, clock)) == [Period(TUESDAY + HOUR, TUESDAY + 2 * HOUR)]


def test_only_what_has_changed_is_expanded(services: Services, clock: Clock, calendar: MemoryCalendar) -> None:
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + HOUR))
    calendar.store("two.ics", event("two", TUESDAY + 2 * HOUR, TUESDAY + 3 * HOUR))
    read(services, clock)
    calendar.store("two.ics", event("two", TUESDAY + 4 * HOUR, TUESDAY + 5 * HOUR))
    reading = understood(services, planned(services))
    assert [resource.href for resource, _ in reading.expanded] == ["/anna/calls/two.ics"]
    assert not reading.changes_nothing


def test_an_unchanged_calendar_changes_nothing_but_its_freshness(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + HOUR))
    read(services, clock)
    clock.advance(HOUR)
    reading = understood(services, planned(services))
    assert reading.changes_nothing
    assert saved(services, reading).read_at == clock.time


def test_a_calendar_not_read_for_15_minutes_is_unknown(services: Services, clock: Clock) -> None:
    clock.advance(timedelta(minutes=15))
    with services.database.reading() as db:
        assert load_offer(db, "anna", "call", services.now()).mode == "book"
    clock.advance(timedelta(seconds=1))
    with services.database.reading() as db:
        offer = load_offer(db, "anna", "call", services.now())
    assert offer.mode == "request"


def test_days_that_no_reading_covers_are_not_offered(services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(covered_until=TUESDAY + timedelta(days=3)))
    with services.database.reading() as db:
        offer = load_offer(db, "anna", "call", services.now())
    assert offer.mode == "book"
    assert max(offer.all_free()) < TUESDAY + timedelta(days=3)
    assert offer.why_not(TUESDAY + timedelta(days=7)) == "unknown_calendar"


def test_two_calendars_block_together_and_the_one_read_least_decides(
    services: Services, server: Server, clock: Clock
) -> None:
    with services.database.writing() as db:
        owner = db.scalars(select(Owner)).one()
        other = Timeline.of([Period(TUESDAY, TUESDAY + HOUR)])
        db.add(
            Calendar(
                owner_id=owner.id,
                kind="caldav",
                url="/other/",
                busy=other,
                read_at=MONDAY,
                covered_until=TUESDAY + timedelta(days=9),
            )
        )
    with services.database.reading() as db:
        offer = load_offer(db, "anna", "call", services.now())
    assert offer.why_not(TUESDAY) == "busy"
    assert offer.why_not(TUESDAY + timedelta(days=14)) == "unknown_calendar"


def test_a_moved_horizon_or_another_zone_expands_everything_again(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    all_day = event("off", TUESDAY, TUESDAY).replace("DTSTART:20261124T083000Z", "DTSTART;VALUE=DATE:20261124")
    calendar.store("off.ics", all_day.replace("DTEND:20261124T083000Z", "DTEND;VALUE=DATE:20261125"))
    assert busy(read(services, clock))[0].start == datetime(2026, 11, 23, 23, tzinfo=UTC)
    with services.database.writing() as db:
        db.execute(update(Owner).values(timezone="America/Vancouver"))
    assert busy(read(services, clock))[0].start == datetime(2026, 11, 24, 8, tzinfo=UTC)
    covered = read(services, clock).covered_until
    assert covered is not None
    clock.advance(timedelta(days=60))
    reached = read(services, clock).covered_until
    assert reached is not None
    assert reached > covered


def test_the_live_check_never_expands_everything_again(services: Services, clock: Clock) -> None:
    clock.advance(timedelta(days=90))
    with services.database.reading() as db:
        (made,) = refresh.plans_for_live_check(db, "anna", services.now())
    assert made.stored == ()
    assert made.covered_until == MONDAY + timedelta(days=100)


def test_our_own_event_does_not_block_while_it_stands_where_we_wrote_it(
    services: Services, clock: Clock, calendar: MemoryCalendar, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        placed = db.get_one(PlacedEvent, call.id)
        placed.starts_at, placed.ends_at = call.starts_at, call.ends_at
    calendar.store("ours.ics", event(f"{call.id}-1@calls.example.org", call.starts_at, call.ends_at))
    assert busy(read(services, clock)) == []
    calendar.store("ours.ics", event(f"{call.id}-1@calls.example.org", call.starts_at + HOUR, call.ends_at + HOUR))
    assert busy(read(services, clock)) == [Period(call.starts_at + HOUR, call.ends_at + HOUR)]


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_an_answer_asked_before_our_event_changed_and_saved_after_it_makes_no_old_time_busy(
    services: Services, clock: Clock, calendar: MemoryCalendar, book_one: Book, house: House, is_cancelled: bool
) -> None:
    call = book_one(wish(TUESDAY))
    write(services)
    read(services, clock)
    calendar.store("dentist.ics", event("dentist", TUESDAY + 50 * HOUR, TUESDAY + 51 * HOUR))
    clock.advance(HOUR / 60)
    late = understood(services, planned(services))
    clock.advance(HOUR / 60)
    with services.database.writing() as db:
        if is_cancelled:
            cancel(db, call.id, Actor.CLIENT, services.now(), house)
        else:
            move(db, call.id, TUESDAY + HOUR, Actor.CLIENT, services.now(), house)
    write(services)
    assert busy(saved(services, late)) == [Period(TUESDAY + 50 * HOUR, TUESDAY + 51 * HOUR)]
    assert busy(read(services, clock)) == [Period(TUESDAY + 50 * HOUR, TUESDAY + 51 * HOUR)]


def test_our_event_blocks_where_the_owner_moves_it_back_to_after_a_move_was_written(
    services: Services, clock: Clock, calendar: MemoryCalendar, book_one: Book, house: House
) -> None:
    call = book_one(wish(TUESDAY))
    write(services)
    with services.database.writing() as db:
        move(db, call.id, TUESDAY + HOUR, Actor.CLIENT, services.now(), house)
    write(services)
    (resource,) = calendar.objects.values()
    name = resource.href.removeprefix(calendar.path)
    calendar.store(name, event(f"{call.id}-1@calls.example.org", call.starts_at, call.ends_at))
    assert busy(read(services, clock)) == [Period(call.starts_at, call.ends_at)]


def test_an_answer_older_than_what_is_saved_is_dropped(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    clock.advance(HOUR)
    old = understood(services, planned(services))
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + HOUR))
    read(services, clock)
    assert busy(saved(services, old)) == [Period(TUESDAY, TUESDAY + HOUR)]


def test_an_answer_that_does_not_fit_what_was_saved_meanwhile_is_refused(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    calendar.store("one.ics", event("one", TUESDAY, TUESDAY + HOUR))
    read(services, clock)
    made = planned(services)
    calendar.store("one.ics", event("one", TUESDAY + HOUR, TUESDAY + 2 * HOUR))
    read(services, clock)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(refresh.Overtaken):
        saved(services, refresh.Reading(made, services.now(), made.known, []))


def test_a_calendar_that_was_removed_meanwhile_is_no_error(services: Services, clock: Clock) -> None:
    clock.advance(HOUR)
    made = planned(services)
    with services.database.writing() as db:
        db.delete(db.scalars(select(Calendar)).one())
    with services.database.writing() as db:
        refresh.apply(db, understood(services, made), services.now())
        refresh.note_failure(db, made, CalendarGone("gone"), services.now())


def test_a_failing_calendar_is_asked_again_ever_later_but_within_five_minutes(services: Services, clock: Clock) -> None:
    made = planned(services)
    waits = []
    for _ in range(8):
        with services.database.writing() as db:
            refresh.note_failure(db, made, CalendarGone("there is no calendar"), services.now())
            row = db.scalars(select(Calendar)).one()
            assert row.next_read_at is not None
            waits.append((row.next_read_at - services.now()).total_seconds())
    assert waits == [15, 30, 60, 120, 240, 300, 300, 300]
    assert (row.failures, row.last_error) == (8, "there is no calendar")
    assert planned(services).is_suspended


def test_a_wait_that_the_server_asks_for_is_kept(services: Services) -> None:
    with services.database.writing() as db:
        refresh.note_failure(db, planned(services), Unreachable("busy", timedelta(hours=1)), services.now())
        assert db.scalars(select(Calendar)).one().next_read_at == services.now() + HOUR


def test_a_due_calendar_is_claimed_by_one_worker(services: Services, clock: Clock) -> None:
    clock.advance(HOUR)
    with services.database.writing() as db:
        assert refresh.claim_due(db, services.now(), HOUR) is not None
    with services.database.writing() as db:
        assert refresh.claim_due(db, services.now(), HOUR) is None
    clock.advance(HOUR)
    with services.database.writing() as db:
        assert refresh.claim_due(db, services.now(), HOUR) is not None


def test_what_can_t_be_understood_is_kept_with_its_problem_and_blocks(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    calendar.store("broken.ics", "BEGIN:VCALENDAR\r\nnothing of use\r\n")
    assert read(services, clock).busy.is_free(int(TUESDAY.timestamp()), int(TUESDAY.timestamp()) + 60) is False
    with services.database.reading() as db:
        assert db.scalars(select(CalendarResource)).one().problem


def test_a_reading_of_a_calendar_with_other_settings_merges_anew(
    services: Services, clock: Clock, calendar: MemoryCalendar
) -> None:
    reading = replace(understood(services, planned(services)), asked_at=MONDAY + HOUR)
    other = replace(reading, plan=replace(reading.plan, expanded_with="Europe/Paris"))
    assert saved(services, other).expanded_with == "Europe/Paris"
