"""How commands speak: plain lines, or JSON with ``--json``.

What can't be done is one clear message and exit status 2.
"""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Concatenate, ParamSpec

import click
from flask import current_app
from sqlalchemy.exc import DBAPIError

from booking.errors import BookingError
from booking.services import Services
from booking.web.context import services

P = ParamSpec("P")


@dataclass(frozen=True)
class Answer:
    """What a command says: ``data`` for programs, ``lines`` for people."""

    data: object
    lines: Sequence[str]
    exit_status: int = 0


class CanNotBeDone(click.ClickException):
    """The message says what is wrong and what to do."""

    exit_code = 2


def answers(function: Callable[Concatenate[Services, P], Answer]) -> Callable[P, None]:
    """Make a command of a function that takes the services first and returns an :class:`Answer`."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = kwargs.pop("as_json")
        try:
            answer = function(services(current_app), *args, **kwargs)
        except BookingError as error:
            raise CanNotBeDone(str(error)) from error
        except DBAPIError as error:
            advice = "is it up to date? Run: flask --app wsgi db upgrade"
            raise CanNotBeDone(f"the database can't be used ({error.__cause__ or error}); {advice}") from error
        lines = [json.dumps(answer.data, ensure_ascii=False, indent=2, default=_plain)] if as_json else answer.lines
        for line in lines:
            click.echo(line)
        click.get_current_context().exit(answer.exit_status)

    return command


def owner_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--owner``."""
    return click.option("--owner", required=True, metavar="SLUG", help="Whose; see owner list.")(function)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
