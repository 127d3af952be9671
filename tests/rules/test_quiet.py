"""Quiet time: notice counts at work, and nobody hears of anything before work begins."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.quiet import answer_by, earliest_start, notice_time
from tests.rules.scenes import BERLIN, MONDAY, local, week

OFFICE = week("mon-fri 09:00-12:00 13:00-17:00")
NEVER = Timetable()
HALF_HOUR = timedelta(minutes=30)


def earliest(
    now: str,
    hours: float,
    timetable: Timetable = OFFICE,
    *,
    holidays: tuple[date, ...] = (),
    at_work: bool = True,
    limit_days: int = 30,
) -> datetime | None:
    limit = MONDAY + timedelta(days=limit_days)
    return earliest_start(local(now), timedelta(hours=hours), timetable, BERLIN, holidays, at_work, limit)


@pytest.mark.parametrize(
    ("now", "hours", "first"),
    [
        ("23:00", 2, "1 11:00"),  # what is booked at night never stands at nine
        ("09:00", 2, "11:00"),
        ("09:30", 2, "11:30"),
        ("11:00", 2, "14:00"),  # over lunch
        ("16:00", 2, "1 10:00"),  # over night
        ("4 16:00", 2, "7 10:00"),  # over the weekend
        ("12:30", 1, "14:00"),
        ("15:00", 2, "17:00"),  # used up as work ends
        ("09:00", 15, "2 10:00"),
    ],
)
def test_notice_passes_only_in_business_hours(now: str, hours: float, first: str) -> None:
    assert earliest(now, hours) == local(first)


def test_notice_outside_of_working_time_passes_all_the_time() -> None:
    assert earliest("23:00", 2, at_work=False) == local("1 01:00")


@pytest.mark.parametrize("at_work", [True, False])
def test_without_notice_a_call_may_begin_now(at_work: bool) -> None:
    assert earliest("23:00", 0, at_work=at_work) == local("23:00")


def test_notice_does_not_pass_in_an_absence() -> None:
    away = Timetable(OFFICE.weekly, absences=(Absence(date(2026, 11, 17), date(2026, 11, 18)),))
    assert earliest("16:00", 2, away) == local("3 10:00")


def test_notice_does_not_pass_on_a_holiday() -> None:
    assert earliest("16:00", 2, holidays=(date(2026, 11, 17),)) == local("2 10:00")


def test_notice_that_the_working_time_until_the_limit_is_too_short_for_leaves_no_time() -> None:
    assert earliest("09:00", 8, limit_days=0) is None
    assert earliest("09:00", 7, limit_days=0) == local("17:00")
    assert earliest("09:00", 1, NEVER) is None


def test_parts_of_a_minute_count_too() -> None:
    now = local("11:59") + timedelta(seconds=20, microseconds=5)
    first = earliest_start(now, timedelta(minutes=1), OFFICE, BERLIN, (), True, MONDAY)
    assert first == local("13:00") + timedelta(seconds=20, microseconds=5)


def hears(now: str, timetable: Timetable = OFFICE, holidays: tuple[date, ...] = ()) -> datetime:
    return notice_time(local(now), timetable, BERLIN, holidays, HALF_HOUR)


@pytest.mark.parametrize(
    ("now", "heard"),
    [
        ("09:00", "09:00"),
        ("16:59", "16:59"),
        ("17:00", "1 08:30"),
        ("23:00", "1 08:30"),
        ("07:00", "08:30"),
        ("08:45", "08:45"),  # the morning mail has gone out already
        ("12:00", "12:30"),
        ("12:45", "12:45"),
        ("4 18:00", "7 08:30"),
    ],
)
def test_in_business_hours_the_owner_hears_at_once_else_shortly_before_they_begin(now: str, heard: str) -> None:
    assert hears(now) == local(heard)


def test_nothing_is_heard_on_holidays_and_in_absences() -> None:
    away = Timetable(OFFICE.weekly, absences=(Absence(MONDAY, date(2026, 11, 17)),))
    assert hears("10:00", away, (date(2026, 11, 18),)) == local("3 08:30")


def test_windows_that_touch_leave_no_quiet_time_between_them() -> None:
    assert hears("12:00", week("mon 09:00-12:00 12:00-17:00")) == local("12:00")


def test_an_owner_who_keeps_no_hours_hears_at_once() -> None:
    assert hears("23:00", NEVER) == local("23:00")


def test_an_owner_hears_before_work_begins_on_the_day_the_clock_changes() -> None:
    sunday = date(2026, 3, 29)
    now = local("00:30", day=sunday)
    timetable = Timetable(parse_weekly("sun 03:15-05:00"))
    assert notice_time(now, timetable, BERLIN, (), HALF_HOUR) == local("01:45", day=sunday)


@pytest.mark.parametrize(
    ("now", "starts", "answer"),
    [
        ("10:00", "3 10:00", "17:00"),  # the end of today
        ("16:30", "3 10:00", "1 17:00"),  # too little is left of today
        ("20:00", "3 10:00", "1 17:00"),
        ("10:00", "15:00", "14:00"),  # an hour before the wished time
        ("20:00", "1 09:00", "1 08:00"),
        ("4 18:00", "8 10:00", "7 17:00"),  # over the weekend
        ("10:00", "11:00", "10:30"),  # half of what is left
        ("09:00", "10:31", "09:31"),
    ],
)
def test_a_request_is_answered_by_the_end_of_a_business_day_but_in_time(now: str, starts: str, answer: str) -> None:
    assert answer_by(local(now), local(starts), OFFICE, BERLIN, ()) == local(answer)


def test_an_owner_without_hours_still_answers_an_hour_before() -> None:
    assert answer_by(local("10:00"), local("15:00"), NEVER, BERLIN, ()) == local("14:00")


@given(st.integers(0, 14 * 24 * 60), st.integers(1, 60 * 24 * 60))
def test_an_answer_always_comes_between_now_and_the_wished_time(begin: int, ahead: int) -> None:
    now = local("00:00") + timedelta(minutes=begin)
    starts_at = now + timedelta(minutes=ahead)
    assert now < answer_by(now, starts_at, OFFICE, BERLIN, ()) < starts_at
