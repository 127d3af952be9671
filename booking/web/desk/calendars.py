"""The owner's calendars: how each one stands, what it is for; tried out, paused, changed, removed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import StringField

from booking.calendars.titles import title_of
from booking.errors import ChangedMeanwhile, NotFound
from booking.rules.period import Period
from booking.store.models import Calendar, CalendarResource, Owner
from booking.usecases import calendars, takeover
from booking.web.context import gettext, ngettext, now, reader, services
from booking.web.desk import calendar_trial
from booking.web.desk import calendar_words as words
from booking.web.desk.fields import Box, Line
from booking.web.desk.proof import proved
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp
from booking.web.pages import short_date

MOST_PROBLEMS: Final = 20


class Password(StringField):  # type: ignore[misc]
    """A password of another server: not a letter of it is changed, and no page shows it again."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed as it is."""
        self.data = valuelist[0][:500] if valuelist else ""


class CalendarForm(DeskForm):
    """What an owner can change about a calendar."""

    name = Line(100)
    blocks = Box()
    takes = Box()
    all_day = Box()
    tentative = Box()
    password = Password()


@dataclass(frozen=True)
class Shown:
    """A calendar, in words."""

    row: Calendar
    name: str
    where: str
    uses: str
    state: list[str]
    trouble: words.Trouble | None
    problems: int


@dataclass(frozen=True)
class Problem:
    """An entry that can't be understood, and since when or how long it blocks."""

    title: str
    when: str


@desk.get("/calendars")
def calendar_list() -> ResponseReturnValue:
    """Show every calendar."""
    owner = signed_in()
    with services().database.reading() as db:
        counts = calendars.count_events(db, owner.id)
        shown = [_shown(db, row, counts) for row in owner.calendars]
    takes = any(row.takes_calls for row in owner.calendars)
    return page("desk/calendars.html", shown=shown, takes=takes)


@desk.get("/calendars/<int:calendar_id>")
def calendar(calendar_id: int) -> ResponseReturnValue:
    """Show one calendar, and what can be done with it."""
    row = own(calendar_id)
    return _calendar_page(row, _filled(row))


@desk.post("/calendars/<int:calendar_id>")
@acts
def change_calendar(calendar_id: int) -> ResponseReturnValue:
    """Save what was changed; a new password is tried before it is kept."""
    row, form = own(calendar_id), CalendarForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _calendar_page(row, form, 400 if is_stale else 422, note_of("stale") if is_stale else "")
    if not form.blocks.data and not (row.takes_calls and form.takes.data):
        form.blocks.errors = [gettext("It would be of no use: what stands in it blocks, or it takes the calls.")]
        return _calendar_page(row, form, 422)
    password = form.password.data if row.kind == calendars.CALDAV else ""
    if password and calendar_trial.is_refused(row, password):
        form.password.errors = [gettext("The server refuses the name or the password.")]
        return _calendar_page(row, form, 422)
    try:
        with services().database.writing() as db:
            row = locked(db, calendar_id)
            check_stamp(form, *_saved(row))
            _apply(row, form, password)
    except ChangedMeanwhile:
        form.stamp.data = stamp(*_saved(own(calendar_id)))
        return _calendar_page(own(calendar_id), form, 409, note_of("changed"))
    return done(gettext("Saved."), "desk.calendar", calendar_id=calendar_id)


@desk.post("/calendars/<int:calendar_id>/test")
@acts
def test_calendar(calendar_id: int) -> ResponseReturnValue:
    """Try a calendar out, and say what came of it."""
    row = own(calendar_id)
    if not DeskForm().validate():
        return _calendar_page(row, _filled(row, fresh=True), 400, note_of("stale"))
    result = calendar_trial.try_out(row, writes=row.takes_calls)
    return done(words.trial(result, writes=row.takes_calls), "desk.calendar", calendar_id=row.id)


@desk.post("/calendars/<int:calendar_id>/pause")
@acts
def pause_calendar(calendar_id: int) -> ResponseReturnValue:
    """Stop reading and counting a calendar."""
    said = gettext("Paused: it is not read, and nothing that stands in it blocks.")
    return _change(calendar_id, lambda row: calendars.pause(row, now()), said)


@desk.post("/calendars/<int:calendar_id>/resume")
@acts
def resume_calendar(calendar_id: int) -> ResponseReturnValue:
    """Read and count a calendar again."""
    return _change(calendar_id, calendars.resume, gettext("It is read again right now, and counts from then on."))


