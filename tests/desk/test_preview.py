"""The preview: the public page itself, with values that are not saved."""

import re
from datetime import date

from flask import Flask

from booking.services import Services
from booking.usecases import hours
from tests.desk.deskwork import Desk
from tests.web.visitors import Page, Visitor, dump

WEEK = "/desk/hours/week"


def preview_of_week(desk: Desk, **typed: str) -> str:
    fields = {**desk.form(WEEK, WEEK).fields, **typed}
    before = dump(desk.services)
    answer = desk.post(f"{WEEK}/preview", data=fields)
    assert answer.status_code == 200
    assert dump(desk.services) == before
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.text


def test_the_week_is_shown_as_clients_would_see_it_and_not_saved(desk: Desk, app: Flask) -> None:
    text = preview_of_week(desk, **{"mon-0-from": "09:45"})
    assert "nothing of this is saved" in text
    assert "Next free: Mon 23 Nov, 10:45" in text
    assert "Next free: Mon 23 Nov, 10:00" in Visitor(app).get("/anna/call").text


def test_what_is_saved_looks_the_same_in_the_preview_as_on_the_page(desk: Desk, app: Flask) -> None:
    """One template and one offer: the times of the day are the same."""

    def times(html: str) -> list[str]:
        return [values["aria-label"] for tag, values in Page(html).tags if tag == "a" and values.get("class") == "time"]

    shown = times(preview_of_week(desk))
    assert shown
    assert shown == times(Visitor(app).get("/anna/call").text)


def test_nothing_in_a_preview_leads_anywhere(desk: Desk) -> None:
    page = Page(preview_of_week(desk))
    addresses = [values["href"] for tag, values in page.tags if tag == "a"]
    assert len(addresses) > 10
    assert all(address.startswith("#") for address in addresses)
    assert not any(tag == "script" for tag, _ in page.tags)
    assert [form.action for form in page.forms] == [""], "only the one that asks for another day"


def test_another_day_and_call_type_of_the_same_values_can_be_looked_at(desk: Desk) -> None:
    text = preview_of_week(desk, **{"tue-0-from": "18:00", "tue-0-to": "18:30"})
    fields = Page(text).post_form.fields
    answer = desk.post(f"{WEEK}/preview", data={**fields, "preview_day": "2026-12-01", "preview_type": "only-anna"})
    assert answer.status_code == 200
    assert "Tuesday, 1 December" in answer.text
    assert "18:00" in answer.text
    assert "You call me" in answer.text
    assert Page(answer.text).post_form.fields["tue-0-from"] == "18:00"


def test_a_call_type_of_somebody_else_is_not_shown(desk: Desk) -> None:
    assert "Bert" not in preview_of_week(desk, preview_type="only-bert")


def test_hours_that_can_t_be_are_named_instead_of_shown(desk: Desk) -> None:
    fields = {**desk.form(WEEK, WEEK).fields, "mon-0-from": "13:00", "mon-0-to": "12:00"}
    answer = desk.post(f"{WEEK}/preview", data=fields)
    assert answer.status_code == 422
    assert "This ends before it begins." in answer.text


def test_a_day_is_previewed_on_that_day(desk: Desk) -> None:
    path = "/desk/hours/days/2026-12-03"
    fields = {**desk.form(path, path).fields, "kind": "own", "hours-0-from": "19:00", "hours-0-to": "19:30"}
    before = dump(desk.services)
    text = desk.post(f"{path}/preview", data=fields).text
    assert "Thursday, 3 December" in text
    assert "19:00" in text
    assert dump(desk.services) == before


def test_an_absence_is_previewed_with_its_notice(desk: Desk) -> None:
    path = "/desk/absences/new"
    fields = {**desk.form(path, path).fields, "first": "2026-11-24", "last": "2026-11-26", "notice": "Skiing"}
    before = dump(desk.services)
    text = desk.post("/desk/absences/preview", data=fields).text
    for words in ("I am away from Tuesday, 24 November to Thursday, 26 November.", "Skiing", "I am away on this day."):
        assert words in text
    assert dump(desk.services) == before


