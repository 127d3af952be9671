"""Adding and removing calendars; on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select

from booking.errors import InvalidText, NotFound
from booking.services import Services
from booking.store.accounts import OldSlug
from booking.store.models import Calendar, CalendarResource, PlacedEvent
from booking.usecases import calendars, setup
from tests.builders import wish
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
WORK = calendars.NewCalendar("caldav", "https://dav.example.org/office/", "anna", "secret")


def test_the_calendar_that_takes_the_calls_takes_over_from_the_one_before(services: Services) -> None:
    with services.database.writing() as db:
        calendars.add_calendar(db, "anna", replace(WORK, takes_calls=True), services.vault)
    with services.database.reading() as db:
        assert [row.takes_calls for row in calendars.list_calendars(db, "anna")] == [False, True]


def test_a_calendar_that_only_blocks_leaves_the_calls_where_they_are(services: Services) -> None:
    with services.database.writing() as db:
        calendars.add_calendar(db, "anna", replace(WORK, password=""), services.vault)
    with services.database.reading() as db:
        rows = calendars.list_calendars(db)
    assert [row.takes_calls for row in rows] == [True, False]
    assert rows[1].password_encrypted == ""


def test_a_calendar_is_added_once(services: Services) -> None:
    with services.database.writing() as db:
        calendars.add_calendar(db, "anna", WORK, services.vault)
        with pytest.raises(InvalidText, match="already"):
            calendars.add_calendar(db, "anna", WORK, services.vault)


def test_a_calendar_needs_a_purpose(services: Services) -> None:
    with services.database.writing() as db, pytest.raises(InvalidText, match="what the calendar is for"):
        calendars.add_calendar(db, "anna", replace(WORK, is_busy=False), services.vault)


def test_two_owners_never_share_a_name_on_the_embedded_server(services: Services) -> None:
    with services.database.writing() as db:
        first = calendars.embedded_calendar(db, "anna", services.vault, services.token)
        calendars.add_calendar(db, "anna", first, services.vault)
        setup.set_owner(db, "anna", ["slug=anne"])
        db.execute(delete(OldSlug))  # what a client's bookmark still leads to belongs to its owner
        setup.add_owner(db, setup.NewOwner("anna", "Anna B", "b@example.org", "Europe/Berlin", "de", "DE"))
        second = calendars.embedded_calendar(db, "anna", services.vault, services.token)
        third = calendars.embedded_calendar(db, "anne", services.vault, services.token, "private")
    assert first.url == "/anna/calls/"
    assert second.username.startswith("anna-")
    assert second.url == f"/{second.username}/calls/"
    assert (third.username, third.password, third.url) == ("anna", first.password, "/anna/private/")
    with services.database.reading() as db:
        assert calendars.embedded_users(db, services.vault) == {"anna": first.password}


def test_an_embedded_calendars_name_is_a_word(services: Services) -> None:
    with services.database.writing() as db, pytest.raises(InvalidText):
        calendars.embedded_calendar(db, "anna", services.vault, services.token, "../ben")


def test_objects_that_are_not_understood_are_listed(services: Services) -> None:
    with services.database.writing() as db:
        for href, problem in (("/a.ics", ""), ("/b.ics", "no start")):
            db.add(CalendarResource(calendar_id=1, href=href, etag="1", uid=href, ics="", problem=problem))
    with services.database.reading() as db:
        assert [(row.id, href, problem) for row, href, problem in calendars.problems(db)] == [(1, "/b.ics", "no start")]


def test_a_removed_calendar_takes_what_was_read_with_it(services: Services) -> None:
    with services.database.writing() as db:
        db.add(CalendarResource(calendar_id=1, href="/a.ics", etag="1", uid="a", ics=""))
    with services.database.writing() as db:
        calendars.remove_calendar(db, "anna", 1, services.now())
    with services.database.reading() as db:
        assert db.scalars(select(Calendar)).all() == []
        assert db.scalars(select(CalendarResource)).all() == []


def test_a_calendar_with_calls_to_come_is_removed_only_if_that_is_meant(services: Services, book_one: Book) -> None:
    book_one(wish(TUESDAY))
    with services.database.writing() as db, pytest.raises(InvalidText, match="1 upcoming calls"):
        calendars.remove_calendar(db, "anna", 1, services.now())
    with services.database.writing() as db:
        calendars.remove_calendar(db, "anna", 1, services.now(), anyway=True)
    with services.database.reading() as db:
        assert db.scalars(select(PlacedEvent)).all() == []


def test_calendars_of_others_are_not_there(services: Services) -> None:
    with services.database.writing() as db:
        setup.add_owner(db, setup.NewOwner("ben", "Ben", "b@example.org", "Europe/Berlin", "de", "DE"))
        with pytest.raises(NotFound, match="ben has no calendar 1"):
            calendars.remove_calendar(db, "ben", 1, services.now())
    with services.database.reading() as db, pytest.raises(NotFound, match="'otto'"):
        calendars.list_calendars(db, "otto")
