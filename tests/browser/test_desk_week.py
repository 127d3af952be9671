"""A week's settings in a real browser, on a phone; after each, a client looks at what has come of it."""

import re
from datetime import date

import pytest
from babel.dates import format_date
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import update

from booking.store.models import Owner
from booking.usecases.free_days import label_of
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.walker import PHONE, Walker, day


def weekday(code: str, number: int) -> str:
    """Return the name of a day of the week; Monday is 0."""
    return format_date(date(2024, 1, 1 + number), "cccc", locale=code)


class Week:
    """Mara at her desk, and a client who looks at her page."""

    def __init__(self, desk: Walker, client: Page) -> None:
        self.desk, self.client = desk, client

    def room(self, *links: str) -> None:
        """Go from the desk's head to a room by tapping."""
        for name in ("Settings", *links):
            self.desk.tap("link", name)

    def hour(self, of: str, which: str, number: int) -> Locator:
        """Return the field of the begin or the end of one row of hours."""
        return self.desk.field(f"{of}, {self.desk.say(which, number=number)}")

    def hours(self, of: str, number: int, begins: str, ends: str) -> None:
        """Set one row of hours."""
        self.hour(of, "from (%(number)s)", number).fill(begins)
        self.hour(of, "to (%(number)s)", number).fill(ends)

    def times(self, on: str, call_type: str = "mara/gespraech") -> list[str]:
        """Return the times that the client sees on a day."""
        self.client.goto(f"/{call_type}?day={on}")
        expect(self.client.get_by_role("main")).to_be_visible()
        return [each.split()[0] for each in self.client.locator("a.time").all_inner_texts()]

    def sets_the_week(self) -> None:
        """Monday's hours by keyboard, copied to Tuesday and Saturday."""
        desk, page = self.desk, self.desk.page
        assert self.times("2026-11-28") == []
        self.room("When calls can be booked", "Change the weekly hours")
        for number, begins, ends in ((1, "10:00", "12:00"), (2, "15:00", "16:00")):
            self.hours(weekday(desk.code, 0), number, begins, ends)
        desk.field("Copy the hours of").select_option("mon")
        for each in (1, 5):
            desk.option("Copy to these days", "group").get_by_label(weekday(desk.code, each)).check()
        desk.tap("button", "Copy to the ticked days")
        expect(self.hour(weekday(desk.code, 5), "to (%(number)s)", 2)).to_have_value("16:00")
        assert self.times("2026-11-28") == [], "nothing is saved by copying"
        with page.context.expect_page() as opened:
            page.get_by_role("button", name=desk.say("Preview"), exact=True).tap()
        expect(opened.value.get_by_text(desk.say("Preview: nothing of this is saved."))).to_be_visible()
        opened.value.get_by_role("textbox", name=desk.say("Day"), exact=True).fill("2026-11-28")
        opened.value.get_by_role("button", name=desk.say("Look at this day")).tap()
        expect(opened.value.locator("a.time").first).to_have_text("10:00")
        opened.value.close()
        assert self.times("2026-11-28") == []
        desk.tap("button", "Save the weekly hours")
        desk.hears("The weekly hours are saved.")
        assert (
            self.times("2026-11-28")
            == self.times("2026-12-01")
            == ["10:00", "10:30", "11:00", "11:30", "15:00", "15:30"]
        )
        assert "9:00" in self.times("2026-12-02"), "Wednesday stays as it was"

    def gives_a_day_hours_of_its_own(self) -> None:
        """Wednesday, 2 December: an evening."""
        desk = self.desk
        self.room("When calls can be booked", "Choose a day in the month", "The month after")
        desk.touch(desk.page.get_by_role("link", name=re.compile(f"^{day(desk.code, date(2026, 12, 2))}")))
        desk.option("hours of its own", "radio").check()
        self.hours(desk.say("Hours of its own"), 1, "18:00", "19:00")
        desk.tap("button", "Save this day")
        assert self.times("2026-12-02") == ["18:00", "18:30"]

    def plans_an_absence(self) -> None:
        """Clients read of it ahead of time, and find nothing free meanwhile."""
        desk = self.desk
        self.room("When calls can be booked", "Plan and change absences", "Plan an absence")
        desk.set("First day off", "2026-12-07")
        desk.set("Last day off", "2026-12-09")
        desk.type("What clients read", "Am Donnerstag bin ich wieder da.")
        desk.tap("button", "Save the absence")
        expect(desk.page.get_by_role("status")).to_be_visible()
        assert self.times("2026-12-08") == []
        expect(self.client.get_by_role("main")).to_contain_text(desk.say("I am away on this day."))
        expect(self.client.get_by_role("main")).to_contain_text("Am Donnerstag bin ich wieder da.")
        assert self.times("2026-12-10") != []

    def keeps_holidays(self) -> None:
        """Those of Bavaria, but works on the sixth of January."""
        desk = self.desk
        assert self.times("2026-12-25") != []
        self.room("When calls can be booked", "Change the holidays")
        desk.field("Country").select_option("DE")
        desk.tap("button", "Show its holidays")
        desk.field("Region").select_option("BY")
        desk.tap("button", "Show its holidays")
        desk.option(label_of("DE", "BY", date(2027, 1, 6), desk.code)).uncheck()
        desk.tap("button", "Save the holidays")
        desk.hears("The holidays are saved.")
        assert self.times("2026-12-25") == []
        expect(self.client.get_by_role("main")).to_contain_text(desk.say("This day is a public holiday."))
        assert self.times("2027-01-06") != []

    def adds_a_call_type(self) -> None:
        """One with a choice of lengths and a question; the client books a long one."""
        desk = self.desk
        self.room("Call types", "Add a call type")
        desk.type("What it is called", "Projekt Übersetzung")
        desk.type("One sentence about it", "Wir gehen den Auftrag durch.")
        desk.type("Usual length", "45")
        desk.type("Other lengths to choose from", "20 90")
        desk.option("May I leave a message?").check()
        desk.tap("button", "Save")
        desk.hears("%(name)s is saved.", name="Projekt Übersetzung")
        client = self.client
        client.goto("/mara")
        expect(client.get_by_role("main")).to_contain_text("Wir gehen den Auftrag durch.")
        client.get_by_role("link", name="Projekt Übersetzung").tap()
        client.get_by_role("navigation", name=desk.say("How long the call is")).get_by_text("90").tap()
        client.locator("a.time").first.tap()
        expect(client.get_by_label(desk.say("You may leave a message"))).to_be_visible()

    def writes_the_public_page(self) -> None:
        """Words, colour and address; the address before leads to the new one."""
        desk, page = self.desk, self.desk.page
        self.room("Public page")
        desk.type("Title", "Texte, die gelesen werden")
        desk.type("Text", "Rufen wir uns an.")
        desk.type("Colour of buttons and links", "#7a4a2b")
        desk.type("Address", "muster")
        with page.context.expect_page() as opened:
            page.get_by_role("button", name=desk.say("Look at it first (new window)")).tap()
        expect(opened.value.get_by_role("heading", level=1)).to_have_text("Texte, die gelesen werden")
        opened.value.close()
        desk.tap("button", "Save")
        desk.hears("Your public page is saved.")
        self.client.goto(f"/mara?lang={desk.code}")
        expect(self.client).to_have_url(re.compile(r"/muster(\?lang=..)?$"))
        expect(self.client.get_by_role("heading", level=1)).to_have_text("Texte, die gelesen werden")
        expect(self.client.get_by_role("main")).to_contain_text("Rufen wir uns an.")
        self.client.get_by_role("link", name="Gespräch", exact=True).tap()
        self.client.locator("a.time").first.tap()
        button = self.client.get_by_role(
            "button",
            name=re.compile(
                "^" + desk.say("Book the call for %(day)s, %(time)s", day="", time="").split(",")[0].strip()
            ),
        )
        expect(button).to_have_css("background-color", "rgb(122, 74, 43)")

    def lets_a_site_show_the_times(self) -> None:
        """The browser of a client is told which site may."""
        desk = self.desk
        self.room("On your web site")
        desk.type("Sites that may show your times", "https://www.example.org")
        desk.tap("button", "Save")
        desk.hears("The list of sites is saved.")
        expect(desk.field("All call types")).to_have_value(re.compile('<iframe src="[^"]*/muster[?]embed=1"'))
        answer = self.client.goto("/muster/gespraech?embed=1")
        assert answer is not None
        assert "frame-ancestors https://www.example.org" in answer.headers["content-security-policy"]

    def signs_mails(self) -> None:
        """The mails end with it."""
        desk, page = self.desk, self.desk.page
        self.room("Mails and numbers")
        desk.type("End of mails to clients", "Büro Muster, Bremen")
        desk.tap("button", "Save")
        desk.hears("Saved. Mails that leave from now on look like this.")
        self.room("Mails and numbers", "Look at every mail")
        expect(page.frame_locator("iframe").locator("body")).to_contain_text("Büro Muster, Bremen")


@pytest.mark.parametrize(("code", "with_javascript"), [("de", True), ("ru", False)], ids=["German", "no JavaScript"])
def test_what_is_set_at_the_desk_is_what_clients_find(
    open_page: OpenPage, own_site: Site, code: str, with_javascript: bool
) -> None:
    """The second time in Russian, and without JavaScript."""
    with own_site.services.database.writing() as db:
        db.execute(update(Owner).where(Owner.slug == "mara").values(locale=code))
    shape = {**PHONE, "base_url": own_site.url, "locale": code, "java_script_enabled": with_javascript}
    desk = Walker(open_page("/desk", **shape), code)
    desk.log_in()
    week = Week(desk, open_page("/mara", **shape))
    week.sets_the_week()
    week.gives_a_day_hours_of_its_own()
    week.plans_an_absence()
    week.keeps_holidays()
    week.adds_a_call_type()
    week.writes_the_public_page()
    week.lets_a_site_show_the_times()
    week.signs_mails()
