"""The public pages before the form: who takes the calls, and which times are free."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from booking.language import language
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.services import Services
from booking.store.models import Calendar, CallType, Owner
from booking.usecases.availability import load_offer
from booking.web.times import Times, by_day
from tests.builders import HOURS, add_calendar, add_call_type, add_owner
from tests.fakes import MONDAY
from tests.web.visitors import Visitor, dump

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_PAGE = (
    "/anna",
    "/anna/call",
    "/anna/call?tz=Asia/Kathmandu&day=2026-11-28",
    "/anna/text/book?start=2026-11-24T08:00:00Z",
    "/anna/text/book?start=2026-11-24T08:01:00Z",
    "/anna/privacy",
    "/nobody",
)


def change_owner(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).values(**values))


def change_types(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(CallType).values(**values))


def labels(text: str) -> list[str]:
    """Return what the links to free times read out."""
    return re.findall(r'class="time"[^>]*aria-label="([^"]*)"', text)


# Who


def test_the_only_owner_is_found_at_the_root(anna: Visitor) -> None:
    answer = anna.get("/?lang=de")
    assert (answer.status_code, answer.location) == (302, "/anna?lang=de")


def test_with_two_owners_the_root_leads_nowhere(anna: Visitor, annas: Services) -> None:
    with annas.database.writing() as db:
        add_owner(db, "bert")
    assert anna.get("/").status_code == 404


@pytest.mark.parametrize(
    "path", ["/nobody", "/nobody/call", "/anna/nothing", "/nobody/privacy", "/anna/accent.css", "/c/forged"]
)
def test_what_is_not_there_is_404(anna: Visitor, path: str) -> None:
    assert anna.get(path).status_code == 404


def test_the_call_types_say_name_length_and_who_calls_whom(anna: Visitor) -> None:
    text = anna.get("/anna").text
    for words in ("Anna Beispiel", "Texts that are read.", "First call", "We get to know each other."):
        assert words in text
    assert "30 minutes · I call you" in text
    assert "30 minutes · You choose who calls whom" in text
    assert "15 minutes · You call me" in text
    assert text.index("First call") < text.index("About a text") < text.index("Short question")


def test_a_single_call_type_leads_straight_to_its_times_in_the_readers_language_and_zone(
    anna: Visitor, annas: Services
) -> None:
    with annas.database.writing() as db:
        db.execute(sa.delete(CallType).where(CallType.slug != "call"))
    answer = anna.get("/anna?lang=ru&tz=Asia/Tokyo")
    assert (answer.status_code, answer.location) == (302, "/anna/call?lang=ru&tz=Asia/Tokyo")
    assert "other calls" not in anna.get("/anna/call").text


def test_an_owner_without_call_types_says_what_to_do(anna: Visitor, annas: Services) -> None:
    with annas.database.writing() as db:
        db.execute(sa.delete(CallType))
    assert "Look again in a few days." in anna.get("/anna").text


def test_an_absence_is_announced_two_weeks_ahead_with_the_day_of_return(anna: Visitor, annas: Services) -> None:
    away = Absence(date(2026, 12, 3), date(2026, 12, 11), "My colleague helps.")
    change_owner(annas, timetable=Timetable(weekly=parse_weekly(HOURS), absences=(away,)))
    for path in ("/anna", "/anna/call"):
        text = anna.get(path).text
        assert "I am away from Thursday, 3 December to Friday, 11 December." in text
        assert "I am back on Monday, 14 December." in text
        assert "My colleague helps." in text


def test_an_absence_of_one_day_names_it_once(anna: Visitor, annas: Services) -> None:
    away = Absence(date(2026, 11, 23), date(2026, 11, 23))
    change_owner(annas, timetable=Timetable(weekly=parse_weekly(HOURS), absences=(away,)))
    text = anna.get("/anna").text
    assert "I am away on Monday, 23 November." in text
    assert "I am back on Tuesday, 24 November." in text


def test_absences_that_are_over_or_far_off_are_not_announced(anna: Visitor, annas: Services) -> None:
    past = Absence(date(2026, 11, 16), date(2026, 11, 22))
    far = Absence(date(2026, 12, 8), date(2026, 12, 9))
    change_owner(annas, timetable=Timetable(weekly=parse_weekly(HOURS), absences=(past, far)))
    assert "I am away" not in anna.get("/anna").text


def test_an_owner_who_keeps_no_hours_names_no_day_of_return(anna: Visitor, annas: Services) -> None:
    away = Absence(date(2026, 11, 23), date(2026, 11, 27))
    change_owner(annas, timetable=Timetable(absences=(away,)))
    text = anna.get("/anna").text
    assert "I am away" in text
    assert "I am back" not in text


# Times


def test_the_page_shows_the_times_that_are_offered_and_no_others(anna: Visitor, annas: Services) -> None:
    with annas.database.reading() as db:
        offered = by_day(load_offer(db, "anna", "call", MONDAY).all_free(), BERLIN)
    for day in (date(2026, 11, 24), date(2026, 11, 27), date(2026, 12, 1)):
        text = anna.get(f"/anna/call?day={day}").text
        shown = [datetime.fromisoformat(start) for start in re.findall(r'class="time" href="[^"]*start=([^"&]*)', text)]
        assert shown == offered[day]


def test_the_first_free_time_is_a_link(anna: Visitor) -> None:
    page = anna.get("/anna/call")
    assert "Next free: Mon 23 Nov, 10:00" in page.text
    assert "/anna/call/book?start=2026-11-23T09:00:00Z" in page.text


def test_times_are_grouped_by_parts_of_the_day(anna: Visitor) -> None:
    text = anna.get("/anna/call?day=2026-11-24").text
    assert text.index("Morning") < text.index(">9:00<") < text.index("Afternoon") < text.index(">13:00<")
    assert "Evening" not in text
    assert "Night" not in text


def test_each_time_is_read_out_in_full(anna: Visitor) -> None:
    assert labels(anna.get("/anna/call?day=2026-11-24").text)[0] == "Book Tuesday, 24 November, 9:00"


def test_times_stand_in_the_readers_zone_with_the_owners_clock_beside(anna: Visitor) -> None:
    text = anna.get("/anna/call?day=2026-11-24&tz=America/New_York").text
    assert labels(text)[0] == "Book Tuesday, 24 November, 3:00 (Berlin time: 9:00)"
    assert "Times for New York (your time zone)" in text
    assert "Small: the time where I am (Berlin)" in text
    assert text.index("Night") < text.index(">3:00 ")


def test_without_a_zone_in_the_address_the_owners_counts(anna: Visitor) -> None:
    text = anna.get("/anna/call?day=2026-11-24").text
    assert "Times for Berlin" in text
    assert "your time zone" not in text
    assert "Small:" not in text


@pytest.mark.parametrize(
    "zone", ["Europe", "Mars/Olympus", "../etc/passwd", "Factory", "localtime", "", "Europe/Berlin\0"]
)
def test_a_zone_that_is_none_is_passed_over(anna: Visitor, zone: str) -> None:
    answer = anna.get("/anna/call", query_string={"tz": zone, "day": "2026-11-24"})
    assert answer.status_code == 200
    assert "Times for Berlin" in answer.text
    assert labels(answer.text)[0] == "Book Tuesday, 24 November, 9:00"


def test_the_zone_can_be_changed_by_a_form_that_keeps_day_and_language(anna: Visitor) -> None:
    page = anna.page("/anna/call?day=2026-11-24&lang=de&tz=Asia/Tokyo&choose=zone")
    form = next(form for form in page.forms if form.method == "get")
    assert form.fields == {"day": "2026-11-24", "lang": "de", "tz": "Asia/Tokyo"}
    text = anna.get("/anna/call?lang=de&tz=Asia/Tokyo&choose=zone").text
    assert '<option value="Asia/Tokyo" selected>Tokio</option>' in text
    assert '<optgroup label="Europa">' in text
    assert '<option value="America/Vancouver">Vancouver</option>' in text


def test_only_a_page_without_a_zone_looks_for_the_browsers(anna: Visitor) -> None:
    assert "zone.js" in anna.get("/anna/call").text
    assert 'data-zone="Europe/Berlin"' in anna.get("/anna/call").text
    for zone in ("Asia/Tokyo", "Mars/Olympus"):
        assert "zone.js" not in anna.get(f"/anna/call?tz={zone}").text


def test_days_without_a_free_time_are_dimmed_and_say_so(anna: Visitor) -> None:
    text = anna.get("/anna/call").text
    assert 'aria-label="Saturday, 28 November: no free time"' in text
    assert re.search(r'class="day free"[^>]*aria-current="true" aria-label="Monday, 23 November"', text)


def test_the_arrows_leave_out_weeks_without_a_free_time(anna: Visitor, annas: Services) -> None:
    away = Absence(date(2026, 11, 30), date(2026, 12, 13))
    change_owner(annas, timetable=Timetable(weekly=parse_weekly(HOURS), absences=(away,)))
    text = anna.get("/anna/call").text
    assert re.search(r'from=2026-12-14#chosen"[^>]*aria-label="Later days"', text)
    assert "Earlier days" not in text
    text = anna.get("/anna/call?from=2026-12-14").text
    assert re.search(r'from=2026-11-23#chosen"[^>]*aria-label="Earlier days"', text)
    assert "Monday, 14 December" in text


def test_the_month_shows_its_free_days_and_leads_to_the_next(anna: Visitor) -> None:
    text = anna.get("/anna/call?day=2026-12-02").text
    month = text[text.index('id="month"') : text.index("</table>")]
    assert "December 2026" in month
    assert 'aria-label="Friday, 4 December"' in month
    assert 'aria-label="Saturday, 5 December"' not in month
    assert re.search(r'day=2026-11-23#chosen"[^>]*aria-label="The month before"', text)
    assert re.search(r'day=2027-01-01#chosen"[^>]*aria-label="The month after"', text)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-28", "There are no free times on this day."),
        ("2026-12-25", "This day is a public holiday."),
        ("2026-12-03", "I am away on this day."),
        ("2027-01-18", "see my calendar for this day yet"),
    ],
)
def test_a_day_without_free_times_says_why_and_leads_on(anna: Visitor, annas: Services, day: str, words: str) -> None:
    away = Absence(date(2026, 12, 3), date(2026, 12, 3))
    timetable = Timetable(weekly=parse_weekly("mon-fri 09:00-12:00"), absences=(away,))
    change_owner(annas, timetable=timetable, holiday_country="DE")
    with annas.database.writing() as db:
        db.execute(sa.update(Calendar).values(covered_until=datetime(2027, 1, 16, tzinfo=UTC)))
    text = anna.get(f"/anna/call?day={day}").text
    assert words in text
    assert labels(text) == []
    assert ("Next day with free times" in text) is (day < "2027")


def test_a_silent_calendar_offers_to_note_a_time_and_says_why(anna: Visitor, annas: Services) -> None:
    annas.now.advance(timedelta(minutes=16))  # type: ignore[attr-defined]
    text = anna.get("/anna/call?day=2026-11-24").text
    assert "see my calendar at the moment." in text
    assert "free as far as I know." in text
    assert "start=2026-11-24T08:00:00Z" in text
    assert 'aria-label="Note Tuesday, 24 November, 9:00"' in text
    assert 'aria-label="Book ' not in text


def test_where_nothing_is_free_the_page_says_until_when(anna: Visitor, annas: Services) -> None:
    change_owner(annas, timetable=Timetable())
    change_types(annas, horizon_days=10)
    text = anna.get("/anna/call").text
    assert "There is no free time until Thursday, 3 December." in text
    assert "Look again in a few days." in text


@pytest.mark.parametrize(
    "query", ["day=yesterday", "from=0001-01-01", "day=9999-12-31", "from=2027-08-01", "day=2020-01-01"]
)
def test_days_out_of_reach_show_the_nearest_strip(anna: Visitor, query: str) -> None:
    answer = anna.get(f"/anna/call?{query}")
    assert answer.status_code == 200
    assert answer.text.count('class="day') > 7


def test_the_repeated_hour_of_the_readers_zone_names_its_offset(annas: Services) -> None:
    """New York turns its clocks back on 1 November 2026, at 6:00 UTC: 1:30 comes twice."""
    with annas.database.writing() as db:
        owner = add_owner(db, "aki", timezone="Asia/Tokyo", hours="sun 13:00-18:00")
        add_call_type(db, owner, "call", step_minutes=30, notice_minutes=0)
        add_calendar(db, owner, read_at=datetime(2026, 10, 30, tzinfo=UTC))
        now = datetime(2026, 10, 30, tzinfo=UTC)
        offer = load_offer(db, "aki", "call", now)
    shown = Times(offer, language("en"), ZoneInfo("America/New_York"), {"day": date(2026, 11, 1)})
    names = [time.label for _, times in shown.groups for time in times]
    assert "1:30 (UTC-0400)" in names
    assert "1:30 (UTC-0500)" in names
    assert "2:00" in names


def test_a_day_that_comes_twice_keeps_all_its_times() -> None:
    """Where clocks go back at midnight, the day before comes again for an hour."""
    havana = ZoneInfo("America/Havana")
    first = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    free = [first + timedelta(minutes=30 * number) for number in range(12)]
    days = by_day(free, havana)
    assert sorted(start for starts in days.values() for start in starts) == free
    assert all(start.astimezone(havana).date() == day for day, starts in days.items() for start in starts)


# Every page


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_every_page_has_one_heading_landmarks_and_a_way_past_them(anna: Visitor, path: str) -> None:
    text = anna.get(path).text
    assert text.count("<h1") == 1
    for mark in ("<main", "<footer", '<a class="skip" href="#main">', '<html lang="en"'):
        assert mark in text


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_no_page_carries_script_or_style_of_its_own(anna: Visitor, path: str) -> None:
    text = anna.get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_the_language_can_be_switched_on_every_page_and_nothing_else_changes(anna: Visitor, path: str) -> None:
    joined = "&" if "?" in path else "?"
    text = anna.get(f"{path}{joined}lang=ru").text
    assert '<html lang="ru"' in text
    assert re.search(r'hreflang="ru" aria-current="true">Русский<', text)
    link = re.search(r'href="([^"]*)" lang="de" hreflang="de">Deutsch<', text)
    assert link
    before = dict(pair.split("=") for pair in path.partition("?")[2].split("&") if pair)
    after = dict(pair.split("=") for pair in link[1].lstrip("?").replace("&amp;", "&").split("&"))
    assert {name: value.replace("%3A", ":").replace("%2F", "/") for name, value in after.items()} == {
        **before,
        "lang": "de",
    }


def test_language_and_zone_stay_in_every_link(anna: Visitor) -> None:
    page = anna.page("/anna/call?lang=de&tz=Asia/Tokyo")
    inner = [link for link in page.links if link.startswith("/anna") and ".css" not in link]
    assert len(inner) > 10
    assert all("lang=de" in link and "tz=Asia/Tokyo" in link.replace("%2F", "/") for link in inner)


def test_the_browsers_language_is_used(anna: Visitor) -> None:
    assert '<html lang="de"' in anna.get("/anna", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"}).text


def test_the_owners_language_is_used_where_nobody_asks_for_another(anna: Visitor, annas: Services) -> None:
    change_owner(annas, locale="ru")
    assert '<html lang="ru"' in anna.get("/anna").text
    assert '<html lang="ru"' in anna.get("/anna", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en"' in anna.get("/anna", headers={"Accept-Language": "en"}).text


def test_a_language_we_do_not_speak_is_passed_over(anna: Visitor) -> None:
    assert '<html lang="en"' in anna.get("/anna?lang=tlh").text


def test_reading_changes_nothing(anna: Visitor, annas: Services) -> None:
    before = dump(annas)
    for path in EVERY_PAGE:
        for method in ("GET", "HEAD", "OPTIONS"):
            anna.open(path, method)
    assert dump(annas) == before


def test_texts_of_the_owner_are_shown_as_text(anna: Visitor, annas: Services) -> None:
    payload = "<script>alert(1)</script>\"'"
    change_owner(annas, name=payload, line=payload, privacy=payload, imprint=payload)
    change_types(annas, name=payload, description=payload)
    for path in (
        "/anna",
        "/anna/call",
        "/anna/call/book?start=2026-11-24T08:00:00Z",
        "/anna/privacy",
        "/anna/imprint",
    ):
        text = anna.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


# Privacy, imprint, accent


def test_an_owner_without_an_imprint_has_neither_page_nor_link(anna: Visitor) -> None:
    assert anna.get("/anna/imprint").status_code == 404
    assert "Imprint" not in anna.get("/anna").text


def test_the_imprint_is_the_owners_text(anna: Visitor, annas: Services) -> None:
    change_owner(annas, imprint="Anna Beispiel\nMusterweg 1")
    assert "Anna Beispiel\nMusterweg 1" in anna.get("/anna/imprint").text
    assert "/anna/imprint" in anna.get("/anna").text


def test_the_privacy_notice_is_there_from_the_start_and_the_owners_own_replaces_it(
    anna: Visitor, annas: Services
) -> None:
    text = anna.get("/anna/privacy").text
    for words in ("What I keep", "For how long", "One, and only while the browser is open", "Your rights"):
        assert words in text
    change_owner(annas, privacy="Nothing is kept.")
    text = anna.get("/anna/privacy").text
    assert "Nothing is kept." in text
    assert "What I keep" not in text


def test_the_accent_is_a_stylesheet_of_its_own_that_browsers_may_keep(anna: Visitor, annas: Services) -> None:
    change_owner(annas, accent="#8a3b5c")
    link = re.search(r'href="(/anna/accent.css[^"]*)"', anna.get("/anna").text)
    assert link
    assert "8a3b5c" in link[1]
    answer = anna.get(link[1])
    assert answer.mimetype == "text/css"
    assert "--accent: #8a3b5c" in answer.text
    assert answer.cache_control.max_age


def test_static_files_are_kept_by_browsers_until_they_change(anna: Visitor) -> None:
    link = re.search(r'href="(/static/style.css\?v=\w+)"', anna.get("/anna").text)
    assert link
    assert anna.get(link[1]).cache_control.max_age
