"""Whether every sentence of pages and mails is there in every language; a reader would meet English ones otherwise."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import PoFileError, read_po

from booking.doctor.finding import Finding
from booking.language import CATALOGUES, LANGUAGES

ROOT: Final = Path(__file__).parents[2]
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "N_": None}
SOURCES: Final = (
    ("booking", [("**.py", "python")]),
    ("templates", [("**.html", "jinja2.ext:babel_extract"), ("**.jinja", "jinja2.ext:babel_extract")]),
)

Sentence = str | tuple[str, str]
"""One text, or singular and plural."""


def translations(folder: Path = CATALOGUES) -> Iterator[Finding]:
    """Compare the catalogues in a folder with what the pages and mails say."""
    for code in LANGUAGES:
        if code != "en":
            yield _language(code, folder / code / "LC_MESSAGES" / "messages.po")


@cache
def sentences() -> frozenset[Sentence]:
    """Return every sentence that stands in the source."""
    found = {
        _sentence(message)
        for folder, methods in SOURCES
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, methods, {}, KEYWORDS)
    }
    return frozenset(found)


def _language(code: str, path: Path) -> Finding:
    facts = {"language": code}
    subject, advice = f"language {code}", "bring it back from the release (git checkout -- booking/translations)"
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code, abort_invalid=True)
    except (OSError, PoFileError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        return Finding(subject, False, f"{path} can't be read ({reason}): {advice}", "language.lacking", facts)
    missing = len(sentences() - _translated(catalogue))
    if missing:
        words = f"{missing} of {len(sentences())} sentences are missing in {path}: {advice}"
        return Finding(subject, False, words, "language.lacking", facts)
    return Finding(subject, True, f"has all {len(sentences())} sentences", "language.well", facts)


def _translated(catalogue: Catalog) -> set[Sentence]:
    return {_sentence(message.id) for message in catalogue if message.id and not message.fuzzy and _is_whole(message)}


def _is_whole(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(text and text.strip() for text in texts)


def _sentence(message: object) -> Sentence:
    return (str(message[0]), str(message[1])) if isinstance(message, tuple | list) else str(message)
