"""The JSON API, for other programs: no cookies, no sessions, every answer and every error as JSON.

It books by the same functions as the pages; ``openapi.json`` beside this file describes it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from booking.errors import CapReached, IllegalStep, KeyReused, LengthNotOffered, NotFound, NotOffered
from booking.rules import glide
from booking.rules.lifecycle import Actor, State
from booking.signing import Link
from booking.store.models import Call, CallType, Owner
from booking.usecases.availability import Offer, find_owner, holidays_of, lengths_of, listed_types, load_public_offer
from booking.usecases.calls import cancel, find_call, load_offer_to_move
from booking.usecases.reserve import Wish
from booking.web import old_address, openapi, pages
from booking.web.api_fields import (
    Invalid,
    length_not_offered,
    read_body,
    read_length,
    read_new_start,
    read_timezone,
    read_window,
    read_wish,
)
from booking.web.context import gettext, now, services, use_owner
from booking.web.forms import asks_for_note, questions_of
from booking.web.instants import write_instant, write_instants
from booking.web.reserving import CalendarsSilent, house, move, reserve
from booking.web.shelf import shelf

ERRORS: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_json",
    422: "invalid",
    429: "too_many",
    503: "unavailable",
}
RETRY_AFTER_CAP: Final = {"origin": timedelta(hours=1), "address": timedelta(days=1)}
RETRY_SILENT_CALENDAR: Final = timedelta(minutes=5)
NEAREST: Final = 3
GIVEN_UP: Final = frozenset({State.CANCELLED, State.WITHDRAWN})

bp = Blueprint("api", __name__, url_prefix="/api/v1")


def problem(
    status: int, error: str = "", *, headers: Mapping[str, str] | None = None, **more: object
) -> ResponseReturnValue:
    """Return an error as JSON; ``error`` is the word programs go by, made from the status where it is not given."""
    response = jsonify({"error": error or ERRORS.get(status, "failed"), **more})
    return response, status, dict(headers or {})


@bp.get("/openapi.json")
def description() -> ResponseReturnValue:
    """Return the OpenAPI description of this API."""
    return _cacheable(openapi.description(services().settings.base_url))


@bp.get("/<owner_slug>")
def show_owner(owner_slug: str) -> ResponseReturnValue:
    """Say who takes the calls, and what can be booked."""
    with services().database.reading() as db:
        owner = find_owner(db, owner_slug)
    use_owner(owner)
    answer = _cacheable(
        {
            "name": owner.name,
            "timezone": owner.timezone,
            "locale": owner.locale,
            "call_types": [_type_facts(call_type, owner) for call_type in listed_types(owner)],
            "notice": _notice(owner),
        }
    )
    answer.vary.add("Accept-Language")
    return answer


@bp.get("/<owner_slug>/<type_slug>/slots")
def list_slots(owner_slug: str, type_slug: str) -> ResponseReturnValue:
    """List the free slots from one day to another, both included, as the days of the wished zone."""
    offer = shelf().offer(services().database, owner_slug, type_slug, now(), read_length())
    use_owner(offer.owner)
    zone = ZoneInfo(read_timezone(request.args.get("tz"), offer.owner, "tz"))
    window = read_window(zone)

    def write() -> bytes:
        slots = _slots(offer.free(window), offer, zone)
        return bytes(jsonify({"mode": offer.mode, "timezone": zone.key, "slots": slots}).data)

    text = offer.text((zone.key, window), write)
    response = Response(text.body, mimetype="application/json")
    response.set_etag(text.etag)
    return _kept(response)


@bp.post("/<owner_slug>/<type_slug>/calls")
def book_call(owner_slug: str, type_slug: str) -> ResponseReturnValue:
    """Book a call, or have it noted while a calendar is silent; the same ``Idempotency-Key`` is the same call."""
    body = read_body()
    with services().database.reading() as db:
        offer = load_public_offer(db, owner_slug, type_slug, now())
    wish = read_wish(body, offer)
    try:
        call = reserve(services(), owner_slug, type_slug, wish)
    except NotOffered:
        return _not_offered(owner_slug, type_slug, wish)
    token = services().signing.link_token(call.id, call.link_version)
    return (
        jsonify(_facts(call, owner_slug, type_slug, token)),
        201,
        {"Location": f"{services().settings.base_url}/api/v1/calls/{token}"},
    )


@bp.get("/calls/<token>")
def show_call(token: str) -> ResponseReturnValue:
    """Say what a client's link leads to."""
    call, _ = _call_of(token)
    return _shown(call, token)


@bp.post("/calls/<token>/cancel")
def cancel_call(token: str) -> ResponseReturnValue:
    """Cancel a call, or withdraw one that is only requested; what is given up already stays so."""
    call, said = _call_of(token)
    if call.state not in GIVEN_UP:
        try:
            with services().database.writing() as db:
                call = cancel(db, said, Actor.CLIENT, now(), house(services()))
        except IllegalStep:
            call, _ = _call_of(token)  # somebody else may have cancelled it meanwhile
            if call.state not in GIVEN_UP:
                return problem(409, "too_late")
    return _shown(call, token)


