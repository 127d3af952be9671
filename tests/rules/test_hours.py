"""Business hours: what wins on a day, how an operator writes them, and what they are in UTC."""

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.errors import InvalidText
from booking.rules.hours import (
    Absence,
    Timetable,
    Window,
    format_weekly,
    format_windows,
    open_periods,
    parse_weekly,
    parse_windows,
)
from booking.rules.period import Period

MONDAY = date(2026, 11, 16)
MORNING, AFTERNOON = Window(540, 720), Window(780, 1020)
OPEN = Timetable(weekly=((MORNING,),) * 7)
BERLIN = ZoneInfo("Europe/Berlin")

DAY_WINDOWS = st.lists(st.integers(0, 1440), max_size=6, unique=True).map(
    lambda edges: tuple(Window(*pair) for pair in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
WEEKS = st.lists(DAY_WINDOWS, min_size=7, max_size=7).map(tuple)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
ABSENCES = st.tuples(DAYS, DAYS, st.text(max_size=5)).map(lambda a: Absence(min(a[:2]), max(a[:2]), a[2]))
TIMETABLES = st.builds(
    Timetable,
    weekly=WEEKS,
    overrides=st.dictionaries(DAYS, DAY_WINDOWS, max_size=3),
    absences=st.lists(ABSENCES, max_size=3).map(tuple),
)


@pytest.mark.parametrize(("start", "end"), [(-1, 60), (60, 60), (61, 60), (0, 1441)])
def test_a_window_lies_within_one_day_and_has_a_length(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="a window needs"):
        Window(start, end)


def test_a_window_may_last_the_whole_day() -> None:
    assert str(Window(0, 1440)) == "00:00-24:00"


def test_an_absence_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Absence(MONDAY, date(2026, 11, 15))


def test_a_week_has_seven_days() -> None:
    with pytest.raises(ValueError, match="seven days"):
        Timetable(weekly=((MORNING,),))


@pytest.mark.parametrize("windows", [(AFTERNOON, MORNING), (MORNING, Window(719, 800))])
def test_the_windows_of_a_day_are_sorted_and_do_not_overlap(windows: tuple[Window, ...]) -> None:
    with pytest.raises(ValueError, match="sorted"):
        Timetable(overrides={MONDAY: windows})
    with pytest.raises(ValueError, match="sorted"):
        Timetable(weekly=(windows, *((),) * 6))


def test_an_ordinary_day_has_the_hours_of_its_weekday() -> None:
    timetable = Timetable(weekly=((MORNING,), (AFTERNOON,), *((),) * 5))
    assert timetable.windows_on(MONDAY, ()) == (MORNING,)
    assert timetable.windows_on(date(2026, 11, 17), ()) == (AFTERNOON,)
    assert timetable.windows_on(date(2026, 11, 18), ()) == ()


def test_a_holiday_closes_the_day() -> None:
    assert OPEN.windows_on(MONDAY, {MONDAY}) == ()
    assert OPEN.is_holiday(MONDAY, {MONDAY})
    assert not OPEN.is_holiday(MONDAY, ())


def test_an_override_beats_the_holiday_and_the_week() -> None:
    timetable = Timetable(weekly=OPEN.weekly, overrides={MONDAY: (AFTERNOON,)})
    assert timetable.windows_on(MONDAY, {MONDAY}) == (AFTERNOON,)
    assert not timetable.is_holiday(MONDAY, {MONDAY})


def test_an_override_can_close_a_day() -> None:
    assert Timetable(weekly=OPEN.weekly, overrides={MONDAY: ()}).windows_on(MONDAY, ()) == ()


def test_an_absence_beats_everything_from_its_first_to_its_last_day() -> None:
    away = Absence(MONDAY, date(2026, 11, 18), "Back on Thursday")
    timetable = Timetable(weekly=OPEN.weekly, overrides={MONDAY: (AFTERNOON,)}, absences=(away,))
    assert [bool(timetable.windows_on(date(2026, 11, day), ())) for day in (15, 16, 18, 19)] == [
        True,
        False,
        False,
        True,
    ]
    assert timetable.absence_on(MONDAY) == away
    assert timetable.absence_on(date(2026, 11, 19)) is None
    assert not timetable.is_holiday(MONDAY, {MONDAY})


def test_an_empty_timetable_is_never_open_and_is_empty_json() -> None:
    assert Timetable.from_json({}) == Timetable()
    assert Timetable().to_json() == {}
    assert Timetable().windows_on(MONDAY, ()) == ()


@given(TIMETABLES)
def test_a_timetable_comes_back_from_json_as_it_was(timetable: Timetable) -> None:
    again = Timetable.from_json(json.loads(json.dumps(timetable.to_json())))
    assert again == timetable
    assert hash(again) == hash(timetable)


def test_json_that_holds_an_impossible_window_is_refused() -> None:
    with pytest.raises(ValueError, match="a window needs"):
        Timetable.from_json({"weekly": [[[900, 800]], [], [], [], [], [], []]})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00", None),
        ("mon-thu 9-12 13-17; fri 9-13", None),
        ("Monday - Thursday 13:00–17:00, 09:00 – 12:00 ;\n Fri 9:00-13:00;", None),
        ("mon,tue , wed,thu 09:00-12:00,13:00-17:00\nfri 09:00-13:00", None),
        ("mon-tue,wed-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00; sat-sun closed", None),
        ("fri-mon 22:00-24:00", "mon 22:00-24:00; fri-sun 22:00-24:00"),
        ("sun 00:00-24:00", "sun 00:00-24:00"),
        ("mon-sun closed", "mon-sun closed"),
    ],
)
def test_a_week_can_be_written_in_every_usual_way(text: str, meant: str | None) -> None:
    assert format_weekly(parse_weekly(text)) == (meant or "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no hours"),
        (" ; ", "no hours"),
        ("mon", "like 09:00-12:00"),
        ("mon 9 to 5", "like 09:00-12:00"),
        ("mo 09:00-12:00", '"mo" is not a day'),
        ("mon- 09:00-12:00", "is not a day"),
        ("mon-fry 09:00-12:00", "is not a day"),
        ("09:00-12:00", "is not a day"),
        ("mon 09:00-12:00; mon 13:00-17:00", "mon is named twice"),
        ("mon-fri 09:00-12:00; fri closed", "fri is named twice"),
        ("mon,mon 09:00-12:00", "mon is named twice"),
        ("mon 09:00-12:60", "59 minutes"),
        ("mon 12:00-09:00", "begin before it ends"),
        ("mon 23:00-24:01", "begin before it ends"),
        ("mon 24:00-24:00", "begin before it ends"),
        ("mon 09:00-12:00 11:59-13:00", "overlap"),
        ("mon ०९:००-१२:००", "like 09:00-12:00"),
    ],
)
def test_a_week_that_cannot_be_read_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(InvalidText, match=says):
        parse_weekly(text)


