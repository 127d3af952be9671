"""The form that books a call: one call for one form, and nothing typed is ever lost."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from booking.app import create_app
from booking.calendars.port import Unreachable
from booking.rules.hours import Timetable
from booking.services import Services
from booking.store.database import Database
from booking.store.models import Calendar, Call, CallType, Owner
from booking.usecases.availability import load_offer
from tests.fakes import Server
from tests.web.visitors import TUESDAY, Page, Visitor, dump, person

BOOK = "/anna/call/book"


def calls(services: Services) -> list[Call]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(Call).order_by(Call.created_at, Call.starts_at)))


def send(visitor: Visitor, fields: dict[str, str], path: str = BOOK, **typed: str) -> TestResponse:
    return visitor.post(path, data={**fields, **person(), **typed})


def assert_typed_is_kept(answer: TestResponse, **typed: str) -> None:
    fields = Page(answer.text).post_form.fields
    for name, value in {**person(), **typed}.items():
        assert fields[name] == value


# The form


def test_the_form_names_the_time_and_says_what_its_button_does(anna: Visitor) -> None:
    text = anna.get(f"{BOOK}?start=2026-11-24T08:30:00Z&tz=America/New_York").text
    assert "Tuesday, 24 November 2026, 3:30 <small>(New York time)</small>" in text
    assert "Where I am, it will be Tuesday, 24 November, 9:30 (Berlin time)." in text
    assert "Book the call for Tue 24 Nov, 3:30" in text


@pytest.mark.parametrize(
    ("call_type", "asks_number", "asks_who"), [("call", True, False), ("text", True, True), ("short", False, False)]
)
def test_only_what_is_needed_is_asked(anna: Visitor, call_type: str, asks_number: bool, asks_who: bool) -> None:
    text = anna.get(f"/anna/{call_type}/book?start=2026-11-24T08:00:00Z").text
    assert ('name="phone"' in text) is asks_number
    assert ('name="who_calls"' in text) is asks_who


def test_fields_tell_browsers_and_readers_of_the_screen_what_they_are(anna: Visitor) -> None:
    tags = anna.page(f"{BOOK}?start=2026-11-24T08:00:00Z").tags
    inputs = {values["name"]: values for tag, values in tags if tag == "input"}
    assert [inputs[name]["autocomplete"] for name in ("name", "phone", "email")] == ["name", "tel", "email"]
    assert inputs["phone"]["inputmode"] == "tel"
    assert inputs["name"]["aria-describedby"].strip() == "name-hint"
    labelled = {values["for"] for tag, values in tags if tag == "label" and "for" in values}
    assert {"name", "phone", "email", "note"} <= labelled


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("2026-11-24T08:00:01Z", 409),
        ("2026-11-24T02:00:00Z", 409),
        ("2020-01-01T08:00:00Z", 409),
        ("9999-12-31T23:59:59Z", 400),
        ("2026-11-24T08:00:00", 400),
        ("tomorrow", 400),
        ("", 400),
    ],
)
def test_a_start_that_is_not_offered_shows_the_nearest_that_are(anna: Visitor, start: str, status: int) -> None:
    answer = anna.get(f"{BOOK}?start={start}")
    assert answer.status_code == status
    assert answer.text.count("/anna/call/book?start=") >= 6
    assert 'method="post"' not in answer.text


def test_where_nothing_is_free_at_all_the_page_says_so(anna: Visitor, annas: Services) -> None:
    with annas.database.writing() as db:
        db.execute(sa.update(Owner).values(timetable=Timetable()))
    answer = anna.get(f"{BOOK}?start=2026-11-24T08:00:00Z")
    assert answer.status_code == 409
    assert "There is no free time at the moment" in answer.text


@pytest.mark.parametrize("start", ["2026-11-24T09:30:00+01:00", "2026-11-24T09:30:00%2B01:00", "2026-11-24t08:30:00z"])
def test_any_way_of_writing_the_moment_is_read(anna: Visitor, start: str) -> None:
    answer = anna.get(f"{BOOK}?start={start}")
    assert answer.status_code == 200
    assert 'value="2026-11-24T08:30:00Z"' in answer.text


# Booked


def test_a_booked_call_is_what_was_typed(anna: Visitor, annas: Services) -> None:
    form = anna.details()
    answer = send(anna, form.fields, f"{BOOK}?lang=de&tz=Asia/Tokyo", phone="0170 1234567", note="About\r\na text")
    assert answer.status_code == 303
    (call,) = calls(annas)
    token = annas.signing.link_token(call.id, 1)
    assert answer.location == f"/c/{token}?lang=de&tz=Asia/Tokyo"
    assert (call.starts_at, call.ends_at) == (TUESDAY, TUESDAY + timedelta(minutes=30))
    assert (call.name, call.email, call.phone) == ("Kim 1", "kim1@example.com", "+491701234567")
    assert (call.note, call.who_calls, call.timezone, call.locale) == ("About\na text", "owner", "Asia/Tokyo", "de")


def test_the_client_may_choose_to_call(anna: Visitor, annas: Services) -> None:
    answer = anna.book_by_form(call_type="text", who_calls="client", phone="")
    assert answer.status_code == 303
    assert [(call.who_calls, call.phone) for call in calls(annas)] == [("client", "")]


def test_the_same_form_sent_twice_is_one_call(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    first, second = send(anna, fields), send(anna, fields)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(calls(annas)) == 1


def test_a_form_that_has_booked_asks_before_it_books_another(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    send(anna, fields)
    answer = send(anna, fields, start="2026-11-24T10:00:00Z", name="Robin")
    assert answer.status_code == 409
    assert "This form has already booked a call." in answer.text
    assert_typed_is_kept(answer, name="Robin", start="2026-11-24T10:00:00Z")
    annas.now.advance(timedelta(seconds=3))  # type: ignore[attr-defined]
    again = send(anna, Page(answer.text).post_form.fields, name="Robin")
    assert again.status_code == 303
    assert len(calls(annas)) == 2


def test_fields_nobody_asked_for_change_nothing(anna: Visitor, annas: Services) -> None:
    extra = {"id": "x", "state": "cancelled", "owner_id": "99", "ics_uid": "x", "locale": "ru", "timezone": "UTC"}
    assert anna.book_by_form(**extra).status_code == 303
    (call,) = calls(annas)
    assert (call.state.value, call.owner_id, call.locale, call.timezone) == ("confirmed", 1, "en", "Europe/Berlin")
    assert call.id != "x"


# Not booked, and nothing lost


def test_what_is_wrong_stands_at_the_field_and_in_a_summary_that_gets_the_focus(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    answer = send(anna, fields, email="kim@", phone="12")
    assert answer.status_code == 422
    page = Page(answer.text)
    summary = next(values for _, values in page.tags if values.get("id") == "summary")
    assert {"autofocus", "tabindex"} <= set(summary)
    assert summary["role"] == "alert"
    assert answer.text.index('href="#phone"') < answer.text.index('href="#email"')
    email = next(values for _, values in page.tags if values.get("id") == "email")
    assert email["aria-invalid"] == "true"
    assert email["aria-describedby"] == "email-hint email-problem"
    assert_typed_is_kept(answer, email="kim@", phone="12")
    assert page.post_form.fields["ticket"] == fields["ticket"]
    assert calls(annas) == []


def test_a_note_that_is_too_long_is_shown_opened(anna: Visitor) -> None:
    answer = anna.book_by_form(note="n" * 1001)
    assert answer.status_code == 422
    assert '<details class="field" open>' in answer.text
    assert "n" * 1001 in answer.text


def test_a_choice_nobody_offered_is_named(anna: Visitor) -> None:
    answer = anna.book_by_form(call_type="text", who_calls="both")
    assert answer.status_code == 422
    assert "Choose who calls whom." in answer.text


def test_taken_meanwhile_shows_free_times_as_buttons_of_the_same_form(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    assert anna.book(TUESDAY, **person(2)).status_code == 201
    answer = send(anna, fields, note="About a text")
    assert answer.status_code == 409
    assert "That time has just been taken. The nearest free times:" in answer.text
    page = Page(answer.text)
    assert_typed_is_kept(answer)
    assert "About a text" in answer.text
    assert "start" not in page.post_form.fields
    starts = [values["value"] for tag, values in page.tags if tag == "button" and values.get("name") == "start"]
    with annas.database.reading() as db:
        near = load_offer(db, "anna", "call", annas.now()).nearest(TUESDAY, 6)
    assert starts == [f"{start:%Y-%m-%dT%H:%M:%SZ}" for start in near]
    assert send(anna, page.post_form.fields, page.post_form.action, start=starts[0]).status_code == 303
    assert {call.name for call in calls(annas)} == {"Kim 1", "Kim 2"}
    assert {call.starts_at for call in calls(annas)} == {TUESDAY, near[0]}


def test_taken_and_nothing_else_free_is_said(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    with annas.database.writing() as db:
        db.execute(sa.update(CallType).values(notice_minutes=60 * 24 * 300))
    answer = send(anna, fields)
    assert answer.status_code == 409
    assert "there is no other free time." in answer.text
    assert_typed_is_kept(answer)


@pytest.mark.parametrize("start", ["2026-11-24T08:00:01Z", "2020-01-01T08:00:00Z", "9999-12-31T23:59:59Z", "x"])
def test_a_tampered_start_books_nothing(anna: Visitor, annas: Services, start: str) -> None:
    answer = send(anna, anna.details().fields, start=start)
    assert answer.status_code == 409
    assert calls(annas) == []
    assert_typed_is_kept(answer)


@pytest.mark.parametrize(
    ("wait", "status"),
    [(0, 400), (1.9, 400), (2, 303), (3600, 303), (24 * 3600, 303), (24 * 3600 + 1, 400), (-60, 400)],
)
def test_a_form_is_good_from_two_seconds_to_a_day(anna: Visitor, annas: Services, wait: float, status: int) -> None:
    form = anna.page(f"{BOOK}?start=2026-11-26T08:00:00Z").post_form
    annas.now.advance(timedelta(seconds=wait))  # type: ignore[attr-defined]
    with annas.database.writing() as db:
        db.execute(sa.update(Calendar).values(read_at=annas.now()))
    answer = send(anna, form.fields)
    assert answer.status_code == status
    assert len(calls(annas)) == (status == 303)
    if status == 400:
        assert_typed_is_kept(answer)
        assert "press the button once more" in answer.text
        annas.now.advance(timedelta(seconds=2))  # type: ignore[attr-defined]
        assert send(anna, Page(answer.text).post_form.fields).status_code == 303


@pytest.mark.parametrize("ticket", ["", "forged", "eyJub25jZSI6IngifQ.forged"])
def test_a_form_that_is_not_ours_books_nothing(anna: Visitor, annas: Services, ticket: str) -> None:
    answer = send(anna, anna.details().fields, ticket=ticket)
    assert answer.status_code == 400
    assert_typed_is_kept(answer)
    assert calls(annas) == []


def test_a_value_sealed_for_another_purpose_is_no_ticket(anna: Visitor, annas: Services) -> None:
    sealed = annas.signing.seal("other", {"nonce": "x", "at": annas.now().isoformat()})
    assert send(anna, anna.details().fields, ticket=sealed).status_code == 400


def test_without_limits_the_form_may_be_sent_at_once(annas: Services) -> None:
    free = replace(annas, settings=replace(annas.settings, rate_limits=False))
    visitor = Visitor(create_app(free.settings, free))
    form = visitor.page(f"{BOOK}?start=2026-11-24T08:00:00Z").post_form
    assert send(visitor, form.fields).status_code == 303


def test_whoever_fills_the_field_no_human_sees_books_nothing(anna: Visitor, annas: Services) -> None:
    answer = send(anna, anna.details().fields, website="https://spam.example")
    assert answer.status_code == 400
    assert Page(answer.text).post_form.fields["website"] == ""
    assert_typed_is_kept(answer)
    assert calls(annas) == []


@pytest.mark.parametrize("proof", ["", "forged"])
def test_a_form_without_its_cookie_is_shown_again_with_everything_typed(
    anna: Visitor, annas: Services, proof: str
) -> None:
    fields = {**anna.details().fields, "csrf_token": proof}
    before = dump(annas)
    answer = send(anna, fields)
    assert answer.status_code == 400
    assert "Nothing you typed is lost" in answer.text
    assert_typed_is_kept(answer)
    assert dump(annas) == before
    annas.now.advance(timedelta(seconds=3))  # type: ignore[attr-defined]
    assert send(anna, Page(answer.text).post_form.fields).status_code == 303


def test_one_person_holds_five_calls_and_is_told_when_the_next_is_possible(anna: Visitor, annas: Services) -> None:
    starts = anna.apart(6)
    for start in starts[:5]:
        assert anna.book(start, phone="+491701234567", email=f"k{start:%d%H%M}@example.com").status_code == 201
    answer = anna.book_by_form(starts[5], phone="+491701234567")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Several calls with you are planned already." in answer.text
    assert_typed_is_kept(answer, phone="+491701234567")
    assert len(calls(annas)) == 5


def test_one_address_is_not_flooded_with_mails(anna: Visitor) -> None:
    starts = anna.apart(4)
    for number, start in enumerate(starts[:3]):
        assert anna.book(start, phone=f"+49170123450{number}", email="kim1@example.com").status_code == 201
    answer = anna.book_by_form(starts[3])
    assert answer.status_code == 429
    assert "Several confirmations have gone to this mail address today." in answer.text


def test_one_network_books_twenty_calls_an_hour(anna: Visitor) -> None:
    starts = anna.apart(21)
    for number, start in enumerate(starts[:20]):
        assert anna.book(start, **person(100 + number)).status_code == 201
    answer = anna.book_by_form(starts[20])
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3600"
    assert "Try again in an hour." in answer.text


def test_while_a_calendar_does_not_answer_the_time_is_noted_and_the_answer_promised(
    anna: Visitor, annas: Services, server: Server
) -> None:
    fields = anna.details().fields
    server["/anna/calls/"].failing = Unreachable("away")
    answer = send(anna, fields)
    assert answer.status_code == 303
    (call,) = calls(annas)
    assert call.state == "requested"
    assert "You have my answer by Monday, 23 November, 17:00 (Berlin time)." in anna.get(answer.location).text


def test_a_form_of_a_silent_calendar_says_that_the_time_is_only_noted(anna: Visitor, annas: Services) -> None:
    booking = anna.get(f"{BOOK}?start=2026-11-24T08:00:00Z").text
    annas.now.advance(timedelta(minutes=16))  # type: ignore[attr-defined]
    noting = anna.get(f"{BOOK}?start=2026-11-24T08:00:00Z").text
    assert ("Book the call for Tue 24 Nov, 9:00" in booking, "Book the call" in noting) == (True, False)
    assert ("Note this time: Tue 24 Nov, 9:00" in booking, "Note this time: Tue 24 Nov, 9:00" in noting) == (
        False,
        True,
    )
    assert ("see my calendar at the moment" in booking, "see my calendar at the moment" in noting) == (False, True)


def set_discretion(services: Services, discretion: str, reminders: str = "1440 60") -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).values(discretion=discretion))
        db.execute(sa.update(CallType).values(reminders=reminders))


@pytest.mark.parametrize(
    ("discretion", "reminders", "asks"), [("normal", "1440 60", False), ("neutral", "", False), ("neutral", "60", True)]
)
def test_the_form_asks_about_reminders_where_nobody_is_reminded_unasked(
    anna: Visitor, annas: Services, discretion: str, reminders: str, asks: bool
) -> None:
    set_discretion(annas, discretion, reminders)
    assert ("Remind me by mail" in anna.get(f"{BOOK}?start=2026-11-24T08:00:00Z").text) is asks


@pytest.mark.parametrize("ticked", [True, False])
def test_who_ticks_the_box_is_reminded(anna: Visitor, annas: Services, ticked: bool) -> None:
    set_discretion(annas, "neutral")
    answer = anna.book_by_form(**({"reminders": "yes"} if ticked else {}))
    (call,) = calls(annas)
    assert call.wants_reminders is ticked
    assert ("remind you by mail" in anna.get(answer.location).text) is ticked


def test_a_ticked_box_stays_ticked_over_a_mistake(anna: Visitor, annas: Services) -> None:
    set_discretion(annas, "neutral")
    answer = anna.book_by_form(email="kim@", reminders="yes")
    assert answer.status_code == 422
    assert Page(answer.text).post_form.fields["reminders"] == "yes"


class Locked(Database):
    """A database that another writer holds."""

    def writing(self) -> NoReturn:
        raise OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError("database is locked"))


def test_a_locked_database_books_nothing_and_keeps_what_was_typed(anna: Visitor, annas: Services) -> None:
    fields = anna.details().fields
    locked = replace(annas, database=Locked(annas.settings.database_url))
    anna.client = create_app(locked.settings, locked).test_client()
    page = anna.page(f"{BOOK}?start=2026-11-24T08:00:00Z").post_form
    answer = send(anna, {**page.fields, "ticket": fields["ticket"]})
    locked.database.dispose()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing has been booked." in answer.text
    assert_typed_is_kept(answer, ticket=fields["ticket"])


def test_enter_chooses_no_other_time(anna: Visitor) -> None:
    """Enter presses a form's first button; on the page of a time that was taken, that one does nothing."""
    fields = anna.details().fields
    anna.book(TUESDAY, **person(2))
    buttons = [values for tag, values in Page(send(anna, fields).text).tags if tag == "button"]
    assert "disabled" in buttons[0]
    assert all("disabled" not in values for values in buttons[1:])


def test_a_time_that_is_booked_is_offered_to_nobody_else(anna: Visitor) -> None:
    assert anna.book_by_form().status_code == 303
    text = anna.get("/anna/call?day=2026-11-24").text
    assert "start=2026-11-24T08:00:00Z" not in text
    assert "start=2026-11-24T08:45:00Z" in text


def test_a_form_for_a_call_type_that_is_not_there_is_404(anna: Visitor) -> None:
    fields = anna.details().fields
    assert send(anna, fields, "/anna/nothing/book").status_code == 404
    assert send(anna, fields, "/nobody/call/book").status_code == 404
