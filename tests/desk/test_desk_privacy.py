"""Data protection: how long clients are kept, the two pages, and one client's data handed out or erased."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.accounts import ClientNote
from booking.store.models import Call, Job, Owner
from booking.usecases.door import PROVED_FOR
from tests.desk.deskwork import Desk
from tests.fakes import Clock
from tests.web.visitors import TUESDAY, Page, Visitor, dump

KIM = "kim1@example.com"
EXPORT, ASK, ERASE = "/desk/privacy/export", "/desk/privacy/erasing", "/desk/privacy/erase"


@pytest.fixture
def booked(app: Flask, house: Services) -> Services:
    """Kim has a call with Anna and one with Bert, and Anna has a note about Kim."""
    client = Visitor(app)
    client.token(note="About a brochure")
    client.token(owner="bert")
    with house.database.writing() as db:
        anna = db.scalars(sa.select(Owner.id).where(Owner.slug == "anna")).one()
        db.add(ClientNote(owner_id=anna, contact=KIM, note="Likes tea"))
    return house


@pytest.fixture
def over(booked: Services, clock: Clock) -> Services:
    """Both calls are over."""
    clock.advance(TUESDAY + timedelta(hours=1) - clock())
    return booked


@pytest.fixture
def late_desk(over: Services, app: Flask) -> Desk:
    """Anna's browser, logged in when both calls are over."""
    return Desk(app, "anna")


def owner(desk: Desk, slug: str = "anna") -> Owner:
    with desk.services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == slug)).one()


# What is kept, and the two pages


def test_the_two_pages_and_the_time_are_saved(desk: Desk, app: Flask) -> None:
    typed = {"retention_days": "30", "imprint": "Anna Beispiel\nMusterweg 1", "privacy": "I keep <b>little</b>."}
    assert desk.send("/desk/privacy", **typed).status_code == 303
    assert owner(desk).retention_days == 30
    visitor = Visitor(app)
    assert "Anna Beispiel\nMusterweg 1" in visitor.get("/anna/imprint").text
    assert "I keep &lt;b&gt;little&lt;/b&gt;." in visitor.get("/anna/privacy").text
    assert desk.form("/desk/privacy").fields["retention_days"] == "30"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"retention_days": "0"}, "from 1 to 3650"),
        ({"retention_days": "4000"}, "from 1 to 3650"),
        ({"retention_days": ""}, "from 1 to 3650"),
        ({"retention_days": "ten"}, "from 1 to 3650"),
        ({"privacy": "x" * 20_001}, "Shorten this to 20000 characters."),
    ],
)
def test_a_mistake_is_named_and_everything_typed_is_kept(desk: Desk, typed: dict[str, str], wrong: str) -> None:
    before = dump(desk.services)
    answer = desk.send("/desk/privacy", **{"imprint": "kept words", **typed})
    assert answer.status_code == 422
    assert wrong in answer.text
    fields = Page(answer.text).post_form.fields
    assert {**fields, **typed, "imprint": "kept words"} == fields
    assert dump(desk.services) == before


def test_a_change_in_another_window_is_not_overwritten(desk: Desk) -> None:
    form = desk.form("/desk/privacy")
    desk.send("/desk/privacy", imprint="the other window")
    late = desk.post("/desk/privacy", data={**form.fields, "privacy": "this window"})
    assert late.status_code == 409
    assert owner(desk).imprint == "the other window"
    again = Page(late.text).post_form.fields
    assert again["privacy"] == "this window"
    assert desk.post("/desk/privacy", data=again).status_code == 303


def test_what_is_no_field_changes_nothing(desk: Desk) -> None:
    desk.send("/desk/privacy", slug="eve", email="eve@example.org", owner_id="2", revision="0")
    assert owner(desk).email == "anna@example.org"
    assert owner(desk, "bert").retention_days == 90


# One client's data


def test_everything_kept_about_a_client_is_handed_out_as_a_file(desk: Desk, booked: Services) -> None:
    before = dump(booked)
    answer = desk.send("/desk/privacy", EXPORT, email=f" {KIM.upper()} ")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="client.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    kept = answer.get_json()
    (call,) = kept["calls"]
    assert (call["owner"], call["note"], call["starts_at"]) == ("anna", "About a brochure", TUESDAY.isoformat())
    assert [note["note"] for note in kept["notes"]] == ["Likes tea"]
    assert kept["mails"]
    assert "Bert" not in answer.text
    assert dump(booked) == before


