"""The title of an event, as its owner wrote it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from booking.calendars.titles import LONGEST, title_of

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def ics(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\r\n{event}END:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\n{body}END:VCALENDAR\r\n"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("SUMMARY:Dentist\r\n", "Dentist"),
        ("SUMMARY;LANGUAGE=de:Zahnarzt\\, oben\r\n", "Zahnarzt, oben"),
        ("SUMMARY:A long\r\n  story\r\n", "A long story"),
        ("SUMMARY:two\\nlines\r\n", "two lines"),
        ("SUMMARY:\r\n", ""),
        ("DESCRIPTION:SUMMARY: no\r\n", ""),
        ("", ""),
    ],
)
def test_a_title_is_read_in_one_line(written: str, title: str) -> None:
    assert title_of(ics(f"DTSTART:20261124T080000Z\r\n{written}"), NINE, BERLIN) == title


def test_a_changed_instance_has_its_own_title() -> None:
    series = "DTSTART;TZID=Europe/Berlin:20261123T090000\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Every day\r\n"
    changed = (
        "RECURRENCE-ID;TZID=Europe/Berlin:20261124T100000\r\n"
        "DTSTART;TZID=Europe/Berlin:20261124T090000\r\nSUMMARY:Only today\r\n"
    )
    assert title_of(ics(series, changed), NINE, BERLIN) == "Only today"
    assert title_of(ics(series, changed), NINE.replace(day=25), BERLIN) == "Every day"


def test_a_hostile_title_is_one_short_line() -> None:
    title = title_of(ics("SUMMARY:" + "x\u202ey\x07" * 500 + "\r\n"), NINE, BERLIN)
    assert len(title) <= LONGEST
    assert title.isprintable()


def test_what_is_no_calendar_has_no_title() -> None:
    assert title_of("<html>", NINE, BERLIN) == ""
