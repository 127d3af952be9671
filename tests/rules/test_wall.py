"""Wall time becomes UTC in one place, on days when the clock changes too."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.wall import LocalDay, local_date, local_days

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
ZONES = (
    "Africa/Cairo",  # changes at midnight
    "Africa/Casablanca",  # puts the clock back for Ramadan
    "America/Havana",  # repeats the hour after midnight
    "America/St_Johns",
    "America/Santiago",  # repeats the hour before midnight
    "America/Vancouver",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # changes by half an hour
    "Europe/Berlin",
    "Europe/Dublin",  # has its winter as the exception
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "UTC",
)


def one_day(zone: ZoneInfo, day: date) -> LocalDay:
    (found,) = local_days(zone, day, day)
    return found


def utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def at(day: LocalDay, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return utc(day.edge(hour * 60 + minute))


def hours_of(start: str, end: str, day: date) -> list[str]:
    first, last = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (start, end))
    return [f"{utc(moment):%H:%M}" for moment in one_day(BERLIN, day).starts(first, last, 30)]


def test_on_a_plain_day_an_edge_is_the_wall_time() -> None:
    day = one_day(BERLIN, date(2026, 7, 1))
    assert at(day, "09:30") == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert at(day, "24:00") == datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert day.repeated() is None


def test_an_edge_in_the_gap_becomes_the_moment_of_the_change() -> None:
    day = one_day(BERLIN, SPRING)
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [at(day, clock) for clock in ("02:00", "02:30", "03:00")] == [change] * 3
    assert at(day, "01:59") == change - timedelta(minutes=1)
    assert at(day, "03:01") == change + timedelta(minutes=1)


def test_an_edge_in_the_repeated_hour_is_the_first_of_the_two() -> None:
    day = one_day(BERLIN, AUTUMN)
    assert at(day, "02:00") == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert at(day, "02:59") == datetime(2026, 10, 25, 0, 59, tzinfo=UTC)
    assert at(day, "03:00") == datetime(2026, 10, 25, 2, tzinfo=UTC)


def test_no_call_starts_at_a_wall_time_that_does_not_exist() -> None:
    assert hours_of("01:00", "04:00", SPRING) == ["00:00", "00:30", "01:00", "01:30"]


def test_no_call_starts_at_a_wall_time_that_exists_twice() -> None:
    assert hours_of("01:00", "04:00", AUTUMN) == ["23:00", "23:30", "02:00", "02:30"]


def test_the_grid_stays_on_the_wall_clock_after_a_change_of_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    starts = one_day(zone, date(2026, 10, 4)).starts(0, 300, 60)
    assert [f"{utc(start).astimezone(zone):%H:%M}" for start in starts] == ["00:00", "01:00", "03:00", "04:00"]


def test_the_repeated_hour_is_known_with_both_its_passes() -> None:
    repeated = one_day(BERLIN, AUTUMN).repeated()
    assert repeated is not None
    assert [utc(moment).hour for moment in repeated] == [0, 2]
    assert one_day(BERLIN, SPRING).repeated() is None


def test_a_day_that_a_country_skipped_has_no_length() -> None:
    """Samoa crossed the date line: its 30 December 2011 never was."""
    apia = ZoneInfo("Pacific/Apia")
    before, skipped, after = local_days(apia, date(2011, 12, 29), date(2011, 12, 31))
    assert skipped.whole() == (before.whole()[1], after.whole()[0])
    assert skipped.edge(0) == skipped.edge(1440)
    assert list(skipped.starts(0, 1440, 60)) == []
    assert len(before.starts(0, 1440, 60)) == len(after.starts(0, 1440, 60)) == 24


def test_the_date_of_a_moment_is_the_one_on_the_owners_wall() -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
    assert local_date(ZoneInfo("Pacific/Auckland"), moment) == date(2026, 7, 2)
    assert local_date(ZoneInfo("America/Vancouver"), moment) == date(2026, 7, 1)


@given(st.sampled_from(ZONES), st.dates(date(2005, 1, 1), date(2037, 12, 31)))
def test_days_follow_each_other_without_a_gap_or_an_overlap(name: str, first: date) -> None:
    days = list(local_days(ZoneInfo(name), first, first + timedelta(days=2)))
    assert [day.date for day in days] == [first, first + timedelta(days=1), first + timedelta(days=2)]
    assert all(day.whole()[1] == following.whole()[0] for day, following in pairwise(days))


def changes(name: str) -> list[date]:
    """List the days of some years on which a zone changes its clock; Newfoundland's changed at 00:01 until 2011."""
    zone = ZoneInfo(name)
    noons = [
        datetime(year, 1, 2, 12, tzinfo=zone) + timedelta(days) for year in (2010, 2026, 2027) for days in range(364)
    ]
    found = [noon.date() for noon in noons if noon.utcoffset() != (noon - timedelta(1)).utcoffset()]
    return [*found, date(2011, 12, 30)]


@pytest.mark.parametrize("name", ZONES)
def test_around_every_change_of_the_clock_the_starts_are_the_wall_times_that_exist_once(name: str) -> None:
    zone = ZoneInfo(name)
    for change in changes(name):
        for day in local_days(zone, change - timedelta(1), change + timedelta(1)):
            starts = [utc(moment) for moment in day.starts(0, 1440, 10)]
            assert starts == once_a_day(zone, day.date)


def once_a_day(zone: ZoneInfo, day: date) -> list[datetime]:
    """Walk through UTC and note the moments of each tenth minute that the wall clock shows once on this day."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    shown: dict[datetime, list[datetime]] = {}
    for number in range(12 * 54):
        moment = begin + timedelta(minutes=5 * number)
        shown.setdefault(moment.astimezone(zone).replace(tzinfo=None, fold=0), []).append(moment)
    return [met[0] for wall, met in shown.items() if wall.date() == day and wall.minute % 10 == 0 and len(met) == 1]
