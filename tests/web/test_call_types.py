"""What a call type offers besides its times: a choice of lengths, words in several languages, questions, no mail."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.services import Services
from booking.store.models import Call, CallType, Owner
from booking.worker import run_job
from tests.fakes import MailBox
from tests.web.visitors import TUESDAY, Visitor, open_house, person

HALF_PAST = TUESDAY + timedelta(minutes=30)
TALK = "/anna/call"
PLACE = f"?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def client(app: Flask) -> Visitor:
    return Visitor(app)


def change(services: Services, slug: str = "call", **values: Any) -> None:
    """Change Anna's call type as its owner would: under the lock."""
    with services.database.writing() as db:
        anna = db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one()
        anna.revision += 1
        call_type = db.scalars(sa.select(CallType).where(CallType.owner_id == anna.id, CallType.slug == slug)).one()
        for key, value in values.items():
            setattr(call_type, key, value)


def only_call(services: Services) -> Call:
    with services.database.reading() as db:
        return db.scalars(sa.select(Call)).one()


def mails(services: Services, mailbox: MailBox) -> list[str]:
    """Let everything leave and return what was written, with its subject."""
    while run_job(services):
        pass
    bodies = ((mail["Subject"], mail.get_body(("plain",))) for mail in mailbox.sent)
    return [f"{subject}\n{body.get_content()}" for subject, body in bodies if body is not None]


# Lengths


def test_a_call_type_of_one_length_offers_no_choice(client: Visitor) -> None:
    assert 'class="lengths' not in client.get(TALK).text


def test_the_lengths_are_links_and_every_link_carries_the_chosen_one_on(client: Visitor, services: Services) -> None:
    change(services, lengths="15 30 45")
    page = client.page(f"{TALK}?minutes=45&lang=de")
    assert "?minutes=15&lang=de" in page.links
    inside = [link for link in page.links if link.startswith((f"{TALK}?", f"{TALK}/book"))]
    assert inside
    assert all("minutes=45" in link for link in inside)
    answer = client.get(f"{TALK}?minutes=45").text
    assert '<a href="?minutes=45" aria-current="true">45 minutes</a>' in answer
    assert "45 minutes · I call you" in answer


def test_links_to_the_usual_length_need_not_name_it(client: Visitor, services: Services) -> None:
    change(services, lengths="15 30 45")
    page = client.page(f"{TALK}?minutes=30")
    assert not [link for link in page.links if link.startswith(f"{TALK}/book") and "minutes" in link]


def test_a_longer_call_is_offered_only_where_it_fits(client: Visitor, services: Services) -> None:
    change(services, lengths="30 120")
    short = client.get("/api/v1/anna/call/slots").get_json()["slots"]
    long = client.get("/api/v1/anna/call/slots?minutes=120").get_json()["slots"]
    assert len(long) < len(short)
    assert {slot["start"] for slot in long} < {slot["start"] for slot in short}
    assert long[0]["end"] > short[0]["end"]
    again = client.get("/api/v1/anna/call/slots").get_json()["slots"]
    assert again == short


@pytest.mark.parametrize("minutes", ["60", "0", "abc", "-15", "45.0", "9999999", ""])
def test_a_page_for_a_length_that_is_not_offered_shows_the_usual_one(
    client: Visitor, services: Services, minutes: str
) -> None:
    change(services, lengths="30 45")
    answer = client.get(TALK, query_string={"minutes": minutes})
    assert answer.status_code == 200
    assert "30 minutes · I call you" in answer.text
    assert "30 minutes" in client.get(f"{TALK}/book{PLACE}&minutes={minutes}").text


def test_the_chosen_length_is_the_call_s_everywhere(client: Visitor, services: Services, mailbox: MailBox) -> None:
    change(services, lengths="30 45")
    form = client.page(f"{TALK}/book{PLACE}&minutes=45").post_form
    services.now.advance(timedelta(seconds=3))  # type: ignore[attr-defined]
    answer = client.post(form.action, data={**form.fields, **person()})
    assert answer.status_code == 303
    call = only_call(services)
    assert call.ends_at - call.starts_at == timedelta(minutes=45)
    assert "We have 45 minutes." in client.get(answer.location).text
    to_client = mails(services, mailbox)[0]
    assert "We have 45 minutes." in to_client
    assert "DTEND:20261124T084500Z" in client.get(f"{answer.location}/call.ics").text


