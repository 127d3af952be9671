"""Asks several calendars at once, with one deadline for all of them.

Nobody waits longer than that for a server that hangs. Its thread ends by the calendar's own deadline; until then that
calendar is not asked again, so that it takes one thread at most and the others stay free for everybody else.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from booking.calendars.port import CalendarError, Changes, Unreachable

THREADS: Final = 8

Answer = Changes | CalendarError
Answers = queue.SimpleQueue[tuple[int, Answer]]


class Pool:
    """A bounded number of daemon threads, each started for one reading and ending with it."""

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(threads)
        self._lock = threading.Lock()
        self._asked: set[int] = set()

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
        with self._lock:
            is_asked = key in self._asked
        if is_asked:
            answers.put((key, Unreachable("the calendar has not answered the last question yet")))
        elif not self._free.acquire(timeout=max(0.0, ends - time.monotonic())):
            answers.put((key, Unreachable("too many calendars are being asked at the moment")))
        else:
            with self._lock:
                self._asked.add(key)
            threading.Thread(target=self._read, args=(key, read, answers), name=f"calendar-{key}", daemon=True).start()

    def _read(self, key: int, read: Callable[[], Changes], answers: Answers) -> None:
        answer: Answer = Unreachable("the calendar could not be read")
        try:
            answer = read()
        except CalendarError as error:
            answer = error
        finally:
            with self._lock:
                self._asked.discard(key)
            self._free.release()
            answers.put((key, answer))


_pool: Final = Pool(THREADS)


def read_all(targets: Mapping[int, Callable[[], Changes]], *, timeout: float) -> dict[int, Answer]:
    """Ask calendars at once and return what each answers, by its key, within ``timeout`` seconds.

    One that has not answered by then, or that finds no free thread, is an :class:`Unreachable`. An error that is no
    ``CalendarError`` is a mistake of ours: it ends the thread with its traceback, and the calendar counts as unreachable.

    :param targets: by the calendar's id, what opens, reads and closes it; it must come to an end by itself.
    """
    return _pool.read_all(targets, timeout=timeout)
