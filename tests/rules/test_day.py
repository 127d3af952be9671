"""A day laid out: nothing free overlaps anything, and nothing of the business hours is lost."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.day import HeldStretch, Kind, lay_out
from booking.rules.period import Period

DAY = datetime(2026, 11, 24, tzinfo=UTC)
WINDOW = Period(DAY, DAY + timedelta(days=1))
MINUTES = st.integers(0, 1440)


def period(start: int, end: int) -> Period:
    return Period(DAY + timedelta(minutes=start), DAY + timedelta(minutes=end))


periods = st.tuples(MINUTES, MINUTES).map(lambda edges: period(min(edges), max(edges)))


def call(start: int, end: int, before: int = 0, after: int = 0) -> HeldStretch:
    return HeldStretch(period(start, end), period(start - before, end + after))


def test_calls_come_with_their_buffers_and_the_rest_of_the_hours_is_free() -> None:
    stretches = lay_out(WINDOW, [call(600, 630, 5, 10)], [period(700, 760)], [period(540, 720)])
    assert [(each.kind, each.period) for each in stretches] == [
        (Kind.FREE, period(540, 595)),
        (Kind.BUFFER, period(595, 600)),
        (Kind.CALL, period(600, 630)),
        (Kind.BUFFER, period(630, 640)),
        (Kind.FREE, period(640, 700)),
        (Kind.BUSY, period(700, 760)),
    ]


def test_an_event_of_the_day_before_that_goes_on_is_shown() -> None:
    stretches = lay_out(WINDOW, [], [period(-60, 30), period(-60, 0)], [])
    assert [each.period for each in stretches] == [period(-60, 30)]


@given(st.lists(periods, max_size=6), st.lists(periods, max_size=3), st.lists(periods, max_size=4))
def test_nothing_free_overlaps_anything_and_all_hours_are_covered(
    busy: list[Period], calls: list[Period], hours: list[Period]
) -> None:
    stretches = lay_out(WINDOW, [HeldStretch(each, each) for each in calls], busy, hours)
    free = [each.period for each in stretches if each.kind is Kind.FREE]
    taken = [each for each in (*busy, *calls) if each.start < each.end]
    assert not any(one.overlaps(other) for one in free for other in taken)
    for hour in hours:
        minute = hour.start
        while minute < hour.end:
            here = Period(minute, minute + timedelta(minutes=1))
            assert any(here.overlaps(each) for each in (*free, *taken))
            minute += timedelta(minutes=17)
