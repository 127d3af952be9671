"""Every mail in every language, as it was read aloud and found good: ``snapshots/<message>_<to>.<lang>.txt|html``.

After a change of wording, ``pytest tests/mail --snapshot-update`` writes them anew.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from booking.language import LANGUAGES
from booking.mail.messages import Facts
from tests.mail.facts import (
    TO_CLIENT,
    TO_OWNER,
    TO_OWNER_OF_CALENDAR,
    account_facts,
    away_facts,
    calendar_facts,
    facts,
    html_of,
    morning_facts,
    rendered,
    text_of,
)

SNAPSHOTS = Path(__file__).with_name("snapshots")

OWNERS_WORDS = {"en": "My number is withheld.", "de": "Meine Nummer wird nicht angezeigt.", "ru": "Мой номер скрыт."}
TYPE = {"en": "First call", "de": "Erstgespräch", "ru": "Первый разговор"}
CALENDAR = {"en": "Work", "de": "Arbeit", "ru": "Работа"}
NOTE = {
    "en": "It is about a text of\n1,200 words.",
    "de": "Es geht um einen Text\nmit 1200 Wörtern.",
    "ru": "Речь о тексте\nв 1200 слов.",
}


def told(name: str, locale: str) -> Facts:
    """Return the facts of the snapshot of this name."""
    if name.startswith("calendar_"):
        message, _, error_kind = name.removesuffix("_owner").partition(".")
        values: dict[str, Any] = {"error_kind": error_kind, "silent_since": None} if error_kind else {}
        return calendar_facts(message=message, locale=locale, calendar_name=CALENDAR[locale], **values)
    if name.startswith("morning_owner"):
        return morning_facts(locale=locale, **MORNINGS[name.partition(".")[2]])
    if name.startswith("away_client"):
        return away_facts(locale=locale, notice=AWAY[locale], **ABSENCES[name.partition(".")[2]])
    if name == "reset_owner":
        return account_facts(locale=locale)
    message, _, variant = name.partition("_")
    to, _, how = variant.partition(".")
    return facts(
        message=message,
        to=to,
        locale=locale,
        caller_id=OWNERS_WORDS[locale],
        call_type_name=TYPE[locale],
        note=NOTE[locale],
        sequence=int(message in ("moved", "corrected", "cancelled")),
        cancelled_by="client",
        **HOW[how],
    )


AWAY = {"en": "I don't read mails meanwhile.", "de": "Ich lese keine E-Mails.", "ru": "Почту не читаю."}
ABSENCES: dict[str, dict[str, Any]] = {
    "": {},
    "neutral": {"discretion": "neutral", "booking_url": "https://calls.example.org/anna"},
    "changed": {"is_update": True, "has_call": False},
    "day": {"last": date(2026, 12, 1), "back": date(2026, 12, 2), "stand_in": "", "timezone": "America/Vancouver"},
    "day_changed": {"last": date(2026, 12, 1), "back": None, "is_update": True, "before": (), "after": ()},
}
HOW: dict[str, dict[str, Any]] = {
    "": {},
    "neutral": {"discretion": "neutral"},
    "unseen": {"is_unseen": True},
    "elsewhere": {"timezone": "America/Vancouver", "who_calls": "client", "client_phone": ""},
}
MORNINGS: dict[str, dict[str, Any]] = {
    "": {},
    "neutral": {"discretion": "neutral"},
    "quiet": {"calls": [], "requests": [], "silent": [], "stuck": 1},
}
NAMES = (
    *(f"{message}_client" for message in TO_CLIENT),
    *(f"{message}_client.neutral" for message in TO_CLIENT),
    *(f"{message}_owner" for message in TO_OWNER),
    *(f"{message}_owner" for message in TO_OWNER_OF_CALENDAR),
    "booked_client.elsewhere",
    "requested_client.elsewhere",
    "declined_client.unseen",
    "calendar_silent.AuthRefused_owner",
    "calendar_silent.CalendarGone_owner",
    "reset_owner",
    *(f"away_client{'.' if how else ''}{how}" for how in ABSENCES),
    *(f"morning_owner{'.' if how else ''}{how}" for how in MORNINGS),
)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_the_one_that_was_found_good(name: str, locale: str, *, updates_snapshots: bool) -> None:
    message = rendered(told(name, locale))
    parts = {"txt": f"Subject: {message['Subject']}\n\n{text_of(message)}", "html": html_of(message)}
    for ending, part in parts.items():
        path = SNAPSHOTS / f"{name}.{locale}.{ending}"
        if updates_snapshots:
            SNAPSHOTS.mkdir(exist_ok=True)
            path.write_bytes(part.encode())
        assert part == path.read_bytes().decode(), f"{path.name} differs: pytest tests/mail --snapshot-update"


def test_no_snapshot_is_left_of_a_mail_that_is_no_more() -> None:
    expected = {f"{name}.{locale}.{ending}" for name in NAMES for locale in LANGUAGES for ending in ("txt", "html")}
    assert {path.name for path in SNAPSHOTS.iterdir()} == expected