@desk.get("/calendars/<int:calendar_id>/access")
@proved
def calendar_access(calendar_id: int) -> ResponseReturnValue:
    """Show how a calendar of this service is opened in a calendar program; other servers' passwords are never shown."""
    row = own(calendar_id)
    if row.kind != calendars.EMBEDDED:
        abort(404)
    settings = services().settings
    return page(
        "desk/calendar_access.html",
        calendar=row,
        name=words.name_of(row),
        password=services().vault.unlock(row.password_encrypted),
        at=f"{settings.embedded_calendar_url or ''}{row.url}",
        elsewhere=f"{settings.base_url}/caldav/",
    )


def own(calendar_id: int) -> Calendar:
    """Return a calendar of the owner who is logged in; what is somebody else's is not there."""
    return next((row for row in signed_in().calendars if row.id == calendar_id), None) or abort(404)


def locked(db: Session, calendar_id: int) -> Calendar:
    """Take the owner's lock and return the calendar as it stands now."""
    try:
        return calendars.own_calendar(db, signed_in().slug, calendar_id)
    except NotFound:
        abort(404)


def _saved(row: Calendar) -> tuple[object, ...]:
    uses = (row.name, row.is_busy, row.takes_calls, row.all_day_blocks, row.tentative_blocks)
    return (*uses, row.password_encrypted)


def _filled(row: Calendar, *, fresh: bool = False) -> CalendarForm:
    """Return the form with what is saved; ``fresh`` where another form was sent."""
    values = {
        "name": row.name,
        "blocks": row.is_busy,
        "takes": row.takes_calls,
        "all_day": row.all_day_blocks,
        "tentative": row.tentative_blocks,
    }
    form = CalendarForm(formdata=None, data=values) if fresh else CalendarForm(data=values)
    form.stamp.data = stamp(*_saved(row))
    return form


def _apply(row: Calendar, form: CalendarForm, password: str) -> None:
    use = calendars.Use(
        name=form.name.data,
        is_busy=bool(form.blocks.data),
        all_day_blocks=bool(form.all_day.data),
        tentative_blocks=bool(form.tentative.data),
    )
    calendars.change_use(row, use)
    row.takes_calls = row.takes_calls and bool(form.takes.data)
    if password:
        calendars.change_password(row, password, services().vault)


def _change(calendar_id: int, change: Callable[[Calendar], None], said: str) -> ResponseReturnValue:
    row = own(calendar_id)
    if not DeskForm().validate():
        return _calendar_page(row, _filled(row, fresh=True), 400, note_of("stale"))
    with services().database.writing() as db:
        change(locked(db, calendar_id))
    return done(said, "desk.calendar", calendar_id=calendar_id)


def _shown(db: Session, row: Calendar, counts: Mapping[int, int]) -> Shown:
    owner = signed_in()
    state = words.state(row, counts.get(row.id, 0), owner)
    leaving = takeover.count_leaving(db, row.id)
    if leaving:
        state.append(
            ngettext(
                "%(num)s call is still being moved out of it.",
                "%(num)s calls are still being moved out of it.",
                leaving,
            )
        )
    return Shown(
        row,
        words.name_of(row),
        words.where(row),
        words.uses(row),
        state,
        words.trouble(row.error_kind) if row.last_error else None,
        len(calendars.not_understood(db, row.id, MOST_PROBLEMS)),
    )


def _calendar_page(row: Calendar, form: CalendarForm, status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    with services().database.reading() as db:
        shown = _shown(db, row, calendars.count_events(db, owner.id))
        problems = [_problem(each, owner) for each in calendars.not_understood(db, row.id, MOST_PROBLEMS)]
    others = sum(row.url != other.url and row.username == other.username for other in owner.calendars)
    return page(
        "desk/calendar.html",
        status,
        shown=shown,
        form=form,
        act=DeskForm(formdata=None),
        note=note,
        problems=problems,
        shares_password=others > 0,
    )


def _problem(resource: CalendarResource, owner: Owner) -> Problem:
    zone = ZoneInfo(owner.timezone)
    periods = [period for period in resource.busy.periods() if period.end > now()]
    if not periods:
        return Problem(title_of(resource.ics, now(), zone), "")
    first = periods[0]
    return Problem(
        title_of(resource.ics, first.start, zone) or gettext("Without a title"),
        gettext("%(start)s to %(end)s", start=_moment(first.start, zone), end=_end(first, zone)),
    )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{short_date(moment, zone, now())}, {reader().time(moment, zone)}"


def _end(period: Period, zone: ZoneInfo) -> str:
    """Write the end of a period; on the day it begins, the time alone."""
    is_same_day = period.start.astimezone(zone).date() == period.end.astimezone(zone).date()
    return reader().time(period.end, zone) if is_same_day else _moment(period.end, zone)
