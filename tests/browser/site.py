"""An installation that answers on loopback, for a real browser; its clock is set to a Monday morning."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from booking.app import create_app
from booking.calendars.port import Unreachable
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.services import Services
from booking.settings import Settings
from booking.signing import Signing
from booking.store.database import Database
from booking.store.models import Call
from booking.store.vault import Vault
from booking.usecases.requests import decide
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import HOURS, add_calendar, add_call_type, add_installation, add_owner, wish
from tests.conftest import KEY
from tests.fakes import MONDAY, MailBox, Server, Tokens

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""How Chromium is started: it asks nobody anything."""
WISH = wish(MONDAY + timedelta(days=2, hours=2), locale="de")


class Site:
    """The installation; its time goes on from Monday, 9:00 in Berlin."""

    def __init__(self, folder: Path, port: int, database_url: str) -> None:
        self.began = time.monotonic()
        self.mailbox = MailBox()
        self.calendars = Server()
        self.url = f"http://127.0.0.1:{port}"
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            base_url=self.url,
            host="127.0.0.1",
            port=port,
            secret_keys=(KEY,),
            rate_limits=False,
        )
        self.services = Services(
            settings=settings,
            now=lambda: MONDAY + timedelta(seconds=time.monotonic() - self.began),
            token=Tokens(),
            database=Database(database_url),
            signing=Signing((KEY,)),
            vault=Vault((KEY,)),
            open_calendar=self.calendars.open,
            mail=self.mailbox,
        )
        for slug in ("silent", "unreachable"):
            self.calendars[f"/{slug}/calls/"].failing = Unreachable("away")
        with self.services.database.writing() as db:
            add_installation(db, self.services)
            _add_anna(db)
            _add_others(db)
        self.places = {"declined": self._declined(), "booked": self._booked()}
        """Addresses that only this installation knows, by their names."""

    def _declined(self) -> str:
        """Let a time be noted and, since no calendar answers, declined; return the address of its page."""
        ours = self.services
        with ours.database.writing() as db:
            call = book(db, house(ours), "silent", "call", WISH, ours.now(), in_doubt=True)
            assert call.answer_by is not None
            decide(db, house(ours), call.id, call.answer_by)
        return self._address(call)

    def _booked(self) -> str:
        """Book a call of the owner whose calendar was read a moment ago and fails now; return its page's address."""
        ours = self.services
        with ours.database.writing() as db:
            call = book(db, house(ours), "unreachable", "call", WISH, ours.now())
        return self._address(call)

    def _address(self, call: Call) -> str:
        return f"/c/{self.services.signing.link_token(call.id, call.link_version)}"


def _add_anna(db: Session) -> None:
    away = Absence((MONDAY + timedelta(days=9)).date(), (MONDAY + timedelta(days=10)).date(), "At a conference.")
    anna = add_owner(
        db,
        line="Texts that are read to the end",
        accent="#7a4a2b",
        caller_id="My number is withheld.",
        imprint="Anna Beispiel\nMusterweg 1, Berlin",
        timetable=Timetable(weekly=parse_weekly(HOURS), absences=(away,)),
    )
    add_call_type(db, anna, "first", name="First call", description="We get to know each other.")
    add_call_type(db, anna, "project", name="Project", minutes=60, who_calls="choice", position=1)
    add_call_type(db, anna, "question", name="Short question", minutes=15, who_calls="client", position=2)
    add_calendar(db, anna)


def _add_others(db: Session) -> None:
    """Owners in every other state a client can meet."""
    silent = add_owner(db, "silent", name="Silent Calendar")
    add_call_type(db, silent)
    add_calendar(db, silent, read_at=None)
    unreachable = add_owner(db, "unreachable", name="Unreachable Calendar")
    add_call_type(db, unreachable)
    add_calendar(db, unreachable)
    others: dict[str, dict[str, Any]] = {
        "full": {"name": "No Hours", "timetable": Timetable()},
        "fixed": {"name": "Fixed Times", "most_moves": 0},
        "neutral": {"name": "Neutral Practice", "discretion": "neutral"},
    }
    for slug, facts in others.items():
        add_call_type(db, add_owner(db, slug, **facts))
    asking = add_owner(db, "asking", name="Asking Everything")
    project: dict[str, Any] = {"minutes": 60, "lengths": "30 60 90", "languages": "de ru", "is_email_needed": False}
    add_call_type(db, asking, "project", name="Project", questions="note voicemail others text", **project)


@contextmanager
def open_site(folder: Path, template: Path) -> Iterator[Site]:
    """Serve a site from a copy of a migrated, empty database until the block ends."""
    path = folder / "site.db"
    path.write_bytes(template.read_bytes())
    with served(Flask("nothing yet")) as (server, port):
        site = Site(folder, port, f"sqlite:///{path}")
        server.app = create_app(site.services.settings, site.services)
        yield site
        site.services.database.dispose()


@contextmanager
def served(app: Flask) -> Iterator[tuple[Any, int]]:
    """Serve an app on loopback; yield the server and its port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, server.server_port
    finally:
        server.shutdown()
        thread.join()
