"""Call types are made, ordered, hidden and archived; calls of any length that is offered are booked."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.errors import InvalidText, LengthNotOffered, NotBookable, NotFound, NotOffered
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import Call, CallType, HeldPeriod, Job, Owner
from booking.usecases import call_types, housekeeping, setup
from booking.usecases.availability import load_offer, load_public_offer
from booking.usecases.calls import cancel, move
from booking.usecases.notify import House
from booking.usecases.requests import decide
from booking.usecases.reserve import book
from tests.builders import add_call_type, wish
from tests.fakes import MONDAY
from tests.usecases.conftest import Book

TUESDAY = MONDAY + timedelta(days=1, minutes=30)
SECRET = "0123456789abcdef" * 2


def locked(db: Session) -> Owner:
    return setup.lock(db, "anna")


def change(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        owner = locked(db)
        call_types.change(db, owner, owner.call_types[0], values, SECRET)


def slugs(services: Services) -> list[str]:
    with services.database.reading() as db:
        return list(db.scalars(select(CallType.slug).order_by(CallType.position, CallType.id)))


def test_the_order_is_kept_without_gaps_and_the_archive_stands_behind_it(services: Services) -> None:
    with services.database.writing() as db:
        owner = locked(db)
        for name in ("Two", "Three", "Four"):
            call_types.add(db, owner, {"name": name, "slug": name.lower(), "minutes": 30})
        call_types.archive(owner.call_types[1], MONDAY)
        call_types.shift(db, owner, owner.call_types[3], -1)
        call_types.shift(db, owner, owner.call_types[0], -1)
    assert slugs(services) == ["call", "four", "three", "two"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Erstgespräch für Größeres", "erstgespraech-fuer-groesseres"),
        ("Знакомство", "znakomstvo"),
        ("Щётка и чай", "shchyotka-i-chay"),
        ("Café à Paris", "cafe-a-paris"),
        ("電話", "call-2"),
        ("call", "call-2"),
        ("Privacy", "privacy-2"),
        ("x" * 60, "x" * 40),
        ("  --  ", "call-2"),
    ],
)
def test_a_name_becomes_a_word_that_nothing_else_has(services: Services, name: str, slug: str) -> None:
    with services.database.writing() as db:
        assert call_types.free_slug(locked(db), name) == slug


def test_a_slug_stands_for_one_call_type_of_an_owner(services: Services) -> None:
    with services.database.writing() as db:
        owner = locked(db)
        with pytest.raises(call_types.TypeSlugTaken):
            call_types.add(db, owner, {"name": "Again", "slug": "call", "minutes": 30})
    assert slugs(services) == ["call"]


def test_nobody_can_make_a_guessable_link(services: Services) -> None:
    with services.database.writing() as db:
        owner = locked(db)
        for secret in ("", "call", "g" * 32):
            with pytest.raises(InvalidText):
                call_types.change(db, owner, owner.call_types[0], {"visibility": "link"}, secret)


def test_the_operator_s_command_makes_a_link_too(services: Services) -> None:
    with services.database.writing() as db:
        setup.set_call_type(db, "anna", "call", ["visibility=link"], SECRET)
    assert slugs(services) == [SECRET]


def test_words_in_further_languages_are_kept_and_taken_back(services: Services) -> None:
    change(services, name_de="Erstgespräch", description_ru="Знакомимся.")
    change(services, description_ru="")
    with services.database.reading() as db:
        assert db.scalars(select(CallType.wording)).one() == {"de": {"name": "Erstgespräch"}}


def test_what_is_hidden_or_archived_is_no_client_s_to_book_and_still_the_owner_s(services: Services) -> None:
    for hide in (call_types.hide, partial(call_types.archive, now=MONDAY)):
        with services.database.writing() as db:
            hide(locked(db).call_types[0])
        with services.database.reading() as db:
            assert load_offer(db, "anna", "call", MONDAY).all_free()
            with pytest.raises(NotBookable):
                load_public_offer(db, "anna", "call", MONDAY)


def test_a_client_gets_only_a_length_that_is_offered(services: Services, house: House) -> None:
    change(services, lengths="15 30 60")
    with services.database.writing() as db:
        for minutes in (45, 0, -15):
            with pytest.raises(LengthNotOffered):
                book(db, house, "anna", "call", wish(TUESDAY, minutes=minutes), MONDAY)
        assert not db.scalars(select(Call)).all()


def test_a_longer_call_holds_its_whole_time_with_its_buffers(services: Services, book_one: Book) -> None:
    change(services, lengths="30 60", before_minutes=5)
    call = book_one(wish(TUESDAY, minutes=60))
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod)).one()
        assert (held.starts_at, held.ends_at) == (TUESDAY - timedelta(minutes=5), TUESDAY + timedelta(minutes=70))
    with pytest.raises(NotOffered):
        book_one(wish(TUESDAY + timedelta(minutes=60), request_key="2", email="b@example.com", phone="+4930901821"))
    assert call.ends_at - call.starts_at == timedelta(minutes=60)


def test_a_call_of_an_archived_call_type_is_moved_with_its_own_length_and_cancelled(
    services: Services, book_one: Book, house: House
) -> None:
    change(services, lengths="30 60")
    call = book_one(wish(TUESDAY, minutes=60))
    with services.database.writing() as db:
        owner = locked(db)
        call_types.change(db, owner, owner.call_types[0], {"lengths": ""})
        call_types.archive(owner.call_types[0], MONDAY)
    later = TUESDAY + timedelta(days=1)
    with services.database.writing() as db:
        moved = move(db, call.id, later, Actor.CLIENT, MONDAY, house)
        assert (moved.starts_at, moved.ends_at) == (later, later + timedelta(minutes=60))
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, MONDAY, house)
        (told,) = [job.payload for job in db.scalars(select(Job)) if job.payload.get("message") == "cancelled"][:1]
        assert told["booking_url"] == "https://calls.example.org/anna"


def declined(services: Services, house: House, start: datetime, minutes: int | None) -> dict[str, object]:
    """Have a time noted while the calendar is silent, and declined; return what the client's mail is made of."""
    with services.database.writing() as db:
        call = book(db, house, "anna", "call", wish(start, minutes=minutes), MONDAY, in_doubt=True)
    return _told(services, house, call)


