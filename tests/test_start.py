"""``./start`` for real: three processes on free ports, in a folder of their own."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
OTHER_KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CALENDAR_KEYS = ("url", "username", "password")
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:kept\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260102T100000Z\r\nDTEND:20260102T110000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
PROPFIND = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'


@dataclass(frozen=True)
class House:
    """A running ``./start``: it and its children share a process group and a pipe."""

    process: subprocess.Popen[str]
    errors: Path
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def link_to_desk(self) -> str:
        """Return the one-time link that was printed."""
        (link,) = re.findall(rf"^ +({re.escape(self.url)}/desk/in/\S+)$", self.said[0], re.MULTILINE)
        return str(link)

    def end(self, how: int = signal.SIGTERM, *, group: bool = False) -> int:
        """Send a signal, wait until no process holds the pipe any more, and return the exit status."""
        if group:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        self.output.read()
        return self.process.wait(20)

    @property
    def is_gone(self) -> bool:
        """Say whether nothing is left of the process group."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


Start = Callable[..., House]


def free_port() -> int:
    """Return a port that is free, and whose neighbour is free for the calendar."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a house in ``tmp_path/data`` and waits until it says where it is."""
    houses: list[House] = []

    def begin(*arguments: str, **env: str) -> House:
        port = free_port()
        errors = tmp_path / f"errors-{len(houses)}"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "booking.start", *arguments],
                cwd=ROOT,
                env=environment(tmp_path, PORT=str(port), **env),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        house = House(process, errors, f"http://127.0.0.1:{port}")
        houses.append(house)
        house.said.append(read_until_ready(house))
        assert "Sprechzeit is running" in house.said[0], errors.read_text()
        return house

    yield begin
    for house in houses:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(house.process.pid, signal.SIGKILL)
        house.process.wait(20)
        house.output.close()


def read_until_ready(house: House) -> str:
    lines = []
    for line in house.output:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def environment(folder: Path, **env: str) -> dict[str, str]:
    """Return this environment without any setting of Sprechzeit but those given."""
    settings = ("DATA_DIR", "DATABASE_URL", "SECRET_KEY", "BASE_URL", "HOST", "PORT", "SMTP_URL", "EMBEDDED_CALENDAR")
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    return {**kept, "DATA_DIR": str(folder / "data"), "TZ": "Europe/Berlin", "LC_ALL": "de_DE.UTF-8", **env}


