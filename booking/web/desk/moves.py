"""Moving a call by its owner: to a free time, or to any time at all after a clear warning; the client hears why."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from wtforms import HiddenField

from booking.errors import ChangedMeanwhile, IllegalStep, NotOffered, NotWaived, Taken
from booking.rules.lifecycle import Actor, State
from booking.store.models import Call
from booking.usecases import calls
from booking.usecases.availability import Offer
from booking.usecases.by_hand import ByHand
from booking.web import pages
from booking.web.context import gettext, link, now, services
from booking.web.desk import free_hand
from booking.web.desk.calls import LONGEST_REASON, as_it_is, call_page, own_call, who_tells
from booking.web.desk.fields import Clock, Day, Line
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp
from booking.web.instants import read_instant
from booking.web.own_link import RETRY_DATABASE, is_ahead, later, private, refusal
from booking.web.reserving import house, is_silent, wall
from booking.web.times import written
from booking.web.times_page import show_times, ways


class MoveForm(DeskForm):
    """The new time, and why; ``start`` is the free time that was chosen, as long as date and time say the same."""

    day = Day()
    clock = Clock()
    start = HiddenField()
    reason = Line(LONGEST_REASON)
    anyway = HiddenField()


@desk.get("/calls/<call_id>/move")
def choose_move(call_id: str) -> ResponseReturnValue:
    """Show where the call can be moved to by the rules of booking."""
    found = own_call(call_id)
    if not _is_movable(found):
        return call_page(found)
    shown = show_times(
        "desk/call_move.html",
        _offer(found),
        ways("desk.choose_move", "desk.ask_to_move", call_id=call_id),
        but=found.starts_at,
        is_personal=True,
        is_move=True,
        around="desk/base.html",
        call=found,
        at=pages.when(found.starts_at, signed_in()),
    )
    return private(shown)


@desk.get("/calls/<call_id>/move/to")
def ask_to_move(call_id: str) -> ResponseReturnValue:
    """Ask for the new time, or show the chosen one, and for the reason."""
    found = own_call(call_id)
    if not _is_movable(found):
        return call_page(found)
    start = read_instant(request.args.get("start", "").replace(" ", "+"))
    form = MoveForm(data={"start": written(start), **free_hand.date_and_clock(start)} if start else {})
    form.stamp.data = stamp(found.state, found.starts_at)
    return _page(found, form, start=start)


@desk.post("/calls/<call_id>/move/to")
@acts
def move(call_id: str) -> ResponseReturnValue:
    """Move the call; a time that is not offered only once the owner has read why."""
    found, form = own_call(call_id), MoveForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _page(found, form, 400 if is_stale else 422, note=note_of("stale") if is_stale else "")
    start = _start(form)
    problem = free_hand.why_impossible(start)
    if problem or start is None:
        form.clock.errors = [problem]
        return _page(found, form, 422)
    try:
        _move(found, form, start)
    except NotWaived as error:
        form.anyway.data = free_hand.waiver(start, found.ends_at - found.starts_at, error.reasons)
        return _page(found, form, 422, start=start, against=free_hand.against(error.reasons))
    except (Taken, NotOffered) as error:
        return _taken(found, form, start, error)
    except (ChangedMeanwhile, IllegalStep):
        return _changed(call_id, form, start)
    except OperationalError:
        return later(_page(found, form, 503, start=start, note=refusal("locked")), RETRY_DATABASE)
    moved = gettext("The call is moved.")
    return done(f"{moved} {who_tells(found)}", "desk.call", call_id=call_id)


def _is_movable(found: Call) -> bool:
    return found.state is State.CONFIRMED and is_ahead(found)


def _start(form: MoveForm) -> datetime | None:
    """Return the moment that was typed; where a time comes twice that day, the one that was chosen."""
    zone, day, minutes = ZoneInfo(signed_in().timezone), form.day.day, form.clock.minutes
    chosen = read_instant(form.start.data or "")
    if day is None or minutes is None:
        return None
    typed = {"day": day.isoformat(), "clock": f"{minutes // 60:02}:{minutes % 60:02}"}
    if chosen is not None and free_hand.date_and_clock(chosen) == typed:
        return chosen
    return free_hand.moment_of(day, minutes, zone)


def _move(found: Call, form: MoveForm, start: datetime) -> None:
    ours = services()
    waived = free_hand.read_waiver(form.anyway.data or "", start, found.ends_at - found.starts_at)
    how = ByHand(waived, in_doubt=is_silent(ours, signed_in().slug))
    with wall(), ours.database.writing() as db:
        locked = calls.lock_call(db, found.id)
        check_stamp(form, locked.state, locked.starts_at)
        reason = form.reason.data or ""
        calls.move(db, found.id, start, Actor.OWNER, now(), house(ours), reason=reason, by_hand=how)


def _taken(found: Call, form: MoveForm, start: datetime, error: Taken | NotOffered) -> Response:
    said = free_hand.taken_by(error.call_id if isinstance(error, Taken) else "")
    near = [time for time in free_hand.nearest(_offer(found), start) if time.start != found.starts_at]
    return _page(found, form, 409, note=said, near=near)


def _changed(call_id: str, form: MoveForm, start: datetime) -> Response:
    gone = as_it_is(call_id)
    if gone is not None:
        return gone
    found = own_call(call_id)
    form.stamp.data = stamp(found.state, found.starts_at)
    return _page(found, form, 409, start=start, note=note_of("changed"))


def _page(found: Call, form: MoveForm, status: int = 200, *, start: datetime | None = None, **more: object) -> Response:
    return page(
        "desk/call_move_to.html",
        status,
        call=found,
        form=form,
        at=pages.when(found.starts_at, signed_in()),
        to=pages.when(start, signed_in()) if start else None,
        time_way=link("desk.ask_to_move", call_id=found.id, start=""),
        minutes=int((found.ends_at - found.starts_at) / timedelta(minutes=1)),
        tells=who_tells(found),
        longest_reason=LONGEST_REASON,
        **more,
    )


def _offer(found: Call) -> Offer:
    with services().database.reading() as db:
        return calls.load_offer_to_move(db, found, now())
