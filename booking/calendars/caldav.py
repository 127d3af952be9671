"""A calendar on a CalDAV server (RFC 4791): listing, fetching, conditional writing.

Reads by a list of ETags and fetches what changed: the servers' own time-range queries and expansions are
wrong in too many cases. The ``caldav`` library carries the requests (``wire.py``). What is read here is never
taken for an empty calendar by mistake: an answer that is cut or malformed raises.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NoReturn
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

from booking.calendars.multistatus import CALDAV, Malformed, Row, parse_multistatus
from booking.calendars.port import AuthRefused, CalendarGone, Changes, Conflict, Refused, Resource, Unreachable
from booking.calendars.wire import Answer, TooLarge, Wire

BATCH: Final = 200
MEGABYTE: Final = 2**20
LARGEST_OBJECT: Final = 5 * MEGABYTE
LARGEST_BATCH: Final = 16 * MEGABYTE
LARGEST_READING: Final = 64 * MEGABYTE
SMALL: Final = MEGABYTE

XML: Final = "application/xml; charset=utf-8"
ICS: Final = "text/calendar; charset=utf-8"
NAMESPACES: Final = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
LIST: Final = f"<D:propfind {NAMESPACES}><D:prop><D:getetag/><D:resourcetype/><D:getcontenttype/></D:prop></D:propfind>"
MULTIGET: Final = (
    f"<C:calendar-multiget {NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>%s</C:calendar-multiget>"
)
MAKE: Final = (
    f"<C:mkcalendar {NAMESPACES}><D:set><D:prop><D:displayname>%s</D:displayname>"
    '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
    "</D:prop></D:set></C:mkcalendar>"
)


def same_place(href: str, other: str) -> bool:
    """Say whether two hrefs name one object, whatever way their characters are quoted."""
    return _path(href) == _path(other)


class CalDavCalendar:
    """One CalDAV calendar; keeps :class:`booking.calendars.port.Calendar`."""

    def __init__(
        self,
        url: str,
        *,
        username: str,
        password: str,
        deadline: float,
        addresses: tuple[str, ...] = (),
        most_bytes: int = LARGEST_READING,
    ) -> None:
        """Prepare to talk to the calendar at ``url``; nothing is sent yet.

        :param deadline: seconds this object may be used for; then its connection is cut.
        :param addresses: what the guard resolved the host's name to; empty: the system is asked.
        :param most_bytes: the most that one reading may bring.
        """
        self._most_bytes = most_bytes
        self._url = url if url.endswith("/") else url + "/"
        self._wire = Wire(self._url, username, password, deadline=deadline, addresses=addresses)

    @property
    def server_time(self) -> datetime | None:
        """What time it was at the server when it last answered, by its ``Date`` header."""
        return self._wire.server_time

    def changes(self, known: Mapping[str, str]) -> Changes:
        """List every object's ETag, and fetch the objects that differ from ``known`` (``href → etag``)."""
        answer = self._ask("PROPFIND", self._url, self._most_bytes, body=LIST, Depth="1", Content_Type=XML)
        listing = self._listing(self._rows(answer))
        wanted = iter([href for href, etag in listing.items() if not etag or known.get(href) != etag])
        budget = self._most_bytes - len(answer.body)
        fetched: list[Resource] = []
        while batch := list(islice(wanted, BATCH)):
            found = self._fetch(batch)
            budget -= sum(len(resource.ics) for resource in found)
            if budget < 0:
                raise Unreachable(f"the calendar on {self._wire.host} is too large to be read")
            for href in set(batch).difference(resource.href for resource in found):
                del listing[href]
            fetched += found
        listing.update((resource.href, resource.etag or listing[resource.href]) for resource in fetched)
        return Changes(listing, tuple(fetched))

    def find(self, href: str) -> Resource | None:
        """Fetch one object; ``None`` where it is certain that there is none (404, 410)."""
        try:
            answer = self._wire.ask("GET", self._at(href), limit=LARGEST_OBJECT)
        except TooLarge:
            return Resource(href, "", "")  # what can't be read blocks: see expand.py
        if answer.status in (404, 410):
            return None
        self._check(answer)
        text = answer.body.decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff \r\n")
        if not text[:15].upper().startswith("BEGIN:VCALENDAR"):
            raise Unreachable(f"{self._wire.host} answers with something that is no event")
        return Resource(href, answer.headers.get("ETag", ""), text)

    def href_for(self, uid: str) -> str:
        """Return where an object of this UID of ours is put (``<uid>.ics``)."""
        return urlsplit(self._url).path + quote(f"{uid}.ics", safe="")

    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        """Write one object, in exactly one request; see :meth:`booking.calendars.port.Calendar.put`."""
        url = self._at(href)
        if replaces is None:
            answer = self._wire.ask("PUT", url, limit=SMALL, body=ics, Content_Type=ICS, If_None_Match="*")
        else:
            answer = self._wire.ask("PUT", url, limit=SMALL, body=ics, Content_Type=ICS, If_Match=replaces)
        if answer.status == 403 and b"no-uid-conflict" in answer.body:
            raise Conflict("the calendar keeps another event of the same UID")
        if answer.status == 409 and not self._exists():
            raise CalendarGone(f"there is no calendar at this address on {self._wire.host}")
        self._check(answer)

    def delete(self, href: str, *, etag: str) -> None:
        """Remove one object of this ETag (``If-Match``); one that is gone already is no error."""
        answer = self._wire.ask("DELETE", self._at(href), limit=SMALL, If_Match=etag)
        if answer.status not in (404, 410):
            self._check(answer)

    def make(self, name: str) -> None:
        """Make the calendar itself where it does not exist yet (MKCALENDAR).

        :raises CalendarError: it does not exist and the server does not make it.
        """
        answer = self._ask("MKCALENDAR", self._url, SMALL, body=MAKE % escape(name), Content_Type=XML, check=False)
        if answer.status in (403, 405, 409, 412) and self._exists():
            return
        if answer.status in (405, 409, 412):
            raise Refused(f"{self._wire.host} does not make a calendar at this address; make it there yourself")
        self._check(answer)

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def _exists(self) -> bool:
        answer = self._ask("PROPFIND", self._url, SMALL, body=LIST, Depth="0", Content_Type=XML, check=False)
        return answer.status == 207 and any(row.is_calendar for row in self._rows(answer))

    def _listing(self, rows: Sequence[Row]) -> dict[str, str]:
        own = [row for row in rows if same_place(row.href, self._url)]
        if not own:  # a server may answer under another name of the same calendar
            own = [row for row in rows if row.is_collection]
        if len(own) == 1 and own[0].status in (404, 410):
            raise CalendarGone(f"there is no calendar at this address on {self._wire.host}")
        if len(own) != 1 or own[0].status >= 300:
            raise Unreachable(f"{self._wire.host} answers with a list that is not whole")
        if not own[0].is_calendar:
            raise CalendarGone("there is no calendar at this address, but a folder; give the address of the calendar")
        listing = {}
        for row in rows:
            if row is own[0] or row.is_collection or row.status in (404, 410):
                continue
            if row.status >= 300 or row.failed:
                raise Unreachable(f"{self._wire.host} answers with a list that is not whole")
            listing[row.href] = row.etag
        return listing

    def _fetch(self, hrefs: Sequence[str]) -> list[Resource]:
        """Return the objects that exist. What an answer leaves out is asked for by itself (two servers omit rows)."""
        try:
            found = self._multiget(hrefs)
        except TooLarge:
            if len(hrefs) == 1:
                return [Resource(hrefs[0], "", "")]  # what can't be read blocks: see expand.py
            half = len(hrefs) // 2
            return self._fetch(hrefs[:half]) + self._fetch(hrefs[half:])
        return [resource for href in hrefs if (resource := found.get(_path(href)) or self.find(href)) is not None]

    def _multiget(self, hrefs: Sequence[str]) -> dict[str, Resource]:
        limit = LARGEST_OBJECT if len(hrefs) == 1 else LARGEST_BATCH
        rows = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
        asked = {_path(href): href for href in hrefs}
        answer = self._wire.ask("REPORT", self._url, limit=limit, body=MULTIGET % rows, Depth="0", Content_Type=XML)
        self._check(answer)
        found = {}
        for row in self._rows(answer):
            path, text = _path(row.href), row.text(f"{CALDAV}calendar-data")
            if path in asked and row.status < 300 and text.strip():
                found[path] = Resource(asked[path], row.etag, text)
        return found

    def _at(self, href: str) -> str:
        """Return the full address of an href: always on the calendar's own server, whatever host the href names."""
        here, there = urlsplit(self._url), urlsplit(urljoin(self._url, href))
        return there._replace(scheme=here.scheme, netloc=here.netloc).geturl()

    def _ask(self, method: str, url: str, limit: int, *, body: str, check: bool = True, **headers: str) -> Answer:
        try:
            answer = self._wire.ask(method, url, limit=limit, body=body, **headers)
        except TooLarge as error:
            raise Unreachable(f"{self._wire.host} answers with more than can be read") from error
        if check:
            self._check(answer)
        return answer

    def _rows(self, answer: Answer) -> list[Row]:
        if answer.status != 207:
            raise Unreachable(f"{self._wire.host} answers with something that is no list (status {answer.status})")
        try:
            return parse_multistatus(answer.body)
        except Malformed as error:
            raise Unreachable(f"{self._wire.host} answers with something that is no list ({error})") from error

    def _check(self, answer: Answer) -> None:
        """Raise what a status means. In one place, so that every method takes it alike."""
        if not 200 <= answer.status < 300:
            self._fail(answer)

    def _fail(self, answer: Answer) -> NoReturn:
        host, status = self._wire.host, answer.status
        if status in (401, 403):
            raise AuthRefused(f"{host} refuses the name or the password, or there is no right to do this")
        if status in (404, 410):
            raise CalendarGone(f"there is no calendar at this address on {host}")
        if status in (409, 412):
            raise Conflict("something else stands there in the calendar, or it has changed meanwhile")
        if 300 <= status < 400:
            target = urlsplit(urljoin(self._url, answer.headers.get("Location", "")))
            where = f"{target.scheme}://{target.netloc}{target.path}"
            raise Unreachable(f"{host} sends on to {where}; give the calendar's present address")
        if 400 <= status < 500 and status not in (408, 423, 425, 429):
            raise Refused(f"{host} refuses this (status {status})")
        raise Unreachable(f"{host} can't answer for now (status {status})")


def _path(href: str) -> str:
    return unquote(urlsplit(href).path).rstrip("/")
