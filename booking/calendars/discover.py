"""Finds the calendars of an account: from an address of its server, or from a mail address alone (RFC 6764, RFC 4791).

Whatever a server or the name service answers is hostile input. Every address goes through the guard; what leads to
another server gets the password only where that server belongs to the first one, or the owner has agreed to it.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from booking.calendars import providers
from booking.calendars.caldav import NAMESPACES, SMALL, XML
from booking.calendars.guard import check_url
from booking.calendars.multistatus import CALDAV, DAV, Malformed, Row, parse_multistatus
from booking.calendars.names import HOST, LookUp, addresses
from booking.calendars.port import AuthRefused, CalendarError, CalendarGone, Unreachable
from booking.calendars.wire import TooLarge, Wire
from booking.rules.text import single_line

WELL_KNOWN: Final = "/.well-known/caldav"
MOST_STEPS: Final = 5
"""Redirects, and hrefs that lead to hrefs, one after the other."""
MOST_CALENDARS: Final = 50
LONGEST_NAME: Final = 100
LONGEST_URL: Final = 500
CLIENT: Final = (
    f"<D:propfind {NAMESPACES}><D:prop><D:resourcetype/><D:displayname/><D:current-user-principal/>"
    "<C:calendar-home-set/><C:supported-calendar-component-set/><D:current-user-privilege-set/></D:prop></D:propfind>"
)
WRITING: Final = tuple(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))


@dataclass(frozen=True, slots=True)
class Account:
    """How to get in. ``agreed`` are further servers (``host`` or ``host:port``) the owner lets the password go to."""

    username: str
    password: str = field(repr=False)
    agreed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar that was found: its address, its name on the server, whether it can be written, by all it says."""

    url: str
    name: str
    can_write: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """The calendars of an account, and the name that opened it."""

    calendars: tuple[Found, ...]
    username: str


class OtherServer(CalendarError):
    """The way leads to another server; the owner has to say whether the password may go there.

    :ivar server: its host, and its port where that is not the usual one.
    """

    def __init__(self, server: str) -> None:
        super().__init__(f"the calendars are on another server: {server}")
        self.server = server


def find_by_mail(mail: str, account: Account, *, look_up: LookUp, allow: tuple[str, ...], seconds: float) -> Findings:
    """Find the calendars of a mail address.

    :param account: without a name, the mail address is tried, then what stands before the ``@``.
    :raises OtherServer: the mail domain names a server elsewhere.
    :raises CalendarError: nothing was found; the message says why.
    """
    local, _, typed = mail.strip().rpartition("@")
    domain = _domain(typed)
    ends = time.monotonic() + seconds
    known = providers.of_mail(domain)
    starts = [known.base] if known and known.base else [*addresses(domain, look_up), f"https://{domain}{WELL_KNOWN}"]
    names = [account.username] if account.username else [mail.strip(), local]
    return _first(
        [(start, name) for start in starts for name in names],
        lambda start, name: _search(start, domain, _named(account, name), allow, ends),
    )


def find_by_address(url: str, account: Account, *, allow: tuple[str, ...], seconds: float) -> Findings:
    """Find the calendars below an address: that of a calendar, of an account, or of the server alone.

    :raises OtherServer: its server sends on to one elsewhere.
    :raises CalendarError: nothing was found; the message says why.
    """
    ends = time.monotonic() + seconds
    host = urlsplit(url).hostname or ""
    starts = [url, urljoin(url, WELL_KNOWN), urljoin(url, providers.NEXTCLOUD_PATH + "/"), urljoin(url, "/")]
    return _first(
        [(start, account.username) for start in dict.fromkeys(starts)],
        lambda start, _name: _search(start, host, account, allow, ends),
    )


def _domain(typed: str) -> str:
    try:
        domain = typed.lower().encode("idna").decode()
    except UnicodeError:
        domain = ""
    if not HOST.fullmatch(domain):
        raise CalendarGone("this is no mail address")
    return domain


def _first(attempts: Sequence[tuple[str, str]], search: Callable[[str, str], Findings]) -> Findings:
    """Return the first findings. A server that refuses the password is asked again only under another name."""
    failures: dict[str, CalendarError] = {}
    for start, name in attempts:
        try:
            return search(start, name)
        except OtherServer:
            raise
        except AuthRefused as error:
            if all(other == name for _, other in attempts) or name != attempts[0][1]:
                raise
            failures.setdefault("refused", error)
        except CalendarError as error:
            failures.setdefault("nothing" if isinstance(error, CalendarGone) else "trouble", error)
    raise failures.get("refused") or failures.get("trouble") or failures["nothing"]


def _named(account: Account, name: str) -> Account:
    return Account(name, account.password, account.agreed)


def _search(start: str, belongs_to: str, account: Account, allow: tuple[str, ...], ends: float) -> Findings:
    with contextlib.closing(_Search(belongs_to, account, allow, ends)) as search:
        search.may_go(start)
        return Findings(tuple(search.calendars(start)), account.username)


