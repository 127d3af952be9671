"""Public holidays: country and region, and the ones on which the owner works."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.models import Owner
from booking.usecases import free_days, hours
from booking.usecases.availability import kept_holidays, public_holidays
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY
from tests.web.visitors import Visitor, dump

PATH = "/desk/holidays"
EPIPHANY = date(2027, 1, 6)
CHRISTMAS = date(2026, 12, 25)


@pytest.fixture
def in_bavaria(services: Services, desk: Desk) -> None:
    """Anna keeps the holidays of Bavaria."""
    with services.database.writing() as db:
        hours.set_holidays(db, "anna", "DE", "BY", MONDAY.date())


def owner(services: Services) -> Owner:
    with services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one()


def closed(desk: Desk, path: str = PATH) -> list[str]:
    """Return the names of the holidays whose boxes are ticked."""
    boxes = [values for tag, values in desk.page(path).tags if tag == "input" and values.get("name") == "closed"]
    return [values["value"] for values in boxes if "checked" in values]


def keep(desk: Desk, names: list[str], path: str = PATH) -> int:
    return desk.post(PATH, data={**desk.form(path, PATH).fields, "closed": names}).status_code


def is_free(app: Flask, day: date) -> bool:
    return any(start.date() == day for start in Visitor(app).slots())


def test_a_country_is_looked_at_first_and_then_saved(desk: Desk, services: Services, app: Flask) -> None:
    assert is_free(app, CHRISTMAS)
    path = f"{PATH}?country=DE&region=BY"
    text = desk.read(path)
    for words in ("This choice is not saved yet.", "Friday, 25 December", "Bayern", "Epiphany", "6 January 2027"):
        assert words in text
    assert owner(services).holiday_country == ""
    assert keep(desk, closed(desk, path), path) == 303
    saved = owner(services)
    assert (saved.holiday_country, saved.holiday_region, saved.holidays_worked) == ("DE", "BY", "")
    assert not is_free(app, CHRISTMAS)
    assert "This choice is not saved yet." not in desk.read(PATH)


@pytest.mark.usefixtures("in_bavaria")
def test_a_holiday_without_a_tick_is_a_working_day_in_every_year(desk: Desk, services: Services, app: Flask) -> None:
    assert not is_free(app, EPIPHANY)
    assert keep(desk, [name for name in closed(desk) if name != "Epiphany"]) == 303
    assert owner(services).holidays_worked == "Epiphany"
    assert is_free(app, EPIPHANY)
    assert not is_free(app, CHRISTMAS)
    assert "Epiphany" not in closed(desk)
    saved = owner(services)
    for year in (2027, 2030, 2040):
        kept = kept_holidays(saved.holiday_country, saved.holiday_region, saved.holidays_worked, year)
        assert date(year, 1, 6) not in kept
        assert date(year, 1, 1) in kept


@pytest.mark.usefixtures("in_bavaria")
def test_without_a_country_holidays_are_days_like_any_other(desk: Desk, services: Services, app: Flask) -> None:
    path = f"{PATH}?country="
    assert "days like any other" in desk.read(path)
    assert keep(desk, [], path) == 303
    assert owner(services).holiday_country == ""
    assert is_free(app, CHRISTMAS)


@pytest.mark.usefixtures("in_bavaria")
def test_countries_and_holidays_are_called_as_the_reader_does(desk: Desk) -> None:
    german = desk.read(f"{PATH}?lang=de")
    assert german.index(">Ägypten<") < german.index(">Deutschland<") < german.index(">Zypern<")
    assert "Heilige Drei Könige" in german
    assert 'value="Epiphany"' in german, "and told apart by one name, whoever reads"
    assert ">Германия<" in desk.read(f"{PATH}?lang=ru")


@pytest.mark.usefixtures("in_bavaria")
def test_another_language_at_the_desk_saves_the_same_holidays(desk: Desk, services: Services) -> None:
    german = f"{PATH}?lang=de"
    assert keep(desk, [name for name in closed(desk, german) if name != "Epiphany"], german) == 303
    assert owner(services).holidays_worked == "Epiphany"


@pytest.mark.usefixtures("in_bavaria")
def test_a_region_of_another_country_counts_for_none(desk: Desk) -> None:
    assert 'value="AT" selected' in desk.read(f"{PATH}?country=AT&region=BY")
    for odd in ("country=XX", "country=DE&region=XX", "country=../etc", "region=%00"):
        desk.read(f"{PATH}?{odd}")


@pytest.mark.usefixtures("in_bavaria")
@pytest.mark.parametrize("typed", [{"closed": ["Made up"]}, {"closed": ["Christmas Day\nEpiphany"]}])
def test_only_holidays_of_the_country_can_be_kept(desk: Desk, services: Services, typed: dict[str, list[str]]) -> None:
    before = dump(services)
    assert desk.post(PATH, data={**desk.form(PATH, PATH).fields, **typed}).status_code == 422
    assert dump(services) == before


@pytest.mark.usefixtures("in_bavaria")
@pytest.mark.parametrize("typed", [{"country": "XX"}, {"region": "XX"}, {"country": "AT"}, {"country": ""}])
def test_a_country_or_region_that_is_not_known_is_not_saved(
    desk: Desk, services: Services, typed: dict[str, str]
) -> None:
    """Bavaria is none of Austria's, and without a country there is no region."""
    before = dump(services)
    for path in (PATH, f"{PATH}/preview"):
        assert desk.post(path, data={**desk.form(PATH, PATH).fields, **typed}).status_code == 404
    assert dump(services) == before


