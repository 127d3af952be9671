"""The form of one call type: what may be typed, and which values come of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wtforms import ValidationError
from wtforms.form import BaseForm

from booking.errors import InvalidText
from booking.language import LANGUAGES
from booking.store.models import CallType, Owner
from booking.usecases import call_types, keyvalue
from booking.usecases.availability import BY_LINK, HIDDEN, LISTED
from booking.web.context import gettext, ngettext, reader
from booking.web.desk.fields import Choice, Choices, Line, Whole
from booking.web.desk.public_page import Slug
from booking.web.desk.room import DeskForm

NUMBERS: Final = ("before_minutes", "after_minutes", "notice_minutes", "horizon_days", "step_minutes")
CAPS: Final = ("max_per_day", "max_per_week")
NOTICES: Final = (0, 15, 30, 60, 120, 180, 240, 480, 960, 1440)
STEPS: Final = (5, 10, 15, 20, 30, 60)
REMINDERS: Final = (10080, 2880, 1440, 240, 120, 60, 30, 15)
SPOKEN: Final = (
    *("ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hr", "hu", "it", "ja", "ka", "ko"),
    *("lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk", "vi", "zh"),
)
"""Languages that can be ticked; further ones that the owner has set by command stay."""


class Lengths(Line):
    """Further lengths in minutes, separated by blanks or commas."""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no list of lengths."""
        try:
            keyvalue.lengths((self.data or "").replace(";", " "))
        except InvalidText as error:
            least, most = keyvalue.CALL_TYPE_RANGES["minutes"]
            raise ValidationError(
                gettext(
                    "Write at most %(count)s whole numbers from %(least)s to %(most)s, such as: 15 45",
                    count=keyvalue.MOST_LENGTHS,
                    least=least,
                    most=most,
                )
            ) from error

    @property
    def numbers(self) -> set[int]:
        """Return the lengths that were typed; only after the form was validated."""
        return set(map(int, keyvalue.lengths((self.data or "").replace(";", " ")).split()))


class OptionalSlug(Slug):
    """The word in the address; where it is left empty, one is made of the name."""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what can't be part of an address, or is the address of something else."""
        if self.data:
            super().pre_validate(form)


