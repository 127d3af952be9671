"""The page of one client: their calls, the owner's note, and blocking."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.accounts import ClientNote
from booking.store.models import Call
from booking.usecases.reserve import book
from booking.web.reserving import house as house_of
from tests.builders import wish
from tests.desk.deskwork import Desk
from tests.fakes import Clock
from tests.web.visitors import TUESDAY, Visitor, person

HOUR = timedelta(hours=1)


def make(services: Services, owner: str = "anna", **values: object) -> Call:
    start = TUESDAY + HOUR * int(str(values.pop("hour", 1)))
    with services.database.writing() as db:
        return book(db, house_of(services), owner, "call", wish(start, **values), services.now())


def notes(services: Services) -> list[tuple[str, str, bool]]:
    with services.database.reading() as db:
        rows = db.scalars(sa.select(ClientNote).order_by(ClientNote.contact)).all()
    return [(row.contact, row.note, row.blocked_at is not None) for row in rows]


def test_all_calls_of_one_address_or_number_are_listed_those_to_come_first(
    desk: Desk, house: Services, clock: Clock
) -> None:
    past = make(house)
    clock.advance(timedelta(days=7))
    with house.database.writing() as db:
        db.execute(sa.text("UPDATE calendar SET read_at = :now"), {"now": house.now().replace(tzinfo=None)})
    next_week = timedelta(days=7) // HOUR
    by_mail = make(house, hour=next_week + 2, email="KIM@example.com", phone="+491709999999", request_key="2")
    by_number = make(house, hour=next_week + 4, email="other@example.com", request_key="3")
    other = make(house, hour=next_week + 6, email="lou@example.com", phone="+491708888888", request_key="4")
    berts = make(house, "bert", hour=next_week + 2, request_key="5")
    text = desk.read(f"/desk/calls/{past.id}/client")
    places = [text.find(f'/desk/calls/{call.id}"') for call in (by_mail, by_number, past)]
    assert -1 not in places
    assert places == sorted(places)
    assert f'/desk/calls/{other.id}"' not in text
    assert berts.id not in text


def test_a_note_is_kept_with_address_and_number_and_seen_from_each_call(desk: Desk, house: Services) -> None:
    call = make(house)
    by_phone = make(house, hour=4, email="", request_key="2")
    path = f"/desk/calls/{call.id}/client"
    assert desk.send(path, f"{path}/note", note="Likes short answers.").status_code == 303
    assert notes(house) == [
        ("+491701234567", "Likes short answers.", False),
        ("kim@example.com", "Likes short answers.", False),
    ]
    assert "Likes short answers." in desk.read(f"/desk/calls/{by_phone.id}/client")
    desk.send(path, f"{path}/note", note="")
    assert notes(house) == []


def test_a_note_is_never_seen_by_another_owner(desk: Desk, berts_desk: Desk, house: Services) -> None:
    call, theirs = make(house), make(house, "bert")
    path = f"/desk/calls/{call.id}/client"
    desk.send(path, f"{path}/note", note="secret")
    assert "secret" not in berts_desk.read(f"/desk/calls/{theirs.id}/client")


def test_a_note_written_in_two_windows_is_not_lost(desk: Desk, house: Services) -> None:
    path = f"/desk/calls/{make(house).id}/client"
    form = desk.form(path, f"{path}/note")
    desk.send(path, f"{path}/note", note="first")
    late = desk.post(f"{path}/note", data={**form.fields, "note": "second"})
    assert late.status_code == 409
    assert "second" in late.text
    assert notes(house)[0][1] == "first"


def test_a_note_that_is_too_long_is_kept_on_the_page(desk: Desk, house: Services) -> None:
    path = f"/desk/calls/{make(house).id}/client"
    answer = desk.send(path, f"{path}/note", note="x" * 2001)
    assert answer.status_code == 422
    assert "x" * 2001 in answer.text
    assert notes(house) == []


def test_a_blocked_client_is_answered_like_one_who_has_booked_enough(desk: Desk, house: Services, app: Flask) -> None:
    """By form and API, with the address or the number, however it is written."""
    full = person(7)["phone"]
    for number, hour in enumerate((24, 25, 26, 28, 29)):
        make(house, hour=hour, email="", phone=full, request_key=f"full-{number}")
    enough = Visitor(app).book(TUESDAY + timedelta(days=2), **person(7))
    assert enough.status_code == 429
    call = make(house)
    path = f"/desk/calls/{call.id}/client"
    assert desk.send(path, f"{path}/block").status_code == 303
    blocked = Visitor(app, "198.51.100.7")
    for typed in (
        {"email": "KIM@example.com", "phone": "+491709999999"},
        {"email": "new@example.com", "phone": call.phone},
    ):
        refused = blocked.book(TUESDAY + timedelta(days=2), name="Kim", **typed)
        assert (refused.status_code, refused.get_json()) == (enough.status_code, enough.get_json())
        by_form = blocked.book_by_form(TUESDAY + timedelta(days=2), name="Kim", **typed)
        assert by_form.status_code == enough.status_code
        assert "block" not in by_form.text.lower()
    assert blocked.book(TUESDAY + timedelta(days=2), owner="bert", name="Kim", email=call.email).status_code == 201


def test_what_is_planned_stays_and_the_page_says_so(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/client"
    desk.send(path, f"{path}/block")
    text = desk.read(path)
    assert "This client can&#39;t book: kim@example.com, +49 170 1234567" in text
    assert "What is planned below stays" in text
    with house.database.reading() as db:
        assert db.get_one(Call, call.id).state == "confirmed"


def test_a_client_can_be_let_in_again(desk: Desk, house: Services, app: Flask) -> None:
    path = f"/desk/calls/{make(house).id}/client"
    desk.send(path, f"{path}/block")
    desk.send(path, f"{path}/unblock")
    assert notes(house) == []
    assert Visitor(app).book(TUESDAY + 5 * HOUR, name="Kim", email="kim@example.com").status_code == 201


def test_the_owner_can_still_enter_a_call_with_a_blocked_client(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/client"
    desk.send(path, f"{path}/block")
    typed = {"name": "Kim", "phone": call.phone, "day": "2026-11-25", "clock": "10:00"}
    assert desk.send("/desk/calls/new", **typed).status_code == 303
