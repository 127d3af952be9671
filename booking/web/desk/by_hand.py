"""Entering a call that was arranged by phone: name and number are enough, any time can be had after a warning."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email
from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from wtforms import HiddenField, StringField, ValidationError

from booking.errors import InvalidPhone, KeyReused, NotFound, NotOffered, NotWaived, Taken
from booking.language import LANGUAGES
from booking.rules.phone import PhoneProblem, parse_phone
from booking.store.models import Call, CallType, Owner
from booking.usecases import by_hand
from booking.usecases.availability import Offer, load_offer
from booking.usecases.by_hand import ByHand
from booking.usecases.day import day_window
from booking.usecases.reserve import Wish
from booking.web.context import LANGUAGE_NAMES, gettext, now, read_zone, reader, services
from booking.web.desk import free_hand
from booking.web.desk.calls import own_call
from booking.web.desk.fields import Choice, Clock, Day, Line, Prose, Whole
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.forms import LONGEST_EMAIL, LONGEST_NAME, LONGEST_NOTE, LONGEST_PHONE, Problem, problem_text
from booking.web.instants import read_instant
from booking.web.own_link import RETRY_DATABASE, later, refusal
from booking.web.reserving import house, is_silent, wall
from booking.web.times import Time
from booking.web.times_page import written_out
from booking.web.zones import zone_options

LONGEST_CALL: Final = 720
NEXT_SHOWN: Final = 6
DAY_SHOWN: Final = 48


class EntryForm(DeskForm):
    """What the owner notes while the client is on the phone. ``start`` is a free time that was tapped, or empty."""

    call_type = Choice(())
    minutes = Whole(1, LONGEST_CALL, needed=False)
    start = StringField()
    day = Day(needed=False)
    clock = Clock(needed=False)
    name = Line(LONGEST_NAME, needed=True)
    who_calls = Choice(("owner", "client"))
    phone = Line(LONGEST_PHONE)
    email = Line(LONGEST_EMAIL)
    note = Prose(LONGEST_NOTE)
    locale = Choice(LANGUAGES)
    timezone = StringField()
    key = HiddenField()
    anyway = HiddenField()

    def number(self) -> str:
        """Return the number as E.164, or nothing.

        :raises InvalidPhone: it can't be rung.
        """
        return parse_phone(self.phone.data, signed_in().country, frozenset()).e164 if self.phone.data else ""

    def address(self) -> str:
        """Return the mail address with its domain in ASCII, or nothing.

        :raises EmailNotValidError: it is none.
        """
        if not self.email.data:
            return ""
        found = validate_email(self.email.data, check_deliverability=False, allow_smtputf8=False, strict=True)
        return str(found.ascii_email or found.normalized)

    def validate_phone(self, field: Line) -> None:
        """Refuse what can't be rung; a number may be missing only where the client calls."""
        if not field.data:
            if self.who_calls.data == "owner":
                raise ValidationError(gettext("Give the number you are to ring."))
            return
        try:
            self.number()
        except InvalidPhone as error:
            unclear = error.reason == PhoneProblem.NO_COUNTRY
            problem = Problem.PHONE_NO_COUNTRY if unclear else Problem.PHONE_INVALID
            raise ValidationError(problem_text(problem)) from error

    def validate_email(self, field: Line) -> None:
        """Refuse what is no address; without one nobody writes to the client."""
        if not field.data:
            return
        try:
            self.address()
        except EmailNotValidError as error:
            raise ValidationError(problem_text(Problem.EMAIL_INVALID)) from error

    def validate_timezone(self, field: StringField) -> None:
        """Refuse what is no time zone."""
        if read_zone(field.data) is None:
            raise ValidationError(gettext("Choose one of these."))

    def validate_key(self, field: HiddenField) -> None:
        """Refuse a key of another make: it is kept with the call."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", field.data or ""):
            raise ValidationError(note_of("stale"))


@desk.get("/calls/new")
def enter() -> ResponseReturnValue:
    """Ask for what the client said on the phone; ``of`` is a call whose client is known already."""
    known = own_call(request.args["of"].replace("\0", "")) if "of" in request.args else None
    return _page(_form(data=_defaults(signed_in(), known)))


@desk.post("/calls/new")
@acts
def save_entered() -> ResponseReturnValue:
    """Show the free times of a day, or enter the call; a time that is not offered only after a warning."""
    form = _form()
    if "look" in request.form:
        return _page(form)
    if not form.validate():
        is_stale = "csrf_token" in form.errors or "key" in form.errors
        form.key.data = services().token() if "key" in form.errors else form.key.data
        return _page(form, 400 if is_stale else 422, note=note_of("stale") if is_stale else "")
    start = _start(form)
    return _page(form, 422) if start is None else _enter(form, start)


def _enter(form: EntryForm, start: datetime) -> ResponseReturnValue:
    length = _length(form)
    try:
        call = _entered(form, start, length)
    except NotWaived as error:
        form.anyway.data = free_hand.waiver(start, length, error.reasons)
        return _page(form, 422, against=free_hand.against(error.reasons), start=start)
    except (Taken, NotOffered) as error:
        said = free_hand.taken_by(error.call_id if isinstance(error, Taken) else "")
        return _page(form, 409, note=said, start=start, near=start)
    except (KeyReused, NotFound):
        form.key.data = services().token()
        return _page(form, 409, note=note_of("changed"), start=start)
    except OperationalError:
        return later(_page(form, 503, note=refusal("locked"), start=start), RETRY_DATABASE)
    told = gettext("The confirmation goes to the client.") if call.email else gettext("Nobody writes to the client.")
    entered = gettext("The call is entered.")
    return done(f"{entered} {told}", "desk.call", call_id=call.id)


def _entered(form: EntryForm, start: datetime, length: timedelta) -> Call:
    ours, owner = services(), signed_in()
    wish = Wish(
        start=start,
        name=form.name.data,
        email=form.address(),
        phone=form.number(),
        note=form.note.data or "",
        who_calls=form.who_calls.data,
        timezone=form.timezone.data,
        locale=form.locale.data,
        request_key=f"desk-{form.key.data}",
        origin="",
        minutes=int(length / timedelta(minutes=1)),
    )
    waived = free_hand.read_waiver(form.anyway.data or "", start, length)
    how = ByHand(waived, in_doubt=is_silent(ours, owner.slug))
    with wall(), ours.database.writing() as db:
        return by_hand.enter(db, house(ours), owner.slug, form.call_type.data, wish, now(), how)


def _form(data: dict[str, Any] | None = None) -> EntryForm:
    form = EntryForm(data=data) if data is not None else EntryForm()
    form.call_type.allowed = [each.slug for each in _types(signed_in())]
    return form


def _types(owner: Owner) -> Sequence[CallType]:
    return [each for each in owner.call_types if each.archived_at is None]


def _defaults(owner: Owner, known: Call | None) -> dict[str, Any]:
    types = _types(owner)
    usual = types[0] if types else None
    who_calls = "client" if usual is not None and usual.who_calls == "client" else "owner"
    data: dict[str, Any] = {
        "call_type": usual.slug if usual else "",
        "who_calls": who_calls,
        "locale": owner.locale,
        "timezone": owner.timezone,
        "key": services().token(),
    }
    if known is None or not known.timezone:
        return data
    about = {"name": known.name, "phone": free_hand.number_of(known), "email": known.email, "locale": known.locale}
    return {**data, **about, "timezone": known.timezone}


def _length(form: EntryForm) -> timedelta:
    """The length that was typed, or the usual one of the call type."""
    types = {each.slug: each for each in _types(signed_in())}
    usual = types.get(form.call_type.data)
    usual_minutes = usual.minutes if usual else 30
    return timedelta(minutes=_typed_minutes(form) or usual_minutes)


def _typed_minutes(form: EntryForm) -> int | None:
    text = str(form.minutes.data or "").strip()
    is_length = re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= LONGEST_CALL
    return int(text) if is_length else None


def _start(form: EntryForm) -> datetime | None:
    """Return the time that was tapped or typed; where it can't be used, the field says why."""
    tapped = read_instant(form.start.data or "")
    typed, problem = _typed(form)
    if tapped is None:
        if problem:
            form.clock.errors = [problem]
            return None
        return typed
    if form.clock.minutes is not None and typed != tapped:
        form.clock.errors = [gettext("A free time is chosen above, and another one is typed here. Keep one of them.")]
        return None
    problem = free_hand.why_impossible(tapped)
    if problem:
        form.clock.errors = [problem]
    return None if problem else tapped


