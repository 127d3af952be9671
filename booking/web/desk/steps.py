"""What the steps of the set-up ask, what they are filled with, and what they save."""

from collections import Counter
from typing import Any, Final

from babel.core import get_global
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy.orm import Session
from wtforms import StringField, ValidationError
from wtforms.form import BaseForm

from booking.language import LANGUAGES, language
from booking.rules.hours import Windows
from booking.rules.phone import display
from booking.store.models import CallType, Owner
from booking.usecases import calendars, call_types, door, hours, keyvalue, setup
from booking.web.context import LANGUAGE_NAMES, gettext, now, read_zone, reader, services
from booking.web.desk import calendar_words, passwords, spoken
from booking.web.desk.account import MailAddress
from booking.web.desk.fields import Choice, Choices, Line, Whole
from booking.web.desk.mails import read_number
from booking.web.desk.room import DeskForm, session, signed_in
from booking.web.desk.windows import Hours
from booking.web.forms import LONGEST_EMAIL
from booking.web.zones import zone_options

USUAL_MINUTES: Final = 30


class StepForm(DeskForm):
    """One step of the set-up; this one asks nothing."""

    @classmethod
    def saved(cls, owner: Owner) -> Any:
        """Return what is saved at present; a change of it in another window is noticed."""
        return None

    @classmethod
    def filled(cls, owner: Owner) -> dict[str, Any]:
        """Return what the fields show at first."""
        return {}

    def shown(self, owner: Owner) -> dict[str, Any]:
        """Return what the page shows besides the fields."""
        return {}

    def needs_proof(self, owner: Owner) -> bool:
        """Say whether what was typed is sensitive: then the log-in must be a fresh one."""
        return False

    def fits(self, owner: Owner) -> bool:
        """Check what the fields alone can't know; say at the field what can't be used."""
        return True

    def apply(self, db: Session, owner: Owner) -> None:
        """Save what was typed; the owner is locked."""

    def leave(self, db: Session, owner: Owner) -> None:
        """Do what is needed where the step is skipped; the owner is locked."""


class Zone(StringField):  # type: ignore[misc]
    """A time zone."""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is none of the list."""
        if read_zone(self.data) is None:
            raise ValidationError(gettext("Choose one of these."))


class NewPassword(passwords.Secret):
    """A new password, or nothing."""

    def pre_validate(self, form: BaseForm) -> None:
        """Take anything: whether it is good enough depends on whose it is."""


class YouForm(StepForm):
    """Who takes the calls, where, in which language, and how they come in."""

    name = Line(keyvalue.LONGEST_NAME, needed=True)
    email = MailAddress(LONGEST_EMAIL, needed=True)
    locale = Choice(LANGUAGES)
    timezone = Zone()
    password = NewPassword()
    password_hash = ""

    @classmethod
    def saved(cls, owner: Owner) -> Any:
        """Return name, address, language and zone."""
        return {name: getattr(owner, name) for name in ("name", "email", "locale", "timezone")}

    @classmethod
    def filled(cls, owner: Owner) -> dict[str, Any]:
        """Return what is saved, or was guessed when the owner was added; no mail reaches an address of no domain."""
        email = "" if owner.email.endswith("@localhost") else owner.email
        return {**cls.saved(owner), "email": email}

    def shown(self, owner: Owner) -> dict[str, Any]:
        """Return the choices, and whether there is a password."""
        with services().database.reading() as db:
            has_password = bool(door.find_account(db, owner.id).password_hash)
        place = reader().place(read_zone(self.timezone.data) or owner.timezone)
        return {
            "has_password": has_password,
            "language_options": list(LANGUAGE_NAMES.items()),
            "place": place,
            "zone_options": zone_options(reader().code),
        }

    def needs_proof(self, owner: Owner) -> bool:
        """Say whether address or password change."""
        return bool(self.password.data) or self.email.data != owner.email

    def fits(self, owner: Owner) -> bool:
        """Check the password, if there is one, beside the name and the address that were typed."""
        if not self.password.data:
            return True
        whose = Owner(name=self.name.data, email=self.email.data, slug=owner.slug)
        if not passwords.accepts(self.password, whose):
            return False
        self.password_hash = services().passwords.hash(self.password.data)
        return True

    def apply(self, db: Session, owner: Owner) -> None:
        """Save it all; numbers without a country code belong to where the owner is, as far as it is known."""
        values = {name: self[name].data for name in ("name", "email", "locale", "timezone")}
        country = get_global("zone_territories").get(values["timezone"], "")
        if values["timezone"] != owner.timezone and country in SUPPORTED_REGIONS:
            values["country"] = country
        _translate_call_types(owner, values["locale"])
        setup.change_owner(db, owner, values)
        if self.password_hash:
            door.set_password(db, owner.id, self.password_hash, now(), keep=session().public_id)


class HoursForm(StepForm):
    """Business hours, the same ones on every day that is ticked."""

    days = Choices([str(number) for number in range(7)])
    hours = Hours()

    @classmethod
    def saved(cls, owner: Owner) -> Any:
        """Return the week."""
        return owner.timetable.to_json().get("weekly")

    @classmethod
    def filled(cls, owner: Owner) -> dict[str, Any]:
        """Return the days that are open, with the hours that most of them have."""
        open_days = [str(number) for number, windows in enumerate(owner.timetable.weekly) if windows]
        return {"days": open_days, "hours": _usual_hours(owner)}

    def shown(self, owner: Owner) -> dict[str, Any]:
        """Return the days of the week, and the hours of those that differ from the others."""
        week, usual = owner.timetable.weekly, _usual_hours(owner)
        differing = [number for number in spoken.weekdays() if week[number] and week[number] != usual]
        return {
            "day_options": [(str(number), spoken.weekday(number), "") for number in spoken.weekdays()],
            "differing": [(spoken.weekday(number), spoken.hours(week[number])) for number in differing],
        }

    def fits(self, owner: Owner) -> bool:
        """Ask for a day and hours: without any, nobody could book."""
        if not self.days.data:
            self.days.errors = [gettext("Tick at least one day.")]
        if not self.hours.windows:
            self.hours.errors = [gettext("Fill in from when to when.")]
        return not (self.days.errors or self.hours.errors)

    def apply(self, db: Session, owner: Owner) -> None:
        """Save the week; days, absences and holidays that differ stay."""
        ticked = {int(number) for number in self.days.data or []}
        week = [self.hours.windows if number in ticked else () for number in range(7)]
        owner.timetable = hours.with_week(owner.timetable, week)


class OwnNumber(StringField):  # type: ignore[misc]
    """The owner's number; needed where clients call."""

    e164 = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Leave the blanks around it out."""
        self.data = valuelist[0].strip() if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what can't be rung like an ordinary number."""
        if self.data:
            self.e164 = read_number(self.data, signed_in().country).e164
        elif form["who_calls"].data != "owner":
            raise ValidationError(gettext("Give the number that clients ring."))


