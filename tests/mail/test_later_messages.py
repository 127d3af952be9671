"""What mails say of requests, moved calls, reminders and silent calendars."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.mail.facts import (
    NOW,
    START,
    calendar_in,
    calendar_mail,
    calendar_of,
    html_of,
    mail,
    text_of,
)

OWN_LINK = "https://calls.example.org/c/abc-1.sig"


def lines(**values: Any) -> list[str]:
    return text_of(mail(**values)).replace("\N{NO-BREAK SPACE}", " ").splitlines()


# Requests


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        (
            "en",
            "I can't see my calendar at the moment. "
            "I've noted your time and will tell you by 17:00 today whether it works.",
        ),
        (
            "de",
            "Ich komme gerade nicht an meinen Kalender. "
            "Ihre Zeit ist vorgemerkt; ob sie passt, erfahren Sie heute bis 17:00 Uhr.",
        ),
        ("ru", "Сейчас календарь недоступен. Время записано. Сегодня до 17:00 сообщу, подходит ли оно."),
    ],
)
def test_a_request_is_noted_with_the_time_of_its_answer(locale: str, sentence: str) -> None:
    assert lines(message="requested", locale=locale)[0] == sentence


@pytest.mark.parametrize(
    ("answer_by", "timezone", "told"),
    [
        (NOW + timedelta(hours=1), "Europe/Berlin", "by 14:00 today whether"),
        (datetime(2026, 11, 20, 22, 59, tzinfo=UTC), "Europe/Berlin", "by 23:59 today whether"),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), "Europe/Berlin", "by Saturday, 21 November, 0:00, whether"),
        (datetime(2026, 11, 20, 16, 0, tzinfo=UTC), "Pacific/Auckland", "by 5:00 today whether"),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), "America/Vancouver", "by Monday, 23 November, 8:00, whether"),
    ],
)
def test_the_day_of_the_answer_is_named_unless_it_is_today_where_the_client_is(
    answer_by: datetime, timezone: str, told: str
) -> None:
    """In Auckland it is Saturday already, for both now and the answer."""
    assert told in lines(message="requested", answer_by=answer_by, timezone=timezone)[0]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {},
            "You would like to talk on Tuesday, 24 November 2026, at 9:30 (Berlin time). "
            "If it works, I will call you on +49 170 …567.",
        ),
        (
            {"who_calls": "client", "client_phone": ""},
            "You would like to talk on Tuesday, 24 November 2026, at 9:30 (Berlin time). If it works, you call me.",
        ),
        (
            {"discretion": "neutral"},
            "You would like an appointment on Tuesday, 24 November 2026, at 9:30 (Berlin time). "
            "If it works, I will call you on +49 170 …567.",
        ),
        (
            {"timezone": "America/Vancouver"},
            "You would like to talk on Tuesday, 24 November 2026, at 0:30 (Vancouver time). "
            "If it works, I will call you on +49 170 …567. "
            "Where I am, it will be Tuesday, 24 November, 9:30 (Berlin time).",
        ),
    ],
)
def test_a_request_repeats_what_was_asked_for(values: dict[str, Any], sentence: str) -> None:
    told = lines(message="requested", **values)
    assert sentence in told
    assert told[told.index("See, correct or withdraw your request:") + 1] == OWN_LINK


def test_a_confirmed_request_says_so_and_then_what_a_booked_call_says() -> None:
    first, _, *rest = lines(message="confirmed")
    assert first == "I can see my calendar again: the time you asked for works."
    assert rest == lines(message="booked")


@pytest.mark.parametrize(
    ("is_unseen", "first", "offer"),
    [
        (
            False,
            "I am sorry: on Tuesday, 24 November 2026, at 9:30 (Berlin time), I am not free after all.",
            "The nearest free times:",
        ),
        (
            True,
            "I am sorry: I could not find out in time whether I am free on Tuesday, 24 November 2026, at 9:30 "
            "(Berlin time). That is why I can't promise you this time.",
            "As far as I know, these times are free:",
        ),
    ],
)
def test_a_declined_request_says_why_and_offers_other_times(is_unseen: bool, first: str, offer: str) -> None:
    told = lines(message="declined", is_unseen=is_unseen)
    assert told[0] == first
    assert told[2] == offer
    assert [line for line in told if "/book?" in line] == [
        f"https://calls.example.org/anna/book?start={start}&tz=Europe/Berlin&lang=en"
        for start in ("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", "2026-11-25T08:30:00Z")
    ]
    assert told[told.index("All free times:") + 1] == "https://calls.example.org/anna"


@pytest.mark.parametrize(
    ("locale", "timezone", "label"),
    [
        ("en", "America/Vancouver", "Wednesday, 25 November, 0:30:"),
        ("de", "Europe/Berlin", "Mittwoch, 25. November, 9:30 Uhr:"),
        ("ru", "Europe/Berlin", "Среда, 25 ноября, 9:30:"),
    ],
)
def test_other_times_are_named_in_the_clients_zone_and_words(locale: str, timezone: str, label: str) -> None:
    told = lines(message="declined", locale=locale, timezone=timezone)
    assert told[told.index(label) + 1].endswith(f"start=2026-11-25T08:30:00Z&tz={timezone}&lang={locale}")


def test_where_nothing_else_is_free_a_declined_request_leads_to_the_page_of_times() -> None:
    told = lines(message="declined", alternatives=())
    assert told[told.index("Choose another time:") + 1] == "https://calls.example.org/anna"
    assert "The nearest free times:" not in told
    assert "All free times:" not in told


# Moved calls and reminders


@pytest.mark.parametrize(
    ("to", "discretion", "sentence"),
    [
        (
            "client",
            "normal",
            "Our call has been moved: from Monday, 23 November, 10:00, to Tuesday, 24 November, 9:30 (Berlin time).",
        ),
        (
            "client",
            "neutral",
            "Your appointment has been moved: from Monday, 23 November, 10:00, to Tuesday, 24 November, 9:30 "
            "(Berlin time).",
        ),
        (
            "owner",
            "normal",
            "The call has been moved: from Monday, 23 November, 10:00, to Tuesday, 24 November, 9:30 (Berlin time).",
        ),
    ],
)
def test_a_moved_call_names_the_old_and_the_new_time_and_then_all_that_holds(
    to: str, discretion: str, sentence: str
) -> None:
    first, _, *rest = lines(message="moved", to=to, discretion=discretion)
    assert first == sentence
    assert rest == lines(message="booked", to=to, discretion=discretion)


def test_the_file_of_a_moved_call_is_the_same_event_at_its_new_time() -> None:
    before, after = (
        calendar_of(mail(message=message, sequence=sequence, starts_at=start, ends_at=start + timedelta(minutes=30)))
        for message, sequence, start in (("booked", 0, START - timedelta(days=1)), ("moved", 1, START))
    )
    assert before is not None
    assert after is not None
    old, new = (calendar_in(part).walk("VEVENT")[0] for part in (before, after))
    assert old["UID"] == new["UID"]
    assert (old["SEQUENCE"], new["SEQUENCE"]) == (0, 1)
    assert new["DTSTART"].dt == START


def test_a_reminder_says_when_who_calls_and_how_to_change_it() -> None:
    told = lines(message="reminder")
    assert told[0] == lines(message="booked")[0]
    assert told[told.index("See, move, correct or cancel the call:") + 1] == OWN_LINK
    assert not any("attached" in line for line in told)


@pytest.mark.parametrize("message", ["booked", "confirmed", "moved", "reminder", "corrected"])
@pytest.mark.parametrize(
    ("discretion", "label"),
    [
        ("normal", "See, move, correct or cancel the call:"),
        ("neutral", "See, move, correct or cancel the appointment:"),
    ],
)
def test_the_clients_link_says_what_can_be_done_there(message: str, discretion: str, label: str) -> None:
    told = lines(message=message, discretion=discretion)
    assert told[told.index(label) + 1] == OWN_LINK


# Silent calendars


@pytest.mark.parametrize(
    ("error_kind", "why", "what_to_do"),
    [
        (
            "AuthRefused",
            "Its server refuses the name or the password.",
            "Check whether the password was changed or withdrawn.",
        ),
        (
            "CalendarGone",
            "There is no calendar at its address.",
            "Check whether the calendar was deleted or has another address now.",
        ),
        *(
            (kind, "Its server does not answer as it should.", "Check whether its server runs and can be reached.")
            for kind in ("Unreachable", "Refused", "")
        ),
    ],
)
def test_a_silent_calendar_is_told_with_its_reason_and_what_to_do(error_kind: str, why: str, what_to_do: str) -> None:
    message = calendar_mail(error_kind=error_kind)
    told = text_of(message)
    assert message["Subject"] == "Your calendar can't be read"
    assert told.splitlines()[0] == (
        f"Calendar: Work. It was last read on Friday, 20 November 2026, at 12:42 (Berlin time). {why}"
    )
    assert f"{what_to_do} Where this service runs, two commands say more:" in told.splitlines()
    assert ".venv/bin/flask --app wsgi doctor" in told
    assert "are only noted, not promised" in told


def test_a_calendar_that_was_never_read_has_no_such_date() -> None:
    told = text_of(calendar_mail(silent_since=None)).splitlines()[0]
    assert told == "Calendar: Work. It has never been read yet. Its server does not answer as it should."


def test_a_calendar_that_answers_again_says_that_nothing_is_left_to_do() -> None:
    message = calendar_mail(message="calendar_back")
    assert message["Subject"] == "Your calendar can be read again"
    assert text_of(message) == (
        "Calendar: Work. It answers again.\n"
        "\n"
        "Times that were only noted meanwhile are confirmed or declined by themselves. "
        "There is nothing you need to do.\n"
    )


@pytest.mark.parametrize("message", ["calendar_silent", "calendar_back"])
def test_a_mail_about_a_calendar_goes_to_its_owner_and_asks_for_no_answer(message: str) -> None:
    told = calendar_mail(message=message)
    assert (told["To"], told["From"], told["Reply-To"]) == ("anna@example.org", "calls@example.org", None)


def test_a_long_name_of_a_calendar_is_cut() -> None:
    html = html_of(calendar_mail(calendar_name="x" * 500))
    assert "x" * 120 in html
    assert "x" * 121 not in html
