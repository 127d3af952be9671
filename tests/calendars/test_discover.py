"""Finding the calendars of an account, on real servers and against hostile ones."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from booking.calendars import names, providers
from booking.calendars.discover import Account, Findings, OtherServer, find_by_address, find_by_mail
from booking.calendars.guard import open_calendar
from booking.calendars.names import LookUp, Named, Record
from booking.calendars.port import AuthRefused, CalendarError, CalendarGone, Refused, Unreachable
from tests.calendars.conftest import DavServer, Exchange, Scripted, radicale

ALLOW = ("127.0.0.1",)
MAIL = "anna@example.org"


def make(server: DavServer, *calendars: str) -> None:
    for name in calendars:
        how = {"kind": "caldav", "url": server.calendar_url(name), "allow": ALLOW, "embedded_url": None}
        with contextlib.closing(
            open_calendar(**how, username=server.username, password=server.password, deadline=20)  # type: ignore[arg-type]
        ) as calendar:
            calendar.make(name.title())


def account(server: DavServer, **values: object) -> Account:
    return Account(**{"username": server.username, "password": server.password, **values})  # type: ignore[arg-type]


def by_address(url: str, who: Account, seconds: float = 10) -> Findings:
    return find_by_address(url, who, allow=ALLOW, seconds=seconds)


def says(*records: Record, service: str = "_caldav", domain: str = "example.org", text: str = "") -> LookUp:
    """Return a name service that knows one service of one domain."""

    def look_up(name: str) -> Named:
        return Named(records, (text,) if text else ()) if name == f"{service}._tcp.{domain}" else Named()

    return look_up


def loopback(server: DavServer | Scripted, target: str = "127.0.0.1") -> Record:
    return Record(0, 1, int(server.url.rpartition(":")[2]), target)


def agreed(server: DavServer | Scripted) -> tuple[str, ...]:
    return (server.url.removeprefix("http://"),)


# What is found


@pytest.mark.parametrize("path", ["", "/", "home", "/nothing/there/"])
def test_calendars_are_found_from_any_address_of_the_server(dav_server: DavServer, path: str) -> None:
    make(dav_server, "work", "private")
    url = dav_server.url + (dav_server.home if path == "home" else path)
    found = by_address(url, account(dav_server))
    assert {(each.url, each.name) for each in found.calendars} >= {
        (dav_server.calendar_url("work"), "Work"),
        (dav_server.calendar_url("private"), "Private"),
    }
    assert all(each.can_write for each in found.calendars)


def test_the_address_of_a_calendar_leads_to_that_one_alone(dav_server: DavServer) -> None:
    make(dav_server, "work", "private")
    url = dav_server.calendar_url("work")
    assert [each.url for each in by_address(url, account(dav_server)).calendars] == [url]


def test_calendars_are_found_from_a_mail_address_by_what_the_name_service_says(dav_server: DavServer) -> None:
    make(dav_server, "work")
    who = account(dav_server, agreed=agreed(dav_server))
    found = find_by_mail(MAIL, who, look_up=says(loopback(dav_server)), allow=ALLOW, seconds=10)
    assert dav_server.calendar_url("work") in [each.url for each in found.calendars]


def test_without_a_name_the_mail_address_is_tried_and_then_what_stands_before_the_at(
    radicale_server: DavServer,
) -> None:
    make(radicale_server, "work")
    who = account(radicale_server, username="", agreed=agreed(radicale_server))
    found = find_by_mail(MAIL, who, look_up=says(loopback(radicale_server)), allow=ALLOW, seconds=10)
    assert found.username == "anna"


def test_the_path_that_the_name_service_gives_is_asked_first(scripted: Scripted) -> None:
    scripted.script = lambda exchange: exchange.answer(404)
    who = Account("anna", "secret", agreed(scripted))
    with pytest.raises(CalendarError):
        find_by_mail(MAIL, who, look_up=says(loopback(scripted), text="path=/dav/"), allow=ALLOW, seconds=5)
    assert scripted.seen[0] == ("PROPFIND", "/dav/")


@pytest.fixture
def guarded_radicale(tmp_path: Path) -> Iterator[DavServer]:
    """A Radicale in which one calendar can only be read."""
    with radicale(tmp_path) as server:
        make(server, "work", "read-only")
        server.process.kill()
        server.process.wait()
    (tmp_path / "rights").write_text(
        "[home]\nuser: .+\ncollection: ({user})?\npermissions: RW\n"
        "[one]\nuser: .+\ncollection: {user}/read-only\npermissions: r\n"
        "[all]\nuser: .+\ncollection: {user}/[^/]+\npermissions: rw\n"
    )
    rights = f"[rights]\ntype = from_file\nfile = {tmp_path}/rights\n"
    with radicale(tmp_path, rights) as server:
        yield server


def test_a_calendar_that_can_only_be_read_is_known_as_such(guarded_radicale: DavServer) -> None:
    found = by_address(guarded_radicale.url, account(guarded_radicale))
    assert {each.name: each.can_write for each in found.calendars} == {"Work": True, "Read-Only": False}


def test_what_takes_no_events_and_what_is_no_calendar_is_left_out(scripted: Scripted) -> None:
    scripted.script = lambda exchange: exchange.answer(207, HOME if exchange.path == "/home/" else LEADS_HOME)
    found = by_address(scripted.url, Account("anna", "secret"))
    assert [(each.url, each.name, each.can_write) for each in found.calendars] == [
        (f"{scripted.url}/home/one/", "one", False),
        (f"{scripted.url}/home/two/", "Zwei <b>", True),
    ]


# What is refused


def test_a_wrong_password_is_refused_after_one_attempt(radicale_server: DavServer, scripted: Scripted) -> None:
    with pytest.raises(AuthRefused):
        by_address(radicale_server.url, account(radicale_server, password="wrong"))
    scripted.script = lambda exchange: exchange.answer(401)
    with pytest.raises(AuthRefused):
        by_address(scripted.url, Account("anna", "wrong"))
    assert len(scripted.seen) == 1


@pytest.mark.parametrize("status", [404, 403, 405, 200, 500])
def test_a_server_without_calendars_is_named_as_such(scripted: Scripted, status: int) -> None:
    scripted.script = lambda exchange: exchange.answer(status, "<html>hello</html>", type="text/html")
    with pytest.raises((CalendarGone, Unreachable)):
        by_address(scripted.url, Account("anna", "secret"))


def test_a_server_that_hangs_costs_no_more_than_the_deadline(scripted: Scripted) -> None:
    scripted.script = lambda exchange: exchange.raw("") if scripted.released.wait(30) else None
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        by_address(scripted.url, Account("anna", "secret"), seconds=1)
    assert time.monotonic() - begun < 3


def test_a_server_that_drips_costs_no_more_than_the_deadline(scripted: Scripted) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.handler.wfile.write(b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(OSError):
            while not scripted.released.wait(0.05):
                exchange.handler.wfile.write(b" ")
                exchange.handler.wfile.flush()

    scripted.script = drip
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        by_address(scripted.url, Account("anna", "secret"), seconds=1)
    assert time.monotonic() - begun < 3


def test_redirects_on_the_same_server_are_followed_and_end(scripted: Scripted) -> None:
    scripted.script = lambda exchange: exchange.answer(302, Location=f"{exchange.path}x")
    with pytest.raises(Unreachable, match="from one address to the next"):
        by_address(scripted.url, Account("anna", "secret"))
    assert {method for method, _ in scripted.seen} == {"PROPFIND"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["http://localhost:{port}/", "http://169.254.169.254/latest/", "//evil.example.net/", "http://127.0.0.2:{port}/"],
)
def test_a_redirect_to_another_server_sends_it_nothing(scripted: Scripted, status: int, target: str) -> None:
    there = target.format(port=scripted.url.rpartition(":")[2])
    scripted.script = lambda exchange: exchange.answer(status, Location=there)
    with pytest.raises(OtherServer):
        by_address(scripted.url, Account("anna", "secret"))
    assert len(scripted.seen) == 1


def test_an_agreement_does_not_open_the_way_inside(scripted: Scripted) -> None:
    """The owner may be talked into agreeing; the guard is not."""
    scripted.script = lambda exchange: exchange.answer(302, Location="http://169.254.169.254/")
    with pytest.raises(Refused):
        by_address(scripted.url, Account("anna", "secret", ("169.254.169.254:80",)))


@pytest.mark.parametrize("name", ["current-user-principal", "calendar-home-set"])
@pytest.mark.parametrize("href", ["http://evil.example.net/", "http://169.254.169.254/x", "//127.0.0.2/x/"])
def test_an_href_that_leads_to_another_server_sends_it_nothing(scripted: Scripted, name: str, href: str) -> None:
    space = "D" if name == "current-user-principal" else "C"
    prop = f"<{space}:{name}><D:href>{href}</D:href></{space}:{name}>"
    scripted.script = lambda exchange: exchange.answer(207, multistatus(("/", prop)))
    with pytest.raises(OtherServer):
        by_address(scripted.url, Account("anna", "secret"))
    assert len(scripted.seen) == 1


def test_calendars_that_a_server_claims_elsewhere_are_left_out(scripted: Scripted) -> None:
    elsewhere = multistatus(("http://evil.example.net/c/", CALENDAR), ("http://127.0.0.1/c/", CALENDAR))
    scripted.script = lambda exchange: exchange.answer(207, elsewhere if exchange.path == "/home/" else LEADS_HOME)
    assert by_address(scripted.url, Account("anna", "secret")).calendars == ()


@pytest.mark.parametrize("href", ["http://[::1", "http://a:99999/", "javascript:x", "", "\n"])
def test_an_href_that_can_not_be_read_is_an_answer_like_others(scripted: Scripted, href: str) -> None:
    prop = f"<D:current-user-principal><D:href>{href}</D:href></D:current-user-principal>"
    scripted.script = lambda exchange: exchange.answer(207, multistatus(("/", prop)))
    with pytest.raises(CalendarError):
        by_address(scripted.url, Account("anna", "secret"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "[::1]", "[fe80::1]", "0.0.0.0"]
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_address_inside_is_refused_before_anything_is_sent(host: str, scheme: str) -> None:
    with pytest.raises(Refused):
        find_by_address(f"{scheme}://{host}/", Account("anna", "secret"), allow=(), seconds=2)


@pytest.mark.parametrize("target", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "2130706433.example.org", "0.0.0.0"])
def test_a_target_of_the_name_service_that_lies_inside_is_refused_even_if_agreed_to(target: str) -> None:
    look_up = says(Record(0, 1, 443, target), service="_caldavs")
    with pytest.raises(CalendarError) as raised:
        find_by_mail(MAIL, Account("", "secret", (target,)), look_up=look_up, allow=(), seconds=2)
    assert not isinstance(raised.value, OtherServer)


@pytest.mark.parametrize("target", ["dav.example.net", "example.org.evil.net", "notexample.org", "org"])
def test_a_target_on_another_domain_is_asked_about(target: str) -> None:
    look_up = says(Record(0, 1, 8443, target), service="_caldavs")
    expected = CalendarError if target == "org" else OtherServer
    with pytest.raises(expected) as raised:
        find_by_mail(MAIL, Account("", "secret"), look_up=look_up, allow=(), seconds=2)
    if isinstance(raised.value, OtherServer):
        assert raised.value.server == f"{target}:8443"


def test_the_password_stays_out_of_errors_and_descriptions() -> None:
    assert "secret" not in repr(Account("anna", "secret"))


def test_encryption_is_never_given_up_on_the_way(scripted: Scripted) -> None:
    from booking.calendars.discover import _Search  # noqa: PLC0415 - the only place where https meets http

    with contextlib.closing(_Search("127.0.0.1", Account("anna", "secret"), ALLOW, time.monotonic() + 5)) as search:
        with pytest.raises(Unreachable):
            search._sent_on("https://127.0.0.1/", scripted.url)
        assert search._sent_on("https://127.0.0.1/", "/dav/") == "https://127.0.0.1/dav/"


# Names


@pytest.mark.parametrize(
    ("record", "text", "address"),
    [
        (Record(0, 1, 443, "dav.example.org"), "", "https://dav.example.org/.well-known/caldav"),
        (Record(0, 1, 8443, "dav.example.org"), "path=/dav/", "https://dav.example.org:8443/dav/"),
        (Record(0, 1, 443, "dav.example.org"), "path=//evil.net/", "https://dav.example.org/.well-known/caldav"),
        (Record(0, 1, 443, "dav.example.org"), "path=/a\r\nHost: x", "https://dav.example.org/.well-known/caldav"),
        (Record(0, 1, 443, "dav.example.org"), "path=@evil.net/", "https://dav.example.org/.well-known/caldav"),
        (Record(0, 1, 443, ""), "", None),
        (Record(0, 1, 0, "dav.example.org"), "", None),
        (Record(0, 1, 99999, "dav.example.org"), "", None),
        (Record(0, 1, 443, "evil.net/x?"), "", None),
        (Record(0, 1, 443, "anna:secret@evil.net"), "", None),
        (Record(0, 1, 443, "dav.example.org\n"), "", None),
        (Record(0, 1, 443, "-x.example.org"), "", None),
        (Record(0, 1, 443, "x" * 64 + ".example.org"), "", None),
    ],
)
def test_only_what_can_stand_in_an_address_is_taken_from_the_name_service(
    record: Record, text: str, address: str | None
) -> None:
    found = names.addresses("example.org", says(record, service="_caldavs", text=text))
    assert list(found) == ([address] if address else [])


def test_the_best_target_comes_first_and_there_are_few() -> None:
    records = [Record(number % 3, number, 443, f"h{number}.example.org") for number in range(20)]
    found = names.addresses("example.org", says(*records, service="_caldavs"))
    assert len(found) == names.MOST_TARGETS
    assert found[0] == "https://h18.example.org/.well-known/caldav"


@pytest.mark.parametrize("mail", ["anna", "anna@", "@", "anna@localhost", "anna@exa mple.org", "a@-x.org", "a@ä..b"])
def test_what_is_no_mail_address_is_not_looked_up(mail: str) -> None:
    asked: list[str] = []

    def look_up(name: str) -> Named:
        asked.append(name)
        return Named()

    with pytest.raises(CalendarError):
        find_by_mail(mail, Account("", "secret"), look_up=look_up, allow=(), seconds=2)
    assert asked == []


@pytest.mark.parametrize(
    ("host", "other", "together"),
    [
        ("example.org", "dav.example.org", True),
        ("example.org", "example.org", True),
        ("example.org", "badexample.org", False),
        ("dav.example.org", "example.org", False),
        ("a.co.uk", "b.co.uk", False),
        ("caldav.icloud.com", "p42-caldav.icloud.com", True),
        ("me.com", "p42-caldav.icloud.com", True),
        ("gmx.de", "caldav.gmx.net", True),
        ("gmx.de", "caldav.gmx.net.evil.org", False),
        ("icloud.com", "caldav.gmx.net", False),
    ],
)
def test_a_password_goes_unasked_only_to_servers_that_belong_together(host: str, other: str, together: bool) -> None:
    assert providers.belong_together(host, other) is together


def test_every_provider_is_known_by_its_own_server() -> None:
    for provider in providers.PROVIDERS:
        if provider.base:
            host = provider.base.removeprefix("https://").partition("/")[0].partition(":")[0]
            assert providers.of_host(host) is provider
    assert providers.of_host("cloud.example.org", "/remote.php/dav/") is providers.NEXTCLOUD


def multistatus(*rows: tuple[str, str]) -> str:
    inside = "".join(
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{props}</D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        for href, props in rows
    )
    return f'<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inside}</D:multistatus>'


CALENDAR = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
LEADS_HOME = multistatus(("/", "<C:calendar-home-set><D:href>/home/</D:href></C:calendar-home-set>"))
HOME = multistatus(
    ("/home/", "<D:resourcetype><D:collection/></D:resourcetype>"),
    (
        "/home/one/",
        f"{CALENDAR}<D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>",
    ),
    ("/home/two/", f"{CALENDAR}<D:displayname> Zwei\n&lt;b&gt;\u202e </D:displayname>"),
    (
        "/home/tasks/",
        f'{CALENDAR}<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>',
    ),
    ("/home/contacts/", "<D:resourcetype><D:collection/></D:resourcetype>"),
)