def test_a_form_whose_length_is_offered_no_more_books_nothing_and_keeps_what_was_typed(
    client: Visitor, services: Services
) -> None:
    change(services, lengths="30 45")
    form = client.page(f"{TALK}/book{PLACE}&minutes=45").post_form
    change(services, lengths="")
    services.now.advance(timedelta(seconds=3))  # type: ignore[attr-defined]
    answer = client.post(form.action, data={**form.fields, **person()})
    assert answer.status_code == 409
    assert "A call of this length is not offered any more." in answer.text
    assert 'value="Kim 1"' in answer.text
    with services.database.reading() as db:
        assert not db.scalars(sa.select(Call)).all()


def test_a_form_whose_usual_length_was_changed_books_no_other_one(client: Visitor, services: Services) -> None:
    form = client.details()
    change(services, minutes=60)
    assert client.post(f"{TALK}/book", data={**form.fields, **person()}).status_code == 409


def test_the_api_books_the_length_that_is_asked_for(client: Visitor, services: Services) -> None:
    change(services, lengths="30 45")
    answer = client.book(minutes=45)
    assert answer.status_code == 201
    assert answer.get_json()["end"] == "2026-11-24T09:45:00+01:00"
    taken = client.book(HALF_PAST, minutes=45, **person(2)).get_json()
    assert taken["error"] == "slot_taken"


@pytest.mark.parametrize("minutes", [60, 0, -1, "45", 45.0, True, None, [45]])
def test_the_api_takes_no_length_that_is_not_offered(client: Visitor, services: Services, minutes: object) -> None:
    change(services, lengths="30 45")
    answer = client.book(minutes=minutes)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["minutes"])


@pytest.mark.parametrize("minutes", ["60", "abc", "", "-1"])
def test_no_slots_are_listed_of_a_length_that_is_not_offered(client: Visitor, minutes: str) -> None:
    answer = client.get("/api/v1/anna/call/slots", query_string={"minutes": minutes})
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["minutes"])


def test_the_same_key_with_another_length_is_another_request(client: Visitor, services: Services) -> None:
    change(services, lengths="30 45")
    assert client.book(key="one").status_code == 201
    assert client.book(key="one", minutes=30).status_code == 201
    assert client.book(key="one", minutes=45).status_code == 422


def test_a_call_that_is_moved_keeps_its_length(client: Visitor, services: Services) -> None:
    change(services, lengths="30 45")
    token = client.token(minutes=45)
    change(services, lengths="")
    later = (TUESDAY + timedelta(days=1)).isoformat()
    moved = client.post(f"/api/v1/calls/{token}/move", json={"start": later}).get_json()
    assert (moved["start"], moved["end"]) == ("2026-11-25T09:00:00+01:00", "2026-11-25T09:45:00+01:00")
    assert 'class="lengths' not in client.get(f"/c/{token}/move").text


# Words


def test_words_are_read_in_the_reader_s_language_and_else_in_the_owner_s(client: Visitor, services: Services) -> None:
    change(services, description="For you.", wording={"de": {"name": "Erstgespräch"}})
    page = client.get(f"{TALK}?lang=de").text
    assert '<h1 lang="de">Erstgespräch</h1>' in page
    assert '<p class="lead" lang="en">For you.</p>' in page
    assert '<h1 lang="en">Call with Anna Beispiel</h1>' in client.get(f"{TALK}?lang=ru").text
    assert '<span lang="de">Erstgespräch</span>' in client.get(f"{TALK}/book{PLACE}&lang=de").text
    told = client.get("/api/v1/anna", headers={"Accept-Language": "de"})
    assert told.get_json()["call_types"][0]["name"] == "Erstgespräch"
    assert "Accept-Language" in told.headers["Vary"]


