"""An owner with hours, a call type and a calendar, on both databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from booking.services import Services
from booking.settings import Settings
from booking.store.models import Calendar, Call
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, book
from tests.builders import add_calendar, add_call_type, add_owner
from tests.conftest import build_services
from tests.fakes import Clock, MailBox, Server

Book = Callable[[Wish], Call]


@pytest.fixture
def services(settings: Settings, any_url: str, clock: Clock, mailbox: MailBox, server: Server) -> Iterator[Services]:
    for built in build_services(replace(settings, database_url=any_url), clock, mailbox, server):
        with built.database.writing() as db:
            owner = add_owner(db)
            add_call_type(db, owner)
            add_calendar(db, owner)
        yield built


@pytest.fixture
def house(services: Services) -> House:
    return House(services.settings.base_url, services.signing, services.token)


@pytest.fixture
def book_one(services: Services, house: House) -> Book:
    def book_it(wished: Wish) -> Call:
        with services.database.writing() as db:
            db.execute(update(Calendar).values(read_at=services.now()))
        with services.database.writing() as db:
            return book(db, house, "anna", "call", wished, services.now())

    return book_it