def _told(services: Services, house: House, call: Call) -> dict[str, object]:
    assert call.answer_by is not None
    with services.database.writing() as db:
        decide(db, house, call.id, call.answer_by)
        jobs = db.scalars(select(Job)).all()
        return next(job.payload for job in jobs if job.payload.get("message") == "declined")


def test_times_offered_instead_have_the_length_that_was_wished_for(services: Services, house: House) -> None:
    change(services, lengths="30 60")
    told = declined(services, house, TUESDAY, 60)
    assert (told["unusual_minutes"], len(list(told["alternatives"]))) == (60, 3)  # type: ignore[call-overload]


def test_no_times_are_offered_instead_of_what_can_t_be_booked_any_more(services: Services, house: House) -> None:
    with services.database.writing() as db:
        call = book(db, house, "anna", "call", wish(TUESDAY), MONDAY, in_doubt=True)
        call_types.hide(locked(db).call_types[0])
    assert _told(services, house, call)["alternatives"] == []


def test_the_list_decides_whether_there_are_other_calls(services: Services) -> None:
    with services.database.writing() as db:
        owner = locked(db)
        hidden = add_call_type(db, owner, "hidden", visibility="hidden")
        add_call_type(db, owner, "by-link", visibility="link")
        add_call_type(db, owner, "archived", archived_at=MONDAY)
        assert not load_offer(db, "anna", "call", MONDAY).has_siblings
        call_types.show(hidden)
        db.flush()
        assert load_offer(db, "anna", "call", MONDAY).has_siblings


def test_answers_are_stored_with_the_call_and_go_with_the_client_s_data(services: Services, book_one: Book) -> None:
    call = book_one(wish(TUESDAY, answers={"voicemail": True, "others": False}))
    with services.database.writing() as db:
        assert db.scalars(select(Call.answers)).one() == {"voicemail": True, "others": False}
        housekeeping.empty_calls(db, [call.id])
        assert db.scalars(select(Call.answers)).one() == {}


def test_somebody_else_s_call_type_is_not_found(services: Services) -> None:
    with services.database.writing() as db, pytest.raises(NotFound):
        call_types.find(locked(db), 99)
