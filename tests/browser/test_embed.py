"""The list of times on another site, in a real browser: who may show it, and where a click leads."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask, request
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from booking.usecases.setup import lock
from booking.web.desk.embed import iframe
from tests.browser.site import Site, served

SHAPES = {"a wide window": {"width": 1280, "height": 900}, "a phone": {"width": 360, "height": 740}}


@pytest.fixture(scope="module")
def another_site(site: Site) -> Iterator[str]:
    """A site of the owner's at another origin, with what the desk says to paste."""
    app = Flask("another site")

    @app.get("/")
    def page() -> str:
        return f"<!doctype html><title>My site</title>{iframe(site.url + request.args['of'], 'Choose a time')}"

    with served(app) as (_, port):
        yield f"http://localhost:{port}"


@pytest.fixture
def listed(site: Site, another_site: str) -> Iterator[None]:
    """Anna lets this other site show her times, and none else."""
    _let(site, another_site)
    yield
    _let(site, "")


@pytest.fixture(params=SHAPES)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SHAPES[request.param], locale="en-GB", timezone_id="Europe/Berlin")  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def _let(site: Site, sites: str) -> None:
    with site.services.database.writing() as db:
        lock(db, "anna").embed_sites = sites


def _is_refusal(line: ConsoleMessage) -> bool:
    return "frame-ancestors" in line.text


@pytest.mark.usefixtures("listed")
def test_a_time_chosen_on_another_site_opens_the_details_in_the_whole_window(
    page: Page, site: Site, another_site: str
) -> None:
    page.goto(f"{another_site}/?of=/anna/first")
    times = page.frame_locator("iframe")
    expect(times.get_by_role("heading", name="First call")).to_be_visible()
    times.get_by_role("link", name="Change the time zone").click()
    times.get_by_role("button", name="Show these times").click()
    expect(times.get_by_text("(your time zone)")).to_be_visible()
    assert page.url.startswith(another_site)
    times.get_by_role("link", name=re.compile("^Book ")).last.click()
    expect(page).to_have_url(re.compile(re.escape(f"{site.url}/anna/first/book?")))
    assert "embed" not in page.url
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Phone number").fill("0170 5550101")
    page.get_by_label("Mail address").fill(f"framed{page.viewport_size['width']}@example.com")  # type: ignore[index]
    page.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Our call on")


@pytest.mark.usefixtures("listed")
def test_call_types_and_days_are_chosen_within_the_frame(page: Page, another_site: str) -> None:
    page.goto(f"{another_site}/?of=/anna")
    times = page.frame_locator("iframe")
    times.get_by_role("link", name="First call").click()
    days = times.get_by_role("navigation", name="Days").get_by_role("link", name=re.compile("Wednesday, 25 November"))
    days.locator("visible=true").first.click()
    expect(times.get_by_role("heading", name=re.compile("Wednesday, 25 November"))).to_be_visible()
    expect(times.get_by_role("contentinfo")).to_have_count(0)
    assert page.url.startswith(another_site)


def test_a_site_that_is_not_listed_shows_nothing(page: Page, site: Site, another_site: str) -> None:
    for sites in ("", "https://somebody.else.example"):
        _let(site, sites)
        with page.expect_console_message(_is_refusal):
            page.goto(f"{another_site}/?of=/anna/first")
        expect(page.frame_locator("iframe").get_by_role("link", name=re.compile("^Book "))).to_have_count(0)
    _let(site, "")


@pytest.mark.usefixtures("listed")
def test_no_page_that_asks_for_anything_is_shown_on_another_site(page: Page, another_site: str) -> None:
    for path in ("/anna/first/book", "/desk", "/anna/privacy"):
        with page.expect_console_message(_is_refusal):
            page.goto(f"{another_site}/?of={path}")
