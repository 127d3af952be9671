"""Free slots: each rule by example, and for each the reason that is named where it forbids."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.hours import Absence, Timetable, open_periods, parse_weekly, parse_windows
from booking.rules.period import Period
from booking.rules.slots import Agenda, CallRules, HeldCall, Reason, free_slots, why_not
from tests.rules.scenes import ANY_TIME, MONDAY, NOW, agenda, busy, held, local, offered, rules, span

TEN_TO_TWELVE = "mon 10:00-12:00"


def reason(scene: Agenda, start: str) -> Reason | None:
    return why_not(scene, local(start, scene.zone))


def test_a_window_offers_every_start_whose_call_ends_within_it() -> None:
    assert offered(agenda(TEN_TO_TWELVE)) == ["10:00", "10:30", "11:00", "11:30"]


def test_several_windows_a_day_are_all_offered() -> None:
    assert offered(agenda("mon 09:00-10:00 13:00-14:00")) == ["09:00", "09:30", "13:00", "13:30"]


def test_an_owner_without_hours_offers_nothing() -> None:
    assert offered(agenda(Timetable())) == []


def test_a_call_as_long_as_its_window_fits_once() -> None:
    assert offered(agenda(TEN_TO_TWELVE, call=rules(length=120))) == ["10:00"]


def test_a_call_longer_than_its_window_is_not_offered() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(length=121))
    assert offered(scene) == []
    assert reason(scene, "10:00") == Reason.OUTSIDE_HOURS


def test_starts_lie_on_the_step_from_the_beginning_of_their_window() -> None:
    scene = agenda("mon 09:10-10:10 11:00-12:00", call=rules(step=20))
    assert offered(scene) == ["09:10", "09:30", "11:00", "11:20"]
    assert reason(scene, "09:20") == Reason.OFF_STEP


def test_a_start_between_two_minutes_is_off_the_step() -> None:
    scene = agenda(TEN_TO_TWELVE)
    for odd in (timedelta(seconds=1), timedelta(microseconds=1), timedelta(minutes=1)):
        assert why_not(scene, local("10:00") + odd) == Reason.OFF_STEP


def test_a_call_may_run_over_where_two_windows_touch() -> None:
    scene = agenda("mon 09:00-10:00 10:00-11:00", call=rules(length=60))
    assert offered(scene) == ["09:00", "09:30", "10:00"]


def test_a_call_may_run_over_midnight_where_both_days_are_open() -> None:
    scene = agenda("mon 23:00-24:00; tue 00:00-00:30", call=rules(length=60))
    assert offered(scene) == ["23:00", "23:30"]


def test_a_call_on_the_last_day_may_run_into_the_next() -> None:
    scene = agenda("sun 23:00-24:00; mon 00:00-01:00", call=rules(length=120, horizon_days=0))
    assert offered(scene) == ["-1 23:00"]


def test_between_windows_is_outside_of_hours() -> None:
    scene = agenda("mon 09:00-10:00 13:00-14:00")
    assert [reason(scene, start) for start in ("08:30", "10:00", "12:45", "13:45")] == [Reason.OUTSIDE_HOURS] * 4


def test_a_day_can_have_other_hours() -> None:
    timetable = Timetable(parse_weekly(TEN_TO_TWELVE), overrides={MONDAY: parse_windows("15:00-16:00")})
    scene = agenda(timetable)
    assert offered(scene) == ["15:00", "15:30"]
    assert reason(scene, "10:00") == Reason.OUTSIDE_HOURS


def test_an_absence_offers_nothing_and_is_named() -> None:
    scene = agenda(Timetable(parse_weekly("mon-tue 10:00-11:00"), absences=(Absence(MONDAY, MONDAY, "Away"),)))
    assert offered(scene) == ["1 10:00", "1 10:30"]
    assert reason(scene, "10:00") == reason(scene, "00:00") == reason(scene, "23:59") == Reason.ABSENCE


def test_a_holiday_offers_nothing_and_is_named() -> None:
    scene = agenda("mon-tue 10:00-11:00", holidays=[MONDAY])
    assert offered(scene) == ["1 10:00", "1 10:30"]
    assert reason(scene, "10:00") == Reason.HOLIDAY


def test_an_absence_on_a_holiday_is_called_an_absence() -> None:
    away = Timetable(parse_weekly(TEN_TO_TWELVE), absences=(Absence(MONDAY, MONDAY),))
    assert reason(agenda(away, holidays=[MONDAY]), "10:00") == Reason.ABSENCE


def test_busy_time_is_not_offered() -> None:
    scene = agenda(TEN_TO_TWELVE, busy=busy(span("10:45", "11:10")))
    assert offered(scene) == ["10:00", "11:30"]
    assert reason(scene, "10:30") == reason(scene, "11:00") == Reason.BUSY


def test_events_that_only_touch_a_call_do_not_block_it() -> None:
    scene = agenda(TEN_TO_TWELVE, busy=busy(span("09:00", "10:30"), span("11:00", "13:00")))
    assert offered(scene) == ["10:30"]


def test_an_event_of_one_second_blocks() -> None:
    begin = local("10:15")
    scene = agenda(TEN_TO_TWELVE, busy=busy(Period(begin, begin + timedelta(seconds=1))))
    assert offered(scene) == ["10:30", "11:00", "11:30"]


def test_the_buffer_before_keeps_a_call_away_from_an_earlier_event() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(before=10), busy=busy(span("09:00", "10:25")))
    assert offered(scene) == ["11:00", "11:30"]
    assert reason(scene, "10:30") == Reason.BUFFER


def test_the_buffer_after_keeps_a_call_away_from_a_later_event() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(after=10), busy=busy(span("11:05", "12:30")))
    assert offered(scene) == ["10:00"]
    assert reason(scene, "10:30") == Reason.BUFFER
    assert reason(scene, "11:00") == Reason.BUSY


def test_buffers_need_not_lie_within_business_hours() -> None:
    assert offered(agenda("mon 10:00-10:30", call=rules(before=60, after=60))) == ["10:00"]


def test_a_held_call_blocks_its_own_time_with_its_own_buffers() -> None:
    scene = agenda(TEN_TO_TWELVE, held=(held("10:30", before=15, after=15),))
    assert offered(scene) == ["11:30"]
    assert reason(scene, "10:00") == reason(scene, "10:30") == reason(scene, "11:00") == Reason.BUSY


def test_between_two_calls_the_buffers_of_both_add() -> None:
    call = rules(before=10, step=5)
    calls = (held("10:00", after=10),)
    scene = agenda("mon 10:00-11:30", call=call, held=calls)
    assert offered(scene) == ["10:50", "10:55", "11:00"]
    assert reason(scene, "10:45") == Reason.BUFFER


def test_notice_is_counted_in_the_owners_working_time() -> None:
    scene = agenda("sun-mon 10:00-12:00", call=rules(notice=120), now=local("-1 23:00"))
    assert offered(scene) == ["6 10:00", "6 10:30", "6 11:00", "6 11:30"]
    assert reason(scene, "11:30") == Reason.TOO_SOON


def test_notice_can_be_counted_by_the_clock() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(notice=120), now=local("08:45"), notice_in_working_time=False)
    assert offered(scene) == ["11:00", "11:30", "7 10:00", "7 10:30", "7 11:00", "7 11:30"]
    assert reason(scene, "10:30") == Reason.TOO_SOON


def test_a_start_is_offered_at_the_very_moment_and_not_after_it() -> None:
    assert offered(agenda(TEN_TO_TWELVE, now=local("10:30"), call=rules(horizon_days=0))) == ["10:30", "11:00", "11:30"]


def test_the_past_is_too_soon() -> None:
    scene = agenda(TEN_TO_TWELVE, now=local("10:00") + timedelta(microseconds=1))
    assert offered(scene)[0] == "10:30"
    assert reason(scene, "10:00") == Reason.TOO_SOON
    assert why_not(scene, datetime.min.replace(tzinfo=UTC)) == Reason.TOO_SOON


def test_notice_that_never_passes_leaves_nothing() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(notice=24 * 60))
    assert offered(scene) == []
    assert reason(scene, "11:30") == Reason.TOO_SOON


def test_the_horizon_counts_whole_days_of_the_owner() -> None:
    scene = agenda("mon-sun 10:00-10:30", call=rules(horizon_days=2), now=local("23:30"))
    assert offered(scene) == ["1 10:00", "2 10:00"]
    assert reason(scene, "3 10:00") == Reason.TOO_FAR
    assert why_not(scene, datetime.max.replace(tzinfo=UTC)) == Reason.TOO_FAR


def test_the_midnight_after_the_last_day_is_too_far() -> None:
    scene = agenda("mon-sun 00:00-24:00", call=rules(horizon_days=0), now=local("22:30"))
    assert offered(scene) == ["22:30", "23:00", "23:30"]
    assert reason(scene, "1 00:00") == Reason.TOO_FAR


def test_a_call_may_last_for_days_where_all_of_them_are_open() -> None:
    scene = agenda("mon-sun 00:00-24:00", call=rules(length=4 * 1440, horizon_days=0), now=local("23:30"))
    assert offered(scene) == ["23:30"]


def test_what_no_calendar_is_known_for_is_not_offered() -> None:
    scene = agenda(TEN_TO_TWELVE, known=None)
    assert offered(scene) == []
    assert reason(scene, "10:00") == Reason.UNKNOWN_CALENDAR


def test_a_call_is_offered_only_where_it_is_known_with_its_buffers() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(before=10, after=10), known=span("10:00", "12:00"))
    assert offered(scene) == ["10:30", "11:00"]
    assert reason(scene, "10:00") == reason(scene, "11:30") == Reason.UNKNOWN_CALENDAR


def test_knowledge_that_ends_within_a_second_ends_before_it() -> None:
    begin, end = local("10:00"), local("10:30") - timedelta(milliseconds=1)
    assert free_slots(agenda("mon 10:00-10:30", known=Period(begin, end)), ANY_TIME) == []


def test_a_day_is_full_after_its_number_of_calls() -> None:
    scene = agenda("mon-tue 10:00-12:00", call=rules(max_per_day=2), held=(held("10:00"), held("11:30")))
    assert offered(scene) == ["1 10:00", "1 10:30", "1 11:00", "1 11:30"]
    assert reason(scene, "11:00") == Reason.DAY_FULL


def test_a_week_is_full_from_monday_to_sunday() -> None:
    calls = (held("10:00"), held("6 10:00"))
    scene = agenda("mon-sun 10:00-11:00", call=rules(max_per_week=2), held=calls)
    assert offered(scene) == []
    assert reason(scene, "2 10:30") == Reason.WEEK_FULL
    wider = agenda("sun-mon 10:00-11:00", call=rules(max_per_week=2, horizon_days=8), held=calls)
    assert offered(wider) == ["7 10:00", "7 10:30"]


def test_the_week_before_does_not_count() -> None:
    scene = agenda("mon 10:00-10:30", call=rules(max_per_week=1), held=(held("-1 23:30"),))
    assert offered(scene) == ["10:00"]


def test_calls_of_other_types_hold_their_time_but_do_not_count() -> None:
    scene = agenda("mon 10:00-11:00", call=rules(max_per_day=1, max_per_week=1), held=(held("10:00", counts=False),))
    assert offered(scene) == ["10:30"]


def test_a_cap_of_none_at_all_offers_nothing() -> None:
    assert offered(agenda(TEN_TO_TWELVE, call=rules(max_per_day=0))) == []


def test_the_days_of_the_caps_are_the_owners_days() -> None:
    auckland = ZoneInfo("Pacific/Auckland")
    late = local("23:00", auckland)
    call = HeldCall(late, Period(late, late + timedelta(minutes=30)), counts=True)
    now = local("-1 12:00", auckland)
    scene = agenda("mon-tue 09:00-09:30", zone=auckland, now=now, call=rules(max_per_day=1), held=(call,))
    assert offered(scene) == ["1 09:00"]


def test_only_starts_within_the_window_asked_for_are_returned() -> None:
    scene = agenda(TEN_TO_TWELVE)
    assert offered(scene, span("10:30", "11:30")) == ["10:30", "11:00"]
    half = timedelta(milliseconds=500)
    assert offered(scene, Period(local("10:00") + half, local("11:00") + half)) == ["10:30", "11:00"]
    assert offered(scene, span("10:30", "10:30")) == []


def test_starts_are_moments_in_utc() -> None:
    (start,) = free_slots(agenda("mon 10:00-10:30"), ANY_TIME)
    assert start == datetime(2026, 11, 16, 9, tzinfo=UTC)
    assert start.tzinfo is UTC


def test_a_start_may_be_asked_for_in_any_zone() -> None:
    assert why_not(agenda("mon 10:00-10:30"), datetime(2026, 11, 16, 18, tzinfo=ZoneInfo("Asia/Tokyo"))) is None


def test_a_start_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        why_not(agenda(), NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "minutes", [{"length": 0}, {"step": 0}, {"before": -1}, {"after": -1}, {"notice": -1}, {"length": -30}]
)
def test_rules_that_make_no_sense_are_refused(minutes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        rules(**minutes)


def test_the_first_of_several_reasons_is_named() -> None:
    """From what the owner can't change to what they could: the order in which a client would be told."""
    everything = agenda(
        Timetable(parse_weekly("mon-sun 10:00-11:00"), absences=(Absence(MONDAY, MONDAY),)),
        holidays=[MONDAY, date(2026, 11, 17)],
        call=rules(max_per_day=1, max_per_week=1, horizon_days=5, before=10),
        held=(held("2 12:00"),),
        known=Period(local("-9 00:00"), local("4 00:00")),
        busy=busy(span("3 09:00", "3 10:30")),
    )
    expected = {
        "-2 10:00": Reason.TOO_SOON,
        "6 10:00": Reason.TOO_FAR,
        "10:00": Reason.ABSENCE,
        "1 10:00": Reason.HOLIDAY,
        "3 09:00": Reason.OUTSIDE_HOURS,
        "3 10:10": Reason.OFF_STEP,
        "4 10:00": Reason.UNKNOWN_CALENDAR,
        "3 10:00": Reason.BUSY,
        "3 10:30": Reason.BUFFER,
        "2 10:00": Reason.DAY_FULL,
    }
    assert {start: reason(everything, start) for start in expected} == expected


