"""What is guessed about the person at this machine."""

from pathlib import Path

import pytest

from booking.machine import guess_person

NOWHERE = Path("/nowhere")


@pytest.mark.parametrize(
    ("env", "localtime", "timezone", "locale", "country"),
    [
        ({"TZ": "Asia/Kathmandu", "LANG": "ru_RU.UTF-8"}, NOWHERE, "Asia/Kathmandu", "ru", "NP"),
        ({"TZ": ":Europe/Vienna", "LC_ALL": "de_AT@euro", "LANG": "ru"}, NOWHERE, "Europe/Vienna", "de", "AT"),
        ({"LANG": "en_US.UTF-8"}, Path("/usr/share/zoneinfo/Europe/Berlin"), "Europe/Berlin", "en", "DE"),
        ({"TZ": "UTC", "LANG": "de_CH"}, NOWHERE, "UTC", "de", "CH"),
        ({"TZ": "CET-1CEST", "LANG": "C.UTF-8"}, NOWHERE, "Europe/Berlin", "en", "DE"),
        ({}, NOWHERE, "Europe/Berlin", "en", "DE"),
        ({"LC_ALL": "", "LANG": "fr_FR"}, NOWHERE, "Europe/Berlin", "en", "FR"),
    ],
)
def test_zone_language_and_country_come_from_the_machine(
    env: dict[str, str], localtime: Path, timezone: str, locale: str, country: str
) -> None:
    person = guess_person(env, localtime=localtime)
    assert (person.timezone, person.locale, person.country) == (timezone, locale, country)


def test_everybody_has_a_name_and_an_address() -> None:
    person = guess_person({})
    assert person.name
    assert person.email.endswith("@localhost")
