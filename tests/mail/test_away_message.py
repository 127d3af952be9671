"""The mail that tells a client of an absence: its headers, what it may say, and that both parts say the same."""

import re
from datetime import UTC, datetime

import pytest

from booking.language import LANGUAGES
from booking.mail.messages import AwayFacts
from tests.mail.facts import away_facts, html_of, rendered, text_of


@pytest.mark.parametrize("back", [True, False])
def test_the_facts_survive_the_outbox(back: bool) -> None:
    told = away_facts() if back else away_facts(back=None, before=(), after=())
    assert AwayFacts.from_payload(told.to_payload()) == told


def test_it_comes_from_the_owner_and_an_answer_reaches_them() -> None:
    mail = rendered(away_facts())
    assert (mail["From"], mail["Reply-To"]) == ("Anna Beispiel <calls@example.org>", "anna@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not list(mail.iter_attachments())
    assert "reply with a short word" in text_of(mail)


def test_an_owner_without_an_address_promises_no_answer() -> None:
    mail = rendered(away_facts(owner_email=""))
    assert mail["Reply-To"] is None
    assert "reply" not in text_of(mail)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_neutral_mail_says_neither_who_nor_about_what_nor_who_stands_in(locale: str) -> None:
    values = {"notice": "", "signature": "Anna, texts", "locale": locale, "discretion": "neutral"}
    mail = rendered(away_facts(**values, booking_url="https://calls.example.org/anna"))
    said = f"{mail['Subject']} {mail['From']} {text_of(mail)} {html_of(mail)}"
    for secret in ("Anna", "Beispiel", "texts", "Bert", "5550123", "anna/call", "telef", "Telef", "звон", "разговор"):
        assert secret not in said, secret


def test_times_stand_on_the_client_s_clock_and_days_are_the_owner_s() -> None:
    text = text_of(rendered(away_facts(timezone="Asia/Tokyo", before=(datetime(2026, 11, 30, 15, tzinfo=UTC),))))
    assert "from Tuesday, 1 December to Friday, 4 December" in text
    assert "Tuesday, 1 December, 0:00" in text
    assert "(Tokyo time)" in text
    assert "tz=Asia/Tokyo" in text


@pytest.mark.parametrize("value", ["x\r\nBcc: eve@example.org", "x\n\n<script>alert(1)</script>", "x\u202e \x00"])
def test_no_text_changes_the_headers_or_the_parts(value: str) -> None:
    texts = {"notice": value, "stand_in": value, "signature": value, "sender_name": value, "owner_name": value}
    mail = rendered(away_facts(**texts))
    assert mail["Bcc"] is None
    assert {part.get_content_type() for part in mail.walk()} == {"multipart/alternative", "text/plain", "text/html"}
    assert "<script" not in html_of(mail)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_both_parts_hold_the_same_links(locale: str) -> None:
    mail = rendered(away_facts(locale=locale))
    in_text = re.findall(r"https://\S+", text_of(mail))
    assert in_text == [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', html_of(mail))]
    assert len(in_text) == 4
