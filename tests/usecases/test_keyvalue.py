"""KEY=VALUE pairs: what each key takes, and what it refuses with which advice."""

import pytest

from booking.errors import InvalidText
from booking.usecases.keyvalue import RESERVED_SLUGS, call_type_keys, owner_keys, parse_pairs

TAKEN = [
    ("slug=anna-b", "anna-b"),
    ("name= Anna ", "Anna"),
    ("email=anna@example.org", "anna@example.org"),
    ("timezone=Australia/Lord_Howe", "Australia/Lord_Howe"),
    ("locale=ru", "ru"),
    ("country=at", "AT"),
    ("country=", ""),
    ("line=", ""),
    ("phone=030 901820", "+4930901820"),
    ("phone=", ""),
    ("caller-id=withheld", "withheld"),
    ("discretion=neutral", "neutral"),
    ("accent=#1F6F5C", "#1f6f5c"),
    ("accent=", ""),
    ("imprint=Anna\r\nBerlin", "Anna\nBerlin"),
    ("phone_countries=de, at,de", "AT,DE"),
    ("phone_countries=", ""),
    ("notice_in_working_time=Off", False),
    ("morning_minutes=0", 0),
    ("retention_days=3650", 3650),
    ("privacy=a=b", "a=b"),
]
REFUSED = [
    ("slug=Anna", "small letters"),
    ("slug=", "small letters"),
    ("slug=---", "small letters"),
    (f"slug={'a' * 41}", "small letters"),
    ("slug=desk", "the address of a page"),
    ("name=", "1 to 120 letters"),
    (f"name={'a' * 121}", "1 to 120 letters"),
    ("line=two\nlines", "one line"),
    ("email=anna", "a plain mail address"),
    ("email=Anna <anna@example.org>", "a plain mail address"),
    ("email=@example.org", "a plain mail address"),
    ("email=anna@", "a plain mail address"),
    ("email=änna@example.org", "a plain mail address"),
    (f"email={'a' * 250}@example.org", "a plain mail address"),
    ("timezone=Europe", "IANA"),
    ("locale=fr", "en, de, ru"),
    ("country=Germany", "two letters"),
    ("phone=0900 123456", "a phone number"),
    ("discretion=loud", "normal, neutral"),
    ("accent=green", "#1f6f5c"),
    ("imprint=\x07", "control characters"),
    (f"privacy={'a' * 20_001}", "20,000"),
    ("phone_countries=de,xx", "two letters"),
    ("notice_in_working_time=yes", "on, off"),
    ("morning_minutes=-1", "from 0 to 240"),
    ("morning_minutes=٣", "from 0 to 240"),
    ("morning_minutes=241", "from 0 to 240"),
]


@pytest.mark.parametrize(("pair", "value"), TAKEN)
def test_a_setting_of_an_owner_is_taken(pair: str, value: object) -> None:
    assert list(parse_pairs([pair], owner_keys("DE")).values()) == [value]


@pytest.mark.parametrize(("pair", "advice"), REFUSED)
def test_a_setting_of_an_owner_is_refused_with_advice(pair: str, advice: str) -> None:
    with pytest.raises(InvalidText) as refused:
        parse_pairs([pair], owner_keys("DE"))
    key = pair.partition("=")[0]
    assert str(refused.value).startswith(f"{key}: ")
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    ("pair", "value"),
    [("minutes=5", 5), ("max_per_day=none", None), ("max_per_week=", None), ("max-per-day=3", 3), ("position=0", 0)],
)
def test_a_setting_of_a_call_type_is_taken(pair: str, value: object) -> None:
    assert list(parse_pairs([pair], call_type_keys()).values()) == [value]


@pytest.mark.parametrize(
    "pair",
    ["minutes=4", "minutes=481", "step_minutes=0", "horizon_days=367", "max_per_day=0", f"minutes={30:05000}"],
)
def test_a_setting_of_a_call_type_is_refused_outside_its_limits(pair: str) -> None:
    with pytest.raises(InvalidText, match="give a whole number from"):
        parse_pairs([pair], call_type_keys())


@pytest.mark.parametrize("pair", ["minutes", "id=7", "owner_id=7", "=7", "revision=1"])
def test_only_known_keys_can_be_set(pair: str) -> None:
    with pytest.raises(InvalidText, match="give KEY=VALUE with one of the keys after_minutes, before_minutes"):
        parse_pairs([pair], call_type_keys())


def test_every_bad_pair_is_named_at_once() -> None:
    with pytest.raises(InvalidText) as refused:
        parse_pairs(["minutes=0", "name=ok", "colour=red"], call_type_keys())
    assert len(str(refused.value).splitlines()) == 2


def test_the_addresses_of_pages_can_not_be_slugs() -> None:
    pages = {"api", "book", "c", "callback", "desk", "healthz", "imprint", "privacy", "readyz", "request", "static"}
    assert pages - RESERVED_SLUGS == set()


@pytest.mark.parametrize(
    ("text", "kept"),
    [("reminders=60, 1440", "1440 60"), ("reminders=none", ""), ("reminders=", ""), ("reminders=60 60", "60")],
)
def test_reminders_are_minutes_before_the_call_longest_first(text: str, kept: str) -> None:
    assert parse_pairs([text], call_type_keys())["reminders"] == kept


@pytest.mark.parametrize("text", ["reminders=5", "reminders=soon", "reminders=15 16 17 18"])
def test_reminders_too_near_too_many_or_unreadable_are_refused(text: str) -> None:
    with pytest.raises(InvalidText, match="reminders"):
        parse_pairs([text], call_type_keys())


@pytest.mark.parametrize(
    ("pair", "kept"),
    [
        ("lengths=45, 15", "15 45"),
        ("lengths=none", ""),
        ("languages=de EN de", "de en"),
        ("languages=none", ""),
        ("questions=text,note", "note text"),
        ("questions=none", ""),
        ("visibility=hidden", "hidden"),
        ("is_email_needed=off", False),
        ("name_de=Gespräch", "Gespräch"),
        ("description_ru=", ""),
    ],
)
def test_what_a_call_type_offers_and_asks_can_be_set(pair: str, kept: object) -> None:
    assert list(parse_pairs([pair], call_type_keys()).values()) == [kept]


@pytest.mark.parametrize(
    ("pair", "advice"),
    [
        ("lengths=4", "from 5 to 480"),
        ("lengths=15 20 25 30 35 40 45", "6 lengths at most"),
        ("languages=german", "codes of languages"),
        ("languages=zz", "codes of languages"),
        ("questions=income", "note, voicemail, others, text"),
        ("visibility=secret", "listed, link, hidden"),
        ("is_email_needed=maybe", "on, off"),
        ("name_de=a\nb", "one line"),
        ("name_fr=Appel", "one of the keys"),
    ],
)
def test_what_a_call_type_can_t_offer_or_ask_is_refused_with_advice(pair: str, advice: str) -> None:
    with pytest.raises(InvalidText, match=advice):
        parse_pairs([pair], call_type_keys())
