"""Keeps recurrence rules that would cost too much away from the expansion (RRULE bombs). Pure arithmetic.

A rule that matches nothing makes the library walk to the year 9999, one by the second never ends. Here every rule is
walked once under a budget that counts the library's steps, whatever makes them many.
"""

from datetime import datetime
from typing import Any, Final

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrulestr  # type: ignore[import-untyped]

DAYS_PER_STEP: Final = {YEARLY: 366, MONTHLY: 31, WEEKLY: 7, DAILY: 1}
MOST_DAYS: Final = 60_000
"""Days all rules of an object may look at: under half a second."""
MOST_WALKED: Final = 25_000
"""Instances since the rules began: daily for sixty-eight years."""
MOST_TAKEN: Final = 6_000
"""Instances around the window: hourly for eight months."""


class NotUnderstood(Exception):
    """An event, or a whole object, can't be read.

    :ivar since: when what can't be read may begin; ``None``: nobody can know.
    """

    def __init__(self, problem: str, since: datetime | None = None) -> None:
        super().__init__(problem)
        self.since = since


class _CostlyStep(int):
    """An interval that counts how often it is added, and stops the walk when the budget is spent."""

    left: int

    def __new__(cls, interval: int, left: int) -> "_CostlyStep":
        step = super().__new__(cls, interval)
        step.left = left
        return step

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise NotUnderstood("a recurrence rule has too many steps")

    def __radd__(self, other: Any) -> Any:
        self._spend()
        return int(other) + int(self)

    def __mul__(self, other: Any) -> Any:
        self._spend()
        return int(self) * int(other)


class Budget:
    """What the rules of one object may cost together."""

    def __init__(self, *, days: int = MOST_DAYS, walked: int = MOST_WALKED, taken: int = MOST_TAKEN) -> None:
        self._days = days
        self._walked = walked
        self._taken = taken

    def check(self, rule: str, start: datetime, since: datetime, until: datetime) -> None:
        """Walk a rule from its start to ``until`` (wall times).

        :param rule: the value of an RRULE whose UNTIL, if any, is a wall time or a date.
        :param since: from when on instances are taken; those before cost less.
        :raises NotUnderstood: it can't be read, or would cost more than is left.
        """
        try:
            self._walk(rrulestr(rule, dtstart=start), since, until)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise NotUnderstood("a recurrence rule can't be read") from error

    def _walk(self, rule: Any, since: datetime, until: datetime) -> None:
        days = DAYS_PER_STEP.get(rule._freq, 1)
        step = _CostlyStep(rule._interval, self._days // days)
        rule._interval = step  # the library's own loop adds it once per step
        for instance in rule:
            self._walked -= 1
            self._taken -= instance >= since
            if self._walked < 0 or self._taken < 0:
                raise NotUnderstood("a recurrence rule has too many instances")
            if instance > until:
                break
        self._days = step.left * days
