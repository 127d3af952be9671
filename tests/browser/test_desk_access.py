"""Nobody is shut out of the desk: axe finds nothing, pages fit a phone, every page is there in every language."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import OpenPage
from tests.browser.desk_tour import TOUR
from tests.browser.test_access import COLOURS
from tests.browser.visits import Visit


@pytest.mark.parametrize(("path", "visit"), TOUR.values(), ids=TOUR.keys())
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_desk: OpenPage, path: str, visit: Visit) -> None:
    """In German, on a phone, in light and dark."""
    page = open_desk(path, color_scheme="light", reduced_motion="reduce")
    visit(page)
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="dark")
    found = Axe().run(page, options=COLOURS)
    assert found.violations_count == 0, found.generate_report()
