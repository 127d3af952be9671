"""Runs the looks of an examination side by side, with one deadline for all of them; one examination at a time.

Nobody waits longer than that for a server that hangs. The threads end by the looks' own deadlines; until then the next
examination has to wait, so that an impatient owner can't fill the house with them.
"""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from booking.doctor import Finding, Look
from booking.errors import BookingError

THREADS: Final = 6

Answers = queue.SimpleQueue[tuple[str, Sequence[Finding] | None]]


class Busy(BookingError):
    """Another examination is under way."""


class Examiner:
    """At most one examination in this process."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    def examine(
        self, looks: Mapping[str, Look], seconds: float, *, unanswered: type[Exception]
    ) -> dict[str, Sequence[Finding] | None]:
        """Return what each look found within so many seconds; ``None`` for those that found nothing out.

        :param unanswered: the error that means that a look can't find anything out.
        :raises Busy: another examination is under way.
        """
        if not self._free.acquire(blocking=False):
            raise Busy("another examination is under way")
        ends = time.monotonic() + seconds
        waiting: queue.SimpleQueue[tuple[str, Look]] = queue.SimpleQueue()
        for each in looks.items():
            waiting.put(each)
        answers: Answers = queue.SimpleQueue()
        threads = [
            threading.Thread(target=_work, args=(waiting, answers, ends, unanswered), daemon=True)
            for _ in range(min(THREADS, len(looks)))
        ]
        for thread in threads:
            thread.start()
        threading.Thread(target=self._end, args=(threads,), daemon=True).start()
        return _collected(answers, len(looks), ends)

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            thread.join()
        self._free.release()


def _work(
    waiting: "queue.SimpleQueue[tuple[str, Look]]", answers: Answers, ends: float, unanswered: type[Exception]
) -> None:
    while time.monotonic() < ends:
        try:
            name, look = waiting.get_nowait()
        except queue.Empty:
            return
        found: Sequence[Finding] | None = None
        try:
            found = list(look())
        except unanswered:
            continue
        finally:
            answers.put((name, found))


def _collected(answers: Answers, count: int, ends: float) -> dict[str, Sequence[Finding] | None]:
    found: dict[str, Sequence[Finding] | None] = {}
    while len(found) < count:
        try:
            name, answer = answers.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            break
        found[name] = answer
    return found
