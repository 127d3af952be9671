"""KEY=VALUE pairs of the operator: which keys there are, and what each of them takes.

Only what is listed here can be set; every bad pair is named at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr
from typing import Final
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale

from booking.errors import InvalidPhone, InvalidText
from booking.language import LANGUAGES
from booking.rules.phone import parse_phone

Parse = Callable[[str], object]
"""Reads one value; raises InvalidText, saying what to write instead."""

RESERVED_SLUGS: Final = frozenset(
    {
        "account",
        "admin",
        "api",
        "assets",
        "book",
        "c",
        "callback",
        "calls",
        "caldav",
        "desk",
        "favicon",
        "healthz",
        "imprint",
        "login",
        "logout",
        "metrics",
        "new",
        "oauth",
        "privacy",
        "readyz",
        "request",
        "robots",
        "static",
        "well-known",
    }
)
LONGEST_NAME: Final = 120
LONGEST_LINE: Final = 200
LONGEST_INTRODUCTION: Final = 2_000
LONGEST_SIGNATURE: Final = 600
LONGEST_PAGE: Final = 20_000
"""Of a text that fills a page of its own."""
LONGEST_RETENTION_DAYS: Final = 3650
MOST_MORNING_MINUTES: Final = 240
MOST_MOVES: Final = 15
LONGEST_TYPE_NAME: Final = 120
LONGEST_DESCRIPTION: Final = 400
MOST_LENGTHS: Final = 6
MOST_REMINDERS: Final = 3
QUESTIONS: Final = ("note", "voicemail", "others", "text")
CALL_TYPE_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "minutes": (5, 480),
    "before_minutes": (0, 240),
    "after_minutes": (0, 240),
    "notice_minutes": (0, 60 * 24 * 30),
    "horizon_days": (1, 366),
    "step_minutes": (5, 240),
    "max_per_day": (1, 100),
    "max_per_week": (1, 500),
    "reminders": (15, 60 * 24 * 14),
}
"""Least and greatest value of the numbers of a call type."""
WORDING_KEYS: Final = {f"{field}_{code}": (code, field) for field in ("name", "description") for code in LANGUAGES}
"""Keys of a call type's words in further languages: which language, and which words."""
_WORD: Final = re.compile(r"[a-z0-9-]{1,40}")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


def parse_pairs(pairs: Sequence[str], keys: Mapping[str, Parse]) -> dict[str, object]:
    """Read ``KEY=VALUE`` pairs; ``-`` and ``_`` are the same in a key.

    :raises InvalidText: naming every pair that can't be used, and what to write instead.
    """
    values: dict[str, object] = {}
    problems: list[str] = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        key = name.strip().replace("-", "_")
        if not equals or key not in keys:
            problems.append(f"{pair.split('=')[0]!r}: give KEY=VALUE with one of the keys {', '.join(sorted(keys))}")
            continue
        try:
            values[key] = keys[key](text.strip())
        except InvalidText as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise InvalidText("\n".join(problems))
    return values


def owner_keys(country: str) -> dict[str, Parse]:
    """Return what can be set on an owner; numbers without a country code belong to ``country``."""
    return {
        "slug": slug,
        "name": line(LONGEST_NAME, needed=True),
        "email": mail_address,
        "timezone": time_zone,
        "locale": one_of(*LANGUAGES),
        "country": phone_country,
        "line": line(LONGEST_LINE),
        "title": line(LONGEST_NAME),
        "text": prose(LONGEST_INTRODUCTION),
        "signature": prose(LONGEST_SIGNATURE),
        "phone": phone_number(country),
        "caller_id": line(LONGEST_LINE),
        "discretion": one_of("normal", "neutral"),
        "sender_name": line(LONGEST_NAME),
        "accent": colour,
        "imprint": prose(LONGEST_PAGE),
        "privacy": prose(LONGEST_PAGE),
        "phone_countries": phone_countries,
        "notice_in_working_time": on_or_off,
        "morning_minutes": number(0, MOST_MORNING_MINUTES),
        "retention_days": number(1, LONGEST_RETENTION_DAYS),
        "most_moves": number(0, MOST_MOVES),
    }


def call_type_keys() -> dict[str, Parse]:
    """Return what can be set on a call type."""
    return {
        "slug": slug,
        "name": line(LONGEST_TYPE_NAME, needed=True),
        "description": line(LONGEST_DESCRIPTION),
        **{key: line(_LONGEST_WORDS[field]) for key, (_, field) in WORDING_KEYS.items()},
        "position": number(0, 1000),
        "lengths": lengths,
        **{key: number(*CALL_TYPE_RANGES[key]) for key in _NUMBERS},
        "max_per_day": number_or_none(*CALL_TYPE_RANGES["max_per_day"]),
        "max_per_week": number_or_none(*CALL_TYPE_RANGES["max_per_week"]),
        "reminders": minutes_before,
        "who_calls": one_of("owner", "client", "choice"),
        "languages": spoken_languages,
        "is_email_needed": on_or_off,
        "questions": questions,
        "visibility": one_of("listed", "link", "hidden"),
    }