def test_a_time_that_exists_twice_is_outside_of_hours_in_both_passes() -> None:
    sunday = date(2026, 10, 25)
    scene = agenda("sun 01:00-05:00", now=local("-1 12:00", day=sunday))
    for fold in (0, 1):
        assert why_not(scene, local("02:30", day=sunday, fold=fold)) == Reason.OUTSIDE_HOURS
    starts = free_slots(scene, Period(local("00:00", day=sunday), local("23:00", day=sunday)))
    assert starts == [local(clock, day=sunday) for clock in ("01:00", "01:30", "03:00", "03:30", "04:00", "04:30")]


def test_a_time_that_does_not_exist_is_not_offered() -> None:
    sunday = date(2026, 3, 29)
    scene = agenda("sun 01:00-05:00", now=local("-1 12:00", day=sunday))
    starts = free_slots(scene, Period(local("00:00", day=sunday), local("23:00", day=sunday)))
    assert starts == [local(clock, day=sunday) for clock in ("01:00", "01:30", "03:00", "03:30", "04:00", "04:30")]


def test_the_length_of_a_call_passes_in_real_time_over_a_change_of_the_clock() -> None:
    """A call of two hours from 01:30 ends at 04:30 on the wall when the clock is put forward."""
    sunday = date(2026, 3, 29)
    now = local("-1 12:00", day=sunday)
    window = Period(now, local("23:00", day=sunday))
    short = agenda("sun 01:30-04:00", now=now, call=rules(length=120))
    long = agenda("sun 01:30-04:30", now=now, call=rules(length=120))
    assert free_slots(short, window) == []
    assert free_slots(long, window) == [local("01:30", day=sunday)]