class Reminders(Choices):
    """When clients are reminded."""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is not offered, or too much."""
        super().pre_validate(form)
        if len(set(self.data or [])) > keyvalue.MOST_REMINDERS:
            raise ValidationError(gettext("Choose %(most)s at most.", most=keyvalue.MOST_REMINDERS))


def _whole(key: str, *, needed: bool = True) -> Whole:
    return Whole(*keyvalue.CALL_TYPE_RANGES[key], needed=needed)


class TypeForm(DeskForm):
    """One call type; see :func:`type_form`."""

    name = Line(keyvalue.LONGEST_TYPE_NAME, needed=True)
    description = Line(keyvalue.LONGEST_DESCRIPTION)
    name_en = Line(keyvalue.LONGEST_TYPE_NAME)
    name_de = Line(keyvalue.LONGEST_TYPE_NAME)
    name_ru = Line(keyvalue.LONGEST_TYPE_NAME)
    description_en = Line(keyvalue.LONGEST_DESCRIPTION)
    description_de = Line(keyvalue.LONGEST_DESCRIPTION)
    description_ru = Line(keyvalue.LONGEST_DESCRIPTION)
    visibility = Choice((LISTED, BY_LINK, HIDDEN))
    slug = OptionalSlug()
    minutes = _whole("minutes")
    lengths = Lengths(60)
    who_calls = Choice(("owner", "client", "choice"))
    languages = Choices(SPOKEN)
    email = Choice(("needed", "optional"))
    questions = Choices(keyvalue.QUESTIONS)
    reminders = Reminders([str(each) for each in REMINDERS])
    before_minutes = _whole("before_minutes")
    after_minutes = _whole("after_minutes")
    notice_minutes = _whole("notice_minutes")
    horizon_days = _whole("horizon_days")
    step_minutes = _whole("step_minutes")
    max_per_day = _whole("max_per_day", needed=False)
    max_per_week = _whole("max_per_week", needed=False)

    def allow(self, field: str, values: Sequence[str]) -> None:
        """Let what is set already, by command, be among what can be ticked."""
        self[field].allowed = list(dict.fromkeys([*self[field].allowed, *values]))


def type_form(call_type: CallType | None, data: Mapping[str, object] | None = None) -> TypeForm:
    """Return the form of a call type, or of a new one; filled with ``data`` unless it was sent."""
    form = TypeForm(data=data) if data is not None else TypeForm()
    if call_type is not None:
        form.allow("languages", call_type.languages.split())
        form.allow("reminders", call_type.reminders.split())
    return form


def shown_values(call_type: CallType, owner: Owner) -> dict[str, object]:
    """Return what the form of a call type holds before anything is typed."""
    wording = {
        key: call_type.wording.get(code, {}).get(field, "") for key, (code, field) in keyvalue.WORDING_KEYS.items()
    }
    others = [each for each in call_type.lengths.split() if each != str(call_type.minutes)]
    is_secret = call_types.is_secret(call_type.slug)
    numbers = {key: getattr(call_type, key) for key in ("minutes", *NUMBERS, *CAPS)}
    return {
        **wording,
        **{key: "" if number is None else str(number) for key, number in numbers.items()},
        "name": call_type.name,
        "description": call_type.description,
        "visibility": call_type.visibility,
        "slug": call_types.free_slug(owner, call_type.name) if is_secret else call_type.slug,
        "lengths": " ".join(others),
        "who_calls": call_type.who_calls,
        "languages": call_type.languages.split(),
        "email": "needed" if call_type.is_email_needed else "optional",
        "questions": call_type.questions.split(),
        "reminders": call_type.reminders.split(),
    }


def usual_values() -> dict[str, object]:
    """Return what the form of a new call type holds."""
    usual = {"minutes": 30, "before_minutes": 0, "after_minutes": 10, "notice_minutes": 120, "step_minutes": 15}
    return {
        **{key: str(number) for key, number in usual.items()},
        "horizon_days": "60",
        "visibility": LISTED,
        "who_calls": "owner",
        "email": "needed",
        "questions": ["note"],
        "reminders": ["1440", "60"],
    }


def typed_values(form: TypeForm, owner: Owner, call_type: CallType | None) -> dict[str, object]:
    """Return what was typed as the values of a call type; the form is valid."""
    further = [key for key, (code, _) in keyvalue.WORDING_KEYS.items() if code != owner.locale]
    texts = ("name", "description", "visibility", "who_calls", *further)
    minutes = form.minutes.number or 0
    others = form.lengths.numbers
    values: dict[str, object] = {
        **{key: form[key].data or "" for key in texts},
        **{key: form[key].number for key in (*NUMBERS, *CAPS)},
        "minutes": minutes,
        "lengths": " ".join(str(each) for each in sorted({minutes, *others})) if others - {minutes} else "",
        "languages": " ".join(form.languages.data or []),
        "is_email_needed": form.email.data == "needed",
        "questions": keyvalue.questions(" ".join(form.questions.data or [])),
        "reminders": " ".join(sorted(set(form.reminders.data or []), key=int, reverse=True)),
    }
    slug = _slug(form, owner, call_type)
    return {**values, "slug": slug} if slug else values


def _slug(form: TypeForm, owner: Owner, call_type: CallType | None) -> str:
    """Return the word in the address; nothing where it stays as it is, or becomes one that nobody can guess."""
    was_secret = call_type is not None and call_types.is_secret(call_type.slug)
    if form.visibility.data == BY_LINK or (was_secret and form.visibility.data == HIDDEN):
        return ""
    if form.slug.data:
        return str(form.slug.data)
    return call_types.free_slug(owner, form.name.data) if call_type is None or was_secret else ""


def options(form: TypeForm) -> dict[str, list[tuple[Any, ...]]]:
    """Return what can be chosen from, with its names in the owner's language."""
    names = reader().locale.languages
    spoken = [(code, names.get(code, code), "") for code in form.languages.allowed]
    return {
        "notice": _spans(NOTICES, form.notice_minutes.data, hours_only=True),
        "step": _spans(STEPS, form.step_minutes.data),
        "reminders": [(value, span(int(value)), "") for value in form.reminders.allowed],
        "languages": sorted(spoken, key=lambda each: each[1].lower()),
    }


def _spans(offered: Sequence[int], current: object, *, hours_only: bool = False) -> list[tuple[Any, ...]]:
    text = str(current or "")
    others = [int(text)] if text.isascii() and text.isdigit() and len(text) < 6 else []
    spans = sorted({*offered, *others})
    return [(str(each), span(each, hours_only=hours_only) if each else gettext("none")) for each in spans]


def span(minutes: int, *, hours_only: bool = False) -> str:
    """Write a span of time in its greatest whole unit; of working time, whose days are shorter, at most in hours."""
    if not hours_only and minutes % 10080 == 0:
        return ngettext("%(num)s week", "%(num)s weeks", minutes // 10080)
    if not hours_only and minutes % 1440 == 0:
        return ngettext("%(num)s day", "%(num)s days", minutes // 1440)
    if minutes % 60 == 0:
        return ngettext("%(num)s hour", "%(num)s hours", minutes // 60)
    return ngettext("%(num)s minute", "%(num)s minutes", minutes)


def other_languages(owner: Owner) -> list[str]:
    """Return the codes of the languages that the owner's own words are not in."""
    return [code for code in LANGUAGES if code != owner.locale]
