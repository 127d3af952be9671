"""All that speaks against one time, not only the first of it."""

from datetime import timedelta

import pytest

from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.slots import Reason, all_reasons, why_not
from tests.rules.scenes import MONDAY, agenda, busy, held, local, rules, span

TEN_TO_TWELVE = "mon 10:00-12:00"


def test_every_reason_is_named_once_in_the_order_of_the_rules() -> None:
    away = Timetable(parse_weekly(TEN_TO_TWELVE), absences=(Absence(MONDAY, MONDAY),))
    scene = agenda(away, call=rules(after=10), busy=busy(span("09:00", "13:00")), held=(held("11:00"),))
    assert all_reasons(scene, local("11:10")) == (
        Reason.ABSENCE,
        Reason.OUTSIDE_HOURS,
        Reason.OFF_STEP,
        Reason.BUSY,
        Reason.BUFFER,
    )


def test_what_is_too_soon_can_be_busy_too() -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(notice=60 * 24 * 30), busy=busy(span("10:00", "11:00")))
    assert all_reasons(scene, local("10:00"))[0] == Reason.TOO_SOON
    assert Reason.BUSY in all_reasons(scene, local("10:00"))


@pytest.mark.parametrize("minutes", range(0, 240, 15))
def test_there_is_a_reason_exactly_where_a_time_is_not_offered_and_the_first_is_the_one_named(minutes: int) -> None:
    scene = agenda(TEN_TO_TWELVE, call=rules(before=10, after=10), busy=busy(span("10:45", "11:10")))
    start = local("09:00") + timedelta(minutes=minutes)
    found = all_reasons(scene, start)
    assert (found[0] if found else None) == why_not(scene, start)
