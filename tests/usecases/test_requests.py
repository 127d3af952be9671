"""Requests that wait for a silent calendar: the clock answers them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import CapReached, IllegalStep
from booking.rules.lifecycle import Actor, State
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, Call, CallChange, HeldPeriod, Job, PlacedEvent
from booking.usecases.availability import load_offer
from booking.usecases.calls import cancel, correct, move
from booking.usecases.notify import House
from booking.usecases.requests import decide, decline
from booking.usecases.reserve import book
from tests.builders import wish
from tests.fakes import Clock

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def call(services: Services, house: House) -> Call:
    """A call that was requested while the calendar was silent."""
    with services.database.writing() as db:
        return book(db, house, "anna", "call", wish(TUESDAY), services.now(), in_doubt=True)


def messages(services: Services) -> list[str]:
    with services.database.reading() as db:
        jobs = db.scalars(select(Job).where(Job.kind == "mail", Job.not_after.is_(None)).order_by(Job.number)).all()
    return [f"{job.payload['message']} {job.payload['to']}" for job in jobs]


def read(services: Services, *busy: Period) -> None:
    """Have the calendar answer, as a reading would."""
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=services.now(), busy=Timeline.of(busy)))


def decided(services: Services, house: House, call: Call) -> tuple[bool, State]:
    with services.database.writing() as db:
        is_over = decide(db, house, call.id, services.now())
        return is_over, db.get_one(Call, call.id).state


def test_a_call_booked_in_doubt_is_requested_held_and_promised_an_answer(services: Services, call: Call) -> None:
    assert call.state is State.REQUESTED
    assert call.answer_by == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert messages(services) == ["requested client"]
    with services.database.reading() as db:
        assert db.scalars(select(HeldPeriod)).one().call_id == call.id
        assert db.scalars(select(PlacedEvent)).all() == []
        assert load_offer(db, "anna", "call", services.now()).why_not(TUESDAY) == "busy"


def test_while_the_calendar_is_silent_times_are_shown_as_far_as_known(services: Services, clock: Clock) -> None:
    read(services, Period(TUESDAY, TUESDAY + HOUR))
    clock.advance(HOUR)
    with services.database.reading() as db:
        offer = load_offer(db, "anna", "call", services.now())
    assert offer.mode == "request"
    assert offer.why_not(TUESDAY) == "busy"
    assert offer.why_not(TUESDAY + 2 * HOUR) is None


def test_a_call_booked_while_the_calendar_is_silent_is_only_requested(
    services: Services, house: House, clock: Clock
) -> None:
    clock.advance(HOUR)
    with services.database.writing() as db:
        assert book(db, house, "anna", "call", wish(TUESDAY), services.now()).state is State.REQUESTED


def test_a_request_waits_until_the_calendar_was_read_after_it(
    services: Services, house: House, call: Call, clock: Clock
) -> None:
    clock.advance(timedelta(minutes=1))
    assert decided(services, house, call) == (False, State.REQUESTED)


def test_a_request_is_confirmed_once_the_calendar_answers_and_the_time_is_free(
    services: Services, house: House, call: Call, clock: Clock
) -> None:
    clock.advance(timedelta(minutes=1))
    read(services)
    assert decided(services, house, call) == (True, State.CONFIRMED)
    assert messages(services) == ["requested client", "confirmed client", "booked owner"]
    with services.database.reading() as db:
        assert db.scalars(select(PlacedEvent)).one().call_id == call.id
        assert [c.actor for c in db.scalars(select(CallChange).order_by(CallChange.id))] == ["client", "clock"]


def test_a_request_in_time_is_confirmed_though_the_notice_has_run_out_by_waiting(
    services: Services, house: House, clock: Clock
) -> None:
    clock.time = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=services.now()))
        requested = book(db, house, "anna", "call", wish(TUESDAY + HOUR / 2), services.now(), in_doubt=True)
    clock.advance(timedelta(minutes=50))
    read(services)
    assert decided(services, house, requested) == (True, State.CONFIRMED)


def test_a_request_is_declined_with_the_nearest_free_times_where_the_time_is_not_free(
    services: Services, house: House, call: Call, clock: Clock
) -> None:
    clock.advance(timedelta(minutes=1))
    read(services, Period(TUESDAY, TUESDAY + HOUR))
    assert decided(services, house, call) == (True, State.DECLINED)
    assert messages(services) == ["requested client", "declined client"]
    with services.database.reading() as db:
        assert db.scalars(select(HeldPeriod)).all() == []
        declined = db.scalars(select(Job).where(Job.kind == "mail").order_by(Job.number.desc())).first()
    assert declined is not None
    assert declined.payload["alternatives"] == [
        "2026-11-24T09:30:00+00:00",
        "2026-11-24T09:45:00+00:00",
        "2026-11-24T10:00:00+00:00",
    ]


def test_a_request_is_declined_by_the_time_promised_though_the_calendar_is_still_silent(
    services: Services, house: House, call: Call, clock: Clock
) -> None:
    assert call.answer_by is not None
    clock.time = call.answer_by - timedelta(seconds=61)
    assert decided(services, house, call) == (False, State.REQUESTED)
    clock.time = call.answer_by - timedelta(seconds=60)
    assert decided(services, house, call) == (True, State.DECLINED)


def test_every_calendar_must_have_answered(services: Services, house: House, call: Call, clock: Clock) -> None:
    with services.database.writing() as db:
        owner_id = db.scalars(select(Calendar.owner_id)).one()
        db.add(Calendar(owner_id=owner_id, kind="caldav", url="/second/", read_at=None))
    clock.advance(timedelta(minutes=1))
    with services.database.writing() as db:
        db.execute(update(Calendar).where(Calendar.url != "/second/").values(read_at=services.now()))
    assert decided(services, house, call) == (False, State.REQUESTED)


def test_a_request_that_is_answered_already_is_left_alone(
    services: Services, house: House, call: Call, clock: Clock
) -> None:
    clock.advance(timedelta(minutes=1))
    read(services)
    decided(services, house, call)
    before = messages(services)
    assert decided(services, house, call) == (True, State.CONFIRMED)
    assert messages(services) == before


def test_a_client_can_withdraw_a_request_and_its_time_is_free_at_once(
    services: Services, house: House, call: Call
) -> None:
    with services.database.writing() as db:
        assert cancel(db, call.id, Actor.CLIENT, services.now(), house).state is State.WITHDRAWN
    with services.database.reading() as db:
        assert db.scalars(select(HeldPeriod)).all() == []
    assert messages(services) == ["requested client"]
    assert decided(services, house, call) == (True, State.WITHDRAWN)


def test_the_owner_declines_a_request_and_the_client_is_told(services: Services, house: House, call: Call) -> None:
    with services.database.writing() as db, pytest.raises(IllegalStep):
        cancel(db, call.id, Actor.OWNER, services.now(), house)
    with services.database.writing() as db:
        assert decline(db, house, call.id, Actor.OWNER, services.now()).state is State.DECLINED
    assert messages(services) == ["requested client", "declined client"]
    with services.database.writing() as db, pytest.raises(IllegalStep):
        decline(db, house, call.id, Actor.OWNER, services.now())


def test_one_person_has_two_open_requests_at_most_and_calls_besides(
    services: Services, house: House, call: Call
) -> None:
    def request(hours: int, *, in_doubt: bool = True) -> State:
        wished = wish(TUESDAY + hours * HOUR, request_key=str(hours), email=f"{hours}@example.com")
        with services.database.writing() as db:
            return book(db, house, "anna", "call", wished, services.now(), in_doubt=in_doubt).state

    assert request(1) is State.REQUESTED
    with pytest.raises(CapReached):
        request(2)
    assert request(2, in_doubt=False) is State.CONFIRMED


def test_a_corrected_request_stays_a_request_and_says_so_again(services: Services, house: House, call: Call) -> None:
    with services.database.writing() as db:
        corrected = correct(
            db, call.id, phone="+491709999999", email=call.email, actor=Actor.CLIENT, now=services.now(), house=house
        )
    assert corrected.state is State.REQUESTED
    assert messages(services) == ["requested client"] * 2


def test_a_request_can_t_be_moved(services: Services, house: House, call: Call) -> None:
    with services.database.writing() as db, pytest.raises(IllegalStep):
        move(db, call.id, TUESDAY + HOUR, Actor.CLIENT, services.now(), house)
