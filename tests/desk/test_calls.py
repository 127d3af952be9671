"""One call at its owner's desk: what the page says, and cancelling and moving it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.calendars.port import Unreachable
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import Call, Job
from booking.usecases import calls
from booking.usecases.housekeeping import anonymise
from booking.usecases.notify import desk_link
from booking.usecases.reserve import book
from booking.web.reserving import house as house_of
from booking.worker import run_once
from tests.builders import wish
from tests.desk.deskwork import Desk, Page
from tests.fakes import Clock, MailBox, Server, event
from tests.web.visitors import TUESDAY, Visitor, dump, keep_calendars_fresh

TEN = TUESDAY + timedelta(hours=1)
"""Tuesday, 10:00 in Berlin."""
EVENING = TUESDAY + timedelta(hours=10)
"""Tuesday, 19:00 in Berlin: out of hours."""


def make(services: Services, owner: str = "anna", **values: object) -> Call:
    """Let Kim book a call on Tuesday at 10:00."""
    start = values.pop("start", TEN)
    assert isinstance(start, datetime)
    with services.database.writing() as db:
        return book(db, house_of(services), owner, "call", wish(start, **values), services.now())


def fresh(services: Services, call: Call) -> Call:
    with services.database.reading() as db:
        found = calls.load_call(db, call.id)
    assert found is not None
    return found


def messages(services: Services, call: Call) -> list[tuple[str, str, str]]:
    with services.database.reading() as db:
        found = db.scalars(sa.select(Job).where(Job.call_id == call.id, Job.kind == "mail").order_by(Job.number)).all()
    facts = [job.payload for job in found if job.payload]
    return [(mail["message"], mail["to"], mail["reason"]) for mail in facts if mail["message"] != "reminder"]


def tasks(services: Services) -> list[tuple[str, bool]]:
    with services.database.reading() as db:
        return [
            (task.message, task.done_at is None) for task in db.scalars(sa.select(PhoneTask).order_by(PhoneTask.id))
        ]


# What the page says


def test_the_page_says_who_calls_whom_when_and_on_which_number(desk: Desk, house: Services) -> None:
    call = make(house, note="About a speech", timezone="America/Vancouver", phone="+493090182000")
    text = desk.read(f"/desk/calls/{call.id}")
    for words in (
        "Tuesday, 24 November 2026, 10:00",
        "On the client&#39;s clock: Tuesday, 24 November, 1:00 (Vancouver time)",
        "You call Kim.",
        "30 minutes",
        'href="tel:+493090182000"',
        "This is a landline",
        "mailto:kim%40example.com",
        "About a speech",
        "If the line drops, you call back.",
        "This call is arranged.",
    ):
        assert words in text, words


def test_where_the_client_calls_the_page_says_so(desk: Desk, house: Services) -> None:
    with house.database.writing() as db:
        called = book(db, house_of(house), "anna", "only-anna", wish(TEN, who_calls="client", phone=""), house.now())
    text = desk.read(f"/desk/calls/{called.id}")
    assert "Kim calls you." in text
    assert "the client calls again" in text
    assert "+49 30 901820" in text


def test_the_answers_of_the_client_are_said(desk: Desk, house: Services) -> None:
    call = make(house)
    with house.database.writing() as db:
        db.execute(sa.update(Call).values(answers={"voicemail": False, "others": True, "text": True}))
    text = desk.read(f"/desk/calls/{call.id}")
    assert "Leave no message." in text
    assert "Somebody else may answer." in text
    assert "You may send a text message." in text


def test_the_history_tells_every_change_and_every_mail_in_its_order(
    desk: Desk, house: Services, clock: Clock, mailbox: MailBox
) -> None:
    call = make(house)
    while run_once(house):
        pass
    clock.advance(timedelta(minutes=10))
    keep_calendars_fresh(house)
    with house.database.writing() as db:
        calls.move(db, call.id, TEN + timedelta(hours=1), Actor.CLIENT, house.now(), house_of(house))
    with house.database.writing() as db:
        db.execute(
            sa.update(Job)
            .where(Job.group == f"{call.id}.owner", Job.done_at.is_(None))
            .values(
                parked_at=house.now(),
                error_kind="MailRefused",
                last_error="the mail server refused the mail: 550 no box",
            )
        )
    text = desk.read(f"/desk/calls/{call.id}")
    order = [
        "The client booked the call.",
        "Confirmation to the client <small>sent</small>",
        "The client moved the call. <small>Before: Tue 24 Nov, 10:00</small>",
        "Word to the client of the new time <small>goes out in a moment</small>",
        "Word to you of the new time <small>given up: The mail server refuses it and says: 550 no box</small>",
        "Reminder to the client <small>goes out then</small>",
    ]
    places = [text.find(words) for words in order]
    assert -1 not in places, dict(zip(order, places, strict=True))
    assert places == sorted(places)


def test_a_mail_that_became_pointless_is_not_called_sent(desk: Desk, house: Services, clock: Clock) -> None:
    call = make(house)
    while run_once(house):
        pass
    with house.database.writing() as db:
        calls.cancel(db, call.id, Actor.CLIENT, house.now(), house_of(house))
    clock.time = TEN - timedelta(hours=1)
    while run_once(house):
        pass
    assert "Reminder to the client <small>not needed any more</small>" in desk.read(f"/desk/calls/{call.id}")


def test_another_owner_s_call_looks_like_one_that_is_not_there(desk: Desk, house: Services) -> None:
    berts = make(house, "bert")
    for path in ("", "/move", "/move/to", "/cancel", "/client"):
        assert desk.get(f"/desk/calls/{berts.id}{path}").status_code == 404
        assert desk.get(f"/desk/calls/nobody{path}").status_code == 404
    token = desk.form(f"/desk/calls/{make(house).id}/cancel").fields["csrf_token"]
    before = dump(house)
    for path in ("/move/to", "/cancel", "/client/note", "/client/block", "/client/unblock"):
        assert desk.post(f"/desk/calls/{berts.id}{path}", data={"csrf_token": token}).status_code == 404, path
    assert dump(house) == before


def test_opening_the_pages_of_a_call_changes_nothing(desk: Desk, house: Services) -> None:
    call = make(house)
    before = dump(house)
    for path in ("", "/move", f"/move/to?start={EVENING:%Y-%m-%dT%H:%M:%SZ}", "/cancel", "/client"):
        assert desk.get(f"/desk/calls/{call.id}{path}").status_code == 200
    assert dump(house) == before


def test_a_forgotten_client_leaves_a_page_without_one(desk: Desk, house: Services, clock: Clock) -> None:
    call = make(house, note="secret")
    clock.advance(timedelta(days=5))
    with house.database.writing() as db:
        anonymise(db, call.owner_id, ended_before=house.now())
    for path in ("", "/client"):
        text = desk.read(f"/desk/calls/{call.id}{path}")
        assert "forgotten" in text
        assert not any(word in text for word in ("Kim", "kim@", "4917", "secret"))


# Cancelling


def test_the_client_reads_why_a_call_is_cancelled_and_the_owner_hears_nothing(
    desk: Desk, house: Services, app: Flask, mailbox: MailBox
) -> None:
    call = make(house)
    answer = desk.send(f"/desk/calls/{call.id}/cancel", reason="I have <b>lost</b> my voice.")
    assert (answer.status_code, answer.location) == (303, f"/desk/calls/{call.id}")
    assert "The client is told by mail." in desk.read(f"/desk/calls/{call.id}")
    assert messages(house, call)[2:] == [("cancelled", "client", "I have <b>lost</b> my voice.")]
    while run_once(house):
        pass
    told = mailbox.to("kim@example.com")[-1]
    body = told.get_body(("html",))
    assert body is not None
    assert "I have &lt;b&gt;lost&lt;/b&gt; my voice." in body.get_content()
    assert mailbox.to("anna@example.org") == []
    link = house.signing.link_token(call.id, call.link_version)
    assert "I have &lt;b&gt;lost&lt;/b&gt; my voice." in Visitor(app).get(f"/c/{link}").text


def test_the_time_of_a_cancelled_call_is_free_again(desk: Desk, house: Services, app: Flask) -> None:
    call = make(house)
    assert TEN not in Visitor(app).slots()
    desk.send(f"/desk/calls/{call.id}/cancel")
    assert TEN in Visitor(app).slots()


def test_who_cancels_at_the_same_moment_as_the_client_sees_what_is_now(desk: Desk, house: Services) -> None:
    call = make(house)
    form = desk.form(f"/desk/calls/{call.id}/cancel")
    with house.database.writing() as db:
        calls.cancel(db, call.id, Actor.CLIENT, house.now(), house_of(house))
    before = dump(house)
    answer = desk.post(form.action, data={**form.fields, "reason": "Too late"})
    assert answer.status_code == 409
    assert "the call is not what it was a moment ago" in answer.text
    assert "This call is cancelled." in answer.text
    assert dump(house)["call_change"] == before["call_change"]
    assert dump(house)["job"] == before["job"]


def test_a_call_that_the_client_moved_meanwhile_is_not_cancelled_unseen(desk: Desk, house: Services) -> None:
    call = make(house)
    form = desk.form(f"/desk/calls/{call.id}/cancel")
    with house.database.writing() as db:
        calls.move(db, call.id, TEN + timedelta(hours=3), Actor.CLIENT, house.now(), house_of(house))
    answer = desk.post(form.action, data={**form.fields, "reason": "I am ill"})
    assert answer.status_code == 409
    assert "13:00" in answer.text
    assert "I am ill" in answer.text
    assert fresh(house, call).state == "confirmed"


def test_a_request_is_declined_and_its_client_told(desk: Desk, house: Services) -> None:
    with house.database.writing() as db:
        call = book(db, house_of(house), "anna", "call", wish(TEN), house.now(), in_doubt=True)
    assert "Decline the time" in desk.read(f"/desk/calls/{call.id}")
    assert desk.send(f"/desk/calls/{call.id}/cancel").status_code == 303
    assert fresh(house, call).state == "declined"
    assert messages(house, call)[-1][:2] == ("declined", "client")


def test_a_form_that_was_open_for_long_keeps_the_reason(desk: Desk, house: Services) -> None:
    call = make(house)
    answer = desk.send(f"/desk/calls/{call.id}/cancel", reason="I am ill", csrf_token="old")
    assert answer.status_code == 400
    assert "I am ill" in answer.text
    assert fresh(house, call).state == "confirmed"


def test_more_than_the_form_holds_changes_nothing(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/cancel"
    desk.send(path, email="eve@example.org", owner_id="2", name="Eve", link_version="9")
    now = fresh(house, call)
    assert (now.email, now.owner_id, now.name, now.link_version) == ("kim@example.com", call.owner_id, "Kim", 1)


# Moving


def test_the_free_times_are_offered_and_lead_to_a_question(desk: Desk, house: Services) -> None:
    call = make(house)
    page = desk.page(f"/desk/calls/{call.id}/move?day=2026-11-25")
    way = f"/desk/calls/{call.id}/move/to?start=2026-11-25T08:00:00Z"
    assert way in page.links
    assert "Wednesday, 25 November 2026, 9:00" in desk.read(way)


def test_a_call_moves_and_its_client_reads_why(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/move/to"
    answer = desk.send(f"{path}?start=2026-11-25T08:00:00Z", path, reason="My train is late.")
    assert (answer.status_code, answer.location) == (303, f"/desk/calls/{call.id}")
    assert fresh(house, call).starts_at == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    assert messages(house, call)[2:] == [("moved", "client", "My train is late.")]
    text = desk.read(f"/desk/calls/{call.id}")
    assert "You moved the call." in text
    assert "<q>My train is late.</q>" in text


def test_the_owner_s_moves_are_not_the_client_s(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/move/to"
    for number in range(5):
        desk.send(path, day="2026-11-25", clock=f"09:{number * 10:02}")
    now = fresh(house, call)
    assert now.starts_at == datetime(2026, 11, 25, 8, 40, tzinfo=UTC)
    with house.database.reading() as db:
        assert calls.why_not_movable(calls.load_offer_to_move(db, now, house.now()), now) == ""


def test_out_of_hours_a_call_moves_only_after_the_reason_was_read(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/move/to"
    warned = desk.send(path, day="2026-11-24", clock="19:00", reason="Evening suits us.")
    assert warned.status_code == 422
    assert "It is outside your business hours." in warned.text
    assert "Evening suits us." in warned.text
    assert "Move it all the same" in warned.text
    assert fresh(house, call).starts_at == TEN
    form = Page(warned.text).post_form
    assert desk.post(path, data=form.fields).status_code == 303
    assert fresh(house, call).starts_at == EVENING


def test_what_was_waived_for_one_time_is_not_waived_for_another(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/move/to"
    warned = desk.send(path, day="2026-11-24", clock="19:00")
    form = Page(warned.text).post_form
    assert desk.post(path, data={**form.fields, "clock": "20:00"}).status_code == 422
    assert fresh(house, call).starts_at == TEN


def test_no_call_moves_onto_another_one(desk: Desk, house: Services) -> None:
    call = make(house)
    make(house, start=TEN + timedelta(hours=1), email="lou@example.com", name="Lou", phone="", request_key="2")
    path = f"/desk/calls/{call.id}/move/to"
    anyway = "2026-11-24T10:15:00Z 30 busy buffer outside_hours"
    answer = desk.send(path, day="2026-11-24", clock="11:15", reason="Later", anyway=anyway)
    assert answer.status_code == 409
    assert "Lou, Tuesday, 24 November, 11:00 to 11:30" in answer.text
    assert "Later" in answer.text
    assert "/move/to?start=" in answer.text
    assert fresh(house, call).starts_at == TEN


@pytest.mark.parametrize(("day", "at"), [("2026-11-22", "10:00"), ("2036-01-01", "10:00"), ("2027-03-28", "02:30")])
def test_a_time_that_is_past_too_far_or_left_out_is_refused(desk: Desk, house: Services, day: str, at: str) -> None:
    call = make(house)
    answer = desk.send(f"/desk/calls/{call.id}/move/to", day=day, clock=at)
    assert answer.status_code == 422
    assert f'value="{day}"' in answer.text
    assert fresh(house, call).starts_at == TEN


def test_a_call_that_was_cancelled_meanwhile_is_not_moved(desk: Desk, house: Services) -> None:
    call = make(house)
    form = desk.form(f"/desk/calls/{call.id}/move/to")
    with house.database.writing() as db:
        calls.cancel(db, call.id, Actor.CLIENT, house.now(), house_of(house))
    answer = desk.post(form.action, data={**form.fields, "day": "2026-11-25", "clock": "09:00"})
    assert answer.status_code == 409
    assert "This call is cancelled." in answer.text
    assert fresh(house, call).starts_at == TEN


def test_a_call_that_moved_in_another_window_is_shown_before_it_moves_again(desk: Desk, house: Services) -> None:
    call = make(house)
    path = f"/desk/calls/{call.id}/move/to"
    form = desk.form(path)
    desk.send(path, day="2026-11-25", clock="09:00")
    first = desk.post(path, data={**form.fields, "day": "2026-11-26", "clock": "09:00", "reason": "Again"})
    assert first.status_code == 409
    assert "Wednesday, 25 November 2026, 9:00" in first.text
    assert "Again" in first.text
    again = Page(first.text).post_form
    assert desk.post(path, data=again.fields).status_code == 303
    assert fresh(house, call).starts_at == datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def test_a_silent_calendar_needs_the_owner_s_word(desk: Desk, house: Services, server: Server) -> None:
    call = make(house)
    server["/anna/calls/"].failing = Unreachable("away")
    path = f"/desk/calls/{call.id}/move/to"
    warned = desk.send(path, day="2026-11-25", clock="09:00")
    assert warned.status_code == 422
    assert "One of your calendars does not answer" in warned.text
    assert desk.post(path, data=Page(warned.text).post_form.fields).status_code == 303
    assert fresh(house, call).starts_at == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def test_an_event_that_was_entered_a_moment_ago_is_seen(
    desk: Desk, house: Services, server: Server, clock: Clock
) -> None:
    call = make(house)
    clock.advance(timedelta(minutes=1))
    server["/anna/calls/"].store("x.ics", event("x", TEN + timedelta(hours=3), TEN + timedelta(hours=4)))
    warned = desk.send(f"/desk/calls/{call.id}/move/to", day="2026-11-24", clock="13:15")
    assert warned.status_code == 422
    assert "Your calendar is busy at this time." in warned.text


# Clients without an address


def test_a_client_without_an_address_becomes_a_task_until_it_is_done(
    desk: Desk, berts_desk: Desk, house: Services
) -> None:
    call = make(house, email="")
    assert tasks(house) == []
    path = f"/desk/calls/{call.id}/move/to"
    desk.send(path, day="2026-11-25", clock="09:00")
    assert "tell the client by phone" in desk.read(f"/desk/calls/{call.id}")
    desk.send(f"/desk/calls/{call.id}/cancel")
    assert tasks(house) == [("moved", False), ("cancelled", True)]
    with house.database.reading() as db:
        task_id = db.scalars(sa.select(PhoneTask.id).where(PhoneTask.done_at.is_(None))).one()
    theirs = berts_desk.form(f"/desk/calls/{make(house, 'bert').id}/cancel").fields["csrf_token"]
    assert berts_desk.post(f"/desk/tasks/{task_id}/done", data={"csrf_token": theirs}).status_code == 404
    assert tasks(house)[-1] == ("cancelled", True)
    answer = desk.send("/desk", f"/desk/tasks/{task_id}/done")
    assert (answer.status_code, answer.location) == (303, "/desk")
    assert tasks(house)[-1] == ("cancelled", False)


def test_what_clients_do_themselves_is_no_task(house: Services) -> None:
    call = make(house, email="")
    with house.database.writing() as db:
        calls.cancel(db, call.id, Actor.CLIENT, house.now(), house_of(house))
    assert tasks(house) == []


# In the calendar


def test_the_event_in_the_calendar_leads_to_the_call_and_says_nothing_more(house: Services, server: Server) -> None:
    call = make(house, note="secret")
    while run_once(house):
        pass
    (stored,) = [each.ics.replace("\r\n ", "") for each in server["/anna/calls/"].objects.values()]
    assert f"DESCRIPTION:{desk_link(house.settings.base_url, call.id)}\r\n" in stored
    assert "secret" not in stored
