"""When calls can be booked, on one page; the weekly hours; and the owner's own rules about notice, mail and moving."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue

from booking.rules.hours import Windows
from booking.store.models import Owner
from booking.usecases import free_days, hours
from booking.usecases.keyvalue import MOST_MORNING_MINUTES, MOST_MOVES
from booking.web.context import gettext, reader
from booking.web.desk import preview, spoken
from booking.web.desk.fields import Box, Choice, Choices, Whole
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in, stamp
from booking.web.desk.saving import refusal, save
from booking.web.desk.windows import Hours

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FEW: Final = 5
"""How many of the coming holidays the overview names."""


class WeekForm(DeskForm):
    """The hours of every day of the week."""

    mon = Hours()
    tue = Hours()
    wed = Hours()
    thu = Hours()
    fri = Hours()
    sat = Hours()
    sun = Hours()

    def fields_of_days(self) -> list[Hours]:
        """Return the fields, Monday first."""
        return [self[name] for name in DAYS]

    def weekly(self) -> tuple[Windows, ...]:
        """Return what was typed; only after the form was validated."""
        return tuple(field.windows for field in self.fields_of_days())


class CopyForm(DeskForm):
    """Which day's hours are copied to which others."""

    copy_from = Choice(DAYS)
    copy_to = Choices(DAYS)


class RulesForm(DeskForm):
    """What holds for every call type of the owner."""

    notice_in_working_time = Box()
    morning_minutes = Whole(0, MOST_MORNING_MINUTES)
    most_moves = Whole(0, MOST_MOVES)


@desk.get("/hours")
def availability() -> ResponseReturnValue:
    """Show when calls can be booked: the week, special days, absences, holidays, rules."""
    owner, today = signed_in(), spoken.today(signed_in())
    coming = free_days.coming(owner.holiday_country, owner.holiday_region, today, reader().code)
    worked = owner.holidays_worked.splitlines()
    return page(
        "desk/hours.html",
        week=[(spoken.weekday(number), spoken.hours(owner.timetable.weekly[number])) for number in spoken.weekdays()],
        overrides=[
            (day, spoken.day(day), spoken.hours(windows))
            for day, windows in hours.coming_overrides(owner.timetable, today)
        ],
        absences=[(each, spoken.span(each)) for each in hours.coming_absences(owner.timetable, today)],
        country=_country(owner),
        holidays=[(each.label, spoken.days(each.days)) for each in coming if each.name not in worked][:FEW],
    )


@desk.get("/hours/week")
def week() -> ResponseReturnValue:
    """Show the weekly hours, to be changed."""
    owner = signed_in()
    form = WeekForm(data=dict(zip(DAYS, owner.timetable.weekly, strict=True)))
    form.stamp.data = stamp(_week_of(owner))
    return _week_page(form)


@desk.post("/hours/week")
@acts
def set_week() -> ResponseReturnValue:
    """Save the weekly hours."""
    form = WeekForm()
    if not form.validate():
        return _week_page(form, *refusal(form))
    if not save(form, _week_of, _set_week(form.weekly())):
        return _week_page(form, 409, note_of("changed"))
    return done(gettext("The weekly hours are saved."), "desk.availability")


@desk.post("/hours/week/rows")
@acts
def arrange_week() -> ResponseReturnValue:
    """Show the form with one row more, or with one day's hours copied to others; nothing is saved yet."""
    form, copying = WeekForm(), CopyForm()
    if not DeskForm().validate():
        return _week_page(form, 400, note_of("stale"), copying)
    wanted = request.form.get("more", "")
    if wanted in DAYS:
        form[wanted].show(len(form[wanted].rows) + 1)
        return _week_page(form, copying=copying)
    if not copying.validate() or not copying.copy_to.data:
        return _week_page(form, 422, gettext("Tick the days that get the same hours."), copying)
    for name in copying.copy_to.data:
        form[name].copy(form[copying.copy_from.data].rows)
    return _week_page(form)


@desk.post("/hours/week/preview")
@acts
def preview_week() -> ResponseReturnValue:
    """Show the public page with these weekly hours."""
    form = WeekForm()
    if not form.validate():
        return _week_page(form, *refusal(form))
    return preview.show_timetable(hours.with_week(signed_in().timetable, form.weekly()))


@desk.get("/hours/rules")
def hours_rules() -> ResponseReturnValue:
    """Show what holds for every call type."""
    owner = signed_in()
    form = RulesForm(data=_rules_of(owner))
    form.stamp.data = stamp(_rules_of(owner))
    return _rules_page(form)


@desk.post("/hours/rules")
@acts
def set_hours_rules() -> ResponseReturnValue:
    """Save what holds for every call type."""
    form = RulesForm()
    if not form.validate():
        return _rules_page(form, *refusal(form))
    if not save(form, _rules_of, _set_rules(form)):
        return _rules_page(form, 409, note_of("changed"))
    return done(gettext("The rules are saved."), "desk.availability")


def _country(owner: Owner) -> str:
    """Name the country, and the region if there is one, whose holidays are kept."""
    country, region = owner.holiday_country, owner.holiday_region
    name = str(reader().locale.territories.get(country, country))
    return f"{name}, {dict(free_days.regions(country)).get(region, region)}" if region else name


def _week_of(owner: Owner) -> object:
    return owner.timetable.to_json().get("weekly")


def _set_week(weekly: Sequence[Windows]) -> Callable[[Owner], None]:
    def change(owner: Owner) -> None:
        owner.timetable = hours.with_week(owner.timetable, weekly)

    return change


def _rules_of(owner: Owner) -> dict[str, Any]:
    names = ("notice_in_working_time", "morning_minutes", "most_moves")
    return {name: getattr(owner, name) for name in names}


def _set_rules(form: RulesForm) -> Callable[[Owner], None]:
    def change(owner: Owner) -> None:
        owner.notice_in_working_time = bool(form.notice_in_working_time.data)
        owner.morning_minutes = form.morning_minutes.number or 0
        owner.most_moves = form.most_moves.number or 0

    return change


def _week_page(
    form: WeekForm, status: int = 200, note: str = "", copying: CopyForm | None = None
) -> ResponseReturnValue:
    names = {DAYS[number]: spoken.weekday(number) for number in spoken.weekdays()}
    return page("desk/week.html", status, form=form, note=note, names=names, copying=copying)


def _rules_page(form: RulesForm, status: int = 200, note: str = "") -> ResponseReturnValue:
    return page("desk/hours_rules.html", status, form=form, note=note)
