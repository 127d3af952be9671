"""The embedded CalDAV server (Radicale): its port, its configuration and its users. It listens on loopback only.

It is a calendar server like any other to the rest of the house; only its address comes from the settings.
"""

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

import radicale.__main__ as radicale
from passlib.hash import sha256_crypt

from booking.errors import SettingsError
from booking.settings import Settings

# The passwords are random and long, so that hashing them slowly protects nothing and would cost every request.
HASH_ROUNDS = 1000

_CONFIG = """\
# Written by Sprechzeit at every start; changes made here are lost.
[server]
hosts = 127.0.0.1:{port}
max_connections = 20
timeout = 30

[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = sha256
htpasswd_cache = True

[rights]
type = owner_only

[storage]
filesystem_folder = {folder}/collections

[web]
type = none

[logging]
level = warning
"""


def settle_port(settings: Settings) -> int:
    """Return the port of the embedded server, chosen once and kept in ``DATA_DIR``: calendar programs remember it.

    :raises SettingsError: another program listens there now.
    """
    path = settings.radicale_dir / "port"
    port = settings.embedded_calendar_port
    if port is None:
        port = settings.port + 1 if _is_free(settings.port + 1) else _free_port()
        _write_private(path, f"{port}\n")
    elif not _is_free(port):
        raise SettingsError(
            f"Port {port}, where the embedded calendar listens, is taken by another program: "
            f"end that program, or remove {path} to have another port chosen."
        )
    return port


def write_config(settings: Settings) -> None:
    """Write the configuration for the settled port.

    :raises SettingsError: the embedded calendar has no port.
    """
    if settings.embedded_calendar_port is None:
        raise SettingsError("The embedded calendar is off.")
    folder = settings.radicale_dir
    (folder / "collections" / "collection-root").mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(folder / "config", _CONFIG.format(port=settings.embedded_calendar_port, folder=folder))


def write_users(settings: Settings, users: Iterable[tuple[str, str]]) -> None:
    """Write who may log in, from ``(name, password)`` pairs; a running server notices the change by itself."""
    lines = (f"{name}:{sha256_crypt.using(rounds=HASH_ROUNDS).hash(password)}\n" for name, password in users)
    _write_private(settings.radicale_dir / "users", "".join(lines))


def command(settings: Settings) -> list[str]:
    """Return the command that runs the server in the foreground."""
    return [sys.executable, "-m", "booking.embedded", "--config", str(settings.radicale_dir / "config")]


def main() -> None:
    """Run Radicale as its own command does, without its words about its own logging."""
    logging.getLogger("radicale").addFilter(lambda record: not record.getMessage().startswith("Logging "))
    radicale.run()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by this user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    main()
