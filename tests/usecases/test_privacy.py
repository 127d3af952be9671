"""What is kept about one client, handed out or erased; and calls as they are listed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import InvalidText, NotFound
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import Call, Job, PlacedEvent
from booking.usecases import listing, privacy
from booking.usecases.calls import cancel
from booking.usecases.notify import House
from tests.builders import wish
from tests.fakes import Clock
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
LATER = TUESDAY + timedelta(hours=2)


def test_only_the_clients_own_calls_are_handed_out(services: Services, book_one: Book) -> None:
    kim = book_one(wish(TUESDAY))
    book_one(wish(LATER, email="lou@example.com", request_key="2"))
    with services.database.reading() as db:
        kept = privacy.export(db, "anna", " KIM@example.com ")
    assert [call.id for call in kept.calls] == [kim.id]
    assert {mail.call_id for mail in kept.mails} == {kim.id}


@pytest.mark.parametrize("number", ["+49 170 1234567", "0170/1234567"])
def test_a_client_without_an_address_is_found_and_erased_by_number(
    services: Services, book_one: Book, clock: Clock, house: House, number: str
) -> None:
    """A number without a country code belongs to the owner's country."""
    kim = book_one(wish(TUESDAY, email=""))
    book_one(wish(LATER, email="lou@example.com", phone="+493012345678", request_key="2"))
    clock.advance(timedelta(days=2))
    with services.database.writing() as db:
        assert [call.id for call in privacy.export(db, "anna", number).calls] == [kim.id]
        privacy.erase(db, "anna", number, services.now(), house)
    with services.database.reading() as db:
        names = {call.id: call.name for call in db.scalars(select(Call))}
        with pytest.raises(NotFound):
            privacy.export(db, "anna", number)
    assert names.pop(kim.id) == ""
    assert set(names.values()) == {"Kim"}


def test_nothing_about_a_client_is_left_after_erasing_but_times(
    services: Services, book_one: Book, clock: Clock, house: House
) -> None:
    book_one(wish(TUESDAY, note="secret"))
    other = book_one(wish(LATER, email="lou@example.com", name="Lou", request_key="2"))
    clock.advance(timedelta(days=2))
    with services.database.writing() as db:
        erased = privacy.erase(db, "anna", "kim@example.com", services.now(), house)
    assert (len(erased.calls), len(erased.mails)) == (1, 3)
    with services.database.reading() as db:
        kim, lou = db.scalars(select(Call).order_by(Call.starts_at)).all()
        payloads = str([job.payload for job in db.scalars(select(Job).where(Job.call_id == kim.id))])
    assert (kim.name, kim.email, kim.phone, kim.note) == ("", "", "", "")
    assert kim.starts_at == TUESDAY
    assert (lou.id, lou.name) == (other.id, "Lou")
    assert "kim" not in payloads.lower()


@pytest.mark.parametrize("href", ["", "/anna/calls/1.ics"])
def test_the_event_is_written_again_where_there_is_one(
    services: Services, book_one: Book, clock: Clock, house: House, href: str
) -> None:
    book_one(wish(TUESDAY))
    clock.advance(timedelta(days=2))
    with services.database.writing() as db:
        db.execute(update(PlacedEvent).values(href=href))
        db.execute(update(Job).values(done_at=services.now()))
        privacy.erase(db, "anna", "kim@example.com", services.now(), house)
    with services.database.reading() as db:
        waiting = db.scalars(select(Job.kind).where(Job.done_at.is_(None))).all()
    assert waiting == (["calendar"] if href else [])


def test_a_call_to_come_is_cancelled_before_its_client_is_erased(
    services: Services, book_one: Book, house: House
) -> None:
    call = book_one(wish(TUESDAY))
    with services.database.writing() as db, pytest.raises(InvalidText, match=call.id):
        privacy.erase(db, "anna", "kim@example.com", services.now(), house)
    with services.database.writing() as db:
        cancel(db, call.id, Actor.OWNER, services.now(), house)
    with services.database.writing() as db:
        assert len(privacy.erase(db, "anna", "kim@example.com", services.now(), house).calls) == 1


def test_of_an_unknown_client_or_owner_nothing_is_kept(services: Services) -> None:
    with services.database.reading() as db:
        with pytest.raises(NotFound, match="nothing is kept"):
            privacy.export(db, "anna", "otto@example.org")
        with pytest.raises(NotFound, match="no owner 'ben'"):
            privacy.export(db, "ben", "otto@example.org")


def test_calls_are_listed_in_order_and_past_ones_when_asked_for(
    services: Services, book_one: Book, clock: Clock
) -> None:
    second = book_one(wish(LATER, request_key="2"))
    first = book_one(wish(TUESDAY))
    clock.advance(timedelta(days=1, hours=2))
    with services.database.reading() as db:
        assert [call.id for call in listing.list_calls(db, "anna", since=None)] == [first.id, second.id]
        assert [call.id for call in listing.list_calls(db, "anna", since=services.now())] == [second.id]
        assert listing.show_call(db, first.id).call_type.name == "First call"
        with pytest.raises(NotFound):
            listing.list_calls(db, "ben", since=None)
        with pytest.raises(NotFound):
            listing.show_call(db, "nothing")