@given(WEEKS)
def test_a_written_week_is_read_as_the_same_week(weekly: tuple[tuple[Window, ...], ...]) -> None:
    assert parse_weekly(format_weekly(weekly)) == weekly


def test_the_hours_of_one_day_are_sorted_when_they_are_read() -> None:
    assert parse_windows("13:00-17:00 09:00-12:00") == (MORNING, AFTERNOON)
    assert format_windows((MORNING, AFTERNOON)) == "09:00-12:00 13:00-17:00"


def test_windows_that_touch_stay_two() -> None:
    windows = parse_windows("09:00-12:00 12:00-17:00")
    assert Timetable(overrides={MONDAY: windows}).windows_on(MONDAY, ()) == (MORNING, Window(720, 1020))


def test_a_day_can_be_written_as_closed() -> None:
    assert parse_windows(" Closed ") == ()
    assert format_windows(()) == "closed"


def test_a_day_without_a_word_is_not_taken_as_closed() -> None:
    with pytest.raises(InvalidText, match="closed"):
        parse_windows("")


def moment(day: int, hour: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_open_periods_are_the_windows_of_both_days_included_in_utc() -> None:
    timetable = Timetable(weekly=((MORNING, AFTERNOON), (MORNING,), *((),) * 5))
    assert open_periods(timetable, BERLIN, (), MONDAY, date(2026, 11, 17)) == [
        Period(moment(16, 8), moment(16, 11)),
        Period(moment(16, 12), moment(16, 16)),
        Period(moment(17, 8), moment(17, 11)),
    ]


def test_a_window_until_midnight_ends_where_the_next_day_begins() -> None:
    timetable = Timetable(weekly=((Window(0, 1440),),) * 7)
    first, second = open_periods(timetable, BERLIN, (), MONDAY, date(2026, 11, 17))
    assert first.end == second.start == moment(16, 23)


def test_a_window_that_a_gap_swallows_is_not_open_at_all() -> None:
    timetable = Timetable(weekly=((Window(120, 180),),) * 7)
    assert open_periods(timetable, BERLIN, (), date(2026, 3, 29), date(2026, 3, 29)) == []


def test_a_window_over_the_repeated_hour_is_an_hour_longer() -> None:
    timetable = Timetable(weekly=((Window(60, 240),),) * 7)
    (period,) = open_periods(timetable, BERLIN, (), date(2026, 10, 25), date(2026, 10, 25))
    assert period == Period(moment(24, 23, month=10), moment(25, 3, month=10))


def test_a_window_that_ends_in_the_repeated_hour_ends_in_its_first_pass() -> None:
    timetable = Timetable(weekly=((Window(60, 150),),) * 7)
    (period,) = open_periods(timetable, BERLIN, (), date(2026, 10, 25), date(2026, 10, 25))
    assert period.end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(TIMETABLES, st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo"]), DAYS)
def test_open_periods_are_sorted_and_never_overlap(timetable: Timetable, zone: str, first: date) -> None:
    last = date.fromordinal(first.toordinal() + 3)
    periods = open_periods(timetable, ZoneInfo(zone), (), first, last)
    assert all(one.end <= other.start for one, other in pairwise(periods))
    assert all(period.start < period.end for period in periods)
