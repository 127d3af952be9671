"""What the public pages say of an absence: ahead of it, during it, of one day, of two in a row, over DST."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.services import Services
from booking.store.models import Calendar, CallType, Owner
from tests.builders import HOURS
from tests.web.visitors import Visitor, dump

TYPES, TIMES = "/anna", "/anna/call"
AWAY = Absence(date(2026, 12, 1), date(2026, 12, 4), "I read no mails.", "Bert Beispiel\n+49 30 5550123")


def plan(services: Services, *absences: Absence, hours: str = HOURS, at: datetime | None = None, **owner: Any) -> None:
    """Let Anna plan absences; it is ``at``, and her calendar was just read."""
    if at is not None:
        services.now.time = at  # type: ignore[attr-defined]
    now = services.now()
    with services.database.writing() as db:
        timetable = Timetable(weekly=parse_weekly(hours), absences=absences)
        db.execute(sa.update(Owner).values(timetable=timetable, revision=Owner.revision + 1, **owner))
        db.execute(sa.update(Calendar).values(read_at=now, covered_until=now + timedelta(days=100)))


def links(text: str) -> list[tuple[str, str]]:
    """Return path with start, and label, of the times that the notices name."""
    found = re.findall(r'class="around" href="([^"]*)"[^>]*>([^<]*)</a>', text)
    return [(href.replace("&amp;", "&"), label) for href, label in found]


def starts(text: str) -> list[datetime]:
    return [datetime.fromisoformat(re.findall(r"start=([^&]*)", href)[0]) for href, _ in links(text)]


def assert_bookable(visitor: Visitor, hrefs: Sequence[tuple[str, str]]) -> None:
    for href, _ in hrefs:
        assert visitor.get(href).status_code == 200, href


def test_ahead_of_it_the_page_names_the_last_free_times_before(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    text = anna.get(TIMES).text
    assert "I am away from Tuesday, 1 December to Friday, 4 December." in text
    assert "I am back on Monday, 7 December." in text
    assert "The last free times before (Berlin time):" in text
    assert [label for _, label in links(text)] == ["Mon 30 Nov, 16:15", "Mon 30 Nov, 16:30"]
    assert "I read no mails." in text
    assert re.search(r"While I am away you can turn to:<br><span[^>]*>Bert Beispiel\n\+49 30 5550123</span>", text)
    assert_bookable(anna, links(text))


def test_during_it_the_page_names_the_first_free_time_after(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY, at=datetime(2026, 12, 2, 10, tzinfo=UTC))
    text = anna.get(TIMES).text
    assert "The first free time after (Berlin time):" in text
    assert [label for _, label in links(text)] == ["Mon 7 Dec, 10:00"], "an hour of notice, in working time"
    assert "Bert Beispiel" in text
    assert "last free" not in text
    assert_bookable(anna, links(text))


def test_afterwards_nothing_of_it_is_left(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY, at=datetime(2026, 12, 4, 23, tzinfo=UTC))
    for path in (TYPES, TIMES):
        text = anna.get(path).text
        assert "I am away" not in text
        assert links(text) == []


def test_the_list_of_call_types_names_one_time_of_each(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    text = anna.get(TYPES).text
    assert "The last free times before (Berlin time):" in text
    assert [(href.partition("?")[0], label) for href, label in links(text)] == [
        ("/anna/call/book", "Mon 30 Nov, 16:30"),
        ("/anna/text/book", "Mon 30 Nov, 16:30"),
        ("/anna/short/book", "Mon 30 Nov, 16:45"),
    ]
    assert "(Short question)" in text
    assert_bookable(anna, links(text))
    plan(annas, AWAY, at=datetime(2026, 12, 2, 10, tzinfo=UTC))
    assert "The first free times after (Berlin time):" in anna.get(TYPES).text


def test_the_list_promises_nothing_while_a_calendar_is_silent(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    annas.now.advance(timedelta(minutes=20))  # type: ignore[attr-defined]
    text = anna.get(TYPES).text
    assert "I am away" in text
    assert links(text) == []


def test_times_are_the_reader_s_and_days_the_owner_s(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    text = anna.get(f"{TIMES}?tz=Asia/Tokyo").text
    assert "from Tuesday, 1 December to Friday, 4 December" in text
    assert "(Tokyo time)" in text
    assert [label for _, label in links(text)] == ["Tue 1 Dec, 0:15", "Tue 1 Dec, 0:30"]
    assert all("tz=Asia" in href for href, _ in links(text))


def test_an_absence_of_one_day_has_times_on_both_sides(anna: Visitor, annas: Services) -> None:
    one = Absence(date(2026, 11, 25), date(2026, 11, 25))
    plan(annas, one)
    assert [start.date() for start in starts(anna.get(TIMES).text)] == [date(2026, 11, 24)] * 2
    plan(annas, one, at=datetime(2026, 11, 25, 9, tzinfo=UTC))
    assert [start.date() for start in starts(anna.get(TIMES).text)] == [date(2026, 11, 26)]


def test_two_absences_in_a_row_are_told_as_one_way(anna: Visitor, annas: Services) -> None:
    """Friday and Monday off: before both there is a last time, after both a first one, and one day of return."""
    plan(annas, Absence(date(2026, 12, 4), date(2026, 12, 4)), Absence(date(2026, 12, 7), date(2026, 12, 8)))
    text = anna.get(TIMES).text
    assert text.index("I am away on Friday, 4 December.") < text.index("I am away from Monday, 7 December to Tuesday")
    assert re.findall(r"I am back on [^.]*", text) == ["I am back on Wednesday, 9 December"]
    assert [start.date() for start in starts(text)] == [date(2026, 12, 3)] * 2
    plan(
        annas,
        Absence(date(2026, 12, 4), date(2026, 12, 4)),
        Absence(date(2026, 12, 7), date(2026, 12, 8)),
        at=datetime(2026, 12, 4, 9, tzinfo=UTC),
    )
    assert [start.date() for start in starts(anna.get(TIMES).text)] == [date(2026, 12, 9)]


def test_between_two_absences_both_have_their_times(anna: Visitor, annas: Services) -> None:
    first, second = Absence(date(2026, 12, 1), date(2026, 12, 1)), Absence(date(2026, 12, 3), date(2026, 12, 4))
    plan(annas, first, second, at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    days = [start.date() for start in starts(anna.get(TIMES).text)]
    assert days == [date(2026, 12, 2)] * 3, "one after the first, two before the second"


def test_without_a_free_time_before_the_page_says_so(anna: Visitor, annas: Services) -> None:
    plan(annas, Absence(date(2026, 11, 24), date(2026, 11, 26)), hours="tue-fri 09:00-12:00")
    text = anna.get(TIMES).text
    assert "There is no free time left before then." in text
    assert links(text) == []


def test_an_absence_beyond_what_can_be_booked_names_no_last_time(anna: Visitor, annas: Services) -> None:
    """The last time that can be booked is not the last one before it."""
    with annas.database.writing() as db:
        db.execute(sa.update(CallType).values(horizon_days=5))
    plan(annas, AWAY)
    text = anna.get(TIMES).text
    assert "I am away" in text
    assert links(text) == []
    assert "no free time left" not in text


@pytest.mark.parametrize(
    ("zone", "day", "now"),
    [
        ("Europe/Berlin", date(2027, 3, 28), datetime(2027, 3, 22, 9, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 19, 9, tzinfo=UTC)),
        ("America/Santiago", date(2027, 9, 5), datetime(2027, 8, 30, 9, tzinfo=UTC)),
        ("America/Havana", date(2026, 11, 1), datetime(2026, 10, 26, 9, tzinfo=UTC)),
    ],
    ids=["23 hours", "25 hours", "no midnight", "two midnights"],
)
def test_a_day_on_which_clocks_change_is_a_whole_day_off(
    anna: Visitor, annas: Services, zone: str, day: date, now: datetime
) -> None:
    away, hours = Absence(day, day), "mon-sun 00:00-24:00"
    plan(annas, away, hours=hours, at=now, timezone=zone)
    before = starts(anna.get(TIMES).text)
    assert [start.astimezone(ZoneInfo(zone)).date() for start in before] == [day - timedelta(days=1)] * 2
    plan(annas, away, hours=hours, at=datetime.combine(day, now.time(), UTC) + timedelta(hours=6), timezone=zone)
    after = starts(anna.get(TIMES).text)
    assert [start.astimezone(ZoneInfo(zone)).date() for start in after] == [day + timedelta(days=1)]


@pytest.mark.parametrize(("code", "words"), [("de", "Letzte freie Zeiten davor"), ("ru", "Последнее свободное время")])
def test_it_is_said_in_the_reader_s_language_and_the_owner_s_words_are_marked(
    anna: Visitor, annas: Services, code: str, words: str
) -> None:
    plan(annas, AWAY)
    text = anna.get(f"{TIMES}?lang={code}").text
    assert words in text
    assert re.search(r'lang="en">Bert Beispiel', text)
    assert all(f"lang={code}" in href for href, _ in links(text))


@pytest.mark.parametrize("path", [TYPES, TIMES])
def test_in_a_frame_the_times_open_outside_of_it(anna: Visitor, annas: Services, path: str) -> None:
    plan(annas, AWAY, embed_sites="https://shop.example.org")
    text = anna.get(f"{path}?embed=1").text
    found = re.findall(r'class="around"[^>]*>', text)
    assert found
    assert all('target="_top"' in tag for tag in found)


def test_what_an_owner_wrote_is_text_and_no_markup(anna: Visitor, annas: Services) -> None:
    plan(annas, Absence(AWAY.first, AWAY.last, "<b>x</b>", "<i>y</i>"))
    text = anna.get(TIMES).text
    assert "<b>x" not in text
    assert "<i>y" not in text


def test_a_call_that_is_moved_sees_the_same(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    token = anna.token()
    found = links(anna.get(f"/c/{token}/move").text)
    assert [label for _, label in found] == ["Mon 30 Nov, 16:15", "Mon 30 Nov, 16:30"]
    assert all(href.startswith(f"/c/{token}/move?") for href, _ in found)
    assert_bookable(anna, found)


def test_programs_are_told_the_day_of_return_and_who_stands_in(anna: Visitor, annas: Services) -> None:
    plan(annas, Absence(AWAY.first, AWAY.last, "", "Bert"))
    assert anna.get("/api/v1/anna").get_json()["notice"] == {
        "from": "2026-12-01",
        "to": "2026-12-04",
        "back": "2026-12-07",
        "text": "",
        "stand_in": "Bert",
    }


def test_looking_changes_nothing(anna: Visitor, annas: Services) -> None:
    plan(annas, AWAY)
    before = dump(annas)
    for path in (TYPES, TIMES, "/api/v1/anna"):
        anna.get(path)
    assert dump(annas) == before


def test_an_absence_costs_the_page_of_times_no_query(anna: Visitor, annas: Services) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = annas.database._engine
    counts = []
    for absences in ((), (AWAY,)):
        plan(annas, *absences)
        sa.event.listen(engine, "before_cursor_execute", note)
        assert ("I am away" in anna.get(TIMES).text) is bool(absences)
        sa.event.remove(engine, "before_cursor_execute", note)
        counts.append(len(asked))
        asked.clear()
    assert counts[0] == counts[1] > 0
