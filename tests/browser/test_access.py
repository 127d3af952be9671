"""Nobody is shut out: axe finds nothing, pages fit a phone, every language is complete."""

import itertools
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

Visit = Callable[[Page], None]


numbers = itertools.count(10)
"""Everybody is somebody else: one person may have five calls only."""


def stay(page: Page) -> None:
    """Look at the page as it is."""


def book(page: Page) -> None:
    page.locator("a.time").first.click()
    page.locator("#name").fill("Kim")
    if page.locator("#phone").count():
        page.locator("#phone").fill(f"030 9018{next(numbers)}")
    page.locator("#email").fill(f"{next(numbers)}@example.com")
    page.locator("form button.button").click()
    expect(page.locator(".state")).to_be_visible()


def details(page: Page) -> None:
    page.locator("a.time").first.click()


def mistakes(page: Page) -> None:
    details(page)
    page.locator("form button.button").click()
    expect(page.get_by_role("alert")).to_be_visible()


def correct(page: Page) -> None:
    book(page)
    page.locator("a[href*='/correct']").click()


def ask_to_cancel(page: Page) -> None:
    book(page)
    page.locator("a[href*='/cancel']").click()


def cancel(page: Page) -> None:
    ask_to_cancel(page)
    page.locator("form button").click()


PAGES: dict[str, tuple[str, Visit]] = {
    "call types": ("/anna", stay),
    "times": ("/anna/first", stay),
    "times of a day without any": ("/anna/first?day=2026-11-29", stay),
    "times elsewhere": ("/anna/first?tz=America/New_York", stay),
    "silent calendar": ("/silent/call", stay),
    "no times": ("/full/call", stay),
    "details": ("/anna/first", details),
    "details with a choice": ("/anna/project", details),
    "mistakes": ("/anna/first", mistakes),
    "taken": ("/anna/first/book?start=2026-11-24T03:00:00Z", stay),
    "no start": ("/anna/first/book", stay),
    "call": ("/anna/first", book),
    "call that the client makes": ("/anna/question", book),
    "correction": ("/anna/first", correct),
    "cancellation": ("/anna/first", ask_to_cancel),
    "cancelled": ("/anna/first", cancel),
    "privacy": ("/anna/privacy", stay),
    "imprint": ("/anna/imprint", stay),
    "not found": ("/nobody", stay),
}


@pytest.mark.parametrize(("path", "visit"), PAGES.values(), ids=PAGES.keys())
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page: OpenPage, path: str, visit: Visit) -> None:
    """In German, on a phone, in light and dark."""
    page = open_page(path, locale="de-DE", color_scheme="light", reduced_motion="reduce")
    visit(page)
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", ["/anna", "/anna/first", "/anna/privacy", "/nobody"])
def test_the_language_can_be_changed_on_every_page_and_stays(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    page.get_by_role("link", name="Русский").click()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.locator("body")).to_contain_text(re.compile("[а-я]"))
    if path == "/anna":
        page.locator(".card a").first.click()
        expect(page.locator("html")).to_have_attribute("lang", "ru")


def test_what_a_thumb_must_hit_on_the_client_s_path_is_44_pixels_high(open_page: OpenPage) -> None:
    page = open_page("/anna/first")
    for target in (*page.locator("a.time").all(), *page.locator("a.day:visible").all()):
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    details(page)
    for target in page.locator("input:visible, button:visible").all():
        box = target.bounding_box()
        assert box is not None
        if target.get_attribute("name") != "website":
            assert box["height"] >= 44
