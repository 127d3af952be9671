"""Asking for the password once more before what is sensitive: what a borrowed browser must not be able to do.

``@proved`` stands directly above such a view, below the route and ``@acts``. For half an hour after a log-in, a
one-time link or the last proof nobody is asked. What was typed into a form is kept.
"""

from functools import wraps
from typing import Any, cast

from flask import Response, redirect
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from booking.usecases import door, login
from booking.web.context import gettext, link, now, services
from booking.web.desk import carried, passwords, room


class ProofForm(room.DeskForm):
    """The password, and what was wanted before."""

    password = passwords.Secret()
    next = HiddenField()
    carried = HiddenField()


def proved(view: room.View) -> room.View:
    """Let a view be reached only with a fresh proof; else ask for the password, then lead back."""

    @wraps(view)
    def guarded(*args: Any, **values: Any) -> ResponseReturnValue:
        if door.is_proved(room.session(), now()):
            return view(*args, **values)
        wanted = {"next": carried.back(), "carried": carried.pack(room.signed_in().id)}
        return _page(ProofForm(formdata=None, data=wanted))

    return cast(room.View, guarded)


@room.desk.post("/prove")
@room.acts
def prove() -> ResponseReturnValue:
    """Take the password, and lead back to what was wanted."""
    form, owner = ProofForm(), room.signed_in()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _page(form, 400 if is_stale else 422, room.note_of("stale") if is_stale else "")
    attempt = passwords.attempt_of(owner.email, room.session().public_id)
    wait = passwords.begin(attempt)
    if wait:
        response = _page(form, 429, passwords.wait_words(wait))
        response.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
        return response
    with services().database.reading() as db:
        password_hash = door.find_account(db, owner.id).password_hash
    if not services().passwords.matches(password_hash, form.password.data):
        form.password.errors = [gettext("This is not your password.")]
        return _page(form, 422)
    with services().database.writing() as db:
        login.succeed(db, attempt)
        door.prove(db, room.session(), now())
    kept = carried.unpack(form.carried.data or "", owner.id)
    return carried.offer(kept) if kept else redirect(carried.safe_next(form.next.data or "") or link("desk.today"), 303)


def _page(form: ProofForm, status: int = 200, note: str = "") -> Response:
    with services().database.reading() as db:
        has_password = bool(door.find_account(db, room.signed_in().id).password_hash)
    return room.page("desk/proof.html", status, form=form, note=note, has_password=has_password)
