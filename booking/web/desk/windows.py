"""The field in which the hours of one day are typed: rows of from and to; a row says itself what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from wtforms import Field, ValidationError
from wtforms.form import BaseForm

from booking.rules.hours import MINUTES_A_DAY, Window, Windows
from booking.web.context import gettext
from booking.web.desk.fields import read_clock
from booking.web.desk.spoken import clock

MOST_WINDOWS: Final = 8
"""Of one day."""


@dataclass
class Row:
    """One row as it was typed; ``problem`` says why it can't be used."""

    begins: str = ""
    ends: str = ""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing was typed."""
        return not self.begins and not self.ends


class Hours(Field):  # type: ignore[misc]
    """The hours of one day. As many rows are read as were shown, at most :data:`MOST_WINDOWS`."""

    def __init__(self, least: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least = least
        self.rows: list[Row] = []
        self.windows: Windows = ()
        """What was typed, sorted; only after the form was validated."""

    def process(self, formdata: Any, data: Any = None, extra_filters: object = None) -> None:
        """Read the rows that were sent; without any, show the hours the form was filled with."""
        self.process_errors: list[str] = []
        numbers = [n for n in range(MOST_WINDOWS) if formdata and f"{self.name}-{n}-from" in formdata]
        if numbers:
            self.rows = [
                Row(*(formdata.get(f"{self.name}-{n}-{end}", "").strip() for end in ("from", "to"))) for n in numbers
            ]
            self.show(self.least)
        else:
            self.fill(data or ())

    def fill(self, windows: Sequence[Window]) -> None:
        """Show these hours."""
        self.rows = [Row(_written(window.start), _written(window.end)) for window in windows]
        self.show(self.least)

    def copy(self, rows: Sequence[Row]) -> None:
        """Show what was typed in the rows of another day."""
        self.rows = [Row(row.begins, row.ends) for row in rows if not row.is_empty]
        self.show(self.least)

    def show(self, count: int) -> None:
        """Show so many rows at least."""
        missing = min(count, MOST_WINDOWS) - len(self.rows)
        self.rows += [Row() for _ in range(missing)]

    def pre_validate(self, form: BaseForm) -> None:
        """Read what was typed; name the first problem, and note every one at its row."""
        read = [(row, window) for row in self.rows if (window := _read(row)) is not None]
        read.sort(key=lambda pair: pair[1])
        for (_, earlier), (row, later) in pairwise(read):
            if later.start < earlier.end:
                row.problem = gettext(
                    "This overlaps with %(begins)s–%(ends)s.", begins=clock(earlier.start), ends=clock(earlier.end)
                )
        problem = next((row.problem for row in self.rows if row.problem), "")
        if problem:
            raise ValidationError(problem)
        self.windows = tuple(window for _, window in read)


def _read(row: Row) -> Window | None:
    """Read one row; where it can't be used, note why."""
    if row.is_empty:
        return None
    begins, ends = read_clock(row.begins), read_clock(row.ends)
    if begins is None or ends is None:
        is_half = not row.begins or not row.ends
        row.problem = gettext("Fill in both times, or none.") if is_half else gettext("Write the time like 09:30.")
        return None
    ends = ends or MINUTES_A_DAY  # no time field can hold 24:00
    if ends <= begins:
        row.problem = gettext("This ends before it begins.")
        return None
    return Window(begins, ends)


def _written(minute: int) -> str:
    """Write a time of day as time fields take it: the midnight that ends a day is 00:00."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
