"""Why is this time not offered? The owner picks any time and reads the reason in a sentence."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request
from flask.typing import ResponseReturnValue

from booking.rules.hours import open_periods
from booking.rules.slots import Reason
from booking.store.models import Call, CallType, Owner
from booking.usecases.availability import Offer, is_bookable, load_offer
from booking.usecases.why import Why, explain
from booking.web import pages
from booking.web.context import gettext, link, ngettext, now, reader, services
from booking.web.desk import spoken
from booking.web.desk.days import holiday_name
from booking.web.desk.fields import Choice, Clock, Day
from booking.web.desk.room import DeskForm, desk, page, signed_in
from booking.web.times import written


class WhyForm(DeskForm):
    """The call type, day and time that is asked about; a GET, which changes nothing and needs no proof."""

    class Meta:
        """Whoever only asks needs no proof."""

        csrf = False

    type = Choice(())
    day = Day()
    time = Clock()


@dataclass(frozen=True)
class Pointer:
    """A line below the answer: something in the way, or where to change it."""

    text: str
    address: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer in words."""

    sentence: str
    is_offered: bool = False
    facts: tuple[Pointer, ...] = ()
    near: tuple[Pointer, ...] = ()


@desk.get("/why")
def why() -> ResponseReturnValue:
    """Ask for a time, and say why it is not offered, or that it is."""
    owner = signed_in()
    types = [each for each in owner.call_types if each.archived_at is None]
    form = WhyForm(formdata=request.args if request.args.get("day") is not None else None)
    form.type.allowed = [each.slug for each in types]
    is_asked = form.day.data is not None and bool(types)
    answer = _answer(owner, form) if is_asked and form.validate() else None
    if not is_asked:
        form.day.data = spoken.today(owner).isoformat()
    named = [(each.slug, each.name) for each in types]
    return page("desk/why.html", 422 if form.errors else 200, form=form, types=named, answer=answer)


def _answer(owner: Owner, form: WhyForm) -> Answer:
    zone = ZoneInfo(owner.timezone)
    local = datetime.combine(form.day.day or spoken.today(owner), time()) + timedelta(minutes=form.time.minutes or 0)
    start = local.replace(tzinfo=zone).astimezone(UTC)
    if start.astimezone(zone).replace(tzinfo=None) != local:
        return Answer(gettext("This time does not exist: the clocks go forward and skip it."))
    with services().database.reading() as db:
        offer = load_offer(db, owner.slug, form.type.data, now())
        found = explain(db, offer, start)
    if not is_bookable(offer.call_type):
        return Answer(gettext("Nobody can book this call type: it is hidden."))
    near = tuple(_link(offer.call_type, owner, each) for each in found.near)
    if found.reason is None:
        return _offered(found, offer)
    sentence, facts = _WORDS[found.reason](found, offer)
    return Answer(sentence, facts=facts, near=near)


def _offered(found: Why, offer: Offer) -> Answer:
    address = _link(offer.call_type, offer.owner, found.start)
    if offer.mode == "request":
        return Answer(
            gettext("It is offered, but only to be noted: a calendar is silent."),
            is_offered=True,
            facts=(*_calendars(found), address),
        )
    return Answer(gettext("It is offered."), is_offered=True, facts=(address,))


def _absence(found: Why, _: Offer) -> tuple[str, tuple[Pointer, ...]]:
    assert found.absence is not None  # noqa: S101 - the reason says so
    address = link("desk.absence", first=found.absence.first.isoformat())
    return gettext("You are away: %(days)s.", days=spoken.span(found.absence)), (
        Pointer(gettext("Change the absence"), address),
    )