_NUMBERS: Final = ("minutes", "before_minutes", "after_minutes", "notice_minutes", "horizon_days", "step_minutes")
_LONGEST_WORDS: Final = {"name": LONGEST_TYPE_NAME, "description": LONGEST_DESCRIPTION}


def slug(text: str) -> str:
    """Read the part of a public address that names an owner or a call type."""
    if word(text) in RESERVED_SLUGS:
        raise InvalidText(f"{text!r} is the address of a page of Sprechzeit; choose another word")
    return text


def word(text: str) -> str:
    """Read a word that can be part of an address."""
    if not _WORD.fullmatch(text) or not text.strip("-"):
        raise InvalidText(f"give 1 to 40 small letters, digits and hyphens, not {text!r}")
    return text


def mail_address(text: str) -> str:
    """Read a plain mail address."""
    name, _, host = text.rpartition("@")
    if parseaddr(text)[1] != text or not name or not host or not text.isascii() or len(text) > 254:
        raise InvalidText(f"give a plain mail address, such as anna@example.org, not {text!r}")
    return text


def time_zone(text: str) -> str:
    """Read the name of a time zone."""
    if text not in available_timezones():
        raise InvalidText(f"give a time zone of the IANA list, such as Europe/Berlin, not {text!r}")
    return text


def phone_country(text: str) -> str:
    """Read a country that phone numbers can belong to, or nothing."""
    country = text.upper()
    if country and country not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidText(f"give a country of two letters, such as DE, not {text!r}")
    return country


def phone_countries(text: str) -> str:
    """Read countries whose numbers are taken, separated by commas; nothing means all."""
    return ",".join(sorted({phone_country(part.strip()) for part in text.split(",")} - {""}))


def phone_number(country: str) -> Parse:
    """Return what reads a phone number, or nothing."""

    def parse(text: str) -> str:
        if not text:
            return ""
        try:
            return parse_phone(text, country, frozenset()).e164
        except InvalidPhone as error:
            raise InvalidText(f"give a phone number, such as +49 30 1234567, not {text!r} ({error.reason})") from error

    return parse


def colour(text: str) -> str:
    """Read a colour, or nothing."""
    if text and not _COLOUR.fullmatch(text.lower()):
        raise InvalidText(f"give a colour such as #1f6f5c, not {text!r}")
    return text.lower()


def prose(longest: int) -> Parse:
    """Return what reads a text of several lines."""

    def parse(text: str) -> str:
        if len(text) > longest or any(ord(letter) < 32 and letter not in "\n\r\t" for letter in text):
            raise InvalidText(f"give at most {longest:,} letters without control characters")
        return text.replace("\r\n", "\n")

    return parse


def on_or_off(text: str) -> bool:
    """Read a switch."""
    return one_of("on", "off")(text.lower()) == "on"


def line(longest: int, *, needed: bool = False) -> Parse:
    """Return what reads one line of text."""

    def parse(text: str) -> str:
        if len(text) > longest or not text.isprintable() or (needed and not text):
            raise InvalidText(f"give one line of {'1 to' if needed else 'at most'} {longest} letters")
        return text

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Return what reads one word of several."""

    def parse(text: str) -> str:
        if text not in choices:
            raise InvalidText(f"give one of {', '.join(choices)}, not {text!r}")
        return text

    return parse


def number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise InvalidText(f"give a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def minutes_before(text: str) -> str:
    """Read when to remind: minutes before the call, longest first, or ``none``."""
    if text in ("", "none"):
        return ""
    minutes = {number(*CALL_TYPE_RANGES["reminders"])(word) for word in text.replace(",", " ").split()}
    if len(minutes) > MOST_REMINDERS:
        raise InvalidText("give three reminders at most, in minutes before the call, such as: 1440 60")
    return " ".join(str(each) for each in sorted(minutes, reverse=True))


def lengths(text: str) -> str:
    """Read the lengths in minutes that clients can choose from, shortest first, or ``none``: there is no choice."""
    if text in ("", "none"):
        return ""
    minutes = {number(*CALL_TYPE_RANGES["minutes"])(word) for word in text.replace(",", " ").split()}
    if len(minutes) > MOST_LENGTHS:
        raise InvalidText(f"give {MOST_LENGTHS} lengths at most, in minutes, such as: 15 30 45")
    return " ".join(str(each) for each in sorted(minutes))


def spoken_languages(text: str) -> str:
    """Read codes of languages, separated by blanks, or ``none``."""
    codes = [] if text == "none" else text.lower().replace(",", " ").split()
    for code in codes:
        if not re.fullmatch(r"[a-z]{2,3}", code) or code not in Locale("en").languages:
            raise InvalidText(f"give codes of languages, such as: de en, not {code!r}")
    return " ".join(dict.fromkeys(codes))


def questions(text: str) -> str:
    """Read what the form asks besides, separated by blanks, or ``none``."""
    asked = [] if text == "none" else text.replace(",", " ").split()
    for word in asked:
        one_of(*QUESTIONS)(word)
    return " ".join(each for each in QUESTIONS if each in asked)


def number_or_none(least: int, most: int) -> Parse:
    """Return what reads a whole number, or ``none`` for no limit."""
    return lambda text: None if text in ("", "none") else number(least, most)(text)