@pytest.mark.usefixtures("in_bavaria")
def test_holidays_changed_in_another_window_are_not_overwritten_silently(desk: Desk, services: Services) -> None:
    ticked, fields = closed(desk), desk.form(PATH, PATH).fields
    assert keep(desk, ticked[1:]) == 303
    answer = desk.post(PATH, data={**fields, "closed": ticked[:-1]})
    assert answer.status_code == 409
    assert owner(services).holidays_worked == ticked[0]


@pytest.mark.usefixtures("in_bavaria")
def test_a_holiday_that_does_not_come_every_year_stays_a_working_day(services: Services) -> None:
    shown = free_days.coming("DE", "BY", MONDAY.date(), "en")
    ticked = [holiday.name for holiday in shown if holiday.name != "Epiphany"]
    assert free_days.worked_names(shown, ticked, "Reformation Day") == "Epiphany\nReformation Day"
    assert free_days.worked_names(shown, [*ticked, "Epiphany"], "Epiphany\nReformation Day") == "Reformation Day"


def test_a_day_with_two_holidays_is_kept_as_long_as_one_of_them_is() -> None:
    """In Turkey, 19 May 2027 is both the Commemoration of Atatürk and a day of Eid al-Adha."""
    day, first = date(2027, 5, 19), "Commemoration of Atatürk, Youth and Sports Day"
    assert public_holidays("TR", "", 2026)[day] == f"{first}; Eid al-Adha"
    assert day in kept_holidays("TR", "", first, 2026)
    assert day in kept_holidays("TR", "", "Eid al-Adha", 2026)
    assert day not in kept_holidays("TR", "", f"{first}\nEid al-Adha", 2026)


def test_two_holidays_of_one_day_keep_their_own_labels() -> None:
    """The names of one day are sorted in each language by itself."""
    labels = {holiday.name: holiday.label for holiday in free_days.coming("TR", "", MONDAY.date(), "tr")}
    assert labels["Eid al-Adha"] == "Kurban Bayramı"


def test_names_do_not_depend_on_the_machine_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "uk")
    assert public_holidays("DE", "", 2031)[date(2031, 12, 25)] == "Christmas Day"


def test_without_proof_nothing_changes(desk: Desk, services: Services) -> None:
    before = dump(services)
    for path in (PATH, f"{PATH}/preview"):
        assert desk.post(path, data={"country": "DE", "csrf_token": "x"}).status_code == 400
    assert dump(services) == before


@pytest.mark.usefixtures("in_bavaria")
def test_the_owner_s_page_of_the_day_names_its_holiday(desk: Desk) -> None:
    assert "This is a public holiday: Christmas Day." in desk.read("/desk/hours/days/2026-12-25")


@pytest.mark.usefixtures("in_bavaria")
def test_a_day_of_its_own_opens_a_holiday(desk: Desk, app: Flask) -> None:
    path = "/desk/hours/days/2026-12-25"
    typed = {"kind": "own", "hours-0-from": "10:00", "hours-0-to": "10:30"}
    assert desk.send(path, path, **typed).status_code == 303
    assert datetime(2026, 12, 25, 9, 0, tzinfo=UTC) in Visitor(app).slots()
