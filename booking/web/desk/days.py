"""Single days: a month at a glance, and the hours of one day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import abort, request
from flask.typing import ResponseReturnValue

from booking.rules.hours import Windows
from booking.rules.period import Period
from booking.store.models import Owner
from booking.usecases import free_days, hours
from booking.usecases.availability import holidays_of
from booking.usecases.day import calls_between, day_window
from booking.web.context import gettext, now, reader, services
from booking.web.desk import preview, spoken
from booking.web.desk.fields import Choice
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in, stamp
from booking.web.desk.saving import refusal, save
from booking.web.desk.windows import Hours
from booking.web.instants import read_day

FARTHEST: Final = timedelta(days=800)
"""How far ahead a day can get hours of its own."""
KINDS: Final = ("usual", "closed", "own")


class DayForm(DeskForm):
    """The hours of one day: the usual ones, none, or its own."""

    kind = Choice(KINDS)
    hours = Hours(least=3)

    def check(self, saved: Windows | None) -> bool:
        """Validate; the hours count only where the day has its own. Typed over other ones, they are not dropped."""
        is_valid = bool(self.validate())
        typed = any(not row.is_empty for row in self.hours.rows)
        if self.kind.data == "own":
            if is_valid and not typed:
                self.hours.errors = [gettext("Write the hours, or choose “closed”.")]
            return is_valid and typed
        if typed and (self.hours.errors or self.hours.windows != saved):
            self.hours.errors = [gettext("To give the day these hours, choose “hours of its own”; else clear them.")]
            return False
        return is_valid

    def windows(self) -> Windows | None:
        """Return what was typed; ``None`` for the usual hours."""
        return {"usual": None, "closed": ()}.get(self.kind.data, self.hours.windows)


@dataclass(frozen=True)
class Cell:
    """One day of the month, in words; ``name`` says all of it."""

    day: date
    name: str
    marks: tuple[str, ...]
    kind: str
    has_calls: bool
    is_over: bool
    is_today: bool


@desk.get("/hours/days")
def days() -> ResponseReturnValue:
    """Show a month: which days have calls, hours of their own, an absence, a holiday, none at all."""
    owner, today = signed_in(), spoken.today(signed_in())
    wished = read_day(f"{request.args.get('month', '')}-01")
    first = (wished or today).replace(day=1)
    first = min(max(first, today.replace(day=1)), (today + FARTHEST).replace(day=1))
    next_first = (first + timedelta(days=31)).replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    cells = _cells(owner, first, next_first, today)
    return page(
        "desk/days.html",
        month=spoken.month(first),
        weekdays=[(spoken.weekday(number), spoken.short_weekday(number)) for number in spoken.weekdays()],
        weeks=[cells[start : start + 7] for start in range(0, len(cells), 7)],
        before=before if first > today.replace(day=1) else None,
        after=next_first if next_first <= today + FARTHEST else None,
    )


@desk.get("/hours/days/<day>")
def day_hours(day: str) -> ResponseReturnValue:
    """Show the hours of one day, to be changed."""
    owner, date_ = signed_in(), _day(day)
    own = owner.timetable.overrides.get(date_)
    kind = "usual" if own is None else "own" if own else "closed"
    form = DayForm(data={"kind": kind, "hours": own})
    form.stamp.data = stamp(_facts(date_)(owner))
    return _page(date_, form)


@desk.post("/hours/days/<day>")
@acts
def set_day_hours(day: str) -> ResponseReturnValue:
    """Save the hours of one day."""
    date_, form = _day(day), DayForm()
    if not form.check(signed_in().timetable.overrides.get(date_)):
        return _page(date_, form, *refusal(form))

    def change(owner: Owner) -> None:
        owner.timetable = hours.with_day(owner.timetable, date_, form.windows())

    if not save(form, _facts(date_), change):
        return _page(date_, form, 409, note_of("changed"))
    said = gettext("The hours of %(day)s are saved.", day=spoken.day(date_))
    return done(said, "desk.days", month=f"{date_:%Y-%m}")


@desk.post("/hours/days/<day>/preview")
@acts
def preview_day_hours(day: str) -> ResponseReturnValue:
    """Show the public page with these hours of one day."""
    date_, form = _day(day), DayForm()
    if not form.check(signed_in().timetable.overrides.get(date_)):
        return _page(date_, form, *refusal(form))
    return preview.show_timetable(hours.with_day(signed_in().timetable, date_, form.windows()), first=date_)


def _day(text: str) -> date:
    """Return the day of an address; one that is over, or too far ahead, is not there."""
    day, today = read_day(text), spoken.today(signed_in())
    if day is None or not today <= day <= today + FARTHEST:
        abort(404)
    return day


def _facts(day: date) -> Callable[[Owner], object]:
    def facts(owner: Owner) -> object:
        own = owner.timetable.overrides.get(day)
        return [day, None if own is None else [[window.start, window.end] for window in own]]

    return facts


def _page(day: date, form: DayForm, status: int = 200, note: str = "") -> ResponseReturnValue:
    owner = signed_in()
    with services().database.reading() as db:
        calls = hours.calls_within(db, owner, day, day)
    absence = owner.timetable.absence_on(day)
    is_holiday = day in holidays_of(owner, now())
    return page(
        "desk/day_hours.html",
        status,
        form=form,
        note=note,
        day=day,
        name=spoken.day(day),
        usual=spoken.hours(owner.timetable.weekly[day.weekday()]),
        absence=absence,
        away=spoken.span(absence) if absence else "",
        holiday=holiday_name(owner, day) if is_holiday else "",
        calls=[(spoken.moment(call.starts_at, owner), call) for call in calls],
    )


def holiday_name(owner: Owner, day: date) -> str:
    """Return how the reader calls the public holiday of a day."""
    return free_days.label_of(owner.holiday_country, owner.holiday_region, day, reader().code)


def _cells(owner: Owner, first: date, next_first: date, today: date) -> list[Cell | None]:
    window = Period(day_window(owner, first).start, day_window(owner, next_first).start)
    with services().database.reading() as db:
        calls = calls_between(db, owner, window)
    zone = ZoneInfo(owner.timezone)
    with_calls = {call.starts_at.astimezone(zone).date() for call in calls}
    kept = holidays_of(owner, now())
    return [_cell(owner, day, kept, day in with_calls, today) if day else None for day in spoken.month_days(first)]


def _cell(owner: Owner, day: date, kept: frozenset[date], has_calls: bool, today: date) -> Cell:
    """Say what is special about a day; the strongest of it decides how it looks."""
    timetable = owner.timetable
    is_open = bool(timetable.windows_on(day, kept))
    marks = []
    if timetable.absence_on(day):
        kind = "absence"
        marks.append(gettext("away"))
    elif day in timetable.overrides:
        kind = "own" if is_open else "closed"
        marks.append(spoken.hours(timetable.overrides[day]))
    elif timetable.is_holiday(day, kept):
        kind = "holiday"
        marks.append(holiday_name(owner, day))
    else:
        kind = "open" if is_open else "closed"
        marks += [] if is_open else [gettext("closed")]
    said = (*marks, gettext("calls")) if has_calls else tuple(marks)
    return Cell(day, ", ".join((spoken.day(day), *said)), tuple(marks), kind, has_calls, day < today, day == today)
