"""Clients that cost little themselves: bytes in, bytes out, connections kept alive.

Each request comes from another address (``X-Forwarded-For``), so that the limits per network are measured too and
never reached.
"""

import contextlib
import itertools
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 1 << 18
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Target:
    """What is asked for."""

    port: int
    path: str
    headers: tuple[str, ...] = ()

    def request(self) -> bytes:
        """Write the request, as from one more client."""
        number = next(_numbers)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        lines = (
            f"GET {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Accept-Language: de",
            f"X-Forwarded-For: {address}",
            *self.headers,
        )
        return "\r\n".join((*lines, "", "")).encode()


@dataclass
class Answer:
    """An answer that arrives piece by piece."""

    received: bytearray = field(default_factory=bytearray)
    length: int = -1

    def add(self, data: bytes) -> bool:
        """Take what arrived; say whether the answer is whole."""
        if not data:
            raise ConnectionError("the server hung up")
        self.received += data
        if self.length < 0 and (end := self.received.find(b"\r\n\r\n")) > 0:
            head = self.received[:end].lower()
            is_empty = self.status == 304
            body = 0 if is_empty else int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            self.length = end + 4 + body
        return 0 <= self.length <= len(self.received)

    @property
    def status(self) -> int:
        """The status."""
        return int(self.received[9:12])

    def header(self, name: str) -> str:
        """Return a header."""
        return self.received.decode("latin-1").split(f"\r\n{name}: ")[1].split("\r\n")[0]

    @property
    def body_size(self) -> int:
        """How many bytes the body has."""
        return len(self.received) - self.received.find(b"\r\n\r\n") - 4


def ask(target: Target, *, times: int = 1) -> tuple[list[float], Answer]:
    """Send requests one after the other on one connection; return how long each took, and the last answer."""
    taken, answer = [], Answer()
    with socket.create_connection(("127.0.0.1", target.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            answer, request = Answer(), target.request()
            began = time.perf_counter()
            connection.sendall(request)
            while not answer.add(connection.recv(CHUNK)):
                pass
            taken.append(time.perf_counter() - began)
            if answer.status not in (200, 304):
                raise SystemExit(f"{target.path} answers with {answer.status}")
    return taken, answer


def in_turns(targets: dict[str, Target], *, rounds: int, requests: int) -> dict[str, list[float]]:
    """Ask several targets in turns, so that whatever else the machine does falls on all of them alike."""
    for target in targets.values():
        list(_warmed(target))
    times: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, target in targets.items():
            taken, _ = ask(target, times=requests + 1)
            times[name] += taken[1:]  # the first one opens the connection
    return times


def crowd(target: Target, *, clients: int, seconds: float) -> tuple[float, list[float]]:
    """Let several clients ask at once, each as soon as it is answered; return requests per second and each time."""
    list(_warmed(target))
    times: list[float] = []
    with selectors.DefaultSelector() as selector, _connections(target.port, clients) as connections:
        began: dict[socket.socket, float] = {}
        answers: dict[socket.socket, Answer] = {}
        start = time.perf_counter()
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
            answers[connection], began[connection] = Answer(), time.perf_counter()
            connection.sendall(target.request())
        while (now := time.perf_counter()) < start + seconds:
            for key, _ in selector.select(timeout=1):
                connection = key.fileobj  # type: ignore[assignment]
                if answers[connection].add(connection.recv(CHUNK)):
                    times.append(time.perf_counter() - began[connection])
                    answers[connection], began[connection] = Answer(), time.perf_counter()
                    connection.sendall(target.request())
    return len(times) / (now - start), times


def _warmed(target: Target) -> Iterator[int]:
    """Ask on several connections, so that each server process has answered before anything counts."""
    for _ in range(8):
        yield ask(target, times=3)[1].status


@contextlib.contextmanager
def _connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
