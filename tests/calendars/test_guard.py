"""Which addresses of calendars may be asked, and which never."""

import contextlib
import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest

from booking.calendars.guard import check_url, open_calendar
from booking.calendars.port import Calendar, Refused, Unreachable
from booking.calendars.wire import Wire
from tests.calendars.conftest import DavServer, Exchange, Scripted, free_port

CLOSED = [
    "0.0.0.0",
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[2002:a00:1::1]",
    "[2002:808:808::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::1%251]",
    "[fec0::1]",
    "[ff02::1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
]
OPEN = ["8.8.8.8", "193.99.144.80", "[2606:4700::1111]", "[64:ff9b::808:808]", "[::ffff:8.8.8.8]"]
NEVER = ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "[::]", "[fe80::1]", "[ff02::1]"]


@pytest.mark.parametrize("host", CLOSED)
def test_an_address_that_is_not_on_the_public_internet_is_refused(host: str) -> None:
    with pytest.raises((Refused, Unreachable)):
        check_url(f"https://{host}/dav/", ())


@pytest.mark.parametrize("host", OPEN)
def test_a_public_address_is_let_through_and_named(host: str) -> None:
    (address,) = check_url(f"https://{host}/dav/", ())
    assert ipaddress.ip_address(address) == ipaddress.ip_address(host.strip("[]"))


@pytest.mark.parametrize("host", NEVER)
def test_link_local_multicast_and_the_like_are_refused_whatever_is_allowed(host: str) -> None:
    with pytest.raises(Refused):
        check_url(f"https://{host}/dav/", (host.strip("[]"), "0.0.0.0/0", "::/0"))


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://localhost:5232/a/", ("localhost",)),
        ("https://localhost/a/", ("LOCALHOST.",)),
        ("http://127.0.0.1/a/", ("127.0.0.0/8",)),
        ("http://127.0.0.1/a/", ("127.0.0.1",)),
        ("https://192.168.1.7/a/", ("nas.local", "192.168.1.0/24")),
        ("https://[fd12:3456::1]/a/", ("fd00::/8",)),
        ("http://[::ffff:192.168.1.7]/a/", ("192.168.1.0/24", "::ffff:0:0/96")),
    ],
)
def test_what_the_operator_allows_by_name_or_network_may_be_asked(url: str, allow: tuple[str, ...]) -> None:
    assert check_url(url, allow)


def test_the_network_allowed_is_no_other() -> None:
    with pytest.raises(Refused, match="CALDAV_ALLOW"):
        check_url("https://192.168.2.1/a/", ("192.168.1.0/24", "nas.local"))


def test_http_is_refused_even_for_public_addresses_unless_allowed() -> None:
    with pytest.raises(Refused, match="https://"):
        check_url("http://8.8.8.8/dav/", ())
    assert check_url("http://8.8.8.8/dav/", ("8.8.8.8",)) == ("8.8.8.8",)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dav.example.org",
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "https://",
        "https://[::1",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:x/",
        "https://anna:secret@8.8.8.8/",
        "https://8.8.8.8/a b/",
        "https://8.8.8.8/a\u2028b/",
    ],
)
def test_what_is_no_address_of_a_calendar_is_refused_with_a_word_on_what_to_do(url: str) -> None:
    with pytest.raises(Refused) as raised:
        check_url(url, ())
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["does-not-exist.invalid", "x" * 64 + ".example.org", "a..example.org"])
def test_a_name_that_can_not_be_resolved_is_unreachable(host: str) -> None:
    with pytest.raises(Unreachable, match="resolved"):
        check_url(f"https://{host}/", ())


def opened(kind: str, url: str, *, allow: tuple[str, ...] = (), embedded_url: str | None = None) -> Calendar:
    return open_calendar(
        kind=kind, url=url, username="a", password="b", allow=allow, embedded_url=embedded_url, deadline=20
    )


@pytest.mark.parametrize("path", ["/anna/calls/", "anna/calls", "//anna/calls/"])
def test_an_embedded_calendar_lies_below_the_embedded_server(path: str) -> None:
    with contextlib.closing(opened("embedded", path, embedded_url="http://127.0.0.1:5232")) as calendar:
        assert calendar.href_for("u@x") == "/anna/calls/u%40x.ics"


def test_an_embedded_calendar_can_not_be_taken_for_another_host() -> None:
    with pytest.raises(Refused):
        opened("embedded", "http://8.8.8.8/anna/", embedded_url="http://127.0.0.1:5232")


def test_an_embedded_calendar_that_is_off_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="EMBEDDED_CALENDAR"):
        opened("embedded", "/anna/calls/")


def test_another_kind_of_calendar_is_refused() -> None:
    with pytest.raises(Refused, match="smoke"):
        opened("smoke", "https://8.8.8.8/")


def test_a_caldav_calendar_is_checked_before_anything_is_sent(scripted: Scripted) -> None:
    with pytest.raises(Refused):
        opened("caldav", scripted.url)
    assert scripted.seen == []


def test_opening_an_allowed_calendar_sends_nothing(scripted: Scripted) -> None:
    opened("caldav", scripted.url, allow=("127.0.0.1",)).close()
    assert scripted.seen == []


def test_an_allowed_calendar_can_be_used(radicale_server: DavServer) -> None:
    calendar = open_calendar(
        kind="caldav",
        url=radicale_server.calendar_url("guarded"),
        username=radicale_server.username,
        password=radicale_server.password,
        allow=("127.0.0.1",),
        embedded_url=None,
        deadline=20,
    )
    with contextlib.closing(calendar):
        calendar.make("x")
        assert dict(calendar.changes({}).listing) == {}


def test_the_connection_goes_to_the_checked_address_whatever_the_name_means_by_then(scripted: Scripted) -> None:
    """A name that is public when it is checked and points inside a moment later gains nothing."""
    scripted.script = lambda exchange: exchange.answer(200, exchange.headers["Host"], type="text/plain")
    port = scripted.url.rpartition(":")[2]
    url = f"http://rebinding.invalid:{port}/"
    with contextlib.closing(Wire(url, "", "", deadline=20, addresses=("127.0.0.1",))) as wire:
        answer = wire.ask("GET", url, limit=1000)
    assert answer.body.decode() == f"rebinding.invalid:{port}"


def test_neither_proxies_nor_netrc_of_this_machine_are_used(scripted: Scripted, tmp_path: Path) -> None:
    """The environment has no say in where an owner's password goes."""
    seen: list[Exchange] = []

    def script(exchange: Exchange) -> None:
        seen.append(exchange)
        exchange.answer(404)

    scripted.script = script
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stranger password strange\n")
    (tmp_path / ".netrc").chmod(0o600)
    program = (
        "import sys\n"
        "from booking.calendars.caldav import CalDavCalendar\n"
        "calendar = CalDavCalendar(sys.argv[1], username='', password='', deadline=20)\n"
        "print(calendar.find('/c/a.ics'))\n"
    )
    nowhere = f"http://127.0.0.1:{free_port()}"
    environment = os.environ | {
        "HOME": str(tmp_path),
        "HTTP_PROXY": nowhere,
        "http_proxy": nowhere,
        "ALL_PROXY": nowhere,
    }
    environment.pop("NO_PROXY", None)
    environment.pop("no_proxy", None)
    command = [sys.executable, "-c", program, f"{scripted.url}/c/"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.strip() == "None"
    assert [exchange.path for exchange in seen] == ["/c/a.ics"]
    assert "Authorization" not in seen[0].headers
