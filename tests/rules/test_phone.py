"""Phone numbers: every usual way of typing one, and a named problem for what can't be rung."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.errors import InvalidPhone
from booking.rules.phone import Phone, PhoneProblem, display, masked, parse_phone

EVERYWHERE: frozenset[str] = frozenset()
MOBILE = "+491701234567"
VALID = (MOBILE, "+4930901820", "+442079460958", "+16502530000", "+4532123456", "+50021234", "+79123456789")


def problem(text: str, country: str = "DE", allowed: frozenset[str] = EVERYWHERE) -> str:
    with pytest.raises(InvalidPhone) as caught:
        parse_phone(text, country, allowed)
    return PhoneProblem(caught.value.reason)


@pytest.mark.parametrize(
    "text",
    [
        "01701234567",
        "0170 1234567",
        "0170 / 123 45-67",
        "0170/1234567",
        "(0170) 123 45 67",
        "0170.123.45.67",
        "0170\u00a01234567",
        "0170–1234567",
        "170 1234567",
        "+491701234567",
        "+49 170 1234567",
        "+ 49 170 1234567",
        "(+49) 170 1234567",
        "+49 (0)170 1234567",
        "+49 (0) 170 / 123 45 67",
        "+49 0170 1234567",
        "0049 170 1234567",
        "00 49 (0)170 1234567",
        "49 170 1234567",
        "491701234567",
        "tel:+49-170-1234567",
        "tel:0170-1234567",
        "Tel. 0170 1234567",
        "  0170 1234567\n",
        "０１７０ １２３４５６７",
        "＋４９ １７０ １２３４５６７",
        "\u202a+49 170 1234567\u202c",
        "٠١٧٠ ١٢٣٤٥٦٧",
    ],
)
def test_a_number_is_understood_in_every_usual_way_of_typing(text: str) -> None:
    assert parse_phone(text, "DE", EVERYWHERE) == Phone(MOBILE, "DE", is_landline=False, kind="mobile")


@pytest.mark.parametrize("country", ["", "US", "JP", "RU", "XX", "de"])
@pytest.mark.parametrize(
    "text", ["+49 170 1234567", "0049 170 1234567", "tel:+49-170-1234567", "００４９ １７０ １２３４５６７"]
)
def test_a_number_with_its_country_code_needs_no_default_country(text: str, country: str) -> None:
    assert parse_phone(text, country, EVERYWHERE).e164 == MOBILE


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("7 912 345-67-89", "RU", "+79123456789"),
        ("912 345-67-89", "RU", "+79123456789"),
        ("011 49 170 1234567", "US", MOBILE),
        ("(650) 253-0000", "US", "+16502530000"),
        ("1 650 253 0000", "US", "+16502530000"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("06 6982 1234", "IT", "+390669821234"),
        ("391 234 5678", "IT", "+393912345678"),  # begins like Italy's own code, and has no zero to tell them apart
        ("0170 1234567", "de", MOBILE),
        ("0491 701234", "DE", "+49491701234"),  # Leer, whose area code begins like Germany's own
    ],
)
def test_national_numbers_follow_the_habits_of_their_country(text: str, country: str, e164: str) -> None:
    assert parse_phone(text, country, EVERYWHERE).e164 == e164


@pytest.mark.parametrize(
    ("text", "country", "kind"),
    [
        ("030 901820", "DE", "fixed_line"),
        ("0170 1234567", "DE", "mobile"),
        ("056 1234 5678", "GB", "voip"),
        ("650 253 0000", "US", "fixed_line_or_mobile"),
    ],
)
def test_private_lines_are_taken_and_only_a_sure_landline_is_called_one(text: str, country: str, kind: str) -> None:
    phone = parse_phone(text, country, EVERYWHERE)
    assert (phone.kind, phone.is_landline) == (kind, kind == "fixed_line")


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("0900 1234567", "DE"),  # premium
        ("0137 1234567", "DE"),  # television votes, counted as shared cost
        ("0180 5 123456", "DE"),  # shared cost
        ("0800 1234567", "DE"),  # toll-free
        ("0700 12345678", "DE"),  # personal number
        ("0164 1234567", "DE"),  # pager
        ("+1 900 253 0000", "US"),  # premium
        ("+800 1234 5678", "DE"),  # international toll-free
        ("+44 55 1234 5678", "DE"),  # company-wide number
        ("110", "DE"),
        ("112", "FR"),
        ("911", "US"),
    ],
)
def test_what_is_no_private_line_is_not_taken(text: str, country: str) -> None:
    assert problem(text, country) == PhoneProblem.KIND


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u00a0"])
def test_nothing_is_empty(text: str) -> None:
    assert problem(text) == PhoneProblem.EMPTY


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "+",
        "00",
        "1",
        "call me",
        "0170 1234567 or 0171 7654321",
        "0170 1234567 evenings",
        "017O 1234567",  # a letter, not a zero
        "0170 CALLNOW",
        "one two three",
    ],
)
def test_what_holds_no_single_number_is_unreadable(text: str) -> None:
    assert problem(text) == PhoneProblem.UNREADABLE


@pytest.mark.parametrize(
    "text",
    ["0170 123", "+49 170 12345678901", "+999 123456", "+49 1", "0049 1", "1" * 40, "0170 1234567 / 0171 7654321"],
)
def test_a_number_that_nobody_can_have_is_invalid(text: str) -> None:
    assert problem(text) == PhoneProblem.INVALID


@pytest.mark.parametrize("country", ["", "XX"])
def test_a_national_number_needs_a_country(country: str) -> None:
    assert problem("0170 1234567", country) == PhoneProblem.NO_COUNTRY


@pytest.mark.parametrize(
    "text", ["030 901820 ext. 5", "030 901820 x5", "030 901820#5", "tel:+49-30-901820;ext=12", "49 30 901820 ext 5"]
)
def test_an_extension_cannot_be_dialled(text: str) -> None:
    assert problem(text) == PhoneProblem.EXTENSION


def test_only_numbers_of_allowed_countries_are_taken() -> None:
    assert parse_phone("0170 1234567", "DE", frozenset({"DE", "AT"})).country == "DE"
    assert problem("+44 20 7946 0958", "DE", frozenset({"DE", "AT"})) == PhoneProblem.COUNTRY


def test_a_number_of_no_country_is_taken_only_where_every_country_is() -> None:
    assert parse_phone("+883 5100 12345678", "DE", EVERYWHERE).country == "001"
    assert problem("+883 5100 12345678", "DE", frozenset({"DE"})) == PhoneProblem.COUNTRY


@pytest.mark.parametrize(
    ("e164", "written"),
    [(MOBILE, "+49 170 1234567"), ("+442079460958", "+44 20 7946 0958"), ("+16502530000", "+1 650-253-0000")],
)
def test_readers_see_a_number_in_groups(e164: str, written: str) -> None:
    assert display(e164) == written


@pytest.mark.parametrize(
    ("e164", "written"),
    [
        (MOBILE, "+49 170 …567"),
        ("+442079460958", "+44 20 …958"),
        ("+4532123456", "+45 32 …456"),
        ("+50021234", "+500 …234"),  # too short to show its beginning as well
    ],
)
def test_a_masked_number_shows_its_beginning_and_its_end_only(e164: str, written: str) -> None:
    assert masked(e164) == written


@pytest.mark.parametrize("e164", VALID)
def test_a_masked_number_hides_digits(e164: str) -> None:
    shown = [sign for sign in masked(e164) if sign.isdigit()]
    assert len(shown) <= len(e164) - 1 - 2


@pytest.mark.parametrize("write", [display, masked])
def test_what_is_no_number_cannot_be_written_as_one(write: Callable[[str], str]) -> None:
    with pytest.raises(InvalidPhone):
        write("nobody")


@given(
    st.one_of(st.text(max_size=40), st.text("0123456789+ /-().x#t٣３", max_size=18)),
    st.sampled_from(["", "DE", "US", "XX"]),
)
def test_any_text_is_a_number_that_reads_as_itself_again_or_a_named_problem(text: str, country: str) -> None:
    try:
        phone = parse_phone(text, country, EVERYWHERE)
    except InvalidPhone:
        assert problem(text, country) in set(PhoneProblem)
    else:
        assert parse_phone(phone.e164, "", EVERYWHERE) == phone


@given(st.sampled_from(VALID), st.lists(st.sampled_from(" -/.()\u00a0"), min_size=16, max_size=16))
def test_spaces_and_marks_between_the_digits_say_nothing(e164: str, marks: list[str]) -> None:
    text = "+" + "".join(
        digit + (mark if mark not in "()" else "") for digit, mark in zip(e164[1:], marks, strict=False)
    )
    assert parse_phone(text, "", EVERYWHERE).e164 == e164
