"""Codes besides the password: turning them on with an authenticator, recovery codes, turning them off."""

import re
from typing import Final

import segno
from flask import Response
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from booking.store.accounts import Account
from booking.store.owner_lock import lock_owner
from booking.usecases import door, second_factor
from booking.web.context import gettext, now, services
from booking.web.desk.fields import Line
from booking.web.desk.proof import proved
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in

SEALED_FOR: Final = "second-factor"


class CodeForm(DeskForm):
    """The code that an authenticator shows; ``secret`` is what it was given to make it, sealed."""

    code = Line(20, needed=True)
    secret = HiddenField()


@desk.get("/account/codes")
@proved
def codes() -> ResponseReturnValue:
    """Show how to turn codes on, or what can be done about them."""
    found = _account()
    if found.totp_secret_encrypted:
        return page("desk/codes_on.html", form=DeskForm(), codes_left=len(found.recovery_hashes))
    if not found.password_hash:
        return done(gettext("Choose a password first; codes are asked for besides it."), "desk.password")
    secret = second_factor.new_secret(services().token)
    return _turn_on_page(CodeForm(formdata=None, data={"secret": _seal(secret)}), secret)


@desk.post("/account/codes")
@acts
@proved
def turn_codes_on() -> ResponseReturnValue:
    """Ask for codes from now on, once one was right. The recovery codes are shown in the answer: never again."""
    form = CodeForm()
    secret = _unseal(form.secret.data or "") or second_factor.new_secret(services().token)
    form.secret.data = _seal(secret)
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _turn_on_page(form, secret, 400 if is_stale else 422, note_of("stale") if is_stale else "")
    step = second_factor.step_of(secret, form.code.data, now())
    if step is None:
        form.code.errors = [gettext("This code does not fit. Check the clock of your phone, then type the next code.")]
        return _turn_on_page(form, secret, 422)
    with services().database.writing() as db:
        lock_owner(db, owner_id=signed_in().id)
        found = door.find_account(db, signed_in().id)
        if found.totp_secret_encrypted or not found.password_hash:
            return done(gettext("Nothing has been changed."), "desk.codes")
        recovery = second_factor.turn_on(found, services().vault, secret, step, services().token)
    return page("desk/recovery.html", codes=recovery)


@desk.post("/account/codes/recovery")
@acts
@proved
def renew_recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them once; the old ones are void."""
    if not DeskForm().validate():
        return page("desk/codes_on.html", 400, form=DeskForm(), note=note_of("stale"))
    with services().database.writing() as db:
        lock_owner(db, owner_id=signed_in().id)
        found = door.find_account(db, signed_in().id)
        if not found.totp_secret_encrypted:
            return done(gettext("Nothing has been changed."), "desk.codes")
        recovery = second_factor.renew_recovery_codes(found, services().token)
    return page("desk/recovery.html", codes=recovery, is_renewed=True)


@desk.post("/account/codes/off")
@acts
@proved
def turn_codes_off() -> ResponseReturnValue:
    """Ask for the password alone from now on."""
    if not DeskForm().validate():
        return page("desk/codes_on.html", 400, form=DeskForm(), note=note_of("stale"))
    with services().database.writing() as db:
        lock_owner(db, owner_id=signed_in().id)
        second_factor.turn_off(door.find_account(db, signed_in().id))
    return done(gettext("No code is asked for any more."), "desk.account")


def _account() -> Account:
    with services().database.reading() as db:
        return door.find_account(db, signed_in().id)


def _turn_on_page(form: CodeForm, secret: str, status: int = 200, note: str = "") -> Response:
    address = second_factor.address_of(secret, signed_in().email)
    groups = " ".join(re.findall(".{1,4}", secret))
    return page("desk/codes.html", status, form=form, note=note, picture=_picture(address), key=groups, address=address)


def _picture(text: str) -> str:
    """Return a QR code as an address that holds the picture: it never was a file, and needs no route."""
    return str(segno.make(text, error="m").svg_data_uri(scale=5, light="#fff"))


def _seal(secret: str) -> str:
    return services().signing.seal(SEALED_FOR, [signed_in().id, secret])


def _unseal(text: str) -> str | None:
    said = services().signing.unseal(SEALED_FOR, text)
    return str(said[1]) if said and said[0] == signed_in().id else None
