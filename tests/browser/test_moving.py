"""People move a call in a real browser: with a mouse, with the keyboard alone, without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.test_booking import calls, choose_first_time, fill, focused, tab_to


def book(page: Page, email: str, phone: str = "0170 1234567") -> None:
    choose_first_time(page)
    fill(page, email, phone=phone)
    page.locator("form button.button").click()
    expect(page.locator(".state")).to_be_visible()


@pytest.mark.parametrize("with_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_call_is_moved(open_page: OpenPage, site: Site, with_javascript: bool) -> None:
    email = f"move{with_javascript}@example.com"
    page = open_page("/anna/first", java_script_enabled=with_javascript)
    book(page, email, phone=f"0170 555000{int(with_javascript)}")
    (before,) = calls(site, email)
    page.get_by_role("link", name="Move the call").click()
    page.get_by_role("link", name="Later days").click()
    time = page.get_by_role("link", name=re.compile("^Move to ")).first
    chosen = (time.get_attribute("aria-label") or "").removeprefix("Move to ")
    time.click()
    expect(page.get_by_role("heading", name="Move this call?")).to_be_visible()
    page.get_by_role("button", name="Move the call").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Our call on {chosen}")
    (after,) = calls(site, email)
    assert (after.id, after.state) == (before.id, "confirmed")
    assert after.starts_at > before.starts_at


def test_moving_needs_no_mouse(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/first")
    book(page, "movekeys@example.com", phone="0170 5550003")
    (before,) = calls(site, "movekeys@example.com")
    tab_to(page, lambda: (focused(page, "href") or "").endswith("/move"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/move"))
    tab_to(page, lambda: (focused(page, "aria-label") or "").startswith("Move to "))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("start="))
    tab_to(page, lambda: page.evaluate("document.activeElement.matches('form button.button')"))
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("This call is arranged.")
    (after,) = calls(site, "movekeys@example.com")
    assert after.starts_at != before.starts_at


def test_two_clicks_move_once(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/first")
    book(page, "movetwice@example.com", phone="0170 5550004")
    page.get_by_role("link", name="Move the call").click()
    page.get_by_role("link", name=re.compile("^Move to ")).last.click()
    page.get_by_role("button", name="Move the call").dblclick()
    expect(page.locator(".state")).to_be_visible()
    page.get_by_text("What has happened so far").click()
    expect(page.get_by_text("You moved the call.")).to_have_count(1)


def test_while_the_calendar_is_silent_a_time_is_noted_and_given_back(open_page: OpenPage, site: Site) -> None:
    page = open_page("/silent/call")
    expect(page.get_by_role("note")).to_contain_text("I can't see my calendar at the moment.")
    page.get_by_role("link", name=re.compile("^Note ")).first.click()
    fill(page, "noted@example.com", phone="0170 5550005")
    page.get_by_role("button", name=re.compile("^Note this time")).click()
    expect(page.get_by_text(re.compile("You have my answer by .*Berlin.time"))).to_be_visible()
    page.get_by_role("link", name="Give the time back").click()
    page.get_by_role("button", name="Give the time back").click()
    expect(page.get_by_role("link", name="Choose another time")).to_be_visible()
    (call,) = calls(site, "noted@example.com")
    assert call.state == "withdrawn"


def test_a_client_of_a_neutral_owner_asks_for_reminders(open_page: OpenPage, site: Site) -> None:
    page = open_page("/neutral/call?day=2026-11-26")
    choose_first_time(page)
    fill(page, "remind@example.com", phone="0170 5550006")
    page.get_by_label("Remind me by mail").check()
    page.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(page.get_by_text("I'll remind you by mail")).to_be_visible()
    (call,) = calls(site, "remind@example.com")
    assert call.wants_reminders
