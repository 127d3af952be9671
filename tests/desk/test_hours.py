"""Weekly hours, single days and the owner's rules: what the desk shows, saves and refuses."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.rules.hours import Absence, format_weekly, parse_windows
from booking.services import Services
from booking.store.models import Owner
from booking.usecases import hours
from tests.builders import HOURS
from tests.desk.deskwork import Desk
from tests.web.visitors import TUESDAY, Page, Visitor, dump, person

WEEK = "/desk/hours/week"
CHRISTMAS_EVE = "/desk/hours/days/2026-12-24"


def owner(services: Services, slug: str = "anna") -> Owner:
    with services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == slug)).one()


def week(services: Services) -> str:
    return format_weekly(owner(services).timetable.weekly)


# The overview


def test_the_overview_shows_the_week_and_what_differs(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        hours.override_day(db, "anna", date(2026, 12, 24), "09:00-11:30")
        hours.override_day(db, "anna", date(2026, 11, 20), "08:00-08:30")
        hours.add_absence(db, "anna", date(2026, 12, 28), date(2027, 1, 3), "Skiing")
        hours.set_holidays(db, "anna", "DE", "BY", date(2026, 11, 23))
    text = desk.read("/desk/hours")
    for words in ("9:00–12:00, 13:00–17:00", "Thursday, 24 December", "9:00–11:30", "Skiing", "Germany", "Epiphany"):
        assert words in text
    assert "8:00–8:30" not in text, "a day that is over"


def test_the_days_come_in_the_order_of_the_reader_s_week(desk: Desk) -> None:
    text = desk.read(f"{WEEK}?lang=de")
    assert text.index("Montag") < text.index("Dienstag") < text.index("Sonntag")


def test_opening_the_rooms_changes_nothing(desk: Desk, services: Services) -> None:
    before = dump(services)
    for path in ("/desk/hours", WEEK, "/desk/hours/rules", "/desk/hours/days?month=2027-01", CHRISTMAS_EVE):
        desk.read(path)
    assert dump(services) == before


# The week


def test_a_saved_week_decides_what_can_be_booked(desk: Desk, services: Services, app: Flask) -> None:
    """On the public page and in the API alike."""
    answer = desk.send(WEEK, WEEK, **{"tue-0-from": "10:00", "tue-0-to": "10:30", "tue-1-from": "", "tue-1-to": ""})
    assert answer.status_code == 303
    assert "The weekly hours are saved." in desk.get(answer.location).text
    visitor = Visitor(app)
    tuesday = [start for start in visitor.slots() if start.date() == TUESDAY.date()]
    assert tuesday == [datetime(2026, 11, 24, 9, 0, tzinfo=UTC)]
    text = visitor.get("/anna/call?day=2026-11-24").text
    assert "10:00" in text
    assert "9:15" not in text


def test_several_windows_are_sorted_and_an_emptied_day_is_closed(desk: Desk, services: Services) -> None:
    typed = {
        f"{day}-{row}-{end}": ""
        for day in ("mon", "tue", "wed", "thu", "fri")
        for row in (0, 1)
        for end in ("from", "to")
    }
    typed |= {"sun-0-from": "18:00", "sun-0-to": "00:00", "sun-1-from": "9:00", "sun-1-to": "10:00"}
    assert desk.send(WEEK, WEEK, **typed).status_code == 303
    assert week(services) == "sun 09:00-10:00 18:00-24:00"
    form = desk.form(WEEK, WEEK)
    assert (form.fields["sun-1-from"], form.fields["sun-1-to"]) == ("18:00", "00:00")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("17:00", "09:00"), "This ends before it begins."),
        (("09:00", "09:00"), "This ends before it begins."),
        (("11:00", "14:00"), "This overlaps with 9:00–12:00."),
        (("14:00", ""), "Fill in both times, or none."),
        (("25:00", "26:00"), "Write the time like 09:30."),
    ],
)
def test_hours_that_can_t_be_are_named_at_their_row_and_kept(
    desk: Desk, services: Services, row: tuple[str, str], words: str
) -> None:
    answer = desk.send(
        WEEK, WEEK, **{"mon-1-from": row[0], "mon-1-to": row[1], "sat-0-from": "10:00", "sat-0-to": "11:00"}
    )
    assert answer.status_code == 422
    assert f'id="mon-1-problem">{words}' in answer.text
    assert f'value="{row[0]}"' in answer.text
    assert 'name="sat-0-from" type="time" value="10:00"' in answer.text
    assert week(services) == HOURS


def test_one_row_more_keeps_what_was_typed_and_saves_nothing(desk: Desk, services: Services) -> None:
    fields = desk.form(WEEK, WEEK).fields
    before = dump(services)
    answer = desk.post(WEEK + "/rows", data={**fields, "mon-1-to": "18:30", "more": "mon"})
    assert answer.status_code == 200
    assert 'name="mon-2-from"' in answer.text
    assert 'name="tue-2-from"' not in answer.text
    assert 'name="mon-1-to" type="time" value="18:30"' in answer.text
    assert dump(services) == before


def test_a_day_s_hours_are_copied_to_the_ticked_days_and_saved_with_the_form(desk: Desk, services: Services) -> None:
    fields = {**desk.form(WEEK, WEEK).fields, "fri-0-from": "08:00", "fri-0-to": "10:00", "copy_from": "fri"}
    answer = desk.post(WEEK + "/rows", data={**fields, "copy_to": ["mon", "sat"]})
    assert answer.status_code == 200
    assert week(services) == HOURS
    assert desk.post(WEEK, data=Page(answer.text).post_form.fields).status_code == 303
    assert week(services) == ("mon 08:00-10:00; tue-thu 09:00-12:00 13:00-17:00; fri-sat 08:00-10:00")


def test_copying_to_no_day_says_so(desk: Desk) -> None:
    answer = desk.post(WEEK + "/rows", data={**desk.form(WEEK, WEEK).fields, "copy_from": "fri"})
    assert answer.status_code == 422
    assert "Tick the days" in answer.text


def test_the_first_button_of_the_week_saves(desk: Desk) -> None:
    """It is the one that the Enter key presses."""
    buttons = [values for tag, values in desk.page(WEEK).tags if tag == "button"]
    assert "formaction" not in buttons[0]


# Two windows, foreign forms, too much in a form


def test_a_week_changed_in_another_window_is_not_overwritten_silently(desk: Desk, services: Services) -> None:
    first, second = desk.form(WEEK, WEEK), desk.form(WEEK, WEEK)
    assert desk.post(WEEK, data={**first.fields, "sat-0-from": "10:00", "sat-0-to": "11:00"}).status_code == 303
    answer = desk.post(WEEK, data={**second.fields, "sun-0-from": "10:00", "sun-0-to": "11:00"})
    assert answer.status_code == 409
    assert "another window" in answer.text
    assert 'name="sun-0-from" type="time" value="10:00"' in answer.text
    assert week(services) == f"{HOURS}; sat 10:00-11:00"
    assert desk.post(WEEK, data=Page(answer.text).post_form.fields).status_code == 303
    assert week(services) == f"{HOURS}; sun 10:00-11:00"


def test_an_absence_saved_meanwhile_does_not_disturb_the_week(desk: Desk, services: Services) -> None:
    form = desk.form(WEEK, WEEK)
    with services.database.writing() as db:
        hours.add_absence(db, "anna", date(2026, 12, 1), date(2026, 12, 2), "")
    assert desk.post(WEEK, data=form.fields).status_code == 303
    assert owner(services).timetable.absences == (Absence(date(2026, 12, 1), date(2026, 12, 2)),)


@pytest.mark.parametrize(
    "path", [WEEK, WEEK + "/rows", WEEK + "/preview", "/desk/hours/rules", CHRISTMAS_EVE, CHRISTMAS_EVE + "/preview"]
)
def test_a_form_without_proof_changes_nothing_and_keeps_what_was_typed(
    desk: Desk, services: Services, path: str
) -> None:
    fields = {
        "mon-0-from": "07:15",
        "hours-0-from": "07:15",
        "morning_minutes": "07:15",
        "kind": "own",
        "csrf_token": "x",
    }
    before = dump(services)
    answer = desk.post(path, data=fields)
    assert answer.status_code == 400
    assert 'value="07:15"' in answer.text
    assert dump(services) == before


def test_fields_that_are_not_part_of_the_form_change_nothing(desk: Desk, services: Services) -> None:
    extra = {
        "slug": "eve",
        "email": "eve@example.org",
        "owner_id": "2",
        "id": "2",
        "timezone": "UTC",
        "timetable": "{}",
    }
    before = owner(services)
    for path in (WEEK, "/desk/hours/rules", CHRISTMAS_EVE):
        assert desk.send(path, path, **extra).status_code == 303
    after = owner(services)
    for name in ("slug", "email", "id", "timezone", "timetable"):
        assert getattr(after, name) == getattr(before, name)
    assert owner(services, "bert").timetable == before.timetable


# Single days


def test_a_month_marks_its_days(desk: Desk, services: Services, app: Flask) -> None:
    with services.database.writing() as db:
        hours.override_day(db, "anna", date(2026, 12, 23), "09:00-11:30")
        hours.add_absence(db, "anna", date(2026, 12, 28), date(2026, 12, 29), "")
        hours.set_holidays(db, "anna", "DE", "BY", date(2026, 11, 23))
    Visitor(app).token(datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
    text = desk.read("/desk/hours/days?month=2026-12")
    for label in (
        "Tuesday, 1 December, calls",
        "Wednesday, 23 December, 9:00–11:30",
        "Friday, 25 December, Christmas Day",
        "Monday, 28 December, away",
        "Sunday, 6 December, closed",
        "Thursday, 3 December",
    ):
        assert f'aria-label="{label}"' in text


def test_days_that_are_over_lead_nowhere_and_months_that_are_over_are_not_shown(desk: Desk) -> None:
    text = desk.read("/desk/hours/days?month=2026-03")
    assert "November 2026" in text
    assert "/desk/hours/days/2026-11-22" not in text
    assert "/desk/hours/days/2026-11-23" in text
    assert desk.get("/desk/hours/days/2026-11-22").status_code == 404
    assert desk.post("/desk/hours/days/2026-11-22", data={"kind": "closed"}).status_code == 404
    for odd in ("2026-13-01", "x", "9998-01-01"):
        assert desk.get(f"/desk/hours/days/{odd}").status_code == 404
        desk.read(f"/desk/hours/days?month={odd}")


@pytest.mark.parametrize(
    ("typed", "starts"),
    [
        ({"kind": "closed"}, []),
        ({"kind": "own", "hours-0-from": "19:00", "hours-0-to": "20:00"}, ["18:00", "18:15", "18:30"]),
    ],
)
def test_a_day_of_its_own_decides_what_can_be_booked(
    desk: Desk, app: Flask, typed: dict[str, str], starts: list[str]
) -> None:
    path = "/desk/hours/days/2026-11-26"
    answer = desk.send(path, path, **typed)
    assert answer.status_code == 303
    assert answer.location.endswith("month=2026-11")
    free = [f"{start:%H:%M}" for start in Visitor(app).slots() if start.date() == date(2026, 11, 26)]
    assert free == starts
    back = desk.send(path, path, kind="usual")
    assert back.status_code == 303
    assert len([start for start in Visitor(app).slots() if start.date() == date(2026, 11, 26)]) > 10


def test_hours_typed_under_another_choice_are_not_dropped(desk: Desk, services: Services) -> None:
    answer = desk.send(
        CHRISTMAS_EVE, CHRISTMAS_EVE, **{"kind": "usual", "hours-0-from": "09:00", "hours-0-to": "10:00"}
    )
    assert answer.status_code == 422
    assert "choose “hours of its own”" in answer.text
    assert 'value="09:00"' in answer.text
    assert owner(services).timetable.overrides == {}


def test_own_hours_need_hours(desk: Desk) -> None:
    answer = desk.send(CHRISTMAS_EVE, CHRISTMAS_EVE, kind="own")
    assert answer.status_code == 422
    assert "Write the hours" in answer.text


def test_a_day_changed_in_another_window_is_not_overwritten_silently(desk: Desk, services: Services) -> None:
    form = desk.form(CHRISTMAS_EVE, CHRISTMAS_EVE)
    with services.database.writing() as db:
        hours.override_day(db, "anna", date(2026, 12, 24), "09:00-10:00")
    answer = desk.post(CHRISTMAS_EVE, data={**form.fields, "kind": "closed"})
    assert answer.status_code == 409
    assert owner(services).timetable.overrides == {date(2026, 12, 24): parse_windows("09:00-10:00")}


def test_a_day_with_calls_names_them(desk: Desk, app: Flask) -> None:
    Visitor(app).token(datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
    text = desk.read("/desk/hours/days/2026-12-01")
    assert person()["name"] in text
    assert "/desk/calls/" in text


# Rules


def test_the_rules_are_saved_and_count(desk: Desk, services: Services, app: Flask) -> None:
    path = "/desk/hours/rules"
    form = desk.form(path)
    fields = {name: value for name, value in form.fields.items() if name != "notice_in_working_time"}
    assert desk.post(path, data={**fields, "morning_minutes": "15", "most_moves": "0"}).status_code == 303
    saved = owner(services)
    assert (saved.notice_in_working_time, saved.morning_minutes, saved.most_moves) == (False, 15, 0)
    text = desk.read("/desk/hours")
    assert "Clients can't move calls themselves" in text.replace("&#39;", "'")


@pytest.mark.parametrize(("name", "value"), [("morning_minutes", "241"), ("most_moves", "x"), ("most_moves", "")])
def test_rules_out_of_their_limits_are_refused(desk: Desk, services: Services, name: str, value: str) -> None:
    before = dump(services)
    answer = desk.send("/desk/hours/rules", **{name: value})
    assert answer.status_code == 422
    assert f'value="{value}"' in answer.text
    assert dump(services) == before
