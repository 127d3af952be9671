"""The glide path of absences: which are told, when one runs on into the next, and the moments they begin and end."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.rules import glide
from booking.rules.hours import Absence, Timetable, parse_weekly

TODAY = date(2026, 11, 23)
"""A Monday."""
NO_HOLIDAYS: frozenset[date] = frozenset()


def table(*absences: Absence) -> Timetable:
    return Timetable(weekly=parse_weekly("mon-fri 09:00-17:00"), absences=absences)


def absence(first: int, last: int) -> Absence:
    """From one day of December to another."""
    return Absence(date(2026, 12, first), date(2026, 12, last))


def told(*absences: Absence) -> list[tuple[int, int | None, bool, bool]]:
    found = glide.coming(table(*absences), TODAY, NO_HOLIDAYS)
    back = [each.back.day if each.back else None for each in found]
    return [(each.absence.first.day, day, each.runs_on, each.follows) for each, day in zip(found, back, strict=True)]


def test_an_absence_is_told_from_two_weeks_before_until_it_is_over() -> None:
    assert told(absence(7, 9)) == [(7, 10, False, False)]
    assert told(absence(8, 9)) == []
    over = Absence(TODAY - timedelta(days=3), TODAY - timedelta(days=1))
    on = Absence(TODAY - timedelta(days=3), TODAY)
    assert glide.coming(table(over), TODAY, NO_HOLIDAYS) == []
    assert [each.back for each in glide.coming(table(on), TODAY, NO_HOLIDAYS)] == [date(2026, 11, 24)]


def test_two_absences_with_a_working_day_between_are_two() -> None:
    assert told(absence(1, 2), absence(4, 4)) == [(1, 3, False, False), (4, 7, False, False)]


def test_an_absence_runs_on_where_no_working_day_lies_before_the_next() -> None:
    """Friday, the weekend, Monday: the owner is back on Tuesday."""
    assert told(absence(4, 4), absence(7, 7)) == [(4, 8, True, False), (7, 8, False, True)]


def test_an_absence_that_follows_at_once_is_told_though_it_is_far_off() -> None:
    assert told(absence(7, 18), absence(21, 24)) == [(7, 25, True, False), (21, 25, False, True)]
    assert told(absence(7, 17), absence(21, 24)) == [(7, 18, False, False)]


def test_one_absence_knows_its_neighbours() -> None:
    timetable = table(absence(4, 4), absence(7, 7))
    assert glide.of(timetable, absence(4, 4), NO_HOLIDAYS).runs_on
    second = glide.of(timetable, absence(7, 7), NO_HOLIDAYS)
    assert (second.follows, second.runs_on, second.back) == (True, False, date(2026, 12, 8))


def test_a_public_holiday_is_no_day_to_be_back_on() -> None:
    found = glide.of(table(absence(22, 24)), absence(22, 24), {date(2026, 12, 25)})
    assert found.back == date(2026, 12, 28)


def test_whoever_keeps_no_hours_is_never_back() -> None:
    assert glide.of(Timetable(), absence(1, 2), NO_HOLIDAYS).back is None


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", "2026-03-29T22:00"),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00", "2026-09-07T03:00"),
    ],
    ids=["25 hours", "23 hours", "no midnight"],
)
def test_an_absence_begins_and_ends_at_the_owner_s_midnights(zone: str, day: date, begins: str, ends: str) -> None:
    one = Absence(day, day)
    assert glide.begins(one, ZoneInfo(zone)) == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert glide.ends(one, ZoneInfo(zone)) == datetime.fromisoformat(ends).replace(tzinfo=UTC)


def test_times_around_an_absence_touch_it_at_most() -> None:
    zone = ZoneInfo("Europe/Berlin")
    midnight, next_midnight = glide.begins(absence(1, 1), zone), glide.ends(absence(1, 1), zone)
    hour = timedelta(hours=1)
    free = [midnight - 2 * hour, midnight - hour, midnight, next_midnight - hour, next_midnight, next_midnight + hour]
    assert glide.last_before(absence(1, 1), zone, free, 1) == [midnight - hour]
    assert glide.last_before(absence(1, 1), zone, free, 9) == free[:2]
    assert glide.first_after(absence(1, 1), zone, free) == [next_midnight]
    assert glide.first_after(absence(1, 1), zone, free[:4]) == []
