"""Nobody is shut out: axe finds nothing, pages fit a phone, every language is complete."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.visits import PAGES, Visit, details

COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""All that can differ in the dark."""


@pytest.mark.parametrize(("path", "visit"), PAGES.values(), ids=PAGES.keys())
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page: OpenPage, path: str, visit: Visit) -> None:
    """In German, on a phone, in light and dark."""
    page = open_page(path, locale="de-DE", color_scheme="light", reduced_motion="reduce")
    visit(page)
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options=COLOURS)
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
    for target in (*page.locator("a.time").all(), *page.locator("a.day:visible, a.around").all()):
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    details(page)
    for target in page.locator("input:visible, button:visible").all():
        box = target.bounding_box()
        assert box is not None
        if target.get_attribute("name") != "website":
            assert box["height"] >= 44