ZONES = {
    "Pacific/Auckland": (date(2026, 9, 27), date(2027, 4, 4)),
    "America/Vancouver": (date(2025, 3, 9), date(2025, 11, 2)),
    "Asia/Kathmandu": (date(2026, 6, 1), date(2026, 12, 31)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2027, 4, 4)),
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),
}
CLIENTS = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "UTC")
DAYS = [(name, day + timedelta(near)) for name, days in ZONES.items() for day in days for near in (-1, 0, 1)]


@pytest.mark.parametrize(("name", "day"), DAYS)
def test_an_owner_anywhere_can_be_booked_at_all_hours_by_clients_anywhere(name: str, day: date) -> None:
    """On plain days and on those when the clock changes, every half hour that exists once is offered, and no other."""
    zone = ZoneInfo(name)
    now = local("-3 12:00", zone, day)
    scene = agenda("mon-sun 00:00-24:00", zone=zone, now=now)
    halves = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    expected = [local(clock, zone, day) for clock in halves if exists_once(zone, day, clock)]
    for client in map(ZoneInfo, CLIENTS):
        begin = local("00:00", zone, day).astimezone(client)
        window = Period(begin, local("1 00:00", zone, day).astimezone(client))
        assert free_slots(scene, window) == expected
    for start in expected:
        assert why_not(scene, start.astimezone(ZoneInfo(CLIENTS[0]))) is None


