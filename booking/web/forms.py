"""What readers type, brought into shape: one set of cleaning functions for the pages and the JSON API.

Shape only: whether a time is free, or a person has booked enough, is decided by the use cases.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField

from booking.errors import InvalidPhone
from booking.rules.phone import Phone, PhoneProblem, parse_phone
from booking.store.models import Call, CallType, Owner
from booking.web.context import gettext
from booking.web.instants import read_instant

LONGEST_NAME: Final = 80
LONGEST_EMAIL: Final = 254
LONGEST_NOTE: Final = 1000
LONGEST_PHONE: Final = 40

HONEYPOT: Final = "website"
"""A field no human sees; whoever fills it is a machine."""

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_JOINERS: Final = "\u200c\u200d"
"""Zero-width joiners stay: Persian, Hindi and emoji need them. Every other format character goes."""


class Problem(StrEnum):
    """What is wrong with one field; :func:`problem_text` words it for the reader."""

    NOT_TEXT = "not_text"
    NAME_MISSING = "name_missing"
    NAME_CONTROL = "name_control"
    NAME_LONG = "name_long"
    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    EMAIL_LETTERS = "email_letters"
    PHONE_MISSING = "phone_missing"
    PHONE_OR_EMAIL = "phone_or_email"
    PHONE_INVALID = "phone_invalid"
    PHONE_NO_COUNTRY = "phone_no_country"
    PHONE_KIND = "phone_kind"
    PHONE_COUNTRY = "phone_country"
    PHONE_EXTENSION = "phone_extension"
    NOTE_LONG = "note_long"
    WHO_CALLS = "who_calls"


Problems = dict[str, Problem]
"""Field name → what is wrong with it."""


@dataclass(frozen=True)
class Details:
    """What a client says about a call, cleaned. ``phone`` is E.164, or empty; ``answers`` holds what was asked only."""

    name: str
    email: str
    phone: str
    note: str
    who_calls: str
    is_landline: bool = False
    wants_reminders: bool = False
    answers: Mapping[str, bool] = field(default_factory=dict)


class DetailsForm(FlaskForm):  # type: ignore[misc]
    """The fields of the details page; nothing else that is sent is looked at."""

    name = StringField()
    who_calls = RadioField(choices=["owner", "client"], validate_choice=False)
    phone = StringField()
    email = StringField()
    note = TextAreaField()
    reminders = StringField()
    """A box to tick: ``yes``, or nothing. So are the next three."""
    voicemail = StringField()
    others = StringField()
    text = StringField()
    start = HiddenField()
    minutes = HiddenField()
    ticket = HiddenField()
    website = StringField()


class CorrectionForm(FlaskForm):  # type: ignore[misc]
    """The client's number and mail address, to be corrected."""

    phone = StringField()
    email = StringField()


class MoveForm(FlaskForm):  # type: ignore[misc]
    """Where a call is to be moved, as the page that asked says it."""

    start = HiddenField()


class CancelForm(FlaskForm):  # type: ignore[misc]
    """Nothing but the proof that the reader was asked on our own page."""


def typed(form: FlaskForm) -> dict[str, str]:
    """Return what was typed, by field name; the proof of origin (CSRF) is left out."""
    fields: list[Field] = [field for field in form if field.name != "csrf_token"]
    return {field.name: field.data or "" for field in fields}


def clean_details(data: Mapping[str, object], owner: Owner, call_type: CallType) -> Details | Problems:
    """Clean what a client typed (or a program sent as JSON), or name what is wrong with each field."""
    problems: Problems = {}
    who_calls = _who_calls(data, call_type, problems)
    name = _single_line(data, "name", problems)
    email = _single_line(data, "email", problems)
    note = _note(data, problems) if asks_for_note(call_type) else ""
    if "name" not in problems:
        _check_name(name, problems)
    email = _checked_email(email, problems, is_needed=call_type.is_email_needed)
    is_number_kept = who_calls == "owner" or not call_type.is_email_needed
    phone = _reachable_on(data, owner, who_calls, email, problems) if is_number_kept else None
    if problems:
        return problems
    number, is_landline = (phone.e164, phone.is_landline) if phone else ("", False)
    wants_reminders = data.get("reminders") in (True, "yes")
    asked = questions_of(call_type) if who_calls == "owner" else ()
    answers = {question: data.get(question) in (True, "yes") for question in asked}
    return Details(name, email, number, note, who_calls, is_landline, wants_reminders, answers)


