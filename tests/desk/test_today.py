"""Today: what is next, the day, the days that follow; in quiet time only what is next."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import Calendar, CalendarResource, Call, Owner
from tests.builders import HOURS
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY
from tests.web.visitors import Visitor, dump

TODAY = MONDAY + timedelta(hours=2)
"""Today, 11:00 in Berlin; the house opens at 9:00, which is now."""


def add_event(services: Services, title: str, start: int, end: int, owner: str = "anna") -> None:
    """Let a calendar hold an event, so many minutes from Monday, 9:00 in Berlin."""
    period = Period(MONDAY + timedelta(minutes=start), MONDAY + timedelta(minutes=end))
    ics = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:{period.start:%Y%m%dT%H%M%SZ}\r\nSUMMARY:{title}\r\n"
    with services.database.writing() as db:
        calendar = db.scalars(sa.select(Calendar).join(Owner).where(Owner.slug == owner)).one()
        resource = CalendarResource(
            calendar_id=calendar.id, href=title, etag="1", uid=title, ics=ics + "END:VEVENT\r\nEND:VCALENDAR"
        )
        resource.busy = Timeline.of([period])
        db.add(resource)


@pytest.fixture
def client(desk: Desk) -> Visitor:
    return Visitor(desk.app, "192.0.2.99")


def go_to_evening(desk: Desk) -> None:
    desk.services.now.advance(timedelta(hours=10))  # type: ignore[attr-defined]


def test_the_next_call_says_when_who_calls_whom_and_on_which_number(desk: Desk, client: Visitor) -> None:
    client.token(TODAY, name="Kim <b>", phone="+491701234567", note="About the catalogue")
    text = desk.read("/desk")
    assert "in about 2 hours" in text
    assert "You call Kim &lt;b&gt;." in text
    assert 'href="tel:+491701234567"' in text
    assert "About the catalogue" in text
    assert "If the line drops, you call back." in text


def test_the_client_s_clock_is_shown_where_it_differs(desk: Desk, client: Visitor) -> None:
    client.token(TODAY, timezone="Europe/London")
    assert "10:00 (London time)" in desk.read("/desk")


def test_a_call_within_the_hour_is_counted_in_minutes(desk: Desk, client: Visitor) -> None:
    client.token(TODAY)
    desk.services.now.advance(timedelta(minutes=95))  # type: ignore[attr-defined]
    assert "in 25 minutes" in desk.read("/desk")


def test_the_day_shows_events_calls_buffers_and_what_is_free(desk: Desk, client: Visitor) -> None:
    client.token(TODAY)
    add_event(desk.services, "Dentist", 0, 60)
    text = desk.read("/desk")
    day = text[text.index('class="timeline"') :]
    lines = ["9:00–10:00", "Dentist", "10:00–11:00", ">free<", "11:00–11:30", "Kim 1", "11:30–11:40", "Buffer"]
    places = [day.index(line) for line in lines]
    assert places == sorted(places)


def test_a_day_with_very_many_events_says_how_many_more_there_are(desk: Desk) -> None:
    for number in range(63):
        add_event(desk.services, f"Event {number}", number, number + 1)
    text = desk.read("/desk")
    assert "Event 59" in text
    assert "Event 60" not in text
    assert "3 more entries in your calendars today" in text


def test_titles_of_events_are_for_their_owner_only(desk: Desk, berts_desk: Desk, client: Visitor) -> None:
    add_event(desk.services, "Dentist", 60, 120)
    assert "Dentist" in desk.read("/desk")
    assert "Dentist" not in berts_desk.read("/desk")
    assert "Dentist" not in client.get("/anna/call").text


def test_the_coming_days_are_listed(desk: Desk, client: Visitor) -> None:
    client.token(TODAY + timedelta(days=1), name="Morgen")
    client.token(TODAY + timedelta(days=3), name="Später", email="b@example.com", phone="+491709999999")
    text = desk.read("/desk")
    assert "Tomorrow, Tuesday, 24 November" in text
    assert text.index("Thursday, 26 November") < text.index("Später")


def test_in_quiet_time_only_what_is_next_is_shown_and_how_much_waits(desk: Desk, client: Visitor) -> None:
    go_to_evening(desk)
    client.token(TODAY + timedelta(days=1))
    text = desk.read("/desk")
    assert "You call Kim 1." in text
    assert "1 thing waits until Tuesday, 24 November, 9:00." in text
    assert "timeline" not in text
    assert "New: Kim 1" not in text


def test_one_tap_shows_in_quiet_time_what_waits_until_business_begins(desk: Desk, client: Visitor) -> None:
    go_to_evening(desk)
    client.token(TODAY + timedelta(days=1))
    assert desk.send("/desk", "/desk/waiting").status_code == 303
    assert "New: Kim 1, Tue 24 Nov, 11:00" in desk.read("/desk")
    desk.services.now.advance(timedelta(days=1))  # type: ignore[attr-defined]
    assert "New: Kim 1" not in desk.read("/desk")


def test_an_absence_is_quiet_time(desk: Desk) -> None:
    with desk.services.database.writing() as db:
        anna = db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one()
        away = Absence(MONDAY.date(), MONDAY.date() + timedelta(days=1))
        anna.timetable = Timetable(weekly=parse_weekly(HOURS), absences=(away,))
    assert "timeline" not in desk.read("/desk")


def test_an_owner_without_hours_is_never_kept_waiting(desk: Desk) -> None:
    with desk.services.database.writing() as db:
        db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one().timetable = Timetable()
    assert "The coming days" in desk.read("/desk")


def test_what_is_to_be_told_by_phone_stands_on_today(desk: Desk, berts_desk: Desk, client: Visitor) -> None:
    client.token(TODAY + timedelta(days=1), name="Ohne Mail")
    with desk.services.database.writing() as db:
        call = db.scalars(sa.select(Call)).one()
        task = PhoneTask(owner_id=call.owner_id, call_id=call.id, message="moved", created_at=MONDAY)
        db.add(task)
    text = desk.read("/desk")
    assert "Tell by phone: the call was moved." in text
    assert "Ohne Mail" not in berts_desk.read("/desk")


def test_an_empty_desk_says_what_to_do(desk: Desk) -> None:
    assert "Hand out your link" in desk.read("/desk")


def test_looking_at_today_changes_nothing(desk: Desk, client: Visitor) -> None:
    client.token(TODAY)
    before = dump(desk.services)
    desk.read("/desk")
    desk.open("/desk", "HEAD")
    assert dump(desk.services) == before


def test_a_form_without_its_token_shows_nothing_more(desk: Desk, client: Visitor) -> None:
    go_to_evening(desk)
    client.token(TODAY + timedelta(days=1))
    answer = desk.post("/desk/waiting", data={})
    assert answer.status_code == 400
    assert "New: Kim 1" not in answer.text
