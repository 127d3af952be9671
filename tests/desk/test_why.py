"""Why is this time not offered? Every reason in a sentence, with the facts behind it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.rules.hours import Timetable, parse_weekly
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, CalendarResource, CallType, Owner
from booking.usecases import hours
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY, Clock
from tests.web.visitors import Visitor, dump


def ask(desk: Desk, day: str, time: str, call_type: str = "call", more: str = "") -> str:
    answer = desk.get(f"/desk/why?type={call_type}&day={day}&time={time}{more}")
    assert answer.status_code == 200, answer.text
    return answer.text


def change(services: Services, **values: Any) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(CallType).where(CallType.slug == "call").values(**values))


def set_up(services: Services, **values: Any) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).where(Owner.slug == "anna").values(**values))


def add_event(services: Services, title: str, start: datetime, minutes: int, owner: str = "anna") -> None:
    period = Period(start, start + timedelta(minutes=minutes))
    ics = f"BEGIN:VEVENT\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\nSUMMARY:{title}\r\nEND:VEVENT"
    with services.database.writing() as db:
        calendar = db.scalars(sa.select(Calendar).join(Owner).where(Owner.slug == owner)).one()
        calendar.name, calendar.busy = "Work", Timeline.of([period])
        row = CalendarResource(calendar_id=calendar.id, href=title, etag="1", uid=title, ics=ics)
        row.busy = Timeline.of([period])
        db.add(row)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Berlin."""
    return datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)


def test_a_free_time_is_offered_with_its_link(desk: Desk) -> None:
    text = ask(desk, "2026-11-24", "09:00")
    assert "It is offered." in text
    assert "/anna/call/book?start=2026-11-24T08:00:00Z" in text


def test_the_answer_is_the_slot_function_s(desk: Desk, app: Flask, services: Services) -> None:
    """Whatever is offered says so, whatever is not says why: every quarter of an hour of four days."""
    with services.database.writing() as db:
        hours.override_day(db, "anna", date(2026, 11, 25), "08:15-10:40")
        hours.add_absence(db, "anna", date(2026, 11, 26), date(2026, 11, 26), "")
    add_event(services, "Dentist", at(24, 10), 45)
    free = set(Visitor(app).slots())
    for number in range(0, 4 * 96, 5):
        moment = at(23, 1) + timedelta(minutes=15 * number)
        local = moment + timedelta(hours=1)
        text = ask(desk, f"{local:%Y-%m-%d}", f"{local:%H:%M}")
        assert ("It is offered." in text) == (moment in free), moment


def test_outside_hours_names_that_day_s_hours(desk: Desk, services: Services) -> None:
    text = ask(desk, "2026-11-24", "11:45")
    assert "A call of 30 minutes would last until 12:15." in text
    assert "Your hours on Tuesday, 24 November: 9:00–12:00, 13:00–17:00." in text
    assert "/desk/hours/days/2026-11-24" in text
    assert "On Sunday, 29 November you have no business hours." in ask(desk, "2026-11-29", "10:00")
    with services.database.writing() as db:
        hours.override_day(db, "anna", date(2026, 11, 24), "closed")
    assert "Tuesday, 24 November is closed." in ask(desk, "2026-11-24", "10:00")


