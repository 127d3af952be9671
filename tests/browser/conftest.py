"""A real Chromium in front of a real server: the app on loopback, its clock set to a Monday morning."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from werkzeug.serving import make_server

from booking.app import create_app
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.services import Services
from booking.settings import Settings
from booking.signing import Signing
from booking.store.database import Database
from booking.store.vault import Vault
from tests.builders import HOURS, add_calendar, add_call_type, add_installation, add_owner
from tests.conftest import CHROMIUM, KEY
from tests.fakes import MONDAY, MailBox, Server, Tokens

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Site:
    """An installation that answers on loopback; its time goes on from Monday, 9:00 in Berlin."""

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
        with self.services.database.writing() as db:
            add_installation(db, self.services)
            away = Absence(
                (MONDAY + timedelta(days=9)).date(), (MONDAY + timedelta(days=10)).date(), "At a conference."
            )
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
            silent = add_owner(db, "silent", name="Silent Calendar")
            add_call_type(db, silent)
            add_calendar(db, silent, read_at=None)
            full = add_owner(db, "full", name="No Hours", timetable=Timetable())
            add_call_type(db, full)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    path = folder / "site.db"
    path.write_bytes(sqlite_template.read_bytes())
    server = make_server("127.0.0.1", 0, Flask("nothing yet"), threaded=True)
    built = Site(folder, server.server_port, f"sqlite:///{path}")
    server.app = create_app(built.services.settings, built.services)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield built
    server.shutdown()
    thread.join()
    built.services.database.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[OpenPage]:
    """Open a page in a fresh browser profile; what its scripts complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_it(path: str, **options: object) -> Page:
        shape = {"viewport": {"width": 360, "height": 740}, "locale": "en-GB", "timezone_id": "Europe/Berlin"}
        context = browser.new_context(base_url=site.url, **{**shape, **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text) if line.type == "error" and "status of" not in line.text else None
            ),
        )
        page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(site.url) else None)
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def _note_complaints(page: Page, own: str, complaints: list[str]) -> None:
    """Note every script error, and every request that goes anywhere else."""

    def on_console(line: ConsoleMessage) -> None:
        if line.type == "error" and "the server responded with a status of" not in line.text:
            complaints.append(line.text)

    def on_request(asked: Request) -> None:
        if not asked.url.startswith(own):
            complaints.append(f"a request to {asked.url}")

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", on_console)
    page.on("request", on_request)
