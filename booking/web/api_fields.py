"""What a program sends to the JSON API, brought into shape; every field that is wrong is named."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import g, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from booking.errors import BookingError
from booking.language import LANGUAGES, language
from booking.rules.period import Period
from booking.store.models import Call, Owner
from booking.usecases.availability import Offer
from booking.usecases.reserve import Wish
from booking.web import forms
from booking.web.context import accepted_language, gettext, now, read_zone, services, use_call, use_owner
from booking.web.forms import Details, clean_details, problem_text, read_start
from booking.web.instants import read_day
from booking.web.reserving import origin_of

MOST_DAYS: Final = 62
USUAL_DAYS: Final = 14
LONGEST: Final = {
    "start": 40,
    "name": forms.LONGEST_NAME,
    "email": forms.LONGEST_EMAIL,
    "phone": forms.LONGEST_PHONE,
    "timezone": 64,
    "locale": 35,
    "note": forms.LONGEST_NOTE,
    "who_calls": 6,
}
"""The fields of a call that are text, and their greatest lengths, as ``openapi.json`` states them."""
QUESTIONS: Final = ("voicemail", "others", "text")

_KEY: Final = re.compile(r"[!-~]{1,200}")


class Invalid(BookingError):
    """The request has the right form, but these fields can't be taken."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("fields can't be taken")
        self.fields = dict(fields)


def read_body() -> dict[str, Any]:
    """Return the JSON object that was sent.

    :raises UnsupportedMediaType: it is not called JSON.
    :raises BadRequest: it is no JSON.
    :raises Invalid: it is no object.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    raw = request.get_data()
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:  # thousands of brackets end in a RecursionError
        raise BadRequest from error
    if not isinstance(body, dict):
        raise Invalid({"body": gettext("Send one JSON object.")})
    return body


def read_wish(body: dict[str, Any], offer: Offer) -> Wish:
    """Return what the body asks for.

    :raises Invalid: naming all fields that are wrong at once, in the language the body asks for.
    """
    use_owner(offer.owner)
    locale = _choose_language(body.get("locale"), offer.owner)
    fields = _check_shape(body, offer)
    start = read_start(body.get("start"))
    if start is None:
        fields.setdefault("start", _how_to_write_start())
    details = clean_details({**body, **_read_answers(body)}, offer.owner, offer.call_type)
    if not isinstance(details, Details):
        fields = {**{name: problem_text(wrong) for name, wrong in details.items()}, **fields}
    try:
        timezone = read_timezone(body.get("timezone"), offer.owner, "timezone")
        request_key = _read_key()
    except Invalid as error:
        fields = {**error.fields, **fields}
    if fields or start is None or not isinstance(details, Details):
        raise Invalid(fields)
    return Wish(
        start=start,
        name=details.name,
        email=details.email,
        phone=details.phone,
        note=details.note,
        who_calls=details.who_calls,
        timezone=timezone,
        locale=locale,
        request_key=request_key,
        origin=origin_of(services(), request.remote_addr),
        wants_reminders=details.wants_reminders,
        minutes=_unless_usual(body.get("minutes"), offer),
        answers=details.answers,
    )


def read_new_start(body: dict[str, Any], call: Call) -> datetime:
    """Return the start a call is to be moved to.

    :raises Invalid: it is missing, or no time with an offset.
    """
    use_call(call)
    start = read_start(body.get("start"))
    if start is None:
        raise Invalid({"start": _how_to_write_start()})
    return start


def read_length() -> int | None:
    """Return the length of ``?minutes=``; ``None`` where none is named.

    :raises Invalid: it is no number.
    """
    text = request.args.get("minutes")
    if text is not None and not re.fullmatch(r"[0-9]{1,3}", text):
        raise Invalid({"minutes": length_not_offered()})
    return None if text is None else int(text)


def length_not_offered() -> str:
    """Say that a length can't be chosen."""
    return gettext("Name a length in minutes that the call type offers.")


def _unless_usual(minutes: int | None, offer: Offer) -> int | None:
    return None if minutes == offer.call_type.minutes else minutes


def _read_answers(body: dict[str, Any]) -> dict[str, object]:
    """Return what may be done, by question; members of the same names elsewhere in the body mean nothing."""
    answers = body.get("answers")
    return {each: answers.get(each) if isinstance(answers, dict) else None for each in QUESTIONS}


def _how_to_write_start() -> str:
    return gettext("Write the start as 2026-12-01T09:00:00+01:00.")


def _check_shape(body: dict[str, Any], offer: Offer) -> dict[str, str]:
    """Name every field that is no text or too long, also those that this call type would not look at."""
    problems = {}
    for field in (field for field in LONGEST if field in body):
        if not isinstance(body[field], str):
            problems[field] = gettext("This has to be text.")
        elif len(body[field]) > LONGEST[field]:
            problems[field] = gettext("Shorten this to %(num)s characters.", num=LONGEST[field])
    if not isinstance(body.get("reminders", False), bool):
        problems["reminders"] = gettext("This has to be true or false.")
    answers = body.get("answers", {})
    if not isinstance(answers, dict) or not all(isinstance(answers.get(each, False), bool) for each in QUESTIONS):
        problems["answers"] = gettext("Answer with an object of true and false.")
    if not _is_length(body.get("minutes", offer.call_type.minutes), offer):
        problems["minutes"] = length_not_offered()
    decided = offer.call_type.who_calls
    allowed = ("owner", "client") if decided == "choice" else (decided,)
    if body.get("who_calls", allowed[0]) not in allowed:
        problems.setdefault("who_calls", gettext("For this call it can only be: %(who)s.", who=", ".join(allowed)))
    return problems


def _is_length(minutes: object, offer: Offer) -> bool:
    return isinstance(minutes, int) and not isinstance(minutes, bool) and minutes in offer.lengths


def _choose_language(wished: object, owner: Owner) -> str:
    """Take what the body asks for, else what the program accepts, else the owner's language; regions don't matter."""
    code = wished.partition("-")[0].lower() if isinstance(wished, str) else ""
    if code in LANGUAGES:
        g.language = language(code)
        return code
    return accepted_language() or owner.locale


def read_timezone(text: object, owner: Owner, field: str) -> str:
    """Return the zone's name, the owner's where none is given.

    :raises Invalid: there is no such zone.
    """
    if text is None:
        return owner.timezone
    zone = read_zone(text)
    if zone is None:
        raise Invalid({field: gettext("Name a time zone such as Europe/Berlin.")})
    return zone


def _read_key() -> str:
    """Return the ``Idempotency-Key``, kept apart from the keys of forms; without one, every request is its own."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid({"idempotency_key": gettext("Send 1 to 200 visible ASCII characters.")})
    return f"api:{key or services().token()}"


def read_window(zone: ZoneInfo) -> Period:
    """Return the days of ``?from=`` and ``?to=``, both included, as a period.

    :raises Invalid: they can't be read, or are too many.
    """
    today = now().astimezone(zone).date()
    first = _read_date("from", today)
    last = _read_date("to", first + timedelta(days=USUAL_DAYS - 1))
    if last < first:
        raise Invalid({"to": gettext("The last day can't be before the first.")})
    if last - first >= timedelta(days=MOST_DAYS):
        raise Invalid({"to": gettext("Ask for %(num)s days at most.", num=MOST_DAYS)})
    return Period(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def _read_date(name: str, default: date) -> date:
    text = request.args.get(name)
    day = default if text is None else read_day(text)
    if day is None:
        raise Invalid({name: gettext("Write the day as 2026-12-01.")})
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