def exists_once(zone: ZoneInfo, day: date, clock: str) -> bool:
    first, second = (local(clock, zone, day, fold=fold) for fold in (0, 1))
    return first == second


@pytest.mark.parametrize("name", ZONES)
def test_each_of_the_zones_is_tested_on_days_when_its_clock_changes(name: str) -> None:
    zone = ZoneInfo(name)
    offsets = [
        (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(later)).utcoffset()
        for day in ZONES[name]
        for later in (0, 1)
    ]
    assert (len(set(offsets)) == 2) == (name != "Asia/Kathmandu")
    assert [one != other for one, other in (offsets[:2], offsets[2:])] == [name != "Asia/Kathmandu"] * 2


MINUTES = st.integers(0, 7 * 1440)
PERIODS = st.lists(
    st.builds(lambda start, length: Period(at(start), at(start + length)), MINUTES, st.integers(1, 600)), max_size=8
)
CALLS = st.builds(
    rules,
    length=st.integers(1, 90),
    before=st.integers(0, 30),
    after=st.integers(0, 30),
    notice=st.integers(0, 600),
    step=st.sampled_from([5, 7, 15, 30, 60]),
    horizon_days=st.integers(0, 7),
    max_per_day=st.one_of(st.none(), st.integers(0, 2)),
)


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def scene_of(call: CallRules, events: list[Period], calls: list[Period], at_work: bool = True) -> Agenda:
    """Put random events and calls into the week of an owner with odd hours, a day off and a holiday."""
    hours = parse_weekly(
        "mon-wed 09:00-12:00 13:00-17:00; thu 00:00-24:00; fri 00:00-01:10 09:20-13:00; sat 10:00-11:00"
    )
    timetable = Timetable(hours, absences=(Absence(date(2026, 11, 17), date(2026, 11, 17)),))
    return agenda(
        timetable,
        call=call,
        holidays=[date(2026, 11, 18)],
        busy=busy(*events),
        held=tuple(HeldCall(period.start, period, counts=True) for period in calls),
        notice_in_working_time=at_work,
    )


