"""The commands about calendars."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.calendars.port import AuthRefused, Unreachable
from booking.services import Services
from booking.settings import Settings
from booking.store.models import Calendar
from tests.builders import add_call_type, add_owner
from tests.cli.conftest import Operator, operator_of
from tests.conftest import build_services
from tests.fakes import MONDAY, Clock, MailBox, Server, event

WORK = "https://dav.example.org/anna/office/"
ADD = ("calendar", "add", "--owner", "anna", "--kind")


@pytest.fixture
def services(settings: Settings, clock: Clock, mailbox: MailBox, server: Server) -> Iterator[Services]:
    """An installation with an embedded calendar server and an owner without calendars."""
    for built in build_services(replace(settings, embedded_calendar_port=8001), clock, mailbox, server):
        with built.database.writing() as db:
            add_call_type(db, add_owner(db))
        yield built


def add_work(operator: Operator, *uses: str) -> str:
    words = (*ADD, "caldav", "--url", WORK, "--username", "anna", "--password-stdin", *uses)
    return operator.run(*words, stdin="correct horse\n")


def users(settings: Settings) -> str:
    return (settings.radicale_dir / "users").read_text()


def test_a_caldav_calendar_is_added_with_its_password_encrypted(operator: Operator, services: Services) -> None:
    said = add_work(operator, "--busy", "--bookings")
    with services.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (row.url, row.username, row.is_busy, row.takes_calls) == (WORK, "anna", True, True)
    assert services.vault.unlock(row.password_encrypted) == "correct horse"
    assert "correct horse" not in said


def test_the_password_of_another_server_is_never_shown(operator: Operator) -> None:
    add_work(operator, "--busy")
    assert operator.ask("calendar", "list")[0]["password"] is None
    assert "correct horse" not in operator.run("calendar", "list", "--owner", "anna")


def test_the_password_is_asked_for_where_it_is_not_piped_in(operator: Operator, services: Services) -> None:
    operator.run(*ADD, "caldav", "--url", WORK, "--username", "anna", "--busy", stdin="asked for\n")
    with services.database.reading() as db:
        assert services.vault.unlock(db.scalars(select(Calendar.password_encrypted)).one()) == "asked for"


def test_a_calendar_that_can_not_be_read_is_not_added(operator: Operator, server: Server) -> None:
    server[WORK].failing = AuthRefused("the name or password is refused")
    said = operator.fail(*ADD, "caldav", "--url", WORK, "--busy")
    assert "the name or password is refused" in said
    assert operator.ask("calendar", "list") == []


def test_events_that_are_not_certain_need_not_block(operator: Operator, services: Services, server: Server) -> None:
    add_work(operator, "--busy", "--tentative-free")
    end = MONDAY + timedelta(hours=1)
    server[WORK].store("maybe.ics", event("maybe", MONDAY, end, more="STATUS:TENTATIVE\r\n"))
    operator.run("calendar", "sync", "--owner", "anna")
    with services.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (row.read_at, len(row.busy)) == (MONDAY, 0)
    assert operator.ask("calendar", "list")[0]["tentative_blocks"] is False


def test_a_paused_calendar_is_listed_as_such_and_not_read(
    operator: Operator, services: Services, server: Server
) -> None:
    add_work(operator, "--busy")
    with services.database.writing() as db:
        db.scalars(select(Calendar)).one().paused_at = MONDAY
    server[WORK].asked = 0
    operator.run("calendar", "sync", "--owner", "anna")
    assert server[WORK].asked == 0
    assert "paused by its owner" in operator.run("calendar", "list")


def test_a_calendar_without_a_purpose_is_refused(operator: Operator) -> None:
    assert "what the calendar is for" in operator.fail(*ADD, "caldav", "--url", WORK)


def test_a_calendar_without_an_address_is_refused(operator: Operator) -> None:
    assert "--url" in operator.fail(*ADD, "caldav", "--busy")


def test_an_embedded_calendar_is_made_and_can_be_opened_with_what_the_list_shows(
    operator: Operator, settings: Settings
) -> None:
    operator.run(*ADD, "embedded", "--busy", "--bookings")
    (shown,) = operator.ask("calendar", "list")
    assert (shown["url"], shown["username"]) == ("http://127.0.0.1:8001/anna/calls/", "anna")
    assert shown["password"] in operator.run("calendar", "list")
    assert users(settings).startswith("anna:$5$")
    assert shown["password"] not in users(settings)


def test_a_second_embedded_calendar_shares_name_and_password(operator: Operator, settings: Settings) -> None:
    operator.run(*ADD, "embedded", "--busy", "--bookings")
    operator.run(*ADD, "embedded", "--url", "private", "--busy")
    first, second = operator.ask("calendar", "list")
    assert second["url"] == "http://127.0.0.1:8001/anna/private/"
    assert (first["username"], first["password"]) == (second["username"], second["password"])
    assert users(settings).count("\n") == 1


def test_an_embedded_calendar_waits_for_its_server(operator: Operator, server: Server) -> None:
    server["/anna/calls/"].failing = Unreachable("refused")
    assert "./start makes the new calendar" in operator.run(*ADD, "embedded", "--busy")


def test_without_the_embedded_server_there_is_no_embedded_calendar(settings: Settings, services: Services) -> None:
    without = replace(services, settings=settings)
    assert "./start" in operator_of(settings, without).fail(*ADD, "embedded", "--busy")


def test_without_calendars_the_list_says_how_to_begin(operator: Operator) -> None:
    assert "calendar add" in operator.run("calendar", "list")


def test_calendars_of_an_unknown_owner_are_not_listed(operator: Operator) -> None:
    operator.fail("calendar", "list", "--owner", "otto")


def test_calendars_can_be_read_at_once(operator: Operator, services: Services, server: Server) -> None:
    add_work(operator, "--busy")
    server[WORK].store("dentist.ics", event("dentist", MONDAY, MONDAY + timedelta(hours=1)))
    assert operator.run("calendar", "sync", "--owner", "anna") == f"{WORK}: read\n"
    with services.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (row.read_at, len(row.busy)) == (MONDAY, 1)
    assert "last read 2026-11-23 08:00 UTC" in operator.run("calendar", "list")


def test_a_calendar_that_can_not_be_read_is_told_with_exit_status_1(operator: Operator, server: Server) -> None:
    add_work(operator, "--busy")
    server[WORK].failing = Unreachable("it does not answer")
    result = operator.invoke(["calendar", "sync", "--owner", "anna"], "")
    assert (result.exit_code, result.output) == (1, f"{WORK}: it does not answer\n")
    assert "can't be read: it does not answer" in operator.run("calendar", "list")


def test_a_calendar_can_be_removed(operator: Operator, settings: Settings) -> None:
    operator.run(*ADD, "embedded", "--busy")
    operator.run("calendar", "remove", "--owner", "anna", "--id", "1")
    assert operator.ask("calendar", "list") == []
    assert users(settings) == ""


def test_a_calendar_that_is_not_there_can_not_be_removed(operator: Operator) -> None:
    assert "no calendar 7" in operator.fail("calendar", "remove", "--owner", "anna", "--id", "7")


def test_removing_a_calendar_works_where_no_embedded_server_is(settings: Settings, services: Services) -> None:
    add_work(operator_of(settings, services), "--busy")
    without = operator_of(settings, replace(services, settings=settings))
    without.run("calendar", "remove", "--owner", "anna", "--id", "1")
    assert not settings.radicale_dir.exists()
