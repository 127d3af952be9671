"""Asks several calendars at once, with one deadline for all of them.

Nobody waits longer than that for a server that hangs. Its threads end by the calendar's own deadline; until then one
calendar takes half of them at most, so that the others stay free for everybody else.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from booking.calendars.port import CalendarError, Changes, Unreachable

THREADS: Final = 8

Found = TypeVar("Found")


class Busy(Unreachable):
    """So many questions are open that this one was not asked; ask again in a few seconds."""


Answer = Changes | CalendarError
Answers = queue.SimpleQueue[tuple[int, Answer]]


class Pool:
    """A bounded number of daemon threads, each started for one reading and ending with it."""

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(threads)
        self._lock = threading.Lock()
        self._most_for_one = max(1, threads // 2)
        self._asked: Counter[int] = Counter()

    def read_all(self, targets: Mapping[int, Callable[[], Changes]], *, timeout: float) -> dict[int, Answer]:
        """Return what each calendar answers within ``timeout`` seconds; see :func:`read_all`."""
        ends = time.monotonic() + timeout
        answers: Answers = queue.SimpleQueue()
        for key, read in targets.items():
            self._begin(key, read, answers, ends)
        found: dict[int, Answer] = {}
        while len(found) < len(targets):
            try:
                key, answer = answers.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                break
            found[key] = answer
        return {key: found.get(key, Unreachable("the calendar did not answer in time")) for key in targets}

    def _begin(self, key: int, read: Callable[[], Changes], answers: Answers, ends: float) -> None:
        if not self._count_in(key):
            answers.put((key, Unreachable("the calendar has not answered earlier questions yet")))
        elif not self._free.acquire(timeout=max(0.0, ends - time.monotonic())):
            self._count_out(key)
            answers.put((key, Unreachable("too many calendars are being asked at the moment")))
        else:
            threading.Thread(target=self._read, args=(key, read, answers), name=f"calendar-{key}", daemon=True).start()

    def _count_in(self, key: int) -> bool:
        with self._lock:
            is_free = self._asked[key] < self._most_for_one
            self._asked[key] += is_free
            return is_free

    def _count_out(self, key: int) -> None:
        with self._lock:
            self._asked[key] -= 1
            self._asked += Counter()  # forgets those that stand at nought

    def _read(self, key: int, read: Callable[[], Changes], answers: Answers) -> None:
        answer: Answer = Unreachable("the calendar could not be read")
        try:
            answer = read()
        except CalendarError as error:
            answer = error
        finally:
            self._count_out(key)
            self._free.release()
            answers.put((key, answer))


_pool: Final = Pool(THREADS)


def read_all(targets: Mapping[int, Callable[[], Changes]], *, timeout: float) -> dict[int, Answer]:
    """Ask calendars at once and return what each answers, by its key, within ``timeout`` seconds.

    One that has not answered by then, or that finds no free thread, is an :class:`Unreachable`. An error that
    is no ``CalendarError`` is a mistake of ours: it ends the thread with its traceback, and counts as unreachable.

    :param targets: by the calendar's id, what opens, reads and closes it; it must come to an end by itself.
    """
    return _pool.read_all(targets, timeout=timeout)


_few: Final = threading.BoundedSemaphore(2)
"""Questions that an owner asks from the desk, in one process: the pages of clients need its threads."""


def ask_now(question: Callable[[], Found], *, timeout: float) -> Found:
    """Ask a server for the owner who waits for the answer, in a thread of its own; a few questions at once at most.

    :param question: must come to an end by itself.
    :raises Busy: too many questions are open.
    :raises Unreachable: there is no answer within ``timeout`` seconds.
    :raises CalendarError: what the question raised.
    """
    answers: queue.SimpleQueue[Found | CalendarError] = queue.SimpleQueue()

    def ask() -> None:
        answer: Found | CalendarError = Unreachable("the server could not be asked")
        try:
            answer = question()
        except CalendarError as error:
            answer = error
        finally:
            _few.release()
            answers.put(answer)

    if not _few.acquire(blocking=False):
        raise Busy("other calendars are being asked at the moment; try again in a few seconds")
    threading.Thread(target=ask, name="calendar-desk", daemon=True).start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty as error:
        raise Unreachable("the server did not answer in time") from error
    if isinstance(found, CalendarError):
        raise found
    return found