def asks_for_note(call_type: CallType) -> bool:
    """Say whether the form has room for a note."""
    return "note" in call_type.questions.split()


def asks_for_phone(call_type: CallType) -> bool:
    """Say whether a number is asked for: where the owner calls, and where it stands for the mail address."""
    return call_type.who_calls != "client" or not call_type.is_email_needed


def questions_of(call_type: CallType) -> tuple[str, ...]:
    """Return what a call asks about ringing the client, in its order; nothing where the client always rings."""
    asked = call_type.questions.split() if call_type.who_calls != "client" else []
    return tuple(question for question in ("voicemail", "others", "text") if question in asked)


def asks_about_reminders(owner: Owner, call_type: CallType) -> bool:
    """Say whether reminders are sent only to whoever asks for them, so that the form has to ask."""
    return owner.discretion == "neutral" and bool(call_type.reminders.strip())


def clean_correction(data: Mapping[str, object], call: Call) -> Details | Problems:
    """Clean a corrected mail address and, where it is asked for, number. Name and note of the result are empty."""
    problems: Problems = {}
    email = _checked_email(_single_line(data, "email", problems), problems, is_needed=needs_email(call))
    phone = _reachable_on(data, call.owner, call.who_calls, email, problems) if corrects_phone(call) else None
    if problems:
        return problems
    number = phone.e164 if phone else "" if corrects_phone(call) else call.phone
    return Details("", email, number, "", call.who_calls, phone.is_landline if phone else False)


def needs_email(call: Call) -> bool:
    """Say whether a call can't be without a mail address: it has one, and its type needs one."""
    return call.call_type.is_email_needed and bool(call.email)


def corrects_phone(call: Call) -> bool:
    """Say whether a call's number can be corrected: the owner rings it, or it stands for the mail address."""
    return call.who_calls == "owner" or not needs_email(call)


def read_start(text: object) -> datetime | None:
    """Return the wished start in aware UTC, or ``None`` where it is no RFC 3339 time with an offset."""
    return read_instant(text) if isinstance(text, str) else None


def problem_text(problem: Problem) -> str:
    """Word a problem in the reader's language: what is wrong, and what to write instead."""
    texts = {
        Problem.NOT_TEXT: gettext("This has to be text."),
        Problem.NAME_MISSING: gettext("Tell me your name. A first name or an alias is enough."),
        Problem.NAME_CONTROL: gettext("Write the name in one line, with ordinary characters."),
        Problem.NAME_LONG: gettext("Shorten the name to %(num)s characters.", num=LONGEST_NAME),
        Problem.EMAIL_MISSING: gettext("Give a mail address, so that I can send you the confirmation."),
        Problem.EMAIL_INVALID: gettext("This mail address is not complete. It looks like name@example.org."),
        Problem.EMAIL_LETTERS: gettext(
            "Before the @, only letters without accents arrive safely. Give another address."
        ),
        Problem.PHONE_MISSING: gettext("Give the number I can reach you on."),
        Problem.PHONE_OR_EMAIL: gettext(
            "Give a phone number or a mail address, so that I can tell you if something changes."
        ),
        Problem.PHONE_INVALID: gettext("This number can't be rung. Check the digits, with area code."),
        Problem.PHONE_NO_COUNTRY: gettext("Write the number with its country code, such as +49 170 1234567."),
        Problem.PHONE_KIND: gettext("I can't ring service numbers. Give a landline or mobile number."),
        Problem.PHONE_COUNTRY: gettext("I can't ring numbers in this country. Give another number."),
        Problem.PHONE_EXTENSION: gettext("I can't dial extensions. Give the whole number without one."),
        Problem.NOTE_LONG: gettext("Shorten the note to %(num)s characters.", num=LONGEST_NOTE),
        Problem.WHO_CALLS: gettext("Choose who calls whom."),
    }
    return texts[problem]


def in_order(problems: Problems) -> dict[str, str]:
    """Word the problems, in the order the fields stand on the page."""
    return {field: problem_text(problems[field]) for field in _FIELDS if field in problems}


