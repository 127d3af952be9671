"""Whatever happens: nothing reaches the owner in quiet time but the exceptions, nothing is lost, nothing comes twice.

A small world plays what the outbox does with the rule: notices and changes of hours come at any moment, over changes of
the clock, absences and holidays; whatever is due is decided anew. What is asserted is worked out in another way than
the rule does it: by looking at the list of all open periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.hours import Absence, Timetable, open_periods, parse_weekly
from booking.rules.period import Period
from booking.rules.quiet import Notice, WorkingTime, leaves_at, next_morning

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEKS = (
    "mon-fri 09:00-12:00 13:00-17:00",
    "mon-thu 08:00-16:00; sat 00:30-02:45",
    "mon-sun 00:00-24:00",
    "tue 18:00-24:00; wed 00:00-03:00; sun 01:30-02:30 02:30-04:00",
    "fri 02:15-02:45",
)
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "UTC")
BEGINNINGS = (date(2026, 3, 26), date(2026, 10, 22), date(2026, 11, 16), date(2026, 3, 5), date(2026, 4, 2))
"""A few days before clocks change in one zone or another, and an ordinary Monday."""
PLAYED = 12 * DAY


@dataclass
class Waiting:
    """A notice in the outbox."""

    notice: Notice
    made_at: datetime
    due_at: datetime
    told_at: list[datetime] = field(default_factory=list)


@dataclass
class World:
    """The outbox and the worker; ``hours`` holds from when on which working time holds."""

    now: datetime
    work: WorkingTime
    hours: list[tuple[datetime, WorkingTime]] = field(default_factory=list)
    outbox: list[Waiting] = field(default_factory=list)
    mornings: list[tuple[date, datetime, WorkingTime]] = field(default_factory=list)
    alone: list[tuple[Waiting, datetime, WorkingTime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.told = self.now.astimezone(self.work.zone).date() - DAY
        self.change_hours(self.work)

    def change_hours(self, work: WorkingTime) -> None:
        self.work = work
        self.hours.append((self.now, work))
        self.plan()
        for each in self.waiting():
            each.due_at = leaves_at(each.notice, self.now, work)

    def plan(self) -> None:
        morning = next_morning(self.now, self.work, self.told)
        self.morning_at = morning.at if morning else self.now + DAY

    def waiting(self) -> list[Waiting]:
        return [each for each in self.outbox if not each.told_at]

    def write(self, notice: Notice) -> None:
        self.outbox.append(Waiting(notice, self.now, leaves_at(notice, self.now, self.work)))

    def work_until(self, moment: datetime) -> None:
        while True:
            due = min([self.morning_at, *(each.due_at for each in self.waiting())])
            if due > moment:
                break
            self.now = max(self.now, due)
            self.do_what_is_due()
        self.now = moment

    def do_what_is_due(self) -> None:
        if self.morning_at <= self.now:
            self.tell_morning()
            self.plan()
        for each in self.waiting():
            if each.due_at <= self.now:
                each.due_at = leaves_at(each.notice, self.now, self.work)
                if each.due_at <= self.now:
                    each.told_at.append(self.now)
                    self.alone.append((each, self.now, self.work))

    def tell_morning(self) -> None:
        morning = next_morning(self.now, self.work, self.told)
        if morning is None or morning.at > self.now:
            return
        self.told = morning.day
        taken = [each for each in self.waiting() if not each.notice.is_asked_for]
        if taken:
            assert leaves_at(Notice(morning_of=morning.day), self.now, self.work) == self.now
            self.mornings.append((morning.day, self.now, self.work))
        for each in taken:
            each.told_at.append(self.now)


def working_times(first: date) -> st.SearchStrategy[WorkingTime]:
    def days(ahead: int) -> date:
        return first + timedelta(days=ahead)

    day = st.integers(-1, 12).map(days)
    absences = st.lists(st.tuples(day, st.integers(0, 9)), max_size=2)
    return st.builds(
        lambda text, off, closed, lead: WorkingTime(
            Timetable(parse_weekly(text), absences=tuple(Absence(each, each + timedelta(days=n)) for each, n in off)),
            ZoneInfo("UTC"),
            frozenset(closed),
            timedelta(minutes=lead),
        ),
        st.sampled_from(WEEKS),
        absences,
        st.lists(day, max_size=2),
        st.sampled_from((0, 1, 30, 240)),
    )


def beginning(world: World, at_opening: bool, minutes: int) -> datetime:
    """Return when a call begins: around now, or around the next opening, where it matters most."""
    opens = next((each.start for each in periods(world.work, world.now) if each.start > world.now), world.now)
    return (opens if at_opening else world.now) + minutes * MINUTE


@st.composite
def worlds(draw: st.DrawFn, *, may_sleep: bool = True) -> World:
    """Play a world; where it may sleep, nothing runs for hours now and then."""
    first = draw(st.sampled_from(BEGINNINGS))
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    world = World(begin, replace(draw(working_times(first)), zone=zone))
    # A day and a minute apart: drawn as one number, most of them lie in the first hours.
    moments = st.builds(lambda day, minute: day * DAY + minute * MINUTE, st.integers(0, 11), st.integers(0, 1439))
    begins_in = st.lists(st.tuples(st.booleans(), st.integers(-120, 60)), max_size=2)
    notices = draw(st.lists(st.tuples(moments, begins_in, st.sampled_from((False, False, True))), max_size=12))
    changes = draw(st.lists(st.tuples(moments, working_times(first)), max_size=3))
    sleeps = draw(st.lists(st.tuples(moments, st.integers(1, 2000)), max_size=2 if may_sleep else 0))
    happening: list[tuple[timedelta, WorkingTime | int | tuple[list[tuple[bool, int]], bool]]] = [
        *changes,
        *sleeps,
        *((at, (begins, asked)) for at, begins, asked in notices),
    ]
    for at, what in sorted(happening, key=lambda each: each[0]):
        world.work_until(max(world.now, begin + at))
        if isinstance(what, WorkingTime):
            world.change_hours(replace(what, zone=zone))
        elif isinstance(what, int):
            world.now += what * MINUTE
        else:
            begins_near, is_asked_for = what
            world.write(Notice(tuple(beginning(world, *each) for each in begins_near), is_asked_for))
    world.work_until(begin + PLAYED + 60 * DAY)
    return world


def periods(work: WorkingTime, around: datetime) -> Sequence[Period]:
    day = around.astimezone(work.zone).date()
    return open_periods(work.timetable, work.zone, work.holidays, day - 2 * DAY, day + 60 * DAY)


def is_open(work: WorkingTime, moment: datetime) -> bool:
    return any(period.start <= moment < period.end for period in periods(work, moment))


@given(worlds())
def test_every_notice_is_told_exactly_once(world: World) -> None:
    assert [len(each.told_at) for each in world.outbox] == [1] * len(world.outbox)


@given(worlds())
def test_alone_nothing_leaves_in_quiet_time_but_what_was_asked_for_or_can_not_wait(world: World) -> None:
    for waiting, at, work in world.alone:
        if waiting.notice.is_asked_for or is_open(work, at):
            continue
        begins = min(begins for begins in waiting.notice.begins if begins > at)
        assert not any(at <= period.start < begins for period in periods(work, at)), "it could have waited"


@given(worlds())
def test_a_business_day_has_one_morning_mail_at_most_never_before_its_time_nor_after_work(world: World) -> None:
    assert len({day for day, _, _ in world.mornings}) == len(world.mornings)
    for day, at, work in world.mornings:
        of_day = open_periods(work.timetable, work.zone, work.holidays, day, day)
        assert of_day[0].start - work.lead <= at < of_day[-1].end
        assert at < of_day[0].start or is_open(work, at)


@given(worlds(may_sleep=False))
def test_whatever_is_about_a_call_ahead_is_told_before_it_begins(world: World) -> None:
    for each in world.outbox:
        ahead = [begins for begins in each.notice.begins if begins > each.made_at]
        assert all(each.told_at[0] < begins for begins in ahead)


@given(worlds())
def test_what_waits_in_an_absence_is_told_by_one_mail_on_the_first_morning_after(world: World) -> None:
    for waiting, at, work in world.alone:
        day = at.astimezone(work.zone).date()
        is_exempt = waiting.notice.is_asked_for or any(begins > at for begins in waiting.notice.begins)
        assert is_exempt or work.timetable.absence_on(day) is None
