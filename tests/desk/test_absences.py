"""Absences: planned, changed and removed at the desk; what clients read and can book follows."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.rules.hours import Absence
from booking.services import Services
from booking.store.models import Call, Owner
from booking.usecases import hours
from tests.desk.deskwork import Desk
from tests.web.visitors import Visitor, dump

NEW = "/desk/absences/new"
DAYS = {"first": "2026-12-01", "last": "2026-12-04", "notice": "Bert answers meanwhile."}
SAVED = Absence(date(2026, 12, 1), date(2026, 12, 4), "Bert answers meanwhile.")
ONE = "/desk/absences/2026-12-01"


@pytest.fixture
def saved(services: Services, desk: Desk) -> Absence:
    """An absence in the first days of December."""
    with services.database.writing() as db:
        hours.add_absence(db, "anna", SAVED.first, SAVED.last, SAVED.notice)
    return SAVED


def absences(services: Services, slug: str = "anna") -> tuple[Absence, ...]:
    with services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == slug)).one().timetable.absences


def test_a_planned_absence_is_told_and_closes_its_days(desk: Desk, services: Services, app: Flask) -> None:
    answer = desk.send(NEW, NEW, **DAYS)
    assert answer.status_code == 303
    assert "The absence is saved: Tuesday, 1 December to Friday, 4 December." in desk.get(answer.location).text
    assert absences(services) == (SAVED,)
    visitor = Visitor(app)
    assert not [start for start in visitor.slots() if date(2026, 12, 1) <= start.date() <= date(2026, 12, 4)]
    text = visitor.get("/anna/call").text
    for words in (
        "I am away from Tuesday, 1 December to Friday, 4 December.",
        "back on Monday, 7 December",
        DAYS["notice"],
    ):
        assert words in text


def test_calls_in_an_absence_are_named_and_not_cancelled(desk: Desk, services: Services, app: Flask) -> None:
    visitor = Visitor(app)
    visitor.token(datetime(2026, 12, 1, 9, 0, tzinfo=UTC), name="Kim Inside")
    visitor.token(
        datetime(2026, 12, 7, 9, 0, tzinfo=UTC), name="Kim Outside", email="o@example.com", phone="+491701200002"
    )
    desk.send(NEW, NEW, **DAYS)
    with services.database.reading() as db:
        inside = db.scalars(sa.select(Call).where(Call.name == "Kim Inside")).one()
    for path in ("/desk/absences", ONE):
        text = desk.read(path)
        assert "Kim Inside" in text
        assert f"/desk/calls/{inside.id}" in text
        assert "Kim Outside" not in text
    assert inside.state == "confirmed"


def test_an_absence_is_changed_in_its_place(desk: Desk, services: Services, saved: Absence) -> None:
    assert desk.send(ONE, ONE, first="2026-12-02", notice="").status_code == 303
    assert absences(services) == (Absence(date(2026, 12, 2), date(2026, 12, 4)),)
    assert desk.get(ONE).status_code == 404


def test_a_removed_absence_opens_its_days(desk: Desk, services: Services, app: Flask, saved: Absence) -> None:
    answer = desk.send(ONE, f"{ONE}/remove")
    assert answer.status_code == 303
    assert absences(services) == ()
    assert [start for start in Visitor(app).slots() if start.date() == date(2026, 12, 1)]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"last": "2026-11-30"}, "last", "The last day lies before the first."),
        ({"first": "2026-11-02", "last": "2026-11-03"}, "last", "These days are over."),
        ({"last": "2028-12-01"}, "last", "Give at most a year at once."),
        ({"first": "1 December"}, "first", "Write the day like 2026-12-24."),
        ({"first": ""}, "first", "Choose a day."),
        ({"notice": "a" * 401}, "notice", "Shorten this to 400 characters."),
    ],
)
def test_what_can_t_be_is_named_at_its_field_and_kept(
    desk: Desk, services: Services, typed: dict[str, str], field: str, words: str
) -> None:
    answer = desk.send(NEW, NEW, **{**DAYS, **typed})
    assert answer.status_code == 422
    assert f'id="{field}-problem">{words}' in answer.text
    for value in {**DAYS, **typed}.values():
        assert f'value="{value}"' in answer.text
    assert absences(services) == ()


def test_two_absences_share_no_day(desk: Desk, services: Services, saved: Absence) -> None:
    answer = desk.send(NEW, NEW, first="2026-12-04", last="2026-12-06")
    assert answer.status_code == 422
    assert "You are away already: Tuesday, 1 December to Friday, 4 December." in answer.text
    assert desk.send(ONE, ONE, last="2026-12-06").status_code == 303, "it does not stand in its own way"


def test_an_absence_changed_in_another_window_is_not_overwritten_silently(
    desk: Desk, services: Services, saved: Absence
) -> None:
    first, second = desk.form(ONE, ONE), desk.form(ONE, ONE)
    assert desk.post(ONE, data={**first.fields, "notice": "First"}).status_code == 303
    answer = desk.post(ONE, data={**second.fields, "notice": "Second"})
    assert answer.status_code == 409
    assert 'value="Second"' in answer.text
    assert absences(services)[0].notice == "First"


def test_an_absence_changed_meanwhile_is_not_removed_silently(desk: Desk, services: Services, saved: Absence) -> None:
    form = desk.form(ONE, f"{ONE}/remove")
    assert desk.send(ONE, ONE, notice="Longer").status_code == 303
    answer = desk.post(f"{ONE}/remove", data=form.fields)
    assert answer.status_code == 409
    assert 'value="Longer"' in answer.text
    assert len(absences(services)) == 1


@pytest.mark.parametrize("path", [NEW, ONE, f"{ONE}/remove", "/desk/absences/preview"])
def test_without_proof_nothing_changes(desk: Desk, services: Services, saved: Absence, path: str) -> None:
    before = dump(services)
    assert desk.post(path, data={**DAYS, "csrf_token": "x"}).status_code == 400
    assert dump(services) == before


def test_an_absence_of_somebody_else_is_not_there(
    desk: Desk, berts_desk: Desk, services: Services, saved: Absence
) -> None:
    before = dump(services)
    assert berts_desk.get(ONE).status_code == 404
    assert berts_desk.post(ONE, data=DAYS).status_code == 404
    assert berts_desk.post(f"{ONE}/remove", data=DAYS).status_code == 404
    assert berts_desk.get("/desk/absences/x").status_code == 404
    assert dump(services) == before


def test_fields_that_are_not_part_of_the_form_change_nothing(desk: Desk, services: Services) -> None:
    assert desk.send(NEW, NEW, **DAYS, owner_id="2", slug="bert", timetable="{}").status_code == 303
    assert absences(services) == (SAVED,)
    assert absences(services, "bert") == ()


def test_looking_changes_nothing(desk: Desk, services: Services, saved: Absence) -> None:
    before = dump(services)
    for path in ("/desk/absences", NEW, ONE):
        desk.read(path)
    assert dump(services) == before


def test_absences_that_are_over_are_not_listed(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        hours.add_absence(db, "anna", date(2026, 10, 1), date(2026, 10, 4), "Long ago")
    assert "Long ago" not in desk.read("/desk/absences")
