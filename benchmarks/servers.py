"""Runs the servers that are measured, on loopback, as ``./start`` runs them; all of them end with the block."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from booking import embedded
from booking.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60


@contextlib.contextmanager
def gunicorn(application: str, env: Mapping[str, str]) -> Iterator[int]:
    """Serve an application with two processes of four threads; yield the port."""
    port = free_port()
    options = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--log-level", "warning"]
    if application.startswith("wsgi"):
        options += ["--logger-class", "booking.web.guards.RedactingLogger"]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *options, "--no-control-socket"]
    with running([*command, application], {**env, "PORT": str(port)}, port):
        yield port


@contextlib.contextmanager
def radicale(settings: Settings, users: Mapping[str, str]) -> Iterator[Settings]:
    """Run the embedded calendar server of an installation; yield its settings with the port."""
    settings = replace(settings, embedded_calendar_port=free_port())
    embedded.write_config(settings)
    embedded.write_users(settings, users.items())
    with running(embedded.command(settings), {}, settings.embedded_calendar_port or 0):
        yield settings


@contextlib.contextmanager
def running(command: list[str], env: Mapping[str, str], port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(command, cwd=ROOT, env=dict(env))
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[2]} did not start")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
