"""The set-up: a one-time link, a few small steps, and a new owner can be booked."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.demo import OWNER as DEMO
from booking.demo import make_owner as make_demo
from booking.jobs import house_of
from booking.rules.hours import format_weekly
from booking.services import Services
from booking.store.models import Calendar, CallType, Owner
from booking.usecases import calendars, door, setup, ways_in
from booking.usecases.availability import find_owner
from tests.builders import add_call_type
from tests.desk.deskwork import Desk
from tests.web.visitors import TUESDAY, Page, Visitor, dump

STEPS = [f"/desk/setup/{step}" for step in setup.STEPS]
PASSWORD = "vier ganz andere Worte 7"
HOURS = {"hours-0-from": "10:00", "hours-0-to": "12:00", "hours-1-from": "14:00", "hours-1-to": "16:00"}
YOU = {"name": "Nina Neu", "email": "nina@example.org", "locale": "en", "timezone": "Europe/Berlin"}


def add_new_owner(services: Services, **values: str) -> str:
    """Add an owner as ``./start`` does; return the path of the link that it prints."""
    facts = {"name": "Root", "email": "root@localhost", "timezone": "Europe/Berlin", "locale": "en", "country": "DE"}
    with services.database.writing() as db:
        owner = setup.add_owner(db, setup.NewOwner(slug="me", **{**facts, **values}))
        setup.add_call_type(db, "me", setup.NewCallType(slug="call", name="Phone call", minutes=30))
        return path_of_link(services, db, owner)


def path_of_link(services: Services, db: Any, owner: Owner) -> str:
    link = ways_in.make_link(db, house_of(services), owner.id, services.now())
    return link.removeprefix(services.settings.base_url)


@pytest.fixture
def newcomer(app: Flask, house: Services) -> Desk:
    """The browser of a new owner who has just opened the one-time link."""
    add_new_owner(house)
    return Desk(app, "me")


def me(services: Services) -> Owner:
    with services.database.reading() as db:
        return find_owner(db, "me")


def skip(desk: Desk, path: str) -> str:
    """Skip a step; return where it leads."""
    form = desk.form(path)
    return desk.post(path, data={**form.fields, "skip": "yes"}).location or ""


def free_days(desk: Desk) -> set[int]:
    """Return on which days of the week clients can book now."""
    return {start.weekday() for start in Visitor(desk.app, "192.0.2.99").slots("me", days=14)}


def test_the_one_time_link_of_a_new_owner_leads_to_the_first_step(app: Flask, house: Services) -> None:
    browser = Visitor(app)
    path = add_new_owner(house)
    answer = browser.post(path, data=browser.page(path).post_form.fields)
    assert answer.status_code == 303
    answer = browser.get(answer.location)
    assert answer.location == STEPS[0]
    assert "Step 1 of 5" in browser.get(answer.location).text


def test_the_one_time_link_of_somebody_who_is_set_up_leads_to_today(app: Flask, house: Services) -> None:
    with house.database.writing() as db:
        path = path_of_link(house, db, setup.lock(db, "anna"))
    browser = Visitor(app)
    assert browser.post(path, data=browser.page(path).post_form.fields).location == "/desk"


def test_whoever_skips_every_step_can_be_booked_all_the_same(newcomer: Desk) -> None:
    led_to = [skip(newcomer, path) for path in STEPS]
    assert led_to == [*STEPS[1:], "/desk/setup/done"]
    assert me(newcomer.services).setup_step == ""
    assert "https://calls.example.org/me" in newcomer.read("/desk/setup/done")
    answer = Visitor(newcomer.app, "192.0.2.99").book(TUESDAY, "me")
    assert answer.status_code == 201


def test_whoever_was_added_without_a_call_type_can_be_booked_after_skipping_all(app: Flask, house: Services) -> None:
    with house.database.writing() as db:
        new = setup.NewOwner("me", "Nina", "nina@example.org", "Europe/Berlin", "de", "DE")
        setup.add_owner(db, new)
    desk = Desk(app, "me")
    assert [skip(desk, path) for path in STEPS][-1] == "/desk/setup/done"
    (call_type,) = me(house).call_types
    assert (call_type.name, call_type.minutes, call_type.slug) == ("Telefonat", 30, "telefonat")
    assert Visitor(app, "192.0.2.99").book(TUESDAY, "me", "telefonat").status_code == 201


def test_the_set_up_goes_on_where_it_was_left(newcomer: Desk) -> None:
    skip(newcomer, STEPS[0])
    skip(newcomer, STEPS[1])
    later = Desk(newcomer.app, "me")
    assert later.get("/desk/setup").location == STEPS[2]
    assert 'href="/desk/setup"' in later.read("/desk")
    skip(later, STEPS[0])
    assert later.get("/desk/setup").location == STEPS[2], "going back makes nothing undone"


def test_once_done_nothing_speaks_of_it_any_more(newcomer: Desk) -> None:
    for path in STEPS:
        skip(newcomer, path)
    assert "Finish the set-up" not in newcomer.read("/desk")
    assert newcomer.get("/desk/setup").location == "/desk/setup/done"
    skip(newcomer, STEPS[0])
    assert me(newcomer.services).setup_step == ""


def test_who_was_there_before_has_nothing_to_set_up(desk: Desk) -> None:
    assert "Finish the set-up" not in desk.read("/desk")


def test_the_demo_has_nothing_to_set_up(services: Services) -> None:
    make_demo(services)
    with services.database.reading() as db:
        assert find_owner(db, DEMO).setup_step == ""


def test_the_first_step_saves_who_it_is_and_where(newcomer: Desk) -> None:
    typed = {**YOU, "timezone": "Europe/Vienna", "password": PASSWORD}
    assert newcomer.send(STEPS[0], **typed).location == STEPS[1]
    owner = me(newcomer.services)
    assert (owner.name, owner.email, owner.timezone) == ("Nina Neu", "nina@example.org", "Europe/Vienna")
    assert owner.country == "AT", "numbers without a country code belong to where the owner is"
    assert "Nina Neu" in Visitor(newcomer.app, "192.0.2.99").get("/me", follow_redirects=True).text
    other = Visitor(newcomer.app, "192.0.2.77")
    fields = other.page("/desk/login").post_form.fields
    answer = other.post("/desk/login", data={**fields, "email": "nina@example.org", "password": PASSWORD})
    assert answer.status_code == 303


def test_an_address_that_no_mail_reaches_is_not_suggested(newcomer: Desk) -> None:
    page = newcomer.read(STEPS[0])
    assert "root@localhost" not in page
    answer = newcomer.send(STEPS[0], **{**YOU, "email": ""})
    assert answer.status_code == 422
    assert me(newcomer.services).email == "root@localhost"


def test_the_page_speaks_the_language_that_was_just_chosen(newcomer: Desk) -> None:
    answer = newcomer.send(f"{STEPS[0]}?lang=en", **{**YOU, "locale": "ru"})
    assert '<html lang="ru"' in newcomer.get(answer.location).text
    assert [each.name for each in me(newcomer.services).call_types] == ["Телефонный разговор"]


def test_a_call_type_with_a_name_of_its_own_keeps_it_in_another_language(newcomer: Desk) -> None:
    with newcomer.services.database.writing() as db:
        add_call_type(db, setup.lock(db, "me"), "own", name="Sprechstunde")
    newcomer.send(STEPS[0], **{**YOU, "locale": "ru"})
    assert "Sprechstunde" in {each.name for each in me(newcomer.services).call_types}


def test_without_a_password_one_can_be_chosen_later(newcomer: Desk) -> None:
    newcomer.send(STEPS[0], **YOU)
    with newcomer.services.database.reading() as db:
        assert door.find_account(db, me(newcomer.services).id).password_hash == ""


@pytest.mark.parametrize("password", ["kurz", "passwort123", "Nina Neu Nina Neu"])
def test_a_password_that_is_easy_to_guess_is_refused_and_all_else_kept(newcomer: Desk, password: str) -> None:
    answer = newcomer.send(STEPS[0], **YOU, password=password)
    assert answer.status_code == 422
    assert 'value="Nina Neu"' in answer.text
    assert f'value="{password}"' not in answer.text
    assert me(newcomer.services).name == "Root"


def test_later_address_and_password_ask_for_a_fresh_log_in_and_the_rest_does_not(newcomer: Desk) -> None:
    with newcomer.services.database.writing() as db:
        setup.lock(db, "me").email = "nina@example.org"
    newcomer.services.now.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    same = YOU
    assert newcomer.send(STEPS[0], **same).location == STEPS[1]
    answer = newcomer.send(STEPS[0], **{**same, "password": PASSWORD})
    assert answer.status_code == 200
    answer = newcomer.send(STEPS[0], **{**same, "email": "thief@example.org"})
    assert answer.status_code == 200
    assert me(newcomer.services).email == "nina@example.org"
    with newcomer.services.database.reading() as db:
        assert door.find_account(db, me(newcomer.services).id).password_hash == ""


def test_hours_hold_for_every_day_that_is_ticked(newcomer: Desk) -> None:
    form = newcomer.form(STEPS[1])
    answer = newcomer.post(STEPS[1], data={**form.fields, **HOURS, "days": ["1", "3"]})
    assert answer.location == STEPS[2]
    weekly = format_weekly(me(newcomer.services).timetable.weekly)
    assert weekly == "tue 10:00-12:00 14:00-16:00; thu 10:00-12:00 14:00-16:00"
    assert free_days(newcomer) == {1, 3}


def test_one_line_of_hours_is_enough(newcomer: Desk) -> None:
    form = newcomer.form(STEPS[1])
    typed = {**form.fields, **HOURS, "hours-1-from": "", "hours-1-to": "", "days": ["0"]}
    newcomer.post(STEPS[1], data=typed)
    assert format_weekly(me(newcomer.services).timetable.weekly) == "mon 10:00-12:00"


def test_the_hours_that_are_shown_are_those_of_most_days_and_what_differs_is_said(newcomer: Desk) -> None:
    page = newcomer.read(STEPS[1])
    assert 'name="hours-0-from" type="time" value="09:00"' in page
    assert 'name="hours-1-to" type="time" value="17:00"' in page
    assert "Friday 9:00–13:00" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"days": []}, "Tick at least one day."),
        ({"hours-0-to": "09:00"}, "This ends before it begins."),
        ({f"hours-{row}-{end}": "" for row in (0, 1) for end in ("from", "to")}, "Fill in from when to when."),
        ({"days": ["7"]}, "Choose from these."),
    ],
)
def test_hours_that_can_t_be_used_are_kept_and_explained(newcomer: Desk, typed: dict[str, Any], sentence: str) -> None:
    before = me(newcomer.services).timetable
    form = newcomer.form(STEPS[1])
    answer = newcomer.post(STEPS[1], data={**form.fields, **HOURS, "days": ["1"], **typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert me(newcomer.services).timetable == before


def test_hours_that_were_typed_stand_in_the_form_again_where_no_day_is_ticked(newcomer: Desk) -> None:
    form = newcomer.form(STEPS[1])
    answer = newcomer.post(STEPS[1], data={**form.fields, **HOURS, "days": []})
    assert [f'value="{time}"' in answer.text for time in HOURS.values()] == [True] * 4
    assert "checked" not in answer.text


def test_the_first_call_type_is_changed_and_going_back_makes_no_second_one(newcomer: Desk) -> None:
    typed = {"name": "Beratung", "minutes": "45", "who_calls": "client", "own_number": "030 901820"}
    assert newcomer.send(STEPS[2], **typed).location == STEPS[3]
    page = newcomer.read(STEPS[2])
    for value in ('value="Beratung"', 'value="45"', 'value="+49 30 901820"', 'value="client" checked'):
        assert value in page, "going back shows what was typed"
    newcomer.send(STEPS[2], minutes="20")
    owner = me(newcomer.services)
    assert [(each.name, each.minutes, each.who_calls) for each in owner.call_types] == [("Beratung", 20, "client")]
    assert owner.phone == "+4930901820"
    starts = Visitor(newcomer.app, "192.0.2.99").slots("me")
    assert starts


@pytest.mark.parametrize("who_calls", ["client", "choice"])
def test_where_clients_call_a_number_is_needed(newcomer: Desk, who_calls: str) -> None:
    answer = newcomer.send(STEPS[2], who_calls=who_calls, name="Rückruf")
    assert answer.status_code == 422
    assert "Give the number that clients ring." in answer.text
    assert 'value="Rückruf"' in answer.text
    assert newcomer.send(STEPS[2], who_calls="owner").status_code == 303


@pytest.mark.parametrize(
    "typed",
    [
        {"name": ""},
        {"name": "x" * 121},
        {"minutes": "4"},
        {"minutes": "half an hour"},
        {"who_calls": "nobody"},
        {"own_number": "110"},
        {"own_number": "0900 1234567"},
    ],
)
def test_a_call_type_that_can_t_be_used_changes_nothing(newcomer: Desk, typed: dict[str, str]) -> None:
    before = dump(newcomer.services)
    answer = newcomer.send(STEPS[2], **typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert dump(newcomer.services) == before


def add_built_in(services: Services) -> Calendar:
    with services.database.writing() as db:
        new = calendars.embedded_calendar(db, "me", services.vault, services.token)
        return calendars.add_calendar(db, "me", new, services.vault)


def test_the_built_in_calendar_is_shown_with_what_a_phone_needs(newcomer: Desk) -> None:
    row = add_built_in(newcomer.services)
    page = newcomer.read(STEPS[3])
    password = newcomer.services.vault.unlock(row.password_encrypted)
    assert f"<code>{row.username}</code>" in page
    assert f"<code>{password}</code>" in page
    assert 'href="/desk/calendars/connect"' in page


def test_a_log_in_of_long_ago_does_not_show_the_calendar_s_password(newcomer: Desk) -> None:
    row = add_built_in(newcomer.services)
    newcomer.services.now.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    page = newcomer.read(STEPS[3])
    assert newcomer.services.vault.unlock(row.password_encrypted) not in page
    assert f"/desk/calendars/{row.id}/access" in page


@pytest.mark.parametrize(
    ("path", "typed", "changed"),
    [
        (STEPS[0], YOU, {"name": "Somebody Else"}),
        (STEPS[1], {**HOURS, "days": "1"}, {"timetable": "{}"}),
        (STEPS[2], {"name": "Beratung"}, {"phone": "+4930123456"}),
    ],
)
def test_what_another_window_saved_meanwhile_is_not_overwritten_silently(
    newcomer: Desk, path: str, typed: dict[str, str], changed: dict[str, str]
) -> None:
    form = newcomer.form(path)
    with newcomer.services.database.writing() as db:
        owner = setup.lock(db, "me")
        for key, value in changed.items():
            setattr(owner, key, type(owner.timetable)() if key == "timetable" else value)
    before = dump(newcomer.services)
    first = newcomer.post(path, data={**form.fields, **typed})
    assert first.status_code == 409
    without_locks = {name: rows for name, rows in dump(newcomer.services).items() if name != "owner"}
    assert without_locks == {name: rows for name, rows in before.items() if name != "owner"}
    assert newcomer.post(path, data=Page(first.text).post_form.fields).status_code == 303


@pytest.mark.parametrize("path", STEPS)
def test_an_old_page_keeps_what_was_typed_and_saves_nothing(newcomer: Desk, path: str) -> None:
    form = newcomer.form(path)
    before = dump(newcomer.services)
    for more in ({}, {"skip": "yes"}):
        typed = {**form.fields, "name": "Nina Neu", "csrf_token": "stale", **more}
        answer = newcomer.post(path, data=typed)
        assert answer.status_code == 400
        assert "name" not in form.fields or 'value="Nina Neu"' in answer.text
    assert dump(newcomer.services) == before


@pytest.mark.parametrize("path", STEPS[:3])
def test_fields_that_are_not_asked_for_change_nothing(newcomer: Desk, path: str) -> None:
    def sensitive() -> tuple[object, ...]:
        owner = me(newcomer.services)
        types = [(each.id, each.owner_id, each.slug, each.visibility) for each in owner.call_types]
        return owner.id, owner.slug, owner.retention_days, types

    before = sensitive()
    extra = {"id": "1", "owner_id": "1", "slug": "anna", "retention_days": "1", "visibility": "hidden", "owner": "anna"}
    needed = YOU if path == STEPS[0] else {}
    assert newcomer.send(path, **needed, **extra).status_code == 303
    assert sensitive() == before


def test_nobody_sets_up_somebody_else(newcomer: Desk, desk: Desk) -> None:
    with newcomer.services.database.reading() as db:
        before = [row.name for row in db.scalars(sa.select(CallType).order_by(CallType.id))]
    desk.send(STEPS[2], name="Changed")
    with newcomer.services.database.reading() as db:
        after = [row.name for row in db.scalars(sa.select(CallType).order_by(CallType.id))]
    assert [new for old, new in zip(before, after, strict=True) if old != new] == ["Changed"]
    assert me(newcomer.services).call_types[0].name == "Phone call"
    assert "Phone call" not in desk.read(STEPS[2])


@pytest.mark.parametrize("path", [*STEPS, "/desk/setup", "/desk/setup/done"])
def test_looking_at_a_step_changes_nothing(newcomer: Desk, path: str) -> None:
    before = dump(newcomer.services)
    newcomer.get(path)
    newcomer.open(path, "HEAD")
    assert dump(newcomer.services) == before


@pytest.mark.parametrize("path", ["/desk/setup/nothing", "/desk/setup/", "/desk/setup/you/"])
def test_there_are_no_other_steps(newcomer: Desk, path: str) -> None:
    assert newcomer.get(path).status_code == 404
    assert newcomer.post(path, data={}).status_code in {404, 405}


@pytest.mark.parametrize("path", STEPS)
def test_a_stranger_sees_no_step(app: Flask, newcomer: Desk, path: str) -> None:
    assert Visitor(app).get(path).status_code == 401
    assert Visitor(app).post(path, data={"skip": "yes"}).status_code == 401
    assert me(newcomer.services).setup_step == setup.STEPS[0]
