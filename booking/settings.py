"""The environment becomes one frozen value, checked at start; every bad variable is named at once."""

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from booking.errors import SettingsError

SHORTEST_KEY = 32
SAMPLE_KEYS = ("changeme", "change-me", "secret", "sample", "example", "insecure", "0123456789", "password")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Settings:
    """What the operator decides; see docs/operating.md for every variable.

    ``secret_keys`` holds the current key first, older ones after it (rotation).
    ``embedded_calendar_port`` is the loopback port of the embedded CalDAV server, or ``None`` where it is off.
    """

    data_dir: Path
    database_url: str
    base_url: str
    host: str
    port: int
    secret_keys: tuple[str, ...] = field(repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "sprechzeit@localhost"
    trusted_proxies: int = 0
    caldav_allow: tuple[str, ...] = ()
    embedded_calendar_port: int | None = None
    rate_limit_storage: str = "memory://"
    rate_limits: bool = True
    log_level: str = "INFO"

    @property
    def is_https(self) -> bool:
        """Say whether readers reach the pages through https."""
        return self.base_url.startswith("https://")

    @property
    def embedded_calendar_url(self) -> str | None:
        """The address of the embedded CalDAV server on this machine, or ``None`` where it is off."""
        return f"http://127.0.0.1:{self.embedded_calendar_port}" if self.embedded_calendar_port else None

    @property
    def radicale_dir(self) -> Path:
        """Where the embedded CalDAV server keeps its calendars, its users and its port."""
        return self.data_dir / "radicale"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read and check the environment; make the data folder and its secret key where they are missing.

        :raises SettingsError: naming every variable that can't be used, and why.
        """
        return _Reader(env).settings()


class _Reader:
    """Reads one environment and collects what is wrong with it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._problems: list[str] = []

    def settings(self) -> Settings:
        data_dir = Path(self._text("DATA_DIR", "var")).absolute()
        port = self._number("PORT", 8000, 1, 65535)
        host = self._text("HOST", "127.0.0.1")
        settings = {
            "data_dir": data_dir,
            "database_url": self._database_url(data_dir),
            "base_url": self._base_url(port),
            "host": host,
            "port": port,
            "smtp_url": self._smtp_url(),
            "mail_from": self._mail_from(),
            "trusted_proxies": self._number("TRUSTED_PROXIES", 0, 0, 10),
            "caldav_allow": self._caldav_allow(),
            "embedded_calendar_port": self._embedded_calendar_port(data_dir),
            "rate_limit_storage": self._rate_limit_storage(),
            "rate_limits": self._choice("RATE_LIMITS", "on", ("on", "off")) == "on",
            "log_level": self._choice("LOG_LEVEL", "INFO", LOG_LEVELS, upper=True),
        }
        secret_keys = self._secret_keys(data_dir)
        if self._problems:
            raise SettingsError("\n".join(self._problems))
        return Settings(secret_keys=secret_keys, **settings)  # type: ignore[arg-type]

    def _text(self, name: str, default: str) -> str:
        return self._env.get(name, "").strip() or default

    def _bad(self, name: str, why: str) -> None:
        self._problems.append(f"{name}: {why}")

    def _number(self, name: str, default: int, least: int, most: int) -> int:
        text = self._text(name, str(default))
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        self._bad(name, f"give a whole number from {least} to {most}, not {text!r}")
        return default

    def _choice(self, name: str, default: str, choices: tuple[str, ...], *, upper: bool = False) -> str:
        text = self._text(name, default)
        text = text.upper() if upper else text.lower()
        if text not in choices:
            self._bad(name, f"give one of {', '.join(choices)}, not {text!r}")
            return default
        return text

    def _database_url(self, data_dir: Path) -> str:
        url = self._text("DATABASE_URL", f"sqlite:///{data_dir}/sprechzeit.db")
        scheme, _, rest = url.partition("://")
        if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            return f"postgresql+psycopg://{rest}"
        if scheme == "sqlite" and rest:
            return url
        self._bad("DATABASE_URL", "give sqlite:////path/to/file.db or postgresql://user:password@host/database")
        return url

    def _base_url(self, port: int) -> str:
        url = self._text("BASE_URL", f"http://127.0.0.1:{port}").rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            self._bad("BASE_URL", f"give the public address, such as https://calls.example.org, not {url!r}")
        return url

    def _smtp_url(self) -> str:
        url = self._text("SMTP_URL", "")
        if not url:
            return ""
        parts = urlsplit(url)
        try:
            usable = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            self._bad("SMTP_URL", "give smtp://user:password@host:587 or smtps://user:password@host:465")
        return url

    def _mail_from(self) -> str:
        default_host = urlsplit(self._text("BASE_URL", "")).hostname or "localhost"
        address = self._text("MAIL_FROM", f"sprechzeit@{default_host}")
        if parseaddr(address)[1] != address or "@" not in address or not address.isascii():
            self._bad("MAIL_FROM", f"give a plain mail address without a name, not {address!r}")
        return address

    def _caldav_allow(self) -> tuple[str, ...]:
        entries = tuple(entry.strip() for entry in self._text("CALDAV_ALLOW", "").split(",") if entry.strip())
        for entry in entries:
            if "/" in entry:
                try:
                    ipaddress.ip_network(entry)
                except ValueError:
                    self._bad(
                        "CALDAV_ALLOW", f"{entry!r} is no network; give names or networks, such as 192.168.1.0/24"
                    )
        return entries

    def _embedded_calendar_port(self, data_dir: Path) -> int | None:
        if self._choice("EMBEDDED_CALENDAR", "on", ("on", "off")) == "off":
            return None
        try:
            return int((data_dir / "radicale" / "port").read_text())
        except (OSError, ValueError):
            return None

    def _rate_limit_storage(self) -> str:
        storage = self._text("RATE_LIMIT_STORAGE", "memory://")
        storage = "memory://" if storage == "memory" else storage
        if urlsplit(storage).scheme not in ("memory", "redis", "rediss", "valkey", "valkeys"):
            self._bad("RATE_LIMIT_STORAGE", "give memory:// or a redis:// or valkey:// address")
        return storage

    def _secret_keys(self, data_dir: Path) -> tuple[str, ...]:
        given = self._text("SECRET_KEY", "")
        if not given and self._text("DATABASE_URL", ""):
            self._bad("SECRET_KEY", "must be given where DATABASE_URL is; make one with: openssl rand -hex 32")
            return ()
        keys = tuple(key.strip() for key in given.split(",")) if given else self._stored_key(data_dir)
        for key in keys:
            if len(key) < SHORTEST_KEY or len(set(key)) < 8 or any(sample in key.lower() for sample in SAMPLE_KEYS):
                self._bad("SECRET_KEY", "too short or a sample; make one with: openssl rand -hex 32")
                break
        return keys

    def _stored_key(self, data_dir: Path) -> tuple[str, ...]:
        path = data_dir / "secret_key"
        draft = data_dir / f"secret_key.{os.getpid()}"
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
                    file.flush()
                    os.fsync(file.fileno())
                # A link fails where the name exists: of two processes that start at once, one key wins, whole.
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
                draft.unlink()
        except OSError as error:
            self._bad("DATA_DIR", f"{data_dir} can't be written ({error.strerror}); give a folder this user may write")
            return ()
        return self._read_key(path)

    def _read_key(self, path: Path) -> tuple[str, ...]:
        try:
            key = path.read_text().strip()
        except OSError as error:
            self._bad("DATA_DIR", f"{path} can't be read ({error.strerror})")
            return ()
        return (key,)
