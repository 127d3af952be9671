"""Every page and state a client can meet, and how to get there; found by what does not depend on the language."""

import itertools
from collections.abc import Callable

from playwright.sync_api import Page, expect

Visit = Callable[[Page], None]

_numbers = itertools.count(10)
"""Everybody is somebody else: one person may have five calls only."""


def stay(page: Page) -> None:
    """Look at the page as it is."""


def details(page: Page) -> None:
    """Choose the first time that is shown."""
    page.locator("a.time").first.click()
    expect(page.locator("#name")).to_be_visible()


def fill(page: Page) -> None:
    """Choose a time and say who one is."""
    details(page)
    page.locator("#name").fill("Kim")
    if page.locator("#phone").count():
        page.locator("#phone").fill(f"030 9018{next(_numbers)}")
    page.locator("#email").fill(f"{next(_numbers)}@example.com")


def send(page: Page) -> None:
    """Send the page's form."""
    page.locator("form button.button:not(.quiet)").click()


def book(page: Page) -> None:
    """Book a call, or have a time noted."""
    fill(page)
    send(page)
    expect(page.locator(".state")).to_be_visible()


def mistakes_unfolded(page: Page) -> None:
    """Send a form with nothing in it, and look at what is folded away, too."""
    mistakes(page)
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")


def book_without_email(page: Page) -> None:
    """Book a call without an address: nobody writes, so the link is to be kept."""
    fill(page)
    page.locator("#email").fill("")
    send(page)
    expect(page.locator(".state")).to_be_visible()


def taken(page: Page) -> None:
    """Send a form for a time that is not free (any more)."""
    fill(page)
    page.evaluate("document.querySelector('[name=start]').value = '2026-11-24T03:00:00Z'")
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()


def mistakes(page: Page) -> None:
    """Send a form with nothing in it."""
    details(page)
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()


def correct(page: Page) -> None:
    """Ask to correct a call."""
    book(page)
    page.locator("a[href*='/correct']").click()
    expect(page.locator("#email")).to_be_visible()


def correct_with_mistakes(page: Page) -> None:
    """Correct a call to an address that is none."""
    correct(page)
    page.locator("#email").fill("kim@")
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()


def ask_to_cancel(page: Page) -> None:
    """Ask to cancel a call, or to give a time back."""
    book(page)
    page.locator("a[href*='/cancel']").click()
    expect(page.locator("form button.bad")).to_be_visible()


def cancel(page: Page) -> None:
    """Cancel a call, or give a time back."""
    ask_to_cancel(page)
    send(page)
    expect(page.locator(".state")).to_be_visible()


def move(page: Page) -> None:
    """Ask where a call can be moved to."""
    book(page)
    page.locator("a[href*='/move']").click()
    expect(page.locator("h1")).to_be_visible()


def ask_to_move(page: Page) -> None:
    """Choose the time to move a call to."""
    move(page)
    page.locator("a.time").last.click()
    expect(page.locator("form button.button")).to_be_visible()


def moved(page: Page) -> None:
    """Move a call, and look at what has happened."""
    ask_to_move(page)
    send(page)
    page.locator(".history summary").click()


def move_to_taken(page: Page) -> None:
    """Ask to move a call to a time that is not free (any more)."""
    move(page)
    page.goto(page.url.partition("?")[0] + "?lang=" + (page.locator("html").get_attribute("lang") or ""))
    page.goto(page.url + "&start=2026-11-24T03:00:00Z")


def move_in_vain(page: Page) -> None:
    """Send where a call shall go, while its owner's calendar does not answer."""
    page.locator("a.time").last.click()
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()


PAGES: dict[str, tuple[str, Visit]] = {
    "call types": ("/anna", stay),
    "times": ("/anna/first", stay),
    "times of a day without any": ("/anna/first?day=2026-11-29", stay),
    "times elsewhere": ("/anna/first?tz=America/New_York", stay),
    "time zones": ("/anna/first?choose=zone", stay),
    "no times": ("/full/call", stay),
    "details": ("/anna/first", details),
    "details with a choice": ("/anna/project", details),
    "a choice of lengths": ("/asking/project?minutes=90", stay),
    "details with questions": ("/asking/project?minutes=90", details),
    "mistakes with questions": ("/asking/project?minutes=90", mistakes_unfolded),
    "details, neutral": ("/neutral/call", details),
    "mistakes": ("/anna/first", mistakes),
    "taken": ("/anna/first/book?start=2026-11-24T03:00:00Z", stay),
    "taken meanwhile": ("/anna/first", taken),
    "no start": ("/anna/first/book", stay),
    "call": ("/anna/first", book),
    "call without a mail address": ("/asking/project", book_without_email),
    "call that the client makes": ("/anna/question", book),
    "call, neutral": ("/neutral/call", book),
    "correction": ("/anna/first", correct),
    "correction with mistakes": ("/anna/first", correct_with_mistakes),
    "cancellation": ("/anna/first", ask_to_cancel),
    "cancelled": ("/anna/first", cancel),
    "moving": ("/anna/first", move),
    "moving, asked": ("/anna/first", ask_to_move),
    "moving, taken": ("/anna/first", move_to_taken),
    "moving, silent calendar": ("{booked}/move", move_in_vain),
    "moved": ("/anna/first", moved),
    "moved often enough": ("/fixed/call", move),
    "silent calendar": ("/silent/call", stay),
    "silent calendar, details": ("/silent/call", details),
    "noted": ("/silent/call", book),
    "noted, correction": ("/silent/call", correct),
    "noted, giving back": ("/silent/call", ask_to_cancel),
    "noted, given back": ("/silent/call", cancel),
    "declined": ("{declined}", stay),
    "privacy": ("/anna/privacy", stay),
    "imprint": ("/anna/imprint", stay),
    "not found": ("/nobody", stay),
}
"""Name → path (with the places of :class:`tests.browser.site.Site`) and what to do there."""