def worked(scene: Agenda, until: datetime) -> timedelta:
    """Add up the owner's business hours between now and then."""
    last = until.astimezone(scene.zone).date()
    periods = open_periods(scene.timetable, scene.zone, scene.holidays, NOW.astimezone(scene.zone).date(), last)
    spans = [min(period.end, until) - max(period.start, NOW) for period in periods]
    return sum((span for span in spans if span > timedelta()), timedelta())


@given(CALLS, PERIODS, PERIODS)
def test_no_free_slot_overlaps_busy_time_with_its_buffers(
    call: CallRules, events: list[Period], calls: list[Period]
) -> None:
    scene = scene_of(call, events, calls)
    for start in free_slots(scene, ANY_TIME):
        padded = Period(start, start + call.length).padded(call.before, call.after)
        assert not any(padded.overlaps(period) for period in [*events, *calls])


@given(CALLS, PERIODS, st.booleans())
def test_every_free_slot_obeys_notice_and_horizon(call: CallRules, events: list[Period], at_work: bool) -> None:
    scene = scene_of(call, events, [], at_work)
    last = NOW.astimezone(scene.zone).date() + timedelta(days=call.horizon_days)
    for start in free_slots(scene, ANY_TIME):
        assert start >= NOW + call.notice
        assert not at_work or worked(scene, start) >= call.notice
        assert start.astimezone(scene.zone).date() <= last


@given(CALLS, PERIODS, PERIODS)
def test_more_busy_time_never_makes_more_free_slots(call: CallRules, events: list[Period], more: list[Period]) -> None:
    some = free_slots(scene_of(call, events, []), ANY_TIME)
    assert set(free_slots(scene_of(call, events + more, []), ANY_TIME)) <= set(some)


@given(CALLS, PERIODS, PERIODS, st.lists(MINUTES, max_size=10))
def test_a_start_is_refused_for_no_reason_exactly_where_it_is_offered(
    call: CallRules, events: list[Period], calls: list[Period], minutes: list[int]
) -> None:
    scene = scene_of(call, events, calls)
    free = set(free_slots(scene, ANY_TIME))
    for start in [at(minute) for minute in minutes] + sorted(free)[:10]:
        assert (why_not(scene, start) is None) == (start in free)


@given(CALLS, PERIODS, MINUTES, MINUTES)
def test_a_narrower_window_only_cuts_the_list(call: CallRules, events: list[Period], one: int, other: int) -> None:
    scene = scene_of(call, events, [])
    window = Period(at(min(one, other)), at(max(one, other)))
    inside = [start for start in free_slots(scene, ANY_TIME) if window.start <= start < window.end]
    assert free_slots(scene, window) == inside
