"""The processes of one installation: started together, watched, ended together. Nothing stays behind.

Signals only wake the supervisor up; what to do is decided in one place, between two steps.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from booking.errors import BookingError

ROOT: Final = Path(__file__).resolve().parent.parent
TERM_SECONDS: Final = 10.0
READY_SECONDS: Final = 120.0
_PR_SET_PDEATHSIG: Final = 1


class Stopped(BookingError):
    """Somebody asked for the end (Ctrl-C or SIGTERM)."""


class ChildEnded(BookingError):
    """One of the processes ended by itself; the message says which."""


@dataclass(frozen=True)
class Child:
    """One process and what it is called."""

    name: str
    process: subprocess.Popen[bytes]


class Children:
    """Runs processes until it is left; use it in a ``with`` statement."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)
        self._children: list[Child] = []
        self._stop_asked = False
        self._wakeup, self._waker = socket.socketpair()

    def __enter__(self) -> Self:
        self._wakeup.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_all()
        signal.set_wakeup_fd(-1)
        self._wakeup.close()
        self._waker.close()

    def start(self, name: str, command: list[str]) -> Child:
        """Start one process in our session; on Linux it ends with us even if we are killed."""
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._env,
            preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - two system calls, no lock, no import
        )
        child = Child(name, process)
        self._children.append(child)
        return child

    def wait_until_it_listens(self, child: Child, host: str, port: int) -> None:
        """Wait until a child accepts connections.

        :raises Stopped: the end was asked for meanwhile.
        :raises ChildEnded: it ended, or did not listen in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
                return
            self._sleep(0.05)
        raise ChildEnded(f"The {child.name} did not answer on port {port} within {READY_SECONDS:.0f} seconds.")

    def watch(self) -> None:
        """Wait until something ends.

        :raises Stopped: the end was asked for.
        :raises ChildEnded: a process ended by itself.
        """
        while True:
            self.check()
            self._sleep(None)

    def check(self) -> None:
        """Raise where there is no reason to go on.

        :raises Stopped: the end was asked for.
        :raises ChildEnded: a process ended by itself.
        """
        if self._stop_asked:
            raise Stopped("the end was asked for")
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ChildEnded(f"The {child.name} ended unexpectedly (exit status {code}); see the lines above.")

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked = True

    def _sleep(self, seconds: float | None) -> None:
        """Sleep until a signal arrives; one that came before this call ends it at once."""
        ready, _, _ = select.select([self._wakeup], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                self._wakeup.recv(4096)

    def _end_all(self) -> None:
        for child in reversed(self._children):
            child.process.terminate()
        deadline = time.monotonic() + TERM_SECONDS
        for child in reversed(self._children):
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_child