def flask(folder: Path, *words: str, **env: str) -> Any:
    """Run a command of the operator and return its data."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words, "--json"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(folder, **env), capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(ran.stdout)


def dav(calendar: dict[str, Any], method: str, path: str = "", body: str = "") -> int:
    """Speak CalDAV with the embedded calendar, as a calendar program would; return the answer's status."""
    login = b64encode(f"{calendar['username']}:{calendar['password']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "text/calendar", "Depth": "1"}
    request = urllib.request.Request(calendar["url"] + path, body.encode() or None, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)


def children_of(pid: int) -> dict[str, int]:
    """Return the direct children by the word that tells them apart (Linux)."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    words = {child: Path(f"/proc/{child}/cmdline").read_text() for child in pids}
    names = ("booking.worker", "booking.embedded", "gunicorn")
    return {name: int(child) for child, line in words.items() for name in names if name in line}


def test_a_call_can_be_booked_at_once_and_the_next_start_goes_on_with_the_same_data(
    start: Start, tmp_path: Path
) -> None:
    house = start()
    with urllib.request.urlopen(house.link_to_desk(), timeout=20) as page:
        assert page.status == 200
    assert house.get("/readyz")["calendars"] == "ok"
    assert house.get("/api/v1/me")["timezone"] == "Europe/Berlin"
    slots = house.get("/api/v1/me/call/slots")
    assert slots["mode"] == "book"
    assert slots["slots"]
    (before,) = flask(tmp_path, "calendar", "list")
    assert dav(before, "PROPFIND", body=PROPFIND) == 207
    assert dav(before, "PUT", "kept.ics", EVENT) == 201
    flask(tmp_path, "owner", "set", "--owner", "me", "slug=anna")
    assert house.end(signal.SIGTERM) == 0
    assert house.is_gone
    assert "Traceback" not in house.errors.read_text()

    house = start()
    (after,) = flask(tmp_path, "calendar", "list")
    assert [after[key] for key in CALENDAR_KEYS] == [before[key] for key in CALENDAR_KEYS]
    assert dav(after, "GET", "kept.ics") == 200
    assert house.get("/api/v1/anna")["name"]
    assert len(flask(tmp_path, "owner", "list")) == 1
    assert house.end(signal.SIGINT, group=True) == 0  # as a terminal sends Ctrl-C
    assert house.is_gone


def test_children_end_with_a_supervisor_that_is_killed(start: Start) -> None:
    house = start()
    house.end(signal.SIGKILL)  # returns when no child holds the pipe any more


def test_the_demo_is_lively_and_throws_everything_away(start: Start, tmp_path: Path) -> None:
    house = start("--demo", SMTP_URL="smtp://never.example.org", DATABASE_URL="sqlite:////nowhere/at/all.db")
    with urllib.request.urlopen(house.link_to_desk(), timeout=20) as page:
        assert "Anna Beispiel" in page.read().decode()
    anna = house.get("/api/v1/anna")
    assert [one["who_calls"] for one in anna["call_types"]] == ["choice", "owner", "client"]
    assert house.get("/api/v1/anna/erstgespraech/slots")["slots"]
    (worker,) = (pid for name, pid in children_of(house.process.pid).items() if name == "booking.worker")
    folder = Path(re.findall(rb"DATA_DIR=([^\0]+)", Path(f"/proc/{worker}/environ").read_bytes())[0].decode())
    calls = flask(tmp_path, "call", "list", "--owner", "anna", DATA_DIR=str(folder))
    assert [call["name"] for call in sorted(calls, key=lambda call: call["call_type"])] == ["Herr Winter", "Kim"]
    assert len(list((folder / "radicale").rglob("*@demo.ics"))) > 15
    assert house.end() == 0
    assert not folder.exists()
    assert not (tmp_path / "data").exists()


def test_without_the_embedded_calendar_and_with_a_child_that_ends_by_itself(start: Start, tmp_path: Path) -> None:
    """EMBEDDED_CALENDAR=off leaves one process out; the end of another takes the house with it and is named."""
    house = start(EMBEDDED_CALENDAR="off")
    assert sorted(children_of(house.process.pid)) == ["booking.worker", "gunicorn"]
    assert flask(tmp_path, "calendar", "list", EMBEDDED_CALENDAR="off") == []
    assert house.get("/api/v1/me/call/slots")["mode"] == "book"
    os.kill(children_of(house.process.pid)["booking.worker"], signal.SIGKILL)
    house.output.read()
    assert house.process.wait(20) == 1
    assert "The worker ended unexpectedly" in house.errors.read_text()


def refused(folder: Path, *words: str, **env: str) -> str:
    """Run a start that can't be; return the one sentence it says."""
    command = [sys.executable, *(words or ("-m", "booking.start"))]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(folder, **env), capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} is taken" in refused(tmp_path, PORT=str(port))


def test_a_taken_port_of_the_embedded_calendar_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "data" / "radicale").mkdir(parents=True)
        (tmp_path / "data" / "radicale" / "port").write_text(f"{port}\n")
        said = refused(tmp_path, PORT=str(free_port()))
    assert f"Port {port}, where the embedded calendar listens" in said


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    assert "HOST: 192.0.2.1 is not an address of this machine" in refused(tmp_path, HOST="192.0.2.1")


def test_a_data_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "DATA_DIR: " in refused(tmp_path, DATA_DIR=str(tmp_path / "file" / "data"))


def test_a_database_of_another_key_is_one_sentence(tmp_path: Path) -> None:
    flask(tmp_path, "db", "upgrade")
    (tmp_path / "data" / "secret_key").write_text(OTHER_KEY)
    assert "SECRET_KEY: this database was made with another key" in refused(tmp_path, PORT=str(free_port()))


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    said = refused(tmp_path, PORT=str(free_port()), DATABASE_URL=url, SECRET_KEY=OTHER_KEY)
    assert "The database can't be used" in said


def test_a_bad_setting_is_one_sentence_for_the_web_server_too(tmp_path: Path) -> None:
    assert refused(tmp_path, "-c", "import wsgi", PORT="eight").startswith("PORT: give a whole number")
