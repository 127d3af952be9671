"""An owner's browser: logged in, opening pages of the desk and sending their forms."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from booking.store.models import Owner
from booking.usecases.door import open_session
from tests.web.visitors import Form, Page, Visitor


class Desk(Visitor):
    """A browser that is logged in as one owner."""

    def __init__(self, app: Flask, owner: str) -> None:
        super().__init__(app)
        self.owner = owner
        token = self.services.token()
        with self.services.database.writing() as db:
            owner_id = db.scalars(sa.select(Owner.id).where(Owner.slug == owner)).one()
            now = self.services.now()
            open_session(db, owner_id, token, self.services.token(), now, browser="Test")
        host = urlsplit(self.services.settings.base_url).hostname or ""
        name = "__Host-desk" if self.services.settings.is_https else "desk"
        self.client.set_cookie(name, token, domain=host, secure=self.services.settings.is_https)

    def form(self, path: str, action: str = "") -> Form:
        """Return the form of a page that leads to ``action``; without it, the first one that acts."""
        forms = [form for form in self.page(path).forms if form.method == "post"]
        return next(form for form in forms if form.action.partition("?")[0] == action) if action else forms[0]

    def send(self, path: str, action: str = "", **typed: str) -> TestResponse:
        """Open a page, change what its form holds and send it."""
        form = self.form(path, action)
        return self.post(form.action or path, data={**form.fields, **typed})

    def names(self, path: str) -> set[str]:
        """Return the names of all fields of a page, ticked or not."""
        fields = ("input", "select", "textarea", "button")
        return {values.get("name", "") for tag, values in self.page(path).tags if tag in fields}

    def read(self, path: str) -> str:
        """Return the text of a page that has to be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text


__all__ = ["Desk", "Form", "Page"]
