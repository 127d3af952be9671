"""A calendar server that misbehaves: nothing of it is ever taken for an empty calendar or a kept event."""

import contextlib
import gzip
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from booking.calendars.caldav import BATCH, CalDavCalendar
from booking.calendars.port import AuthRefused, CalendarGone, Conflict, Refused, Resource, Unreachable
from tests.calendars.conftest import Exchange, Scripted

OWN = (
    "<D:response><D:href>/c/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)
ICS = "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n"


def multistatus(*rows: str) -> str:
    head = '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    return head + "".join(rows) + "</D:multistatus>"


def listed(href: str, etag: str = '"1"') -> str:
    return (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>{etag}</D:getetag></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )


def fetched(href: str, ics: str = ICS, etag: str = '"1"') -> str:
    return (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>{etag}</D:getetag>"
        f"<C:calendar-data>{ics}</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status>"
        "</D:propstat></D:response>"
    )


def row(href: str, status: str) -> str:
    return f"<D:response><D:href>{href}</D:href><D:status>{status}</D:status></D:response>"


@pytest.fixture
def calendar(scripted: Scripted) -> Iterator[CalDavCalendar]:
    with contextlib.closing(CalDavCalendar(f"{scripted.url}/c", username="a", password="b", deadline=30)) as opened:
        yield opened


def answers(**by_method: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    return lambda exchange: by_method[exchange.method](exchange)


def says(status: int, body: str = "", **headers: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(status, body, **headers)


BAD_LISTS = {
    "HTML with 200": (200, "<html><body>Please sign in</body></html>"),
    "HTML with 207": (207, "<html><body>Please sign in</body></html>"),
    "no XML": (207, "Internal error: <"),
    "nothing": (207, ""),
    "an empty multistatus": (207, multistatus()),
    "a multistatus with 200": (200, multistatus(OWN)),
    "without the calendar's own row": (207, multistatus(listed("/c/a.ics"))),
    "cut": (207, multistatus(OWN, listed("/c/a.ics"))[:-30]),
    "cut by the server": (207, multistatus(row("/c/", "HTTP/1.1 507 Insufficient Storage"), listed("/c/a.ics"))),
    "a row the server failed on": (207, multistatus(OWN, row("/c/a.ics", "HTTP/1.1 500 Oops"))),
    "a property the server failed on": (
        207,
        multistatus(OWN, listed("/c/a.ics").replace("200 OK", "403 Forbidden")),
    ),
    "a status that is none": (207, multistatus(OWN, row("/c/a.ics", "fine"))),
    "a row without an address": (207, multistatus(OWN, listed(""))),
    "an address that is none": (207, multistatus(OWN, listed("http://[x/a.ics"))),
    "a document type": (
        207,
        multistatus(OWN, listed("/c/&a;.ics")).replace(
            '<?xml version="1.0"?>', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_list_that_is_not_whole_is_no_list(name: str, scripted: Scripted, calendar: CalDavCalendar) -> None:
    status, body = BAD_LISTS[name]
    scripted.script = says(status, body)
    with pytest.raises(Unreachable):
        calendar.changes({})


def test_a_list_of_laughs_is_no_list(scripted: Scripted, calendar: CalDavCalendar) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>' + multistatus(OWN, listed("/c/a.ics", "&a11;"))[21:]
    scripted.script = says(207, body)
    with pytest.raises(Unreachable):
        calendar.changes({})


@pytest.mark.parametrize("length", ["10", "100000"])
def test_an_answer_shorter_or_longer_than_it_says_is_no_list(
    length: str, scripted: Scripted, calendar: CalDavCalendar
) -> None:
    whole = multistatus(OWN)
    scripted.script = lambda exchange: exchange.raw(
        f"HTTP/1.1 207 Multi-Status\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{whole}"
    )
    with pytest.raises(Unreachable):
        calendar.changes({})


@pytest.mark.parametrize("answer", ["", "HTTP/1.1", "nonsense\r\n\r\n", "HTTP/1.1 207 x\r\nContent-Length: -7\r\n\r\n"])
def test_what_is_no_http_is_unreachable(answer: str, scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = lambda exchange: exchange.raw(answer)
    with pytest.raises(Unreachable):
        calendar.changes({})


STATUSES = {
    401: AuthRefused,
    403: AuthRefused,
    404: CalendarGone,
    410: CalendarGone,
    409: Conflict,
    412: Conflict,
    400: Refused,
    405: Refused,
    413: Refused,
    415: Refused,
    301: Unreachable,
    302: Unreachable,
    308: Unreachable,
    408: Unreachable,
    423: Unreachable,
    429: Unreachable,
    500: Unreachable,
    501: Unreachable,
    503: Unreachable,
    507: Unreachable,
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_means_the_same_wherever_it_comes_and_a_put_is_sent_once(
    status: int, scripted: Scripted, calendar: CalDavCalendar
) -> None:
    scripted.script = answers(PUT=says(status), PROPFIND=says(207, multistatus(OWN)))
    with pytest.raises(STATUSES[status]):
        calendar.put("/c/a.ics", ICS, replaces=None)
    assert scripted.methods().count("PUT") == 1
    scripted.script = says(status)
    with pytest.raises(STATUSES[status]):
        calendar.changes({})


def test_a_403_that_names_the_uid_is_a_conflict(scripted: Scripted, calendar: CalDavCalendar) -> None:
    body = '<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></D:error>'
    scripted.script = says(403, body)
    with pytest.raises(Conflict):
        calendar.put("/c/a.ics", ICS, replaces=None)


@pytest.mark.parametrize(("header", "wait"), [("120", 120), ("999999", 86400), ("-5", 0), ("soon", None)])
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_a_server_asks_for_is_told(
    status: int, header: str, wait: int | None, scripted: Scripted, calendar: CalDavCalendar
) -> None:
    scripted.script = says(status, Retry_After=header)
    with pytest.raises(Unreachable) as raised:
        calendar.changes({})
    assert raised.value.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["PROPFIND", "PUT"])
def test_nobody_follows_to_another_place(
    method: str, status: int, scripted: Scripted, calendar: CalDavCalendar
) -> None:
    scripted.script = says(status, Location="http://169.254.169.254/latest/meta-data?token=secret")
    act: dict[str, Callable[[], object]] = {
        "PROPFIND": lambda: calendar.changes({}),
        "PUT": lambda: calendar.put("/c/a.ics", ICS, replaces=None),
    }
    with pytest.raises(Unreachable, match=r"http://169\.254\.169\.254/latest/meta-data; ") as raised:
        act[method]()
    assert "secret" not in str(raised.value)
    assert scripted.methods() == [method]


def test_an_address_on_another_host_is_asked_for_at_home(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = answers(
        PROPFIND=says(207, multistatus(OWN, listed("http://169.254.169.254/c/a.ics"))),
        REPORT=says(207, multistatus(fetched("/c/a.ics"))),
        GET=says(200, ICS, type="text/calendar", ETag='"1"'),
    )
    assert [resource.href for resource in calendar.changes({}).fetched] == ["http://169.254.169.254/c/a.ics"]
    assert calendar.find("//169.254.169.254/c/a.ics") is not None
    assert scripted.seen[-1] == ("GET", "/c/a.ics")


def test_what_a_server_leaves_out_is_asked_for_by_itself(scripted: Scripted, calendar: CalDavCalendar) -> None:
    """DAViCal and sabre/dav omit what is gone from a multiget; only a GET tells."""
    there = answers(
        PROPFIND=says(207, multistatus(OWN, *[listed(f"/c/{name}.ics") for name in "abcd"])),
        REPORT=says(
            207,
            multistatus(fetched("/c/a.ics"), row("/c/b.ics", "HTTP/1.1 404 Not Found"), listed("/c/c.ics")),
        ),
        GET=lambda exchange: (
            exchange.answer(200, ICS, type="text/calendar", ETag='"2"')
            if exchange.path in ("/c/c.ics", "/c/d.ics")
            else exchange.answer(404)
        ),
    )
    scripted.script = there
    changes = calendar.changes({})
    assert dict(changes.listing) == {"/c/a.ics": '"1"', "/c/c.ics": '"2"', "/c/d.ics": '"2"'}
    assert changes.fetched == tuple(
        Resource(f"/c/{name}.ics", etag, ICS) for name, etag in (("a", '"1"'), ("c", '"2"'), ("d", '"2"'))
    )


def test_what_can_not_be_fetched_is_not_taken_for_gone(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = answers(
        PROPFIND=says(207, multistatus(OWN, listed("/c/a.ics"))),
        REPORT=says(207, multistatus(row("/c/a.ics", "HTTP/1.1 404 Not Found"))),
        GET=says(200, "<html>Sign in</html>", type="text/html"),
    )
    with pytest.raises(Unreachable, match="no event"):
        calendar.changes({})


def test_folders_and_deleted_rows_in_the_list_are_no_objects(scripted: Scripted, calendar: CalDavCalendar) -> None:
    inbox = OWN.replace("/c/", "/c/inbox/").replace("<C:calendar/>", "")
    folder = listed("/c/old").replace(
        "</D:getetag>", "</D:getetag><D:getcontenttype>httpd/unix-directory</D:getcontenttype>"
    )
    scripted.script = says(207, multistatus(OWN, inbox, folder, row("/c/gone.ics", "HTTP/1.1 404 Not Found")))
    assert dict(calendar.changes({}).listing) == {}


def test_a_calendar_that_answers_under_another_name_is_known(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = says(207, multistatus(OWN.replace("/c/", "/principals/anna/calls/")))
    assert dict(calendar.changes({}).listing) == {}


def test_an_object_without_an_etag_is_fetched_every_time(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = answers(
        PROPFIND=says(207, multistatus(OWN, listed("/c/a.ics", ""))),
        REPORT=says(207, multistatus(fetched("/c/a.ics", etag=""))),
    )
    known = calendar.changes({}).listing
    assert len(calendar.changes(known).fetched) == 1


def test_a_list_is_fetched_in_batches(scripted: Scripted, calendar: CalDavCalendar) -> None:
    hrefs = [f"/c/{number}.ics" for number in range(BATCH + 1)]
    batches: list[int] = []

    def report(exchange: Exchange) -> None:
        asked = [href for href in hrefs if f">{href}<" in exchange.body]
        batches.append(len(asked))
        exchange.answer(207, multistatus(*map(fetched, asked)))

    scripted.script = answers(PROPFIND=says(207, multistatus(OWN, *map(listed, hrefs))), REPORT=report)
    assert len(calendar.changes({}).fetched) == BATCH + 1
    assert batches == [BATCH, 1]


LARGE = "BEGIN:VCALENDAR\n" + "x" * (5 * 2**20 + 1)


def test_an_object_that_is_too_large_is_listed_without_its_text(scripted: Scripted, calendar: CalDavCalendar) -> None:
    """It then blocks everything, see expand.py, and the others are read nevertheless."""

    def report(exchange: Exchange) -> None:
        asked = [name for name in "abcd" if f"/c/{name}.ics" in exchange.body]
        rows = [fetched(f"/c/{name}.ics", LARGE * 4 if name == "b" else ICS) for name in asked]
        exchange.answer(207, multistatus(*rows))

    scripted.script = answers(
        PROPFIND=says(207, multistatus(OWN, *[listed(f"/c/{name}.ics") for name in "abcd"])),
        REPORT=report,
        GET=says(200, LARGE, type="text/calendar"),
    )
    changes = calendar.changes({})
    assert {resource.href: bool(resource.ics) for resource in changes.fetched} == {
        "/c/a.ics": True,
        "/c/b.ics": False,
        "/c/c.ics": True,
        "/c/d.ics": True,
    }
    assert changes.listing["/c/b.ics"] == '"1"'
    assert calendar.find("/c/b.ics") == Resource("/c/b.ics", "", "")


@pytest.fixture
def small(scripted: Scripted) -> Iterator[CalDavCalendar]:
    """A calendar that may bring a megabyte at most."""
    url = f"{scripted.url}/c"
    with contextlib.closing(CalDavCalendar(url, username="", password="", deadline=30, most_bytes=2**20)) as opened:
        yield opened


def test_a_list_that_is_too_large_is_unreachable(scripted: Scripted, small: CalDavCalendar) -> None:
    chunk = b"x" * 2**20

    def endless(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 207 Multi-Status\r\nContent-Type: text/xml\r\n\r\n<x>")
        with contextlib.suppress(OSError):
            while True:
                exchange.handler.wfile.write(chunk)
        exchange.hang_up()

    scripted.script = endless
    with pytest.raises(Unreachable, match="more than can be read"):
        small.changes({})


def test_a_calendar_that_is_too_large_altogether_is_unreachable(scripted: Scripted, small: CalDavCalendar) -> None:
    hrefs = [f"/c/{number}.ics" for number in range(3)]
    half = "BEGIN:VCALENDAR\n" + "x" * 2**19
    scripted.script = answers(
        PROPFIND=says(207, multistatus(OWN, *map(listed, hrefs))),
        REPORT=says(207, multistatus(*[fetched(href, half) for href in hrefs])),
    )
    with pytest.raises(Unreachable, match="too large"):
        small.changes({})


def test_a_zipped_bomb_is_cut_when_it_is_too_large(scripted: Scripted, calendar: CalDavCalendar) -> None:
    bomb = gzip.compress(b"BEGIN:VCALENDAR" + b"\0" * (50 * 2**20))

    def zipped(exchange: Exchange) -> None:
        exchange.handler.send_response(200)
        exchange.handler.send_header("Content-Encoding", "gzip")
        exchange.handler.send_header("Content-Length", str(len(bomb)))
        exchange.handler.end_headers()
        exchange.handler.wfile.write(bomb)

    scripted.script = zipped
    assert calendar.find("/c/a.ics") == Resource("/c/a.ics", "", "")


def test_zero_bytes_never_reach_the_database(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = says(200, ICS + "\0", type="text/calendar", ETag='"1"')
    assert calendar.find("/c/a.ics") == Resource("/c/a.ics", '"1"', ICS)


def test_a_connection_that_died_between_two_questions_is_opened_again(
    scripted: Scripted, calendar: CalDavCalendar
) -> None:
    """SOGo drops connections it said it would keep."""
    lists = iter([False, True, False])

    def drop(exchange: Exchange) -> None:
        if next(lists):
            exchange.hang_up()
        else:
            exchange.answer(207, multistatus(OWN))

    scripted.script = drop
    calendar.changes({})
    assert dict(calendar.changes({}).listing) == {}
    assert scripted.methods() == ["PROPFIND"] * 3


def test_a_question_is_repeated_once_only(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = says(207, multistatus(OWN))
    calendar.changes({})
    scripted.script = Exchange.hang_up
    with pytest.raises(Unreachable):
        calendar.changes({})
    assert scripted.methods() == ["PROPFIND"] * 3


def test_a_write_is_never_repeated(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = says(207, multistatus(OWN))
    calendar.changes({})
    scripted.script = Exchange.hang_up
    with pytest.raises(Unreachable):
        calendar.put("/c/a.ics", ICS, replaces='"1"')
    with pytest.raises(Unreachable):
        calendar.delete("/c/a.ics", etag='"1"')
    assert scripted.methods() == ["PROPFIND", "PUT", "DELETE"]


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 207 Multi-Status\r\nContent-Type: text/xml\r\n", b"HTTP/1.1 2"])
def test_a_server_that_hangs_is_given_up_at_the_deadline(beginning: bytes, scripted: Scripted) -> None:
    def hang(exchange: Exchange) -> None:
        exchange.handler.wfile.write(beginning)
        scripted.released.wait()

    scripted.script = hang
    with contextlib.closing(CalDavCalendar(f"{scripted.url}/c", username="", password="", deadline=0.3)) as calendar:
        with pytest.raises(Unreachable, match="did not answer"):
            calendar.changes({})
        with pytest.raises(Unreachable, match="did not answer"):
            calendar.changes({})
    assert not scripted.released.is_set()
    assert len(scripted.seen) == 1


def test_a_server_that_drips_is_cut_off_at_the_deadline(scripted: Scripted) -> None:
    """A time-out for each read never ends here; only the deadline does."""
    cut = threading.Event()

    def drip(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 207 Multi-Status\r\n")
        try:
            while not scripted.released.wait(0.05):
                exchange.handler.wfile.write(b"X-Drop: 1\r\n")
        except OSError:
            cut.set()
        exchange.hang_up()

    scripted.script = drip
    with contextlib.closing(CalDavCalendar(f"{scripted.url}/c", username="", password="", deadline=0.3)) as calendar:
        with pytest.raises(Unreachable, match="did not answer"):
            calendar.changes({})
        assert cut.wait(10)


def test_a_certificate_that_is_not_accepted_is_named(scripted: Scripted) -> None:
    url = scripted.url.replace("http://", "https://") + "/c"
    calendar = CalDavCalendar(url, username="a", password="b", deadline=10)
    with contextlib.closing(calendar), pytest.raises(Unreachable):
        calendar.changes({})
    assert scripted.seen == []


def test_a_calendar_that_the_server_does_not_make_is_refused(scripted: Scripted, calendar: CalDavCalendar) -> None:
    scripted.script = answers(MKCALENDAR=says(405), PROPFIND=says(404))
    with pytest.raises(Refused, match="make it there yourself"):
        calendar.make("x")
    scripted.script = answers(MKCALENDAR=says(403), PROPFIND=says(207, multistatus(OWN)))
    calendar.make("x")
    scripted.script = answers(MKCALENDAR=says(403), PROPFIND=says(207, multistatus(OWN.replace("<C:calendar/>", ""))))
    with pytest.raises(AuthRefused):
        calendar.make("x")


def test_an_answer_that_comes_late_is_asked_for_once(scripted: Scripted) -> None:
    def once(exchange: Exchange) -> None:
        if len(scripted.seen) == 1:
            exchange.answer(207, multistatus(OWN))
        else:
            scripted.released.wait()

    scripted.script = once
    with contextlib.closing(CalDavCalendar(f"{scripted.url}/c", username="", password="", deadline=0.5)) as calendar:
        calendar.changes({})
        with pytest.raises(Unreachable, match="did not answer"):
            calendar.changes({})
    assert len(scripted.seen) == 2


def test_no_message_holds_the_name_the_password_or_a_query(scripted: Scripted) -> None:
    url = f"{scripted.url}/c/?token=canary"
    scripted.script = says(500, "canary")
    calendar = CalDavCalendar(url, username="canary", password="canary", deadline=10)
    with contextlib.closing(calendar), pytest.raises(Unreachable) as raised:
        calendar.changes({})
    assert "canary" not in str(raised.value)


def test_nothing_that_stands_in_a_calendar_is_written_to_the_log(
    scripted: Scripted, calendar: CalDavCalendar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    scripted.script = says(207, multistatus(OWN, fetched("/c/a.ics", "SUMMARY:canary"))[:-20])
    with pytest.raises(Unreachable):
        calendar.changes({})
    calendar.put("/c/a.ics", ICS + "canary", replaces=None)
    with pytest.raises(Unreachable):
        calendar.find("/c/a.ics")
    assert "canary" not in caplog.text
