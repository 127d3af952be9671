"""What this machine knows about the person who uses it, for a first owner without a question asked."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import phonenumbers
from babel.core import get_global

from booking.language import LANGUAGES

NOBODY: Final = "Sprechzeit"
USUAL_ZONE: Final = "Europe/Berlin"
USUAL_COUNTRY: Final = "DE"


@dataclass(frozen=True)
class Person:
    """A guess at who sits here: everything can be changed with ``owner set``."""

    name: str
    email: str
    timezone: str
    locale: str
    country: str


def guess_person(env: Mapping[str, str], *, localtime: Path = Path("/etc/localtime")) -> Person:
    """Guess from the account, the time zone and the language of this machine."""
    login, name = _account()
    zone = _zone(env, localtime)
    locale, region = _language(env)
    return Person(name, f"{login}@localhost", zone or USUAL_ZONE, locale, _country(zone, region))


def _account() -> tuple[str, str]:
    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:  # a container may run as a number without a name
        return "owner", NOBODY
    if account.pw_uid == 0:
        return account.pw_name, NOBODY
    name = account.pw_gecos.split(",")[0].strip() or account.pw_name.capitalize()
    return account.pw_name, name if name.isprintable() else NOBODY


def _zone(env: Mapping[str, str], localtime: Path) -> str:
    """Return the machine's zone, or nothing where it has no name of the list."""
    named = (env.get("TZ", "").removeprefix(":"), str(localtime.resolve()).rpartition("/zoneinfo/")[2])
    return next((zone for zone in named if zone in available_timezones()), "")


def _language(env: Mapping[str, str]) -> tuple[str, str]:
    """Return language and region of ``LANG`` (``de_AT.UTF-8``)."""
    text = next((env[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    language, _, region = text.partition(".")[0].partition("@")[0].partition("_")
    return (language if language in LANGUAGES else "en"), region


def _country(zone: str, region: str) -> str:
    """The zone comes first: many who write English live elsewhere."""
    guesses = (get_global("zone_territories").get(zone, ""), region)
    return next((country for country in guesses if country in phonenumbers.SUPPORTED_REGIONS), USUAL_COUNTRY)
