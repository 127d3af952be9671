"""What we write as iCalendar says what was meant, whatever strangers typed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Component

from booking.rules.ics import calendar_event, client_ics
from booking.rules.text import several_lines, single_line

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
STAMP = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "uid": "abc-1@calls.example.org",
    "call_id": "abc",
    "sequence": 3,
    "starts_at": START,
    "ends_at": START + timedelta(minutes=30),
    "stamp": STAMP,
    "title": "Call: Kim",
    "link": "https://calls.example.org/desk/calls/abc",
}
FILE: dict[str, Any] = {
    "uid": "def@calls.example.org",
    "sequence": 1,
    "starts_at": START,
    "ends_at": START + timedelta(minutes=30),
    "stamp": STAMP,
    "title": "Call with Anna Beispiel",
    "description": "I will call you.\nhttps://calls.example.org/c/abc",
    "organizer_name": "Anna Beispiel",
    "organizer_email": "calls@example.org",
    "attendee_email": "kim@example.com",
}

NASTY = st.sampled_from(
    [
        "\r\nATTENDEE:mailto:eve@example.org",
        "\nEND:VEVENT\r\nBEGIN:VALARM",
        '";CN=x:',
        "\\n",
        "\\;",
        "\x00",
        "\x07",
        "\x0b",
        "\x1c",
        "\x85",
        "\u2028",
        "\u202e",
        "^n",
        "^'",
        ",",
        ";",
        "ß" * 80,
    ]
)
STRANGE = st.lists(st.one_of(NASTY, st.text(st.characters(), max_size=8)), max_size=6).map("".join)


def parsed(ics: str) -> Component:
    calendar = Calendar.from_ical(ics)
    assert isinstance(calendar, Component)
    return calendar


def only_event(ics: str) -> Component:
    calendar = parsed(ics)
    assert [component.name for component in calendar.walk()] == ["VCALENDAR", "VEVENT"]
    event: Component = calendar.walk("VEVENT")[0]
    assert not event.errors
    return event


def names(ics: str) -> list[str]:
    return sorted(name for name, _ in parsed(ics).property_items())


def test_the_owners_event_says_when_and_that_it_is_ours_and_invites_nobody() -> None:
    ics = calendar_event(**EVENT)
    assert sorted(ics.split("\r\n")) == sorted(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Sprechzeit//Sprechzeit//EN",
            "BEGIN:VEVENT",
            "UID:abc-1@calls.example.org",
            "DTSTAMP:20261120T120000Z",
            "DTSTART:20261124T083000Z",
            "DTEND:20261124T090000Z",
            "SEQUENCE:3",
            "STATUS:CONFIRMED",
            "CLASS:PRIVATE",
            "TRANSP:OPAQUE",
            "SUMMARY:Call: Kim",
            "DESCRIPTION:https://calls.example.org/desk/calls/abc",
            "X-SPRECHZEIT-CALL:abc",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


def test_times_of_any_zone_are_written_in_utc() -> None:
    there = ZoneInfo("Asia/Kathmandu")
    local = {name: EVENT[name].astimezone(there) for name in ("starts_at", "ends_at", "stamp")}
    assert calendar_event(**{**EVENT, **local}) == calendar_event(**EVENT)


@pytest.mark.parametrize(("method", "status"), [("REQUEST", "CONFIRMED"), ("CANCEL", "CANCELLED")])
def test_a_mailed_file_names_the_organizer_and_one_attendee_who_need_not_answer(method: str, status: str) -> None:
    ics = client_ics(**{**FILE, "method": method})
    event = only_event(ics)
    assert parsed(ics)["METHOD"] == method
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == (status, 1, "def@calls.example.org")
    assert event["ORGANIZER"] == "mailto:calls@example.org"
    assert event["ORGANIZER"].params == {"CN": "Anna Beispiel"}
    assert event["ATTENDEE"] == "mailto:kim@example.com"
    assert event["ATTENDEE"].params == {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert event["DESCRIPTION"] == FILE["description"]


def test_a_file_for_download_names_no_attendee() -> None:
    ics = client_ics(**{**FILE, "method": "PUBLISH"})
    assert parsed(ics)["METHOD"] == "PUBLISH"
    assert "ATTENDEE" not in only_event(ics)


def test_a_file_without_a_name_and_a_description_leaves_both_out() -> None:
    event = only_event(client_ics(**{**FILE, "method": "REQUEST", "organizer_name": "", "description": ""}))
    assert event["ORGANIZER"].params == {}
    assert "DESCRIPTION" not in event


@settings(deadline=None)
@given(STRANGE, STRANGE)
def test_no_text_changes_the_properties_of_the_owners_event(title: str, call_id: str) -> None:
    ics = calendar_event(**{**EVENT, "title": title, "call_id": call_id})
    event = only_event(ics)
    assert names(ics) == names(calendar_event(**EVENT))
    assert event["SUMMARY"] == single_line(title)
    assert event["X-SPRECHZEIT-CALL"] == single_line(call_id)


@settings(deadline=None)
@given(STRANGE, STRANGE, STRANGE)
def test_no_text_changes_the_properties_of_the_clients_file(title: str, description: str, name: str) -> None:
    texts = {"title": title, "description": f"x{description}", "organizer_name": f"x{name}"}
    ics = client_ics(**{**FILE, "method": "REQUEST", **texts})
    event = only_event(ics)
    assert names(ics) == names(client_ics(**{**FILE, "method": "REQUEST"}))
    assert event["SUMMARY"] == single_line(title)
    assert event["DESCRIPTION"] == several_lines(f"x{description}")
    assert event["ORGANIZER"].params == {"CN": single_line(re.sub(r"[\\^]", "", f"x{name}").replace('"', "'"))}
    assert event["ATTENDEE"].params == {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}


@settings(deadline=None)
@given(STRANGE)
def test_every_line_ends_in_crlf_and_has_at_most_75_octets(title: str) -> None:
    ics = calendar_event(**{**EVENT, "title": title})
    assert not re.search("(?<!\r)\n|\r(?!\n)", ics)
    assert max(len(line.encode()) for line in ics.split("\r\n")) <= 75
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", ics)