class CallForm(StepForm):
    """The first call type."""

    name = Line(keyvalue.LONGEST_TYPE_NAME, needed=True)
    minutes = Whole(*keyvalue.CALL_TYPE_RANGES["minutes"])
    who_calls = Choice(("owner", "client", "choice"))
    own_number = OwnNumber()

    @classmethod
    def saved(cls, owner: Owner) -> Any:
        """Return the first call type, and the owner's number."""
        first = _first_call_type(owner)
        facts = (first.id, first.name, first.minutes, first.who_calls) if first else None
        return [facts, owner.phone]

    @classmethod
    def filled(cls, owner: Owner) -> dict[str, Any]:
        """Return the first call type, or a suggestion where there is none."""
        first = _first_call_type(owner)
        number = display(owner.phone) if owner.phone else ""
        if first is None:
            suggested = language(owner.locale).gettext("Phone call")
            return {"name": suggested, "minutes": USUAL_MINUTES, "who_calls": "owner", "own_number": number}
        return {
            "name": first.name,
            "minutes": first.minutes,
            "who_calls": first.who_calls,
            "own_number": number,
        }

    def shown(self, owner: Owner) -> dict[str, Any]:
        """Return whether there is a call type already."""
        return {"has_call_type": _first_call_type(owner) is not None}

    def apply(self, db: Session, owner: Owner) -> None:
        """Change the first call type, or add it; going back and saving again makes no second one."""
        values: dict[str, object] = {
            "name": self.name.data,
            "minutes": self.minutes.number,
            "who_calls": self.who_calls.data,
        }
        first = _first_call_type(owner)
        if first is None:
            call_types.add(db, owner, {**values, "slug": call_types.free_slug(owner, self.name.data)})
        else:
            call_types.change(db, owner, first, values)
        owner.phone = self.own_number.e164 or owner.phone

    def leave(self, db: Session, owner: Owner) -> None:
        """Make the suggested call type where there is none: without one nobody could book."""
        if _first_call_type(owner) is None:
            self.apply(db, owner)


class CalendarForm(StepForm):
    """Where the calls stand; there is nothing to type."""

    def shown(self, owner: Owner) -> dict[str, Any]:
        """Return the calendars, and how the one that comes along is opened; its password only after a fresh log-in."""
        built_in = next((row for row in owner.calendars if row.kind == calendars.EMBEDDED), None)
        settings = services().settings
        values: dict[str, Any] = {
            "built_in": built_in,
            "others": [calendar_words.name_of(row) for row in owner.calendars if row.kind != calendars.EMBEDDED],
            "elsewhere": f"{settings.base_url}/caldav/",
        }
        if built_in is not None:
            values["at_home"] = f"{settings.embedded_calendar_url or ''}{built_in.url}"
            if door.is_proved(session(), now()):
                values["password"] = services().vault.unlock(built_in.password_encrypted)
        return values


def _translate_call_types(owner: Owner, locale: str) -> None:
    """Give the call type that ``./start`` made its name in the owner's new language."""
    before, after = (language(code).gettext("Phone call") for code in (owner.locale, locale))
    for each in owner.call_types:
        if each.name == before:
            each.name = after


def _usual_hours(owner: Owner) -> Windows:
    """Return the hours that most days have; of several, those of the first day."""
    counted = Counter(windows for windows in owner.timetable.weekly if windows).most_common(1)
    return counted[0][0] if counted else ()


def _first_call_type(owner: Owner) -> CallType | None:
    return next(iter(call_types.in_use(owner)), None)
