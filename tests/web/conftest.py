"""Anna's house for the pages: three call types, a calendar that was just read, and somebody who visits."""

import pytest
from flask import Flask

from booking.app import create_app
from booking.services import Services
from tests.builders import add_calendar, add_call_type, add_owner
from tests.web.visitors import Visitor


@pytest.fixture
def annas(services: Services) -> Services:
    """An installation with one owner, Anna, whom clients call, who calls clients, or as they choose."""
    with services.database.writing() as db:
        owner = add_owner(db, line="Texts that are read.", caller_id="I ring from +49 30 901820.")
        add_call_type(db, owner, "call", name="First call", description="We get to know each other.")
        add_call_type(db, owner, "text", name="About a text", who_calls="choice", position=1)
        add_call_type(db, owner, "short", name="Short question", minutes=15, who_calls="client", position=2)
        add_calendar(db, owner)
    return services


@pytest.fixture
def app(annas: Services) -> Flask:
    return create_app(annas.settings, annas)


@pytest.fixture
def anna(app: Flask) -> Visitor:
    """Somebody at Anna's pages."""
    return Visitor(app)
