"""Calls that the owner places by hand: what has to be waived, and what can't be."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from booking.errors import KeyReused, NotOffered, NotWaived, Taken
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.lifecycle import Actor
from booking.rules.period import Timeline
from booking.rules.slots import Reason
from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import Calendar, Call, CallType, HeldPeriod, Job, Owner
from booking.usecases.availability import load_offer
from booking.usecases.by_hand import ByHand, enter, objections
from booking.usecases.calls import cancel, move
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, book
from tests.builders import HOURS, wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
"""9:30 in Berlin."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
EVENING = TUESDAY + 10 * HOUR
EVERYTHING = ByHand(waived=frozenset(Reason))


def entered(services: Services, house: House, wished: Wish, by_hand: ByHand = EVERYTHING) -> Call:
    with services.database.writing() as db:
        return enter(db, house, "anna", "call", wished, services.now(), by_hand)


def against(services: Services, start: datetime) -> tuple[Reason, ...]:
    with services.database.reading() as db:
        return objections(load_offer(db, "anna", "call", services.now()), start)


def shifted(services: Services, house: House, call: Call, start: datetime, by_hand: ByHand) -> Call:
    with services.database.writing() as db:
        return move(db, call.id, start, Actor.OWNER, services.now(), house, reason="Why not", by_hand=by_hand)


def test_a_time_that_is_offered_needs_no_word(services: Services, house: House) -> None:
    call = entered(services, house, wish(TUESDAY), ByHand())
    assert (call.state, call.changes[0].actor, call.changes[0].step) == ("confirmed", "owner", "book")


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (EVENING, Reason.OUTSIDE_HOURS),
        (datetime(2026, 11, 23, 8, 30, tzinfo=UTC), Reason.TOO_SOON),
        (datetime(2027, 6, 1, 8, 0, tzinfo=UTC), Reason.TOO_FAR),
        (datetime(2026, 11, 26, 9, 0, tzinfo=UTC), Reason.ABSENCE),
        (TUESDAY + HOUR, Reason.BUSY),
        (TUESDAY + 25 * MINUTE, Reason.BUFFER),
    ],
)
def test_each_reason_is_asked_about_alone_and_enough_to_be_waived(
    services: Services, house: House, start: datetime, reason: Reason
) -> None:
    away = Timetable(weekly=parse_weekly(HOURS), absences=(Absence(date(2026, 11, 26), date(2026, 11, 26)),))
    busy = Timeline.of_spans([(int((TUESDAY + HOUR).timestamp()), int((TUESDAY + 2 * HOUR).timestamp()))])
    with services.database.writing() as db:
        db.execute(update(Owner).values(timetable=away))
        db.execute(update(Calendar).values(busy=busy))
    assert against(services, start) == (reason,)
    with pytest.raises(NotWaived) as refused:
        entered(services, house, wish(start), ByHand(frozenset(Reason) - {reason}))
    assert refused.value.reasons == (reason,)
    assert entered(services, house, wish(start), ByHand({reason})).starts_at == start


def test_full_days_and_weeks_are_asked_about(services: Services, house: House, book_one: Book) -> None:
    book_one(wish(TUESDAY))
    with services.database.writing() as db:
        db.execute(update(CallType).values(max_per_day=1, max_per_week=1))
    assert against(services, TUESDAY + 2 * HOUR) == (Reason.DAY_FULL, Reason.WEEK_FULL)


def test_a_calendar_that_is_not_known_is_asked_about(services: Services, house: House, clock: Clock) -> None:
    with pytest.raises(NotWaived) as refused:
        entered(services, house, wish(TUESDAY), ByHand(in_doubt=True))
    assert refused.value.reasons == (Reason.UNKNOWN_CALENDAR,)
    clock.advance(HOUR)
    assert against(services, TUESDAY) == (Reason.UNKNOWN_CALENDAR,)
    assert entered(services, house, wish(TUESDAY)).state == "confirmed"


@pytest.mark.parametrize("minutes", [-30, -29, 0, 39, 40])
def test_next_to_another_call_s_buffers_it_fits_and_in_them_it_does_not(
    services: Services, house: House, book_one: Book, minutes: int
) -> None:
    """Kim's call holds 9:30 to 10:10, ten minutes of buffer with it."""
    kim = book_one(wish(TUESDAY))
    wished = wish(TUESDAY + minutes * MINUTE, email="", phone="+491709999999", request_key="2")
    if minutes in (-30, 40):
        assert entered(services, house, wished).starts_at == wished.start
        return
    with pytest.raises(Taken) as refused:
        entered(services, house, wished)
    assert refused.value.call_id == kim.id


def test_far_beyond_the_horizon_no_call_stands_on_another_one(services: Services, house: House) -> None:
    far = datetime(2027, 9, 1, 8, 0, tzinfo=UTC)
    first = entered(services, house, wish(far))
    with pytest.raises(Taken) as refused:
        entered(services, house, wish(far + 10 * MINUTE, request_key="2"))
    assert refused.value.call_id == first.id


def test_calls_by_hand_stand_side_by_side_without_buffers(services: Services, house: House) -> None:
    for number in range(3):
        entered(services, house, wish(TUESDAY + number * 30 * MINUTE, request_key=str(number)))
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod).order_by(HeldPeriod.starts_at)).all()
    assert [(one.starts_at, one.ends_at - one.starts_at) for one in held] == [
        (TUESDAY + number * 30 * MINUTE, 30 * MINUTE) for number in range(3)
    ]


