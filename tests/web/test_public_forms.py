"""What readers type becomes clean details, or a named problem for each field."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from booking.store.models import Call, CallType, Owner
from booking.web.forms import (
    LONGEST_NAME,
    LONGEST_NOTE,
    Details,
    Problem,
    clean_correction,
    clean_details,
    problem_text,
    questions_of,
    read_start,
)

OWNER = Owner(country="DE", phone_countries="")
ASKED = {"name": "Kim", "email": "kim@example.com", "phone": "0170 1234567", "note": ""}


def call_type(**values: Any) -> CallType:
    return CallType(**{"who_calls": "owner", "is_email_needed": True, "questions": "note", **values})


def booked(email: str = "kim@example.com", phone: str = "", who_calls: str = "owner", **values: Any) -> Call:
    """Return a call as its correction finds it."""
    return Call(owner=OWNER, call_type=call_type(**values), email=email, phone=phone, who_calls=who_calls)


def cleaned(decided: str = "owner", **typed: object) -> Details | dict[str, Problem]:
    return clean_details({**ASKED, **typed}, OWNER, call_type(who_calls=decided))


def problem(field: str, decided: str = "owner", **typed: object) -> Problem | None:
    found = cleaned(decided, **typed)
    return None if isinstance(found, Details) else found.get(field)


def test_a_number_typed_the_national_way_belongs_to_the_owners_country() -> None:
    details = cleaned(phone="0170 / 1234567")
    assert isinstance(details, Details)
    assert (details.phone, details.is_landline) == ("+491701234567", False)


def test_a_landline_is_known_as_one() -> None:
    details = cleaned(phone="(030) 901820")
    assert isinstance(details, Details)
    assert details.is_landline


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("", Problem.PHONE_MISSING),
        ("   ", Problem.PHONE_MISSING),
        ("123", Problem.PHONE_INVALID),
        ("call me", Problem.PHONE_INVALID),
        ("0900 1234567", Problem.PHONE_KIND),
        ("+49 30 901820 ext. 12", Problem.PHONE_EXTENSION),
        ("0170 1234567\r\nX-Header: 1", Problem.PHONE_INVALID),
        ("1" * 41, Problem.PHONE_INVALID),
        (491701234567, Problem.NOT_TEXT),
    ],
)
def test_what_is_no_number_that_can_be_rung_is_named(phone: object, expected: Problem) -> None:
    assert problem("phone", phone=phone) is expected


def test_without_a_country_of_the_owner_the_number_needs_its_own() -> None:
    found = clean_details(ASKED, Owner(country="", phone_countries=""), call_type())
    assert found == {"phone": Problem.PHONE_NO_COUNTRY}


def test_the_owner_decides_which_countries_are_rung() -> None:
    owner = Owner(country="DE", phone_countries="de, AT")
    assert clean_details({**ASKED, "phone": "+33 1 42 68 53 00"}, owner, call_type()) == {
        "phone": Problem.PHONE_COUNTRY
    }
    assert isinstance(clean_details({**ASKED, "phone": "+43 1 5321234"}, owner, call_type()), Details)


def test_where_the_client_calls_no_number_is_asked_and_none_is_kept() -> None:
    details = cleaned("client", phone="0170 1234567")
    assert isinstance(details, Details)
    assert (details.who_calls, details.phone) == ("client", "")


@pytest.mark.parametrize(("wished", "phone"), [("owner", "+491701234567"), ("client", ""), ("", "+491701234567")])
def test_where_the_client_chooses_the_number_is_asked_only_if_the_owner_calls(wished: str, phone: str) -> None:
    details = cleaned("choice", who_calls=wished)
    assert isinstance(details, Details)
    assert (details.who_calls, details.phone) == (wished or "owner", phone)


@pytest.mark.parametrize("wished", ["both", 1, ["owner"]])
def test_nobody_else_can_be_chosen_to_call(wished: object) -> None:
    assert problem("who_calls", "choice", who_calls=wished) is Problem.WHO_CALLS


def test_a_call_type_that_decides_who_calls_is_not_overruled() -> None:
    details = cleaned("owner", who_calls="client")
    assert isinstance(details, Details)
    assert details.who_calls == "owner"


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("", Problem.EMAIL_MISSING),
        (None, Problem.EMAIL_MISSING),
        ("kim", Problem.EMAIL_INVALID),
        ("kim@", Problem.EMAIL_INVALID),
        ("kim@localhost", Problem.EMAIL_INVALID),
        ("kim@example.com, eve@example.com", Problem.EMAIL_INVALID),
        ("kim@example.com\nBcc: eve@example.com", Problem.EMAIL_INVALID),
        (f"{'k' * 70}@example.com", Problem.EMAIL_INVALID),
        (f"kim@{'e' * 60}.{'x' * 60}.{'a' * 60}.{'m' * 60}.{'p' * 60}.com", Problem.EMAIL_INVALID),
        ("jürgen@example.com", Problem.EMAIL_LETTERS),
        ({"at": "example.com"}, Problem.NOT_TEXT),
    ],
)
def test_what_is_no_mail_address_is_named(email: object, expected: Problem) -> None:
    assert problem("email", email=email) is expected


def test_a_look_alike_of_a_domain_shows_its_punycode() -> None:
    details = cleaned(email="kim@exаmple.com")  # the а is Cyrillic
    assert isinstance(details, Details)
    assert details.email == "kim@xn--exmple-4nf.com"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", Problem.NAME_MISSING),
        ("\u200b\u2060 ", Problem.NAME_MISSING),
        ("\u202e", Problem.NAME_MISSING),
        ("Kim\nBcc: eve@example.com", Problem.NAME_CONTROL),
        ("Kim\x00", Problem.NAME_CONTROL),
        ("K" * (LONGEST_NAME + 1), Problem.NAME_LONG),
        ("\ud800", Problem.NOT_TEXT),
        (["Kim"], Problem.NOT_TEXT),
    ],
)
def test_what_is_no_name_is_named(name: object, expected: Problem) -> None:
    assert problem("name", name=name) is expected


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Kim  ", "Kim"),
        ("K", "K"),
        ("Zoe\u0308", "Zoë"),
        ("\u202eevE", "evE"),
        ("किम\u200d", "किम\u200d"),
        ("Ольга", "Ольга"),
        ("O'Neil <b>", "O'Neil <b>"),
    ],
)
def test_any_name_or_alias_is_enough(name: str, kept: str) -> None:
    details = cleaned(name=name)
    assert isinstance(details, Details)
    assert details.name == kept


def test_a_note_keeps_its_lines_and_loses_what_can_not_be_seen() -> None:
    details = cleaned(note=" One\r\ntwo\rthree\x07\u202e ")
    assert isinstance(details, Details)
    assert details.note == "One\ntwo\nthree"


def test_a_note_has_an_end() -> None:
    assert problem("note", note="n" * LONGEST_NOTE) is None
    assert problem("note", note="n" * (LONGEST_NOTE + 1)) is Problem.NOTE_LONG


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    found = clean_details({"note": "n" * 2000}, OWNER, call_type())
    assert found == {
        "name": Problem.NAME_MISSING,
        "email": Problem.EMAIL_MISSING,
        "phone": Problem.PHONE_MISSING,
        "note": Problem.NOTE_LONG,
    }


@given(st.dictionaries(st.sampled_from(["name", "email", "phone", "note", "who_calls"]), st.text() | st.integers()))
def test_whatever_is_sent_comes_out_clean_or_named(data: dict[str, object]) -> None:
    found = clean_details(data, OWNER, call_type(who_calls="choice"))
    if isinstance(found, Details):
        assert all(c.isprintable() or c in "\u200c\u200d" for c in found.name + found.email + found.phone)
        assert found.name.encode()
    else:
        assert found


def test_a_correction_asks_for_the_number_only_where_the_owner_calls() -> None:
    typed = {"email": "kim@example.org", "phone": "x"}
    assert clean_correction(typed, booked()) == {"phone": Problem.PHONE_INVALID}
    assert clean_correction(typed, booked(who_calls="client")) == Details("", "kim@example.org", "", "", "client")


def test_a_correction_names_a_wrong_address() -> None:
    assert clean_correction({"email": "kim\n"}, booked(who_calls="client")) == {"email": Problem.EMAIL_INVALID}
    assert clean_correction({"email": "k\x00"}, booked(who_calls="client")) == {"email": Problem.EMAIL_INVALID}


@pytest.mark.parametrize("text", [None, 5, "", "tomorrow", "2026-11-24T09:00", "9999-12-31T23:59:59-23:59"])
def test_what_names_no_moment_is_no_start(text: object) -> None:
    assert read_start(text) is None


@pytest.mark.parametrize("wrong", Problem)
@pytest.mark.parametrize("code", ["en", "de", "ru"])
def test_every_problem_has_its_words(app: Flask, wrong: Problem, code: str) -> None:
    with app.test_request_context(f"/?lang={code}"):
        app.preprocess_request()
        assert problem_text(wrong).endswith(".")


def test_a_call_that_was_made_without_an_address_is_corrected_without_one() -> None:
    found = clean_correction({"email": "", "phone": "0170 7654321"}, booked(email="", phone="+491701234567"))
    assert isinstance(found, Details)
    assert (found.email, found.phone) == ("", "+491707654321")


def test_a_correction_keeps_the_number_it_does_not_ask_for() -> None:
    call = booked(phone="+491701234567", who_calls="client")
    found = clean_correction({"email": "kim@example.org", "phone": ""}, call)
    assert isinstance(found, Details)
    assert found.phone == "+491701234567"


def test_where_no_address_is_needed_one_can_be_left_out() -> None:
    found = clean_details({**ASKED, "email": ""}, OWNER, call_type(is_email_needed=False))
    assert isinstance(found, Details)
    assert (found.email, found.phone) == ("", "+491701234567")


@pytest.mark.parametrize("typed", [{}, {"phone": ""}, {"phone": "  "}, {"phone": None}])
def test_whoever_gives_no_address_gives_a_number_also_where_they_call(typed: dict[str, object]) -> None:
    asked = {"name": "Kim", **typed}
    free = call_type(who_calls="client", is_email_needed=False)
    assert clean_details(asked, OWNER, free) == {"phone": Problem.PHONE_OR_EMAIL}
    assert isinstance(clean_details({**asked, "phone": "0170 1234567"}, OWNER, free), Details)
    assert isinstance(clean_details({**asked, "email": "kim@example.com"}, OWNER, free), Details)


def test_an_address_that_is_not_needed_is_checked_all_the_same() -> None:
    found = clean_details({**ASKED, "email": "kim@"}, OWNER, call_type(is_email_needed=False))
    assert found == {"email": Problem.EMAIL_INVALID}


def test_only_what_is_asked_is_answered() -> None:
    sent = {**ASKED, "note": "secret", "voicemail": "yes", "text": "yes"}
    found = clean_details(sent, OWNER, call_type(questions="voicemail others"))
    assert isinstance(found, Details)
    assert (found.note, found.answers) == ("", {"voicemail": True, "others": False})


def test_a_note_that_is_not_asked_for_is_never_too_long() -> None:
    assert isinstance(clean_details({**ASKED, "note": "n" * 5000}, OWNER, call_type(questions="")), Details)


def test_a_client_who_calls_is_asked_nothing_about_being_rung() -> None:
    asking = call_type(who_calls="choice", questions="voicemail others text")
    found = clean_details({**ASKED, "who_calls": "client", "voicemail": "yes"}, OWNER, asking)
    assert isinstance(found, Details)
    assert found.answers == {}
    assert questions_of(call_type(who_calls="client", questions="voicemail")) == ()
