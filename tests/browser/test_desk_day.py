"""A day's work at the desk in a real browser, on a phone: calls come, are entered, moved, cancelled; evening comes."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from booking.store.models import Call
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.walker import EMAIL, PHONE, Walker, deliver, wait
from tests.builders import wish
from tests.fakes import MONDAY

HOUR = timedelta(hours=1)
LEA, TOM, KIM, NORA = "lea@example.com", "tom@example.com", "kim.day@example.com", "nora@example.com"


@pytest.fixture
def arranged(own_site: Site) -> Site:
    """Lea has a call on Tuesday at 10:00, Tom one on Wednesday at 11:00; both have heard of it."""
    for name, email, phone, hours in (("Lea", LEA, "+493012345601", 25), ("Tom", TOM, "+493012345602", 50)):
        facts = {"name": name, "email": email, "phone": phone, "locale": "en", "request_key": f"key-{name}"}
        with own_site.services.database.writing() as db:
            wished = wish(MONDAY + timedelta(hours=hours), **facts)
            book(db, house(own_site.services), "mara", "gespraech", wished, own_site.services.now())
    deliver(own_site)
    return own_site


@pytest.fixture
def desk(open_page: OpenPage, arranged: Site) -> Walker:
    """Mara, logged in, on Today."""
    walker = Walker(open_page("/desk", **PHONE, base_url=arranged.url, locale="de-DE"))
    walker.log_in()
    walker.taps = 0
    return walker


def client_of(open_page: OpenPage, site: Site) -> Page:
    """Somebody in London who looks at the times."""
    return open_page("/mara", **PHONE, base_url=site.url, timezone_id="Europe/London")


def ask_for_a_call(client: Page, name: str, email: str, phone: str) -> None:
    """Choose the first time and send the form, in English."""
    client.get_by_role("link", name=re.compile("^Book ")).first.tap()
    client.get_by_label("Your name").fill(name)
    client.get_by_label("Phone number").fill(phone)
    client.get_by_label("Mail address").fill(email)
    client.get_by_role("button", name=re.compile("^Book the call for")).tap()


def is_booked(client: Page) -> None:
    expect(client.get_by_role("heading", level=1)).to_contain_text("Our call on")


def texts(message: EmailMessage) -> tuple[str, str]:
    """Return the text of a mail, and its file for the calendar; lines of both are whole."""
    parts = {part.get_content_type(): part for part in message.walk()}
    file = parts["text/calendar"].get_content()
    return parts["text/plain"].get_content(), file.replace("\r\n ", "").replace("\n ", "")


def calls_of(site: Site, email: str) -> int:
    with site.services.database.reading() as db:
        return db.scalar(select(func.count()).where(Call.email == email)) or 0


def test_what_a_client_books_stands_on_today_with_who_calls_whom(
    open_page: OpenPage, arranged: Site, desk: Walker
) -> None:
    client = client_of(open_page, arranged)
    ask_for_a_call(client, "Kim", KIM, "+44 20 7946 0123")
    is_booked(client)
    deliver(arranged)
    assert len(arranged.mailbox.to(KIM)) == 1
    assert ["Kim" in str(mail) for mail in arranged.mailbox.to(EMAIL)].count(True) == 1
    page = desk.page
    desk.tap("link", "Today")
    panel = page.get_by_role("region", name=re.compile("Montag, 23. November"))
    expect(panel).to_contain_text(desk.say("You call %(name)s.", name="Kim"))
    expect(panel).to_contain_text("London")
    expect(panel.get_by_role("link", name=re.compile(r"\+44"))).to_have_attribute("href", "tel:+442079460123")
    expect(desk.part("The day")).to_contain_text("Kim")
    desk.tap("link", "Everything about this call")
    history = desk.part("What has happened so far")
    expect(history).to_contain_text(desk.say("The client booked the call."))
    expect(history.get_by_role("listitem").filter(has_text=desk.say("Confirmation to the client"))).to_contain_text(
        desk.say("sent")
    )


def test_a_call_out_of_hours_is_entered_by_three_taps_and_what_changes_is_told_by_phone(
    arranged: Site, desk: Walker
) -> None:
    page = desk.page
    desk.tap("link", "Enter a call")
    desk.type("The client's name", "Erna Ohnemail")
    desk.type("Phone number", "030 12345699")
    desk.set("Day", "2026-11-23")
    desk.set("Time", "20:00")
    desk.tap("button", "Enter the call")
    expect(page.get_by_role("alert")).to_contain_text(desk.say("It is outside your business hours."))
    desk.tap("button", "Enter it all the same")
    desk.hears("The call is entered.")
    assert desk.taps == 3
    expect(page.get_by_role("main")).to_contain_text("Montag, 23. November 2026, 20:00")

    desk.tap("link", "Move the call")
    desk.touch(page.get_by_role("link", name=re.compile("Montag, 23. November.* 15:00")).first)
    desk.tap("button", "Move the call")
    desk.tap("link", "Today")
    tasks = desk.part("To tell by phone")
    expect(tasks).to_contain_text(desk.say("Tell by phone: the call was moved."))
    expect(tasks.get_by_role("link", name=re.compile("12345699"))).to_have_attribute("href", "tel:+493012345699")
    desk.tap("button", "Told: %(name)s", name="Erna Ohnemail")
    expect(tasks).to_have_count(0)
    before = len(arranged.mailbox.sent)
    deliver(arranged)
    assert len(arranged.mailbox.sent) == before, "nobody is written to"


def test_whoever_is_moved_or_cancelled_reads_why_once(arranged: Site, desk: Walker) -> None:
    page, box = desk.page, arranged.mailbox
    heard = {email: len(box.to(email)) for email in (LEA, TOM, EMAIL)}
    desk.tap("link", "Lea")
    desk.taps = 0
    desk.tap("link", "Move the call")
    desk.touch(page.get_by_role("link", name=re.compile("Montag, 23. November.* 15:00")))
    desk.type("Reason", "My train is late.")
    desk.tap("button", "Move the call")
    desk.hears("The call is moved.")
    assert desk.taps == 3
    desk.tap("link", "Today")
    desk.taps = 0
    desk.tap("link", "Tom")
    desk.tap("link", "Cancel the call")
    desk.type("Reason", "I have caught a cold.")
    desk.tap("button", "Cancel the call")
    desk.hears("The call is cancelled.")
    assert desk.taps == 3
    deliver(arranged)
    assert {email: len(box.to(email)) - before for email, before in heard.items()} == {LEA: 1, TOM: 1, EMAIL: 0}
    text, file = texts(box.to(LEA)[-1])
    assert "My train is late." in text
    assert "METHOD:REQUEST" in file
    assert "DTSTART:20261123T140000Z" in file
    assert "SEQUENCE:1" in file
    text, file = texts(box.to(TOM)[-1])
    assert "I have caught a cold." in text
    assert "METHOD:CANCEL" in file
    desk.tap("link", "Messages")
    desk.touch(page.get_by_role("link", name=re.compile("^New time for our call")))
    expect(desk.part("The text, as it was sent")).to_contain_text("My train is late.")


@pytest.mark.parametrize("text", ["lea", "45601", "24.11.2026"], ids=["name", "number", "day"])
def test_the_search_finds_a_call(desk: Walker, text: str) -> None:
    desk.tap("link", "Calls")
    desk.type("Name, number, mail address or day", text)
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("heading", level=2)).to_have_text(desk.say("Found for “%(text)s”", text=text))
    desk.fits()
    expect(desk.page.get_by_role("main").get_by_role("link", name="Lea")).to_be_visible()
    expect(desk.page.get_by_role("main").get_by_role("link", name="Tom")).to_have_count(0)


def test_a_client_who_is_blocked_can_t_book(open_page: OpenPage, arranged: Site, desk: Walker) -> None:
    desk.tap("link", "Tom")
    desk.tap("link", "All calls with this person, and your notes")
    desk.tap("button", "Block this client")
    desk.hears("This client can't book any more. What is planned stays.")
    client = client_of(open_page, arranged)
    ask_for_a_call(client, "Tom", TOM, "030 12345602")
    expect(client.get_by_role("alert")).to_be_visible()
    assert calls_of(arranged, TOM) == 1
    desk.tap("button", "Let this client book again")
    client.get_by_role("button", name=re.compile("^Book the call for")).tap()
    is_booked(client)
    assert calls_of(arranged, TOM) == 2


def test_in_the_evening_the_desk_shows_what_is_next_and_the_rest_on_request(
    open_page: OpenPage, arranged: Site, desk: Walker
) -> None:
    page = desk.page
    day = desk.part("The day")
    expect(day).to_be_visible()
    wait(arranged, 11 * HOUR)
    deliver(arranged)
    heard = len(arranged.mailbox.to(EMAIL))
    client = client_of(open_page, arranged)
    ask_for_a_call(client, "Nora", NORA, "+44 20 7946 0124")
    is_booked(client)
    deliver(arranged)
    assert len(arranged.mailbox.to(NORA)) == 1
    assert len(arranged.mailbox.to(EMAIL)) == heard
    desk.tap("link", "Today")
    main = page.get_by_role("main")
    expect(main).to_contain_text(desk.say("You call %(name)s.", name="Lea"))
    expect(main).to_contain_text(re.compile(r"1 Sache.* Dienstag,\s24\.\sNovember,\s9:00"))
    expect(day).to_have_count(0)
    expect(main).not_to_contain_text("Tom")
    desk.tap("button", "Show it all the same")
    expect(day).to_be_visible()
    expect(desk.part("What is new")).to_contain_text("Nora")
    expect(main).to_contain_text("Tom")