@pytest.mark.parametrize("action", [EXPORT, ASK, ERASE])
@pytest.mark.parametrize(
    ("email", "wrong"),
    [
        ("otto@example.org", "Nothing is kept about this address or number."),
        ("030 999999", "Nothing is kept about this address or number."),
        ("otto", "Nothing is kept about this address or number."),
        ("", "This is needed."),
    ],
)
def test_of_somebody_unknown_there_is_nothing(
    desk: Desk, booked: Services, action: str, email: str, wrong: str
) -> None:
    before = dump(booked)
    form = desk.form("/desk/privacy", EXPORT)
    answer = desk.post(action, data={**form.fields, "email": email})
    assert answer.status_code == 422
    assert wrong in answer.text
    assert f'value="{email}"' in answer.text
    assert dump(booked) == before


def test_what_would_be_erased_is_said_and_asked_once_more(late_desk: Desk, over: Services) -> None:
    before = dump(over)
    form = late_desk.form("/desk/privacy", EXPORT)
    answer = late_desk.post(ASK, data={**form.fields, "email": KIM})
    assert answer.status_code == 200
    for words in (KIM, "name, mail address, number and notes of 1 call", "Tuesday, 24 November", "your notes about"):
        assert words in answer.text
    assert dump(over) == before


def test_erasing_takes_the_client_out_of_this_owner_s_calls_alone(late_desk: Desk, over: Services) -> None:
    with over.database.reading() as db:
        mails = db.scalars(sa.select(Job).where(Job.kind == "mail")).all()
    folder = over.settings.data_dir / "mail"
    folder.mkdir()
    for mail in mails:
        (folder / f"{mail.id}.eml").write_text(KIM)
    form = late_desk.form("/desk/privacy", EXPORT)
    ask = late_desk.post(ASK, data={**form.fields, "email": KIM})
    sure = next(form for form in Page(ask.text).forms if form.action == ERASE)
    answer = late_desk.post(ERASE, data=sure.fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/privacy")
    assert "data is erased" in late_desk.read("/desk/privacy")
    with over.database.reading() as db:
        annas, berts = (
            db.scalars(sa.select(Call).where(Call.owner_id == owner(late_desk, slug).id)).one()
            for slug in ("anna", "bert")
        )
        assert (annas.name, annas.email, annas.phone, annas.note) == ("", "", "", "")
        assert annas.starts_at == TUESDAY
        assert berts.email == KIM
        assert db.scalars(sa.select(ClientNote)).all() == []
    of_bert = {f"{mail.id}.eml" for mail in mails if mail.owner_id == owner(late_desk, "bert").id}
    assert {path.name for path in folder.iterdir()} == of_bert


def test_a_call_to_come_keeps_its_client_and_is_linked(desk: Desk, booked: Services) -> None:
    before = dump(booked)
    form = desk.form("/desk/privacy", EXPORT)
    with booked.database.reading() as db:
        call = db.scalars(sa.select(Call).where(Call.owner_id == owner(desk).id)).one()
    for action, status in ((ASK, 200), (ERASE, 409)):
        answer = desk.post(action, data={**form.fields, "email": KIM})
        assert answer.status_code == status
        assert f"/desk/calls/{call.id}" in Page(answer.text).links
        assert not [each for each in Page(answer.text).forms if each.action == ERASE]
    assert dump(booked) == before


@pytest.mark.parametrize("action", [EXPORT, ASK, ERASE])
def test_the_password_is_asked_for_where_it_was_given_long_ago(
    desk: Desk, booked: Services, clock: Clock, action: str
) -> None:
    form = desk.form("/desk/privacy", EXPORT)
    clock.advance(PROVED_FOR)
    before = dump(booked)
    answer = desk.post(action, data={**form.fields, "email": KIM})
    assert "brochure" not in answer.text
    assert "Content-Disposition" not in answer.headers
    assert "password" in answer.text
    assert dump(booked) == before


@pytest.mark.parametrize("action", [EXPORT, ASK, ERASE])
def test_a_form_of_another_page_does_nothing(late_desk: Desk, over: Services, action: str) -> None:
    before = dump(over)
    answer = late_desk.post(action, data={"email": KIM, "csrf_token": "x"})
    assert answer.status_code == 400
    assert KIM in answer.text
    assert dump(over) == before


def test_another_owner_finds_nothing_of_anna_s_client(berts_desk: Desk, app: Flask) -> None:
    Visitor(app).token(email="only@example.com")
    answer = berts_desk.send("/desk/privacy", EXPORT, email="only@example.com")
    assert answer.status_code == 422


def test_looking_changes_nothing(desk: Desk) -> None:
    before = dump(desk.services)
    for path in ("/desk/privacy", EXPORT, ASK, ERASE):
        desk.get(path)
    assert dump(desk.services) == before


def test_two_pages_of_the_greatest_length_in_russian_are_saved(desk: Desk) -> None:
    page = "ж" * 20_000
    assert desk.send("/desk/privacy", "/desk/privacy", imprint=page, privacy=page).status_code == 303
    assert page in desk.read("/desk/privacy")
