"""What mails say: the same in both parts, in the reader's words, and nothing that should not leave the house."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import getaddresses
from html.parser import HTMLParser
from itertools import chain, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from booking.errors import InvalidText
from booking.language import LANGUAGES, language
from booking.mail.messages import CallFacts, client_calendar, event_title, on_date, read_facts
from booking.mail.views import ascii_address
from booking.rules.text import several_lines, single_line
from tests.mail.facts import (
    MAIL_FROM,
    MESSAGES,
    NOW,
    START,
    TO_CLIENT,
    TO_OWNER_OF_CALENDAR,
    calendar_facts,
    calendar_in,
    calendar_mail,
    calendar_of,
    facts,
    html_of,
    mail,
    text_of,
)

EVERY_KIND = [(*told, *how) for told, how in product(MESSAGES, product(("normal", "neutral"), ("owner", "client")))]

NAME = "Zaphod Canary"
NOTE = "a canary in the note"
NUMBER = re.compile(r"170\W?1234567")


def every_mail(**values: Any) -> Iterator[EmailMessage]:
    for locale, (message, to, discretion, who_calls) in product(LANGUAGES, EVERY_KIND):
        if values.get("to", to) == to:
            told = {"locale": locale, "message": message, "to": to, "discretion": discretion, "who_calls": who_calls}
            yield mail(**{**told, **values})


def every_calendar_mail(**values: Any) -> Iterator[EmailMessage]:
    kinds = product(LANGUAGES, TO_OWNER_OF_CALENDAR, ("AuthRefused", "CalendarGone", "Refused", ""), (NOW, None))
    for locale, message, error_kind, since in kinds:
        told = {"locale": locale, "message": message, "error_kind": error_kind, "silent_since": since}
        yield calendar_mail(**{**told, **values})


class Words(HTMLParser):
    """Collects what a reader of the HTML part sees, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.loads += [value or "" for name, value in attrs if name in ("src", "srcset", "background")]
        if tag in ("p", "blockquote", "title"):
            self.seen.append("")

    def handle_data(self, data: str) -> None:
        if self.seen:
            self.seen[-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())


# The sentences


@pytest.mark.parametrize(
    ("locale", "subject", "sentence"),
    [
        (
            "en",
            "Our call on Tuesday, 24 November, 9:30",
            "I will call you on Tuesday, 24 November 2026, at 9:30 (Berlin time). Number: +49 170 …567. "
            "We have 30 minutes.",
        ),
        (
            "de",
            "Unser Telefonat am Dienstag, 24. November, 9:30 Uhr",
            "Ich rufe Sie am Dienstag, 24. November 2026, um 9:30 Uhr (Ortszeit Berlin) unter +49 170 …567 an. "
            "Wir haben 30 Minuten.",
        ),
        (
            "ru",
            "Наш разговор: вторник, 24 ноября, 9:30",
            "Я позвоню Вам во вторник, 24 ноября 2026 г., в 9:30 (время: Берлин). Номер: +49 170 …567. "
            "У нас будет 30 минут.",
        ),
    ],
)
def test_the_confirmation_says_when_who_calls_and_on_which_number(locale: str, subject: str, sentence: str) -> None:
    message = mail(locale=locale)
    assert message["Subject"] == subject
    assert text_of(message).splitlines()[0] == sentence


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en", "If the line drops, I'll call back. If I can't reach you, I'll try again ten minutes later."),
        (
            "de",
            "Bricht die Verbindung ab, rufe ich zurück. Erreiche ich Sie nicht, "
            "versuche ich es zehn Minuten später noch einmal.",
        ),
        (
            "ru",
            "Если связь прервётся, я перезвоню. Если дозвониться не удастся, попробую ещё раз через десять минут.",
        ),
    ],
)
def test_the_confirmation_says_what_happens_if_it_fails(locale: str, sentence: str) -> None:
    assert sentence in text_of(mail(locale=locale))


def test_a_client_who_calls_is_given_the_owners_full_number() -> None:
    text = text_of(mail(who_calls="client", client_phone=""))
    assert text.startswith("You call me on Tuesday, 24 November 2026, at 9:30 (Berlin time).")
    assert "My number: +49 30 901820" in text
    assert "withheld" not in text
    assert "If I don't answer, please try again ten minutes later." in text


