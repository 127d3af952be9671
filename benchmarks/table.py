"""One figure, what it is held against, and the table of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

COLUMNS = ("what", "measured", "against", "ratio", "target", "holds")


@dataclass(frozen=True)
class Line:
    """One line of the table. ``holds`` is ``None`` where there is no target."""

    what: str
    measured: str
    against: str = ""
    ratio: str = ""
    target: str = ""
    holds: bool | None = None


def compare(what: str, times: Sequence[float], floor: str, floors: Sequence[float], at_most: float = 0.0) -> Line:
    """Hold the median of some times (seconds) against that of their floor; ``at_most`` 0 is no target."""
    mine, other = median(times), median(floors)
    ratio = mine / other
    target = f"≤ {at_most:g}×" if at_most else ""
    holds = ratio <= at_most if at_most else None
    return Line(what, duration(mine), f"{floor}: {duration(other)}", f"{ratio:.2f}×", target, holds)


def duration(seconds: float) -> str:
    """Write a time with three digits."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def percentile(times: Sequence[float], part: float) -> float:
    """Return the time that this part of all (0 to 1) does not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def markdown(lines: Iterable[Line]) -> str:
    """Write the lines as a table."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    words = {True: "yes", False: "**no**", None: ""}
    rows += [(a.what, a.measured, a.against, a.ratio, a.target, words[a.holds]) for a in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
