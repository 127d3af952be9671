"""Connecting calendars: looked for on real servers, chosen, read, and handed over from one server to the other."""

import base64
import contextlib
import json
import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from booking.app import create_app
from booking.calendars.guard import open_calendar
from booking.calendars.names import Named, Record
from booking.services import Services
from booking.store.models import Calendar, PlacedEvent
from booking.worker import run_once
from tests.calendars.conftest import (
    DavServer,
    Exchange,
    Scripted,
    dav_server,
    radicale_server,
    scripted,
    xandikos_server,
)
from tests.desk.deskwork import Desk, Form, Page
from tests.fakes import Clock, event
from tests.web.visitors import TUESDAY, dump, open_house

__all__ = ["dav_server", "radicale_server", "scripted", "xandikos_server"]

CONNECT, CHOOSE, LIST = "/desk/calendars/connect", "/desk/calendars/choose", "/desk/calendars"
MINUTE = timedelta(minutes=1)


class Names:
    """A name service that a test fills."""

    def __init__(self) -> None:
        self.known: dict[str, Record] = {}

    def __call__(self, name: str) -> Named:
        return Named((self.known[name],)) if name in self.known else Named()


@pytest.fixture
def known_names() -> Names:
    return Names()


@pytest.fixture
def house(services: Services, known_names: Names) -> Services:
    """Anna and Bert, who have no calendars yet; calendar servers on this machine may be asked."""
    allowed = replace(services.settings, caldav_allow=("127.0.0.1",))
    open_house(services)
    with services.database.writing() as db:
        db.execute(delete(Calendar))
    return replace(services, settings=allowed, open_calendar=open_calendar, look_up=known_names)


@pytest.fixture
def app(house: Services) -> Flask:
    return create_app(house.settings, house)


def opened(server: DavServer, name: str) -> contextlib.closing:  # type: ignore[type-arg]
    return contextlib.closing(
        open_calendar(
            kind="caldav",
            url=server.calendar_url(name),
            username=server.username,
            password=server.password,
            allow=("127.0.0.1",),
            embedded_url=None,
            deadline=20,
        )
    )


@pytest.fixture
def names(dav_server: DavServer, services: Services) -> tuple[str, str]:
    """Two new calendars on the server, which are empty."""
    mark = str(time.monotonic_ns())
    made = (f"one{mark}", f"two{mark}")
    for name in made:
        with opened(dav_server, name) as calendar:
            calendar.make(name)
    return made


def look(desk: Desk, server: DavServer, **typed: str) -> Form:
    """Look for calendars, and return the form to choose from."""
    typed = {"address": server.url, "username": server.username, "password": server.password, **typed}
    answer = desk.send(CONNECT, CONNECT, **typed)
    assert answer.status_code == 200, answer.text
    return next(form for form in Page(answer.text).forms if form.action == CHOOSE)


def place_of(desk: Desk, services: Services, form: Form, name: str) -> str:
    """Return by which number a calendar of this name is chosen."""
    found = json.loads(services.vault.unlock(form.fields["sealed"]))["found"]
    return next(str(place) for place, each in enumerate(found) if each[1] == name)


def connect(
    desk: Desk, services: Services, server: DavServer, name: str, *, takes: bool = True, **typed: str
) -> Calendar:
    """Connect one calendar that blocks, and let it take the calls."""
    form = look(desk, server)
    place = place_of(desk, services, form, name)
    fields = {key: value for key, value in form.fields.items() if key not in ("blocks", "takes")}
    answer = desk.post(CHOOSE, data={**fields, "blocks": place, "takes": place if takes else "", **typed})
    assert answer.status_code == 303, answer.text
    with services.database.reading() as db:
        return db.scalars(select(Calendar).order_by(Calendar.id.desc()).limit(1)).one()


def work(services: Services) -> None:
    while run_once(services):
        pass


def stored(server: DavServer, name: str) -> list[str]:
    with opened(server, name) as calendar:
        return [resource.ics for resource in calendar.changes({}).fetched]


# Two steps


def test_a_calendar_is_found_chosen_and_read_at_once(
    desk: Desk, house: Services, dav_server: DavServer, names: tuple[str, str], clock: Clock
) -> None:
    with opened(dav_server, names[0]) as calendar:
        calendar.put(calendar.href_for("d"), event("d", TUESDAY, TUESDAY + 60 * MINUTE), replaces=None)
    row = connect(desk, house, dav_server, names[0])
    assert (row.url, row.name) == (dav_server.calendar_url(names[0]), names[0])
    assert (row.is_busy, row.takes_calls, row.next_read_at) == (True, True, None)
    assert house.vault.unlock(row.password_encrypted) == dav_server.password if row.password_encrypted else True
    assert "Connected, and being read right now." in desk.read(LIST)
    clock.advance(timedelta(seconds=1))
    work(house)
    assert "1 entry." in desk.read(LIST)
    assert TUESDAY not in desk.slots()
    assert TUESDAY + 60 * MINUTE in desk.slots()


