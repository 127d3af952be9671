"""A link that is revoked while somebody acts through it: under the lock it leads nowhere any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.services import Services
from booking.settings import Settings
from booking.signing import LINK_FROM_MAIL, LINK_FROM_PAGE
from booking.store.database import Database
from booking.store.models import Call
from tests.conftest import build_services
from tests.fakes import Clock, MailBox, Server
from tests.web.visitors import Page, Visitor, dump

LATER = "2026-11-24T10:00:00Z"


class Interrupted(Database):
    """A database where somebody else comes first: right before the next transaction that writes."""

    meanwhile: Callable[[], None] | None = None

    @contextmanager
    def writing(self) -> Iterator[Session]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        with super().writing() as db:
            yield db


@pytest.fixture
def database(any_url: str) -> Iterator[Interrupted]:
    opened = Interrupted(any_url)
    yield opened
    opened.dispose()


@pytest.fixture
def services(
    settings: Settings, any_url: str, database: Interrupted, clock: Clock, mailbox: MailBox, server: Server
) -> Iterator[Services]:
    for built in build_services(replace(settings, database_url=any_url), clock, mailbox, server):
        yield replace(built, database=database)


def by_form(path: str, **typed: str) -> Callable[[Visitor, str], Callable[[], TestResponse]]:
    """Open the page of an action; what is returned sends its form."""

    def prepare(anna: Visitor, token: str) -> Callable[[], TestResponse]:
        form = anna.page(f"/c/{token}/{path}").post_form
        return lambda: anna.post(form.action, data={**form.fields, **typed})

    return prepare


def by_program(action: str, **body: Any) -> Callable[[Visitor, str], Callable[[], TestResponse]]:
    return lambda anna, token: lambda: anna.post(f"/api/v1/calls/{token}/{action}", json=body)


@pytest.mark.parametrize("purpose", [LINK_FROM_PAGE, LINK_FROM_MAIL])
@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(by_form("cancel"), id="cancel"),
        pytest.param(by_form("correct", phone="0151 23456789", email="eve@example.com"), id="correct"),
        pytest.param(by_form(f"move?start={LATER}"), id="move"),
        pytest.param(by_program("cancel"), id="cancel by API"),
        pytest.param(by_program("move", start=LATER), id="move by API"),
    ],
)
def test_what_comes_through_a_link_that_is_revoked_at_the_same_moment_is_404_and_changes_nothing(
    anna: Visitor, annas: Services, database: Interrupted, purpose: str, prepare: Any
) -> None:
    found = annas.signing.read_link(anna.token())
    assert found is not None
    send = prepare(anna, annas.signing.link_token(found.call_id, found.version, purpose))
    left: list[object] = []

    def revoke() -> None:
        with database.writing() as db:
            db.execute(sa.update(Call).values(link_version=Call.link_version + 1))
        left.append(calls(annas))

    database.meanwhile = revoke
    answer = send()
    assert answer.status_code == 404
    assert left == [calls(annas)]
    if answer.mimetype == "text/html":
        assert Page(answer.text).forms == []


def calls(services: Services) -> object:
    """Return every call with its history and what is to be told of it."""
    rows = dump(services)
    return [rows[name] for name in ("call", "call_change", "held_period", "job")]