def test_the_length_is_the_owner_s_choice(services: Services, house: House) -> None:
    call = entered(services, house, wish(TUESDAY, minutes=47))
    assert call.ends_at - call.starts_at == 47 * MINUTE
    later = shifted(services, house, call, TUESDAY + 24 * HOUR, ByHand())
    assert later.ends_at - later.starts_at == 47 * MINUTE


def test_the_same_form_again_is_the_same_call_and_another_one_is_refused(services: Services, house: House) -> None:
    first = entered(services, house, wish(TUESDAY))
    assert entered(services, house, wish(TUESDAY)).id == first.id
    with pytest.raises(KeyReused):
        entered(services, house, wish(TUESDAY + 2 * HOUR))


def test_no_cap_on_persons_or_first_mails_holds_the_owner_back(services: Services, house: House) -> None:
    for number in range(7):
        entered(services, house, wish(TUESDAY + number * HOUR, request_key=str(number)))
    with services.database.reading() as db:
        told = db.scalars(select(Job).where(Job.kind == "mail", Job.not_after.is_(None))).all()
    assert [job.payload["to"] for job in told] == ["client"] * 7
    assert {job.first_mail_to for job in told} == {""}


def test_of_a_booking_and_a_call_by_hand_at_one_moment_one_wins(services: Services, house: House) -> None:
    """Ten times, by hand and by a client at once: never both, never none."""
    starts = [TUESDAY + timedelta(days=day, hours=hour) for day in (0, 1, 7, 8, 9) for hour in (0, 4)]
    gate = Barrier(2)

    def by_client(start: datetime) -> str:
        gate.wait(timeout=30)
        wished = wish(start, request_key=f"c-{start}", email=f"c{start:%d%H}@example.com", phone="")
        try:
            with services.database.writing() as db:
                return book(db, house, "anna", "call", wished, services.now()).id
        except NotOffered:
            return ""

    def by_owner(start: datetime) -> str:
        gate.wait(timeout=30)
        try:
            return entered(services, house, wish(start + 15 * MINUTE, request_key=f"o-{start}", email="")).id
        except Taken:
            return ""

    with ThreadPoolExecutor(2) as both:
        for start in starts:
            answers = [both.submit(by_client, start), both.submit(by_owner, start)]
            assert sum(bool(answer.result(timeout=60)) for answer in answers) == 1
    with services.database.reading() as db:
        assert len(db.scalars(select(Call)).all()) == len(starts)


# Moving and cancelling by the owner


def test_a_move_by_hand_asks_as_entering_does_and_never_lands_on_another_call(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    other = book_one(wish(TUESDAY + 2 * HOUR, request_key="2", email="lou@example.com", phone=""))
    with pytest.raises(NotWaived):
        shifted(services, house, call, EVENING, ByHand())
    with pytest.raises(Taken) as refused:
        shifted(services, house, call, TUESDAY + 2 * HOUR + 15 * MINUTE, EVERYTHING)
    assert refused.value.call_id == other.id
    assert shifted(services, house, call, EVENING, EVERYTHING).starts_at == EVENING


def test_a_call_moved_by_hand_has_buffers_only_where_it_is_offered(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    shifted(services, house, call, TUESDAY + HOUR, ByHand())
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod)).one()
    assert held.ends_at - held.starts_at == 40 * MINUTE
    shifted(services, house, call, EVENING, EVERYTHING)
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod)).one()
    assert held.ends_at - held.starts_at == 30 * MINUTE


def test_the_reason_and_the_old_time_are_kept_and_told_to_the_client_alone(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    change = shifted(services, house, call, TUESDAY + HOUR, ByHand()).changes[-1]
    assert (change.actor, change.reason, change.from_starts_at) == ("owner", "Why not", TUESDAY)
    with services.database.reading() as db:
        moved = [job.payload for job in db.scalars(select(Job)) if job.payload.get("message") == "moved"]
    assert [(mail["to"], mail["reason"]) for mail in moved] == [("client", "Why not")]


def test_what_waited_for_the_morning_is_not_told_to_an_owner_who_has_changed_the_call(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    clock.time = TUESDAY - 13 * HOUR
    call = book_one(wish(TUESDAY + 4 * HOUR))
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=services.now()))
    shifted(services, house, call, TUESDAY + 5 * HOUR, ByHand())
    with services.database.reading() as db:
        (waiting,) = [job for job in db.scalars(select(Job)) if job.payload.get("to") == "owner"]
    assert waiting.done_at == clock.time


def test_who_gave_no_address_is_told_by_phone_the_last_change_only(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY, email=""))
    shifted(services, house, call, TUESDAY + HOUR, ByHand())
    with services.database.writing() as db:
        cancel(db, call.id, Actor.OWNER, services.now(), house)
    with services.database.reading() as db:
        tasks = [(task.message, task.done_at is None) for task in db.scalars(select(PhoneTask).order_by(PhoneTask.id))]
    assert tasks == [("moved", False), ("cancelled", True)]


def test_a_client_who_cancels_meanwhile_needs_no_call(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY, email=""))
    shifted(services, house, call, TUESDAY + HOUR, ByHand())
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.reading() as db:
        assert db.scalars(select(PhoneTask).where(PhoneTask.done_at.is_(None))).all() == []
