"""An owner in front of the desk: logs in, taps what a page names, and minds that no page scrolls sideways.

Fields, links and buttons are named by their English sentences, and looked for in the language that is spoken.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from booking import worker
from booking.usecases.door import set_password
from booking.web.unbroken import NO_BREAK, page_language
from tests.browser.site import Site, open_site
from tests.builders import add_calendar, add_call_type, add_owner

PASSWORD = "vier ganz andere Worte 7"
EMAIL = "mara@example.org"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


def say(code: str, sentence: str, /, **values: object) -> str:
    """Return what a page says in a language, with plain spaces; what is no sentence of ours stays as it is."""
    return page_language(code).gettext(sentence, **values).replace(NO_BREAK, " ")


def day(code: str, date_: date) -> str:
    """Return how a page calls a day in a language: Tuesday, 24 November."""
    return page_language(code).day(datetime.combine(date_, time(12), UTC), UTC).replace(NO_BREAK, " ")


class Walker:
    """Somebody with a phone: ``taps`` counts what was tapped."""

    def __init__(self, page: Page, code: str = "de") -> None:
        self.page = page
        self.code = code
        self.taps = 0

    def say(self, sentence: str, /, **values: object) -> str:
        """Return a sentence in the language of the desk."""
        return say(self.code, sentence, **values)

    def tap(self, role: str, name: str, /, **values: object) -> None:
        """Tap the one thing of this role and name."""
        self.touch(self.page.get_by_role(role, name=self.say(name, **values), exact=True))  # type: ignore[arg-type]

    def field(self, label: str) -> Locator:
        """Return the field of this label."""
        return self.page.get_by_label(self.say(label), exact=True)

    def part(self, name: str) -> Locator:
        """Return the part of the page that has this heading."""
        return self.page.get_by_role("region", name=self.say(name))

    def option(self, name: str, role: str = "checkbox") -> Locator:
        """Return what can be ticked or chosen under this name; a hint may follow it."""
        return self.page.get_by_role(role, name=self.say(name))  # type: ignore[arg-type]

    def touch(self, what: Locator) -> None:
        """Tap something, and look whether the page that comes fits the phone."""
        what.tap()
        self.taps += 1
        self.fits()

    def fits(self) -> None:
        """Look whether all of the page can be seen without scrolling sideways."""
        expect(self.page.locator("main")).to_be_visible()
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 360, self.page.url

    def type(self, label: str, text: str) -> None:
        """Write into a field key by key; what stood there goes."""
        self.field(label).fill("")
        self.field(label).focus()
        self.page.keyboard.type(text)

    def set(self, label: str, value: str) -> None:
        """Set a field for a day or a time: how its parts are typed depends on the browser."""
        self.field(label).fill(value)

    def at(self, heading: str) -> None:
        """Make sure that this is the page."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(heading))

    def hears(self, sentence: str, /, **values: object) -> None:
        """Make sure that the desk says so."""
        expect(self.page.get_by_role("status")).to_contain_text(self.say(sentence, **values))

    def log_in(self) -> None:
        """Log in with nothing but the keyboard."""
        self.at("Log in")
        self.type("Mail address", EMAIL)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name=self.say("Log out"))).to_be_visible()
        self.fits()


@contextmanager
def open_own_site(folder: Path, template: Path) -> Iterator[Site]:
    """Serve a site of its own on which Mara, who reads German, has a log-in, a calendar and one call type."""
    with open_site(folder, template) as own:
        with own.services.database.writing() as db:
            mara = add_owner(db, "mara", name="Mara Muster", locale="de", email=EMAIL)
            set_password(db, mara.id, own.services.passwords.hash(PASSWORD), own.services.now())
            add_call_type(db, mara, "gespraech", name="Gespräch", step_minutes=30, reminders="")
            add_calendar(db, mara)
        yield own


def deliver(own: Site) -> None:
    """Let the worker do all that is due."""
    while worker.run_once(own.services):
        pass


def wait(own: Site, span: timedelta) -> None:
    """Let time pass for this installation."""
    own.began -= span.total_seconds()
