"""What every kind of calendar can do, and the errors it may answer with.

A new provider is one module that keeps this protocol and passes its contract tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from booking.errors import BookingError


class CalendarError(BookingError):
    """A calendar did not do what was asked. The message says what the owner can do about it; it holds no secret."""


class AuthRefused(CalendarError):
    """The name or password is refused, or there is no right to do this."""


class CalendarGone(CalendarError):
    """There is no calendar at this address."""


class Conflict(CalendarError):
    """A condition failed: something else stands there, or it has changed meanwhile (409, 412)."""


class Refused(CalendarError):
    """The server will never take this object (other 4xx)."""


class Unreachable(CalendarError):
    """No usable answer for now: refused connection, time-out, 5xx, 423, 429, malformed or cut answer.

    :ivar retry_after: the least wait the server asked for, if it did.
    """

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Resource:
    """One object of a calendar: where it is, its version, its text (iCalendar)."""

    href: str
    etag: str
    ics: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reading found: the whole list of ``href → etag``, and the objects whose ETag was not known."""

    listing: Mapping[str, str]
    fetched: tuple[Resource, ...]


class Calendar(Protocol):
    """One calendar on one server. Not shared by threads; closed after use. Every method may raise CalendarError."""

    @property
    def server_time(self) -> datetime | None:
        """What time it was at the server when it last answered, in UTC to the second; ``None`` where it did not say."""

    def changes(self, known: Mapping[str, str]) -> Changes:
        """List every object's ETag, and fetch the objects that differ from ``known`` (``href → etag``)."""

    def find(self, href: str) -> Resource | None:
        """Fetch one object; ``None`` where it is certain that there is none (404, 410)."""

    def href_for(self, uid: str) -> str:
        """Return where an object of this UID of ours is put (``<uid>.ics``)."""

    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        """Write one object: new where ``replaces`` is ``None`` (``If-None-Match: *``), else over that ETag.

        :raises Conflict: the condition failed, or the server keeps the UID for something else.
        """

    def delete(self, href: str, *, etag: str) -> None:
        """Remove one object of this ETag (``If-Match``); one that is gone already is no error."""

    def make(self, name: str) -> None:
        """Make the calendar itself where it does not exist yet (MKCALENDAR)."""

    def close(self) -> None:
        """Close the connection."""
