"""Entering a call that was arranged by phone."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from booking.calendars.port import Unreachable
from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import Call, CallType, HeldPeriod, Job, Owner
from booking.usecases.reserve import book
from booking.web.reserving import house as house_of
from booking.worker import run_once
from tests.builders import wish
from tests.desk.deskwork import Desk, Page
from tests.fakes import Clock, MailBox, Server, event
from tests.web.visitors import TUESDAY, Visitor, dump

NEW = "/desk/calls/new"
KIM = {"name": "Kim", "phone": "0170 1234567"}
AT_TEN = {"day": "2026-11-24", "clock": "10:00"}
AT_SEVEN = {"day": "2026-11-24", "clock": "19:00"}
TEN = TUESDAY + timedelta(hours=1)


def calls(services: Services) -> list[Call]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(Call).order_by(Call.starts_at)))


def mails(services: Services) -> list[tuple[str, str]]:
    with services.database.reading() as db:
        found = db.scalars(sa.select(Job).where(Job.kind == "mail").order_by(Job.number)).all()
    return [(job.payload["message"], job.payload["to"]) for job in found if job.payload["message"] != "reminder"]


def test_a_name_and_a_number_are_enough(desk: Desk, house: Services) -> None:
    answer = desk.send(NEW, **KIM, **AT_TEN)
    (call,) = calls(house)
    assert (answer.status_code, answer.location) == (303, f"/desk/calls/{call.id}")
    assert (call.name, call.phone, call.email, call.state) == ("Kim", "+491701234567", "", "confirmed")
    assert (call.starts_at, call.ends_at) == (TEN, TEN + timedelta(minutes=30))
    assert (call.timezone, call.locale, call.who_calls) == ("Europe/Berlin", "en", "owner")
    text = desk.read(answer.location)
    assert "You entered the call." in text
    assert "Nobody writes to the client." in text


def test_today_and_the_list_of_calls_lead_to_the_form(desk: Desk) -> None:
    for path in ("/desk", "/desk/calls"):
        assert NEW in desk.page(path).links


def test_a_free_time_is_tapped_instead_of_typed(desk: Desk, house: Services) -> None:
    shown = desk.send(NEW, look="yes", day="2026-11-25", **KIM)
    assert shown.status_code == 200
    assert 'value="2026-11-25T08:00:00Z"' in shown.text
    assert 'value="Kim"' in shown.text
    assert calls(house) == []
    form = Page(shown.text).post_form
    assert desk.post(NEW, data={**form.fields, "start": "2026-11-25T08:00:00Z"}).status_code == 303
    assert calls(house)[0].starts_at == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("more", [{}, {"look": "yes"}])
def test_a_length_of_thousands_of_digits_is_refused_or_passed_over(desk: Desk, more: dict[str, str]) -> None:
    answer = desk.send(NEW, **KIM, **AT_TEN, minutes="1" * 5000, **more)
    assert answer.status_code == (200 if more else 422)
    assert 'value="Kim"' in answer.text


def test_a_tapped_time_and_another_typed_one_are_asked_about(desk: Desk, house: Services) -> None:
    answer = desk.send(NEW, **KIM, **AT_TEN, start="2026-11-25T08:00:00Z")
    assert answer.status_code == 422
    assert "Keep one of them." in answer.text
    assert calls(house) == []


def test_the_client_with_an_address_hears_of_it_once_and_the_owner_not(
    desk: Desk, house: Services, mailbox: MailBox
) -> None:
    desk.send(NEW, **KIM, **AT_TEN, email="kim@example.com", locale="de")
    assert mails(house) == [("booked", "client")]
    while run_once(house):
        pass
    (told,) = mailbox.to("kim@example.com")
    assert told["Subject"] == "Unser Telefonat am Dienstag, 24. November, 10:00 Uhr"
    with house.database.reading() as db:
        assert db.scalars(sa.select(PhoneTask)).all() == []


def test_the_call_stands_in_the_calendar(desk: Desk, house: Services, server: Server) -> None:
    desk.send(NEW, **KIM, **AT_TEN)
    while run_once(house):
        pass
    assert len(server["/anna/calls/"].objects) == 1


def test_clients_can_t_book_the_time_any_more(desk: Desk, house: Services) -> None:
    desk.send(NEW, **KIM, **AT_TEN)
    assert TEN not in Visitor(desk.app).slots()


def test_another_length_than_the_usual_one(desk: Desk, house: Services) -> None:
    desk.send(NEW, **KIM, **AT_TEN, minutes="50")
    (call,) = calls(house)
    assert call.ends_at - call.starts_at == timedelta(minutes=50)
    desk.send(f"/desk/calls/{call.id}/move/to", day="2026-11-25", clock="10:00")
    (call,) = calls(house)
    assert call.ends_at - call.starts_at == timedelta(minutes=50)


# A time that is not offered


def test_out_of_hours_it_is_entered_only_after_the_reason_was_read(desk: Desk, house: Services) -> None:
    warned = desk.send(NEW, **KIM, **AT_SEVEN, note="Ring twice")
    assert warned.status_code == 422
    assert "It is outside your business hours." in warned.text
    assert "Tuesday, 24 November, 19:00" in warned.text
    assert "Enter it all the same" in warned.text
    assert calls(house) == []
    form = Page(warned.text).post_form
    assert {**KIM, **AT_SEVEN, "note": "Ring twice"}.items() <= form.fields.items()
    assert desk.post(NEW, data=form.fields).status_code == 303
    assert len(calls(house)) == 1


def test_every_reason_is_named(desk: Desk, house: Services, server: Server, clock: Clock) -> None:
    with house.database.writing() as db:
        book(db, house_of(house), "anna", "call", wish(TUESDAY + timedelta(hours=5)), house.now())
        db.execute(sa.update(CallType).values(max_per_day=1, notice_minutes=60 * 24))
    server["/anna/calls/"].store("x.ics", event("x", TEN, TEN + timedelta(hours=1)))
    clock.advance(timedelta(minutes=1))
    text = desk.send(NEW, **KIM, **AT_TEN).text
    for words in ("Your calendar is busy", "sooner than your notice", "as many calls of this type"):
        assert words in text, words


def test_a_silent_calendar_is_a_reason_too(desk: Desk, house: Services, server: Server) -> None:
    server["/anna/calls/"].failing = Unreachable("away")
    warned = desk.send(NEW, **KIM, **AT_TEN)
    assert "One of your calendars does not answer" in warned.text
    assert desk.post(NEW, data=Page(warned.text).post_form.fields).status_code == 303
    assert len(calls(house)) == 1


def test_a_reason_that_comes_up_meanwhile_is_asked_about_too(
    desk: Desk, house: Services, server: Server, clock: Clock
) -> None:
    form = Page(desk.send(NEW, **KIM, **AT_SEVEN).text).post_form
    evening = TUESDAY + timedelta(hours=10)
    server["/anna/calls/"].store("x.ics", event("x", evening, evening + timedelta(hours=1)))
    clock.advance(timedelta(minutes=1))
    again = desk.post(NEW, data=form.fields)
    assert again.status_code == 422
    assert "Your calendar is busy" in again.text
    assert calls(house) == []


def test_between_two_starts_of_the_grid_nothing_is_asked(desk: Desk, house: Services) -> None:
    assert desk.send(NEW, **KIM, day="2026-11-24", clock="10:07").status_code == 303


def test_never_over_another_call_whatever_is_waived(desk: Desk, house: Services) -> None:
    with house.database.writing() as db:
        book(db, house_of(house), "anna", "call", wish(TEN, name="Lou"), house.now())
    anyway = "2026-11-24T09:15:00Z 30 busy buffer outside_hours"
    answer = desk.send(NEW, **KIM, day="2026-11-24", clock="10:15", anyway=anyway)
    assert answer.status_code == 409
    assert "Lou, Tuesday, 24 November, 10:00 to 10:30" in answer.text
    assert 'value="Kim"' in answer.text
    offered = [tag["value"] for name, tag in Page(answer.text).tags if name == "input" and tag.get("name") == "start"]
    assert "2026-11-24T09:45:00Z" in offered
    assert len(calls(house)) == 1


def test_what_is_entered_by_hand_has_no_buffers_of_its_own(desk: Desk, house: Services) -> None:
    desk.send(NEW, **KIM, **AT_TEN)
    with house.database.reading() as db:
        held = db.scalars(sa.select(HeldPeriod)).one()
    assert (held.starts_at, held.ends_at) == (TEN, TEN + timedelta(minutes=30))
    assert TEN + timedelta(minutes=30) in Visitor(desk.app).slots()
    assert TEN - timedelta(minutes=30) not in Visitor(desk.app).slots()


# Mistakes


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "This is needed."),
        ({"phone": ""}, "Give the number you are to ring."),
        ({"phone": "12"}, "This number can&#39;t be rung."),
        ({"email": "kim"}, "This mail address is not complete."),
        ({"minutes": "0"}, "Write a whole number"),
        ({"clock": ""}, "Choose a free time, or write day and time."),
        ({"day": "2026-11-20"}, "This time has passed."),
        ({"timezone": "Europe"}, "Choose one of these."),
        ({"call_type": "only-bert"}, "Choose one of these."),
    ],
)
def test_a_mistake_keeps_what_was_typed(desk: Desk, house: Services, typed: dict[str, str], said: str) -> None:
    answer = desk.send(NEW, **{**KIM, **AT_TEN, "note": "A long story", **typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert "A long story" in answer.text
    assert calls(house) == []


def test_who_is_called_needs_no_number_where_the_client_calls(desk: Desk, house: Services) -> None:
    assert desk.send(NEW, **AT_TEN, name="Kim", who_calls="client").status_code == 303
    assert calls(house)[0].who_calls == "client"


def test_the_same_form_sent_twice_is_one_call(desk: Desk, house: Services) -> None:
    form = desk.form(NEW)
    data = {**form.fields, **KIM, **AT_TEN}
    first, second = desk.post(NEW, data=data), desk.post(NEW, data=data)
    assert first.location == second.location
    assert len(calls(house)) == 1


def test_a_form_that_is_used_for_another_call_is_shown_again(desk: Desk, house: Services) -> None:
    form = desk.form(NEW)
    desk.post(NEW, data={**form.fields, **KIM, **AT_TEN})
    again = desk.post(NEW, data={**form.fields, **KIM, "name": "Lou", "day": "2026-11-25", "clock": "10:00"})
    assert again.status_code == 409
    assert desk.post(NEW, data=Page(again.text).post_form.fields).status_code == 303
    assert [call.name for call in calls(house)] == ["Kim", "Lou"]


def test_an_old_page_loses_nothing(desk: Desk, house: Services) -> None:
    answer = desk.send(NEW, **KIM, **AT_TEN, csrf_token="old")
    assert answer.status_code == 400
    assert 'value="Kim"' in answer.text
    assert calls(house) == []


def test_more_than_the_form_holds_changes_nothing(desk: Desk, house: Services) -> None:
    desk.send(NEW, **KIM, **AT_TEN, state="cancelled", owner_id="2", id="x", origin="x", address_proved_at="2020")
    (call,) = calls(house)
    with house.database.reading() as db:
        owner = db.get_one(Owner, call.owner_id)
    assert (owner.slug, call.state, call.origin, call.address_proved_at) == ("anna", "confirmed", "", None)
    assert call.id != "x"


def test_opening_the_form_and_looking_at_a_day_change_nothing(desk: Desk, house: Services) -> None:
    before = dump(house)
    desk.read(NEW)
    desk.send(NEW, look="yes", day="2026-11-25")
    assert dump(house) == before


def test_a_known_client_is_filled_in_but_not_another_owner_s(desk: Desk, house: Services) -> None:
    with house.database.writing() as db:
        mine = book(db, house_of(house), "anna", "call", wish(TEN, timezone="America/Vancouver"), house.now())
        theirs = book(db, house_of(house), "bert", "call", wish(TEN), house.now())
    fields = desk.form(f"{NEW}?of={mine.id}", NEW).fields
    assert (fields["name"], fields["email"], fields["timezone"]) == ("Kim", "kim@example.com", "America/Vancouver")
    assert desk.get(f"{NEW}?of={theirs.id}").status_code == 404


def test_what_was_arranged_by_phone_is_not_capped(desk: Desk, house: Services) -> None:
    for hour in (9, 10, 11, 13, 14, 15, 16):
        typed = {"day": "2026-11-25", "clock": f"{hour}:00", "email": "kim@example.com"}
        assert desk.send(NEW, **KIM, **typed).status_code == 303
    assert len(calls(house)) == 7
