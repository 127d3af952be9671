"""One reader's language: translated sentences, and dates as that language writes them.

Pages and mails use the same object. Catalogues are read from the ``.po`` files themselves, so that
there is no compiled copy to forget. Source texts are English.
"""

import io
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.dates import format_datetime, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES: Final = ("en", "de", "ru")
CATALOGUES: Final = Path(__file__).with_name("translations")

# Babel's own long formats shorten the weekday; these are what look.md shows.
_PATTERNS: Final = {
    "en": {"full": "EEEE, d MMMM y", "day": "EEEE, d MMMM", "short": "EEE d MMM"},
    "de": {"full": "EEEE, d. MMMM y", "day": "EEEE, d. MMMM", "short": "EEE, d. MMM"},
    "ru": {"full": "EEEE, d MMMM y 'г'.", "day": "EEEE, d MMMM", "short": "EEE, d MMM"},
}


class Language:
    """Sentences, dates and times for one reader; use :func:`language` to get one."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.locale = Locale.parse(code)
        self._translations = _translations(code)

    def gettext(self, message: str, **values: object) -> str:
        """Translate one sentence and fill its ``%(name)s`` places."""
        text: str = self._translations.ugettext(message)
        return text % values if values else text

    def ngettext(self, singular: str, plural: str, number: int, **values: object) -> str:
        """Translate one sentence that counts; ``%(num)s`` is the number."""
        text: str = self._translations.ungettext(singular, plural, number)
        return text % {"num": number, **values}

    def full_date(self, moment: datetime, zone: tzinfo) -> str:
        """Tuesday, 24 November 2026."""
        return self._format("full", moment, zone)

    def day(self, moment: datetime, zone: tzinfo) -> str:
        """Tuesday, 24 November."""
        return self._format("day", moment, zone)

    def short_day(self, moment: datetime, zone: tzinfo) -> str:
        """Tue 24 Nov."""
        return self._format("short", moment, zone)

    def time(self, moment: datetime, zone: tzinfo) -> str:
        """9:30."""
        return format_datetime(moment.astimezone(zone), "H:mm", locale=self.locale)

    def place(self, zone_name: str) -> str:
        """Name the place of a zone (``Europe/Berlin`` → Berlin), for "(Berlin time)"."""
        if zone_name in ("UTC", "Etc/UTC", "Etc/GMT"):
            return "UTC"
        for name in _names_of(zone_name):
            city = self.locale.time_zones.get(name, {}).get("city")
            if city:
                return str(city)
        place: str = get_timezone_location(zone_name, locale=self.locale, return_city=True)
        return place.rpartition("/")[2]

    def _format(self, pattern: str, moment: datetime, zone: tzinfo) -> str:
        return format_datetime(moment.astimezone(zone), _PATTERNS[self.code][pattern], locale=self.locale)


@cache
def language(code: str) -> Language:
    """Return the language of a code such as ``de``; English where there is none."""
    return Language(code if code in LANGUAGES else "en")


@cache
def _names_of(zone_name: str) -> tuple[str, ...]:
    """Return every name of a zone: CLDR keeps places under old ones (Asia/Calcutta), where Babel does not look."""
    aliases: Mapping[str, str] = get_global("zone_aliases")
    newest = aliases.get(zone_name, zone_name)
    return newest, *(old for old, new in aliases.items() if new == newest)


def _translations(code: str) -> Translations:
    path = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if code == "en" or not path.exists():
        return Translations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Translations(compiled)
