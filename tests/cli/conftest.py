"""A house with an owner, and the commands as an operator runs them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import Result

from booking.app import create_app
from booking.services import Services
from booking.settings import Settings
from tests.builders import add_calendar, add_call_type, add_owner


@dataclass(frozen=True)
class Operator:
    """Runs commands on one installation."""

    invoke: Callable[..., Result]

    def run(self, *words: str, stdin: str = "") -> str:
        """Run a command that succeeds; return what it says."""
        result = self.invoke(words, stdin)
        assert result.exit_code == 0, result.output
        return result.output

    def ask(self, *words: str) -> Any:
        """Run a command that succeeds with ``--json``; return its data."""
        return json.loads(self.run(*words, "--json"))

    def fail(self, *words: str, stdin: str = "") -> str:
        """Run a command that can't be done; return its message."""
        result = self.invoke(words, stdin)
        assert result.exit_code == 2, result.output
        assert result.output.startswith("Error: ")
        return result.output


def operator_of(settings: Settings, services: Services) -> Operator:
    runner = create_app(settings, services).test_cli_runner()
    return Operator(lambda words, stdin: runner.invoke(args=list(words), input=stdin))


@pytest.fixture
def operator(settings: Settings, services: Services) -> Operator:
    """The operator of an installation without owners."""
    return operator_of(settings, services)


@pytest.fixture
def anna(operator: Operator, services: Services) -> Operator:
    """The operator of an installation where Anna can be called."""
    with services.database.writing() as db:
        owner = add_owner(db)
        add_call_type(db, owner)
        add_calendar(db, owner)
    return operator
