"""Today: what is next, the day as a line of hours, the days that follow; in quiet time only what is next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.rules.day import Kind, Stretch
from booking.rules.period import Period
from booking.rules.phone import display
from booking.store.models import Call, Owner
from booking.usecases import day, messages
from booking.web import pages
from booking.web.context import gettext, link, ngettext, now, reader, services
from booking.web.desk.room import DeskForm, acts, desk, note_of, page, session, signed_in

MOST_SHOWN: Final = 16
"""Quarters of an hour that a stretch of the day is drawn with at most."""


@dataclass(frozen=True)
class NextCall:
    """The next call, in words."""

    call: Call
    at: pages.When
    how_soon: str
    number: str
    client_clock: str
    minutes: int


@dataclass(frozen=True)
class Line:
    """A line of the day: from when to when, what it is, and how long it is drawn."""

    begins: str
    ends: str
    kind: str
    text: str
    call: Call | None
    quarters: int
    is_over: bool


@dataclass(frozen=True)
class Ahead:
    """A coming day with its calls."""

    name: str
    calls: Sequence[tuple[str, Call]]


@desk.get("")
def today() -> ResponseReturnValue:
    """Show what is next, and the day; in quiet time what is next, and how much waits."""
    return _page()


@desk.post("/waiting")
@acts
def show_waiting() -> ResponseReturnValue:
    """In quiet time, show everything all the same, until business begins."""
    if not DeskForm().validate():
        return _page(400, note=note_of("stale"))
    until = day.quiet_until(signed_in(), now())
    if until is not None:
        with services().database.writing() as db:
            day.show_waiting(db, session().token_hash, until)
    return redirect(link("desk.today"), 303)


def _page(status: int = 200, *, note: str = "") -> ResponseReturnValue:
    owner = signed_in()
    until = day.quiet_until(owner, now())
    shown_until = session().shows_waiting_until
    with services().database.reading() as db:
        upcoming = day.next_call(db, owner, now())
        tasks, news = day.open_tasks(db, owner), day.waiting_news(db, owner, now())
        stuck = messages.count_stuck(db, owner, now()) - messages.count_alarms(db, owner, now(), shown_until)
        is_quiet = until is not None and (shown_until is None or shown_until <= now())
        rest = {} if is_quiet else _rest(db, owner)
    waiting = len(tasks) + len(news) + stuck
    return page(
        "desk/today.html",
        status,
        form=DeskForm(),
        note=note,
        next=_next(upcoming, owner) if upcoming else None,
        is_quiet=is_quiet,
        waiting=_waiting(waiting, until) if is_quiet and until and waiting else "",
        tasks=[(task, _task_words(task.message), display(task.call.phone)) for task in tasks],
        news=[_news(facts) for facts in news],
        title=reader().full_date(now(), ZoneInfo(owner.timezone)),
        **rest,
    )


def _rest(db: Session, owner: Owner) -> dict[str, object]:
    zone = ZoneInfo(owner.timezone)
    first = now().astimezone(zone).date()
    laid_out = day.load_day(db, owner, first, now())
    tomorrow = day.day_window(owner, first + timedelta(days=1)).start
    coming = day.calls_between(db, owner, Period(tomorrow, tomorrow + day.AHEAD))
    more = max(len(laid_out.events) - day.MOST_TITLED, 0)
    return {"lines": _lines(laid_out, owner), "more": more, "ahead": _ahead(coming, first, zone)}


def _next(call: Call, owner: Owner) -> NextCall:
    client_zone = ZoneInfo(call.timezone or owner.timezone)
    differs = call.starts_at.astimezone(client_zone).utcoffset() != (
        call.starts_at.astimezone(ZoneInfo(owner.timezone)).utcoffset()
    )
    clock = ""
    if differs:
        clock = gettext(
            "%(day)s, %(time)s (%(place)s time)",
            day=reader().short_day(call.starts_at, client_zone),
            time=reader().time(call.starts_at, client_zone),
            place=reader().place(client_zone.key),
        )
    minutes = int((call.ends_at - call.starts_at).total_seconds() // 60)
    number = display(call.phone) if call.phone else ""
    return NextCall(call, pages.when(call.starts_at, owner), _how_soon(call, owner), number, clock, minutes)


def _how_soon(call: Call, owner: Owner) -> str:
    """Say how soon a call begins: in minutes within the hour, in hours today, else by its day."""
    left = call.starts_at - now()
    minutes = -(-int(left.total_seconds()) // 60)
    if minutes <= 0:
        return gettext("now")
    if minutes < 60:
        return ngettext("in %(num)s minute", "in %(num)s minutes", minutes)
    zone = ZoneInfo(owner.timezone)
    days = (call.starts_at.astimezone(zone).date() - now().astimezone(zone).date()).days
    if days == 0:
        return ngettext("in about %(num)s hour", "in about %(num)s hours", round(minutes / 60))
    return gettext("tomorrow") if days == 1 else ngettext("in %(num)s day", "in %(num)s days", days)


def _lines(laid_out: day.Agenda, owner: Owner) -> list[Line]:
    zone = ZoneInfo(owner.timezone)
    today_ = now().astimezone(zone).date()
    shown = (each for each in laid_out.stretches if each.kind is not Kind.BUSY or each.what < day.MOST_TITLED)
    return [_line(each, laid_out, zone, today_) for each in shown]


def _line(stretch: Stretch, laid_out: day.Agenda, zone: ZoneInfo, today_: date) -> Line:
    period = stretch.period
    call = laid_out.calls[stretch.what] if stretch.kind in (Kind.CALL, Kind.BUFFER) else None
    words = {
        Kind.CALL: call.name if call else "",
        Kind.BUFFER: gettext("Buffer"),
        Kind.FREE: gettext("free"),
        Kind.BUSY: (laid_out.events[stretch.what].title or gettext("busy")) if stretch.kind is Kind.BUSY else "",
    }
    quarters = int((period.end - period.start) / timedelta(minutes=15))
    return Line(
        begins=_clock(period.start, zone, today_),
        ends=_clock(period.end, zone, today_),
        kind=stretch.kind,
        text=words[stretch.kind],
        call=call if stretch.kind is Kind.CALL else None,
        quarters=min(max(quarters, 1), MOST_SHOWN),
        is_over=period.end <= now(),
    )


def _clock(moment: datetime, zone: ZoneInfo, today_: date) -> str:
    """Write a time of today; where it lies on another day, that day too, and the midnight that ends today as 24:00."""
    local = moment.astimezone(zone)
    if local.date() == today_:
        return reader().time(moment, zone)
    if local.date() == today_ + timedelta(days=1) and (local.hour, local.minute) == (0, 0):
        return "24:00"
    return f"{reader().short_day(moment, zone)}, {reader().time(moment, zone)}"


def _ahead(calls: Iterable[Call], today_: date, zone: ZoneInfo) -> list[Ahead]:
    def day_of(call: Call) -> date:
        return call.starts_at.astimezone(zone).date()

    days = []
    for each, of_day in groupby(calls, key=day_of):
        listed = [(reader().time(call.starts_at, zone), call) for call in of_day]
        name = reader().day(listed[0][1].starts_at, zone)
        is_tomorrow = each == today_ + timedelta(days=1)
        days.append(Ahead(gettext("Tomorrow, %(day)s", day=name) if is_tomorrow else name, listed))
    return days


def _waiting(count: int, until: datetime) -> str:
    zone = ZoneInfo(signed_in().timezone)
    day_, time_ = reader().day(until, zone), reader().time(until, zone)
    return ngettext(
        "%(num)s thing waits until %(day)s, %(time)s.",
        "%(num)s things wait until %(day)s, %(time)s.",
        count,
        day=day_,
        time=time_,
    )


def _news(facts: dict[str, Any]) -> str:
    """Say in a line what a waiting notice is about."""
    if "call_id" not in facts:
        return gettext("A calendar was silent, or answers again.")
    zone = ZoneInfo(signed_in().timezone)
    starts_at = datetime.fromisoformat(facts["starts_at"])
    about = {"name": facts["client_name"], "day": reader().short_day(starts_at, zone)}
    about["time"] = reader().time(starts_at, zone)
    words = {
        "booked": gettext("New: %(name)s, %(day)s, %(time)s", **about),
        "moved": gettext("Moved: %(name)s, now %(day)s, %(time)s", **about),
        "cancelled": gettext("Cancelled: %(name)s, %(day)s, %(time)s", **about),
        "corrected": gettext("New number or address: %(name)s, %(day)s, %(time)s", **about),
    }
    return words.get(facts["message"], gettext("Changed: %(name)s, %(day)s, %(time)s", **about))


def _task_words(message: str) -> str:
    """Say what a client without a mail address has to be told."""
    words = {
        "booked": gettext("Tell by phone: the call is booked."),
        "moved": gettext("Tell by phone: the call was moved."),
        "cancelled": gettext("Tell by phone: the call is cancelled."),
        "declined": gettext("Tell by phone: the time does not work."),
        "confirmed": gettext("Tell by phone: the time works."),
    }
    return words.get(message, gettext("Tell by phone: something about the call has changed."))