def test_without_a_number_of_the_owner_none_is_promised() -> None:
    assert "My number" not in text_of(mail(who_calls="client", owner_phone=""))


@pytest.mark.parametrize("discretion", ["normal", "neutral"])
def test_the_owners_words_on_the_number_they_ring_from_are_passed_on(discretion: str) -> None:
    assert "My number is withheld." in text_of(mail(discretion=discretion)).splitlines()


def test_without_such_words_their_place_is_not_empty() -> None:
    assert "\n\n\n" not in text_of(mail(caller_id=""))


def test_where_clocks_differ_the_owners_time_stands_beside_the_clients() -> None:
    text = text_of(mail(timezone="America/Vancouver"))
    assert "on Tuesday, 24 November 2026, at 0:30 (Vancouver time)" in text
    assert "Where I am, it will be Tuesday, 24 November, 9:30 (Berlin time)." in text


@pytest.mark.parametrize(("start", "differs"), [(START, False), (datetime(2026, 7, 1, 8, 0, tzinfo=UTC), True)])
def test_the_owners_time_is_only_told_where_it_differs_at_that_moment(start: datetime, differs: bool) -> None:
    """Lagos keeps Berlin's winter time all year."""
    values = {"timezone": "Africa/Lagos", "starts_at": start, "ends_at": start + timedelta(minutes=30)}
    assert ("Where I am" in text_of(mail(**values))) == differs


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [(1, "У нас будет 1 минута."), (2, "У нас будет 2 минуты."), (45, "У нас будет 45 минут.")],
)
def test_minutes_are_counted_as_the_language_counts(minutes: int, sentence: str) -> None:
    assert sentence in text_of(mail(locale="ru", ends_at=START + timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("locale", "dates"),
    [
        ("en", ["on Monday, 23 November 2026", "on Wednesday, 25 November 2026", "on Sunday, 29 November 2026"]),
        ("de", ["am Montag, 23. November 2026", "am Mittwoch, 25. November 2026", "am Sonntag, 29. November 2026"]),
        ("ru", ["в понедельник, 23 ноября 2026 г.", "в среду, 25 ноября 2026 г.", "в воскресенье, 29 ноября 2026 г."]),
    ],
)
def test_a_date_takes_the_preposition_and_case_of_its_weekday(locale: str, dates: list[str]) -> None:
    zone = ZoneInfo("Pacific/Auckland")
    days = [datetime(2026, 11, 22 + offset, 12, 0, tzinfo=UTC) for offset in (0, 2, 6)]
    assert [on_date(language(locale), day, zone) for day in days] == dates


def test_the_confirmation_leads_to_the_clients_own_page_and_to_the_owners_mailbox() -> None:
    message = mail()
    assert "https://calls.example.org/c/abc-1.sig" in text_of(message).splitlines()
    assert Words(html_of(message)).links == ["https://calls.example.org/c/abc-1.sig"]
    assert "If you reply to this mail, your answer reaches me." in text_of(message)
    assert message["Reply-To"] == "anna@example.org"


def test_an_owner_without_an_address_promises_no_answer() -> None:
    message = mail(owner_email="")
    assert message["Reply-To"] is None
    assert "reply" not in text_of(message)


@pytest.mark.parametrize(
    ("cancelled_by", "sentence"),
    [
        ("client", "As you wished, our call on Tuesday, 24 November 2026, at 9:30 (Berlin time), is cancelled."),
        (
            "owner",
            "I have to cancel our call on Tuesday, 24 November 2026, at 9:30 (Berlin time). I am sorry.",
        ),
        ("calendar", "Our call on Tuesday, 24 November 2026, at 9:30 (Berlin time), is cancelled."),
    ],
)
def test_a_cancelled_call_is_told_to_the_client_with_a_way_to_another_time(cancelled_by: str, sentence: str) -> None:
    message = mail(message="cancelled", cancelled_by=cancelled_by)
    assert message["Subject"] == "Our call on Tuesday, 24 November, 9:30, is cancelled"
    assert text_of(message).splitlines()[0] == sentence
    assert "https://calls.example.org/anna" in text_of(message).splitlines()


@pytest.mark.parametrize(
    ("cancelled_by", "sentence"),
    [
        ("client", "The call on Tuesday, 24 November 2026, at 9:30 (Berlin time), was cancelled by the other side."),
        ("", "The call on Tuesday, 24 November 2026, at 9:30 (Berlin time), is cancelled."),
    ],
)
def test_a_cancelled_call_is_told_to_the_owner(cancelled_by: str, sentence: str) -> None:
    message = mail(message="cancelled", to="owner", cancelled_by=cancelled_by)
    assert message["Subject"] == "Call cancelled: Tue 24 Nov, 9:30"
    assert text_of(message).splitlines()[0] == sentence
    assert "Kim" in text_of(message)


def test_a_correction_tells_the_client_what_holds_now() -> None:
    message = mail(message="corrected", client_phone="+491709999999", recipient="new@example.com")
    assert message["To"] == "new@example.com"
    assert message["Subject"] == "New details: our call on Tuesday, 24 November, 9:30"
    assert "This applies now:" in text_of(message)
    assert "Number: +49 170 …999." in text_of(message)
    assert "Mails about it go to this address." in text_of(message)


def test_a_correction_tells_the_owner_what_holds_now() -> None:
    message = mail(message="corrected", to="owner", client_phone="+491709999999")
    assert message["Subject"] == "Call corrected: Tue 24 Nov, 9:30"
    assert text_of(message).startswith("The number or mail address was corrected. This applies now:")
    assert "Number: +49 170 9999999" in text_of(message).splitlines()


def test_the_owners_mail_holds_all_that_is_needed_to_make_the_call() -> None:
    message = mail(
        to="owner",
        client_timezone="America/Vancouver",
        client_email="kim@bücher.example",
        note="First line\n\n<b>second</b> line",
    )
    assert message["Subject"] == "New call: Tue 24 Nov, 9:30"
    assert text_of(message) == (
        "You call on Tuesday, 24 November 2026, at 9:30 (Berlin time). 30 minutes are planned. "
        "On the other side it will be Tuesday, 24 November, 0:30 (Vancouver time).\n"
        "\n"
        "Ask for: Kim\n"
        "Number: +49 170 1234567\n"
        "Mail: kim@xn--bcher-kva.example\n"
        "Call type: First call\n"
        "Details: https://calls.example.org/desk/calls/abc\n"
        "\n"
        "Note:\n"
        "> First line\n"
        ">\n"
        "> <b>second</b> line\n"
    )
    assert message["Reply-To"] == "kim@xn--bcher-kva.example"
    links = Words(html_of(message)).links
    assert [link.replace("%40", "@") for link in links] == [
        "tel:+491701234567",
        "mailto:kim@xn--bcher-kva.example",
        "https://calls.example.org/desk/calls/abc",
    ]


def test_an_owner_who_is_called_sees_who_will_call() -> None:
    message = mail(to="owner", who_calls="client", client_phone="", client_email="")
    text = text_of(message)
    assert text.startswith("You will be called on Tuesday, 24 November 2026, at 9:30 (Berlin time).")
    assert "Caller: Kim" in text.splitlines()
    assert "Number:" not in text
    assert "Mail:" not in text
    assert message["Reply-To"] is None


@pytest.mark.parametrize(
    ("number", "line"),
    [
        ("+4930901820", "Number: +49 30 901820 (landline)"),
        ("+491701234567", "Number: +49 170 1234567"),
    ],
)
def test_the_owner_sees_that_a_number_is_a_landline(number: str, line: str) -> None:
    assert line in text_of(mail(to="owner", client_phone=number)).splitlines()


def test_a_number_that_numbering_plans_have_left_behind_is_still_shown() -> None:
    text = text_of(mail(to="owner", client_phone="+4912"))
    assert "Number: +49 12" in text.splitlines()


# Discretion


@pytest.mark.parametrize(
    ("message", "to", "normal", "neutral"),
    [
        ("booked", "client", "Our call on Tuesday, 24 November, 9:30", "Your appointment on Tuesday, 9:30"),
        (
            "cancelled",
            "client",
            "Our call on Tuesday, 24 November, 9:30, is cancelled",
            "Your appointment on Tuesday, 9:30, is cancelled",
        ),
        (
            "corrected",
            "client",
            "New details: our call on Tuesday, 24 November, 9:30",
            "New details: your appointment on Tuesday, 9:30",
        ),
        (
            "requested",
            "client",
            "Not confirmed yet: our call on Tuesday, 24 November, 9:30",
            "Not confirmed yet: your appointment on Tuesday, 9:30",
        ),
        (
            "confirmed",
            "client",
            "Confirmed: our call on Tuesday, 24 November, 9:30",
            "Confirmed: your appointment on Tuesday, 9:30",
        ),
        ("declined", "client", "Tuesday, 24 November, 9:30, does not work", "Tuesday, 9:30, does not work"),
        (
            "moved",
            "client",
            "New time for our call: Tuesday, 24 November, 9:30",
            "New time for your appointment: Tuesday, 9:30",
        ),
        (
            "reminder",
            "client",
            "Reminder: our call on Tuesday, 24 November, 9:30",
            "Reminder: your appointment on Tuesday, 9:30",
        ),
        ("moved", "owner", "Call moved to Tue 24 Nov, 9:30", "Appointment moved to Tue 24 Nov, 9:30"),
        ("booked", "owner", "New call: Tue 24 Nov, 9:30", "New appointment: Tue 24 Nov, 9:30"),
        ("cancelled", "owner", "Call cancelled: Tue 24 Nov, 9:30", "Appointment cancelled: Tue 24 Nov, 9:30"),
        ("corrected", "owner", "Call corrected: Tue 24 Nov, 9:30", "Appointment corrected: Tue 24 Nov, 9:30"),
    ],
)
def test_the_subject_follows_discretion(message: str, to: str, normal: str, neutral: str) -> None:
    subjects = [mail(message=message, to=to, discretion=how)["Subject"] for how in ("normal", "neutral")]
    assert subjects == [normal, neutral]


@pytest.mark.parametrize(
    ("discretion", "sender_name", "display_name"),
    [
        ("normal", "", "Anna Beispiel"),
        ("normal", "Office", "Office"),
        ("neutral", "", ""),
        ("neutral", "Office", "Office"),
    ],
)
def test_the_senders_name_follows_discretion(discretion: str, sender_name: str, display_name: str) -> None:
    message = mail(discretion=discretion, sender_name=sender_name)
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (display_name, MAIL_FROM)
    assert (text_of(message).splitlines()[-1] == display_name) == bool(display_name)


def test_the_owners_mail_has_no_senders_name() -> None:
    assert mail(to="owner", sender_name="Office")["From"] == MAIL_FROM


@pytest.mark.parametrize("message", TO_CLIENT)
@pytest.mark.parametrize("who_calls", ["owner", "client"])
def test_a_neutral_mail_names_neither_the_owner_nor_the_topic(message: str, who_calls: str) -> None:
    raw = mail(message=message, who_calls=who_calls, discretion="neutral").as_bytes().decode()
    assert "Beispiel" not in raw
    assert "First call" not in raw


@pytest.mark.parametrize("message", TO_CLIENT)
def test_a_neutral_mail_has_no_file_attached(message: str) -> None:
    assert calendar_of(mail(message=message, discretion="neutral")) is None


@pytest.mark.parametrize("message", ["booked", "confirmed", "moved", "corrected"])
def test_a_neutral_mail_leads_to_the_file_instead(message: str) -> None:
    assert "https://calls.example.org/c/abc-1.sig/call.ics" in text_of(mail(message=message, discretion="neutral"))


def test_subjects_and_titles_hold_no_topic_number_or_address() -> None:
    for message in every_mail():
        words = message["Subject"]
        if attached := calendar_of(message):
            words += str(attached.get_content())
        assert "First call" not in words
        assert "1234567" not in words
        assert "901820" not in words
    for subject in (message["Subject"] for message in every_mail()):
        assert "@" not in subject


def test_a_clients_mail_never_holds_what_the_client_typed_freely_nor_the_whole_number() -> None:
    checked = 0
    for message in every_mail(to="client", client_name=NAME, note=NOTE):
        for part in message.walk():
            content = part.get_content() if not part.is_multipart() else ""
            words = f"{part.items()} {content}"
            assert "Canary" not in words
            assert "canary" not in words
            assert not NUMBER.search(words)
        checked += 1
    assert checked == len(LANGUAGES) * len(TO_CLIENT) * 4


@pytest.mark.parametrize(
    ("message", "method", "status"),
    [
        ("booked", "REQUEST", "CONFIRMED"),
        ("confirmed", "REQUEST", "CONFIRMED"),
        ("moved", "REQUEST", "CONFIRMED"),
        ("corrected", "REQUEST", "CONFIRMED"),
        ("cancelled", "CANCEL", "CANCELLED"),
    ],
)
def test_the_attached_file_says_the_same_as_the_mail(message: str, method: str, status: str) -> None:
    part = calendar_of(mail(message=message, sequence=2))
    assert part is not None
    calendar = calendar_in(part)
    event = calendar.walk("VEVENT")[0]
    assert calendar["METHOD"] == part["Content-Type"].params["method"] == method
    assert part["Content-Disposition"].params == {"filename": "call.ics"}
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == (status, 2, "def@calls.example.org")
    assert (event["DTSTART"].dt, event["DTEND"].dt, event["DTSTAMP"].dt) == (START, START + timedelta(minutes=30), NOW)
    assert event["SUMMARY"] == "Call with Anna Beispiel"
    assert event["DESCRIPTION"] == "I will call you.\nhttps://calls.example.org/c/abc-1.sig"
    assert event["ORGANIZER"] == f"mailto:{MAIL_FROM}"


def test_the_owners_mail_has_no_file() -> None:
    assert all(calendar_of(message) is None for message in every_mail(to="owner"))
    assert all(calendar_of(message) is None for message in every_calendar_mail())


@pytest.mark.parametrize("message", ["requested", "declined", "reminder"])
def test_a_mail_after_which_nothing_else_holds_brings_no_file(message: str) -> None:
    assert calendar_of(mail(message=message)) is None


@pytest.mark.parametrize(
    ("values", "title", "description"),
    [
        ({}, "Call with Anna Beispiel", "I will call you.\nhttps://calls.example.org/c/abc-1.sig"),
        ({"who_calls": "client"}, "Call with Anna Beispiel", "You call me.\nhttps://calls.example.org/c/abc-1.sig"),
        ({"discretion": "neutral"}, "Appointment", "https://calls.example.org/c/abc-1.sig"),
        ({"locale": "de", "link": ""}, "Telefonat mit Anna Beispiel", "Ich rufe Sie an."),
    ],
)
def test_the_file_for_download_follows_discretion_and_invites_nobody(
    values: dict[str, Any], title: str, description: str
) -> None:
    told = facts(**values, client_email="")
    calendar = Calendar.from_ical(client_calendar(told, method="PUBLISH", mail_from=MAIL_FROM, now=NOW))
    event = calendar.walk("VEVENT")[0]
    assert (calendar["METHOD"], event["SUMMARY"], event["DESCRIPTION"]) == ("PUBLISH", title, description)
    assert "ATTENDEE" not in event


@pytest.mark.parametrize(
    ("locale", "discretion", "title"),
    [
        ("en", "normal", "Call: Kim"),
        ("de", "normal", "Telefonat: Kim"),
        ("ru", "normal", "Разговор: Kim"),
        ("en", "neutral", "Appointment"),
        ("de", "neutral", "Termin"),
        ("ru", "neutral", "Встреча"),
    ],
)
def test_the_title_in_the_owners_calendar_follows_discretion(locale: str, discretion: str, title: str) -> None:
    assert event_title(locale, discretion, "Kim") == title


def test_a_title_is_one_line_of_at_most_120_characters() -> None:
    assert event_title("en", "normal", "Ki\x00m\r\nBergmann") == "Call: Kim Bergmann"
    assert len(event_title("en", "normal", "x" * 500)) == 120


# Form


def test_both_parts_say_the_same() -> None:
    values = {"note": "one\ntwo & <three>", "client_timezone": "Asia/Kathmandu", "cancelled_by": "client"}
    for message in chain(every_mail(**values), every_calendar_mail(calendar_name="A & <B>")):
        seen = Words(html_of(message))
        for line in text_of(message).splitlines():
            words = " ".join(line.removeprefix(">").removesuffix(":").split())
            assert words in seen.text or words in seen.links, (words, seen.text)


def test_the_html_part_is_one_page_in_the_readers_language_that_loads_nothing() -> None:
    for message in chain(every_mail(), every_calendar_mail()):
        html = html_of(message)
        seen = Words(html)
        assert seen.seen[0].strip() == message["Subject"]
        assert f'<html lang="{message["Content-Language"]}">' in html
        assert '<meta name="color-scheme" content="light dark">' in html
        assert not seen.tags & {"img", "link", "script", "iframe", "style", "table"}
        assert seen.loads == []
        assert not re.search(r"color\s*:|background|url\(", html.replace("color-scheme", ""))


def test_every_sentence_is_translated_and_filled_in() -> None:
    english = {
        line
        for message in chain(every_mail(locale="en"), every_calendar_mail(locale="en"))
        for line in text_of(message).splitlines()
        if " " in line
    }
    for locale in ("de", "ru"):
        for message in chain(every_mail(locale=locale), every_calendar_mail(locale=locale)):
            words = f"{message['Subject']}\n{text_of(message)}\n{html_of(message)}"
            assert "%(" not in words
            same = english & set(text_of(message).splitlines())
            assert same <= {"My number is withheld.", "Anna Beispiel"}


def test_no_mail_raises_its_voice() -> None:
    for message in chain(every_mail(), every_calendar_mail()):
        assert "!" not in message["Subject"] + text_of(message)


def test_the_headers_say_whence_whither_when_and_that_a_machine_sent_it() -> None:
    message = mail(locale="de")
    assert dict(message.items()) == {
        "Subject": "Unser Telefonat am Dienstag, 24. November, 9:30 Uhr",
        "From": f"Anna Beispiel <{MAIL_FROM}>",
        "To": "kim@example.com",
        "Reply-To": "anna@example.org",
        "Date": "Fri, 20 Nov 2026 12:00:00 +0000",
        "Message-ID": "<job1@calls.example.org>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "de",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }


def test_domains_beyond_ascii_are_written_in_punycode_everywhere() -> None:
    message = mail(recipient="kim@bücher.example", client_email="kim@bücher.example", owner_email="anna@straße.example")
    assert message["To"] == "kim@xn--bcher-kva.example"
    assert message["Reply-To"] == "anna@xn--strae-oqa.example"
    assert "mailto:kim@xn--bcher-kva.example" in str(calendar_of(message).get_content())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kim",
        "kïm@example.org",
        "kim@example.org\nBcc: eve@example.org",
        "a b@example.org",
        "<x>@example.org",
        "k@ü",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InvalidText) as caught:
        ascii_address(address)
    assert not address or address not in str(caught.value)


def test_an_address_on_this_machine_is_one() -> None:
    assert ascii_address("root@localhost") == "root@localhost"


def test_facts_survive_the_outbox() -> None:
    told = facts(note="a\nb", client_name="Zoë", sequence=7)
    assert read_facts(json.loads(json.dumps(told.to_payload()))) == told


@pytest.mark.parametrize("since", [NOW, None])
def test_a_calendars_facts_survive_the_outbox(since: datetime | None) -> None:
    told = calendar_facts(silent_since=since)
    assert read_facts(json.loads(json.dumps(told.to_payload()))) == told


def test_facts_that_were_kept_before_these_fields_came_can_still_be_read() -> None:
    payload = facts().to_payload()
    for name in ("moved_from", "answer_by", "alternatives", "is_unseen"):
        del payload[name]
    assert read_facts(payload) == facts(moved_from=None, answer_by=None, alternatives=())


# Injection

FREE = sorted(
    {"owner_name", "caller_id", "sender_name", "call_type_name", "client_name", "note", "cancelled_by", "reason"}
    | {"signature"}
)
NASTY = st.sampled_from(
    [
        "\r\nBcc: eve@example.org",
        "\n\nContent-Type: text/html",
        "\r\nATTENDEE:mailto:eve@example.org",
        "\r\nEND:VEVENT",
        "</p><script>alert(1)</script>",
        '"><img src=x>',
        "{{ 7 * 7 }}",
        "%(name)s %s",
        "=?utf-8?b?QmNjOg==?=",
        '",<eve@example.org>',
        "\x00",
        "\x07",
        "\x1c",
        "\x85",
        "\u2028",
        "\u202e",
        "\ud800",
        "ß" * 90,
        ".",
    ]
)
STRANGE = st.lists(st.one_of(NASTY, st.text(st.characters(), max_size=8)), max_size=5).map("".join)


def test_the_texts_that_strangers_and_owners_write_are_the_ones_tested_here() -> None:
    checked_elsewhere = {"message", "to", "recipient", "locale", "timezone", "owner_email", "owner_timezone"}
    checked_elsewhere |= {"owner_phone", "discretion", "call_id", "starts_at", "ends_at", "who_calls", "client_phone"}
    checked_elsewhere |= {"client_email", "client_timezone", "ics_uid", "sequence", "link", "booking_url"}
    checked_elsewhere |= {"moved_from", "answer_by", "alternatives", "is_unseen", "answers", "unusual_minutes"}
    assert {field.name for field in fields(CallFacts)} == checked_elsewhere | set(FREE)


@settings(deadline=None)
@given(st.fixed_dictionaries({name: STRANGE for name in FREE}), st.sampled_from(EVERY_KIND))
def test_no_text_changes_the_headers_the_parts_or_the_calendar_file(
    texts: dict[str, str], kind: tuple[str, str, str, str]
) -> None:
    """Seen after the bytes that would go over the wire were read again."""
    known = dict(zip(("message", "to", "discretion", "who_calls"), kind, strict=True))
    strange, usual = _arrived(mail(**known, **texts)), _arrived(mail(**known))
    assert _shape(strange) == _shape(usual)
    for name in ("Subject", "To", "Reply-To", "Message-ID", "Date"):
        assert strange[name] == usual[name]
    name = texts["sender_name"] or (texts["owner_name"] if kind[2] == "normal" else "")
    assert _sender(strange) == _written(name if kind[1] == "client" else "")
    assert Words(html_of(strange)).tags == Words(html_of(usual)).tags | (
        {"blockquote"} if kind[1] == "owner" and several_lines(texts["note"]) else set()
    )


@settings(deadline=None)
@given(STRANGE, st.sampled_from(TO_OWNER_OF_CALENDAR))
def test_no_name_of_a_calendar_changes_the_headers_or_the_parts(name: str, message: str) -> None:
    strange = _arrived(calendar_mail(message=message, calendar_name=name))
    usual = _arrived(calendar_mail(message=message))
    assert _shape(strange) == _shape(usual)
    for header in set(usual) - {"Content-Type"}:
        assert strange[header] == usual[header]
    assert Words(html_of(strange)).tags == Words(html_of(usual)).tags


@pytest.mark.parametrize(
    "name",
    [
        "Dr. Anna Beispiel",
        "Prof. Dr. med. Ännchen Übermäßig-Lang geb. Größenwahn vom Ölberg zu Äußerst Süß",
        "Анна Сергеевна Примерова-Образцова (кабинет психологического консультирования)",
        "O'Brien & Söhne",
        "ATTENDEE mailto eve example.org{{ 7 * 7 }}¡𐀀 ¡",
    ],
)
def test_a_senders_name_arrives_as_it_is_written(name: str) -> None:
    assert _sender(mail(sender_name=name)) == _written(name)


def _written(name: str) -> tuple[str, str]:
    """Return a sender with what is left of a name in a header: nothing that has a meaning there."""
    left = single_line(re.sub(r"""["\\<>()\[\]@,;:=]""", " ", single_line(name)))[:80].strip()
    return left, MAIL_FROM


def _sender(message: EmailMessage) -> tuple[str, str]:
    """Read the sender as RFC 2047 says (the parser of Python 3.11 puts blanks between the pieces of a long name)."""
    ((name, address),) = getaddresses([message_from_bytes(message.as_bytes(), policy=compat32)["From"]])
    return str(make_header(decode_header(name))).replace("\N{NO-BREAK SPACE}", " "), address


def _arrived(message: EmailMessage) -> EmailMessage:
    data = message.as_bytes()
    assert data.isascii()
    arrived = message_from_bytes(data, policy=SMTP)
    assert isinstance(arrived, EmailMessage)
    assert not arrived.defects
    return arrived


def _shape(message: EmailMessage) -> list[Any]:
    shape: list[Any] = [sorted(message.keys()), [part.get_content_type() for part in message.walk()]]
    if attached := calendar_of(message):
        calendar = calendar_in(attached)
        properties = [(name, str(value)) for name, value in calendar.property_items()]
        shape.append(sorted(name for name, _ in properties))
        shape.append([value for name, value in properties if name in ("ATTENDEE", "ORGANIZER", "UID", "STATUS")])
    return shape
