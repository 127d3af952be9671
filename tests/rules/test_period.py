"""Periods are half-open; a timeline is the union of many."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.period import Period, Timeline

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def minutes(start: int, end: int) -> Period:
    return Period(START + timedelta(minutes=start), START + timedelta(minutes=end))


def seconds(start: int, end: int) -> Period:
    return Period(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def merged(spans: list[tuple[int, int]]) -> Timeline:
    return Timeline.of(seconds(*pair) for pair in spans)


def test_periods_that_only_touch_do_not_overlap() -> None:
    assert not minutes(0, 30).overlaps(minutes(30, 60))
    assert not minutes(30, 60).overlaps(minutes(0, 30))


def test_periods_that_share_a_minute_overlap() -> None:
    assert minutes(0, 31).overlaps(minutes(30, 60))
    assert minutes(30, 60).overlaps(minutes(0, 31))


def test_buffers_widen_a_period_on_their_own_sides() -> None:
    assert minutes(10, 20).padded(timedelta(minutes=5), timedelta(minutes=7)) == minutes(5, 27)


def test_a_period_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        minutes(30, 0)


@pytest.mark.parametrize("naive", ["start", "end"])
def test_a_period_takes_no_time_without_a_zone(naive: str) -> None:
    moments = {"start": START, "end": START}
    moments[naive] = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        Period(**moments)


def test_periods_in_any_order_become_sorted_and_disjoint() -> None:
    line = Timeline.of([minutes(60, 90), minutes(0, 30), minutes(20, 40), minutes(40, 50), minutes(65, 70)])
    assert line.periods() == [minutes(0, 50), minutes(60, 90)]
    assert len(line) == 2


def test_a_period_without_length_blocks_nothing() -> None:
    assert len(Timeline.of([minutes(10, 10)])) == 0


def test_parts_of_a_second_are_rounded_so_that_more_is_busy() -> None:
    half = timedelta(milliseconds=500)
    assert Timeline.of([Period(START + half, START + 2 * half + half)]).periods() == [
        Period(START, START + timedelta(seconds=2))
    ]


def test_a_packed_timeline_is_the_same_when_it_is_unpacked() -> None:
    line = Timeline.of([minutes(0, 30), minutes(60, 90)])
    assert Timeline.unpack(line.pack()) == line
    assert list(line.edges) == [edge for pair in line.spans() for edge in pair]


def test_equal_timelines_have_equal_hashes_and_are_no_other_thing() -> None:
    assert hash(merged([(0, 5), (3, 9)])) == hash(merged([(0, 9)]))
    assert merged([(0, 9)]) != [0, 9]


def test_clipping_keeps_whole_periods_that_overlap_and_no_others() -> None:
    line = merged([(0, 10), (20, 30), (40, 50)])
    assert line.clipped(10, 40) == merged([(20, 30)])
    assert line.clipped(9, 41) == line
    assert line.clipped(30, 40) == merged([])


@given(SPANS, SPANS)
def test_a_union_is_busy_where_any_of_its_parts_is(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert merged(one).union([merged(other)]) == merged(one + other)


@given(SPANS, st.integers(0, 80), st.integers(1, 20))
def test_a_span_is_free_where_no_second_of_it_is_busy(spans: list[tuple[int, int]], start: int, length: int) -> None:
    taken = {second for begin, end in spans for second in range(begin, end)}
    assert merged(spans).is_free(start, start + length) == taken.isdisjoint(range(start, start + length))


@given(SPANS, st.sets(st.integers(0, 80)), st.integers(0, 9), st.integers(1, 20))
def test_many_starts_are_kept_as_each_alone_would_be(
    spans: list[tuple[int, int]], starts: set[int], before: int, after: int
) -> None:
    taken = {second for begin, end in spans for second in range(begin, end)}
    kept = [start for start in sorted(starts) if taken.isdisjoint(range(start - before, start + after))]
    assert list(merged(spans).free_starts(sorted(starts), before=before, after=after)) == kept


@given(SPANS, st.integers(0, 80))
def test_an_inverted_timeline_is_busy_exactly_where_the_other_is_free(spans: list[tuple[int, int]], at: int) -> None:
    line = merged(spans)
    assert line.inverted().is_free(at, at + 1) != line.is_free(at, at + 1)