def allowed_countries(owner: Owner) -> frozenset[str]:
    """Return the countries whose numbers the owner rings; empty: all of them."""
    return frozenset(country.strip().upper() for country in owner.phone_countries.split(",") if country.strip())


def _text(data: Mapping[str, object], field: str, problems: Problems) -> str:
    value = data.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or _LONE_SURROGATES.search(value):
        problems[field] = Problem.NOT_TEXT
        return ""
    return unicodedata.normalize("NFC", without_format_characters(value)).strip()


def without_format_characters(text: str) -> str:
    """Drop what is invisible and can turn a line around: bidi controls, zero-width spaces, tags."""
    if text.isascii():
        return text
    return "".join(c for c in text if c in _JOINERS or unicodedata.category(c) not in ("Cf", "Zl", "Zp"))


def _single_line(data: Mapping[str, object], field: str, problems: Problems) -> str:
    text = _text(data, field, problems)
    if any(unicodedata.category(c) == "Cc" for c in text):
        problems[field] = {"name": Problem.NAME_CONTROL, "email": Problem.EMAIL_INVALID}.get(
            field, Problem.PHONE_INVALID
        )
    return text


def _note(data: Mapping[str, object], problems: Problems) -> str:
    text = _text(data, "note", problems).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    if len(text) > LONGEST_NOTE:
        problems["note"] = Problem.NOTE_LONG
    return text


def _check_name(name: str, problems: Problems) -> None:
    if not any(unicodedata.category(c)[0] in "LNSP" for c in name):
        problems["name"] = Problem.NAME_MISSING
    elif len(name) > LONGEST_NAME:
        problems["name"] = Problem.NAME_LONG


def _checked_email(text: str, problems: Problems, *, is_needed: bool) -> str:
    if "email" in problems or not (text or is_needed):
        return ""
    return _clean_email(text, problems)


def _clean_email(text: str, problems: Problems) -> str:
    """Return the address with its domain in ASCII, so that a look-alike of another domain can be seen."""
    if not text:
        problems["email"] = Problem.EMAIL_MISSING
        return ""
    try:
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        local, at, _ = text.rpartition("@")
        problems["email"] = Problem.EMAIL_LETTERS if at and not local.isascii() else Problem.EMAIL_INVALID
        return ""
    return address.ascii_email or address.normalized


def _who_calls(data: Mapping[str, object], call_type: CallType, problems: Problems) -> str:
    if call_type.who_calls != "choice":
        return call_type.who_calls
    wished = data.get("who_calls") or "owner"
    if wished not in ("owner", "client"):
        problems["who_calls"] = Problem.WHO_CALLS
        return ""
    return str(wished)


def _reachable_on(
    data: Mapping[str, object], owner: Owner, who_calls: str, email: str, problems: Problems
) -> Phone | None:
    """Return the number: needed where the owner calls; else as good as a mail address, one of which is needed."""
    if who_calls == "owner" or str(data.get("phone") or "").strip():
        return _clean_phone(data, owner, problems)
    if not email and "email" not in problems:
        problems["phone"] = Problem.PHONE_OR_EMAIL
    return None


def _clean_phone(data: Mapping[str, object], owner: Owner, problems: Problems) -> Phone | None:
    text = _single_line(data, "phone", problems)
    if "phone" in problems:
        return None
    if not text or len(text) > LONGEST_PHONE:
        problems["phone"] = Problem.PHONE_INVALID if text else Problem.PHONE_MISSING
        return None
    try:
        return parse_phone(text, owner.country, allowed_countries(owner))
    except InvalidPhone as error:
        problems["phone"] = _PHONE_PROBLEMS.get(error.reason, Problem.PHONE_INVALID)
        return None


_FIELDS: Final = ("name", "who_calls", "phone", "email", "note")

_PHONE_PROBLEMS: Final[Mapping[str, Problem]] = {
    PhoneProblem.EMPTY: Problem.PHONE_MISSING,
    PhoneProblem.NO_COUNTRY: Problem.PHONE_NO_COUNTRY,
    PhoneProblem.KIND: Problem.PHONE_KIND,
    PhoneProblem.COUNTRY: Problem.PHONE_COUNTRY,
    PhoneProblem.EXTENSION: Problem.PHONE_EXTENSION,
}
"""What is not named here is a number that can't be read or does not exist."""
