"""A real Chromium in front of a real server: the app on loopback, its clock set to a Monday morning."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.desk_site import furnish
from tests.browser.site import FLAGS, Site, open_site
from tests.browser.walker import open_own_site
from tests.conftest import CHROMIUM

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), sqlite_template) as opened:
        yield opened


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
        context = browser.new_context(**{"base_url": site.url, **shape, **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        _note_complaints(page, str(options.get("base_url", site.url)), complaints)
        page.goto(path.format(**site.places))
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_desk(open_page: OpenPage, tmp_path: Path, sqlite_template: Path) -> Iterator[OpenPage]:
    """Open a page of Greta's desk, which is furnished anew for each test."""
    with open_site(tmp_path, sqlite_template) as own:
        places = furnish(own.services)

        def open_it(path: str, **options: object) -> Page:
            cookies = [{"name": "desk", "value": places["session"], "url": own.url}]
            page = open_page("about:blank", base_url=own.url, locale="de-DE", **options)
            page.context.add_cookies(cookies)  # type: ignore[arg-type]
            page.goto(path.format(**places))
            return page

        yield open_it


@pytest.fixture
def own_site(tmp_path: Path, sqlite_template: Path) -> Iterator[Site]:
    """An installation of the test's own, with Mara, who can log in."""
    with open_own_site(tmp_path, sqlite_template) as own:
        yield own


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
