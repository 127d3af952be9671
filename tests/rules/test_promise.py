"""An answer is promised for a moment of work, before the wish; what can't be promised is not taken."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.hours import Absence, Timetable, open_periods, parse_weekly
from booking.rules.period import Period
from booking.rules.promise import BEFORE_THE_WISH, TIME_TO_ANSWER, last_morning, promise

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = parse_weekly("mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00")
USUAL = Timetable(WEEK)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def asked(now: datetime, wish: datetime, timetable: Timetable = USUAL) -> datetime | None:
    return promise(now, wish, timetable, BERLIN, frozenset())


@pytest.mark.parametrize(
    ("now", "wish", "answer"),
    [
        pytest.param(at(23, 10), at(26, 18), at(24, 17), id="Monday at work: Tuesday's end"),
        pytest.param(at(23, 22), at(26, 18), at(24, 17), id="Monday night: Tuesday's end"),
        pytest.param(at(23, 7), at(26, 18), at(23, 17), id="Monday before work: today's end"),
        pytest.param(at(28, 12), at(30, 18), at(30, 16), id="Saturday for Monday evening: two hours before it"),
        pytest.param(at(23, 10), at(24, 8), at(23, 17), id="for tomorrow before work: today's end"),
        pytest.param(at(23, 10), at(23, 18), at(23, 16), id="for tonight, asked in the morning: two hours before it"),
        pytest.param(at(23, 10), at(23, 14, 30), at(23, 12), id="between two windows: the end of the one before"),
        pytest.param(at(23, 16, 30), at(23, 19), None, id="half an hour of work is not enough"),
        pytest.param(at(23, 18), at(24, 8), None, id="asked in the evening for the next morning before work"),
        pytest.param(at(23, 22), at(24, 11, 59), None, id="less than an hour of work, two hours before the wish"),
        pytest.param(at(23, 22), at(24, 12), at(24, 10), id="an hour of work, two hours before the wish"),
        pytest.param(at(28, 12), at(29, 12), None, id="on Saturday for Sunday"),
    ],
)
def test_the_answer_comes_by_the_end_of_the_next_business_day_and_well_before_the_wish(
    now: datetime, wish: datetime, answer: datetime | None
) -> None:
    assert asked(now, wish) == answer


def test_no_answer_is_promised_within_an_absence() -> None:
    away = Timetable(WEEK, absences=(Absence(date(2026, 11, 24), date(2026, 12, 4)),))
    assert asked(at(23, 10), at(26, 18), away) == at(23, 17)
    assert asked(at(25, 10), at(3, 18, month=12), away) is None
    assert asked(at(25, 10), at(8, 18, month=12), away) == at(7, 17, month=12)


def test_who_keeps_no_hours_promises_nothing() -> None:
    assert asked(at(23, 10), at(30, 10), Timetable()) is None


def test_the_last_morning_is_that_of_the_last_business_day_before_the_deadline() -> None:
    assert last_morning(at(24, 17), USUAL, BERLIN, frozenset()) == at(24, 9)
    assert last_morning(at(29, 12), USUAL, BERLIN, frozenset()) == at(27, 9)
    assert last_morning(at(24, 9), USUAL, BERLIN, frozenset()) == at(23, 9)
    assert last_morning(at(24, 9), Timetable(), BERLIN, frozenset()) is None


STAMPS = st.integers(int(at(1, 0, month=1).timestamp()), int(at(1, 0, month=12).timestamp()))
moments = STAMPS.map(lambda stamp: datetime.fromtimestamp(stamp, UTC))
absences = st.builds(
    lambda first, days: Absence(first, first + timedelta(days=days)),
    st.dates(date(2026, 1, 1), date(2027, 6, 1)),
    st.integers(0, 40),
)


@given(
    moments,
    st.timedeltas(timedelta(), timedelta(days=60)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Auckland"]),
    st.lists(absences, max_size=3),
)
def test_every_promise_is_a_moment_of_work_with_an_hour_of_work_before_it(
    now: datetime, ahead: timedelta, zone_name: str, away: list[Absence]
) -> None:
    zone, timetable, wish = ZoneInfo(zone_name), Timetable(WEEK, absences=tuple(sorted(away))), now + ahead
    answer = promise(now, wish, timetable, zone, frozenset())
    hours = open_periods(timetable, zone, frozenset(), now.astimezone(zone).date(), wish.astimezone(zone).date())
    until = answer or wish - BEFORE_THE_WISH
    worked = sum((_left(hour, now, until) for hour in hours), timedelta())
    if answer is None:
        assert worked < TIME_TO_ANSWER
    else:
        assert now < answer <= wish - BEFORE_THE_WISH
        assert any(hour.start < answer <= hour.end for hour in hours)
        assert worked >= TIME_TO_ANSWER


def _left(hour: Period, start: datetime, end: datetime) -> timedelta:
    return max(min(hour.end, end) - max(hour.start, start), timedelta())
