"""Fields and sentences about passwords, and counting how often one was tried."""

from datetime import timedelta
from typing import Any

from flask import request
from wtforms import StringField, ValidationError
from wtforms.form import BaseForm

from booking.store.models import Owner
from booking.usecases import login, passwords
from booking.web.context import gettext, ngettext, now, services
from booking.web.reserving import origin_of


class Secret(StringField):  # type: ignore[misc]
    """A password: not a letter of it is changed, and no page shows it again."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed as it is."""
        self.data = valuelist[0] if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse an empty one."""
        if not self.data:
            raise ValidationError(gettext("This is needed."))


def accepts(field: Any, owner: Owner) -> bool:
    """Say whether an owner may take what was typed as a new password; if not, say at the field what to do."""
    problem = passwords.find_problem(field.data, owner)
    if problem is not None:
        field.errors = [*field.errors, _problem_words(problem)]
    return problem is None


def _problem_words(problem: passwords.Problem) -> str:
    words = {
        passwords.Problem.SHORT: ngettext(
            "Take at least %(num)s letter.", "Take at least %(num)s letters.", passwords.SHORTEST
        ),
        passwords.Problem.LONG: ngettext(
            "Take at most %(num)s letter.", "Take at most %(num)s letters.", passwords.LONGEST
        ),
        passwords.Problem.GUESSABLE: gettext(
            "This one is easy to guess. Take four words that have nothing to do with each other,"
            " or one that your browser suggests."
        ),
    }
    return words[problem]


def begin(attempt: login.Attempt) -> timedelta:
    """Count an attempt, or return how long to wait."""
    with services().database.writing() as db:
        return login.begin(db, attempt, now())


def attempt_of(email: str, device: str) -> login.Attempt:
    """Return what an attempt with an address is counted by; ``device`` is a browser we know, or nothing."""
    ours = services()
    by = f"device.{device}" if device else f"network.{origin_of(ours, request.remote_addr)}"
    hashed = ours.signing.keyed_hash
    return login.Attempt(hashed("login", email.lower()), hashed("login", by))


def wait_words(wait: timedelta) -> str:
    """Say how long to wait before the next attempt, and what works at once."""
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 60:
        soon = ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", seconds)
    else:
        soon = ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", -(-seconds // 60))
    return " ".join((gettext("There were many attempts."), soon, gettext("A new password by mail works at once.")))
