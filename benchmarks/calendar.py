"""Reading a real calendar server, against that server's own time for the same bytes."""

import contextlib
import http.client
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from lxml import etree
from sqlalchemy import delete, select, update

from benchmarks.house import TYPE, events, open_house
from benchmarks.servers import radicale
from benchmarks.table import Line, compare
from booking import worker
from booking.calendars.caldav import BATCH, LIST, MULTIGET
from booking.rules.period import Timeline
from booking.services import Services
from booking.store.models import Calendar, CalendarResource
from booking.usecases import calendars, setup

OWNER, AT_MOST = "anna", 3.0


@contextlib.contextmanager
def calendar_house(folder: Path, count: int) -> Iterator[tuple[Services, "Raw"]]:
    """Yield an installation whose owner has so many events on a real server, none of them read yet."""
    services, _ = open_house(folder)
    with services.database.writing() as db:
        setup.add_owner(db, setup.NewOwner(OWNER, "Anna Beispiel", "anna@example.org", "Europe/Berlin", "en", "DE"))
        setup.add_call_type(db, OWNER, setup.NewCallType(slug=TYPE, name="First call", minutes=30))
        new = calendars.embedded_calendar(db, OWNER, services.vault, services.token)
        calendars.add_calendar(db, OWNER, new, services.vault)
    with radicale(services.settings, {new.username: new.password}) as settings:
        services = replace(services, settings=settings)
        with services.database.reading() as db:
            row = calendars.list_calendars(db)[0]
        with contextlib.closing(services.calendar(row, 30)) as calendar:
            calendar.make("calls")
        # Written where the server keeps them: 5,000 requests would take longer than everything that is measured.
        kept = settings.radicale_dir / "collections" / "collection-root" / new.url.strip("/")
        for event in events(services.now(), count):
            (kept / f"event-{event.number}.ics").write_text(event.ics(), newline="")
        yield services, Raw(f"{settings.embedded_calendar_url}{new.url}", new.username, new.password)
    services.database.dispose()


class Raw:
    """The same questions without understanding the answers: what the server itself needs."""

    def __init__(self, url: str, username: str, password: str) -> None:
        """Take the address of the calendar."""
        self._url = urlsplit(url)
        secret = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/xml"}

    def listing(self) -> bytes:
        """Ask for every ETag."""
        with contextlib.closing(self._connect()) as connection:
            return self._ask(connection, "PROPFIND", LIST, "1")

    def everything(self, hrefs: list[str]) -> None:
        """Ask for every ETag, then for every object."""
        with contextlib.closing(self._connect()) as connection:
            self._ask(connection, "PROPFIND", LIST, "1")
            for first in range(0, len(hrefs), BATCH):
                rows = "".join(f"<D:href>{href}</D:href>" for href in hrefs[first : first + BATCH])
                self._ask(connection, "REPORT", MULTIGET % rows, "0")

    def hrefs(self) -> list[str]:
        """Return the address of every object."""
        found = [element.text or "" for element in etree.fromstring(self.listing()).iter("{DAV:}href")]
        return [href for href in found if href.endswith(".ics")]

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=120)

    def _ask(self, connection: http.client.HTTPConnection, method: str, body: str, depth: str) -> bytes:
        connection.request(method, self._url.path, body.encode(), {**self._headers, "Depth": depth})
        answer = connection.getresponse()
        if answer.status != 207:
            raise SystemExit(f"the calendar server answers with {answer.status}")
        return answer.read()


def measure(folder: Path, *, count: int, rounds: int) -> Iterator[Line]:
    """Measure the first reading of so many events, and one that finds nothing new."""
    first: list[float] = []
    first_raw: list[float] = []
    again: list[float] = []
    again_raw: list[float] = []
    with calendar_house(folder / "calendar", count) as (services, raw):
        raw.everything(raw.hrefs())  # the server makes its own cache
        hrefs = raw.hrefs()
        for _ in range(rounds):
            first_raw.append(_timed(lambda: raw.everything(hrefs)))
            _forget(services)
            first.append(_timed(lambda: _read(services)))
            for _ in range(3):
                again_raw.append(_timed(raw.listing))
                _make_due(services)
                again.append(_timed(lambda: _read(services)))
        _check(services, count)
    yield compare(f"first reading of {count:,} events (Radicale)", first, "the server's own time", first_raw, AT_MOST)
    what = f"refresh of {count:,} unchanged events (Radicale)"
    yield compare(what, again, "the server's own time", again_raw, AT_MOST)
    ours = [mine - theirs for mine, theirs in zip(again, again_raw, strict=True)]
    yield Line("refresh, our own part", f"{median(ours) * 1e3:.0f} ms")


def _timed(step: object) -> float:
    began = time.perf_counter()
    step()  # type: ignore[operator]
    return time.perf_counter() - began


def _read(services: Services) -> None:
    if not worker.read_calendar(services):
        raise SystemExit("no calendar was due")


def _make_due(services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(next_read_at=None))


def _forget(services: Services) -> None:
    nothing = {"busy": Timeline.of([]), "read_at": None, "covered_until": None, "expanded_with": ""}
    with services.database.writing() as db:
        db.execute(delete(CalendarResource))
        db.execute(update(Calendar).values(next_read_at=None, **nothing))


def _check(services: Services, count: int) -> None:
    with services.database.reading() as db:
        calendar = db.scalars(select(Calendar)).one()
        if calendar.last_error or len(db.scalars(select(CalendarResource.href)).all()) != count:
            raise SystemExit(f"not everything was read: {calendar.last_error}")
