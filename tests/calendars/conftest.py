"""Real CalDAV servers on loopback, and one that answers as a test tells it to."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

NAME, PASSWORD = "anna", "ein geheimes Wort"


@dataclass(frozen=True)
class DavServer:
    """A running CalDAV server: its address, the folder of the owner's calendars, and the child itself."""

    url: str
    home: str
    username: str
    password: str
    process: "subprocess.Popen[bytes]"

    def calendar_url(self, name: str) -> str:
        return f"{self.url}{self.home}{name}/"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends; one that does not start fails with what it wrote to stderr."""
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            for _ in range(300):
                if _answers(port):
                    break
                try:
                    process.wait(timeout=0.1)
                except subprocess.TimeoutExpired:
                    continue
                break
            if process.poll() is not None or not _answers(port):
                pytest.fail(f"{command[2]} did not start:\n{log.read_text(errors='replace')}")
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def radicale(folder: Path, more: str = "") -> Iterator[DavServer]:
    """Run a Radicale; ``more`` are further lines of its configuration."""
    port = free_port()
    (folder / "users").write_text(f"{NAME}:{PASSWORD}\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n{more}"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    with running(command, port, folder / "log") as process:
        yield DavServer(f"http://127.0.0.1:{port}", f"/{NAME}/", NAME, PASSWORD, process)


@contextmanager
def xandikos(folder: Path) -> Iterator[DavServer]:
    port = free_port()
    command = [sys.executable, "-m", "xandikos.web", "--directory", str(folder / "data"), "--defaults"]
    command += ["--listen-address", "127.0.0.1", "--port", str(port), "--state-dir", str(folder / "state")]
    command += ["--no-detect-systemd"]
    with running(command, port, folder / "log") as process:
        yield DavServer(f"http://127.0.0.1:{port}", "/user/calendars/", "", "", process)


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    """A real Radicale with a password."""
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    """A real Xandikos, without a password."""
    with xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture(params=["radicale", "xandikos"])
def dav_server(request: pytest.FixtureRequest) -> DavServer:
    """Each real server in turn."""
    server: DavServer = request.getfixturevalue(f"{request.param}_server")
    return server


@dataclass
class Exchange:
    """One request as the server saw it, and how it answers."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    handler: BaseHTTPRequestHandler

    def answer(self, status: int, body: str = "", *, type: str = "application/xml", **headers: str) -> None:
        content = body.encode()
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", type)
        self.handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(content)

    def raw(self, text: str) -> None:
        """Write bytes as they are, and close the connection."""
        self.handler.wfile.write(text.encode())
        self.hang_up()

    def hang_up(self) -> None:
        self.handler.close_connection = True


@dataclass
class Scripted:
    """A server whose answers a test writes; unanswered requests are a mistake of the test."""

    url: str
    script: Callable[[Exchange], None]
    seen: list[tuple[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def methods(self) -> list[str]:
        return [method for method, _ in self.seen]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server on loopback; set its ``script``. Its hanging answers end with the test."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            server.seen.append((self.command, self.path))
            server.script(Exchange(self.command, self.path, dict(self.headers), body, self))

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Scripted(f"http://127.0.0.1:{http.server_address[1]}", lambda exchange: exchange.answer(500))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.released.set()
    http.shutdown()
    http.server_close()
