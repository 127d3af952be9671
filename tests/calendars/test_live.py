"""Several calendars are asked at once; one that hangs costs nobody more than the deadline."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from booking.calendars.caldav import CalDavCalendar
from booking.calendars.live import THREADS, Pool, read_all
from booking.calendars.port import AuthRefused, Changes, Unreachable
from tests.calendars.conftest import Exchange, Scripted

ANSWER = Changes({"/a.ics": '"1"'}, ())


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What hanging calendars wait for; they all go on when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def hanging(release: threading.Event, started: threading.Semaphore | None = None) -> Callable[[], Changes]:
    def read() -> Changes:
        if started is not None:
            started.release()
        release.wait()
        return ANSWER

    return read


def refusing() -> Changes:
    raise AuthRefused("the password is wrong")


def test_each_calendar_answers_for_itself() -> None:
    answers = read_all({1: lambda: ANSWER, 2: refusing}, timeout=20)
    assert answers[1] is ANSWER
    assert isinstance(answers[2], AuthRefused)


def test_nothing_asked_is_nothing_answered() -> None:
    assert read_all({}, timeout=20) == {}


def test_they_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)

    def meet() -> Changes:
        both.wait()
        return ANSWER

    assert read_all({1: meet, 2: meet}, timeout=20) == {1: ANSWER, 2: ANSWER}


def test_one_that_hangs_keeps_nobody_waiting_beyond_the_deadline(release: threading.Event) -> None:
    answers = read_all({1: hanging(release), 2: lambda: ANSWER}, timeout=0.2)
    assert not release.is_set()
    assert isinstance(answers[1], Unreachable)
    assert answers[2] is ANSWER


def test_a_calendar_that_hangs_takes_half_the_threads_at_most(release: threading.Event) -> None:
    pool = Pool(4)
    for _ in range(2):
        assert isinstance(pool.read_all({1: hanging(release)}, timeout=0.05)[1], Unreachable)
    assert "earlier questions" in str(pool.read_all({1: lambda: ANSWER}, timeout=20)[1])
    assert pool.read_all({2: lambda: ANSWER}, timeout=20) == {2: ANSWER}


def test_a_calendar_that_answers_again_is_asked_again(release: threading.Event) -> None:
    pool = Pool(2)
    started = threading.Semaphore(0)
    waiting = threading.Thread(target=pool.read_all, args=({1: hanging(release, started)},), kwargs={"timeout": 20})
    waiting.start()
    assert started.acquire(timeout=20)
    assert isinstance(pool.read_all({1: lambda: ANSWER}, timeout=20)[1], Unreachable)
    release.set()
    waiting.join(20)
    assert pool.read_all({1: lambda: ANSWER}, timeout=20) == {1: ANSWER}


def test_a_calendar_that_finds_no_thread_is_unreachable_at_the_deadline(release: threading.Event) -> None:
    pool = Pool(2)
    answers = pool.read_all({1: hanging(release), 2: hanging(release), 3: lambda: ANSWER}, timeout=0.2)
    assert "too many" in str(answers[3])
    assert all(isinstance(answer, Unreachable) for answer in answers.values())


def test_more_calendars_than_threads_are_all_read() -> None:
    answers = read_all(dict.fromkeys(range(3 * THREADS), lambda: ANSWER), timeout=20)
    assert set(answers) == set(range(3 * THREADS))
    assert all(answer is ANSWER for answer in answers.values())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_of_ours_counts_as_unreachable_and_frees_its_thread() -> None:
    def mistaken() -> Changes:
        raise ZeroDivisionError

    pool = Pool(1)
    for _ in range(3):
        assert isinstance(pool.read_all({1: mistaken}, timeout=20)[1], Unreachable)
    for thread in threading.enumerate():
        if thread.name == "calendar-1":
            thread.join(20)


def test_a_server_that_hangs_frees_its_thread_at_the_calendars_own_deadline(scripted: Scripted) -> None:

    def hang(_: Exchange) -> None:
        scripted.released.wait()

    scripted.script = hang
    ended = threading.Event()

    def read() -> Changes:
        calendar = CalDavCalendar(f"{scripted.url}/c", username="", password="", deadline=0.3)
        try:
            with contextlib.closing(calendar):
                return calendar.changes({})
        finally:
            ended.set()

    assert isinstance(read_all({1: read}, timeout=0.1)[1], Unreachable)
    assert ended.wait(20)
    assert not scripted.released.is_set()