@dataclass
class _Search:
    """One search: the servers it has asked, all under one deadline (``ends``, of the monotonic clock)."""

    belongs_to: str
    account: Account
    allow: tuple[str, ...]
    ends: float
    wires: dict[str, Wire] = field(default_factory=dict)

    def calendars(self, start: str) -> Iterator[Found]:
        """Yield the calendars that an address leads to: itself, those of its home, or those of its principal's home."""
        url, row = self._ask(start)
        for _ in range(MOST_STEPS):
            if row.is_calendar:
                yield from self._listed(url, [row])
                return
            homes = list(_hrefs(row, f"{CALDAV}calendar-home-set"))
            if homes:
                for home in homes:
                    at, rows = self._rows(urljoin(url, home), "1")
                    yield from self._listed(at, rows)
                return
            principal = next(_hrefs(row, f"{DAV}current-user-principal"), None)
            if principal is None or urljoin(url, principal) == url:
                break
            url, row = self._ask(urljoin(url, principal))
        raise CalendarGone(f"no calendars were found on {urlsplit(url).hostname}; give the address of a calendar")

    def may_go(self, url: str) -> None:
        """Make sure that the password may go to a server, and the server may be asked.

        :raises OtherServer: the owner has not agreed to it.
        """
        origin = _origin(url)
        if origin in self.wires:
            return
        host, server = urlsplit(url).hostname or "", origin.partition("://")[2].removesuffix(":443")
        if not providers.belong_together(self.belongs_to, host) and server not in self.account.agreed:
            raise OtherServer(server)

    def close(self) -> None:
        """Close the connections."""
        for wire in self.wires.values():
            wire.close()

    def _listed(self, base: str, rows: Collection[Row]) -> Iterator[Found]:
        for row in list(rows)[:MOST_CALENDARS]:
            url = urljoin(base, row.href)
            is_here = _origin(url) == _origin(base) and len(url) <= LONGEST_URL
            if is_here and row.is_calendar and _takes_events(row):
                name = single_line(row.text(f"{DAV}displayname"))[:LONGEST_NAME]
                yield Found(url, name or _path(url).rpartition("/")[2], _can_write(row))

    def _ask(self, url: str) -> tuple[str, Row]:
        """Ask about one address, and return where the answer came from."""
        at, rows = self._rows(url, "0")
        return at, rows[0]

    def _rows(self, url: str, depth: str) -> tuple[str, list[Row]]:
        for _ in range(MOST_STEPS):
            answer = self._wire(url)
            try:
                said = answer.ask("PROPFIND", url, limit=SMALL, body=CLIENT, Depth=depth, Content_Type=XML)
            except TooLarge as error:
                raise Unreachable(f"{answer.host} answers with more than can be read") from error
            if said.status in (301, 302, 303, 307, 308):
                url = self._sent_on(url, said.headers.get("Location", ""))
                continue
            if said.status == 401:
                raise AuthRefused(f"{answer.host} refuses the name or the password")
            if said.status != 207:
                raise _no_list(answer.host, said.status)
            try:
                return url, parse_multistatus(said.body)
            except Malformed as error:
                raise Unreachable(f"{answer.host} answers with something that is no list ({error})") from error
        raise Unreachable(f"{urlsplit(url).hostname} sends from one address to the next")

    def _sent_on(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            is_downgrade = urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
        except ValueError:
            target, is_downgrade = "", True
        if not location or is_downgrade:
            raise Unreachable(f"{urlsplit(url).hostname} sends on to an address that can't be asked")
        return target

    def _wire(self, url: str) -> Wire:
        """Return the connection to a server; the first time, its address is checked."""
        origin = _origin(url)
        if origin not in self.wires:
            self.may_go(url)
            left = self.ends - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{urlsplit(url).hostname} did not answer in time")
            checked = check_url(url, self.allow)
            name, password = self.account.username, self.account.password
            self.wires[origin] = Wire(url, name, password, deadline=left, addresses=checked)
        return self.wires[origin]


def _no_list(host: str, status: int) -> CalendarError:
    if 400 <= status < 500 and status not in (408, 423, 425, 429):
        return CalendarGone(f"there are no calendars at this address on {host} (status {status})")
    return Unreachable(f"{host} can't answer for now (status {status})")


def _hrefs(row: Row, name: str) -> Iterator[str]:
    element = row.props.get(name)
    found = [] if element is None else element.iterfind(f"{DAV}href")
    for href in found:
        text = (href.text or "").strip()
        with contextlib.suppress(ValueError):
            urlsplit(text)
            if text:
                yield text


def _takes_events(row: Row) -> bool:
    """Say whether events can stand there; a calendar that does not say takes everything (RFC 4791, 5.2.3)."""
    element = row.props.get(f"{CALDAV}supported-calendar-component-set")
    names = [] if element is None else [part.get("name", "").upper() for part in element.iterfind(f"{CALDAV}comp")]
    return not names or "VEVENT" in names


def _can_write(row: Row) -> bool:
    """Say whether we may write; a server that does not tell is taken at its best, the test button knows better."""
    element = row.props.get(f"{DAV}current-user-privilege-set")
    return element is None or any(element.find(f"{DAV}privilege/{name}") is not None for name in WRITING)


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    except ValueError as error:
        raise Unreachable("the way leads to an address that can't be read") from error


def _path(url: str) -> str:
    return unquote(urlsplit(url).path).rstrip("/")
