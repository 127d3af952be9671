"""The slot function against the simplest merge-and-sweep on plain integers."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from benchmarks.table import Line, compare
from booking.rules.hours import Timetable, parse_weekly
from booking.rules.period import Period, Timeline
from booking.rules.slots import Agenda, CallRules, free_slots

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
DAYS, STEP, LENGTH, PERIODS, AT_MOST = 60, 1800, 1800, 5000, 3.0
Spans = list[tuple[int, int]]


def measure(*, rounds: int) -> Iterator[Line]:
    """Measure 60 days of half-hour steps, all day long, with 5,000 busy periods; both merge them first."""
    chance, first = Random(1), int(NOW.timestamp())
    starts = [first + chance.randrange(DAYS * 86400 // 60) * 60 for _ in range(PERIODS)]
    spans = [(start, start + 300) for start in starts]
    mine: list[float] = []
    theirs: list[float] = []
    alone: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        expected = _sweep(spans, first)
        theirs.append(time.perf_counter() - began)
        began = time.perf_counter()
        busy = Timeline.of_spans(sorted(spans))
        merged = time.perf_counter()
        found = free_slots(_agenda(busy), Period(NOW, NOW + timedelta(days=DAYS)))
        ended = time.perf_counter()
        mine.append(ended - began)
        alone.append(ended - merged)
        if [int(start.timestamp()) for start in found] != expected:
            raise SystemExit("the two disagree")
    what = f"free_slots, {DAYS} days of half-hour steps, {PERIODS:,} busy periods"
    yield compare(what, mine, "plain integers", theirs, AT_MOST)
    yield compare(f"{what}, merged beforehand as on a page", alone, "plain integers, merging", theirs, AT_MOST)


def _sweep(spans: Spans, first: int) -> list[int]:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    free, index = [], 0
    for start in range(first, first + DAYS * 86400, STEP):
        while index < len(merged) and merged[index][1] <= start:
            index += 1
        if index == len(merged) or merged[index][0] >= start + LENGTH:
            free.append(start)
    return free


def _agenda(busy: Timeline) -> Agenda:
    none = timedelta()
    return Agenda(
        now=NOW,
        zone=ZoneInfo("UTC"),
        timetable=Timetable(weekly=parse_weekly("mon-sun 00:00-24:00")),
        holidays=frozenset(),
        rules=CallRules(timedelta(seconds=LENGTH), none, none, none, DAYS - 1, timedelta(seconds=STEP)),
        busy=busy,
        known=Period(NOW - timedelta(days=1), NOW + timedelta(days=DAYS + 10)),
    )
