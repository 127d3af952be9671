"""Periods of time and the packed timeline of busy ones.

A period is half-open, ``[start, end)``, in aware UTC. A :class:`Timeline` is the union of many
periods, packed as epoch seconds, because a page that reads one packed row is several times
faster than one that reads a row per event.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

_EVER: Final = 1 << 62


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open span ``[start, end)`` of aware UTC moments; ``start <= end``."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period needs moments with a time zone")
        if self.end < self.start:
            raise ValueError(f"a period can't end before it starts: {self.start} – {self.end}")

    def overlaps(self, other: Self) -> bool:
        """Say whether the two share any time; periods that only touch do not."""
        return self.start < other.end and other.start < self.end

    def padded(self, before: timedelta, after: timedelta) -> "Period":
        """Return the period widened by buffers on both sides."""
        return Period(self.start - before, self.end + after)


class Timeline:
    """The union of busy periods: sorted, disjoint, not touching, in epoch seconds UTC."""

    __slots__ = ("_edges",)

    def __init__(self, edges: "array[int]") -> None:
        """Take ``start, end, start, end, …`` already merged; use :meth:`of` for anything else."""
        self._edges = edges

    @classmethod
    def of(cls, periods: Iterable[Period]) -> Self:
        """Merge periods in any order. A period without length blocks nothing."""
        spans = sorted((int(p.start.timestamp()), -int(-p.end.timestamp() // 1)) for p in periods if p.start < p.end)
        return cls.of_spans(spans)

    @classmethod
    def of_spans(cls, spans: Iterable[tuple[int, int]]) -> Self:
        """Merge ``(start, end)`` pairs of epoch seconds that are sorted by their start."""
        edges: list[int] = []  # an array makes a new number for each look at it: half as fast
        for start, end in spans:
            if edges and start <= edges[-1]:
                edges[-1] = max(edges[-1], end)
            else:
                edges += (start, end)
        return cls(array("q", edges))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Read what :meth:`pack` wrote."""
        edges: array[int] = array("q")
        edges.frombytes(packed)
        return cls(edges)

    def pack(self) -> bytes:
        """Return the edges as bytes (int64, this machine's byte order)."""
        return self._edges.tobytes()

    @property
    def edges(self) -> "array[int]":
        """The merged edges ``start, end, start, end, …`` in epoch seconds; not to be changed."""
        return self._edges

    def union(self, others: Iterable["Timeline"]) -> "Timeline":
        """Return the union with other timelines."""
        return Timeline.of_spans(sorted(span for line in (self, *others) for span in line.spans()))

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield ``(start, end)`` in epoch seconds."""
        return zip(self._edges[::2], self._edges[1::2], strict=True)

    def periods(self) -> list[Period]:
        """Return the periods as moments in UTC."""
        return [
            Period(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for start, end in self.spans()
        ]

    def is_free(self, start: int, end: int) -> bool:
        """Say whether ``[start, end)``, in epoch seconds, overlaps no busy period."""
        return bool(self.free_starts((start,), before=0, after=end - start))

    def free_starts(self, starts: Sequence[float], *, before: int, after: int) -> Sequence[float]:
        """Return those of ``starts`` for which ``[start - before, start + after)`` overlaps no busy period.

        All of them are epoch seconds; ``starts`` are sorted, ``before + after`` is more than nothing. It leaps over
        what one busy period refuses and over what lies between two, so the shorter of the two lists decides the cost.
        """
        edges, count, index = self._edges, len(self._edges), 0
        free: list[float] = []
        position = 0
        while position < len(starts):
            # The number of edges up to a moment is odd inside of a busy period.
            index = bisect_right(edges, starts[position] - before, index)
            if index == count:
                free += starts[position:]
                break
            if index % 2 == 0:
                last = bisect_right(starts, edges[index] - after, position)
                free += starts[position:last]
                position, index = last, index + 1
            position = bisect_left(starts, edges[index] + before, position)
        return free

    def inverted(self) -> "Timeline":
        """Return everything else: the time, from ever to ever, that these periods leave."""
        return Timeline(array("q", (-_EVER, *self._edges, _EVER)))

    def clipped(self, start: int, end: int) -> "Timeline":
        """Return only the periods that overlap ``[start, end)``, uncut."""
        first = bisect_right(self._edges, start) & ~1
        last = (bisect_left(self._edges, end) + 1) & ~1
        return Timeline(self._edges[first:last])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeline) and self._edges == other._edges

    def __hash__(self) -> int:
        return hash(self._edges.tobytes())

    def __len__(self) -> int:
        return len(self._edges) // 2
