"""Addresses with a null character, which PostgreSQL refuses in any text, name nothing."""

from dataclasses import replace

import pytest
from flask import Flask

from booking.app import create_app
from booking.services import Services
from booking.settings import Settings
from tests.desk.deskwork import Desk
from tests.web.routes import filled, routes
from tests.web.visitors import open_house

pytestmark = pytest.mark.postgres


@pytest.fixture
def settings(settings: Settings, own_postgres_url: str) -> Settings:
    return replace(settings, database_url=own_postgres_url, rate_limits=False)


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_with_a_null_character_leads_anywhere(app: Flask, method: str) -> None:
    desk = Desk(app, "anna")
    places = dict.fromkeys(("owner", "call_type", "token", "call_id", "message_id", "public_id", "day"), "a%00b")
    paths = [filled(path, **places) for path in routes(app, method)]
    named = [path for path in paths if "a%00b" in path]
    assert len(named) > 10
    for path in named:
        assert desk.open(path, method).status_code == 404, path


def test_a_null_character_finds_no_call(app: Flask) -> None:
    desk = Desk(app, "anna")
    assert "Nothing was found." in desk.read("/desk/calls?q=a%00b")
    assert desk.get("/desk/calls/new?of=a%00b").status_code == 404
