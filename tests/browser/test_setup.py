"""A new owner in a real browser: from the one-time link to the first call that a client books."""

import re
from itertools import count
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from booking.jobs import house_of
from booking.store.models import Call, Owner
from booking.usecases import setup, ways_in
from tests.browser import visits
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.test_start import Start, start  # noqa: F401 - a fixture

PASSWORD = "vier ganz andere Worte 7"
_numbers = count(1)


class Walk:
    """A new owner's way through the set-up; counts what it takes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = 0

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.clicks += 1

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)
        self.fields += 1

    def at(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def all_the_way(self) -> str:
        """Take every step as it is offered, in German; return the link to hand out."""
        page = self.page
        self.click("Schreibtisch öffnen")
        self.at("Wer führt die Telefonate?")
        self.fill(page.get_by_label("Ihr Name"), "Nina Neu")
        self.fill(page.locator("#email"), "nina@example.org")
        self.fill(page.get_by_label("Passwort"), PASSWORD)
        self.click("Speichern und weiter")
        self.at("Wann sind Sie zu erreichen?")
        self.click("Speichern und weiter")
        self.at("Was kann gebucht werden?")
        self.click("Speichern und weiter")
        self.at("Wo ist Ihr Kalender?")
        self.click("Weiter")
        self.at("Ihre Seite ist bereit")
        return page.get_by_role("textbox", name="Der Link zum Weitergeben").input_value()


def add_newcomer(site: Site) -> tuple[str, str]:
    """Add an owner as ``./start`` does; return the slug and the path of the one-time link."""
    slug, ours = f"newcomer-{next(_numbers)}", site.services
    with ours.database.writing() as db:
        new = setup.NewOwner(slug, "Root", "root@localhost", "Europe/Berlin", "de", "DE")
        owner = setup.add_owner(db, new)
        setup.add_call_type(db, slug, setup.NewCallType(slug="call", name="Telefonat", minutes=30))
        return slug, urlsplit(ways_in.make_link(db, house_of(ours), owner.id, ours.now())).path


def step_of(site: Site, slug: str) -> str:
    with site.services.database.reading() as db:
        return db.scalars(select(Owner.setup_step).where(Owner.slug == slug)).one()


@pytest.mark.slow
def test_from_the_printed_link_to_the_first_call_takes_five_clicks_and_three_fields(
    open_page: OpenPage,
    start: Start,  # noqa: F811 - the fixture
) -> None:
    house = start(LC_ALL="de_DE.UTF-8", TZ="Europe/Berlin", RATE_LIMITS="off")
    walk = Walk(open_page(house.link_to_desk(), base_url=house.url, locale="de-DE"))
    link = walk.all_the_way()
    assert (walk.clicks, walk.fields) == (5, 3)
    assert link == f"{house.url}/me"
    client = open_page(link, base_url=house.url, locale="de-DE")
    visits.book(client)
    expect(client.get_by_text("Nina Neu").first).to_be_visible()
    walk.page.get_by_role("link", name="Zum Schreibtisch").click()
    expect(walk.page.get_by_role("main")).to_contain_text("Kim")


@pytest.mark.parametrize("with_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_the_set_up_works_with_and_without_javascript(open_page: OpenPage, site: Site, with_javascript: bool) -> None:
    slug, path = add_newcomer(site)
    page = open_page(path, locale="de-DE", java_script_enabled=with_javascript)
    link = Walk(page).all_the_way()
    assert link == f"{site.url}/{slug}"
    copy = page.locator("[data-copies=address]")
    if with_javascript:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copy.click()
        expect(page.get_by_role("status").first).to_have_text("Kopiert")
        assert page.evaluate("navigator.clipboard.readText()") == link
    else:
        expect(copy).to_be_hidden()
    client = open_page(f"/{slug}/call")
    visits.book(client)
    with site.services.database.reading() as db:
        assert db.scalars(select(Call).join(Owner).where(Owner.slug == slug)).one().name == "Kim"


def test_whoever_skips_everything_can_be_booked_by_six_clicks(open_page: OpenPage, site: Site) -> None:
    slug, path = add_newcomer(site)
    walk = Walk(open_page(path))
    walk.click("Schreibtisch öffnen")
    for _step in range(3):
        walk.click("Überspringen")
    walk.click("Weiter")
    walk.at("Ihre Seite ist bereit")
    assert step_of(site, slug) == ""
    visits.book(open_page(f"/{slug}/call"))


def test_leaving_and_going_back_keeps_what_was_typed(open_page: OpenPage, site: Site) -> None:
    slug, path = add_newcomer(site)
    walk = Walk(open_page(path))
    page = walk.page
    walk.click("Schreibtisch öffnen")
    walk.click("Überspringen")
    page.get_by_role("link", name="Später weitermachen").click()
    page.get_by_role("link", name="Einrichtung abschließen").click()
    walk.at("Wann sind Sie zu erreichen?")
    page.get_by_label("Freitag").uncheck()
    walk.click("Speichern und weiter")
    page.go_back()
    expect(page.get_by_label("Freitag")).not_to_be_checked()
    page.go_forward()
    page.get_by_label("Bezeichnung").fill("Beratung")
    page.get_by_label("Sie werden angerufen").check()
    page.locator("#own_number").fill("030 901820")
    walk.click("Speichern und weiter")
    page.get_by_role("link", name="Einen Schritt zurück").click()
    expect(page.get_by_label("Bezeichnung")).to_have_value("Beratung")
    expect(page.locator("#own_number")).to_have_value("+49 30 901820")
    assert step_of(site, slug) == "calendar"


def test_the_page_speaks_the_chosen_language_at_once(open_page: OpenPage, site: Site) -> None:
    _, path = add_newcomer(site)
    walk = Walk(open_page(path))
    walk.click("Schreibtisch öffnen")
    walk.page.locator("#email").fill("nina@example.org")
    walk.page.locator("#locale").select_option("ru")
    walk.click("Speichern und weiter")
    expect(walk.page.locator("html")).to_have_attribute("lang", "ru")


def test_ten_cards_fit_on_one_sheet_of_a4(open_page: OpenPage, site: Site) -> None:
    _, path = add_newcomer(site)
    walk = Walk(open_page(path))
    walk.click("Schreibtisch öffnen")
    for query in ("", "?large=yes"):
        walk.page.goto(f"/desk/share/card{query}")
        pdf = walk.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type */Page\b", pdf)) == 1
        assert re.search(rb"/MediaBox *\[0 0 594\.\d+ 841\.\d+\]", pdf)
