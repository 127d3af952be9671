"""Anna at her desk, and Bert, who has one of his own on the same installation."""

import pytest
from flask import Flask

from booking.app import create_app
from booking.services import Services
from tests.desk.deskwork import Desk
from tests.web.visitors import open_house


@pytest.fixture
def house(services: Services) -> Services:
    """An installation with two owners, Anna and Bert; it is Monday, 9:00 in Berlin."""
    open_house(services)
    return services


@pytest.fixture
def app(house: Services) -> Flask:
    return create_app(house.settings, house)


@pytest.fixture
def desk(app: Flask) -> Desk:
    """Anna's browser, logged in."""
    return Desk(app, "anna")


@pytest.fixture
def berts_desk(app: Flask) -> Desk:
    """Bert's browser, logged in."""
    return Desk(app, "bert")