def test_a_changed_absence_is_previewed_in_the_place_of_the_saved_one(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        hours.add_absence(db, "anna", date(2026, 11, 24), date(2026, 11, 26), "Skiing")
    path = "/desk/absences/2026-11-24"
    fields = {**desk.form(path, path).fields, "first": "2026-11-25", "notice": "Sailing"}
    text = desk.post("/desk/absences/preview", data=fields).text
    assert "I am away from Wednesday, 25 November to Thursday, 26 November." in text
    assert "Skiing" not in text


def test_holidays_are_previewed(desk: Desk) -> None:
    path = "/desk/holidays?country=DE"
    fields = desk.form(path, "/desk/holidays").fields
    before = dump(desk.services)
    asked = {**fields, "closed": ["Christmas Day"], "preview_day": "2026-12-25"}
    assert "This day is a public holiday." in desk.post("/desk/holidays/preview", data=asked).text
    worked = {**asked, "closed": ["New Year's Day"]}
    assert "This day is a public holiday." not in desk.post("/desk/holidays/preview", data=worked).text
    assert dump(desk.services) == before


def test_a_preview_shows_what_was_typed_as_text(desk: Desk) -> None:
    path = "/desk/absences/new"
    evil = '"><script>alert(1)</script>'
    fields = {**desk.form(path, path).fields, "first": "2026-11-24", "last": "2026-11-24", "notice": evil, evil: evil}
    text = desk.post("/desk/absences/preview", data=fields).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_preview_is_only_for_who_is_logged_in(app: Flask) -> None:
    assert Visitor(app).post(f"{WEEK}/preview", data={}).status_code == 401


def type_page(desk: Desk) -> str:
    """Return where the owner's first call type is changed."""
    links = Page(desk.read("/desk/call-types")).links
    return next(link for link in links if re.fullmatch(r"/desk/call-types/[0-9]+", link))


def preview_of_type(desk: Desk, where: str, **typed: str) -> str:
    """Send the form of a call type to be looked at; that changes nothing."""
    fields = {**desk.form(where, where).fields, **typed}
    before = dump(desk.services)
    answer = desk.post(f"{where}/preview", data=fields)
    assert answer.status_code == 200
    assert dump(desk.services) == before
    return answer.text


def test_a_call_type_is_previewed_with_its_words_and_rules(desk: Desk, app: Flask) -> None:
    """Its notice, step, lengths and caps decide which times are shown."""
    where = type_page(desk)
    typed = {"name": "Long talk", "minutes": "90", "step_minutes": "60", "lengths": "45", "notice_minutes": "1440"}
    text = preview_of_type(desk, where, **typed)
    for words in ("Long talk", "90 minutes", "45 minutes"):
        assert words in text
    assert "Next free: Mon 23 Nov" not in text
    assert "Next free: Mon 23 Nov" in Visitor(app).get("/anna/call").text


def test_a_new_call_type_is_previewed_before_there_is_one(desk: Desk) -> None:
    text = preview_of_type(desk, "/desk/call-types/new", name="Quick word", description="For regulars.", minutes="10")
    for words in ("Quick word", "For regulars.", "10 minutes", "Next free: Mon 23 Nov"):
        assert words in text
    assert "Quick word" not in desk.read("/desk/call-types")


def test_what_can_t_be_saved_is_named_instead_of_previewed(desk: Desk) -> None:
    new = "/desk/call-types/new"
    for typed in ({"name": ""}, {"name": "Second", "slug": "call"}):
        answer = desk.post(f"{new}/preview", data={**desk.form(new, new).fields, **typed})
        assert answer.status_code == 422
        assert "nothing of this is saved" not in answer.text


def test_somebody_else_s_call_type_can_t_be_previewed(desk: Desk, berts_desk: Desk) -> None:
    where = type_page(berts_desk)
    new = "/desk/call-types/new"
    assert desk.post(f"{where}/preview", data=desk.form(new, new).fields).status_code == 404
