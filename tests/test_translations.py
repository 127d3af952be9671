"""Every sentence a reader can meet is there in every language, and fits its places."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from booking.language import CATALOGUES, LANGUAGES, language

ROOT = Path(__file__).parents[1]
OTHERS = [code for code in LANGUAGES if code != "en"]
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}
SOURCES = (
    ("booking", [("**.py", "python")]),
    ("templates", [("**.html", "jinja2.ext:babel_extract"), ("**.jinja", "jinja2.ext:babel_extract")]),
)
PLACE = re.compile(r"%\((\w+)\)s|%%")

SAME: dict[str, set[str]] = {"de": {"Code", "Name", "Region"}, "ru": {"%(day)s, %(time)s"}}
"""What is rightly the same as in English; names of people and things that have no other."""

Key = str | tuple[str, str]


@cache
def sentences() -> frozenset[Key]:
    """Return every sentence of the source: one text, or singular and plural."""
    found: set[Key] = set()
    for folder, methods in SOURCES:
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, methods, {}, KEYWORDS):
            found.add(message if isinstance(message, str) else (str(message[0]), str(message[1])))
    return frozenset(found)


@cache
def catalogue(code: str) -> Catalog:
    with (CATALOGUES / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=code)


def messages(code: str) -> list[Message]:
    return [message for message in catalogue(code) if message.id]


def forms(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each translated form with the English one it stands for."""
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    english = message.id if isinstance(message.id, tuple | list) else (message.id,)
    for number, text in enumerate(texts):
        yield str(text), str(english[min(number, len(english) - 1)])


def key(message: Message) -> Key:
    return message.id if isinstance(message.id, str) else (str(message.id[0]), str(message.id[1]))


def test_sentences_are_found_in_pages_and_mails() -> None:
    assert len(sentences()) > 100


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_has_every_sentence(code: str) -> None:
    assert sentences() - {key(message) for message in messages(code)} == set()


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_has_no_sentence_that_is_not_used(code: str) -> None:
    assert {key(message) for message in messages(code)} - sentences() == set()


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_empty_or_doubtful(code: str) -> None:
    assert [message.id for message in messages(code) if message.fuzzy] == []
    assert [english for message in messages(code) for text, english in forms(message) if not text.strip()] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_sentence_that_counts_has_every_plural_of_the_language(code: str) -> None:
    counting = [message for message in messages(code) if message.pluralizable]
    assert [message.id for message in counting if len(list(forms(message))) != catalogue(code).num_plurals] == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_left_in_english(code: str) -> None:
    same = {text for message in messages(code) for text, english in forms(message) if text == english}
    assert same - SAME[code] == set()


@pytest.mark.parametrize("code", OTHERS)
def test_every_form_has_the_places_of_its_sentence(code: str) -> None:
    wrong = [
        (english, text)
        for message in messages(code)
        for text, english in forms(message)
        if set(PLACE.findall(text)) != set(PLACE.findall(english))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_percent_sign_is_always_part_of_a_place(code: str) -> None:
    texts = [text for message in messages(code) for text, _ in forms(message)]
    assert [text for text in texts if "%" in PLACE.sub("", text)] == []


@pytest.mark.parametrize("code", ["en", *OTHERS])
def test_nobody_is_shouted_at(code: str) -> None:
    texts: list[str]
    if code == "en":
        texts = [text for one in sentences() for text in ([one] if isinstance(one, str) else one)]
    else:
        texts = [text for message in messages(code) for text, _ in forms(message)]
    assert [text for text in texts if "!" in text] == []


@pytest.mark.parametrize(
    ("zone", "names"),
    [
        ("Europe/Berlin", ["Berlin", "Berlin", "Берлин"]),
        ("Asia/Kolkata", ["Kolkata", "Kalkutta", "Калькутта"]),
        ("Europe/Kyiv", ["Kyiv", "Kiew", "Киев"]),
        ("Asia/Ho_Chi_Minh", ["Ho Chi Minh City", "Ho-Chi-Minh-Stadt", "Хошимин"]),
        ("America/Argentina/Buenos_Aires", ["Buenos Aires", "Buenos Aires", "Буэнос-Айрес"]),
        ("UTC", ["UTC", "UTC", "UTC"]),
    ],
)
def test_a_place_has_its_name_in_every_language_whatever_its_zone_was_called_before(
    zone: str, names: list[str]
) -> None:
    assert [language(code).place(zone) for code in LANGUAGES] == names