def test_mails_to_the_client_use_the_client_s_words_and_those_to_the_owner_the_owner_s(
    client: Visitor, services: Services, mailbox: MailBox
) -> None:
    change(services, wording={"de": {"name": "Erstgespräch"}})
    token = client.token(locale="de")
    assert '<dd lang="de">Erstgespräch</dd>' in client.get(f"/c/{token}").text
    to_client, to_owner = mails(services, mailbox)
    assert "Thema: Erstgespräch" in to_client
    assert "Call with Anna Beispiel" in to_owner


def test_the_languages_that_can_be_spoken_are_named_in_the_reader_s(client: Visitor, services: Services) -> None:
    assert "We can speak" not in client.get(TALK).text
    change(services, languages="de tr")
    assert "We can speak German and Turkish." in client.get(TALK).text
    assert "Wir können Deutsch und Türkisch sprechen." in client.get("/anna?lang=de").text


# Without a mail address


def test_without_an_address_the_page_shows_the_link_and_nobody_is_written_to(
    client: Visitor, services: Services, mailbox: MailBox
) -> None:
    change(services, is_email_needed=False)
    assert "keep the link that the next page shows" in client.get(f"{TALK}/book{PLACE}").text
    answer = client.book_by_form(email="")
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "Nobody writes to you about this call" in page
    assert f'<a class="address" href="https://calls.example.org{answer.location}">' in page
    (told,) = mails(services, mailbox)
    assert "New call" in told
    assert "We are both told by mail." not in client.get(f"{answer.location}/cancel").text


def test_where_an_address_is_needed_none_is_an_error(client: Visitor) -> None:
    assert client.book_by_form(email="").status_code == 422
    answer = client.book(email="")
    assert list(answer.get_json()["fields"]) == ["email"]


def test_the_api_takes_a_call_without_an_address_where_none_is_needed(client: Visitor, services: Services) -> None:
    change(services, is_email_needed=False)
    body = {"start": TUESDAY.isoformat(), "name": "Kim", "phone": "+491701234567"}
    assert client.post("/api/v1/anna/call/calls", json=body).status_code == 201


def test_a_client_who_calls_and_gives_neither_number_nor_address_is_asked_for_one(
    client: Visitor, services: Services
) -> None:
    change(services, "only-anna", is_email_needed=False)
    nobody = {"email": "", "phone": ""}
    answer = client.book_by_form(TUESDAY, "anna", "only-anna", **nobody)
    assert answer.status_code == 422
    assert "Give a phone number or a mail address" in answer.text
    assert client.book_by_form(TUESDAY, "anna", "only-anna", **{**nobody, "phone": "0170 1234567"}).status_code == 303
    assert only_call(services).phone == "+491701234567"


def test_people_without_an_address_are_counted_by_their_number(client: Visitor, services: Services) -> None:
    change(services, is_email_needed=False)
    answers = [client.book(start, email="").status_code for start in client.apart(6)]
    assert answers == [201] * 5 + [429]


def test_a_client_can_add_an_address_later_and_hears_by_mail_from_then_on(
    client: Visitor, services: Services, mailbox: MailBox
) -> None:
    change(services, is_email_needed=False)
    token = client.token(email="")
    form = client.page(f"/c/{token}/correct").post_form
    answer = client.post(f"/c/{token}/correct", data={**form.fields, "email": "kim@example.com"})
    assert answer.status_code == 303
    assert "Nobody writes to you" not in client.get(answer.location).text
    assert any("New details" in mail for mail in mails(services, mailbox))


def test_a_correction_can_leave_the_address_out_where_none_is_needed(client: Visitor, services: Services) -> None:
    change(services, is_email_needed=False)
    token = client.token()
    form = client.page(f"/c/{token}/correct").post_form
    answer = client.post(f"/c/{token}/correct", data={**form.fields, "email": ""})
    assert answer.status_code == 303
    assert only_call(services).email == ""
    assert "Nobody writes to you" in client.get(answer.location).text