def test_what_is_connected_already_is_not_offered_again(
    desk: Desk, house: Services, dav_server: DavServer, names: tuple[str, str]
) -> None:
    connect(desk, house, dav_server, names[0])
    form = look(desk, dav_server)
    answer = desk.post(CHOOSE, data={**form.fields, "blocks": place_of(desk, house, form, names[0]), "takes": ""})
    assert answer.status_code == 422
    with house.database.reading() as db:
        assert len(db.scalars(select(Calendar)).all()) == 1


def test_a_mail_address_is_enough_once_the_owner_agrees_to_the_server(
    desk: Desk, house: Services, radicale_server: DavServer, known_names: Names
) -> None:
    with opened(radicale_server, "by-mail") as calendar:
        calendar.make("By mail")
    port = int(radicale_server.url.rpartition(":")[2])
    known_names.known["_caldav._tcp.example.org"] = Record(0, 1, port, "127.0.0.1")
    answer = desk.send(CONNECT, CONNECT, address="anna@example.org", password=radicale_server.password)
    assert f"127.0.0.1:{port}" in answer.text
    assert radicale_server.password not in answer.text
    form = next(form for form in Page(answer.text).forms if form.action == CONNECT)
    answer = desk.post(CONNECT, data={**form.fields, "agreed": f"127.0.0.1:{port}"})
    assert "By mail" in answer.text
    chosen = next(form for form in Page(answer.text).forms if form.action == CHOOSE)
    place = place_of(desk, house, chosen, "By mail")
    desk.post(CHOOSE, data={**chosen.fields, "blocks": place, "takes": place})
    with house.database.reading() as db:
        row = db.scalars(select(Calendar)).one()
    assert (row.username, house.vault.unlock(row.password_encrypted)) == ("anna", radicale_server.password)


# Secrets


def test_the_password_is_in_no_page_and_in_no_log(
    desk: Desk, radicale_server: DavServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    typed = {"address": radicale_server.url, "username": "anna", "password": radicale_server.password}
    answers = [desk.send(CONNECT, CONNECT, **typed), desk.send(CONNECT, CONNECT, **{**typed, "address": "http://x y/"})]
    answers.append(desk.post(CONNECT, data={**typed, "csrf_token": "x"}))
    assert [answer.status_code for answer in answers] == [200, 422, 400]
    for answer in answers:
        assert radicale_server.password not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    assert radicale_server.password not in caplog.text


def test_what_was_sealed_for_one_browser_is_of_no_use_to_another(
    app: Flask, desk: Desk, berts_desk: Desk, house: Services, radicale_server: DavServer, clock: Clock
) -> None:
    with opened(radicale_server, "sealed") as calendar:
        calendar.make("Sealed")
    form = look(desk, radicale_server)
    other = Desk(app, "anna")
    for thief in (berts_desk, other):
        own = thief.form(CONNECT, CONNECT)
        answer = thief.post(CHOOSE, data={**form.fields, "blocks": "0", "csrf_token": own.fields["csrf_token"]})
        assert (answer.status_code, answer.location) == (303, CONNECT)
    clock.advance(timedelta(minutes=16))
    assert desk.post(CHOOSE, data={**form.fields, "blocks": "0"}).location == CONNECT
    with house.database.reading() as db:
        assert db.scalars(select(Calendar)).all() == []


def test_a_sealed_password_goes_to_no_other_address(desk: Desk, radicale_server: DavServer, scripted: Scripted) -> None:
    heads: list[dict[str, str]] = []

    def script(exchange: Exchange) -> None:
        heads.append(exchange.headers)
        exchange.answer(404)

    scripted.script = script
    form = look(desk, radicale_server)
    own = desk.form(CONNECT, CONNECT).fields
    desk.post(CONNECT, data={**own, "address": scripted.url, "username": "anna", "sealed": form.fields["sealed"]})
    basic = base64.b64encode(f"anna:{radicale_server.password}".encode()).decode()
    assert heads
    assert not any(basic in head.get("Authorization", "") for head in heads)


def test_a_forged_seal_is_nothing(desk: Desk, house: Services) -> None:
    own = desk.form(CONNECT, CONNECT).fields
    for text in ("", "x", house.vault.lock("[]"), house.vault.lock('{"for": [1, "x"]}'), house.vault.lock("no json")):
        assert desk.post(CHOOSE, data={**own, "sealed": text, "blocks": "0"}).status_code == 303
        assert desk.post(CONNECT, data={**own, "sealed": text, "address": "a b"}).status_code == 422


# What goes wrong


def test_a_refused_password_is_told_with_what_the_provider_asks_for(desk: Desk, radicale_server: DavServer) -> None:
    answer = desk.send(CONNECT, CONNECT, address=radicale_server.url, username="anna", password="wrong")
    assert answer.status_code == 422
    assert "The server refuses the name or the password." in answer.text
    assert "an app password" in answer.text
    assert f'value="{radicale_server.url}"' in answer.text


@pytest.mark.parametrize(
    "address", ["anna@gmail.com", "https://apidata.googleusercontent.com/caldav/v2/", "a@outlook.com"]
)
def test_a_provider_that_can_not_be_read_is_named_without_being_asked(desk: Desk, address: str) -> None:
    answer = desk.send(CONNECT, CONNECT, address=address, password="secret")
    assert answer.status_code == 422
    assert "does not let calendars be read by address and password" in answer.text


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "http://8.8.8.8/"]
)
def test_an_address_that_must_not_be_asked_is_refused_with_what_to_do(desk: Desk, address: str) -> None:
    answer = desk.send(CONNECT, CONNECT, address=address, password="secret")
    assert answer.status_code == 422
    assert "CALDAV_ALLOW" in answer.text


