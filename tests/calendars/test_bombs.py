"""Objects that are made (or happen) to cost too much: each is over soon, and what it hides is never free."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from booking.calendars.expand import Expansion, expand
from booking.rules.period import Period
from tests.calendars.test_expand import defined, vcalendar, vevent

WINDOW: Final = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC))
START: Final = "DTSTART:20261105T090000Z"
NEVER: Final = "BYMONTH=2;BYMONTHDAY=30"
HOURS: Final = ",".join(str(hour) for hour in range(24))
SIXTY: Final = ",".join(str(number) for number in range(60))
MEGABYTE: Final = 2**20


def rule(text: str) -> Callable[[], str]:
    return lambda: vcalendar(vevent(START, "DURATION:PT30M", f"RRULE:{text}"))


def overrides(count: int) -> str:
    rows = [vevent(START, "DURATION:PT30M", "RRULE:FREQ=DAILY")]
    rows += [
        vevent(f"RECURRENCE-ID:{20270101 + n % 28}T{n % 24:02}{n // 24 % 60:02}00Z", START, "DURATION:PT1H")
        for n in range(count)
    ]
    return vcalendar(*rows)


def zone(rule: str, *, observances: int = 40, first: str = "00010101T000000") -> Callable[[], str]:
    rows = "".join(
        f"BEGIN:STANDARD\r\nDTSTART:{first}\r\n{rule}\r\n"
        f"TZOFFSETFROM:+0{n % 9}00\r\nTZOFFSETTO:+0{(n + 1) % 9}00\r\nEND:STANDARD\r\n"
        for n in range(observances)
    )
    definition = f"BEGIN:VTIMEZONE\r\nTZID:Bomb\r\n{rows}END:VTIMEZONE\r\n"
    return lambda: vcalendar(definition, vevent("DTSTART;TZID=Bomb:20261105T090000", "DURATION:PT30M"))


BOMBS: Final[dict[str, Callable[[], str]]] = {
    "every second": rule("FREQ=SECONDLY"),
    "every minute": rule("FREQ=MINUTELY"),
    "no interval": rule("FREQ=DAILY;INTERVAL=0"),
    "each second of the day": rule(f"FREQ=DAILY;BYHOUR={HOURS};BYMINUTE={SIXTY};BYSECOND={SIXTY}"),
    **{
        f"never, {often}": rule(f"FREQ={often};{NEVER}")
        for often in ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
    },
    "never, with a minute": rule(f"FREQ=MINUTELY;BYHOUR=3;BYMINUTE=1;{NEVER}"),
    "never, with a second": rule(f"FREQ=SECONDLY;BYHOUR=3;BYSECOND=1;{NEVER}"),
    "hourly since the first year": lambda: vcalendar(
        vevent("DTSTART:00010101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY")
    ),
    "a thousand rules": lambda: vcalendar(
        vevent(START, "DURATION:PT1M", *[f"RRULE:FREQ=DAILY;BYMINUTE={n % 60}" for n in range(1000)])
    ),
    "a thousand series": lambda: vcalendar(
        *[vevent("DTSTART:20000101T000000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY", uid=f"{n}") for n in range(1000)]
    ),
    "too many dates": lambda: vcalendar(
        vevent(START, "DURATION:PT1M", "RDATE:" + ",".join(["20261105T090000Z"] * 200_000))
    ),
    "too many exclusions": lambda: vcalendar(
        vevent(START, "DURATION:PT1M", "RRULE:FREQ=DAILY", *["EXDATE:20261106T090000Z"] * 100_000)
    ),
    "too many components": lambda: vcalendar(*[vevent(START, "DURATION:PT1M")] * 10_001),
    "4 MB in the UID": lambda: vcalendar(vevent(START, "DURATION:PT1M", uid="x" * 4 * MEGABYTE)),
    "too many events": lambda: vcalendar(*[vevent(START, "DURATION:PT1M")] * 1_501),
    "deeply nested": lambda: "BEGIN:VCALENDAR\r\n" * 50_000,
    "more than 5 MB": lambda: vcalendar(vevent(START, "DURATION:PT1M", "DESCRIPTION:" + "x" * 6 * MEGABYTE)),
}
HEAVY: Final[dict[str, Callable[[], str]]] = {
    "a folded line of 4 MB": lambda: vcalendar(vevent(START, "DURATION:PT1M", "X:" + "x\r\n " * (4 * MEGABYTE // 4))),
    "as many events as may be": lambda: vcalendar(
        *[vevent(START, "DURATION:PT1M", "STATUS:CONFIRMED", uid=f"u{n}") for n in range(1_500)]
    ),
    "as many overrides as may be": lambda: overrides(1_000),
    "a zone by the second": lambda: vcalendar(
        defined("Odd").replace("YEARLY", "SECONDLY"), vevent("DTSTART;TZID=Odd:20261105T090000", "DURATION:PT1M")
    ),
    "hourly": rule("FREQ=HOURLY"),
    "each second of the year": rule(f"FREQ=YEARLY;BYHOUR={HOURS};BYMINUTE={SIXTY};BYSECOND={SIXTY};BYSETPOS=-1"),
}
ZONES: Final[dict[str, Callable[[], str]]] = {
    "a zone that changes daily": zone("RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", observances=1),
    "a zone that never changes": zone(f"RRULE:FREQ=YEARLY;{NEVER}", observances=1),
    "a zone that changes in too many ways": zone("RRULE:FREQ=YEARLY", first="20200101T000000"),
    "a zone that leaves out every day": zone("RRULE:FREQ=YEARLY\r\nEXRULE:FREQ=DAILY", observances=1),
}


def explode(make: Callable[[], str]) -> Expansion:
    return expand(make(), zone=ZoneInfo("Europe/Berlin"), window=WINDOW, all_day_blocks=True)


@pytest.mark.parametrize("name", BOMBS)
def test_an_offender_blocks_from_its_start_to_the_end_of_the_window_and_is_reported(name: str) -> None:
    began = time.process_time()
    expansion = explode(BOMBS[name])
    assert time.process_time() - began < 2
    assert expansion.problem
    assert min(period.start for period in expansion.busy) <= datetime(2026, 11, 5, 9, tzinfo=UTC)
    assert max(period.end for period in expansion.busy) == WINDOW.end


@pytest.mark.parametrize("name", ZONES)
def test_a_zone_that_costs_too_much_is_unknown_and_its_event_blocks_wherever_that_may_be(name: str) -> None:
    began = time.process_time()
    expansion = explode(ZONES[name])
    assert time.process_time() - began < 2
    assert expansion.problem
    assert expansion.busy == (Period(datetime(2026, 11, 4, 19, tzinfo=UTC), datetime(2026, 11, 5, 21, 30, tzinfo=UTC)),)


@pytest.mark.parametrize("name", HEAVY)
def test_what_is_only_heavy_is_expanded_in_time(name: str) -> None:
    began = time.process_time()
    assert explode(HEAVY[name]).busy
    assert time.process_time() - began < 2


def test_none_of_them_takes_more_than_256_mb() -> None:
    script = (
        "import json, resource\n"
        "from tests.calendars.test_bombs import BOMBS, HEAVY, ZONES, explode\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "for make in (BOMBS | HEAVY | ZONES).values(): explode(make)\n"
        "print(json.dumps((peak() - before) // 1024))\n"
    )
    measured = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # it would take memory
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=measured)
    assert json.loads(result.stdout) <= 256
