"""What browsers may keep, what a process keeps of a page of times, and how much the page weighs."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.models import Calendar, Owner
from booking.usecases import hours, setup
from booking.web.shelf import KEPT_SECONDS, MOST_TEXTS, Shelf
from tests.builders import add_call_type, add_owner
from tests.fakes import MONDAY, Clock
from tests.web.visitors import TUESDAY, Visitor

TIMES = "/anna/call?day=2026-11-24&lang=en"
SLOTS = "/api/v1/anna/call/slots?from=2026-11-24&to=2026-11-24"
KEPT = ["/anna", TIMES, "/anna/privacy", "/anna/imprint"]
HEAVIEST = 40 * 1024


@pytest.fixture(autouse=True)
def imprint(annas: Services) -> None:
    """Anna has an imprint."""
    change(annas, sa.update(Owner).values(imprint="Anna Beispiel, Berlin"))


def change(services: Services, statement: sa.Update) -> None:
    with services.database.writing() as db:
        db.execute(statement)


# What browsers may keep


@pytest.mark.parametrize("path", KEPT)
def test_a_page_that_has_not_changed_is_not_sent_again(anna: Visitor, path: str) -> None:
    first = anna.get(path)
    again = anna.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert anna.get(path, headers={"If-None-Match": '"another"'}).data == first.data


def test_a_proxy_that_compresses_and_weakens_the_etag_still_gets_304(anna: Visitor) -> None:
    etag = anna.get(TIMES).headers["ETag"]
    assert not etag.startswith("W/")
    assert anna.get(TIMES, headers={"If-None-Match": f"W/{etag}"}).status_code == 304


@pytest.mark.parametrize("path", KEPT)
def test_a_public_page_may_be_kept_by_the_reader_alone_who_asks_each_time(anna: Visitor, path: str) -> None:
    answer = anna.get(path)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert not answer.headers.getlist("Set-Cookie")
    assert 'name="csrf_token"' not in answer.text


@pytest.mark.parametrize("path", KEPT)
def test_each_language_has_an_etag_of_its_own(anna: Visitor, path: str) -> None:
    path = path.replace("&lang=en", "")
    tags = [anna.get(path, headers={"Accept-Language": code}).headers["ETag"] for code in ("en", "de", "ru")]
    assert len(set(tags)) == 3


def test_pages_for_one_reader_are_kept_by_nobody(anna: Visitor) -> None:
    for path in (f"/anna/call/book?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}", f"/c/{anna.token()}", "/nobody/call"):
        answer = anna.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert "ETag" not in answer.headers, path


# What a process keeps: never longer than it is true


def lock_and(work: Callable[..., object]) -> Callable[[Visitor], None]:
    def run(anna: Visitor) -> None:
        with anna.services.database.writing() as db:
            work(db)

    return run


def read_event(anna: Visitor) -> None:
    """Let the worker's reading bring an event at nine."""
    busy = Timeline.of([Period(TUESDAY, TUESDAY + timedelta(minutes=30))])
    with anna.services.database.writing() as db:
        setup.lock(db, "anna")
        db.execute(sa.update(Calendar).values(busy=busy))


