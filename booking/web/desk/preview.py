"""What clients would see: the public page of days and times, with values that are not saved.

Made in answer to a form of the desk that was sent to be looked at: it changes nothing, and no link leads anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from flask import Response, request

from booking.rules.hours import Timetable
from booking.store.models import CallType
from booking.usecases.availability import Offer, load_offer, rules_of
from booking.usecases.call_types import sketch
from booking.web.context import now, services
from booking.web.desk.room import page, signed_in
from booking.web.instants import read_day
from booking.web.own_link import private
from booking.web.times_page import Ways, show_times

DAY: Final = "preview_day"
TYPE: Final = "preview_type"
NOWHERE: Final = "#preview"
"""Where links on a preview lead: to the note that says what it is."""


def call_types() -> list[CallType]:
    """Return the owner's call types that can be looked at, the first listed one first."""
    kept = [each for each in signed_in().call_types if each.archived_at is None]
    return sorted(kept, key=lambda each: each.visibility != "listed")


def show_timetable(
    timetable: Timetable, holidays: frozenset[date] | None = None, *, first: date | None = None
) -> Response:
    """Show the public page of the chosen call type as it would be with another timetable, or other holidays.

    :param first: the day that is shown at first.
    """
    owner, types = signed_in(), call_types()
    if not types:
        return page("desk/preview_nothing.html")
    chosen = next((each for each in types if each.slug == request.form.get(TYPE)), types[0])
    with services().database.reading() as db:
        offer = load_offer(db, owner.slug, chosen.slug, now())
    offer.owner.timetable = timetable  # nobody's session holds this owner any more
    kept = offer.agenda.holidays if holidays is None else holidays
    agenda = replace(offer.agenda, timetable=timetable, holidays=kept)
    return show(replace(offer, agenda=agenda), first=first, types=types)


def show_call_type(call_type: CallType | None, values: Mapping[str, object]) -> Response:
    """Show the public page of a call type, or of a new one, as it would be with these values.

    :raises TypeSlugTaken: another call type of the owner has the slug.
    """
    owner, types = signed_in(), call_types()
    basis = call_type or (types[0] if types else None)
    if basis is None:
        return page("desk/preview_nothing.html")
    with services().database.reading() as db:
        offer = load_offer(db, owner.slug, basis.slug, now())
    sketched = sketch(owner, call_type, values, services().token())
    held = offer.agenda.held if call_type else tuple(replace(each, counts=False) for each in offer.agenda.held)
    agenda = replace(offer.agenda, rules=rules_of(sketched), held=held)
    return show(replace(offer, call_type=sketched, agenda=agenda))


def show(offer: Offer, *, first: date | None = None, types: Sequence[CallType] = ()) -> Response:
    """Show the public page of days and times as it would be with this offer.

    The form that was sent to get here is part of the page, so that another day (and, where ``types`` are given,
    another call type) can be looked at: its address stays the same.
    """
    wished = read_day(request.form.get(DAY, "")) or first
    sent = [pair for pair in request.form.items(multi=True) if pair[0] not in (DAY, TYPE)]
    rendered = show_times(
        "desk/preview.html",
        offer,
        Ways(day=f"{NOWHERE}-", first=f"{NOWHERE}-", time=f"{NOWHERE}-", all_times=NOWHERE),
        day=wished,
        is_personal=True,
        sent=sent,
        types=types,
        link=_nowhere,
        here=_nowhere,
    )
    return private(rendered)


def _nowhere(*_: object, **__: object) -> str:
    return NOWHERE
