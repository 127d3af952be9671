"""One-time links: the one that the operator hands out, and the one that is mailed to set a new password.

Opening such a link changes nothing, since mail scanners open every link; its button does.
"""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from booking.store.models import Owner
from booking.usecases import door, ways_in
from booking.web.context import gettext, link, now, services
from booking.web.desk import entrance, passwords, room
from booking.web.desk.fields import Line
from booking.web.forms import LONGEST_EMAIL
from booking.web.guards import keeps_typed, seconds_to_wait
from booking.web.own_link import refusal
from booking.web.reserving import house, origin_of

bp = Blueprint("one_time", __name__, url_prefix="/desk")


class AskForm(room.DeskForm):
    """Who has lost the password."""

    email = Line(LONGEST_EMAIL, needed=True)


class NewPasswordForm(room.DeskForm):
    """A new password."""

    password = passwords.Secret()


@bp.get("/in/<token>")
def door_page(token: str) -> ResponseReturnValue:
    """Show whose desk a link opens, and a button."""
    owner = _find_owner(ways_in.LOGIN, token)
    return _door_page(owner) if owner else _dead_page()


@bp.post("/in/<token>")
@keeps_typed
def open_door(token: str) -> ResponseReturnValue:
    """Use a link: it opens the desk and works no more."""
    owner = _find_owner(ways_in.LOGIN, token)
    if owner is None:
        return _dead_page()
    if seconds_to_wait():
        return _waiting(_door_page(owner, 429, refusal("often")))
    if not room.DeskForm().validate():
        return _door_page(owner, 400, room.note_of("stale"))
    with services().database.writing() as db:
        owner_id = ways_in.use(db, ways_in.LOGIN, _way_id(ways_in.LOGIN, token), now())
    if owner_id is None:
        return _dead_page()
    return entrance.open_desk(owner_id, link("desk.set_up") if owner.setup_step else "")


@bp.get("/reset")
def reset_page() -> ResponseReturnValue:
    """Ask for the address that a link is mailed to."""
    return _ask_page(AskForm(formdata=None))


@bp.post("/reset")
@keeps_typed
def ask_reset() -> ResponseReturnValue:
    """Mail a link to whoever has the address; the answer is the same where nobody has."""
    form = AskForm()
    if seconds_to_wait():
        return _waiting(_ask_page(form, 429, refusal("often")))
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _ask_page(form, 400 if is_stale else 422, room.note_of("stale") if is_stale else "")
    ours = services()
    with ours.database.writing() as db:
        ways_in.ask_reset(db, house(ours), form.email.data, origin_of(ours, request.remote_addr), now())
    sentence = gettext(
        "If a desk belongs to this address, a mail is on its way to it. The link in it works for an hour."
    )
    return room.done(sentence, "entrance.login_page")


@bp.get("/reset/<token>")
def new_password_page(token: str) -> ResponseReturnValue:
    """Ask for a new password."""
    owner = _find_owner(ways_in.RESET, token)
    return _password_page(owner, NewPasswordForm(formdata=None)) if owner else _dead_page()


@bp.post("/reset/<token>")
@keeps_typed
def set_password(token: str) -> ResponseReturnValue:
    """Use a mailed link: the password is a new one, and every session ends.

    Where a code is asked for besides, the mail alone does not open the desk.
    """
    owner, form = _find_owner(ways_in.RESET, token), NewPasswordForm()
    if owner is None:
        return _dead_page()
    if seconds_to_wait():
        return _waiting(_password_page(owner, form, 429, refusal("often")))
    if not form.validate() or not passwords.accepts(form.password, owner):
        is_stale = "csrf_token" in form.errors
        return _password_page(owner, form, 400 if is_stale else 422, room.note_of("stale") if is_stale else "")
    password_hash = services().passwords.hash(form.password.data)
    with services().database.writing() as db:
        owner_id = ways_in.use(db, ways_in.RESET, _way_id(ways_in.RESET, token), now())
        if owner_id is None:
            return _dead_page()
        door.set_password(db, owner_id, password_hash, now())
        asks_code = bool(door.find_account(db, owner_id).totp_secret_encrypted)
    if asks_code:
        return entrance.leave(gettext("Your new password is saved. Log in with it, and with a code."))
    return entrance.open_desk(owner_id)


def _way_id(purpose: str, token: str) -> str:
    return ways_in.read(services().signing, purpose, token) or ""


def _find_owner(purpose: str, token: str) -> Owner | None:
    """Return whose desk a link opens, and speak that owner's language; ``None`` for a used, old or forged one."""
    with services().database.reading() as db:
        owner = ways_in.find_owner(db, purpose, _way_id(purpose, token), now())
    if owner is not None:
        room.speak_to(owner)
    return owner


def _door_page(owner: Owner, status: int = 200, note: str = "") -> Response:
    return room.page("desk/one_time.html", status, form=room.DeskForm(), whose=owner, note=note)


def _ask_page(form: AskForm, status: int = 200, note: str = "") -> Response:
    return room.page("desk/reset.html", status, form=form, note=note)


def _password_page(owner: Owner, form: NewPasswordForm, status: int = 200, note: str = "") -> Response:
    return room.page("desk/new_password.html", status, form=form, whose=owner, note=note)


def _dead_page() -> Response:
    """Say what to do: a used link, an old one and a forged one look alike."""
    return room.page("desk/dead_link.html", 404)


def _waiting(response: Response) -> Response:
    response.headers["Retry-After"] = str(seconds_to_wait())
    return response
