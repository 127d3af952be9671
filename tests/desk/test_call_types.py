"""The room of call types: what an owner sets there is what clients meet."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.store.models import Call, CallType
from tests.desk.deskwork import Desk
from tests.web.visitors import Page, Visitor, dump

LIST = "/desk/call-types"


@pytest.fixture
def client(app: Flask) -> Visitor:
    return Visitor(app, "192.0.2.99")


def types(desk: Desk) -> list[CallType]:
    """Return the owner's call types in their order."""
    with desk.services.database.reading() as db:
        mine = sa.select(CallType).where(CallType.owner.has(slug=desk.owner))
        return list(db.scalars(mine.order_by(CallType.position, CallType.id)))


def first(desk: Desk) -> CallType:
    return types(desk)[0]


def path(call_type: CallType) -> str:
    return f"{LIST}/{call_type.id}"


def save(desk: Desk, call_type: CallType, status: int = 303, **typed: Any) -> str:
    """Change what the form of a call type holds, send it, and return what was answered."""
    form = filled(desk, path(call_type))
    answer = desk.post(path(call_type), data={**form, **typed})
    assert answer.status_code == status, answer.text
    return answer.text


def filled(desk: Desk, where: str) -> dict[str, Any]:
    """Return what a form sends as it stands: boxes that are ticked too."""
    page = desk.page(where)
    sent: dict[str, Any] = dict(next(form for form in page.forms if form.method == "post").fields)
    ticked = [values for tag, values in page.tags if tag == "input" and values.get("type") == "checkbox"]
    for box in ticked:
        sent.pop(box["name"], None)
    for box in ticked:
        if "checked" in box:
            sent.setdefault(box["name"], []).append(box["value"])
    return sent


def do(desk: Desk, call_type: CallType, deed: str) -> None:
    """Press one of the buttons in the list."""
    assert f"{path(call_type)}/{deed}" in desk.page(LIST).links
    answer = desk.post(f"{path(call_type)}/{deed}", data=filled(desk, LIST))
    assert answer.status_code == 303


# The list


def test_the_list_shows_every_call_type_and_where_it_is(desk: Desk) -> None:
    page = desk.read(LIST)
    assert "Call with Anna Beispiel" in page
    assert "https://calls.example.org/anna/call" in page
    assert "Bert" not in page


def test_opening_the_pages_changes_nothing(desk: Desk) -> None:
    before = dump(desk.services)
    for where in (LIST, path(first(desk)), f"{LIST}/new", f"{path(first(desk))}/archive"):
        desk.get(where)
    assert dump(desk.services) == before


def test_the_settings_lead_to_the_list(desk: Desk) -> None:
    assert LIST in desk.page("/desk/settings").links


def test_the_order_of_the_list_is_that_of_the_public_page(desk: Desk, client: Visitor) -> None:
    one, two = types(desk)
    do(desk, two, "up")
    assert [each.slug for each in types(desk)] == [two.slug, one.slug]
    page = client.get("/anna").text
    assert page.index(f"/anna/{two.slug}") < page.index(f"/anna/{one.slug}")
    do(desk, two, "down")
    assert [each.slug for each in types(desk)] == [one.slug, two.slug]


def test_at_the_end_of_the_list_nothing_moves_further(desk: Desk) -> None:
    before = [each.slug for each in types(desk)]
    form = desk.form(LIST).fields
    assert desk.post(f"{path(first(desk))}/up", data=form).status_code == 303
    assert [each.slug for each in types(desk)] == before


def test_a_hidden_call_type_is_on_no_page_and_can_be_shown_again(desk: Desk, client: Visitor) -> None:
    do(desk, first(desk), "hide")
    answer = client.get("/anna/call")
    assert answer.status_code == 404
    assert "This call can&#39;t be booked at the moment" in answer.text
    assert "/anna/call" not in client.page("/anna/only-anna").links
    do(desk, first(desk), "show")
    assert client.get("/anna/call").status_code == 200


def test_a_list_without_anything_for_clients_says_so(desk: Desk, client: Visitor) -> None:
    assert "Your page offers nothing at the moment." not in desk.read(LIST)
    for each in types(desk):
        do(desk, each, "hide")
    assert "Your page offers nothing at the moment." in desk.read(LIST)
    assert "There is nothing to choose from yet." in client.get("/anna").text


def test_a_copy_is_hidden_has_an_address_of_its_own_and_everything_else_of_the_first(desk: Desk) -> None:
    save(desk, first(desk), name_de="Erstgespräch", lengths="45", languages=["de", "en"], max_per_day="3")
    original = first(desk)
    do(desk, original, "duplicate")
    copy = types(desk)[-1]
    assert (copy.name, copy.visibility, copy.slug) == (
        f"{original.name} (copy)",
        "hidden",
        "call-with-anna-beispiel-copy",
    )
    kept = ("lengths", "languages", "max_per_day", "wording", "questions", "reminders", "is_email_needed")
    assert [getattr(copy, key) for key in kept] == [getattr(original, key) for key in kept]


