"""One HTTP exchange with a calendar server, bounded in every direction.

Owns the transport: addresses that were checked beforehand, no redirects, no proxies or ``.netrc`` of this
machine, answers of a bounded size, and one deadline after which the connection is cut. Every error of the
libraries below becomes :class:`~booking.calendars.port.Unreachable` here and nowhere else. What a status
means is decided in ``caldav.py``.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import niquests
from caldav.davclient import DAVClient
from caldav.lib.error import AuthorizationError, DAVError, RateLimitError
from niquests.auth import HTTPBasicAuth
from niquests.packages.urllib3.contrib.resolver.system import SystemResolver  # type: ignore[import-not-found]
from niquests.packages.urllib3.exceptions import HTTPError  # type: ignore[import-not-found]
from niquests.sessions import Session

from booking.calendars.port import Unreachable

logging.getLogger("caldav").setLevel(logging.WARNING)  # below that it writes whole requests: what stands in calendars

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
REPEATABLE: Final = frozenset({"PROPFIND", "REPORT", "GET"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TooLarge(Exception):
    """The answer is larger than the caller can use."""


@dataclass(frozen=True, slots=True)
class _Head:
    """An answer without its body, for the library.

    It would parse the body at once, without bounds, and write what it can't parse to the log: other people's events.
    """

    status_code: int
    headers: Mapping[str, str]
    reason: str
    content: bytes = b""
    text: str = ""


class _CheckedResolver(SystemResolver):  # type: ignore[misc]
    """Connects only to addresses that were checked, and keeps a second handle of each connection so as to cut it."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        super().__init__()
        self._addresses = addresses
        self._handles: list[socket.socket] = []

    def getaddrinfo(self, host: Any, port: Any, family: Any, type: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer with the checked addresses, whatever the name means by now; ask the system where none were given."""
        if not self._addresses:
            return super().getaddrinfo(host, port, family, type, *args, **kwargs)
        return [row for address in self._addresses for row in socket.getaddrinfo(address, port, family, type)]

    def create_connection(self, *args: Any, **kwargs: Any) -> socket.socket:
        """Connect, and remember the connection."""
        connection: socket.socket = super().create_connection(*args, **kwargs)
        self._handles.append(connection.dup())
        return connection

    def cut(self) -> None:
        """End every connection at once, from another thread: a read that waits there fails."""
        for handle in self._handles:
            with contextlib.suppress(OSError):  # it had ended by itself
                handle.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Close the second handles."""
        while self._handles:
            self._handles.pop().close()


@dataclass
class _Session:
    """What the library sends requests through: no redirects, and the body read here, up to a limit."""

    session: Session
    limit: int = 0
    body: bytes = b""
    answered: bool = field(default=False)

    def request(self, method: str, url: str, **kwargs: Any) -> _Head:
        """Send one request and read its whole answer."""
        self.body = b""
        with self.session.request(method, url, allow_redirects=False, stream=True, **kwargs) as response:
            chunks, size = [], 0
            for chunk in response.iter_content():
                size += len(chunk)
                if size > self.limit:
                    raise TooLarge
                chunks.append(chunk)
            self.body = b"".join(chunks)
            self.answered = True
            return _Head(response.status_code or 0, response.headers, response.reason or "")

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


class Wire:
    """A connection to one calendar server. Not shared between threads; closed after use."""

    def __init__(
        self, url: str, username: str, password: str, *, deadline: float, addresses: tuple[str, ...] = ()
    ) -> None:
        """Prepare the connection; nothing is sent yet.

        :param deadline: seconds from now after which the connection is cut, whatever it waits for.
        :param addresses: what the host's name was resolved to and checked; empty: the system is asked.
        """
        self.host = urlsplit(url).hostname or ""
        self.server_time: datetime | None = None
        self._resolver = _CheckedResolver(addresses)
        session = Session(
            resolver=self._resolver, disable_http2=True, disable_http3=True, revocation_configuration=None
        )
        session.trust_env = False
        self._session = _Session(session)
        self._client = DAVClient(
            url,
            enable_rfc6764=False,
            auth=HTTPBasicAuth(username.encode(), password.encode()) if username else None,
            headers={"User-Agent": "Sprechzeit", "Accept-Encoding": "identity"},
        )
        self._client.session.close()
        self._client.session = self._session  # type: ignore[assignment]
        self._seconds = deadline
        self._ends = time.monotonic() + deadline
        self._watch = threading.Timer(deadline, self._resolver.cut)
        self._watch.daemon = True
        self._watch.start()

    def ask(self, method: str, url: str, *, limit: int, body: str = "", **headers: str) -> Answer:
        """Send one request and return the answer, whatever its status.

        A request that changes nothing is sent a second time where a kept-alive connection turns out to be dead.

        :param limit: the most bytes the (unpacked) answer may have.
        :param headers: ``If_Match="…"`` and the like.
        :raises Unreachable: there is no whole answer.
        :raises TooLarge: the answer has more bytes.
        """
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        repeatable = method in REPEATABLE and self._session.answered
        try:
            return self._ask(method, url, limit, body, fields)
        except (niquests.exceptions.Timeout, niquests.exceptions.ConnectionError) as error:
            if not repeatable or isinstance(error, niquests.exceptions.Timeout):
                raise self._unreachable(error) from error
        return self._ask_once(method, url, limit, body, fields)

    def close(self) -> None:
        """Close the connection."""
        self._watch.cancel()
        self._client.close()
        self._resolver.forget()

    def _ask_once(self, method: str, url: str, limit: int, body: str, fields: dict[str, str]) -> Answer:
        try:
            return self._ask(method, url, limit, body, fields)
        except niquests.exceptions.RequestException as error:
            raise self._unreachable(error) from error

    def _ask(self, method: str, url: str, limit: int, body: str, fields: dict[str, str]) -> Answer:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Unreachable(f"{self.host} did not answer within {self._seconds:g} seconds")
        self._client.timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))  # type: ignore[assignment]
        self._session.limit = limit
        try:
            response = self._client.request(url, method, body, fields)
        except AuthorizationError as error:
            return Answer(error.status or 401, {}, self._session.body)
        except RateLimitError as error:
            seconds = error.retry_after_seconds
            wait = None if seconds is None else timedelta(seconds=min(max(seconds, 0), 86400))
            raise Unreachable(f"{self.host} asks to be asked less often", wait) from error
        except (niquests.exceptions.Timeout, niquests.exceptions.ConnectionError):
            raise
        except (niquests.exceptions.RequestException, HTTPError, DAVError, OSError, ValueError, TypeError,
                AttributeError) as error:  # fmt: skip
            raise self._unreachable(error) from error
        self.server_time = _moment(response.headers.get("Date", ""))
        return Answer(response.status, response.headers, self._session.body)

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, niquests.exceptions.SSLError):
            return Unreachable(f"the certificate of {self.host} is not valid; renew it, or check the address")
        if isinstance(error, niquests.exceptions.Timeout) or time.monotonic() >= self._ends:
            return Unreachable(f"{self.host} did not answer in time")
        return Unreachable(f"{self.host} can't be reached or broke off its answer ({type(error).__name__})")


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