@bp.post("/calls/<token>/move")
def move_call(token: str) -> ResponseReturnValue:
    """Move a call to another free slot; moving it to where it is already changes nothing."""
    call, said = _call_of(token)
    start = read_new_start(read_body(), call)
    if call.state is not State.CONFIRMED:
        return problem(409, "too_late")
    if start == call.starts_at:
        return _shown(call, token)
    try:
        return _shown(move(services(), call, start, Actor.CLIENT, said), token)
    except NotOffered:
        with services().database.reading() as db:
            offer = load_offer_to_move(db, call, services().now())
        near = [free for free in offer.nearest(start, NEAREST + 1) if free != call.starts_at]
        return _slot_taken(near[:NEAREST], offer, call.timezone)
    except IllegalStep:
        return problem(409, "too_late")
    except CapReached as error:
        if error.cap == "moves":
            return problem(409, "moved_too_often")
        raise


@bp.errorhandler(NotFound)
def _on_not_found(_error: NotFound) -> ResponseReturnValue:
    moved_to = old_address.new_address()
    return problem(old_address.MOVED, "moved", headers={"Location": moved_to}) if moved_to else problem(404)


@bp.errorhandler(Invalid)
def _on_invalid(error: Invalid) -> ResponseReturnValue:
    return problem(422, fields=error.fields)


@bp.errorhandler(LengthNotOffered)
def _on_length(_error: LengthNotOffered) -> ResponseReturnValue:
    return problem(422, fields={"minutes": length_not_offered()})


@bp.errorhandler(KeyReused)
def _on_key_reused(_error: KeyReused) -> ResponseReturnValue:
    return problem(422, fields={"idempotency_key": gettext("This key was used for another call. Make a new one.")})


@bp.errorhandler(CapReached)
def _on_cap(error: CapReached) -> ResponseReturnValue:
    return problem(429, headers=_retry_after(RETRY_AFTER_CAP.get(error.cap, timedelta(hours=1))))


@bp.errorhandler(CalendarsSilent)
def _on_silence(_error: CalendarsSilent) -> ResponseReturnValue:
    return problem(503, "calendar_unavailable", headers=_retry_after(RETRY_SILENT_CALENDAR))


def _call_of(token: str) -> tuple[Call, Link]:
    said = services().signing.read_link(token)
    if said is None:
        raise NotFound("no such call")
    with services().database.reading() as db:
        return find_call(db, said), said


def _not_offered(owner_slug: str, type_slug: str, wish: Wish) -> ResponseReturnValue:
    """Name the nearest free times as they are now."""
    with services().database.reading() as db:
        offer = load_public_offer(db, owner_slug, type_slug, services().now(), minutes=wish.minutes)
    return _slot_taken(offer.nearest(wish.start, NEAREST), offer, wish.timezone)


def _slot_taken(near: list[datetime], offer: Offer, timezone: str) -> ResponseReturnValue:
    return problem(409, "slot_taken", alternatives=_slots(near, offer, ZoneInfo(timezone)))


def _slots(starts: list[datetime], offer: Offer, zone: ZoneInfo) -> list[dict[str, str]]:
    length = offer.length
    ends = write_instants([start + length for start in starts], zone)
    return [{"start": start, "end": end} for start, end in zip(write_instants(starts, zone), ends, strict=True)]


def _shown(call: Call, token: str) -> Response:
    return jsonify(_facts(call, call.owner.slug, call.call_type.slug, token))


def _facts(call: Call, owner_slug: str, type_slug: str, token: str) -> dict[str, str]:
    zone = ZoneInfo(call.timezone)
    facts = {
        "id": call.id,
        "state": str(call.state),
        "start": write_instant(call.starts_at, zone),
        "end": write_instant(call.ends_at, zone),
        "timezone": call.timezone,
        "owner": owner_slug,
        "call_type": type_slug,
        "who_calls": call.who_calls,
        "manage_url": f"{services().settings.base_url}/c/{token}",
    }
    if call.state is State.REQUESTED and call.answer_by is not None:
        facts["answer_by"] = write_instant(call.answer_by, zone)
    return facts


def _type_facts(call_type: CallType, owner: Owner) -> dict[str, object]:
    """Describe a call type in the reader's language, as far as it is written in it."""
    wording = pages.wording(call_type, owner)
    return {
        "slug": call_type.slug,
        "name": wording.name,
        "description": wording.description,
        "minutes": call_type.minutes,
        "lengths": lengths_of(call_type),
        "who_calls": call_type.who_calls,
        "languages": call_type.languages.split(),
        "email_needed": call_type.is_email_needed,
        "questions": [*questions_of(call_type), *["note"] * asks_for_note(call_type)],
    }


def _notice(owner: Owner) -> dict[str, str | None] | None:
    """Return what the owner says in public of the absence that is on, or comes soon."""
    today = now().astimezone(ZoneInfo(owner.timezone)).date()
    coming = glide.coming(owner.timetable, today, holidays_of(owner, now()))
    told = next((away for away in coming if away.absence.notice or away.absence.stand_in), None)
    if told is None:
        return None
    return {
        "from": told.absence.first.isoformat(),
        "to": told.absence.last.isoformat(),
        "back": told.back.isoformat() if told.back else None,
        "text": told.absence.notice,
        "stand_in": told.absence.stand_in,
    }


def _cacheable(data: object) -> Response:
    """Answer with an ETag, so that an unchanged answer need not be sent again."""
    return _kept(jsonify(data))


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()  # where it has none
    response.make_conditional(request)
    return response


def _retry_after(wait: timedelta) -> dict[str, str]:
    return {"Retry-After": str(int(wait.total_seconds()))}