def _holiday(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    sentence = gettext(
        "%(day)s is a public holiday: %(name)s.", day=spoken.day(found.day), name=holiday_name(offer.owner, found.day)
    )
    return sentence, (Pointer(gettext("Change the holidays"), link("desk.holidays")), _that_day(found.day))


def _outside(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    day, ways = (
        spoken.day(found.day),
        (_that_day(found.day), Pointer(gettext("Change the weekly hours"), link("desk.week"))),
    )
    if not found.windows:
        words = (
            gettext("%(day)s is closed.", day=day)
            if found.has_own_hours
            else gettext("On %(day)s you have no business hours.", day=day)
        )
        return words, ways
    ends = found.start + offer.length
    hours = open_periods(offer.agenda.timetable, offer.zone, offer.agenda.holidays, found.day, found.day)
    if any(period.start <= found.start and ends <= period.end for period in hours):
        return gettext("The clocks go back, and this time comes twice: it is never offered."), ()
    return gettext(
        "A call of %(minutes)s would last until %(ends)s. Your hours on %(day)s: %(hours)s.",
        minutes=pages.minutes(int(offer.length.total_seconds() // 60)),
        ends=reader().time(ends, offer.zone),
        day=day,
        hours=spoken.hours(found.windows),
    ), ways


def _off_step(_: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    step = pages.minutes(int(offer.agenda.rules.step.total_seconds() // 60))
    return gettext("Calls of this type begin every %(minutes)s, counted from when your hours begin.", minutes=step), ()


def _unknown(found: Why, _: Offer) -> tuple[str, tuple[Pointer, ...]]:
    return gettext("Your calendars are not known for this time yet."), _calendars(found)


def _busy(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    facts = _in_the_way(found, offer)
    return gettext("You have something else at this time."), facts


def _buffer(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    rules = offer.agenda.rules
    sentence = gettext(
        "Something else comes too near: before a call %(before)s stay free, after it %(after)s.",
        before=pages.minutes(int(rules.before.total_seconds() // 60)),
        after=pages.minutes(int(rules.after.total_seconds() // 60)),
    )
    return sentence, _in_the_way(found, offer)


def _too_soon(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    if found.start < offer.agenda.now:
        return gettext("This time is over."), ()
    rules = Pointer(gettext("Change how the notice is counted"), link("desk.hours_rules"))
    if found.earliest is None:
        return gettext("Until the last day that can be booked, less working time is left than the notice needs."), (
            rules,
        )
    earliest = spoken.moment(found.earliest, offer.owner)
    if offer.agenda.notice_in_working_time:
        words = gettext("This is too soon: the notice, counted in working time, ends on %(when)s.", when=earliest)
    else:
        words = gettext("This is too soon: the notice ends on %(when)s.", when=earliest)
    return words, (rules,)


def _too_far(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    assert found.last_day is not None  # noqa: S101 - always given
    return ngettext(
        "This is too far ahead: calls of this type can be booked %(num)s day ahead, until %(day)s.",
        "This is too far ahead: calls of this type can be booked %(num)s days ahead, until %(day)s.",
        offer.agenda.rules.horizon_days,
        day=spoken.day(found.last_day),
    ), ()


def _full(found: Why, offer: Offer) -> tuple[str, tuple[Pointer, ...]]:
    rules = offer.agenda.rules
    if found.reason is Reason.DAY_FULL:
        words = ngettext(
            "The day is full: %(num)s call of this type a day is the most.",
            "The day is full: %(num)s calls of this type a day are the most.",
            rules.max_per_day or 0,
        )
    else:
        words = ngettext(
            "The week is full: %(num)s call of this type a week is the most.",
            "The week is full: %(num)s calls of this type a week are the most.",
            rules.max_per_week or 0,
        )
    return words, tuple(_call(call, offer.owner) for call in found.counted)


_WORDS = {
    Reason.ABSENCE: _absence,
    Reason.HOLIDAY: _holiday,
    Reason.OUTSIDE_HOURS: _outside,
    Reason.OFF_STEP: _off_step,
    Reason.UNKNOWN_CALENDAR: _unknown,
    Reason.BUSY: _busy,
    Reason.BUFFER: _buffer,
    Reason.TOO_SOON: _too_soon,
    Reason.TOO_FAR: _too_far,
    Reason.DAY_FULL: _full,
    Reason.WEEK_FULL: _full,
}


def _in_the_way(found: Why, offer: Offer) -> tuple[Pointer, ...]:
    events = [
        Pointer(
            gettext(
                "%(title)s, %(begins)s to %(ends)s (calendar: %(calendar)s)",
                title=event.title or gettext("An event without a title"),
                begins=spoken.moment(event.period.start, offer.owner),
                ends=spoken.moment(event.period.end, offer.owner),
                calendar=event.calendar or gettext("without a name"),
            )
        )
        for event in found.events
    ]
    return (*events, *(_call(call, offer.owner) for call in found.calls))


def _call(call: Call, owner: Owner) -> Pointer:
    words = gettext("Call with %(name)s, %(when)s", name=call.name, when=spoken.moment(call.starts_at, owner))
    return Pointer(words, link("desk.call", call_id=call.id))


def _calendars(found: Why) -> tuple[Pointer, ...]:
    return tuple(Pointer(gettext("Not read far enough: %(calendar)s", calendar=name)) for name in found.silent)


def _that_day(day: date) -> Pointer:
    return Pointer(gettext("Change the hours of this day"), link("desk.day_hours", day=day.isoformat()))


def _link(call_type: CallType, owner: Owner, start: datetime) -> Pointer:
    place = {"owner_slug": owner.slug, "type_slug": call_type.slug}
    return Pointer(spoken.moment(start, owner), link("public.details", **place, start=written(start)))
