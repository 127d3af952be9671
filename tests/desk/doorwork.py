"""Anna at her door: an account, browsers that log in, and the answers they get."""

from dataclasses import replace
from typing import Any

import pyotp
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from booking.services import Services
from booking.store.accounts import Account, DeskSession
from booking.store.models import Owner
from booking.usecases import door, second_factor
from tests.web.visitors import Page, Visitor

PASSWORD = "four plain words apart"
NEW_PASSWORD = "another four plain words"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ANNA = "anna@example.org"
FAR = "198.51.100.7"


def give_password(services: Services, slug: str = "anna", password: str = PASSWORD) -> int:
    """Give an owner a password; return the owner's id."""
    with services.database.writing() as db:
        owner_id = db.scalars(sa.select(Owner.id).where(Owner.slug == slug)).one()
        account = door.find_account(db, owner_id)
        account.password_hash = services.passwords.hash(password)
        db.add(account)
    return owner_id


def turn_codes_on(services: Services, owner_id: int) -> list[str]:
    """Let codes of :data:`SECRET` be asked for; return the recovery codes."""
    with services.database.writing() as db:
        account = db.get_one(Account, owner_id)
        return second_factor.turn_on(account, services.vault, SECRET, 0, services.token)


def code(services: Services, steps: int = 0) -> str:
    """Return the code of now, or of so many steps away."""
    return pyotp.TOTP(SECRET).at(services.now(), counter_offset=steps)


def log_in(visitor: Visitor, email: str = ANNA, password: str = PASSWORD, **typed: str) -> TestResponse:
    """Fill the form of the log-in page and send it, as a browser that is not logged in."""
    visitor.client.delete_cookie("__Host-desk", domain="calls.example.org")
    form = visitor.page("/desk/login").post_form
    return visitor.post("/desk/login", data={**form.fields, "email": email, "password": password, **typed})


def send(visitor: Visitor, answer: TestResponse, path: str = "", **typed: str) -> TestResponse:
    """Send the first form of a page that was answered."""
    form = Page(answer.text).post_form
    return visitor.post(form.action or path, data={**form.fields, **typed})


def log_out(visitor: Visitor) -> TestResponse:
    """Press the button in the head of the desk."""
    (form,) = (form for form in visitor.page("/desk/account").forms if form.action == "/desk/logout")
    return visitor.post("/desk/logout", data=form.fields)


def sessions(services: Services) -> list[DeskSession]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(DeskSession).order_by(DeskSession.created_at)))


def account(services: Services, slug: str = "anna") -> Account:
    with services.database.reading() as db:
        owner_id = db.scalars(sa.select(Owner.id).where(Owner.slug == slug)).one()
        return door.find_account(db, owner_id)


def cookies(answer: TestResponse) -> dict[str, str]:
    """Return the cookies that an answer sets, whole."""
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def stranger(app: Flask, number: int = 0) -> Visitor:
    return Visitor(app, f"203.0.113.{number}")


def with_services(services: Services, **changes: Any) -> Services:
    return replace(services, **changes)
