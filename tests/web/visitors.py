"""Who comes to the pages in tests: browsers and programs at any address, honest or not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking.services import Services
from booking.store.models import Base, Calendar
from tests.builders import add_calendar, add_call_type, add_owner

TUESDAY = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""Tuesday, 24 November 2026, 9:00 in Berlin: free in :func:`open_house`."""
HOME = "192.0.2.10"


def open_house(services: Services) -> None:
    """Add two owners, Anna and Bert, each with a call type of the same name and a calendar that was just read."""
    with services.database.writing() as db:
        for slug, name in (("anna", "Anna Beispiel"), ("bert", "Bert Beispiel")):
            owner = add_owner(db, slug, name=name)
            add_call_type(db, owner, "call", name=f"Call with {name}")
            add_call_type(db, owner, f"only-{slug}", who_calls="client")
            add_calendar(db, owner)


def keep_calendars_fresh(services: Services) -> None:
    """Let every calendar have been read just now."""
    with services.database.writing() as db:
        db.execute(sa.update(Calendar).values(read_at=services.now()))


def dump(services: Services) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with services.database.reading() as db:
        names = [table.name for table in Base.metadata.sorted_tables]
        return {name: sorted(map(repr, db.execute(sa.text(f"SELECT * FROM {name}")))) for name in names}  # noqa: S608


@dataclass
class Form:
    """A form of a page, with what its fields hold."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    """Where its buttons lead: its own action, and those that name another one."""


class Page(HTMLParser):
    """The forms, links and scripts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._text_of = self._list = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        self.links.extend(values[name] for name in ("href", "src", "action", "formaction") if values.get(name))
        if tag == "form":
            action = values.get("action", "")
            self.forms.append(Form(values.get("method", "get").lower(), action, actions=[action] if action else []))
        elif self.forms:
            self._field(tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_of = ""

    def handle_data(self, data: str) -> None:
        if self._text_of:
            self.forms[-1].fields[self._text_of] += data

    def _field(self, tag: str, values: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, values.get("name", "")
        if values.get("formaction"):
            self.forms[-1].actions.append(values["formaction"])
        if tag == "input" and name and (values.get("type") not in ("radio", "checkbox") or "checked" in values):
            fields[name] = values.get("value", "")
        elif tag == "textarea" and name:
            fields[name], self._text_of = "", name
        elif tag == "select":
            self._list = name
        elif tag == "option" and self._list and ("selected" in values or self._list not in fields):
            fields[self._list] = values.get("value", "")

    @property
    def post_form(self) -> Form:
        """The form that acts."""
        return next(form for form in self.forms if form.method == "post")


class Answer(TestResponse):
    """What was answered; its text as it is read: a space that must not be broken is a space."""

    @property
    def text(self) -> str:
        return super().text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")


class Visitor:
    """A browser, or a program, with cookies of its own, at one address."""

    def __init__(self, app: Flask, address: str = HOME) -> None:
        self.app = app
        self.services: Services = app.extensions["sprechzeit"]
        self.client = FlaskClient(app, Answer)
        self.address = address

    def open(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """Send one request, to the installation's own address."""
        how = {"base_url": self.services.settings.base_url, "environ_overrides": {"REMOTE_ADDR": self.address}, **how}
        return self.client.open(path, method=method, **how)

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.open(path, "GET", **how)

    def post(self, path: str, **how: Any) -> TestResponse:
        return self.open(path, "POST", **how)

    def page(self, path: str) -> Page:
        """Open a page that has to be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return Page(answer.text)

    def details(self, start: datetime = TUESDAY, /, owner: str = "anna", call_type: str = "call") -> Form:
        """Open the form of a call and wait as long as a human does."""
        form = self.page(f"/{owner}/{call_type}/book?start={start:%Y-%m-%dT%H:%M:%SZ}").post_form
        clock = self.services.now
        clock.advance(timedelta(seconds=3))  # type: ignore[attr-defined]
        return form

    def book_by_form(
        self, start: datetime = TUESDAY, /, owner: str = "anna", call_type: str = "call", **typed: str
    ) -> TestResponse:
        """Fill the form of a call and send it."""
        form = self.details(start, owner, call_type)
        return self.post(f"/{owner}/{call_type}/book", data={**form.fields, **person(), **typed})

    def book(
        self, start: datetime = TUESDAY, /, owner: str = "anna", call_type: str = "call", key: str = "", **typed: Any
    ) -> TestResponse:
        """Book through the JSON API."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"start": start.isoformat(), **person(), **typed}
        return self.post(f"/api/v1/{owner}/{call_type}/calls", json=body, headers=headers)

    def token(self, start: datetime = TUESDAY, /, owner: str = "anna", **typed: Any) -> str:
        """Book a call and return the token of its link."""
        answer = self.book(start, owner, **typed)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["manage_url"]).rpartition("/")[2]

    def slots(self, owner: str = "anna", call_type: str = "call", days: int = 62) -> list[datetime]:
        """Return what can be booked."""
        until = self.services.now() + timedelta(days=days - 1)
        answer = self.get(f"/api/v1/{owner}/{call_type}/slots?to={until:%Y-%m-%d}&tz=UTC")
        return [datetime.fromisoformat(slot["start"]) for slot in answer.get_json()["slots"]]

    def apart(self, count: int) -> list[datetime]:
        """Return so many starts that do not touch each other."""
        chosen: list[datetime] = []
        for start in self.slots():
            if not chosen or start - chosen[-1] >= timedelta(hours=1):
                chosen.append(start)
        assert len(chosen) >= count
        return chosen[:count]


def person(number: int = 1) -> dict[str, str]:
    """Return one of many people who never share an address or a number."""
    return {"name": f"Kim {number}", "email": f"kim{number}@example.com", "phone": f"+4917012{number:05}"}


def flipped(token: str) -> Iterator[str]:
    """Yield the token with each of its characters changed, in every one of its bits that stays a letter."""
    for place, letter in enumerate(token):
        for bit in range(7):
            other = chr(ord(letter) ^ (1 << bit))
            if other.isalnum() or other in "-_.":
                yield token[:place] + other + token[place + 1 :]