# Questions


def test_what_is_asked_is_answered_kept_and_shown_to_both(
    client: Visitor, services: Services, mailbox: MailBox
) -> None:
    change(services, questions="note voicemail others text")
    answer = client.book_by_form(voicemail="yes", text="yes", note="About texts.")
    assert only_call(services).answers == {"voicemail": True, "others": False, "text": True}
    page = client.get(answer.location).text
    for sentence in ("I may leave a message.", "Nobody else is to answer.", "I may write a text message."):
        assert sentence in page
    to_owner = mails(services, mailbox)[1]
    assert "Leave a message: yes" in to_owner
    assert "Somebody else may answer: no" in to_owner
    assert "Leave a message" not in mails(services, mailbox)[0]


def test_what_is_not_asked_is_neither_shown_nor_kept(client: Visitor, services: Services) -> None:
    change(services, questions="")
    form = client.details()
    assert not {"note", "voicemail", "others", "text"} & set(form.fields)
    data = {**form.fields, **person(), "note": "kept?", "voicemail": "yes"}
    assert client.post(f"{TALK}/book", data=data).status_code == 303
    call = only_call(services)
    assert (call.note, call.answers) == ("", {})


def test_answers_survive_a_form_that_has_to_be_corrected(client: Visitor, services: Services) -> None:
    change(services, questions="voicemail others")
    page = client.book_by_form(name="", voicemail="yes").text
    assert '<input type="checkbox" name="voicemail" value="yes" checked>' in page
    assert '<input type="checkbox" name="others" value="yes">' in page


def test_the_api_takes_answers_of_what_is_asked(client: Visitor, services: Services) -> None:
    change(services, questions="voicemail others")
    sent = {"voicemail": True, "text": True}
    assert client.book(answers=sent, others=True, note="ignored").status_code == 201
    call = only_call(services)
    assert (call.answers, call.note) == ({"voicemail": True, "others": False}, "")


@pytest.mark.parametrize("answers", ["yes", ["voicemail"], {"voicemail": "yes"}, {"text": 1}, None])
def test_the_api_takes_no_answer_but_true_and_false(client: Visitor, answers: object) -> None:
    answer = client.book(answers=answers)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["answers"])


# Hidden, by link


def test_a_hidden_call_type_is_politely_closed_and_says_what_else_there_is(client: Visitor, services: Services) -> None:
    change(services, visibility="hidden")
    for path in (TALK, f"{TALK}/book{PLACE}"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert '<a class="button quiet" href="/anna">Other calls</a>' in answer.text
        assert "This call can&#39;t be booked at the moment" in answer.text
    assert client.get("/api/v1/anna/call/slots").status_code == 404
    assert client.book().status_code == 404


def test_what_is_hidden_while_a_form_is_filled_is_not_booked(client: Visitor, services: Services) -> None:
    form = client.details()
    change(services, visibility="hidden")
    answer = client.post(f"{TALK}/book", data={**form.fields, **person()})
    assert answer.status_code == 404
    assert "This call can&#39;t be booked at the moment" in answer.text


def test_one_call_type_that_everybody_finds_is_where_the_owner_s_address_leads(
    client: Visitor, services: Services
) -> None:
    change(services, visibility="link")
    assert client.get("/anna").location == "/anna/only-anna"
    assert "other calls" not in client.get("/anna/only-anna").text
    assert "other calls" in client.get(TALK).text
    listed = client.get("/api/v1/anna").get_json()["call_types"]
    assert [each["slug"] for each in listed] == ["only-anna"]


def test_a_cancelled_call_of_a_hidden_call_type_leads_to_what_else_there_is(
    client: Visitor, services: Services, mailbox: MailBox
) -> None:
    token = client.token()
    change(services, visibility="hidden")
    assert client.post(f"/api/v1/calls/{token}/cancel").status_code == 200
    (cancelled,) = (mail for mail in mails(services, mailbox) if "is cancelled" in mail and "As you wished" in mail)
    assert "https://calls.example.org/anna\n" in cancelled
