"""Keeps recurrence rules that would cost too much away from the expansion (RRULE bombs). Pure arithmetic.

A rule that matches nothing makes the library walk to the year 9999, one by the second never ends. Here every rule is
walked once under a budget that counts the library's steps, whatever makes them many.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr

from booking.calendars.components import NotUnderstood

DAYS_PER_STEP: Final = {YEARLY: 366, MONTHLY: 31, WEEKLY: 7, DAILY: 1}
MOST_DAYS: Final = 200_000
"""Days all rules of an object may look at: about half a second on a slow machine."""
MOST_INSTANCES: Final = 10_000


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

    def __init__(self) -> None:
        self._days = MOST_DAYS
        self._instances = MOST_INSTANCES

    def check(self, rule: str, start: datetime, until: datetime) -> None:
        """Walk a rule from ``start`` to ``until`` (wall times).

        :param rule: the value of an RRULE whose UNTIL, if any, is a wall time or a date.
        :raises NotUnderstood: it can't be read, or would cost more than is left.
        """
        try:
            walk = rrulestr(rule, dtstart=start)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise NotUnderstood("a recurrence rule can't be read") from error
        if not isinstance(walk, rrule):
            raise NotUnderstood("a recurrence rule can't be read")
        days = DAYS_PER_STEP.get(walk._freq, 1)
        step = _CostlyStep(walk._interval, self._days // days)
        walk._interval = step  # the library's own loop adds it once per step
        try:
            for instance in walk:
                self._instances -= 1
                if self._instances < 0:
                    raise NotUnderstood("a recurrence rule has too many instances")
                if instance > until:
                    break
        except (ValueError, TypeError, ArithmeticError) as error:
            raise NotUnderstood("a recurrence rule can't be read") from error
        self._days = step.left * days

    def farthest(self, start: datetime, shift: timedelta) -> datetime:
        """Return a wall time moved by what overrides move their series, at most by a year.

        :raises NotUnderstood: it is moved farther.
        """
        if abs(shift) > timedelta(days=366):
            raise NotUnderstood("a part of a series is moved by more than a year")
        return start + abs(shift)
