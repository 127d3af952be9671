"""What an object of the owner's calendar blocks; every expected period was worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from booking.calendars.expand import Expansion, expand
from booking.rules.period import Period

BERLIN: Final = ZoneInfo("Europe/Berlin")
YEAR: Final = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def vevent(*lines: str, uid: str = "u-1") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""])


def vcalendar(*components: str) -> str:
    return "".join(["BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n", *components, "END:VCALENDAR\r\n"])


def expanded(
    *components: str, zone: ZoneInfo = BERLIN, window: Period = YEAR, all_day_blocks: bool = True
) -> Expansion:
    return expand(vcalendar(*components), zone=zone, window=window, all_day_blocks=all_day_blocks)


def busy(*components: str, zone: ZoneInfo = BERLIN, window: Period = YEAR, all_day_blocks: bool = True) -> list[str]:
    """Return what blocks, in UTC, as ``MM-DD HH:MM > MM-DD HH:MM``; nothing may have been unclear."""
    expansion = expanded(*components, zone=zone, window=window, all_day_blocks=all_day_blocks)
    assert expansion.problem == ""
    return written(expansion)


def written(expansion: Expansion) -> list[str]:
    return [f"{period.start:%m-%d %H:%M} > {period.end:%m-%d %H:%M}" for period in expansion.busy]


def berlin(name: str, wall: str) -> str:
    return f"{name};TZID=Europe/Berlin:{wall}"


HALF_HOUR = (berlin("DTSTART", "20260302T100000"), berlin("DTEND", "20260302T103000"))


class TestSingleEvents:
    def test_an_event_in_utc_blocks_its_time(self) -> None:
        assert busy(vevent("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z")) == ["03-02 09:00 > 03-02 10:00"]

    def test_the_uid_is_that_of_the_event(self) -> None:
        expansion = expanded(vevent(*HALF_HOUR, uid="abc@example.org"))
        assert expansion.uid == "abc@example.org"

    def test_an_event_with_a_duration_blocks_it(self) -> None:
        assert busy(vevent("DTSTART:20260302T090000Z", "DURATION:PT1H15M")) == ["03-02 09:00 > 03-02 10:15"]

    def test_the_days_of_a_duration_go_by_the_calendar_the_hours_by_the_clock(self) -> None:
        # 28 March 10:00 + 1 day is 10:00 summer time (08:00 UTC), + 2 hours.
        event = vevent(berlin("DTSTART", "20260328T100000"), "DURATION:P1DT2H")
        assert busy(event) == ["03-28 09:00 > 03-29 10:00"]

    def test_an_event_without_an_end_blocks_a_minute(self) -> None:
        assert busy(vevent("DTSTART:20260302T090000Z")) == ["03-02 09:00 > 03-02 09:01"]

    def test_an_event_that_ends_when_it_starts_blocks_a_minute(self) -> None:
        assert busy(vevent("DTSTART:20260302T090000Z", "DTEND:20260302T090000Z")) == ["03-02 09:00 > 03-02 09:01"]

    def test_an_event_that_ends_before_it_starts_blocks_a_day_and_is_reported(self) -> None:
        expansion = expanded(vevent("DTSTART:20260302T090000Z", "DTEND:20260302T080000Z"))
        assert written(expansion) == ["03-02 09:00 > 03-03 09:00"]
        assert expansion.problem == "an event ends before it starts, it blocks one day"

    def test_a_negative_duration_blocks_a_day_and_is_reported(self) -> None:
        expansion = expanded(vevent("DTSTART:20260302T090000Z", "DURATION:-PT1H"))
        assert written(expansion) == ["03-02 09:00 > 03-03 09:00"]
        assert "ends before it starts" in expansion.problem

    def test_a_floating_event_is_in_the_owners_zone(self) -> None:
        event = vevent("DTSTART:20260302T100000", "DTEND:20260302T110000")
        assert busy(event, zone=ZoneInfo("Asia/Kathmandu")) == ["03-02 04:15 > 03-02 05:15"]

    def test_an_event_may_begin_and_end_in_different_zones(self) -> None:
        # A flight: off Berlin at 10:00 (09:00 UTC), on New York at 13:00 (18:00 UTC).
        event = vevent(berlin("DTSTART", "20260302T100000"), "DTEND;TZID=America/New_York:20260302T130000")
        assert busy(event) == ["03-02 09:00 > 03-02 18:00"]

    def test_an_event_outside_the_window_blocks_nothing(self) -> None:
        assert busy(vevent("DTSTART:20250302T090000Z", "DTEND:20250302T100000Z")) == []

    def test_an_event_that_began_before_the_window_blocks_uncut(self) -> None:
        event = vevent("DTSTART:20251231T230000Z", "DTEND:20260101T010000Z")
        assert busy(event) == ["12-31 23:00 > 01-01 01:00"]

    def test_folded_lines_and_line_feeds_alone_are_read(self) -> None:
        ics = vcalendar(vevent("DTSTART;TZID=Europe/B\r\n erlin:20260302T1\r\n\t00000", "DURATION:PT1H"))
        window = expand(ics.replace("\r\n", "\n"), zone=BERLIN, window=YEAR, all_day_blocks=True)
        assert written(window) == ["03-02 09:00 > 03-02 10:00"]

    def test_a_broken_description_or_alarm_spoils_nothing(self) -> None:
        alarm = "BEGIN:VALARM\r\nTRIGGER:nonsense\r\nDTSTART:nonsense\r\nEND:VALARM"
        assert busy(vevent(*HALF_HOUR, "DESCRIPTION;X=\x01:\x07", "GEO:nowhere", alarm)) == [
            "03-02 09:00 > 03-02 09:30"
        ]


class TestWholeDays:
    def test_a_day_blocks_from_midnight_to_midnight_in_the_owners_zone(self) -> None:
        assert busy(vevent("DTSTART;VALUE=DATE:20260302")) == ["03-01 23:00 > 03-02 23:00"]

    def test_several_days_block_up_to_the_day_of_the_end(self) -> None:
        event = vevent("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305")
        assert busy(event) == ["03-01 23:00 > 03-04 23:00"]

    def test_a_duration_in_days_is_read(self) -> None:
        assert busy(vevent("DTSTART;VALUE=DATE:20260302", "DURATION:P2D")) == ["03-01 23:00 > 03-03 23:00"]

    def test_a_duration_in_hours_from_a_day_counts_from_its_midnight(self) -> None:
        assert busy(vevent("DTSTART;VALUE=DATE:20260302", "DURATION:PT12H")) == ["03-01 23:00 > 03-02 11:00"]

    def test_a_day_whose_end_is_itself_is_that_day(self) -> None:
        event = vevent("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260302")
        assert busy(event) == ["03-01 23:00 > 03-02 23:00"]

    def test_a_day_that_ends_before_it_begins_is_that_day_and_is_reported(self) -> None:
        expansion = expanded(vevent("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260301"))
        assert written(expansion) == ["03-01 23:00 > 03-02 23:00"]
        assert "ends before it starts" in expansion.problem

    def test_a_day_with_a_time_as_its_end_is_read(self) -> None:
        event = vevent("DTSTART;VALUE=DATE:20260302", berlin("DTEND", "20260303T120000"))
        assert busy(event) == ["03-01 23:00 > 03-03 11:00"]

    def test_the_day_the_clock_changes_has_23_or_25_hours(self) -> None:
        assert busy(vevent("DTSTART;VALUE=DATE:20260329")) == ["03-28 23:00 > 03-29 22:00"]
        assert busy(vevent("DTSTART;VALUE=DATE:20261025")) == ["10-24 22:00 > 10-25 23:00"]

    def test_a_midnight_that_comes_twice_ends_the_day_the_second_time(self) -> None:
        # Havana puts its clocks back from 1:00 to 0:00 on 1 November 2026: 0:00 is 04:00 and 05:00 UTC.
        event = vevent("DTSTART;VALUE=DATE:20261031")
        assert busy(event, zone=ZoneInfo("America/Havana")) == ["10-31 04:00 > 11-01 05:00"]
        following = vevent("DTSTART;VALUE=DATE:20261101")
        assert busy(following, zone=ZoneInfo("America/Havana")) == ["11-01 04:00 > 11-02 05:00"]

    def test_a_midnight_that_does_not_exist_is_where_the_clock_is_put_on(self) -> None:
        # Beirut puts its clocks from 0:00 to 1:00 on 29 March 2026, at 22:00 UTC of the 28th.
        beirut = ZoneInfo("Asia/Beirut")
        assert busy(vevent("DTSTART;VALUE=DATE:20260328"), zone=beirut) == ["03-27 22:00 > 03-28 22:00"]
        assert busy(vevent("DTSTART;VALUE=DATE:20260329"), zone=beirut) == ["03-28 22:00 > 03-29 21:00"]

    def test_a_series_of_days_blocks_each(self) -> None:
        event = vevent("DTSTART;VALUE=DATE:20260328", "RRULE:FREQ=DAILY;COUNT=2")
        assert busy(event) == ["03-27 23:00 > 03-28 23:00", "03-28 23:00 > 03-29 22:00"]

    def test_a_series_of_days_with_exdate_rdate_and_until_as_times_is_read_as_days(self) -> None:
        event = vevent(
            "DTSTART;VALUE=DATE:20260302",
            "RRULE:FREQ=DAILY;UNTIL=20260304T000000Z",
            "EXDATE:20260303T000000",
            "RDATE:20260310T120000",
            "RDATE;VALUE=PERIOD:20260312T100000Z/PT1H",
        )
        assert [line[:5] for line in busy(event)] == ["03-01", "03-03", "03-09", "03-11"]


class TestWhatDoesNotBlock:
    @pytest.mark.parametrize("line", ["STATUS:CANCELLED", "STATUS:cancelled", "TRANSP:TRANSPARENT"])
    def test_a_cancelled_or_transparent_event_is_free(self, line: str) -> None:
        assert busy(vevent(*HALF_HOUR, line)) == []

    @pytest.mark.parametrize(
        ("lines", "blocks"),
        [
            (("STATUS:TENTATIVE",), False),
            (("STATUS:Tentative",), False),
            (("STATUS:CONFIRMED",), True),
            ((), True),
        ],
    )
    def test_what_is_not_certain_blocks_only_where_the_owner_wants_it(
        self, lines: tuple[str, ...], blocks: bool
    ) -> None:
        ics = vcalendar(vevent("DTSTART:20260304T090000Z", "DTEND:20260304T100000Z", *lines))
        expansion = expand(ics, zone=BERLIN, window=YEAR, all_day_blocks=True, tentative_blocks=False)
        assert (bool(expansion.busy), expansion.problem) == (blocks, "")

    def test_one_instance_of_a_series_may_be_uncertain(self) -> None:
        series = vevent("DTSTART:20260304T090000Z", "DTEND:20260304T100000Z", "RRULE:FREQ=DAILY;COUNT=3")
        change = ("RECURRENCE-ID:20260305T090000Z", "DTSTART:20260305T090000Z", "DTEND:20260305T100000Z")
        ics = vcalendar(series, vevent(*change, "STATUS:TENTATIVE"))
        expansion = expand(ics, zone=BERLIN, window=YEAR, all_day_blocks=True, tentative_blocks=False)
        assert written(expansion) == ["03-04 09:00 > 03-04 10:00", "03-06 09:00 > 03-06 10:00"]

    @pytest.mark.parametrize("line", ["STATUS:TENTATIVE", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "STATUS:ODD"])
    def test_any_other_status_blocks(self, line: str) -> None:
        assert busy(vevent(*HALF_HOUR, line)) == ["03-02 09:00 > 03-02 09:30"]

    def test_a_transparent_day_blocks_only_where_the_calendar_says_so(self) -> None:
        event = vevent("DTSTART;VALUE=DATE:20260302", "TRANSP:TRANSPARENT")
        assert busy(event, all_day_blocks=True) == ["03-01 23:00 > 03-02 23:00"]
        assert busy(event, all_day_blocks=False) == []

    def test_a_cancelled_day_is_free_whatever_the_calendar_says(self) -> None:
        assert busy(vevent("DTSTART;VALUE=DATE:20260302", "STATUS:CANCELLED"), all_day_blocks=True) == []

    def test_tasks_journals_and_alarms_are_free(self) -> None:
        todo = "BEGIN:VTODO\r\nUID:t\r\nDTSTART:20260302T090000Z\r\nDUE:20260302T100000Z\r\nEND:VTODO\r\n"
        assert busy(todo, todo.replace("VTODO", "VJOURNAL")) == []

    def test_a_calendar_without_events_is_free(self) -> None:
        assert busy() == []


class TestSeries:
    def test_a_weekly_series_keeps_its_wall_time_when_the_clock_changes(self) -> None:
        event = vevent(
            berlin("DTSTART", "20260322T100000"), berlin("DTEND", "20260322T110000"), "RRULE:FREQ=WEEKLY;COUNT=2"
        )
        assert busy(event) == ["03-22 09:00 > 03-22 10:00", "03-29 08:00 > 03-29 09:00"]

    def test_a_series_begun_in_summer_is_right_in_winter(self) -> None:
        event = vevent(berlin("DTSTART", "20250701T100000"), berlin("DTEND", "20250701T110000"), "RRULE:FREQ=MONTHLY")
        assert busy(event)[:1] == ["01-01 09:00 > 01-01 10:00"]
        assert len(busy(event)) == 12

    def test_an_excluded_instance_is_free(self) -> None:
        event = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=3", berlin("EXDATE", "20260303T100000"))
        assert busy(event) == ["03-02 09:00 > 03-02 09:30", "03-04 09:00 > 03-04 09:30"]

    def test_an_instance_may_be_excluded_in_utc_or_in_another_zone(self) -> None:
        event = vevent(
            *HALF_HOUR,
            "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE:20260303T090000Z",
            "EXDATE;TZID=America/New_York:20260304T040000",
        )
        assert busy(event) == ["03-02 09:00 > 03-02 09:30"]

    def test_excluding_one_instance_of_a_day_leaves_the_other(self) -> None:
        # 10:00 and 11:00 in Berlin; 10:00 UTC is 11:00 in Berlin.
        event = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;BYHOUR=10,11;COUNT=2", berlin("EXDATE", "20260302T100000"))
        assert busy(event) == ["03-02 10:00 > 03-02 10:30"]

    def test_an_excluded_day_takes_out_the_instances_of_that_day(self) -> None:
        event = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20260303")
        assert busy(event) == ["03-02 09:00 > 03-02 09:30"]

    def test_a_moved_instance_blocks_where_it_was_moved_to(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2")
        moved = vevent(
            berlin("RECURRENCE-ID", "20260303T100000"),
            berlin("DTSTART", "20260310T150000"),
            berlin("DTEND", "20260310T170000"),
        )
        assert busy(master, moved) == ["03-02 09:00 > 03-02 09:30", "03-10 14:00 > 03-10 16:00"]

    def test_an_instance_moved_into_the_window_from_far_outside_blocks(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=300")
        moved = vevent("RECURRENCE-ID:20261103T090000Z", "DTSTART:20260205T120000Z", "DTEND:20260205T130000Z")
        january = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC))
        assert busy(master, moved, window=january) == ["02-05 12:00 > 02-05 13:00"]

    def test_a_cancelled_instance_is_free(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2")
        gone = vevent(
            berlin("RECURRENCE-ID", "20260303T100000"), berlin("DTSTART", "20260303T100000"), "STATUS:CANCELLED"
        )
        assert busy(master, gone) == ["03-02 09:00 > 03-02 09:30"]

    def test_an_instance_may_be_made_transparent(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2")
        free = vevent("RECURRENCE-ID:20260302T090000Z", *HALF_HOUR, "TRANSP:TRANSPARENT")
        assert busy(master, free) == ["03-03 09:00 > 03-03 09:30"]

    def test_a_timed_instance_may_become_a_whole_day(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2")
        day = vevent(berlin("RECURRENCE-ID", "20260303T100000"), "DTSTART;VALUE=DATE:20260303")
        assert busy(master, day) == ["03-02 09:00 > 03-02 09:30", "03-02 23:00 > 03-03 23:00"]

    def test_an_override_without_its_series_blocks_by_itself(self) -> None:
        orphan = vevent("RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T120000Z", "DURATION:PT1H")
        assert busy(orphan) == ["03-03 12:00 > 03-03 13:00"]

    def test_this_and_future_moves_all_later_instances(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=4")
        later = vevent(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260304T100000",
            berlin("DTSTART", "20260304T120000"),
            berlin("DTEND", "20260304T130000"),
        )
        assert busy(master, later) == [
            "03-02 09:00 > 03-02 09:30",
            "03-03 09:00 > 03-03 09:30",
            "03-04 11:00 > 03-04 12:00",
            "03-05 11:00 > 03-05 12:00",
        ]

    def test_this_and_future_moves_whole_days(self) -> None:
        master = vevent("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=WEEKLY;COUNT=3")
        later = vevent(
            "RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260309",
            "DTSTART;VALUE=DATE:20260310",
            "DTEND;VALUE=DATE:20260312",
        )
        assert busy(master, later) == [
            "03-01 23:00 > 03-02 23:00",
            "03-09 23:00 > 03-11 23:00",
            "03-16 23:00 > 03-18 23:00",
        ]

    def test_this_and_future_may_cancel_the_rest(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY")
        end = vevent(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260303T100000",
            berlin("DTSTART", "20260303T100000"),
            "STATUS:CANCELLED",
        )
        assert busy(master, end) == ["03-02 09:00 > 03-02 09:30"]

    def test_added_dates_block(self) -> None:
        event = vevent(*HALF_HOUR, "RDATE:20260310T120000Z,20260312T130000Z", berlin("RDATE", "20260701T100000"))
        assert busy(event) == [
            "03-02 09:00 > 03-02 09:30",
            "03-10 12:00 > 03-10 12:30",
            "03-12 13:00 > 03-12 13:30",
            "07-01 08:00 > 07-01 08:30",
        ]

    def test_added_periods_have_their_own_length(self) -> None:
        event = vevent(*HALF_HOUR, "RDATE;VALUE=PERIOD:20260310T120000Z/PT2H,20260312T120000Z/20260312T121500Z")
        assert busy(event) == [
            "03-02 09:00 > 03-02 09:30",
            "03-10 12:00 > 03-10 14:00",
            "03-12 12:00 > 03-12 12:15",
        ]

    def test_an_added_day_in_a_series_of_times_is_not_understood_and_blocks(self) -> None:
        expansion = expanded(vevent(*HALF_HOUR, "RDATE;VALUE=DATE:20260201"))
        assert written(expansion) == ["01-31 23:00 > 01-01 00:00"]
        assert expansion.problem == "a series of times lists a date without a time"

    def test_until_as_a_date_includes_that_day(self) -> None:
        event = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;UNTIL=20260303")
        assert busy(event) == ["03-02 09:00 > 03-02 09:30", "03-03 09:00 > 03-03 09:30"]

    @pytest.mark.parametrize("until", ["20260303T090000Z", "20260303T100000"])
    def test_until_includes_its_own_moment_in_utc_or_as_wall_time(self, until: str) -> None:
        assert len(busy(vevent(*HALF_HOUR, f"RRULE:FREQ=DAILY;UNTIL={until}"))) == 2

    def test_until_before_an_instance_leaves_it_out(self) -> None:
        assert len(busy(vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;UNTIL=20260303T085959Z"))) == 1

    def test_the_start_counts_even_where_the_rule_does_not_match_it(self) -> None:
        # 2 March 2026 is a Monday.
        event = vevent(*HALF_HOUR, "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=1")
        assert busy(event) == ["03-02 09:00 > 03-02 09:30", "03-03 09:00 > 03-03 09:30"]

    def test_the_last_friday_of_each_month_is_found(self) -> None:
        event = vevent(berlin("DTSTART", "20260130T100000"), "DURATION:PT30M", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3")
        assert busy(event) == [
            "01-30 09:00 > 01-30 09:30",
            "02-27 09:00 > 02-27 09:30",
            "03-27 09:00 > 03-27 09:30",
        ]

    def test_several_series_and_events_may_stand_in_one_object(self) -> None:
        one = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2", uid="one")
        two = vevent("DTSTART:20260401T090000Z", "DURATION:PT1H", uid="two")
        assert busy(one, two) == [
            "03-02 09:00 > 03-02 09:30",
            "03-03 09:00 > 03-03 09:30",
            "04-01 09:00 > 04-01 10:00",
        ]

    def test_two_events_of_one_uid_both_block(self) -> None:
        one = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2", "SEQUENCE:1")
        two = vevent("DTSTART:20260401T090000Z", "DURATION:PT1H", "SEQUENCE:9")
        three = vevent("DTSTART:20260501T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=1")
        assert len(busy(one, two, three)) == 4

    def test_a_night_ends_by_its_wall_time(self) -> None:
        event = vevent(
            berlin("DTSTART", "20260327T220000"), berlin("DTEND", "20260328T060000"), "RRULE:FREQ=DAILY;COUNT=2"
        )
        assert busy(event) == ["03-27 21:00 > 03-28 05:00", "03-28 21:00 > 03-29 04:00"]

    def test_a_length_in_hours_is_never_cut_by_the_clock_change(self) -> None:
        event = vevent(berlin("DTSTART", "20260327T220000"), "DURATION:PT8H", "RRULE:FREQ=DAILY;COUNT=2")
        assert busy(event) == ["03-27 21:00 > 03-28 05:00", "03-28 21:00 > 03-29 05:00"]


class TestTheHoursTheClockChanges:
    def test_an_event_in_the_repeated_hour_means_the_first(self) -> None:
        event = vevent(berlin("DTSTART", "20261025T021500"), berlin("DTEND", "20261025T024500"))
        assert busy(event) == ["10-25 00:15 > 10-25 00:45"]

    def test_an_override_in_the_second_of_the_repeated_hours_given_in_utc_is_exact(self) -> None:
        master = vevent(berlin("DTSTART", "20261024T100000"), "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=2")
        moved = vevent("RECURRENCE-ID:20261025T090000Z", "DTSTART:20261025T013000Z", "DTEND:20261025T014500Z")
        assert busy(master, moved) == ["10-24 08:00 > 10-24 08:30", "10-25 01:30 > 10-25 01:45"]

    def test_an_event_in_the_gap_takes_the_offset_before_it(self) -> None:
        event = vevent(berlin("DTSTART", "20260329T023000"), berlin("DTEND", "20260329T033000"))
        assert busy(event) == ["03-29 01:30 > 03-29 02:30"]

    def test_an_event_that_starts_in_the_gap_and_ends_right_after_keeps_its_length(self) -> None:
        event = vevent(berlin("DTSTART", "20260329T023000"), berlin("DTEND", "20260329T030000"))
        assert busy(event) == ["03-29 01:30 > 03-29 02:00"]

    def test_an_instance_in_the_gap_keeps_its_length(self) -> None:
        event = vevent(
            berlin("DTSTART", "20260328T023000"), berlin("DTEND", "20260328T030000"), "RRULE:FREQ=DAILY;COUNT=2"
        )
        assert busy(event) == ["03-28 01:30 > 03-28 02:00", "03-29 01:30 > 03-29 02:00"]

    def test_a_series_that_begins_across_the_repeated_hour_is_not_lost(self) -> None:
        # From 02:45 the first time to 02:15 the second time: half an hour.
        event = vevent("DTSTART;TZID=Europe/Berlin:20261025T024500", "DTEND:20261025T011500Z", "RDATE:20261101T014500Z")
        assert busy(event) == ["10-25 00:45 > 10-25 01:15", "11-01 01:45 > 11-01 02:15"]

    def test_half_an_hour_of_summer_time_is_read(self) -> None:
        # Lord Howe goes from +11 to +10:30 on 5 April 2026.
        event = vevent("DTSTART;TZID=Australia/Lord_Howe:20260404T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
        assert busy(event) == ["04-03 23:00 > 04-04 00:00", "04-04 23:30 > 04-05 00:30"]


CUSTOM = "\r\n".join(
    [
        "BEGIN:VTIMEZONE",
        "TZID:{name}",
        "{more}BEGIN:STANDARD",
        "DTSTART:16010101T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0200",
        "END:STANDARD",
        "BEGIN:DAYLIGHT",
        "DTSTART:16010101T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0300",
        "END:DAYLIGHT",
        "END:VTIMEZONE",
        "",
    ]
)
TEN = "DTSTART;TZID={name}:20260302T100000"
UNKNOWN = "the time zone of an event is not known, it blocks wherever that may be"


def defined(name: str, *, more: str = "") -> str:
    return CUSTOM.format(name=name, more=more)


class TestZones:
    def test_a_zone_the_object_defines_is_used_on_both_sides_of_the_clock_change(self) -> None:
        event = vevent(TEN.format(name="Customized Time Zone 1"), "DURATION:PT1H", "RDATE:20260701T070000Z")
        assert busy(defined("Customized Time Zone 1"), event) == [
            "03-02 08:00 > 03-02 09:00",
            "07-01 07:00 > 07-01 08:00",
        ]

    def test_one_name_may_mean_different_zones_in_different_objects(self) -> None:
        event = vevent(TEN.format(name="Ours"), "DURATION:PT1H")
        west = defined("Ours").replace("+0300", "-0400").replace("+0200", "-0500")
        assert busy(defined("Ours"), event) == ["03-02 08:00 > 03-02 09:00"]
        assert busy(west, event) == ["03-02 15:00 > 03-02 16:00"]

    def test_a_known_name_wins_over_the_definition(self) -> None:
        event = vevent(TEN.format(name="Europe/Berlin"), "DURATION:PT1H")
        assert busy(defined("Europe/Berlin"), event) == ["03-02 09:00 > 03-02 10:00"]

    def test_the_place_a_definition_names_is_used(self) -> None:
        event = vevent(TEN.format(name="Home"), "DURATION:PT1H")
        zone = defined("Home", more="X-LIC-LOCATION:Asia/Kathmandu\r\n")
        assert busy(zone, event) == ["03-02 04:15 > 03-02 05:15"]

    @pytest.mark.parametrize(
        "name", ["W. Europe Standard Time", "/freeassociation.sourceforge.net/Europe/Berlin", '"Europe/Berlin"']
    )
    def test_names_of_other_programs_are_known(self, name: str) -> None:
        assert busy(vevent(TEN.format(name=name), "DURATION:PT1H")) == ["03-02 09:00 > 03-02 10:00"]

    def test_a_path_with_three_words_at_its_end_is_known(self) -> None:
        event = vevent(TEN.format(name="/x.org/1/America/Argentina/Salta"), "DURATION:PT1H")
        assert busy(event) == ["03-02 13:00 > 03-02 14:00"]

    def test_a_zone_nobody_knows_blocks_wherever_that_may_be_and_is_reported(self) -> None:
        # 10:00 at +14 is 20:00 UTC the day before, 11:00 at -12 is 23:00 UTC.
        expansion = expanded(vevent(TEN.format(name="Mars/Base"), "DURATION:PT1H"))
        assert written(expansion) == ["03-01 20:00 > 03-02 23:00"]
        assert expansion.problem == UNKNOWN

    def test_a_series_in_a_zone_nobody_knows_blocks_so_too(self) -> None:
        expansion = expanded(vevent(TEN.format(name="Mars/Base"), "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2"))
        assert written(expansion) == ["03-01 20:00 > 03-02 23:00", "03-08 20:00 > 03-09 23:00"]

    @pytest.mark.parametrize(
        "broken",
        [
            "BEGIN:VTIMEZONE\r\nTZID:Odd\r\nEND:VTIMEZONE\r\n",
            defined("Odd").replace("FREQ=YEARLY", "FREQ=SECONDLY"),
            defined("Odd").replace("TZOFFSETTO", "X-OFFSET"),
            defined("Odd", more="X-LONG:" + "x" * 100_001 + "\r\n"),
            defined(""),
            defined("Odd").replace("DTSTART:1601", "DTSTART;TZID=Europe:1601"),
            defined("Odd").replace("TZOFFSETFROM:+0300", "TZOFFSETFROM:+0300\r\nDTSTART:20000101T000000"),
        ],
    )
    def test_a_definition_that_can_not_be_used_makes_the_zone_unknown(self, broken: str) -> None:
        assert expanded(broken, vevent(TEN.format(name="Odd"), "DURATION:PT1H")).problem == UNKNOWN

    def test_a_name_with_commas_is_found_however_it_is_written(self) -> None:
        event = vevent(TEN.format(name='"(UTC+02:00) Helsinki, Kyiv"'), "DURATION:PT1H")
        for name in ("(UTC+02:00) Helsinki, Kyiv", "(UTC+02:00) Helsinki\\, Kyiv"):
            assert busy(defined(name), event) == ["03-02 08:00 > 03-02 09:00"]

    @pytest.mark.parametrize("more", ['X-FROM="a:b";', 'X-FROM="a;TZID=b:c";', "TZID=Asia/Tokyo;"])
    def test_the_zone_is_read_behind_other_parameters(self, more: str) -> None:
        event = vevent(f"DTSTART;{more}TZID=Europe/Berlin:20260302T100000", "DURATION:PT1H")
        assert busy(event) == ["03-02 09:00 > 03-02 10:00"]

    def test_a_name_that_is_a_folder_of_zones_is_no_zone(self) -> None:
        assert expanded(vevent("DTSTART;TZID=Europe;TZID=Europe:20260302T100000", "DURATION:PT1H")).problem == UNKNOWN

    def test_the_eleventh_zone_of_an_object_is_unknown(self) -> None:
        zones = [defined(f"Odd {number}") for number in range(11)]
        assert not expanded(*zones, vevent(TEN.format(name="Odd 9"), "DURATION:PT1H")).problem
        assert expanded(*zones, vevent(TEN.format(name="Odd 10"), "DURATION:PT1H")).problem == UNKNOWN

    def test_a_time_in_utc_stays_so_whatever_its_tzid_says(self) -> None:
        event = vevent("DTSTART;TZID=UTC:20260302T090000Z", "DURATION:PT1H")
        assert busy(event) == ["03-02 09:00 > 03-02 10:00"]


class TestFreeBusy:
    def test_published_busy_time_blocks_and_free_time_does_not(self) -> None:
        lines = [
            "BEGIN:VFREEBUSY",
            "UID:f",
            "FREEBUSY:20260302T090000Z/PT1H,20260303T090000Z/20260303T093000Z",
            "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260304T090000Z/PT1H",
            "FREEBUSY;FBTYPE=FREE:20260305T090000Z/PT1H",
            "END:VFREEBUSY",
            "",
        ]
        assert busy("\r\n".join(lines)) == [
            "03-02 09:00 > 03-02 10:00",
            "03-03 09:00 > 03-03 09:30",
            "03-04 09:00 > 03-04 10:00",
        ]

    def test_busy_time_that_can_not_be_read_blocks_the_window(self) -> None:
        expansion = expanded("BEGIN:VFREEBUSY\r\nUID:f\r\nFREEBUSY:nonsense\r\nEND:VFREEBUSY\r\n")
        assert expansion == Expansion((YEAR,), "f", "a part of the object can't be read")


class TestWhatIsNotUnderstood:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "   \r\n",
            "<html>Sign in</html>",
            "BEGIN:VEVENT\r\nDTSTART:20260302T090000Z\r\nEND:VEVENT\r\n",
            vcalendar(vevent(*HALF_HOUR))[:-20],
            vcalendar(vevent(*HALF_HOUR)).replace("END:VEVENT", "END:VTODO"),
            vcalendar("BEGIN:VEVENT\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\n"),
            "END:VCALENDAR\r\n",
        ],
    )
    def test_what_is_no_whole_object_blocks_the_window(self, text: str) -> None:
        expansion = expand(text, zone=BERLIN, window=YEAR, all_day_blocks=True)
        assert expansion.busy == (YEAR,)
        assert expansion.problem

    def test_the_uid_of_a_cut_object_is_kept(self) -> None:
        cut = vcalendar(vevent(*HALF_HOUR, uid="abc"))[:-20]
        assert expand(cut, zone=BERLIN, window=YEAR, all_day_blocks=True).uid == "abc"

    @pytest.mark.parametrize(
        "start", ["DTSTART:nonsense", "SUMMARY:none", "DTSTART:20260302T090000Z\r\nDTSTART:20260303"]
    )
    def test_an_event_without_a_readable_start_blocks_the_window(self, start: str) -> None:
        expansion = expanded(vevent(start, "DURATION:PT1H"))
        assert expansion == Expansion((YEAR,), "u-1", "the start of an event can't be read")

    def test_an_event_with_a_time_of_day_as_its_start_blocks_the_window(self) -> None:
        assert expanded(vevent("DTSTART;VALUE=TIME:100000")).busy == (YEAR,)

    @pytest.mark.parametrize(
        "line",
        [
            "DTEND:nonsense",
            "DURATION:nonsense",
            "DURATION:20260302T090000Z",
            "RRULE:FREQ=OFTEN",
            "RRULE:COUNT=3",
            "RRULE:FREQ=DAILY;BYHOUR=77",
            "RRULE:FREQ=DAILY;RSCALE=CHINESE",
            "RRULE:FREQ=YEARLY;BYEASTER=monday",
        ],
    )
    def test_what_has_a_start_blocks_from_there_to_the_end_of_the_window(self, line: str) -> None:
        expansion = expanded(vevent("DTSTART:20261201T090000Z", line))
        assert written(expansion) == ["12-01 09:00 > 01-01 00:00"]
        assert expansion.problem

    def test_in_a_zone_nobody_knows_it_blocks_from_the_earliest_it_may_be(self) -> None:
        expansion = expanded(vevent(TEN.format(name="Mars/Base"), "DTEND:nonsense"))
        assert written(expansion) == ["03-01 20:00 > 01-01 00:00"]
        series = expanded(vevent(TEN.format(name="Mars/Base"), "DURATION:PT1H", "RRULE:FREQ=SECONDLY"))
        assert written(series) == ["03-01 20:00 > 01-01 00:00"]

    def test_dates_that_can_not_be_read_may_be_anywhere(self) -> None:
        assert expanded(vevent(*HALF_HOUR, "RDATE:nonsense")).busy == (YEAR,)

    def test_a_broken_exclusion_leaves_its_instance_blocked_and_is_reported(self) -> None:
        expansion = expanded(vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:nonsense"))
        assert len(expansion.busy) == 2
        assert expansion.problem == "a part of an event can't be read (EXDATE), it blocks without it"

    def test_an_override_of_nobody_knows_what_blocks_besides_the_series(self) -> None:
        master = vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2")
        odd = vevent("RECURRENCE-ID:nonsense", "DTSTART:20260401T090000Z", "DURATION:PT1H")
        expansion = expanded(master, odd)
        assert len(expansion.busy) == 3
        assert "RECURRENCE-ID" in expansion.problem

    def test_an_exclusion_rule_is_reported_and_its_instances_block(self) -> None:
        expansion = expanded(vevent(*HALF_HOUR, "RRULE:FREQ=DAILY;COUNT=2", "EXRULE:FREQ=DAILY;COUNT=1"))
        assert len(expansion.busy) == 2
        assert "EXRULE" in expansion.problem

    def test_what_begins_after_the_window_is_reported_and_blocks_nothing(self) -> None:
        expansion = expanded(vevent("DTSTART:20300101T090000Z", "RRULE:FREQ=OFTEN"))
        assert expansion.busy == ()
        assert expansion.problem

    def test_one_broken_event_does_not_hide_the_others(self) -> None:
        expansion = expanded(vevent("DTSTART:20261201T090000Z", "DTEND:x", uid="a"), vevent(*HALF_HOUR, uid="b"))
        assert written(expansion) == ["03-02 09:00 > 03-02 09:30", "12-01 09:00 > 01-01 00:00"]

    def test_a_problem_never_tells_a_title(self) -> None:
        expansion = expanded(vevent("SUMMARY:Therapy", "DTSTART:Therapy", "DTEND:Therapy", "RRULE:Therapy"))
        assert expansion.problem
        assert "Therapy" not in expansion.problem

    def test_a_series_moved_by_an_unusable_override_blocks_from_its_start(self) -> None:
        master = vevent("DTSTART:99991230T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "RDATE:20261201T090000Z")
        moved = vevent(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:99991231T090000Z", "DTSTART:00010101T090000Z", "DTEND:00010101T100000Z"
        )
        assert expanded(master, moved).problem == "a series can't be expanded"


class TestTheEdgesOfTime:
    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
    @pytest.mark.parametrize(
        "lines",
        [
            ("DTSTART:00010101T000000", "DTEND:99991231T235959"),
            ("DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:99991231"),
            ("DTSTART;TZID=Mars/Base:00010101T000000", "DTEND;TZID=Mars/Base:99991231T235959"),
        ],
    )
    def test_an_event_of_all_time_blocks_all_time(self, lines: tuple[str, str], zone: str) -> None:
        (period,) = expanded(vevent(*lines), zone=ZoneInfo(zone)).busy
        assert period.start < YEAR.start
        assert period.end > YEAR.end

    @pytest.mark.parametrize(
        "lines",
        [
            ("DTSTART:99991231T235959", "DURATION:P1D"),
            ("DTSTART;VALUE=DATE:99991231",),
            ("DTSTART:99991231T235959Z",),
            ("DTSTART:99991231T235959", "DTEND:00010101T000000"),
            ("DTSTART:99991231T000000", "RRULE:FREQ=DAILY"),
            ("DTSTART:20260302T100000", "DURATION:-P999999999D"),
        ],
    )
    def test_the_last_day_there_is_breaks_nothing(self, lines: tuple[str, ...]) -> None:
        assert len(expanded(vevent(*lines)).busy) <= 1

    @pytest.mark.parametrize("length", ["P9999999D", "P999999999999D", "P3000000D"])
    def test_an_endless_series_of_endless_events_blocks_the_rest_of_the_window(self, length: str) -> None:
        expansion = expanded(vevent("DTSTART:20260302T090000Z", f"DURATION:{length}", "RRULE:FREQ=DAILY"))
        assert expansion.busy[0].start == datetime(2026, 3, 2, 9, tzinfo=UTC)
        assert max(period.end for period in expansion.busy) >= YEAR.end

    def test_a_window_around_now_is_what_counts_for_a_series_of_the_first_year(self) -> None:
        expansion = expanded(vevent("DTSTART:00010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY"))
        assert expansion.busy
        assert expansion.busy[0].end - expansion.busy[0].start >= timedelta(hours=1)
