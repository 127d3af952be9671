"""Pictures of every page and state: ``.venv/bin/python -m tests.browser.screenshots FOLDER [PART OF A NAME]``.

Each in three languages, on a phone and on a wide screen, light and dark; and what is made for paper as printed.
The public pages come first, then the desk's, each of which is furnished anew.
"""

import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from booking.app import create_app
from booking.language import LANGUAGES
from booking.store.database import Database
from tests.browser.desk_site import furnish
from tests.browser.desk_tour import TOUR
from tests.browser.site import FLAGS, Site, open_site, served
from tests.browser.visits import PAGES, Visit, stay
from tests.conftest import CHROMIUM

WIDTHS = {360: 740, 1280: 800}
"""Width → height of the window."""
PRINTED = ("call", "times", "noted", "desk", "desk-one-call", "desk-recovery-codes", "desk-link", "desk-cards")
READS_A_MINUTE = 300


def take_all(folder: Path, part: str) -> int:
    """Take the pictures whose names hold ``part``; return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, _browser() as browser:
        empty = _empty(Path(data))
        _take_public_pages(browser, folder, part, empty)
        for name, (path, visit) in TOUR.items():
            for code in LANGUAGES if part in name else ():
                with tempfile.TemporaryDirectory() as own, open_site(Path(own), empty) as site:
                    places = furnish(site.services)
                    cookie = {"name": "desk", "value": places["session"], "url": site.url}
                    _take(browser, folder / _file(name, code), site.url + path.format(**places), code, visit, cookie)
    return len(list(folder.glob("*.png")))


def _take_public_pages(browser: Browser, folder: Path, part: str, empty: Path) -> None:
    with open_site(empty.parent, empty) as site:
        pages = {name: (site.url + path.format(**site.places), visit) for name, (path, visit) in PAGES.items()}
        with _failing(site) as failing:
            for name, (url, visit) in (pages | failing).items():
                for code in LANGUAGES if part in name else ():
                    _take(browser, folder / _file(name, code), url, code, visit)


def _file(name: str, code: str) -> str:
    return f"{name.replace(', ', '-').replace(' ', '-').replace(':', '')}-{code}"


def _take(browser: Browser, target: Path, url: str, code: str, visit: Visit, *cookies: Any) -> None:
    context = browser.new_context(locale=code, timezone_id="Europe/Berlin", reduced_motion="reduce")
    context.add_cookies(list(cookies))
    page = context.new_page()
    page.goto(url + ("&" if "?" in url else "?") + f"lang={code}")
    visit(page)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{target}-{width}-{scheme}.png", full_page=True)
    if target.name.removesuffix(f"-{code}") in PRINTED:
        _print(page, target)
    context.close()


def _print(page: Page, target: Path) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print", color_scheme="light")
    page.screenshot(path=f"{target}-print.png", full_page=True)


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def _failing(site: Site) -> Iterator[dict[str, tuple[str, Visit]]]:
    """Serve what goes wrong: an app whose limit is reached, and one whose database is away."""
    ours = site.services
    limited = replace(ours, settings=replace(ours.settings, rate_limits=True))
    away = replace(ours, database=Database(f"sqlite:///{ours.settings.data_dir}/away/none.db"))
    with (
        served(create_app(limited.settings, limited)) as (_, many),
        served(create_app(away.settings, away)) as (_, none),
    ):
        yield {
            "too many requests": (f"http://127.0.0.1:{many}/nobody", _ask_too_often),
            "unavailable": (f"http://127.0.0.1:{none}/anna", stay),
        }


def _ask_too_often(page: Page) -> None:
    for _ in range(READS_A_MINUTE + 1):
        try:
            urlopen(page.url)
        except HTTPError as error:
            error.close()
    page.reload()


def _empty(folder: Path) -> Path:
    path = folder / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.dispose()
    return path


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print(take_all(Path(sys.argv[1]), " ".join(sys.argv[2:])), "pictures")
