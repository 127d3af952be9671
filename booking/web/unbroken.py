"""Sentences and dates as pages write them: what belongs together stays on one line.

Pages only. Mails keep ordinary spaces, because in a subject every other one would have to be encoded.
"""

import re
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from typing import Final

from booking.language import LANGUAGES, Language

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
JOINER: Final = "\N{WORD JOINER}"

_PAIRS: Final = re.compile(
    r"(?<=%\(time\)s) (?=Uhr)|(?<=\bв) (?=%\(time\)s)"
    r"|(?<=%\(place\)s) (?=time)|(?<=Ortszeit) (?=%)|(?<=время:) (?=%)"
    r"|(?<=\d) (?=[Mm]inute|минут)"
)
"""The spaces between a number or a name and the word that says what it is."""
_IN_DATE: Final = re.compile(r"(?<![^\d.]) | (?=\d{4})")
"""The spaces of a date, save for the one after the weekday."""


class PageLanguage(Language):
    """A reader's language on pages; use :func:`page_language` to get one."""

    def gettext(self, message: str, **values: object) -> str:
        """Translate one sentence and fill its ``%(name)s`` places."""
        text = _unbroken(super().gettext(message))
        return text % values if values else text

    def ngettext(self, singular: str, plural: str, number: int, **values: object) -> str:
        """Translate one sentence that counts; ``%(num)s`` is the number."""
        return _unbroken(super().ngettext(singular, plural, number, **values))

    def _format(self, pattern: str, moment: datetime, zone: tzinfo) -> str:
        return _IN_DATE.sub(NO_BREAK, super()._format(pattern, moment, zone))


@cache
def page_language(code: str) -> PageLanguage:
    """Return the language of a code such as ``de`` for pages; English where there is none."""
    return PageLanguage(code if code in LANGUAGES else "en")


@lru_cache(maxsize=2000)
def _unbroken(text: str) -> str:
    return _PAIRS.sub(NO_BREAK, text).replace("E-Mail", f"E-{JOINER}Mail")
