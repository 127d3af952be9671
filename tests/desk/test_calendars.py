"""The owner's calendars: how they stand, what is changed, and that other owners' are not there."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from booking.calendars.port import AuthRefused, Refused, Unreachable
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, CalendarResource
from booking.worker import read_calendar, run_once
from tests.builders import add_calendar
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY, Clock, MailBox, MemoryCalendar, Server, event
from tests.web.visitors import TUESDAY, dump, keep_calendars_fresh

HOUR = timedelta(hours=1)
LIST, MINE, BERTS = "/desk/calendars", "/desk/calendars/1", "/desk/calendars/2"


def calendar(services: Services, number: int = 1) -> Calendar:
    with services.database.reading() as db:
        return db.get_one(Calendar, number)


def change(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).where(Calendar.id == 1).values(**values))


def add_second(services: Services, **values: Any) -> int:
    """Give Anna another calendar, and return its number."""
    with services.database.writing() as db:
        owner = db.get_one(Calendar, 1).owner
        return add_calendar(db, owner, **{"url": "/anna/new/", "name": "New", "takes_calls": False, **values}).id


def work(services: Services) -> None:
    while run_once(services):
        pass


# What it shows


def test_the_list_says_where_a_calendar_is_what_it_does_and_how_it_stands(desk: Desk, services: Services) -> None:
    change(
        services,
        name="Office",
        url="https://dav.example.org/anna/office/",
        username="anna.b",
        next_read_at=MONDAY + timedelta(minutes=2),
    )
    with services.database.writing() as db:
        db.add(CalendarResource(calendar_id=1, href="/a.ics", etag="1", uid="a", ics="", busy=Timeline.of([])))
    page = desk.read(LIST)
    for said in ("Office", "on dav.example.org, as anna.b", "Takes the calls; what stands in it blocks."):
        assert said in page
    assert "Last read at 9:00. 1 entry. Next reading at 9:02." in page


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("AuthRefused", "refuses the name or the password. Check whether the password was changed"),
        ("CalendarGone", "There is no calendar at its address. Check whether the calendar was deleted"),
        ("Unreachable", "does not answer as it should. Check whether its server runs"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(desk: Desk, services: Services, error: str, said: str) -> None:
    change(services, error_kind=error, last_error="an operator's sentence")
    for path in (LIST, MINE):
        assert said in desk.read(path)
        assert "an operator" not in desk.read(path)
    assert "A calendar can&#39;t be read." in desk.read("/desk/settings")


def test_an_entry_that_can_not_be_understood_is_named_with_the_time_it_blocks(desk: Desk, services: Services) -> None:
    odd = event("odd", TUESDAY, TUESDAY + HOUR)
    with services.database.writing() as db:
        busy = Timeline.of([Period(TUESDAY, TUESDAY + HOUR)])
        db.add(CalendarResource(calendar_id=1, href="/o.ics", etag="1", uid="odd", ics=odd, busy=busy, problem="?"))
    assert "1 entry can&#39;t be understood" in desk.read(LIST)
    page = desk.read(MINE)
    assert "Dentist" in page
    assert "Tue 24 Nov, 9:00 to 10:00" in page


def test_a_first_reading_is_announced(desk: Desk, services: Services) -> None:
    change(services, read_at=None)
    assert "It is being read for the first time" in desk.read(LIST)


def test_without_calendars_the_page_says_what_they_are_good_for(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        db.delete(db.get_one(Calendar, 1))
    assert "No calendar yet" in desk.read(LIST)
    assert "No calendar yet" in desk.read("/desk/settings")


def test_where_no_calendar_takes_the_calls_the_page_says_so(desk: Desk, services: Services) -> None:
    change(services, takes_calls=False)
    assert "No calendar takes the calls" in desk.read(LIST)


def test_looking_changes_nothing(desk: Desk, services: Services) -> None:
    desk.read("/desk")
    before = dump(services)
    for path in (LIST, MINE, f"{MINE}/remove", f"{MINE}/take-calls", "/desk/calendars/connect"):
        desk.read(path)
    assert dump(services) == before


# Nobody else's


@pytest.mark.parametrize("what", ["", "/test", "/pause", "/resume", "/take-calls", "/remove", "/access"])
def test_another_owner_s_calendar_is_not_there(desk: Desk, berts_desk: Desk, services: Services, what: str) -> None:
    assert calendar(services, 2).owner_id != calendar(services, 1).owner_id
    typed = desk.form(f"{MINE}/remove").fields
    before = dump(services)
    for number in (2, 99):
        path = f"/desk/calendars/{number}{what}"
        assert (desk.get(path).status_code, desk.post(path, data=typed).status_code) in (
            (404, 404),
            (405, 404),
            (404, 405),
        )
    assert dump(services) == before
    assert "/anna/" not in berts_desk.read(LIST)


# Changing


def test_what_is_saved_is_saved_and_everything_is_read_again(desk: Desk, services: Services) -> None:
    change(services, next_read_at=MONDAY + HOUR)
    form = desk.form(MINE, MINE)
    typed = {name: value for name, value in form.fields.items() if name not in ("all_day", "tentative")}
    assert desk.post(MINE, data={**typed, "name": "My life"}).status_code == 303
    row = calendar(services)
    assert (row.name, row.is_busy, row.takes_calls) == ("My life", True, True)
    assert (row.all_day_blocks, row.tentative_blocks, row.next_read_at) == (False, False, None)


def test_entries_that_are_not_certain_stop_blocking_when_the_owner_says_so(
    desk: Desk, services: Services, server: Server, clock: Clock
) -> None:
    server["/anna/calls/"].store("m.ics", event("m", TUESDAY, TUESDAY + HOUR, more="STATUS:TENTATIVE\r\n"))
    clock.advance(timedelta(minutes=3))
    work(services)
    assert len(calendar(services).busy) == 1
    form = desk.form(MINE, MINE)
    desk.post(MINE, data={name: value for name, value in form.fields.items() if name != "tentative"})
    clock.advance(timedelta(seconds=1))
    work(services)
    assert len(calendar(services).busy) == 0
    assert TUESDAY in desk.slots()


def test_a_calendar_is_for_something(desk: Desk, services: Services) -> None:
    form = desk.form(MINE, MINE)
    typed = {name: value for name, value in form.fields.items() if name not in ("blocks", "takes")}
    answer = desk.post(MINE, data={**typed, "name": "Typed"})
    assert answer.status_code == 422
    assert 'value="Typed"' in answer.text
    assert calendar(services).is_busy


def test_a_change_in_two_tabs_is_told_and_loses_nothing(desk: Desk, services: Services) -> None:
    first, second = desk.form(MINE, MINE), desk.form(MINE, MINE)
    desk.post(MINE, data={**first.fields, "name": "First"})
    answer = desk.post(MINE, data={**second.fields, "name": "Second"})
    assert answer.status_code == 409
    assert 'value="Second"' in answer.text
    assert calendar(services).name == "First"
    again = next(form for form in type(desk.page(MINE))(answer.text).forms if form.action == MINE)
    assert desk.post(MINE, data=again.fields).status_code == 303
    assert calendar(services).name == "Second"


def test_what_is_no_field_changes_nothing(desk: Desk, services: Services) -> None:
    number = add_second(services)
    path = f"/desk/calendars/{number}"
    extra = {
        "owner_id": "2",
        "url": "/evil/",
        "kind": "embedded",
        "takes_calls": "yes",
        "takes": "yes",
        "username": "x",
    }
    assert desk.send(path, path, **extra).status_code == 303
    row = calendar(services, number)
    assert (row.owner_id, row.url, row.kind, row.takes_calls, row.username) == (1, "/anna/new/", "caldav", False, "")


def test_a_new_password_counts_for_the_whole_account_and_is_never_shown(desk: Desk, services: Services) -> None:
    number = add_second(services, username="", password_encrypted="")
    answer = desk.send(MINE, MINE, password="  new and secret ")
    assert answer.status_code == 303
    for each in (1, number):
        assert services.vault.unlock(calendar(services, each).password_encrypted) == "  new and secret "
    assert calendar(services, 2).password_encrypted == ""
    assert "new and secret" not in desk.read(MINE)


def test_a_new_password_that_the_server_refuses_is_not_kept(desk: Desk, services: Services, server: Server) -> None:
    server["/anna/calls/"].failing = AuthRefused("no")
    answer = desk.send(MINE, MINE, password="wrong one", name="Typed")
    assert answer.status_code == 422
    assert 'value="Typed"' in answer.text
    assert "wrong one" not in answer.text
    assert calendar(services).password_encrypted == ""


def test_a_new_password_is_kept_while_the_server_is_silent(desk: Desk, services: Services, server: Server) -> None:
    server["/anna/calls/"].failing = Unreachable("later")
    assert desk.send(MINE, MINE, password="right one").status_code == 303
    assert services.vault.unlock(calendar(services).password_encrypted) == "right one"


@pytest.mark.parametrize("path", [MINE, f"{MINE}/pause", f"{MINE}/test", f"{MINE}/take-calls", f"{MINE}/remove"])
def test_no_form_acts_without_its_token(desk: Desk, services: Services, path: str) -> None:
    desk.read(LIST)
    before = dump(services)
    answer = desk.post(path, data={"name": "Typed", "moves": "yes", "csrf_token": "x"})
    assert answer.status_code == 400
    assert "press the button once more" in answer.text
    assert dump(services) == before


# Pausing


def test_a_paused_calendar_is_neither_read_nor_counted_and_its_calls_are_still_entered(
    desk: Desk, services: Services, server: Server, clock: Clock, mailbox: MailBox
) -> None:
    server["/anna/calls/"].store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    clock.advance(timedelta(minutes=3))
    work(services)
    assert TUESDAY not in desk.slots()
    assert desk.send(MINE, f"{MINE}/pause").status_code == 303
    assert "nothing that stands in it blocks. Calls are still entered there." in desk.read(MINE)
    server["/anna/calls/"].asked = 0
    clock.advance(timedelta(hours=1))
    assert not read_calendar(services) or server["/anna/calls/"].asked == 0
    assert TUESDAY in desk.slots()
    assert desk.book(TUESDAY).status_code == 201
    work(services)
    assert len(server["/anna/calls/"].objects) == 2
    assert not [mail for mail in mailbox.sent if "can't be read" in str(mail["Subject"])]


def test_a_calendar_that_is_resumed_is_read_before_anything_is_promised(
    desk: Desk, services: Services, clock: Clock, server: Server
) -> None:
    desk.send(MINE, f"{MINE}/pause")
    server["/anna/calls/"].store("dentist.ics", event("dentist", TUESDAY, TUESDAY + HOUR))
    clock.advance(HOUR)
    keep_calendars_fresh(services)
    assert desk.send(MINE, f"{MINE}/resume").status_code == 303
    clock.advance(timedelta(seconds=1))
    work(services)
    assert TUESDAY not in desk.slots()


# Trying it out


def test_trying_it_out_writes_reads_back_and_leaves_nothing(desk: Desk, server: Server) -> None:
    desk.send(MINE, f"{MINE}/test")
    assert "a test entry was written, read back and removed" in desk.read(MINE)
    assert server["/anna/calls/"].objects == {}


def test_a_calendar_that_only_blocks_is_only_read(desk: Desk, services: Services, server: Server) -> None:
    change(services, takes_calls=False)
    server["/anna/calls/"].store("a.ics", event("a", TUESDAY, TUESDAY + HOUR))
    puts: list[str] = []
    server["/anna/calls/"].put = lambda href, ics, *, replaces: puts.append(href)  # type: ignore[method-assign]
    desk.send(MINE, f"{MINE}/test")
    assert "All is well: 1 entry was read." in desk.read(MINE)
    assert puts == []


class NoWriting(MemoryCalendar):
    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        raise Refused("no")


class Doubtful(MemoryCalendar):
    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        super().put(href, ics, replaces=replaces)
        raise Unreachable("cut")


class Changing(MemoryCalendar):
    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        super().put(href, ics.replace("X-SPRECHZEIT-CALL", "X-OTHER"), replaces=replaces)


class Keeping(MemoryCalendar):
    def delete(self, href: str, *, etag: str) -> None:
        raise AuthRefused("no")


@pytest.mark.parametrize(
    ("kind", "said", "left"),
    [
        (NoWriting, "nothing can be written there", 0),
        (Doubtful, "nothing can be written there", 0),
        (Changing, "can&#39;t be read back as it was written", 1),
        (Keeping, "can&#39;t be removed. If an entry of 1 January 2000 stands there, remove it yourself.", 1),
    ],
)
def test_the_step_that_fails_is_named(
    desk: Desk, server: Server, kind: type[MemoryCalendar], said: str, left: int
) -> None:
    server.calendars["/anna/calls/"] = kind()
    desk.send(MINE, f"{MINE}/test")
    assert said in desk.read(MINE)
    assert len(server["/anna/calls/"].objects) == left


def test_a_calendar_that_can_not_be_read_says_why(desk: Desk, server: Server) -> None:
    server["/anna/calls/"].failing = AuthRefused("no")
    desk.send(MINE, f"{MINE}/test")
    assert "The calendar can&#39;t be read. Its server refuses the name or the password." in desk.read(MINE)


# The embedded calendar


def test_name_and_password_of_the_embedded_calendar_are_shown_to_its_owner(desk: Desk, services: Services) -> None:
    change(services, kind="embedded", username="anna", password_encrypted=services.vault.lock("made here"))
    page = desk.read(f"{MINE}/access")
    assert "made here" in page
    assert "https://calls.example.org/caldav/" in page


def test_the_password_of_another_server_has_no_page(desk: Desk, services: Services) -> None:
    change(services, password_encrypted=services.vault.lock("theirs"))
    assert desk.get(f"{MINE}/access").status_code == 404
    assert "theirs" not in desk.read(MINE)


def test_the_password_is_asked_for_before_that(desk: Desk, services: Services, clock: Clock) -> None:
    change(services, kind="embedded", username="anna", password_encrypted=services.vault.lock("made here"))
    clock.advance(HOUR)
    assert "made here" not in desk.get(f"{MINE}/access").text
