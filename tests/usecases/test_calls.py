"""What happens to a call once it is booked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import CapReached, IllegalStep, NotFound
from booking.rules.lifecycle import Actor, State
from booking.services import Services
from booking.signing import Link
from booking.store.models import Calendar, Call, CallChange, HeldPeriod, Job
from booking.usecases.availability import load_offer
from booking.usecases.calls import cancel, correct, find_call, load_call, prove_address
from booking.usecases.notify import House
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def jobs(services: Services) -> list[tuple[str, str | None, str | None]]:
    with services.database.reading() as db:
        rows = db.scalars(select(Job).where(Job.not_after.is_(None)).order_by(Job.number)).all()
    return [(job.kind, job.payload.get("to"), job.payload.get("message")) for job in rows]


def test_a_cancelled_call_frees_its_time_at_once_and_tells_both_sides(
    services: Services, house: House, book_one: Book
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        cancelled = cancel(db, call.id, Actor.CLIENT, services.now(), house)
    assert (cancelled.state, cancelled.sequence) == (State.CANCELLED, 1)
    assert jobs(services)[3:] == [
        ("calendar", None, None),
        ("mail", "client", "cancelled"),
        ("mail", "owner", "cancelled"),
    ]
    with services.database.reading() as db:
        assert db.scalars(select(HeldPeriod)).all() == []
        assert load_offer(db, "anna", "call", services.now()).why_not(TUESDAY) is None


def test_a_call_that_stands_in_no_calendar_is_cancelled_by_mails_alone(
    services: Services, house: House, book_one: Book
) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(takes_calls=False))
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    assert {kind for kind, _, _ in jobs(services)} == {"mail"}


def test_a_call_is_cancelled_once(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    before = jobs(services)
    with services.database.writing() as db, pytest.raises(IllegalStep):
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    assert jobs(services) == before


def test_a_call_that_has_begun_can_t_be_cancelled_or_corrected(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = book_one(wish(TUESDAY))
    clock.time = TUESDAY
    with services.database.writing() as db, pytest.raises(IllegalStep):
        cancel(db, call.id, Actor.CLIENT, services.now(), house)
    with services.database.writing() as db, pytest.raises(IllegalStep):
        correct(db, call.id, phone="", email="k@example.com", actor=Actor.CLIENT, now=services.now(), house=house)


def test_every_change_keeps_who_did_it_and_when(services: Services, house: House, book_one: Book, clock: Clock) -> None:
    call = book_one(wish(TUESDAY))
    booked_at = clock.time
    clock.advance(timedelta(minutes=5))
    with services.database.writing() as db:
        cancel(db, call.id, Actor.OWNER, services.now(), house)
    with services.database.reading() as db:
        history = [(c.at, c.actor, c.step, c.state) for c in db.scalars(select(CallChange).order_by(CallChange.id))]
    assert history == [
        (booked_at, "client", "book", "confirmed"),
        (clock.time, "owner", "cancel", "cancelled"),
    ]


def change(services: Services, house: House, call: Call, **what: str) -> Call:
    phone, email = what.get("phone", call.phone), what.get("email", call.email)
    with services.database.writing() as db:
        return correct(db, call.id, phone=phone, email=email, actor=Actor.CLIENT, now=services.now(), house=house)


def test_a_corrected_number_is_told_to_both_sides(services: Services, house: House, book_one: Book) -> None:
    call = change(services, house, book_one(wish(TUESDAY)), phone="+491709999999")
    assert (call.phone, call.sequence, call.link_version) == ("+491709999999", 1, 1)
    assert jobs(services)[3:] == [("mail", "client", "corrected"), ("mail", "owner", "corrected")]


def test_a_correction_that_changes_nothing_tells_nobody(services: Services, house: House, book_one: Book) -> None:
    call = change(services, house, book_one(wish(TUESDAY)))
    assert call.sequence == 0
    assert len(jobs(services)) == 3


def test_another_address_ends_the_links_that_the_old_one_got(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        prove_address(db, call.id, call.link_version, services.now())
    call = change(services, house, call, email="other@example.com")
    assert call.address_proved_at is None
    with services.database.reading() as db:
        assert find_call(db, Link(call.id, 2, "link.page")).email == "other@example.com"
        with pytest.raises(NotFound):
            find_call(db, Link(call.id, 1, "link.page"))


def test_a_link_that_was_mailed_to_the_old_address_proves_nothing_of_the_new_one(
    services: Services, house: House, book_one: Book
) -> None:
    """Two corrections sent at once: the second was let in before the first changed the address."""
    call = change(services, house, book_one(wish(TUESDAY)), email="victim@example.com")
    with services.database.writing() as db:
        prove_address(db, call.id, 1, services.now())
    with services.database.reading() as db:
        assert db.get_one(Call, call.id).address_proved_at is None


def test_corrections_can_t_bomb_an_address_with_mails(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    for number in range(2):
        call = change(services, house, call, phone=f"+49170123456{number}")
    with pytest.raises(CapReached) as refused:
        change(services, house, call, phone="+491701234599")
    assert refused.value.cap == "address"


def test_a_call_is_changed_twenty_times_at_most(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        prove_address(db, call.id, call.link_version, services.now())
    for number in range(20):
        call = change(services, house, call, phone=f"+4917012345{number:02}")
    with pytest.raises(CapReached) as refused:
        change(services, house, call, phone="+491701234599")
    assert refused.value.cap == "changes"


def test_missing_forged_and_revoked_links_look_the_same(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.reading() as db:
        for link in (None, Link("unknown", 1, "link.page"), Link(call.id, 2, "link.page")):
            with pytest.raises(NotFound):
                find_call(db, link)


def test_of_two_changes_sent_at_once_through_one_link_the_one_that_comes_after_its_end_does_nothing(
    services: Services, house: House, book_one: Book
) -> None:
    said = Link(book_one(wish(TUESDAY)).id, 1, "link.page")

    def give_up() -> Call:
        with services.database.writing() as db:
            return cancel(db, said, Actor.CLIENT, services.now(), house)

    with ThreadPoolExecutor(1) as somebody_else:
        with services.database.writing() as db:
            new = "other@example.com"
            correct(db, said, phone="", email=new, actor=Actor.CLIENT, now=services.now(), house=house)
            second = somebody_else.submit(give_up)
        with pytest.raises(NotFound):
            second.result(timeout=30)
    with services.database.reading() as db:
        call = db.get_one(Call, said.call_id)
        assert (call.state, call.email) == (State.CONFIRMED, "other@example.com")


def test_the_owner_changes_a_call_whatever_its_links_are(services: Services, house: House, book_one: Book) -> None:
    call = change(services, house, book_one(wish(TUESDAY)), email="other@example.com")
    assert call.link_version == 2
    with services.database.writing() as db:
        assert cancel(db, call.id, Actor.OWNER, services.now(), house).state is State.CANCELLED


def test_what_was_read_before_the_lock_is_read_again(services: Services, house: House, book_one: Book) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db:
        known = load_call(db, call.id)
        behind_its_back = update(Call).values(state=State.CANCELLED)
        db.execute(behind_its_back, execution_options={"synchronize_session": False})
        assert known is not None
        assert known.state is State.CONFIRMED
        with pytest.raises(IllegalStep):
            cancel(db, call.id, Actor.CLIENT, services.now(), house)


def test_a_call_that_is_not_there_can_t_be_cancelled(services: Services, house: House) -> None:
    with services.database.writing() as db, pytest.raises(NotFound):
        cancel(db, "unknown", Actor.CLIENT, services.now(), house)
