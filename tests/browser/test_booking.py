"""People book in a real browser: with a mouse, with the keyboard alone, without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from booking.store.models import Call
from tests.browser.conftest import OpenPage
from tests.browser.site import Site


def choose_first_time(page: Page) -> str:
    """Follow the first free time and return how it is called."""
    time = page.get_by_role("link", name=re.compile("^Book ")).first
    name = time.get_attribute("aria-label") or ""
    time.click()
    return name


def fill(page: Page, email: str, *, phone: str = "0170 1234567") -> None:
    page.get_by_label("Name").fill("Kim")
    if phone:
        page.get_by_label("Phone number").fill(phone)
    page.get_by_label("Mail address").fill(email)


def calls(site: Site, email: str) -> list[Call]:
    with site.services.database.reading() as db:
        return list(db.scalars(select(Call).where(Call.email == email)))


@pytest.mark.parametrize("with_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_call_is_booked_and_cancelled(open_page: OpenPage, site: Site, with_javascript: bool) -> None:
    email = f"book{with_javascript}@example.com"
    page = open_page("/anna", java_script_enabled=with_javascript)
    page.get_by_role("link", name="First call").click()
    choose_first_time(page)
    fill(page, email)
    page.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Our call on")
    expect(page.get_by_text("+49 170 1234567")).to_be_visible()
    expect(page.get_by_text("My number is withheld.")).to_be_visible()
    (call,) = calls(site, email)

    page.get_by_role("link", name="Cancel the call").click()
    page.get_by_role("button", name="Cancel the call").click()
    expect(page.get_by_role("link", name="Choose another time")).to_be_visible()
    (call,) = calls(site, email)
    assert call.state == "cancelled"


def test_a_whole_booking_needs_no_mouse(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/first")
    tab_to(page, lambda: (focused(page, "aria-label") or "").startswith("Book "))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/book"))
    for label, text in (("name", "Kim"), ("phone", "+49 170 1234567"), ("email", "keys@example.com")):
        tab_to(page, lambda wanted=label: focused(page, "id") == wanted)
        page.keyboard.type(text)
    tab_to(page, lambda: page.evaluate("document.activeElement.matches('form button.button')"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Our call on")
    assert len(calls(site, "keys@example.com")) == 1


def tab_to(page: Page, arrived: object) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if arrived():  # type: ignore[operator]
            return
    raise AssertionError("the keyboard does not get there")


def focused(page: Page, attribute: str) -> str | None:
    found = page.evaluate(f"document.activeElement.getAttribute({attribute!r})")
    return str(found) if found else None


def test_every_focused_thing_shows_a_ring_of_three_pixels(open_page: OpenPage) -> None:
    page = open_page("/anna/first")
    for _ in range(12):
        page.keyboard.press("Tab")
        ring = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth] })()"
        )
        assert ring == ["solid", "3px"]


def test_a_mistake_is_named_at_the_field_and_on_top_and_nothing_typed_is_lost(open_page: OpenPage) -> None:
    page = open_page("/anna/first")
    choose_first_time(page)
    fill(page, "not-an-address")
    page.get_by_text("Is there anything I should know?").click()
    page.get_by_label("Note").fill("About the brochure")
    page.get_by_role("button", name=re.compile("^Book the call for")).click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Mail address").click()
    expect(page.get_by_label("Mail address")).to_be_focused()
    expect(page.get_by_label("Mail address")).to_have_accessible_description(re.compile("not complete"))
    expect(page.get_by_label("Name")).to_have_value("Kim")
    expect(page.get_by_label("Note")).to_have_value("About the brochure")


def test_two_clicks_book_one_call(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/first")
    choose_first_time(page)
    fill(page, "double@example.com")
    page.get_by_role("button", name=re.compile("^Book the call for")).dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Our call on")
    assert len(calls(site, "double@example.com")) == 1


def test_a_time_taken_meanwhile_keeps_what_was_typed_and_offers_the_nearest(open_page: OpenPage, site: Site) -> None:
    slow, quick = open_page("/anna/first"), open_page("/anna/first")
    for page, email in ((slow, "slow@example.com"), (quick, "quick@example.com")):
        choose_first_time(page)
        fill(page, email, phone=f"0170 {7654321 + len(email)}")
    quick.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(quick.get_by_role("heading", level=1)).to_contain_text("Our call on")
    slow.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(slow.get_by_role("alert")).to_contain_text("That time has just been taken")
    expect(slow.get_by_label("Mail address")).to_have_value("slow@example.com")
    slow.get_by_role("alert").get_by_role("button").first.click()
    expect(slow.get_by_role("heading", level=1)).to_contain_text("Our call on")
    assert len(calls(site, "slow@example.com")) == 1


def test_a_client_elsewhere_sees_their_own_time_and_the_owner_s_beside_it(open_page: OpenPage) -> None:
    page = open_page("/anna/first", timezone_id="America/New_York")
    expect(page).to_have_url(re.compile("tz=America"))
    expect(page.get_by_text("Times for New York")).to_be_visible()
    first = page.get_by_role("link", name=re.compile("^Book ")).first
    expect(first).to_contain_text(re.compile(r"\d+:\d\d\s+\d+:\d\d"))


def test_the_client_chooses_who_calls(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/project")
    choose_first_time(page)
    page.get_by_label("You call me").check()
    fill(page, "chooser@example.com", phone="")
    page.get_by_role("button", name=re.compile("^Book the call for")).click()
    expect(page.get_by_text("+49 30 901820")).to_be_visible()
    (call,) = calls(site, "chooser@example.com")
    assert (call.who_calls, call.phone) == ("client", "")


def test_number_and_address_can_be_corrected(open_page: OpenPage, site: Site) -> None:
    page = open_page("/anna/first?lang=de")
    page.locator("a.time").first.click()
    page.locator("#name").fill("Kim")
    page.locator("#phone").fill("0170 1112223")
    page.locator("#email").fill("wrong@example.com")
    page.locator("form button.button").click()
    page.locator("a[href*='/correct']").click()
    page.locator("#phone").fill("030 901820")
    page.locator("#email").fill("right@example.com")
    page.locator("form button.button").click()
    expect(page.get_by_text("+49 30 901820")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    (call,) = calls(site, "right@example.com")
    assert call.phone == "+4930901820"
