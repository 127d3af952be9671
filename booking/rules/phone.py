"""Phone numbers: any usual way of typing one becomes E.164, or a problem with a name.

What can't be rung for the price of an ordinary call (premium, shared cost, short codes …) is not taken.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from booking.errors import InvalidPhone

_KINDS: Final = {
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.VOIP: "voip",
}
# The library reads letters as keys (FLOWERS as 3569377): a slip of the finger would ring a stranger.
_LETTER_BEHIND_DIGIT: Final = re.compile(r"\d.*[^\W\d_]", re.DOTALL)
_PLUS: Final = re.compile(r"[^\d+]*\+")
_BEFORE_DIGITS: Final = re.compile(r"^\D*")
# 00 dials abroad from most countries; people write it in the others too.
_ABROAD: Final = re.compile(r"^\D*0\D*0\D*")
_HIDDEN_DIGITS: Final = 3
_SHOWN_DIGITS: Final = 3


class PhoneProblem(StrEnum):
    """Why a number is not taken."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    NO_COUNTRY = "no_country"
    """A national number, and no country it could belong to."""
    INVALID = "invalid"
    KIND = "kind"
    """Premium, shared cost, toll-free, pager, voicemail, short code …: no private line."""
    COUNTRY = "country"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be rung: E.164, its ISO 3166 country (``001`` where it has none), what kind of line it is."""

    e164: str
    country: str
    is_landline: bool
    kind: str


def parse_phone(text: str, country: str, allowed: frozenset[str]) -> Phone:
    """Read a number as people type it.

    :param country: ISO 3166 country of numbers without a country code; empty for none.
    :param allowed: ISO 3166 countries whose numbers are taken; empty for all.
    :raises InvalidPhone: with a :class:`PhoneProblem` as its reason.
    """
    if not text.strip():
        raise InvalidPhone(PhoneProblem.EMPTY)
    number = _parse(text, country)
    if number.extension:
        raise InvalidPhone(PhoneProblem.EXTENSION)
    if _LETTER_BEHIND_DIGIT.search(text):
        raise InvalidPhone(PhoneProblem.UNREADABLE)
    kind = _kind(number)
    home = phonenumbers.region_code_for_number(number) or ""
    if allowed and home not in allowed:
        raise InvalidPhone(PhoneProblem.COUNTRY)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Phone(e164, home, kind == _KINDS[PhoneNumberType.FIXED_LINE], kind)


def display(e164: str) -> str:
    """Write an E.164 number for readers: ``+49 170 1234567``.

    :raises InvalidPhone: it is no number.
    """
    return phonenumbers.format_number(_parse(e164, ""), PhoneNumberFormat.INTERNATIONAL)


def masked(e164: str) -> str:
    """Write a number so that only those who know it recognise it: ``+49 170 …567``.

    :raises InvalidPhone: it is no number.
    """
    code, group, *others = re.findall(r"\d+", display(e164))
    national = group + "".join(others)
    shown = group[: max(0, len(national) - _SHOWN_DIGITS - _HIDDEN_DIGITS)]
    return " ".join(part for part in (f"+{code}", shown, f"…{national[-_SHOWN_DIGITS:]}") if part)


def _parse(text: str, country: str) -> PhoneNumber:
    region = country.upper() or None
    text = unicodedata.normalize("NFKC", text)
    *others, last = _readings(text, region)
    for reading in others:
        with suppress(NumberParseException):
            number = phonenumbers.parse(reading, region)
            if phonenumbers.is_valid_number(number):
                return number
    try:
        return phonenumbers.parse(last, region)
    except NumberParseException as error:
        raise InvalidPhone(_problem(error, text)) from error


def _readings(text: str, region: str | None) -> list[str]:
    """Return what may be meant, the likeliest first."""
    if _PLUS.match(text):
        return [text]
    if _ABROAD.match(text):
        return [text, _ABROAD.sub("+", text)]
    digits = phonenumbers.normalize_digits_only(text)
    code = str(phonenumbers.country_code_for_region(region or ""))
    trunk = phonenumbers.ndd_prefix_for_region(region or "", True)
    if trunk and digits.startswith(code):
        return [_BEFORE_DIGITS.sub("+", text), text]
    return [text]


def _problem(error: NumberParseException, text: str) -> PhoneProblem:
    if error.error_type == NumberParseException.NOT_A_NUMBER or _LETTER_BEHIND_DIGIT.search(text):
        return PhoneProblem.UNREADABLE
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and not _PLUS.match(text):
        return PhoneProblem.NO_COUNTRY
    return PhoneProblem.INVALID


def _kind(number: PhoneNumber) -> str:
    if not phonenumbers.is_valid_number(number):
        is_short = phonenumbers.is_valid_short_number(number)
        raise InvalidPhone(PhoneProblem.KIND if is_short else PhoneProblem.INVALID)
    kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise InvalidPhone(PhoneProblem.KIND)
    return kind
