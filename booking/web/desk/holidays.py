"""Public holidays: of which country and region, and on which of them work goes on."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from booking.store.models import Owner
from booking.usecases import free_days, hours
from booking.usecases.availability import kept_holidays
from booking.web.context import gettext, now, reader
from booking.web.desk import preview, spoken
from booking.web.desk.fields import Choices
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in, stamp
from booking.web.desk.saving import refusal, save


class HolidaysForm(DeskForm):
    """The country and region that are shown, and the names of the holidays that are kept."""

    country = HiddenField()
    region = HiddenField()
    closed = Choices(())

    def check(self) -> bool:
        """Validate; only holidays of this country and region can be kept."""
        if not free_days.is_known(self.country.data or "", self.region.data or ""):
            abort(404)
        self.closed.allowed = [each.name for each in self.shown()]
        return bool(self.validate())

    def shown(self) -> list[free_days.Holiday]:
        """Return the coming holidays of what is chosen."""
        return free_days.coming(self.country.data, self.region.data, spoken.today(signed_in()), reader().code)

    def wish(self, owner: Owner) -> hours.Holidays:
        """Return which holidays are to be kept."""
        before = owner.holidays_worked if self.country.data == owner.holiday_country else ""
        worked = free_days.worked_names(self.shown(), self.closed.data or (), before)
        return hours.Holidays(self.country.data, self.region.data, worked if self.country.data else "")


@dataclass(frozen=True)
class Shown:
    """The country and region whose holidays are looked at."""

    country: str
    region: str


@desk.get("/holidays")
def holidays() -> ResponseReturnValue:
    """Show the coming holidays: of the country that is kept, or of the one that is asked for."""
    owner, shown = signed_in(), _wished(signed_in())
    worked = owner.holidays_worked.splitlines() if shown.country == owner.holiday_country else []
    form = HolidaysForm(data={"country": shown.country, "region": shown.region})
    form.closed.data = [each.name for each in form.shown() if each.name not in worked]
    form.stamp.data = stamp(_facts(owner))
    return _page(form)


@desk.post("/holidays")
@acts
def keep_holidays() -> ResponseReturnValue:
    """Save which holidays are kept."""
    form = HolidaysForm()
    if not form.check():
        return _page(form, *refusal(form))

    def change(owner: Owner) -> None:
        hours.keep_holidays(owner, form.wish(owner))

    if not save(form, _facts, change):
        return _page(form, 409, note_of("changed"))
    return done(gettext("The holidays are saved."), "desk.availability")


@desk.post("/holidays/preview")
@acts
def preview_holidays() -> ResponseReturnValue:
    """Show the public page with these holidays."""
    form, owner = HolidaysForm(), signed_in()
    if not form.check():
        return _page(form, *refusal(form))
    wish = form.wish(owner)
    kept = kept_holidays(wish.country, wish.region, wish.worked, now().year)
    return preview.show_timetable(owner.timetable, kept)


def _wished(owner: Owner) -> Shown:
    """Return the country and region of the address; a region of another country counts for none."""
    country = request.args.get("country", owner.holiday_country)
    region = request.args.get("region", owner.holiday_region if country == owner.holiday_country else "")
    if not free_days.is_known(country, ""):
        return Shown(owner.holiday_country, owner.holiday_region)
    return Shown(country, region if free_days.is_known(country, region) else "")


def _facts(owner: Owner) -> list[Any]:
    kept = hours.kept_of(owner)
    return [kept.country, kept.region, kept.worked]


def _page(form: HolidaysForm, status: int = 200, note: str = "") -> ResponseReturnValue:
    owner = signed_in()
    country, region = form.country.data or "", form.region.data or ""
    return page(
        "desk/holidays.html",
        status,
        form=form,
        note=note,
        country_name=_country(country),
        countries=_countries(),
        regions=free_days.regions(country),
        coming=[(each.name, each.label, spoken.days(each.days)) for each in form.shown()],
        is_saved=(country, region) == (owner.holiday_country, owner.holiday_region),
    )


def _country(code: str) -> str:
    return str(reader().locale.territories.get(code, code))


def _countries() -> list[tuple[str, str]]:
    """Return the known countries in the reader's language, sorted as if their letters had no accents."""
    return sorted(((code, _country(code)) for code in free_days.countries()), key=lambda pair: _plain(pair[1]))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
