"""The counters in memory behind the limits per network."""

import threading
import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from booking.web import rates


def test_counters_are_found_by_their_scheme() -> None:
    assert isinstance(storage_from_string(f"{rates.SCHEME}://"), rates.MemoryStorage)


def test_a_limit_holds_for_each_network_by_itself() -> None:
    limiter = FixedWindowRateLimiter(rates.MemoryStorage())
    limit = parse("2 per minute")
    assert [limiter.hit(limit, "here") for _ in range(3)] == [True, True, False]
    assert limiter.hit(limit, "there")


def test_a_counter_that_is_over_begins_again() -> None:
    storage = rates.MemoryStorage()
    assert [storage.incr("key", 0) for _ in range(2)] == [1, 1]
    assert storage.get("key") == 0


def test_counters_that_are_over_are_swept_away() -> None:
    storage = rates.MemoryStorage()
    for number in range(1000):
        storage.incr(str(number), 0)
    storage._swept_at -= rates.SWEEP_SECONDS
    storage.incr("another", 60)
    assert list(storage._counts) == ["another"]


def test_counting_starts_no_thread() -> None:
    storage = rates.MemoryStorage()
    before = threading.active_count()
    for _ in range(100):
        storage.incr("key", 60)
    assert threading.active_count() <= before


def test_requests_that_come_at_once_are_all_counted() -> None:
    storage = rates.MemoryStorage()
    threads = [threading.Thread(target=lambda: [storage.incr("key", 60) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.get("key") == 2000


def test_counters_can_be_forgotten() -> None:
    storage = rates.MemoryStorage()
    storage.incr("one", 60)
    storage.incr("two", 60)
    assert storage.get_expiry("one") > time.monotonic()
    storage.clear("one")
    assert (storage.get("one"), storage.get("two")) == (0, 1)
    assert storage.reset() == 1
    assert storage.get("two") == 0
    assert storage.check()
