"""What belongs together stands on one line of a page; subjects are written with ordinary spaces."""

from datetime import UTC, datetime

import pytest

from booking.language import language
from booking.web.unbroken import JOINER, NO_BREAK, page_language
from tests.web.visitors import Visitor

MOMENT = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


def shown(text: str) -> str:
    """Make visible what is not to be broken."""
    return text.replace(NO_BREAK, "_").replace(JOINER, "*")


@pytest.mark.parametrize(
    ("code", "full", "day", "short"),
    [
        ("en", "Tuesday, 3_November_2026", "Tuesday, 3_November", "Tue 3_Nov"),
        ("de", "Dienstag, 3._November_2026", "Dienstag, 3._November", "Di., 3._Nov."),
        ("ru", "вторник, 3_ноября_2026_г.", "вторник, 3_ноября", "вт, 3_нояб."),
    ],
)
def test_a_date_is_broken_after_its_weekday_only(code: str, full: str, day: str, short: str) -> None:
    speech = page_language(code)
    written = [write(MOMENT, UTC) for write in (speech.full_date, speech.day, speech.short_day)]
    assert [shown(text) for text in written] == [full, day, short]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "at 9:30 (Berlin_time)"),
        ("de", "um 9:30_Uhr (Ortszeit_Berlin)"),
        ("ru", "в_9:30 (время:_Berlin)"),
    ],
)
def test_a_time_stays_with_its_word_and_a_place_with_its_own(code: str, expected: str) -> None:
    sentence = "I will call you %(on_date)s, at %(time)s (%(place)s time). Number: %(number)s."
    text = page_language(code).gettext(sentence, on_date="", time="9:30", place="Berlin", number="")
    assert expected in shown(text)


@pytest.mark.parametrize(("code", "expected"), [("en", "30_minutes"), ("de", "30_Minuten"), ("ru", "30_минут")])
def test_a_number_of_minutes_stays_with_its_word(code: str, expected: str) -> None:
    assert shown(page_language(code).ngettext("%(num)s minute", "%(num)s minutes", 30)) == expected


def test_a_german_mail_is_not_broken_after_its_first_letter() -> None:
    assert shown(page_language("de").gettext("Mail address")) == "E-*Mail-Adresse"


@pytest.mark.parametrize("code", ["en", "de", "ru"])
def test_subjects_are_written_with_ordinary_spaces(code: str) -> None:
    """Any other would have to be encoded."""
    speech = language(code)
    written = [write(MOMENT, UTC) for write in (speech.full_date, speech.day, speech.short_day)]
    written.append(speech.gettext("Our call on %(day)s, %(time)s", day="", time="9:30"))
    assert [text for text in written if NO_BREAK in text or JOINER in text] == []


def test_pages_are_written_so(anna: Visitor) -> None:
    text = anna.client.get("/anna/call?day=2026-11-24", base_url=anna.services.settings.base_url).data.decode()
    assert f"24{NO_BREAK}November" in text
