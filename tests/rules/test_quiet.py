"""Quiet time: notice counts at work, and nobody hears of anything before work begins."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.quiet import (
    Morning,
    Notice,
    WorkingTime,
    answer_by,
    earliest_start,
    is_quiet,
    leaves_at,
    next_morning,
    next_opening,
)
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


def at_work(timetable: Timetable = OFFICE, holidays: tuple[date, ...] = ()) -> WorkingTime:
    return WorkingTime(timetable, BERLIN, holidays, HALF_HOUR)


def leaves(now: str, work: WorkingTime | None = None, *begins: str) -> datetime:
    return leaves_at(Notice(begins=tuple(map(local, begins))), local(now), work or at_work())


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("09:00", "09:00"),
        ("16:59", "16:59"),
        ("17:00", "1 09:00"),
        ("23:00", "1 09:00"),
        ("07:00", "09:00"),
        ("08:40", "09:00"),  # the morning mail has gone out already
        ("12:00", "13:00"),  # the midday gap
        ("12:45", "13:00"),
        ("4 18:00", "7 09:00"),
    ],
)
def test_a_notice_leaves_at_once_in_business_hours_else_when_they_begin(now: str, left: str) -> None:
    assert leaves(now) == local(left)


@pytest.mark.parametrize(
    ("now", "begins", "left"),
    [
        ("07:00", "08:00", "07:00"),  # before the owner would hear of it
        ("07:00", "08:30", "07:00"),  # as the morning mail comes: too late
        ("07:00", "08:45", "09:00"),  # the morning mail tells it in time
        ("08:35", "08:45", "08:35"),  # the morning mail has gone out already
        ("12:10", "12:30", "12:10"),
        ("12:10", "13:00", "12:10"),
        ("12:10", "13:15", "13:00"),
        ("20:00", "1 08:00", "20:00"),
        ("20:00", "1 10:00", "1 09:00"),
        ("20:00", "19:00", "1 09:00"),  # what is past disturbs nobody
    ],
)
def test_what_is_about_a_call_that_begins_before_the_owner_would_hear_of_it_leaves_at_once(
    now: str, begins: str, left: str
) -> None:
    assert leaves(now, None, begins) == local(left)


def test_of_two_times_the_nearer_one_counts() -> None:
    assert leaves("20:00", None, "3 10:00", "21:00") == local("20:00")


def test_what_was_asked_for_leaves_at_any_moment() -> None:
    assert leaves_at(Notice(is_asked_for=True), local("23:00"), at_work()) == local("23:00")


def test_nothing_leaves_on_holidays_and_in_absences() -> None:
    away = Timetable(OFFICE.weekly, absences=(Absence(MONDAY, date(2026, 11, 17)),))
    assert leaves("10:00", at_work(away, (date(2026, 11, 18),))) == local("3 09:00")


def test_a_long_absence_is_no_reason_to_disturb() -> None:
    away = Timetable(OFFICE.weekly, absences=(Absence(MONDAY, date(2028, 11, 19)),))
    assert leaves("10:00", at_work(away)) == local("09:00", day=date(2028, 11, 20))


def test_windows_that_touch_leave_no_quiet_time_between_them() -> None:
    assert leaves("12:00", at_work(week("mon 09:00-12:00 12:00-17:00"))) == local("12:00")


def test_an_owner_who_keeps_no_hours_hears_at_once_and_has_no_quiet_time() -> None:
    never = at_work(NEVER)
    assert leaves("23:00", never) == local("23:00")
    assert next_opening(local("23:00"), never) is None
    assert not is_quiet(local("23:00"), never)
    assert next_morning(local("23:00"), never, MONDAY) is None


def test_quiet_time_is_all_that_lies_outside_of_business_hours() -> None:
    quiet = {clock: is_quiet(local(clock), at_work()) for clock in ("08:59", "09:00", "12:00", "13:00", "17:00")}
    assert quiet == {"08:59": True, "09:00": False, "12:00": True, "13:00": False, "17:00": True}


TUESDAY = date(2026, 11, 17)


@pytest.mark.parametrize(
    ("now", "told", "day", "at"),
    [
        ("20:00", MONDAY, TUESDAY, "1 08:30"),
        ("1 08:30", MONDAY, TUESDAY, "1 08:30"),
        ("1 08:50", MONDAY, TUESDAY, "1 08:50"),  # late, but before opening
        ("1 10:00", MONDAY, TUESDAY, "1 10:00"),  # nothing ran: late, in business hours
        ("1 12:10", MONDAY, TUESDAY, "1 13:00"),  # late, but not in the midday gap
        ("1 17:00", MONDAY, date(2026, 11, 18), "2 08:30"),  # too late for that day
        ("1 08:30", TUESDAY, date(2026, 11, 18), "2 08:30"),
        ("4 18:00", date(2026, 11, 20), date(2026, 11, 23), "7 08:30"),
    ],
)
def test_every_business_day_has_one_morning_mail_half_an_hour_before_it_opens(
    now: str, told: date, day: date, at: str
) -> None:
    assert next_morning(local(now), at_work(), told) == Morning(day, local(at))


def test_an_absence_of_two_weeks_has_one_morning_mail_after_it() -> None:
    away = at_work(Timetable(OFFICE.weekly, absences=(Absence(TUESDAY, date(2026, 11, 30)),)))
    assert next_morning(local("20:00"), away, MONDAY) == Morning(date(2026, 12, 1), local("15 08:30"))


def test_a_morning_mail_leaves_from_its_moment_on_and_in_business_hours_only() -> None:
    notice = Notice(morning_of=TUESDAY)
    left = {now: leaves_at(notice, local(now), at_work()) for now in ("1 08:30", "1 08:50", "1 11:00", "1 12:30")}
    assert left == {"1 08:30": local("1 08:30"), "1 08:50": local("1 08:50"), "1 11:00": local("1 11:00")} | {
        "1 12:30": local("1 13:00")
    }
    assert leaves_at(notice, local("1 20:00"), at_work()) == local("2 09:00")
    assert leaves_at(notice, local("2 08:30"), at_work()) == local("2 09:00")  # that morning has a mail of its own


def test_the_morning_mail_comes_before_work_begins_on_the_day_the_clock_changes() -> None:
    sunday = date(2026, 3, 29)
    work = at_work(Timetable(parse_weekly("sun 03:15-05:00")))
    now = local("00:30", day=sunday)
    assert next_morning(now, work, sunday - timedelta(days=1)) == Morning(sunday, local("01:45", day=sunday))


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