def test_an_absence_is_named(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        hours.add_absence(db, "anna", date(2026, 11, 24), date(2026, 11, 25), "")
    text = ask(desk, "2026-11-24", "10:00")
    assert "You are away: Tuesday, 24 November to Wednesday, 25 November." in text
    assert "/desk/absences/2026-11-24" in text


def test_a_holiday_is_named(desk: Desk, services: Services) -> None:
    set_up(services, holiday_country="DE")
    assert "Friday, 25 December is a public holiday: Christmas Day." in ask(desk, "2026-12-25", "10:00")
    assert "Erster Weihnachtstag" in ask(desk, "2026-12-25", "10:00", more="&lang=de")
    set_up(services, holidays_worked="Christmas Day")
    assert "It is offered." in ask(desk, "2026-12-25", "10:00")


def test_an_event_is_named_with_its_title_and_calendar(desk: Desk, berts_desk: Desk, services: Services) -> None:
    add_event(services, "Dentist", at(24, 10), 60)
    text = ask(desk, "2026-11-24", "10:30")
    assert "You have something else at this time." in text
    assert "Dentist, Tue 24 Nov, 10:00 to Tue 24 Nov, 11:00 (calendar: Work)" in text
    assert "It is offered." in ask(berts_desk, "2026-11-24", "10:30"), "and it is nobody else's event"


def test_an_event_that_comes_too_near_is_named(desk: Desk, services: Services) -> None:
    add_event(services, "Dentist", at(24, 10), 60)
    text = ask(desk, "2026-11-24", "09:30")
    assert "before a call 0 minutes stay free, after it 10 minutes" in text
    assert "Dentist" in text


def test_a_call_is_named(desk: Desk, app: Flask) -> None:
    Visitor(app).token(at(24, 10), name="Kim Caller")
    for time in ("10:00", "10:15", "10:30"):
        text = ask(desk, "2026-11-24", time)
        assert "Call with Kim Caller, Tue 24 Nov, 10:00" in text
        assert "/desk/calls/" in text
    assert "It is offered." in ask(desk, "2026-11-24", "10:45")


def test_the_end_of_the_notice_is_named_in_working_time_and_round_the_clock(desk: Desk, services: Services) -> None:
    change(services, notice_minutes=360)
    assert "counted in working time, ends on Mon 23 Nov, 16:00" in ask(desk, "2026-11-23", "14:00")
    set_up(services, notice_in_working_time=False)
    text = ask(desk, "2026-11-23", "14:00")
    assert "the notice ends on Mon 23 Nov, 15:00" in text
    assert "/desk/hours/rules" in text


def test_what_is_over_is_over(desk: Desk) -> None:
    assert "This time is over." in ask(desk, "2026-11-20", "10:00")


def test_a_notice_that_never_ends_says_so(desk: Desk, services: Services) -> None:
    change(services, notice_minutes=60 * 100, horizon_days=3)
    assert "less working time is left than the notice needs" in ask(desk, "2026-11-24", "10:00")


def test_the_horizon_is_named(desk: Desk) -> None:
    text = ask(desk, "2027-03-01", "10:00")
    assert "60 days ahead, until Friday, 22 January 2027" in text


def test_the_step_is_named_with_the_nearest_times(desk: Desk) -> None:
    text = ask(desk, "2026-11-24", "10:05")
    assert "begin every 15 minutes" in text
    assert "start=2026-11-24T09:00:00Z" in text
    assert "start=2026-11-24T09:15:00Z" in text


def test_full_days_and_weeks_name_their_calls(desk: Desk, app: Flask, services: Services) -> None:
    Visitor(app).token(at(24, 10), name="Kim First")
    Visitor(app).token(at(25, 10), name="Kim Second", email="k2@example.com", phone="+491701200002")
    change(services, max_per_day=1)
    text = ask(desk, "2026-11-24", "15:00")
    assert "The day is full: 1 call of this type a day is the most." in text
    assert "Kim First" in text
    assert "Kim Second" not in text
    change(services, max_per_day=None, max_per_week=2)
    text = ask(desk, "2026-11-26", "15:00")
    assert "The week is full: 2 calls of this type a week are the most." in text
    assert "Kim First" in text
    assert "Kim Second" in text


def test_a_calendar_that_is_not_known_so_far_is_named(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Calendar).values(name="Work", covered_until=MONDAY + timedelta(days=3)))
    text = ask(desk, "2026-12-01", "10:00")
    assert "Your calendars are not known for this time yet." in text
    assert "Not read far enough: Work" in text


def test_while_a_calendar_is_silent_a_time_is_only_noted(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Calendar).values(name="Work", read_at=MONDAY - timedelta(hours=1)))
    text = ask(desk, "2026-11-24", "10:00")
    assert "It is offered, but only to be noted: a calendar is silent." in text
    assert "Work" in text


def round_the_clock(app: Flask, clock: Clock, now: datetime) -> Desk:
    """Let Anna work day and night, without a calendar, and return her browser at a moment near a change of clocks."""
    clock.time = now
    desk = Desk(app, "anna")
    set_up(desk.services, timetable=Timetable(weekly=parse_weekly("mon-sun 00:00-24:00")))
    with desk.services.database.writing() as db:
        db.execute(sa.delete(Calendar))
    return desk


def test_a_time_that_the_clock_skips_does_not_exist(app: Flask, clock: Clock) -> None:
    desk = round_the_clock(app, clock, datetime(2027, 3, 25, 8, tzinfo=UTC))
    assert "This time does not exist: the clocks go forward" in ask(desk, "2027-03-28", "02:30")
    for time in ("01:30", "03:00"):
        assert "It is offered." in ask(desk, "2027-03-28", time)


def test_a_time_that_comes_twice_is_never_offered(app: Flask, clock: Clock) -> None:
    desk = round_the_clock(app, clock, datetime(2027, 10, 28, 8, tzinfo=UTC))
    for time in ("02:00", "02:30"):
        assert "The clocks go back, and this time comes twice: it is never offered." in ask(desk, "2027-10-31", time)
    for time in ("01:30", "03:00"):
        assert "It is offered." in ask(desk, "2027-10-31", time)


def test_a_hidden_call_type_can_t_be_booked_by_anybody(desk: Desk, services: Services) -> None:
    change(services, visibility="hidden")
    assert "Nobody can book this call type: it is hidden." in ask(desk, "2026-11-24", "10:00")


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("type=call&day=2026-02-30&time=10:00", "2026-02-30"),
        ("type=call&day=2026-11-24&time=25:00", "25:00"),
        ("type=only-bert&day=2026-11-24&time=10:00", "2026-11-24"),
        ("day=2026-11-24&time=10:00", "10:00"),
    ],
)
def test_what_can_t_be_asked_is_named_and_kept(desk: Desk, query: str, value: str) -> None:
    answer = desk.get(f"/desk/why?{query}")
    assert answer.status_code == 422
    assert "These entries need another look" in answer.text
    assert f'value="{value}"' in answer.text


def test_asking_changes_nothing(desk: Desk, services: Services) -> None:
    before = dump(services)
    desk.read("/desk/why")
    ask(desk, "2026-11-24", "10:00")
    ask(desk, "2026-11-29", "10:00")
    assert dump(services) == before
