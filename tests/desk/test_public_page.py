"""The public page, its colour and its address, as the owner changes them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.services import Services
from booking.settings import Settings
from booking.store.accounts import OldSlug
from booking.store.models import Call, Owner
from booking.usecases import setup, slugs
from tests.conftest import build_services
from tests.desk.deskwork import Desk
from tests.fakes import Clock, MailBox, Server
from tests.web.visitors import TUESDAY, Page, Visitor, dump, open_house, person


def owner(desk: Desk, slug: str = "anna") -> Owner:
    with desk.services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == slug)).one()


def test_the_form_holds_what_is_saved(desk: Desk) -> None:
    form = desk.form("/desk/page")
    assert (form.fields["name"], form.fields["slug"], form.fields["accent"]) == ("Anna Beispiel", "anna", "")
    assert form.fields["pick"] == "#28594c"


def test_what_is_saved_stands_on_the_public_page(desk: Desk, app: Flask) -> None:
    answer = desk.send(
        "/desk/page",
        name="Anna B.",
        line="Texts",
        title="Words that work",
        text="First line\n\n<b>Second</b> line",
        accent="#7A4A2B",
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/page")
    page = Visitor(app).get("/anna").text
    assert '<h1 lang="en">Words that work</h1>' in page
    assert "Anna B." in page
    assert "Texts" in page
    assert "First line\n\n&lt;b&gt;Second&lt;/b&gt; line" in page
    assert "accent.css?v=%237a4a2b" in page
    assert "is saved" in desk.read("/desk/page")


def test_without_a_title_the_name_stands_over_the_page(desk: Desk, app: Flask) -> None:
    desk.send("/desk/page", text="Hello")
    page = Visitor(app).get("/anna").text
    assert "<h1>Anna Beispiel</h1>" in page
    assert "Hello" in page


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"name": ""}, "This is needed."),
        ({"line": "x" * 201}, "Shorten this to 200 characters."),
        ({"title": "x" * 121}, "Shorten this to 120 characters."),
        ({"text": "x" * 2001}, "Shorten this to 2000 characters."),
        ({"accent": "green"}, "Write the colour like #1f6f5c"),
        ({"pick": "red"}, "Write the colour like #1f6f5c"),
        ({"slug": "Änna"}, "small letters from a to z"),
        ({"slug": "---"}, "small letters from a to z"),
        ({"slug": ""}, "small letters from a to z"),
        ({"slug": "desk"}, "needed for something else"),
        ({"slug": "bert"}, "belongs to somebody else"),
    ],
)
def test_a_mistake_is_named_and_everything_typed_is_kept(desk: Desk, typed: dict[str, str], wrong: str) -> None:
    before = dump(desk.services)
    answer = desk.send("/desk/page", **{"text": "A long story", **typed})
    assert answer.status_code == 422
    assert wrong in answer.text
    fields = Page(answer.text).post_form.fields
    assert "A long story" in answer.text or "text" in typed
    (name, text), *_ = typed.items()
    assert fields[name].lower() == text.lower() or name == "pick"
    assert dump(desk.services)["owner"] == before["owner"]


@pytest.mark.parametrize(
    ("typed", "saved"),
    [
        ({"accent": "1F6F5C"}, "#1f6f5c"),
        ({"accent": "#1f6f5c", "pick": "#000000"}, "#1f6f5c"),
        ({"pick": "#123456"}, "#123456"),
        ({}, "#7a4a2b"),
        ({"accent": ""}, ""),
    ],
)
def test_a_colour_is_typed_or_picked(desk: Desk, typed: dict[str, str], saved: str) -> None:
    desk.send("/desk/page", accent="#7a4a2b")
    assert desk.send("/desk/page", **typed).status_code == 303
    assert owner(desk).accent == saved


def test_a_colour_that_could_not_be_read_is_shown_as_it_will_be_seen(desk: Desk) -> None:
    desk.send("/desk/page", accent="#ffff00")
    page = desk.read("/desk/page")
    assert "Shown as #" in page
    assert "#ffff00 on light paper" not in page
    assert "#ffff00 on dark paper" in page


def test_a_look_shows_the_page_with_what_was_typed_and_saves_nothing(desk: Desk) -> None:
    form = desk.form("/desk/page")
    before = dump(desk.services)
    typed = {"title": "<i>New</i> words", "text": "Not saved yet", "accent": "#123456", "slug": "words"}
    look = desk.post("/desk/page/preview", data={**form.fields, **typed})
    assert look.status_code == 200
    assert "&lt;i&gt;New&lt;/i&gt; words" in look.text
    assert "Not saved yet" in look.text
    assert look.headers["Cache-Control"] == "no-store"
    (sheet,) = [each for each in Page(look.text).links if "accent.css" in each]
    assert "#123456" in desk.get(sheet).text
    assert dump(desk.services) == before


def test_a_look_at_a_mistake_shows_the_mistake(desk: Desk) -> None:
    form = desk.form("/desk/page")
    answer = desk.post("/desk/page/preview", data={**form.fields, "name": "", "text": "kept"})
    assert answer.status_code == 422
    assert "kept" in answer.text


def test_no_sheet_is_made_of_what_is_no_colour(desk: Desk) -> None:
    assert desk.get("/desk/page/accent.css?colour=%23fff;}*{display:none").status_code == 404


def test_a_change_in_another_window_is_not_overwritten_until_it_was_seen(desk: Desk) -> None:
    form = desk.form("/desk/page")
    desk.send("/desk/page", line="from the other window")
    late = desk.post("/desk/page", data={**form.fields, "title": "from this window"})
    assert late.status_code == 409
    assert "changed in another window" in late.text
    assert owner(desk).line == "from the other window"
    again = Page(late.text).post_form.fields
    assert again["title"] == "from this window"
    assert desk.post("/desk/page", data=again).status_code == 303
    assert owner(desk).title == "from this window"


def test_a_stale_page_loses_nothing(desk: Desk) -> None:
    form = desk.form("/desk/page")
    answer = desk.post("/desk/page", data={**form.fields, "csrf_token": "x", "title": "kept"})
    assert answer.status_code == 400
    assert Page(answer.text).post_form.fields["title"] == "kept"


def test_what_is_no_field_changes_nothing(desk: Desk) -> None:
    desk.send("/desk/page", email="eve@example.org", id="2", owner_id="2", timezone="Asia/Tokyo", revision="0")
    found = owner(desk)
    assert (found.email, found.timezone) == ("anna@example.org", "Europe/Berlin")
    assert owner(desk, "bert").name == "Bert Beispiel"


def test_looking_changes_nothing(desk: Desk) -> None:
    desk.get("/desk/page")
    before = dump(desk.services)
    for path in ("/desk/page", "/desk/page/accent.css?colour=%23123456", "/desk/settings"):
        assert desk.get(path).status_code == 200
    assert dump(desk.services) == before


def test_it_is_said_that_with_one_call_type_nobody_sees_the_page(desk: Desk) -> None:
    words = "leads straight to its times"
    assert words not in desk.read("/desk/page")
    with desk.services.database.writing() as db:
        db.execute(sa.text("UPDATE call_type SET visibility = 'hidden' WHERE slug = 'only-anna'"))
    assert words in desk.read("/desk/page")


# The address


@pytest.fixture
def moved(desk: Desk) -> Desk:
    """Anna has another address."""
    assert desk.send("/desk/page", slug="words").status_code == 303
    return desk


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/anna", "/words"),
        ("/anna?lang=de", "/words?lang=de"),
        ("/anna/call", "/words/call"),
        ("/anna/call?day=2026-11-24&tz=Asia/Tokyo", "/words/call?day=2026-11-24&tz=Asia/Tokyo"),
        ("/anna/call/book?start=2026-11-24T08:00:00Z", "/words/call/book?start=2026-11-24T08:00:00Z"),
        ("/anna/privacy", "/words/privacy"),
        ("/anna/imprint", "/words/imprint"),
        ("/anna/accent.css", "/words/accent.css"),
        ("/api/v1/anna", "/api/v1/words"),
        ("/api/v1/anna/call/slots?tz=UTC", "/api/v1/words/call/slots?tz=UTC"),
    ],
)
def test_an_old_address_leads_to_the_new_one(moved: Desk, app: Flask, old: str, new: str) -> None:
    answer = Visitor(app).get(old)
    assert (answer.status_code, answer.headers["Location"]) == (308, new)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_that_was_open_books_with_the_new_address(desk: Desk, app: Flask) -> None:
    client = Visitor(app)
    form = client.details()
    desk.send("/desk/page", slug="words")
    data = {**form.fields, **person()}
    answer = client.post("/anna/call/book", data=data)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/words/call/book")
    assert client.post(answer.headers["Location"], data=data).status_code == 303


def test_a_program_is_told_in_json_where_to_book(moved: Desk, app: Flask) -> None:
    program = Visitor(app)
    answer = program.book()
    assert (answer.status_code, answer.get_json()) == (308, {"error": "moved"})
    assert answer.headers["Location"] == "/api/v1/words/call/calls"
    assert program.book(owner="words").status_code == 201


def test_a_client_s_own_link_stays_and_leads_to_the_new_address(desk: Desk, app: Flask) -> None:
    client = Visitor(app)
    token = client.token()
    desk.send("/desk/page", slug="words")
    answer = client.get(f"/c/{token}")
    assert answer.status_code == 200
    assert "/words" in answer.text
    assert client.get(f"/c/{token}/move").status_code == 200


def test_a_chain_of_addresses_leads_to_the_last_one_at_once(moved: Desk, app: Flask) -> None:
    moved.send("/desk/page", slug="texts")
    for old in ("/anna/call", "/words/call"):
        assert Visitor(app).get(old).headers["Location"] == "/texts/call"


def test_an_owner_may_go_back_to_an_address_of_their_own(moved: Desk, app: Flask) -> None:
    assert moved.send("/desk/page", slug="anna").status_code == 303
    visitor = Visitor(app)
    assert visitor.get("/anna/call").status_code == 200
    assert visitor.get("/words/call").headers["Location"] == "/anna/call"


def test_an_address_somebody_had_is_nobody_else_s(moved: Desk, berts_desk: Desk) -> None:
    answer = berts_desk.send("/desk/page", slug="anna")
    assert answer.status_code == 422
    assert "belongs to somebody else" in answer.text
    assert owner(berts_desk, "bert").name == "Bert Beispiel"


def test_an_address_nobody_ever_had_is_not_found(moved: Desk, app: Flask) -> None:
    visitor = Visitor(app)
    assert visitor.get("/nobody/call").status_code == 404
    assert visitor.get("/words/nothing").status_code == 404
    assert visitor.get("/api/v1/nobody").get_json() == {"error": "not_found"}


def test_only_an_address_that_is_not_found_costs_a_further_query(moved: Desk, app: Flask) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = moved.services.database._engine
    sa.event.listen(engine, "before_cursor_execute", note)
    for path in ("/words", "/words/call", "/words/nothing", "/words/imprint"):
        Visitor(app).get(path)
    assert not [statement for statement in asked if "old_slug" in statement]
    asked.clear()
    Visitor(app).get("/anna/call")
    assert len([statement for statement in asked if "old_slug" in statement]) == 1


@pytest.fixture
def either(settings: Settings, clock: Clock, mailbox: MailBox, server: Server, any_url: str) -> Iterator[Services]:
    yield from build_services(replace(settings, database_url=any_url), clock, mailbox, server)


def test_old_addresses_work_on_both_databases(either: Services) -> None:
    open_house(either)
    app = create_app(either.settings, either)
    with either.database.writing() as db:
        setup.set_owner(db, "anna", ["slug=words"])
        setup.set_owner(db, "words", ["slug=texts"])
        setup.set_owner(db, "texts", ["slug=words"])
    visitor = Visitor(app)
    for old in ("anna", "texts"):
        assert visitor.get(f"/{old}/call").headers["Location"] == "/words/call"
    with either.database.writing() as db, pytest.raises(slugs.SlugTaken):
        setup.set_owner(db, "bert", ["slug=texts"])
    with either.database.writing() as db, pytest.raises(slugs.SlugTaken):
        setup.add_owner(db, setup.NewOwner("anna", "Anna", "a@example.org", "Europe/Berlin", "de", "DE"))
    with either.database.reading() as db:
        assert set(db.scalars(sa.select(OldSlug.slug))) == {"anna", "texts"}


def test_a_call_booked_before_is_still_there(desk: Desk, app: Flask) -> None:
    Visitor(app).token(TUESDAY)
    desk.send("/desk/page", slug="words")
    with desk.services.database.reading() as db:
        assert db.scalars(sa.select(Call)).one().owner_id == owner(desk, "words").id