def test_an_archived_call_type_with_a_call_ahead_lets_the_call_live_and_takes_no_other(
    desk: Desk, client: Visitor
) -> None:
    token = client.token()
    do(desk, first(desk), "archive")
    assert client.get("/anna/call").status_code == 404
    assert client.book().status_code == 404
    assert client.get(f"/c/{token}").status_code == 200
    later = client.page(f"/c/{token}/move?day=2026-11-25")
    start = next(link for link in later.links if "start=" in link and "2026-11-25" in link)
    form = client.page(start).post_form
    assert client.post(f"/c/{token}/move", data=form.fields).status_code == 303
    with desk.services.database.reading() as db:
        call = db.scalars(sa.select(Call)).one()
        assert (call.starts_at.day, call.call_type.slug) == (25, "call")


def test_what_comes_back_from_the_archive_is_hidden_at_first(desk: Desk) -> None:
    do(desk, first(desk), "archive")
    assert "Archive" in desk.read(LIST)
    do(desk, first(desk), "bring_back")
    assert (first(desk).archived_at, first(desk).visibility) == (None, "hidden")


# One call type


def test_a_new_call_type_needs_only_a_name(desk: Desk, client: Visitor) -> None:
    answer = desk.post(f"{LIST}/new", data={**filled(desk, f"{LIST}/new"), "name": "Ein ruhiges Gespräch"})
    assert answer.status_code == 303
    assert client.get("/anna/ein-ruhiges-gespraech").status_code == 200
    made = types(desk)[-1]
    assert (made.minutes, made.reminders, made.questions, made.is_email_needed) == (30, "1440 60", "note", True)


def test_saving_without_a_change_changes_nothing(desk: Desk) -> None:
    before = dump(desk.services)
    save(desk, first(desk))
    after = dump(desk.services)
    assert after["call_type"] == before["call_type"]


def test_what_is_saved_is_what_clients_meet(desk: Desk, client: Visitor) -> None:
    save(
        desk,
        first(desk),
        name="First talk",
        name_de="Erstes Gespräch",
        description_de="Wir lernen uns kennen.",
        lengths="45, 15",
        languages=["de", "en"],
        email="optional",
        questions=["voicemail", "text"],
        who_calls="owner",
    )
    stored = first(desk)
    assert (stored.lengths, stored.languages, stored.questions) == ("15 30 45", "de en", "voicemail text")
    german = client.get("/anna?lang=de").text
    assert '<h3 lang="de"><a href="/anna/call?lang=de">Erstes Gespräch</a></h3>' in german
    assert "15, 30 oder 45 Minuten" in german
    assert "Wir können Deutsch und Englisch sprechen." in german
    assert '<h3 lang="en"><a href="/anna/call?lang=ru">First talk</a></h3>' in client.get("/anna?lang=ru").text
    form = client.details()
    assert "note" not in form.fields


def test_the_owner_s_own_language_has_no_second_name(desk: Desk) -> None:
    save(desk, first(desk), name_en="Another name", name_de="Anderer Name")
    assert first(desk).wording == {"de": {"name": "Anderer Name"}}
    save(desk, first(desk), name_de="")
    assert first(desk).wording == {}


def test_what_was_typed_stays_when_something_is_wrong(desk: Desk) -> None:
    page = save(desk, first(desk), 422, name="", description="kept", minutes="4", lengths="a lot", horizon_days="0")
    for field in ("name", "minutes", "lengths", "horizon_days"):
        assert f'id="{field}-problem"' in page
    assert 'value="kept"' in page
    assert first(desk).name == "Call with Anna Beispiel"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"slug": "only-anna"}, "slug"),
        ({"slug": "privacy"}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"reminders": ["10080", "2880", "1440", "60"]}, "reminders"),
        ({"languages": ["de", "xx"]}, "languages"),
        ({"questions": ["note", "income"]}, "questions"),
        ({"lengths": "15 20 25 35 40 50 55"}, "lengths"),
        ({"lengths": "1" * 5000}, "lengths"),
        ({"max_per_day": "0"}, "max_per_day"),
        ({"visibility": "secret"}, "visibility"),
    ],
)
def test_what_can_t_be_used_is_said_at_its_field(desk: Desk, typed: dict[str, Any], field: str) -> None:
    before = dump(desk.services)["call_type"]
    assert f'id="{field}-problem"' in save(desk, first(desk), 422, **typed)
    assert dump(desk.services)["call_type"] == before


def test_another_word_in_the_address_ends_the_old_one(desk: Desk, client: Visitor) -> None:
    save(desk, first(desk), slug="talk")
    assert client.get("/anna/talk").status_code == 200
    assert client.get("/anna/call").status_code == 404


