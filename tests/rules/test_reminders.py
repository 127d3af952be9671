"""Reminders: never at night, never just after booking, never two at one moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.reminders import NIGHT_BEGINS, NIGHT_ENDS, next_night, reminder_times

BERLIN = ZoneInfo("Europe/Berlin")
DAY_AND_HOUR = (timedelta(days=1), timedelta(hours=1))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


def test_a_client_is_reminded_a_day_and_an_hour_before() -> None:
    assert reminder_times(berlin(24, 9, 30), DAY_AND_HOUR, BERLIN, LONG_AGO) == [berlin(23, 9, 30), berlin(24, 8, 30)]


def test_what_would_come_at_night_comes_the_evening_before() -> None:
    assert reminder_times(berlin(24, 7, 30), DAY_AND_HOUR, BERLIN, LONG_AGO) == [berlin(23, 7, 30), berlin(23, 20)]
    assert reminder_times(berlin(24, 23), DAY_AND_HOUR, BERLIN, LONG_AGO) == [berlin(23, 20), berlin(24, 20)]


def test_the_night_is_the_client_s_own() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    (moment,) = reminder_times(berlin(24, 17), (timedelta(hours=1),), tokyo, LONG_AGO)
    assert moment == datetime(2026, 11, 24, 20, 0, tzinfo=tokyo)


def test_two_reminders_that_meet_are_one() -> None:
    early = (timedelta(hours=2), timedelta(hours=1))
    assert reminder_times(berlin(24, 7, 30), early, BERLIN, LONG_AGO) == [berlin(23, 20)]


def test_nobody_is_reminded_of_what_was_arranged_within_the_hour() -> None:
    assert reminder_times(berlin(24, 12), DAY_AND_HOUR, BERLIN, berlin(24, 10, 1)) == []
    assert reminder_times(berlin(24, 12), DAY_AND_HOUR, BERLIN, berlin(24, 10)) == [berlin(24, 11)]


def test_without_a_wish_there_is_no_reminder() -> None:
    assert reminder_times(berlin(24, 12), (), BERLIN, LONG_AGO) == []


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: LONG_AGO + timedelta(minutes=minutes)),
    st.lists(st.integers(1, 20_000).map(lambda minutes: timedelta(minutes=minutes)), max_size=4),
    st.sampled_from(["Europe/Berlin", "Pacific/Auckland", "America/Vancouver", "Asia/Kathmandu", "UTC"]),
)
def test_no_reminder_ever_comes_at_night_or_after_the_call(
    starts_at: datetime, before: list[timedelta], zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    for moment in reminder_times(starts_at, before, zone, starts_at - timedelta(days=60)):
        assert NIGHT_ENDS <= moment.astimezone(zone).time() < NIGHT_BEGINS
        assert moment < starts_at
        assert moment < next_night(moment, zone) <= moment + timedelta(hours=16)
