"""Days and moments as other programs write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.web.instants import read_day, read_instant, write_instant, write_instants

ZONES = ("Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns", "UTC")


@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2031, 1, 1))),  # noqa: DTZ001
)
def test_many_moments_are_written_exactly_as_each_alone(zone_name: str, naive: list[datetime]) -> None:
    zone, moments = ZoneInfo(zone_name), [moment.replace(tzinfo=UTC) for moment in naive]
    assert write_instants(moments, zone) == [write_instant(moment, zone) for moment in moments]


@pytest.mark.parametrize("zone_name", ZONES)
def test_quarter_hours_of_a_whole_year_keep_their_instant(zone_name: str) -> None:
    zone, first = ZoneInfo(zone_name), datetime(2026, 1, 1, tzinfo=UTC)
    moments = [first + timedelta(minutes=15) * number for number in range(365 * 96)]
    assert [datetime.fromisoformat(text) for text in write_instants(moments, zone)] == moments


@pytest.mark.parametrize(
    "text",
    ["2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z", "2026-12-01t08:00:00.000z", "2026-12-01 03:00:00-05:00"],
)
def test_every_way_of_rfc_3339_is_the_same_instant(text: str) -> None:
    assert read_instant(text) == datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-12-01",
        "2026-12-01T09:00:00",
        "2026-12-01T09:00+01:00",
        "20261201T090000+0100",
        "2026-W49-2T09:00:00Z",
        "2026-02-31T09:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T09:00:60Z",
        "2026-12-01T09:00:00+24:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "٢٠٢٦-12-01T09:00:00Z",
        "2026-12-01T09:00:00Z\n",
        "\ud800",
        "2026-12-01T09:00:00." + "0" * 5000 + "Z",
    ],
)
def test_what_is_no_moment_with_an_offset_is_not_read(text: str) -> None:
    assert read_instant(text) is None


@pytest.mark.parametrize("text", ["", "2026-2-1", "20260201", "2026-02-30", "0001-01-01", "9999-12-31", "2026-02-01 "])
def test_what_is_no_day_that_every_zone_knows_is_not_read(text: str) -> None:
    assert read_day(text) is None


def test_a_day_is_read() -> None:
    assert read_day("2026-12-01") == date(2026, 12, 1)
