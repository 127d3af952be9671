"""The account: the address and the password that let its owner in, and the browsers that are logged in."""

import re
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email
from flask import Response, abort
from flask.typing import ResponseReturnValue
from wtforms import ValidationError
from wtforms.form import BaseForm

from booking.errors import ChangedMeanwhile
from booking.store.accounts import DeskSession
from booking.store.models import Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import door
from booking.web import pages
from booking.web.context import gettext, now, services
from booking.web.desk import entrance, passwords
from booking.web.desk.fields import Line
from booking.web.desk.proof import proved
from booking.web.desk.room import (
    DeskForm,
    acts,
    check_stamp,
    desk,
    done,
    note_of,
    page,
    session,
    signed_in,
    stamp,
)
from booking.web.forms import LONGEST_EMAIL

# What a browser calls itself, the more particular names first: Edge calls itself Chrome and Safari, too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X|Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class MailAddress(Line):
    """A mail address that mails can be sent to."""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no address, and write its domain as mail servers do."""
        super().pre_validate(form)
        try:
            found = validate_email(self.data, check_deliverability=False, allow_smtputf8=False, strict=True)
        except EmailNotValidError as error:
            raise ValidationError(gettext("Write an address such as name@example.org.")) from error
        self.data = found.ascii_email or found.normalized


class AddressForm(DeskForm):
    """Where the owner's mails go, which is also what the owner logs in with."""

    email = MailAddress(LONGEST_EMAIL, needed=True)


class PasswordForm(DeskForm):
    """A new password."""

    password = passwords.Secret()


@dataclass(frozen=True)
class Browser:
    """A browser that is logged in, in words."""

    public_id: str
    name: str
    since: pages.When
    seen: pages.When
    is_this: bool


@desk.get("/account")
def account() -> ResponseReturnValue:
    """Show how the owner comes in, and which browsers are logged in."""
    return _overview()


@desk.get("/account/address")
@proved
def address() -> ResponseReturnValue:
    """Show the form of the address."""
    email = signed_in().email
    return page("desk/address.html", form=AddressForm(formdata=None, data={"email": email, "stamp": stamp(email)}))


@desk.post("/account/address")
@acts
@proved
def change_address() -> ResponseReturnValue:
    """Change the address."""
    form = AddressForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        note = note_of("stale") if is_stale else ""
        return page("desk/address.html", 400 if is_stale else 422, form=form, note=note)
    try:
        with services().database.writing() as db:
            lock_owner(db, owner_id=signed_in().id)
            owner = door.find_owner(db, signed_in().id)
            saved = owner.email
            check_stamp(form, saved)
            owner.email = form.email.data
    except ChangedMeanwhile:
        form.stamp.data = stamp(saved)
        return page("desk/address.html", 409, form=form, note=note_of("changed"))
    return done(gettext("Your address is %(email)s from now on.", email=form.email.data), "desk.account")


@desk.get("/account/password")
@proved
def password() -> ResponseReturnValue:
    """Show the form of the password."""
    return page("desk/password.html", form=PasswordForm(formdata=None))


@desk.post("/account/password")
@acts
@proved
def change_password() -> ResponseReturnValue:
    """Change the password; every other browser is logged out."""
    form, owner = PasswordForm(), signed_in()
    if not form.validate() or not passwords.accepts(form.password, owner):
        is_stale = "csrf_token" in form.errors
        note = note_of("stale") if is_stale else ""
        return page("desk/password.html", 400 if is_stale else 422, form=form, note=note)
    password_hash = services().passwords.hash(form.password.data)
    with services().database.writing() as db:
        lock_owner(db, owner_id=owner.id)
        door.set_password(db, owner.id, password_hash, now(), keep=session().public_id)
    return done(gettext("Your new password is saved. All other browsers are logged out."), "desk.account")


@desk.post("/account/sessions/<public_id>")
@acts
def end_session(public_id: str) -> ResponseReturnValue:
    """Log one browser out; where it is this one, the log-in page follows."""
    if not DeskForm().validate():
        return _overview(400, note_of("stale"))
    with services().database.writing() as db:
        if not door.end_session(db, signed_in().id, public_id):
            abort(404)
    if public_id == session().public_id:
        return entrance.leave(gettext("You are logged out."))
    return done(gettext("That browser is logged out."), "desk.account")


@desk.post("/account/sessions")
@acts
def end_all_sessions() -> ResponseReturnValue:
    """Log every browser out, this one too."""
    if not DeskForm().validate():
        return _overview(400, note_of("stale"))
    with services().database.writing() as db:
        door.end_sessions(db, signed_in().id)
    return entrance.leave(gettext("You are logged out everywhere."))


def state_words(owner: Owner) -> str:
    """Say in a line how an owner comes in."""
    with services().database.reading() as db:
        found = door.find_account(db, owner.id)
    if not found.password_hash:
        return gettext("no password yet")
    return gettext("password, and a code besides") if found.totp_secret_encrypted else gettext("password only")


def browser_words(user_agent: str) -> str:
    """Say which browser on which system calls itself so; what it says may be a lie."""
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for pattern, name in _SYSTEMS if re.search(pattern, user_agent)), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or gettext("Unknown browser")


def _overview(status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    with services().database.reading() as db:
        rows = door.list_sessions(db, owner.id, now())
        found = door.find_account(db, owner.id)
    return page(
        "desk/account.html",
        status,
        form=DeskForm(),
        note=note,
        has_password=bool(found.password_hash),
        asks_code=bool(found.totp_secret_encrypted),
        codes_left=len(found.recovery_hashes),
        browsers=[_browser(row) for row in rows],
    )


def _browser(row: DeskSession) -> Browser:
    owner = signed_in()
    is_this = row.public_id == session().public_id
    since, seen = pages.when(row.created_at, owner), pages.when(now() if is_this else row.seen_at, owner)
    return Browser(row.public_id, browser_words(row.browser), since, seen, is_this)
