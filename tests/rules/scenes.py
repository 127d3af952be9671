"""Agendas for the tests of the rules: one plain owner, changed only where a test needs it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.rules.hours import Timetable, parse_weekly
from booking.rules.period import Period, Timeline
from booking.rules.slots import Agenda, CallRules, HeldCall, free_slots

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday without holidays or a change of the clock nearby; Berlin is one hour east of UTC.
MONDAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
ANY_TIME = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

RULES = CallRules(
    length=timedelta(minutes=30),
    before=timedelta(),
    after=timedelta(),
    notice=timedelta(),
    horizon_days=7,
    step=timedelta(minutes=30),
)


def rules(**minutes: int) -> CallRules:
    """Return the plain rules with other lengths, in minutes, caps or days."""
    spans = {"length", "before", "after", "notice", "step"}
    changes = {key: timedelta(minutes=value) if key in spans else value for key, value in minutes.items()}
    return replace(RULES, **changes)  # type: ignore[arg-type]


def week(text: str) -> Timetable:
    return Timetable(parse_weekly(text))


def local(text: str, zone: ZoneInfo = BERLIN, day: date = MONDAY, fold: int = 0) -> datetime:
    """Return the moment of a wall time such as ``09:30``, or ``2 09:30`` two days later, in UTC."""
    later, _, clock = text.rpartition(" ")
    hour, minute = map(int, clock.split(":"))
    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone) + timedelta(int(later or 0))
    return wall.replace(fold=fold).astimezone(UTC)


def span(start: str, end: str) -> Period:
    return Period(local(start), local(end))


def busy(*periods: Period) -> Timeline:
    return Timeline.of(periods)


def held(start: str, minutes: int = 30, before: int = 0, after: int = 0, counts: bool = True) -> HeldCall:
    begin = local(start)
    period = Period(begin, begin + timedelta(minutes=minutes))
    return HeldCall(begin, period.padded(timedelta(minutes=before), timedelta(minutes=after)), counts)


def agenda(
    hours: str | Timetable = "mon 09:00-12:00",
    *,
    call: CallRules = RULES,
    now: datetime = NOW,
    zone: ZoneInfo = BERLIN,
    holidays: Iterable[date] = (),
    busy: Timeline | None = None,
    known: Period | None = ANY_TIME,
    held: tuple[HeldCall, ...] = (),
    notice_in_working_time: bool = True,
) -> Agenda:
    return Agenda(
        now=now,
        zone=zone,
        timetable=week(hours) if isinstance(hours, str) else hours,
        holidays=frozenset(holidays),
        rules=call,
        busy=busy or Timeline.of(()),
        known=known,
        held=held,
        notice_in_working_time=notice_in_working_time,
    )


def offered(scene: Agenda, window: Period = ANY_TIME) -> list[str]:
    """Return the offered starts in the owner's wall time, with the days after MONDAY in front where there are any."""
    return [_label(start.astimezone(scene.zone)) for start in free_slots(scene, window)]


def _label(start: datetime) -> str:
    days = (start.date() - MONDAY).days
    return f"{days} {start:%H:%M}" if days else f"{start:%H:%M}"