def test_a_call_type_by_link_has_an_address_that_nobody_can_guess(desk: Desk, client: Visitor) -> None:
    save(desk, first(desk), visibility="link", slug="call")
    secret = first(desk).slug
    assert re.fullmatch("[0-9a-f]{32}", secret)
    assert f"https://calls.example.org/anna/{secret}" in desk.read(LIST)
    assert client.get("/anna/call").status_code == 404
    assert client.get(f"/anna/{secret}").status_code == 200
    for where in ("/", "/anna", "/anna/only-anna", "/api/v1/anna"):
        assert secret not in client.get(where, follow_redirects=True).text
    assert client.book(call_type=secret).status_code == 201


def test_a_link_stays_when_its_call_type_is_saved_or_hidden_for_a_while(desk: Desk) -> None:
    save(desk, first(desk), visibility="link")
    secret = first(desk).slug
    save(desk, first(desk), name="Another name")
    save(desk, first(desk), visibility="hidden")
    do(desk, first(desk), "show")
    assert (first(desk).slug, first(desk).visibility) == (secret, "link")


def test_a_link_that_was_handed_out_too_far_can_be_ended(desk: Desk, client: Visitor) -> None:
    save(desk, first(desk), visibility="link")
    before = first(desk).slug
    do(desk, first(desk), "renew")
    assert first(desk).slug != before
    assert client.get(f"/anna/{before}").status_code == 404


def test_a_call_type_that_everybody_finds_again_gets_a_word_to_remember(desk: Desk, client: Visitor) -> None:
    save(desk, first(desk), visibility="link")
    save(desk, first(desk), visibility="listed")
    assert first(desk).slug == "call-with-anna-beispiel"
    assert client.get("/anna/call-with-anna-beispiel").status_code == 200


def test_two_windows_lose_nothing(desk: Desk) -> None:
    old = filled(desk, path(first(desk)))
    save(desk, first(desk), name="First window")
    answer = desk.post(path(first(desk)), data={**old, "name": "Second window"})
    assert answer.status_code == 409
    assert 'value="Second window"' in answer.text
    assert first(desk).name == "First window"
    again = next(form for form in Page(answer.text).forms if form.method == "post").fields
    assert desk.post(path(first(desk)), data={**old, **again, "name": "Second window"}).status_code == 303
    assert first(desk).name == "Second window"


def test_somebody_else_s_call_type_is_not_found(desk: Desk, berts_desk: Desk) -> None:
    bert, before = first(berts_desk), dump(desk.services)
    form, sent = filled(desk, path(first(desk))), desk.form(LIST).fields
    assert desk.get(path(bert)).status_code == 404
    assert desk.post(path(bert), data={**form, "name": "Stolen"}).status_code == 404
    for deed in ("up", "down", "duplicate", "hide", "show", "renew", "archive", "bring_back"):
        assert desk.post(f"{path(bert)}/{deed}", data=sent).status_code == 404
    after = dump(desk.services)
    assert after["call_type"] == before["call_type"]


def test_fields_that_are_not_asked_for_change_nothing(desk: Desk) -> None:
    before = dump(desk.services)["call_type"]
    save(desk, first(desk), id="99", owner_id="2", position="7", archived_at="2020-01-01", is_email_needed="")
    assert dump(desk.services)["call_type"] == before


def test_a_form_of_an_old_page_is_kept(desk: Desk) -> None:
    page = save(desk, first(desk), 400, csrf_token="old", name="Kept name")
    assert 'value="Kept name"' in page
    assert first(desk).name == "Call with Anna Beispiel"
    answer = desk.post(f"{path(first(desk))}/archive", data={"csrf_token": "old"})
    assert answer.status_code == 400
    assert first(desk).archived_at is None


def test_what_was_set_by_command_can_still_be_chosen(desk: Desk) -> None:
    with desk.services.database.writing() as db:
        own = {"reminders": "4000 45", "languages": "eo", "step_minutes": 25, "notice_minutes": 100}
        db.execute(sa.update(CallType).where(CallType.id == first(desk).id).values(**own))
    before = dump(desk.services)["call_type"]
    save(desk, first(desk))
    assert dump(desk.services)["call_type"] == before


def test_a_farther_horizon_lets_the_calendars_be_read_again(desk: Desk) -> None:
    save(desk, first(desk), horizon_days="200")
    assert first(desk).horizon_days == 200


@pytest.mark.parametrize("code", ["de", "ru"])
def test_the_room_speaks_the_reader_s_language(desk: Desk, code: str) -> None:
    for where in (LIST, path(first(desk)), f"{LIST}/new"):
        assert f'<html lang="{code}"' in desk.read(f"{where}?lang={code}")
