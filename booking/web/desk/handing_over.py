"""Letting a calendar take the calls, and removing one: what is asked before, since calls may stand elsewhere."""

from flask import Response, abort
from flask.typing import ResponseReturnValue

from booking.errors import InvalidText, NotFound
from booking.store.models import Calendar
from booking.usecases import calendars, takeover
from booking.web.context import gettext, ngettext, now, services
from booking.web.desk import calendar_trial
from booking.web.desk import calendar_words as words
from booking.web.desk.calendars import locked, own
from booking.web.desk.fields import Box, Choice
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.reserving import house


class TakeForm(DeskForm):
    """Whether the calls that are ahead come along."""

    moves = Choice(("yes", "no"))


class RemoveForm(DeskForm):
    """Whether a calendar goes although calls stand in it."""

    anyway = Box()


@desk.get("/calendars/<int:calendar_id>/take-calls")
def take_question(calendar_id: int) -> ResponseReturnValue:
    """Ask whether the calls that are ahead come along to a calendar."""
    return _take_page(own(calendar_id), TakeForm(data={"moves": "yes"}))


@desk.post("/calendars/<int:calendar_id>/take-calls")
@acts
def take_calls(calendar_id: int) -> ResponseReturnValue:
    """Let a calendar take the calls, once a test entry could be written there."""
    row, form = own(calendar_id), TakeForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _take_page(row, form, 400 if is_stale else 422, note_of("stale") if is_stale else "")
    result = calendar_trial.try_out(row, writes=True)
    if result.failed is not None:
        return _take_page(row, form, 422, words.trial(result, writes=True))
    with services().database.writing() as db:
        row = locked(db, calendar_id)
        moves = form.moves.data == "yes"
        count = calendars.let_take_calls(db, house(services()), row, now(), moves=moves)
    said = [gettext("%(name)s takes the calls from now on.", name=words.name_of(row))]
    if count:
        said.append(ngettext("%(num)s call is being moved there.", "%(num)s calls are being moved there.", count))
    return done(" ".join(said), "desk.calendar_list")


@desk.get("/calendars/<int:calendar_id>/remove")
def removal(calendar_id: int) -> ResponseReturnValue:
    """Ask whether a calendar is to be removed."""
    return _remove_page(own(calendar_id), RemoveForm())


@desk.post("/calendars/<int:calendar_id>/remove")
@acts
def remove_calendar(calendar_id: int) -> ResponseReturnValue:
    """Remove a calendar from the desk; nothing changes in the calendar itself."""
    row, form = own(calendar_id), RemoveForm()
    if not form.validate():
        return _remove_page(row, form, 400, note_of("stale"))
    try:
        with services().database.writing() as db:
            calendars.remove_calendar(db, signed_in().slug, calendar_id, now(), anyway=bool(form.anyway.data))
    except InvalidText:
        note = gettext("Calls stand in this calendar. Move them first, or say that you want to leave them.")
        return _remove_page(row, form, 422, note)
    except NotFound:
        abort(404)
    return done(gettext("Removed. In the calendar itself everything stays as it was."), "desk.calendar_list")


def _take_page(row: Calendar, form: TakeForm, status: int = 200, note: str = "") -> Response:
    with services().database.reading() as db:
        count = takeover.count_elsewhere(db, row, now())
    name = words.name_of(row)
    return page("desk/calendar_take.html", status, calendar=row, name=name, form=form, note=note, count=count)


def _remove_page(row: Calendar, form: RemoveForm, status: int = 200, note: str = "") -> Response:
    with services().database.reading() as db:
        count = takeover.count_upcoming(db, row.id, now())
        leaving = takeover.count_leaving(db, row.id)
    others = [(other, words.name_of(other)) for other in signed_in().calendars if other.id != row.id]
    return page(
        "desk/calendar_remove.html",
        status,
        calendar=row,
        name=words.name_of(row),
        form=form,
        note=note,
        count=count,
        leaving=leaving,
        others=others,
    )
