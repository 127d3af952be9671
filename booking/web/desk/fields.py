"""The fields of the desk's forms: what may be typed, and the sentence where it can't be used.

Shape only. Labels and hints stand in the templates; a field that is not part of a form is never looked at.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.form import BaseForm

from booking.web.context import gettext, ngettext
from booking.web.forms import without_format_characters
from booking.web.instants import read_day


class Line(StringField):  # type: ignore[misc]
    """One line of text, at most ``most`` characters."""

    def __init__(self, most: int, *, needed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.needed = most, needed

    def process_formdata(self, valuelist: list[str]) -> None:
        """Bring what was typed into shape: composed letters, nothing invisible, no blanks around it."""
        self.data = _tidied(valuelist[0]) if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no single line, too long, or missing."""
        text = self.data or ""
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
            raise ValidationError(gettext("Write this in one line, with ordinary characters."))
        _check_length(text, self.most, needed=self.needed)


class Prose(TextAreaField):  # type: ignore[misc]
    """Several lines of text, at most ``most`` characters."""

    def __init__(self, most: int, *, needed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.needed = most, needed

    def process_formdata(self, valuelist: list[str]) -> None:
        """Bring what was typed into shape; line ends are one character."""
        text = _tidied(valuelist[0] if valuelist else "").replace("\r\n", "\n").replace("\r", "\n")
        self.data = "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cs"))

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is too long or missing."""
        _check_length(self.data or "", self.most, needed=self.needed)


class Whole(StringField):  # type: ignore[misc]
    """A whole number from ``least`` to ``most``; :attr:`number` is ``None`` where the field is empty."""

    def __init__(self, least: int, most: int, *, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most, self.needed = least, most, needed

    @property
    def number(self) -> int | None:
        """Return what was typed as a number; only after the form was validated."""
        text = str(self.data if self.data is not None else "").strip()
        return int(text) if text else None

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no number, or too small or large."""
        text = str(self.data if self.data is not None else "").strip()
        if not text and not self.needed:
            return
        if not re.fullmatch(r"[0-9]{1,9}", text) or not self.least <= int(text) <= self.most:
            raise ValidationError(
                gettext("Write a whole number from %(least)s to %(most)s.", least=self.least, most=self.most)
            )


class Day(StringField):  # type: ignore[misc]
    """A day, as date fields send it; :attr:`day` is ``None`` where the field is empty."""

    def __init__(self, *, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.needed = needed

    @property
    def day(self) -> date | None:
        """Return the day that was typed."""
        return read_day((self.data or "").strip())

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no day."""
        text = (self.data or "").strip()
        if (text or self.needed) and self.day is None:
            raise ValidationError(gettext("Write the day like 2026-12-24.") if text else gettext("Choose a day."))


class Clock(StringField):  # type: ignore[misc]
    """A time of day, as time fields send it; :attr:`minutes` after midnight, ``None`` where the field is empty."""

    def __init__(self, *, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.needed = needed

    @property
    def minutes(self) -> int | None:
        """Return the minutes after midnight; 24:00 is the end of the day."""
        return read_clock(self.data or "")

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no time of day."""
        text = (self.data or "").strip()
        if (text or self.needed) and self.minutes is None:
            raise ValidationError(gettext("Write the time like 09:30.") if text else gettext("Choose a time."))


class Choice(SelectField):  # type: ignore[misc]
    """One of several values; how they are called stands in the template."""

    def __init__(self, values: Sequence[str], **kwargs: Any) -> None:
        super().__init__(choices=[], validate_choice=False, **kwargs)
        self.allowed = list(values)

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is not among the values."""
        if self.data not in self.allowed:
            raise ValidationError(gettext("Choose one of these."))


class Choices(SelectMultipleField):  # type: ignore[misc]
    """Any number of several values."""

    def __init__(self, values: Sequence[str], **kwargs: Any) -> None:
        super().__init__(choices=[], validate_choice=False, **kwargs)
        self.allowed = list(values)

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is not among the values."""
        if not set(self.data or []) <= set(self.allowed):
            raise ValidationError(gettext("Choose from these."))


class Box(BooleanField):  # type: ignore[misc]
    """A box to tick."""


def read_clock(text: str) -> int | None:
    """Return the minutes after midnight of a time of day; 24:00 is the end of the day."""
    match = re.fullmatch(r"([0-9]{1,2})[:.]([0-9]{2})(?::00)?", text.strip())
    if match is None:
        return None
    total = int(match[1]) * 60 + int(match[2])
    return total if int(match[2]) < 60 and total <= 1440 else None


def _tidied(text: str) -> str:
    return unicodedata.normalize("NFC", without_format_characters(text)).strip()


def _check_length(text: str, most: int, *, needed: bool) -> None:
    if needed and not text:
        raise ValidationError(gettext("This is needed."))
    if len(text) > most:
        raise ValidationError(
            ngettext("Shorten this to %(num)s character.", "Shorten this to %(num)s characters.", most)
        )