def _typed(form: EntryForm) -> tuple[datetime | None, str]:
    day, minutes = form.day.day, form.clock.minutes
    if day is None or minutes is None:
        return None, gettext("Choose a free time, or write day and time.")
    start = free_hand.moment_of(day, minutes, ZoneInfo(signed_in().timezone))
    return start, free_hand.why_impossible(start)


def _page(
    form: EntryForm,
    status: int = 200,
    *,
    note: str = "",
    against: Sequence[str] = (),
    start: datetime | None = None,
    near: datetime | None = None,
) -> Response:
    owner = signed_in()
    offer = _offer(form, owner)
    free = _free(offer, form, near) if offer else []
    of_day = reader().day(free[0].start, ZoneInfo(owner.timezone)) if free and form.day.day and near is None else ""
    return page(
        "desk/enter.html",
        status,
        form=form,
        note=note,
        against=against,
        said=free_hand.said(start) if start else "",
        near=near,
        free=free,
        of_day=of_day,
        types=[(each.slug, each.name) for each in _types(owner)],
        languages_=list(LANGUAGE_NAMES.items()),
        zone_options=zone_options(reader().code),
        place=reader().place(read_zone(form.timezone.data) or owner.timezone),
        usual=offer.call_type.minutes if offer else None,
    )


def _offer(form: EntryForm, owner: Owner) -> Offer | None:
    if form.call_type.data not in {each.slug for each in _types(owner)}:
        return None
    with services().database.reading() as db:
        return load_offer(db, owner.slug, form.call_type.data, now(), minutes=_typed_minutes(form))


def _free(offer: Offer, form: EntryForm, near: datetime | None) -> list[Time]:
    """Free times to tap: the nearest to one that was taken, those of the chosen day, or the next ones."""
    if near is not None:
        return free_hand.nearest(offer, near)
    day = form.day.day
    if day is None:
        return written_out(offer, offer.all_free()[:NEXT_SHOWN])
    return written_out(offer, offer.free(day_window(offer.owner, day))[:DAY_SHOWN])
