"""A time that was only noted, because the calendar was silent: what its client sees, and can do."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from booking.calendars.port import Unreachable
from booking.rules.lifecycle import State
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar
from booking.usecases.requests import decide
from booking.web.reserving import house
from tests.fakes import Server
from tests.web.test_manage import act, change_owner, the_call
from tests.web.visitors import TUESDAY, Visitor, dump


@pytest.fixture
def token(anna: Visitor, server: Server) -> str:
    """The link of a time that Kim had noted for Tuesday, 9:00."""
    server["/anna/calls/"].failing = Unreachable("away")
    return anna.token()


def answer(services: Services, *, is_free: bool) -> None:
    """Let the calendar be read an hour later, and the clock decide."""
    services.now.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    with services.database.writing() as db:
        busy = Timeline.of([] if is_free else [Period(TUESDAY, TUESDAY + timedelta(hours=1))])
        db.execute(sa.update(Calendar).values(read_at=services.now(), busy=busy))
        assert decide(db, house(services), the_call(services).id, services.now())


def test_the_page_says_that_the_time_is_noted_and_by_when_the_answer_comes(anna: Visitor, token: str) -> None:
    text = anna.get(f"/c/{token}").text
    for words in (
        "Not confirmed yet.",
        "Noted for you: Tuesday, 24 November, 9:00",
        "You have my answer by Monday, 23 November, 17:00 (Berlin time).",
        "If it works, I will call you on Tuesday, 24 November 2026, at 9:00 (Berlin time). Number: +49 170 1200001.",
        "My answer goes to this address.",
        "You had the time noted.",
    ):
        assert words in text
    for words in ("I will call you on Tuesday, 24 November 2026, at 9:00", "arranged", "If the line drops"):
        assert words not in text.replace("If it works, I will call", "")


def test_the_promise_is_written_on_the_client_s_clock(anna: Visitor, token: str) -> None:
    text = anna.get(f"/c/{token}?tz=Asia/Tokyo").text
    assert "You have my answer by Tuesday, 24 November, 1:00 (Tokyo time)." in text


def test_where_the_client_calls_it_says_so_too(anna: Visitor, server: Server) -> None:
    server["/anna/calls/"].failing = Unreachable("away")
    text = anna.get(f"/c/{anna.token(call_type='short')}").text
    assert "If it works, you call me on Tuesday, 24 November 2026, at 9:00 (Berlin time)." in text


def test_what_is_only_noted_is_nothing_for_a_calendar_and_can_t_be_moved(anna: Visitor, token: str) -> None:
    text = anna.get(f"/c/{token}").text
    assert "call.ics" not in text
    assert "/move" not in text
    assert anna.get(f"/c/{token}/call.ics").status_code == 404
    assert anna.get(f"/c/{token}/move").location == f"/c/{token}"
    form = anna.page(f"/c/{token}/cancel").post_form
    answer = anna.post(f"/c/{token}/move", data={**form.fields, "start": "2026-11-24T10:00:00Z"})
    assert (answer.status_code, answer.location) == (303, f"/c/{token}")
    moved = anna.post(f"/api/v1/calls/{token}/move", json={"start": "2026-11-24T10:00:00Z"})
    assert (moved.status_code, moved.get_json()) == (409, {"error": "too_late"})


def test_a_noted_time_is_corrected_like_a_call(anna: Visitor, annas: Services, token: str) -> None:
    assert act(anna, f"/c/{token}/correct", phone="0151 23456789").location == f"/c/{token}"
    assert (the_call(annas).phone, the_call(annas).state) == ("+4915123456789", State.REQUESTED)


def test_a_noted_time_is_given_back_after_one_question(anna: Visitor, annas: Services, token: str) -> None:
    question = anna.get(f"/c/{token}/cancel").text
    assert "Give this time back?" in question
    assert "Cancel" not in question
    first = act(anna, f"/c/{token}/cancel")
    assert (first.status_code, first.location) == (303, f"/c/{token}")
    text = anna.get(f"/c/{token}").text
    assert "This time was given back." in text
    assert "You gave the time back." in text
    assert '/anna/call"' in text
    assert the_call(annas).state is State.WITHDRAWN
    assert "start=2026-11-24T08:00:00Z" in anna.get("/anna/call?day=2026-11-24").text


def test_giving_back_twice_is_giving_back_once(anna: Visitor, annas: Services, token: str) -> None:
    form = anna.page(f"/c/{token}/cancel").post_form
    first = anna.post(form.action, data=form.fields)
    before = dump(annas)
    second = anna.post(form.action, data=form.fields)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert dump(annas) == before


def test_a_confirmed_request_is_a_call_like_any_other(anna: Visitor, annas: Services, token: str) -> None:
    answer(annas, is_free=True)
    text = anna.get(f"/c/{token}").text
    assert "This call is arranged." in text
    assert "The time was confirmed." in text
    assert "You have my answer by" not in text
    assert "call.ics" in text


def test_a_declined_request_is_told_kindly_and_leads_to_the_free_times(
    anna: Visitor, annas: Services, token: str
) -> None:
    answer(annas, is_free=False)
    text = anna.get(f"/c/{token}").text
    assert "This time does not work." in text
    assert "I am sorry" in text
    assert '/anna/call"' in text
    assert "The time was not confirmed." in text
    for action in ("/cancel", "/correct", "/move", "call.ics"):
        assert action not in text


def test_a_neutral_owner_s_page_has_a_title_that_says_nothing(anna: Visitor, annas: Services, token: str) -> None:
    change_owner(annas, discretion="neutral")
    assert "<title>Your appointment</title>" in anna.get(f"/c/{token}").text


def test_a_noted_time_that_has_begun_promises_nothing_any_more(anna: Visitor, annas: Services, token: str) -> None:
    annas.now.advance(timedelta(days=2))  # type: ignore[attr-defined]
    text = anna.get(f"/c/{token}").text
    assert "The time of this call has passed." in text
    assert "You have my answer by" not in text
    assert "/cancel" not in text
