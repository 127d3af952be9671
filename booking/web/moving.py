"""Moving a call by its client's link: choose another free time, be asked once, then POST.

The times are those of booking, the call's own time among the free ones. GET changes nothing.
"""

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from booking.errors import CapReached, IllegalStep, NotFound, NotOffered
from booking.rules.lifecycle import Actor, State
from booking.signing import LINK_FROM_MAIL, Link
from booking.store.models import Call
from booking.usecases import calls
from booking.usecases.availability import Offer
from booking.web import pages
from booking.web.context import now, services
from booking.web.forms import MoveForm
from booking.web.guards import keeps_typed, seconds_to_wait
from booking.web.instants import read_instant
from booking.web.own_link import (
    RETRY_DATABASE,
    find,
    later,
    note_proof,
    on_dead_link,
    personal,
    private,
    refusal,
    to_call,
)
from booking.web.reserving import CalendarsSilent
from booking.web.reserving import move as reserve_move
from booking.web.times import written
from booking.web.times_page import Ways, show_times, ways, written_out

ALTERNATIVES: Final = 6
RETRY_CALENDAR: Final = timedelta(minutes=5)

bp = Blueprint("moving", __name__, url_prefix="/c/<token>/move")
bp.register_error_handler(NotFound, on_dead_link)


@bp.get("")
def choose(token: str) -> ResponseReturnValue:
    """Show where the call can be moved to; ask once, where a time is chosen already."""
    found, _ = find(token)
    offer = _offer(found)
    why_not = calls.why_not_movable(offer, found)
    if why_not:
        return _not_movable(found, token, why_not)
    if "start" in request.args:
        return _ask(found, token, offer)
    at = pages.when(found.starts_at, found.owner)
    page = show_times(
        "manage/move.html",
        offer,
        _ways(token),
        but=found.starts_at,
        is_personal=True,
        is_move=True,
        call=found,
        token=token,
        at=at,
    )
    return private(page)


@bp.post("")
@keeps_typed
def move(token: str) -> ResponseReturnValue:
    """Move the call; moving it to where it stands already changes nothing."""
    found, said = find(token)
    form = MoveForm()
    start = read_instant(form.start.data or "")
    if wait := seconds_to_wait():
        return later(_question(found, token, start, 429, note=refusal("often")), timedelta(seconds=wait))
    if not form.validate():
        return _question(found, token, start, 400, note=refusal("stale"))
    if start is None:
        return _nearest(found, token, _offer(found), None)
    if start == found.starts_at or found.state is not State.CONFIRMED:
        return to_call(token)
    return _move(found, said, token, start)


def _move(found: Call, said: Link, token: str, start: datetime) -> ResponseReturnValue:
    try:
        _prove(said)
        reserve_move(services(), found, start, Actor.CLIENT, said)
    except NotOffered:
        return _nearest(found, token, _offer(found), start)
    except IllegalStep:
        again, _ = find(token)
        why_not = calls.why_not_movable(_offer(again), again)
        return _not_movable(again, token, why_not, 409)
    except CapReached as error:
        if error.cap == "moves":
            return _not_movable(found, token, "moves", 409)
        return _question(found, token, start, 429, note=refusal(error.cap))
    except CalendarsSilent:
        return later(_question(found, token, start, 503, note=refusal("silent")), RETRY_CALENDAR)
    except OperationalError:
        return later(_question(found, token, start, 503, note=refusal("locked")), RETRY_DATABASE)
    return to_call(token)


def _prove(said: Link) -> None:
    """Before the calendars are looked at: nothing may be written while the network is waited for."""
    if said.purpose == LINK_FROM_MAIL:
        with services().database.writing() as db:
            note_proof(db, said)


def _offer(found: Call) -> Offer:
    with services().database.reading() as db:
        return calls.load_offer_to_move(db, found, now())


def _ways(token: str) -> Ways:
    return ways("moving.choose", "moving.choose", token=token)


def _ask(found: Call, token: str, offer: Offer) -> ResponseReturnValue:
    # A plus that a program left bare in an address arrives as a blank.
    start = read_instant(request.args["start"].replace(" ", "+"))
    if start == found.starts_at:
        return to_call(token)
    if start is None or offer.why_not(start) is not None:
        return _nearest(found, token, offer, start)
    return _question(found, token, start)


def _question(found: Call, token: str, start: datetime | None, status: int = 200, *, note: str = "") -> Response:
    """Ask whether the call is to be moved; where it is not known where to, there is no button."""
    return personal(
        "manage/move_ask.html",
        status,
        call=found,
        token=token,
        form=MoveForm(),
        start_value=written(start) if start else "",
        at=pages.when(found.starts_at, found.owner),
        to=pages.when(start, found.owner) if start else None,
        all_times=_ways(token).all_times,
        note=note,
    )


def _nearest(found: Call, token: str, offer: Offer, start: datetime | None) -> Response:
    """Show the nearest free times; the call stays where it is."""
    free = [time for time in offer.nearest(start or found.starts_at, ALTERNATIVES + 1) if time != found.starts_at]
    return personal(
        "manage/move_taken.html",
        400 if start is None else 409,
        call=found,
        wording=pages.wording(found.call_type, found.owner),
        token=token,
        start=start,
        near=written_out(offer, free[:ALTERNATIVES]),
        ways=_ways(token),
        at=pages.when(found.starts_at, found.owner),
    )


def _not_movable(found: Call, token: str, why_not: str, status: int = 200) -> ResponseReturnValue:
    if why_not in ("", "begun"):
        return to_call(token)
    at = pages.when(found.starts_at, found.owner)
    return personal("manage/move_not.html", status, call=found, token=token, at=at, why_not=refusal(why_not))
