"""The way in: the log-in page, which every page of the desk turns into for who is not logged in, and the way out."""

import contextlib
from datetime import timedelta
from typing import Any, Final

import flask
from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from wtforms import HiddenField

from booking.store.accounts import DeskSession
from booking.usecases import door, login
from booking.web import pages
from booking.web.context import gettext, link, now, services
from booking.web.desk import carried, passwords, room
from booking.web.desk.fields import Line
from booking.web.forms import LONGEST_EMAIL
from booking.web.guards import keeps_typed, seconds_to_wait

KNOWN: Final = "known"
"""Name of the cookie of a browser that was logged in before; it opens nothing."""
KNOWN_FOR: Final = timedelta(days=400)

bp = Blueprint("entrance", __name__, url_prefix="/desk")


class LoginForm(room.DeskForm):
    """Who comes in, and what was wanted before."""

    email = Line(LONGEST_EMAIL, needed=True)
    password = passwords.Secret()
    code = Line(40)
    next = HiddenField()
    carried = HiddenField()


@room.desk.before_request
def let_in() -> ResponseReturnValue | None:
    """Let only the owner in; everybody else gets the log-in form, with 401, which keeps what was typed."""
    found = room.find_visitor()
    if found is not None:
        room.check_origin()
        _note_seen(found)
        return None
    packed = carried.pack(_last_owner())
    wanted = {"next": carried.here() if request.method != "POST" else "", "carried": packed}
    if packed:
        note = gettext("You are not logged in any more. What you typed is kept: log in, then send it again.")
    else:
        note = gettext("You are not logged in any more.") if request.method == "POST" else ""
    return _form_page(LoginForm(formdata=None, data=wanted), 401, note)


@bp.get("/login")
def login_page() -> ResponseReturnValue:
    """Ask for mail address and password."""
    wanted = carried.safe_next(request.args.get("next", ""))
    if room.find_visitor() is not None:
        return redirect(wanted or link("desk.today"), 303)
    return _form_page(LoginForm(formdata=None, data={"next": wanted}))


@bp.post("/login")
@keeps_typed
def log_in() -> ResponseReturnValue:
    """Let the owner in who has the password, and the code where one is asked for; all that is wrong looks the same."""
    form = LoginForm()
    if seconds_to_wait():
        return _wait_page(form, timedelta(seconds=seconds_to_wait()))
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _form_page(form, 400 if is_stale else 422, room.note_of("stale") if is_stale else "")
    found = _find_owner(form.email.data, form.password.data, form.code.data)
    if isinstance(found, timedelta):
        return _wait_page(form, found)
    if found is None:
        return _form_page(form, 401, gettext("Address, password or code is not right."))
    return open_desk(found, carried.safe_next(form.next.data or ""), form.carried.data or "")


@room.desk.post("/logout")
@room.acts
def log_out() -> ResponseReturnValue:
    """End the session of this browser."""
    if not room.DeskForm().validate():
        return pages.error(400, stale_form=True)
    with services().database.writing() as db:
        door.end_session(db, room.signed_in().id, room.session().public_id)
    return leave(gettext("You are logged out."))


def open_desk(owner_id: int, wanted: str = "", packed: str = "") -> Response:
    """Begin a session with an id of its own, and lead to what was wanted, or offer what was typed once more."""
    ours = services()
    token, device = ours.token(), _known_device(owner_id) or ours.token()
    with ours.database.writing() as db:
        door.end_browser(db, request.cookies.get(room.cookie_name(), ""))
        door.open_session(db, owner_id, token, ours.token(), now(), browser=request.user_agent.string)
    with ours.database.reading() as db:
        g.desk = door.find_session(db, token, now())
    room.speak_to(g.desk.owner)
    _forget_browser()
    kept = carried.unpack(packed, owner_id)
    response = carried.offer(kept) if kept else flask.make_response(redirect(wanted or link("desk.today"), 303))
    _set_cookie(response, room.cookie_name(), token, door.AT_MOST)
    _set_cookie(response, _known_name(), ours.signing.seal(KNOWN, [owner_id, device]), KNOWN_FOR)
    return response


def leave(message: str) -> Response:
    """Lead a browser that was logged out to the log-in page."""
    _forget_browser()
    response = flask.make_response(room.done(message, "entrance.login_page"))
    response.delete_cookie(room.cookie_name(), secure=services().settings.is_https, httponly=True, samesite="Lax")
    return response


def _find_owner(email: str, password: str, code: str) -> int | timedelta | None:
    """Return who comes in, or how long to wait before the next attempt; ``None`` where anything is wrong.

    Nothing is hashed inside a transaction, and for an address that nobody has as much is hashed as for one. Where
    several owners have the address, a browser that one of them was logged in with is not counted for itself.
    """
    ours = services()
    with ours.database.reading() as db:
        known = login.candidates(db, email)
    is_shared = len(known) > 1
    device = _known_device(known[0].owner_id) if known and not is_shared else ""
    attempt = passwords.attempt_of(email, device)
    wait = passwords.begin(attempt)
    if wait:
        return wait
    right = [one for one in known or [login.Candidate(0, "")] if ours.passwords.matches(one.password_hash, password)]
    with ours.database.writing() as db:
        owner_id = login.let_in(db, ours.vault, attempt, right, code, now(), is_shared=is_shared)
    if owner_id is not None:
        _hash_anew(owner_id, right, password)
    return owner_id


def _hash_anew(owner_id: int, right: list[login.Candidate], password: str) -> None:
    """Replace a hash that was made with other numbers than today's."""
    ours = services()
    (old,) = (one.password_hash for one in right if one.owner_id == owner_id)
    if ours.passwords.is_outdated(old):
        new = ours.passwords.hash(password)
        with ours.database.writing() as db:
            login.replace_hash(db, owner_id, old, new)


def _form_page(form: LoginForm, status: int = 200, note: str = "") -> Response:
    return room.page("desk/login.html", status, form=form, note=note)


def _wait_page(form: LoginForm, wait: timedelta) -> Response:
    response = _form_page(form, 429, passwords.wait_words(wait))
    response.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return response


def _note_seen(found: DeskSession) -> None:
    """Note that a session is used, once an hour, so that it ends by itself only where it is not.

    The one thing a GET of the desk writes: no page looks different for it, and where the database is busy just then,
    the next request will do it.
    """
    if now() - found.seen_at >= door.SEEN_EVERY:
        with contextlib.suppress(OperationalError), services().database.writing() as db:
            door.note_seen(db, found, now())


def _last_owner() -> int | None:
    """Return who was logged in here last, as far as it is known."""
    with services().database.reading() as db:
        owner_id = door.owner_of(db, request.cookies.get(room.cookie_name(), ""))
    said = _read_known()
    return owner_id or (said[0] if said else None)


def _known_device(owner_id: int) -> str:
    """Return the id of a browser that this owner was logged in with before, or nothing."""
    said = _read_known()
    return str(said[1]) if said and said[0] == owner_id else ""


def _read_known() -> Any:
    return services().signing.unseal(KNOWN, request.cookies.get(_known_name(), ""))


def _known_name() -> str:
    return f"__Host-{KNOWN}" if services().settings.is_https else KNOWN


def _set_cookie(response: Response, name: str, value: str, lasts: timedelta) -> None:
    is_https = services().settings.is_https
    response.set_cookie(name, value, max_age=lasts, secure=is_https, httponly=True, samesite="Lax", path="/")


def _forget_browser() -> None:
    """Forget what Flask keeps for this browser: the forms that follow have a token of their own."""
    flask.session.clear()
    g.pop("csrf_token", None)
