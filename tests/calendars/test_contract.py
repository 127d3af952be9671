"""What every calendar keeps, against real servers; the tests' own calendar in memory keeps the same."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from booking.calendars.caldav import CalDavCalendar, same_place
from booking.calendars.port import AuthRefused, Calendar, CalendarGone, Conflict, Refused, Unreachable
from tests.calendars.conftest import DavServer, radicale
from tests.fakes import MemoryCalendar

NUMBERS = itertools.count(1)


def event(uid: str, *, hour: int = 10, more: str = "") -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Grüße\r\n"
        f"DTSTART:20261201T{hour:02}0000Z\r\nDTEND:20261201T{hour:02}3000Z\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


Opener = Callable[[str], CalDavCalendar]


@pytest.fixture
def opened(dav_server: DavServer) -> Iterator[Opener]:
    """Opens calendars of the server by their names, and closes them."""
    calendars: list[CalDavCalendar] = []

    def open_one(name: str, *, password: str = dav_server.password) -> CalDavCalendar:
        url = dav_server.calendar_url(name)
        calendars.append(CalDavCalendar(url, username=dav_server.username, password=password, deadline=30))
        return calendars[-1]

    yield open_one
    for one in calendars:
        one.close()


@pytest.fixture(params=["radicale", "xandikos", "memory"])
def calendar(request: pytest.FixtureRequest) -> Iterator[Calendar]:
    """A new, empty calendar."""
    if request.param == "memory":
        yield MemoryCalendar()
        return
    server: DavServer = request.getfixturevalue(f"{request.param}_server")
    url = server.calendar_url(f"cal-{next(NUMBERS)}")
    made = CalDavCalendar(url, username=server.username, password=server.password, deadline=30)
    made.make("Calls & <more>")
    yield made
    made.close()


def test_a_new_calendar_is_empty(calendar: Calendar) -> None:
    changes = calendar.changes({})
    assert (dict(changes.listing), changes.fetched) == ({}, ())


def test_what_is_put_is_listed_and_fetched_with_one_and_the_same_etag(calendar: Calendar) -> None:
    href = calendar.href_for("a-1@example.org")
    calendar.put(href, event("a-1@example.org"), replaces=None)
    found = calendar.find(href)
    changes = calendar.changes({})
    assert found is not None
    assert [same_place(listed, href) for listed in changes.listing] == [True]
    assert list(changes.listing.values()) == [found.etag]
    assert [resource.etag for resource in changes.fetched] == [found.etag]
    assert "UID:a-1@example.org" in found.ics
    assert "SUMMARY:Grüße" in changes.fetched[0].ics


def test_only_what_is_new_or_differs_is_fetched_again(calendar: Calendar) -> None:
    for uid in ("stays", "changes"):
        calendar.put(calendar.href_for(uid), event(uid), replaces=None)
    known = calendar.changes({}).listing
    href = calendar.href_for("changes")
    calendar.put(href, event("changes", hour=15), replaces=known[href])
    calendar.put(calendar.href_for("new"), event("new"), replaces=None)
    changes = calendar.changes(known)
    assert sorted(resource.href for resource in changes.fetched) == sorted([href, calendar.href_for("new")])
    assert len(changes.listing) == 3
    assert calendar.changes(changes.listing).fetched == ()


def test_what_is_gone_is_not_listed_any_more(calendar: Calendar) -> None:
    href = calendar.href_for("gone")
    calendar.put(href, event("gone"), replaces=None)
    known = calendar.changes({}).listing
    calendar.delete(href, etag=known[href])
    assert dict(calendar.changes(known).listing) == {}
    assert calendar.find(href) is None


def test_a_second_new_object_at_one_place_is_a_conflict_and_the_first_stays(calendar: Calendar) -> None:
    href = calendar.href_for("one")
    calendar.put(href, event("one"), replaces=None)
    with pytest.raises(Conflict):
        calendar.put(href, event("one", hour=15), replaces=None)
    found = calendar.find(href)
    assert found is not None
    assert "DTSTART:20261201T100000Z" in found.ics


def test_an_object_that_changed_meanwhile_is_not_overwritten(calendar: Calendar) -> None:
    href = calendar.href_for("two")
    calendar.put(href, event("two"), replaces=None)
    stale = calendar.changes({}).listing[href]
    calendar.put(href, event("two", hour=15), replaces=stale)
    with pytest.raises(Conflict):
        calendar.put(href, event("two", hour=16), replaces=stale)
    with pytest.raises(Conflict):
        calendar.delete(href, etag=stale)
    found = calendar.find(href)
    assert found is not None
    assert "DTSTART:20261201T150000Z" in found.ics


def test_an_object_that_is_gone_is_not_made_again_by_overwriting(calendar: Calendar) -> None:
    with pytest.raises(Conflict):
        calendar.put(calendar.href_for("never"), event("never"), replaces='"1"')
    assert calendar.find(calendar.href_for("never")) is None


def test_deleting_what_is_gone_already_is_no_error(calendar: Calendar) -> None:
    calendar.delete(calendar.href_for("never"), etag='"1"')
    assert dict(calendar.changes({}).listing) == {}


def test_making_a_calendar_that_exists_is_no_error_and_empties_nothing(calendar: Calendar) -> None:
    calendar.put(calendar.href_for("kept"), event("kept"), replaces=None)
    calendar.make("again")
    assert len(calendar.changes({}).listing) == 1


def test_one_uid_at_another_place_is_a_conflict(opened: Opener) -> None:
    calendar = opened(f"uid-{next(NUMBERS)}")
    calendar.make("x")
    calendar.put(calendar.href_for("same"), event("same"), replaces=None)
    with pytest.raises(Conflict):
        calendar.put(calendar.href_for("other"), event("same"), replaces=None)


def test_a_calendar_that_is_not_there_is_gone_not_empty(opened: Opener) -> None:
    with pytest.raises(CalendarGone):
        opened("nowhere").changes({})
    assert opened("nowhere").find(opened("nowhere").href_for("a")) is None


def test_nothing_is_put_into_a_calendar_that_is_not_there(opened: Opener) -> None:
    calendar = opened("nowhere")
    with pytest.raises(CalendarGone):
        calendar.put(calendar.href_for("a"), event("a"), replaces=None)


def test_a_folder_of_calendars_is_no_empty_calendar(dav_server: DavServer) -> None:
    folder = CalDavCalendar(
        dav_server.url + dav_server.home, username=dav_server.username, password=dav_server.password, deadline=30
    )
    with pytest.raises(CalendarGone, match="folder"):
        folder.changes({})
    folder.close()


def test_more_than_one_batch_is_fetched_whole(radicale_server: DavServer) -> None:
    url = radicale_server.calendar_url("many")
    calendar = CalDavCalendar(url, username=radicale_server.username, password=radicale_server.password, deadline=60)
    start, end = event("x").index("BEGIN:VEVENT"), "END:VCALENDAR\r\n"
    events = "".join(event(f"many-{number}")[start:].removesuffix(end) for number in range(205))
    calendar.put("/anna/many/", event("x")[:start] + events + end, replaces=None)
    changes = calendar.changes({})
    assert len(changes.listing) == len({resource.href for resource in changes.fetched}) == 205
    calendar.close()


def test_a_wrong_password_is_refused_for_reading_and_writing(radicale_server: DavServer) -> None:
    url = radicale_server.calendar_url("any")
    calendar = CalDavCalendar(url, username=radicale_server.username, password="пароль ß", deadline=30)
    with pytest.raises(AuthRefused):
        calendar.changes({})
    with pytest.raises(AuthRefused):
        calendar.put(calendar.href_for("a"), event("a"), replaces=None)
    with pytest.raises(AuthRefused):
        calendar.make("x")
    calendar.close()


def test_an_object_that_the_server_can_not_read_is_refused_for_good(radicale_server: DavServer) -> None:
    url = radicale_server.calendar_url("strict")
    calendar = CalDavCalendar(url, username=radicale_server.username, password=radicale_server.password, deadline=30)
    calendar.make("strict")
    with pytest.raises(Refused):
        calendar.put(calendar.href_for("bad"), "this is no event", replaces=None)
    calendar.close()


def test_a_server_that_was_stopped_is_unreachable(tmp_path: Path) -> None:
    with radicale(tmp_path) as server:
        url = server.calendar_url("cal")
        calendar = CalDavCalendar(url, username=server.username, password=server.password, deadline=30)
        calendar.make("x")
        assert dict(calendar.changes({}).listing) == {}
    with pytest.raises(Unreachable):
        calendar.changes({})
    with pytest.raises(Unreachable):
        calendar.put(calendar.href_for("a"), event("a"), replaces=None)
    calendar.close()
