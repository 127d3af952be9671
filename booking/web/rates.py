"""Counts requests in memory, for the limits per network.

The storage that comes with the library starts a thread for nearly every request, and each thread looks at all counters.
"""

import threading
import time
from collections.abc import MutableMapping
from typing import Final, NamedTuple

from limits.storage import Storage

SCHEME: Final = "memory-without-threads"
SWEEP_SECONDS: Final = 60.0


class _Count(NamedTuple):
    number: int
    until: float


class MemoryStorage(Storage):
    """Counters that begin with the first request, and are forgotten when their time is over.

    Times are those of a clock that only ever goes on; nobody asks when a window ends.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library's own type
    base_exceptions = ValueError

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        """Begin with nothing counted; the arguments are the library's."""
        super().__init__(uri, wrap_exceptions, **options)
        self._counts: MutableMapping[str, _Count] = {}
        self._lock = threading.Lock()
        self._swept_at = time.monotonic()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a request; return how many there were within ``expiry`` seconds from the first."""
        now = time.monotonic()
        with self._lock:
            self._sweep(now)
            count = self._counts.get(key)
            if count is None or count.until <= now:
                count = _Count(0, now + expiry)
            self._counts[key] = count = _Count(count.number + amount, count.until)
            return count.number

    def get(self, key: str) -> int:
        """Return what was counted."""
        count = self._counts.get(key)
        return count.number if count and count.until > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """Return when a counter ends, by the clock that counts here."""
        count = self._counts.get(key)
        return count.until if count else time.monotonic()

    def check(self) -> bool:
        """Say that it works: memory does."""
        return True

    def reset(self) -> int:
        """Forget everything; return how many counters there were."""
        with self._lock:
            number = len(self._counts)
            self._counts.clear()
            return number

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._counts.pop(key, None)

    def _sweep(self, now: float) -> None:
        if now < self._swept_at + SWEEP_SECONDS:
            return
        self._swept_at = now
        for key in [key for key, count in self._counts.items() if count.until <= now]:
            del self._counts[key]
