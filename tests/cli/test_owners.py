"""The commands about owners, call types, hours, holidays and absences."""

import pytest

from booking.services import Services
from booking.usecases.availability import find_owner
from tests.cli.conftest import Operator

NEW = ("owner", "add", "--slug", "ben", "--name", "Ben", "--email", "ben@example.org")


def test_an_owner_can_be_added_and_is_listed_with_usual_hours(operator: Operator) -> None:
    said = operator.run(*NEW, "--timezone", "Europe/Vienna", "--locale", "de", "--country", "AT")
    assert "https://calls.example.org/ben" in said
    (ben,) = operator.ask("owner", "list")
    assert (ben["timezone"], ben["locale"], ben["country"]) == ("Europe/Vienna", "de", "AT")
    assert ben["hours"] == "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"


def test_what_is_not_given_about_a_new_owner_comes_from_the_machine(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    added = operator.ask(*NEW)
    assert (added["timezone"], added["locale"], added["country"]) == ("Asia/Kathmandu", "ru", "NP")


def test_every_bad_value_of_a_new_owner_is_named_at_once(operator: Operator) -> None:
    said = operator.fail(*NEW[:3], "desk", "--name", "", "--email", "nobody", "--timezone", "Mars")
    assert all(name in said for name in ("slug: 'desk'", "name: ", "email: ", "timezone: "))


def test_without_owners_the_list_says_how_to_begin(operator: Operator) -> None:
    assert "owner add" in operator.run("owner", "list")


def test_the_list_shows_call_types_hours_and_absences(anna: Operator) -> None:
    anna.run("absence", "add", "--owner", "anna", "--from", "2026-12-24", "--to", "2027-01-02", "--notice", "Back soon")
    said = anna.run("owner", "list")
    assert "call type call: First call, 30 minutes" in said
    assert "absent 2026-12-24 – 2027-01-02 Back soon" in said


def test_settings_of_an_owner_change_and_the_others_stay(anna: Operator) -> None:
    assert "line, phone" in anna.run("owner", "set", "--owner", "anna", "line=Hello", "phone=030 901820")
    (owner,) = anna.ask("owner", "list")
    assert (owner["line"], owner["phone"], owner["name"]) == ("Hello", "+4930901820", "Anna Beispiel")


def test_an_unknown_setting_is_refused_with_the_list_of_known_ones(anna: Operator) -> None:
    assert "morning_minutes" in anna.fail("owner", "set", "--owner", "anna", "revision=7")


def test_an_owner_who_does_not_exist_is_named(anna: Operator) -> None:
    assert "there is no owner 'otto'" in anna.fail("owner", "set", "--owner", "otto", "line=x")


def test_a_call_type_can_be_added_with_every_rule(anna: Operator) -> None:
    rules = "--before 5 --after 15 --notice-minutes 60 --horizon-days 30 --step 30 --max-per-day 3 --max-per-week 9"
    words = ("call-type", "add", "--owner", "anna", "--slug", "first", "--name", "First", "--minutes", "20")
    added = anna.ask(*words, *rules.split(), "--who-calls", "choice", "--description", "Short.")
    assert added == {
        "slug": "first",
        "name": "First",
        "description": "Short.",
        "position": 1,
        "minutes": 20,
        "before_minutes": 5,
        "after_minutes": 15,
        "notice_minutes": 60,
        "horizon_days": 30,
        "step_minutes": 30,
        "max_per_day": 3,
        "max_per_week": 9,
        "who_calls": "choice",
        "reminders": "1440 60",
        "lengths": "",
        "languages": "",
        "is_email_needed": True,
        "questions": "note",
        "visibility": "listed",
        "wording": {},
        "url": "https://calls.example.org/anna/first",
    }


def test_a_call_type_that_exists_is_not_added_again(anna: Operator) -> None:
    words = ("call-type", "add", "--owner", "anna", "--slug", "call", "--name", "Call", "--minutes", "20")
    assert "has a call type 'call' already" in anna.fail(*words)


def test_settings_of_a_call_type_change(anna: Operator) -> None:
    anna.run("call-type", "set", "--owner", "anna", "--slug", "call", "max-per-day=2")
    changed = anna.ask("call-type", "set", "--owner", "anna", "--slug", "call", "minutes=45")
    assert (changed["minutes"], changed["max_per_day"]) == (45, 2)


def test_a_call_type_that_does_not_exist_is_named(anna: Operator) -> None:
    assert "no call type 'talk'" in anna.fail("call-type", "set", "--owner", "anna", "--slug", "talk", "minutes=45")


def test_hours_are_set_and_said_again(anna: Operator) -> None:
    assert anna.ask("hours", "set", "--owner", "anna", "tue 10-12") == {"hours": "tue 10:00-12:00"}


def test_hours_that_can_not_be_read_change_nothing(anna: Operator, services: Services) -> None:
    anna.fail("hours", "set", "--owner", "anna", "whenever")
    with services.database.reading() as db:
        assert any(find_owner(db, "anna").timetable.weekly)


@pytest.mark.parametrize("hours", ["closed", "09:00-12:00", "usual"])
def test_a_day_can_have_hours_of_its_own(anna: Operator, hours: str) -> None:
    words = ("hours", "override", "--owner", "anna", "--date", "2026-12-23")
    anna.run(*words, "08:00-09:00")
    assert anna.ask(*words, hours) == {"date": "2026-12-23", "hours": hours}
    assert hours in anna.run(*words, hours)


def test_hours_of_a_day_that_can_not_be_read_are_refused(anna: Operator) -> None:
    anna.fail("hours", "override", "--owner", "anna", "--date", "2026-12-23", "maybe")


def test_public_holidays_of_a_region_are_kept_or_not(anna: Operator) -> None:
    words = ("holidays", "set", "--owner", "anna")
    assert "DE BY" in anna.run(*words, "--country", "de", "--region", "by")
    assert "working days" in anna.run(*words)


def test_a_region_without_known_holidays_is_refused(anna: Operator) -> None:
    assert "DE XX" in anna.fail("holidays", "set", "--owner", "anna", "--country", "DE", "--region", "XX")


def test_an_absence_can_be_added_and_taken_back(anna: Operator) -> None:
    added = anna.ask(
        "absence", "add", "--owner", "anna", "--from", "2026-12-24", "--to", "2026-12-24", "--stand-in", "Bert"
    )
    assert added == [{"from": "2026-12-24", "to": "2026-12-24", "notice": "", "stand_in": "Bert"}]
    assert anna.ask("absence", "remove", "--owner", "anna", "--from", "2026-12-24") == []


def test_an_absence_that_ends_before_it_begins_is_refused(anna: Operator) -> None:
    said = anna.fail("absence", "add", "--owner", "anna", "--from", "2026-12-24", "--to", "2026-12-23")
    assert "lies before" in said


def test_an_absence_that_is_not_there_can_not_be_taken_back(anna: Operator) -> None:
    anna.fail("absence", "remove", "--owner", "anna", "--from", "2026-12-24")


def test_who_finds_a_call_type_is_set_and_listed(anna: Operator) -> None:
    (before,) = anna.ask("owner", "list")
    anna.run(
        "call-type", "set", "--owner", "anna", "--slug", "call", "visibility=hidden", "lengths=15 45", "name_de=Anruf"
    )
    assert ", hidden" in anna.run("owner", "list")
    changed = anna.ask("call-type", "set", "--owner", "anna", "--slug", "call", "visibility=link")
    assert len(changed["slug"]) == 32
    assert (changed["lengths"], changed["wording"]) == ("15 45", {"de": {"name": "Anruf"}})
    said = anna.run("owner", "list")
    assert ", by its link only" in said
    assert before["slug"] == "anna"
