"""A call is moved, and a real calendar does not take the new time: the old one is free all the same."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from booking import worker
from booking.calendars.guard import open_calendar
from booking.calendars.port import Calendar as Port
from booking.calendars.port import Resource
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.settings import Settings
from booking.store.models import Calendar, Call
from booking.usecases import calls
from booking.usecases.availability import load_offer
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import add_calendar, add_call_type, add_owner, wish
from tests.calendars.conftest import DavServer, Exchange, Scripted
from tests.calendars.conftest import scripted as scripted  # a fixture
from tests.conftest import build_services
from tests.fakes import Clock, MailBox, Server, event

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
THURSDAY = TUESDAY + timedelta(days=2)
HOUR = timedelta(hours=1)


class Between:
    """Hands requests on to a real server; writes can fail before it, or their answers on the way back."""

    def __init__(self, server: DavServer) -> None:
        self.server = server
        self.takes_writes = True
        self.loses_answers = False

    def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "PUT" and not self.takes_writes:
            exchange.answer(503)
            return
        with closing(http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)) as connection:
            headers = {name: value for name, value in exchange.headers.items() if name not in ("Host", "Connection")}
            connection.request(exchange.method, exchange.path, exchange.body.encode(), headers)
            answer = connection.getresponse()
            body = answer.read().decode()
        if self.loses_answers and exchange.method in ("PUT", "GET"):
            exchange.answer(503)
        else:
            etag = {"ETag": answer.headers["ETag"]} if "ETag" in answer.headers else {}
            exchange.answer(answer.status, body, type=answer.headers.get("Content-Type", ""), **etag)


@pytest.fixture
def between(dav_server: DavServer, scripted: Scripted) -> Between:
    scripted.script = between = Between(dav_server)
    return between


@pytest.fixture
def services(
    settings: Settings,
    any_url: str,
    clock: Clock,
    mailbox: MailBox,
    dav_server: DavServer,
    scripted: Scripted,
    between: Between,
    request: pytest.FixtureRequest,
) -> Iterator[Services]:
    where = replace(settings, database_url=any_url, caldav_allow=("127.0.0.1",))
    for faked in build_services(where, clock, mailbox, Server()):
        built = replace(faked, open_calendar=open_calendar)
        name = "".join(letter for letter in request.node.name if letter.isalnum())
        with built.database.writing() as db:
            owner = add_owner(db)
            add_call_type(db, owner)
            calendar = add_calendar(
                db,
                owner,
                url=f"{scripted.url}{dav_server.home}{name}/",
                username=dav_server.username,
                password_encrypted=built.vault.lock(dav_server.password),
            )
        with closing(built.calendar(calendar, 10)) as opened:
            opened.make("Calls")
        yield built


@pytest.fixture
def call(services: Services, clock: Clock) -> Call:
    """A call that stands in the calendar, and was read there."""
    with services.database.writing() as db:
        booked = book(db, house(services), "anna", "call", wish(TUESDAY), services.now())
    work(services, clock)
    return booked


def work(services: Services, clock: Clock) -> None:
    """Let some minutes pass, do what is due, and read the calendar."""
    clock.advance(timedelta(minutes=3))
    while worker.run_job(services):
        pass
    assert worker.read_calendar(services)


def move(services: Services, call: Call, start: datetime) -> None:
    with services.database.writing() as db:
        calls.move(db, call.id, start, Actor.CLIENT, services.now(), house(services))


def why_not(services: Services, start: datetime) -> str | None:
    with services.database.reading() as db:
        return load_offer(db, "anna", "call", services.now()).why_not(start)


@contextmanager
def own_program(services: Services, between: Between) -> Iterator[Port]:
    """Open the calendar as the owner's own program does, which nothing stands between."""
    with services.database.reading() as db:
        calendar = db.scalars(select(Calendar)).one()
    calendar.url = between.server.url + urlsplit(calendar.url).path
    with closing(services.calendar(calendar, 10)) as opened:
        yield opened


def add_dentist(services: Services, between: Between) -> None:
    with own_program(services, between) as opened:
        opened.put(opened.href_for("dentist"), event("dentist", THURSDAY, THURSDAY + HOUR), replaces=None)


def our_event(services: Services, between: Between) -> Resource:
    with own_program(services, between) as opened:
        (ours,) = [one for one in opened.changes({}).fetched if "X-SPRECHZEIT-CALL" in one.ics]
    return ours


def test_the_old_time_is_offered_while_the_calendar_refuses_the_new_one_and_afterwards(
    services: Services, clock: Clock, call: Call, between: Between
) -> None:
    move(services, call, TUESDAY + HOUR)
    add_dentist(services, between)
    between.takes_writes = False
    work(services, clock)
    assert f"DTSTART:{TUESDAY:%Y%m%dT%H%M%SZ}" in our_event(services, between).ics
    assert why_not(services, THURSDAY) == "busy"
    assert why_not(services, TUESDAY) is None
    between.takes_writes = True
    work(services, clock)
    assert f"DTSTART:{TUESDAY + HOUR:%Y%m%dT%H%M%SZ}" in our_event(services, between).ics
    assert why_not(services, TUESDAY) is None
    assert why_not(services, TUESDAY + HOUR) == "busy"


def test_no_earlier_time_blocks_where_one_write_was_done_unheard_and_the_next_one_failed(
    services: Services, clock: Clock, call: Call, between: Between
) -> None:
    move(services, call, TUESDAY + HOUR)
    between.loses_answers = True
    work(services, clock)
    between.loses_answers, between.takes_writes = False, False
    move(services, call, TUESDAY + 4 * HOUR)
    add_dentist(services, between)
    work(services, clock)
    assert f"DTSTART:{TUESDAY + HOUR:%Y%m%dT%H%M%SZ}" in our_event(services, between).ics
    assert why_not(services, THURSDAY) == "busy"
    assert [why_not(services, TUESDAY + hours * HOUR) for hours in (0, 1, 4)] == [None, None, "busy"]


def test_an_event_that_the_owner_moves_meanwhile_blocks_where_it_stands(
    services: Services, clock: Clock, call: Call, between: Between
) -> None:
    move(services, call, TUESDAY + HOUR)
    between.takes_writes = False
    work(services, clock)
    ours = our_event(services, between)
    with own_program(services, between) as opened:
        dragged = re.sub(r"(DTSTART|DTEND):20261124", r"\g<1>:20261126", ours.ics)
        opened.put(ours.href, dragged, replaces=ours.etag)
    work(services, clock)
    assert why_not(services, THURSDAY) == "busy"
    assert why_not(services, TUESDAY) is None
