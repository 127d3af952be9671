"""The slot rules agree with the slow second opinion on thousands of random agendas, most of them around DST."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import pytest

from booking.rules.hours import Absence, Timetable, Window
from booking.rules.period import Period, Timeline
from booking.rules.slots import Agenda, CallRules, HeldCall, free_slots, why_not
from tests.rules.oracle import MINUTE, Clock, starts, watch

DAY = timedelta(days=1)
WATCHED = 4 * 1440
DAYS = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Europe/Berlin", date(2026, 11, 16)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("Pacific/Auckland", date(2027, 4, 4)),
    ("America/Vancouver", date(2025, 3, 9)),
    ("America/Vancouver", date(2025, 11, 2)),
    ("Asia/Kathmandu", date(2026, 12, 31)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("America/Havana", date(2025, 3, 9)),
    ("America/Havana", date(2025, 11, 2)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Santiago", date(2026, 9, 6)),
)
CASES_EACH = 150


@cache
def clock_of(zone: str, day: date) -> Clock:
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) - DAY
    return watch(Agenda(begin, ZoneInfo(zone), Timetable(), frozenset(), RULES, Timeline.of(()), None), begin, WATCHED)


RULES = CallRules(MINUTE, timedelta(), timedelta(), timedelta(), 0, MINUTE)


def windows(chance: Random) -> tuple[Window, ...]:
    if chance.random() < 0.2:
        return (Window(0, 1440),)
    grain = chance.choice([1, 15, 30])
    edges = sorted(chance.sample(range(0, 1441, grain), 2 * chance.randrange(4)))
    pairs = [Window(*pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
    if len(pairs) > 1 and chance.random() < 0.3:
        pairs[0] = Window(pairs[0].start, pairs[1].start)
    return tuple(pairs)


def timetable(chance: Random, day: date) -> Timetable:
    near = [day + DAY * offset for offset in range(-1, 4)]
    absences = [Absence(day, day + DAY * chance.randrange(2)) for day in near if chance.random() < 0.05]
    overrides = {day: windows(chance) for day in near if chance.random() < 0.15}
    return Timetable(tuple(windows(chance) for _ in range(7)), overrides, tuple(absences))


def call_rules(chance: Random) -> CallRules:
    return CallRules(
        length=MINUTE * chance.choice([1, 15, 25, 30, 60, 90, 200]),
        before=MINUTE * chance.choice([0, 0, 5, 15]),
        after=MINUTE * chance.choice([0, 0, 10, 45]),
        notice=MINUTE * chance.choice([0, 0, 45, 120, 700]),
        horizon_days=chance.randrange(4),
        step=MINUTE * chance.choice([5, 7, 15, 30, 60]),
        max_per_day=chance.choice([None, None, 0, 1, 2]),
        max_per_week=chance.choice([None, None, 1, 3]),
    )


def periods(chance: Random, begin: datetime, most: int) -> list[Period]:
    found = []
    for _ in range(chance.randrange(most)):
        start = begin + MINUTE * chance.randrange(WATCHED)
        found.append(Period(start, start + MINUTE * chance.choice([1, 10, 30, 60, 240])))
    return found


def agenda(chance: Random, clock: Clock, zone: str, day: date) -> Agenda:
    rules = call_rules(chance)
    calls = [HeldCall(p.start + rules.before, p, chance.random() < 0.7) for p in periods(chance, clock.begin, 4)]
    known = Period(clock.begin, clock.begin + MINUTE * chance.choice([WATCHED, WATCHED, 2000, 3333]))
    return Agenda(
        now=clock.begin + MINUTE * chance.randrange(60, 2200),
        zone=ZoneInfo(zone),
        timetable=timetable(chance, day),
        holidays=frozenset(day + DAY * offset for offset in range(-1, 4) if chance.random() < 0.1),
        rules=rules,
        busy=Timeline.of(periods(chance, clock.begin, 12)),
        known=known if chance.random() < 0.97 else None,
        held=tuple(calls),
        notice_in_working_time=chance.random() < 0.7,
    )


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_the_rules_agree_with_a_walk_through_every_minute(zone: str, day: date) -> None:
    clock, chance = clock_of(zone, day), Random(f"{zone} {day}")
    window = Period(clock.begin, clock.begin + 3 * DAY)
    offered = 0
    for _ in range(CASES_EACH):
        scene = agenda(chance, clock, zone, day)
        expected = {start for start in starts(scene, clock) if start < window.end}
        assert free_slots(scene, window) == sorted(expected), scene
        asked = {clock.begin + MINUTE * chance.randrange(3 * 1440) for _ in range(5)}
        for start in asked | set(chance.sample(sorted(expected), min(3, len(expected)))):
            assert (why_not(scene, start) is None) == (start in expected), (start, scene)
        offered += len(expected)
    assert offered > 10 * CASES_EACH, "cases in which nothing is free test nothing"
