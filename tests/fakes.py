"""Small real classes that stand in for what is outside; they keep the contracts of the real ones."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from booking.calendars.port import CalendarError, Changes, Conflict, Resource
from booking.mail.smtp import MailUncertain
from booking.usecases.passwords import Passwords

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Monday, 23 November 2026, 9:00 in Berlin."""


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.time = now

    def __call__(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class Tokens:
    """Tokens that differ, the same ones in every run."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            return hashlib.sha256(str(next(self._numbers)).encode()).hexdigest()[:32]


class MailBox:
    """A transport that keeps what it is given, and fails as it is told to, once for each error."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.names: list[str] = []
        self.failing: list[Exception] = []

    def send(self, message: EmailMessage, *, name: str, before_data: Callable[[], None]) -> None:
        failure = self.failing.pop(0) if self.failing else None
        if failure is None or isinstance(failure, MailUncertain):
            before_data()
        if failure is not None:
            raise failure
        self.sent.append(message)
        self.names.append(name)

    def check(self) -> None:
        if self.failing:
            raise self.failing.pop(0)

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.sent if address in str(message["To"])]


class QuickPasswords(Passwords):
    """Passwords that are hashed in no time; it counts how often one was compared with a hash."""

    def __init__(self) -> None:
        super().__init__(rounds=1, memory_kib=8)
        self.compared = 0

    def matches(self, password_hash: str, password: str) -> bool:
        self.compared += 1
        return super().matches(password_hash, password)


class MemoryCalendar:
    """A calendar in memory: ETags, conditions and UIDs as a strict CalDAV server keeps them."""

    def __init__(self, path: str = "/anna/calls/") -> None:
        self.path = path
        self.objects: dict[str, Resource] = {}
        self.failing: CalendarError | None = None
        self.server_time: datetime | None = None
        self.asked = 0
        self._versions = itertools.count(1)

    def store(self, name: str, ics: str) -> Resource:
        """Put an object there as the owner's own calendar program would."""
        resource = Resource(self.path + name, f'"{next(self._versions)}"', ics)
        self.objects[resource.href] = resource
        return resource

    def changes(self, known: Mapping[str, str]) -> Changes:
        self._answer()
        listing = {resource.href: resource.etag for resource in self.objects.values()}
        fetched = [resource for resource in self.objects.values() if known.get(resource.href) != resource.etag]
        return Changes(listing, tuple(fetched))

    def find(self, href: str) -> Resource | None:
        self._answer()
        return self.objects.get(href)

    def href_for(self, uid: str) -> str:
        return f"{self.path}{uid}.ics"

    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        self._answer()
        current = self.objects.get(href)
        if (current.etag if current else None) != replaces:
            raise Conflict("something else stands there")
        self.store(href.removeprefix(self.path), ics)

    def delete(self, href: str, *, etag: str) -> None:
        self._answer()
        current = self.objects.get(href)
        if current is not None and current.etag != etag:
            raise Conflict("it has changed")
        self.objects.pop(href, None)

    def make(self, name: str) -> None:
        self._answer()

    def close(self) -> None:
        pass

    def _answer(self) -> None:
        self.asked += 1
        if self.failing is not None:
            raise self.failing


class Server:
    """The calendars of one installation by their address; :meth:`open` is what services call ``open_calendar``."""

    def __init__(self) -> None:
        self.calendars: dict[str, MemoryCalendar] = {}

    def __getitem__(self, url: str) -> MemoryCalendar:
        return self.calendars.setdefault(url, MemoryCalendar(url))

    def open(self, *, url: str, **_how: object) -> MemoryCalendar:
        return self[url]


def event(uid: str, start: datetime, end: datetime, *, more: str = "") -> str:
    """Return an ordinary event of the owner's, in UTC; ``more`` holds further lines, each ended by CRLF."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nSUMMARY:Dentist\r\n"
        f"DTSTART:{start.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\nDTEND:{end.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\n"
        f"{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def every(step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the moments from ``start`` up to ``end``, ``step`` apart."""
    while start < end:
        yield start
        start += step
