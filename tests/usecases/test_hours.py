"""Hours, days that differ, absences and holidays; how they decide is tested with the rules."""

from datetime import date, timedelta

import pytest

from booking.errors import InvalidText, NotFound
from booking.rules.hours import Absence, Window
from booking.services import Services
from booking.usecases import hours

DAY = date(2026, 12, 23)


def test_hours_and_overrides_change_independently(services: Services) -> None:
    with services.database.writing() as db:
        hours.override_day(db, "anna", DAY, "09:00-12:00")
        hours.override_day(db, "anna", DAY + timedelta(days=1), "closed")
        table = hours.set_hours(db, "anna", "mon 10:00-11:00").timetable
    assert table.weekly[0] == (Window(600, 660),)
    assert table.overrides == {DAY: (Window(540, 720),), DAY + timedelta(days=1): ()}
    with services.database.writing() as db:
        table = hours.override_day(db, "anna", DAY, " Usual ").timetable
    assert list(table.overrides) == [DAY + timedelta(days=1)]


def test_absences_are_kept_in_order_and_once(services: Services) -> None:
    later, sooner = Absence(DAY, DAY, "away"), Absence(DAY - timedelta(days=9), DAY)
    with services.database.writing() as db:
        for absence in (later, sooner, later):
            owner = hours.add_absence(db, "anna", absence.first, absence.last, absence.notice)
        assert owner.timetable.absences == (sooner, later)
        assert hours.remove_absence(db, "anna", sooner.first).timetable.absences == (later,)


@pytest.mark.parametrize(
    ("days", "notice"),
    [(-1, ""), (367, ""), (0, "two\nlines"), (0, "a" * 401)],
    ids=["backwards", "long", "lines", "prose"],
)
def test_an_impossible_absence_is_refused(services: Services, days: int, notice: str) -> None:
    with services.database.writing() as db, pytest.raises(InvalidText):
        hours.add_absence(db, "anna", DAY, DAY + timedelta(days=days), notice)


def test_holidays_are_those_of_the_region(services: Services) -> None:
    with services.database.writing() as db:
        owner = hours.set_holidays(db, "anna", "de", "by", DAY)
        assert (owner.holiday_country, owner.holiday_region) == ("DE", "BY")
        owner = hours.set_holidays(db, "anna", "", "by", DAY)
        assert (owner.holiday_country, owner.holiday_region) == ("", "")


def test_holidays_that_are_worked_stay_so_in_the_same_country_only(services: Services) -> None:
    with services.database.writing() as db:
        owner = hours.set_holidays(db, "anna", "DE", "BY", DAY)
        hours.keep_holidays(owner, hours.Holidays("DE", "BY", "Epiphany"))
        assert hours.set_holidays(db, "anna", "DE", "BE", DAY).holidays_worked == "Epiphany"
        assert hours.set_holidays(db, "anna", "AT", "", DAY).holidays_worked == ""


@pytest.mark.parametrize(("country", "region"), [("XX", ""), ("DE", "XX")])
def test_unknown_holidays_are_refused(services: Services, country: str, region: str) -> None:
    with services.database.writing() as db, pytest.raises(InvalidText, match=f"the holidays of {country}"):
        hours.set_holidays(db, "anna", country, region, DAY)


def test_an_absence_that_is_not_there_is_named(services: Services) -> None:
    with services.database.writing() as db, pytest.raises(NotFound, match="2026-12-23"):
        hours.remove_absence(db, "anna", DAY)