def test_a_server_that_hangs_holds_up_neither_the_owner_nor_the_clients(
    desk: Desk, scripted: Scripted, app: Flask
) -> None:
    """Two may wait for a server; whoever comes third is told so at once."""
    arrived = threading.Semaphore(0)

    def hang(exchange: Exchange) -> None:
        arrived.release()
        scripted.released.wait(30)
        exchange.hang_up()

    scripted.script = hang
    form = {**desk.form(CONNECT, CONNECT).fields, "address": scripted.url, "password": "x"}
    desks = [Desk(app, "anna") for _ in range(2)]
    forms = [{**each.form(CONNECT, CONNECT).fields, "address": scripted.url, "password": "x"} for each in desks]
    threads = [
        threading.Thread(target=each.post, args=(CONNECT,), kwargs={"data": data})
        for each, data in zip(desks, forms, strict=True)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert arrived.acquire(timeout=5)
    begun = time.monotonic()
    assert "Other calendars are being asked at the moment." in desk.post(CONNECT, data=form).text
    assert desk.get("/anna/call").status_code == 200
    assert time.monotonic() - begun < 6
    scripted.released.set()
    for thread in threads:
        thread.join(15)


def test_choosing_nothing_is_told_and_keeps_the_list(
    desk: Desk, radicale_server: DavServer, services: Services
) -> None:
    with opened(radicale_server, "chosen") as calendar:
        calendar.make("Chosen")
    form = look(desk, radicale_server)
    before = dump(services)
    fields = {key: value for key, value in form.fields.items() if key != "blocks"}
    answer = desk.post(CHOOSE, data={**fields, "takes": ""})
    assert (answer.status_code, "Chosen" in answer.text) == (422, True)
    for wrong in ({"blocks": "999"}, {"blocks": "0", "takes": "77"}):
        assert desk.post(CHOOSE, data={**fields, **wrong}).status_code == 422
    assert dump(services) == before


# One server hands over to the other


@pytest.fixture
def both(radicale_server: DavServer, xandikos_server: DavServer) -> tuple[tuple[DavServer, str], ...]:
    """An empty calendar on each of two servers."""
    name = f"both{time.monotonic_ns()}"
    servers = (radicale_server, xandikos_server)
    for server in servers:
        with opened(server, name) as calendar:
            calendar.make(name)
    return tuple((server, name) for server in servers)


@pytest.mark.parametrize("turn", [1, -1])
def test_the_calls_move_from_one_server_to_the_other_and_block_nothing_twice(
    desk: Desk, house: Services, both: tuple[tuple[DavServer, str], ...], clock: Clock, turn: int
) -> None:
    (old, name), (new, _) = both[::turn]
    connect(desk, house, old, name)
    clock.advance(MINUTE)
    work(house)
    assert desk.book(TUESDAY).status_code == 201
    work(house)
    clock.advance(3 * MINUTE)
    work(house)
    connect(desk, house, new, name, moves="yes")
    for _ in range(3):
        clock.advance(3 * MINUTE)
        work(house)
        with house.database.reading() as db:
            assert [len(row.busy) for row in db.scalars(select(Calendar))] == [0, 0]
    assert stored(old, name) == []
    (ics,) = stored(new, name)
    assert "X-SPRECHZEIT-CALL" in ics
    with house.database.reading() as db:
        placed = db.scalars(select(PlacedEvent)).one()
        assert db.get_one(Calendar, placed.calendar_id).url == new.calendar_url(name)
    assert TUESDAY + 60 * MINUTE in desk.slots()