CHANGES: dict[str, Callable[[Visitor], object]] = {
    "a booking": lambda anna: anna.book(),
    "an event": read_event,
    "closed that day": lock_and(lambda db: hours.override_day(db, "anna", date(2026, 11, 24), "closed")),
    "other hours": lock_and(lambda db: hours.set_hours(db, "anna", "mon-fri 13:00-17:00")),
    "longer notice": lock_and(lambda db: setup.set_call_type(db, "anna", "call", ["notice_minutes=2880"])),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_takes_a_time_away_takes_it_off_the_page_at_once(anna: Visitor, what: str) -> None:
    label, slot = 'aria-label="Book Tuesday, 24 November, 9:00"', '"2026-11-24T09:00:00+01:00"'
    assert label in anna.get(TIMES).text
    assert slot in anna.get(SLOTS).text
    CHANGES[what](anna)
    assert label not in anna.get(TIMES).text
    assert slot not in anna.get(SLOTS).text


def test_a_cancelled_call_gives_its_time_back_at_once(anna: Visitor) -> None:
    token = anna.token()
    assert "Tuesday, 24 November, 9:00" not in anna.get(TIMES).text
    anna.post(f"/api/v1/calls/{token}/cancel")
    assert "Tuesday, 24 November, 9:00" in anna.get(TIMES).text


def test_a_time_goes_with_the_minute_in_which_it_becomes_too_soon(anna: Visitor, clock: Clock) -> None:
    first = "/anna/call?day=2026-11-23&lang=en"
    clock.time = MONDAY - timedelta(seconds=1)
    assert "Book Monday, 23 November, 10:00" in anna.get(first).text
    clock.time = MONDAY
    assert "Book Monday, 23 November, 10:00" in anna.get(first).text
    clock.time = MONDAY + timedelta(seconds=1)
    assert "Book Monday, 23 November, 10:00" not in anna.get(first).text


def test_a_calendar_that_falls_silent_is_noticed(anna: Visitor, clock: Clock) -> None:
    clock.advance(timedelta(minutes=15))
    assert anna.get(SLOTS).get_json()["mode"] == "book"
    clock.advance(timedelta(seconds=KEPT_SECONDS))
    assert anna.get(SLOTS).get_json()["mode"] == "request"


def test_another_owner_who_takes_over_a_name_is_not_mistaken_for_the_one_before(anna: Visitor) -> None:
    assert "Anna Beispiel" in anna.get(TIMES).text
    with anna.services.database.writing() as db:
        setup.set_owner(db, "anna", ["slug=anna-b"])
        other = add_owner(db, "anna", name="Anna Zweig", revision=db.scalar(sa.select(Owner.revision)))
        add_call_type(db, other, "call")
    assert "Anna Zweig" in anna.get(TIMES).text


def test_readers_get_their_own_language_zone_and_day_from_what_is_kept(anna: Visitor) -> None:
    paths = [
        "/anna/call?day=2026-11-24",
        "/anna/call?day=2026-11-25",
        "/anna/call?day=2026-11-24&lang=de",
        "/anna/call?day=2026-11-24&tz=Asia/Tokyo",
        "/anna/call?day=2026-11-24&tz=Europe/Berlin",
        "/anna/text?day=2026-11-24",
    ]
    first = [anna.get(path).data for path in paths]
    assert len(set(first)) == len(paths)
    assert [anna.get(path).data for path in paths] == first


def test_an_unchanged_offer_is_worked_out_once(annas: Services) -> None:
    shelf = Shelf()
    offers = [shelf.offer(annas.database, "anna", "call", annas.now()) for _ in range(2)]
    assert offers[0] is offers[1]


def test_what_is_kept_of_an_offer_stays_small_whatever_is_asked_for(annas: Services) -> None:
    offer = Shelf().offer(annas.database, "anna", "call", annas.now())
    for number in range(5 * MOST_TEXTS):
        assert offer.text(number, str(number).encode).body == str(number).encode()
    assert len(offer._texts) <= MOST_TEXTS


def test_a_part_of_an_offer_is_what_the_slot_rules_say_of_that_part(annas: Services) -> None:
    offer = Shelf().offer(annas.database, "anna", "call", annas.now())
    for window in (Period(TUESDAY, TUESDAY + timedelta(hours=1)), Period(MONDAY - timedelta(days=9), TUESDAY)):
        assert offer.free(window) == [start for start in offer.all_free() if window.start <= start < window.end]
        assert all(offer.why_not(start) is None for start in offer.free(window))


# How much a page weighs


@pytest.mark.parametrize("language", ["en", "de", "ru"])
def test_the_page_of_times_weighs_at_most_40_kb_with_all_it_loads(app: Flask, annas: Services, language: str) -> None:
    with annas.database.writing() as db:
        setup.set_owner(db, "anna", ["accent=#8a4b2a"])
        hours.set_hours(db, "anna", "mon-sun 08:00-20:00")
    anna = Visitor(app)
    answer = anna.get(f"/anna/call?lang={language}&day=2026-11-24")
    loaded = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', answer.text)
    assert len(loaded) == 4, loaded
    answers = [answer, *(anna.get(path.replace("&amp;", "&")) for path in loaded)]
    assert all(each.status_code == 200 for each in answers)
    weight = sum(len(each.data) + len(str(each.headers)) for each in answers)
    assert weight <= HEAVIEST, {path: len(each.data) for path, each in zip(["the page", *loaded], answers, strict=True)}


def test_the_list_of_time_zones_is_sent_to_those_who_want_it(anna: Visitor) -> None:
    page = anna.page(TIMES)
    assert not page.forms
    (way,) = [link for link in page.links if "choose=zone" in link]
    (form,) = anna.page(f"/anna/call{way.partition('#')[0]}").forms
    assert form.method == "get"
    assert form.fields == {"day": "2026-11-24", "lang": "en", "tz": "Europe/Berlin"}
