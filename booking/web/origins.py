"""Origins of web sites (RFC 6454): ``https://host`` or ``https://host:port``, as a header can name them."""

import re
from typing import Final
from urllib.parse import urlsplit

from booking.errors import BookingError

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}")
_LOCAL: Final = frozenset({"localhost", "127.0.0.1"})
_USUAL_PORTS: Final = {"http": 80, "https": 443}


class NoOrigin(BookingError):
    """The text names no origin.

    :ivar site: the origin of the page that was named instead, or nothing.
    """

    def __init__(self, site: str = "") -> None:
        super().__init__("not the origin of a web site")
        self.site = site


def read_origin(text: str) -> str:
    """Return the origin that a text names, in lower case and with the host in ASCII; http only on this machine.

    :raises NoOrigin: it names none, or more than one.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError as error:
        raise NoOrigin from error
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        raise NoOrigin
    if "@" in parts.netloc or parts.netloc.endswith(":") or port == 0:
        raise NoOrigin
    origin = f"{parts.scheme}://{host}"
    if port is not None and port != _USUAL_PORTS[parts.scheme]:
        origin = f"{origin}:{port}"
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise NoOrigin(origin)
    return origin


def _ascii(host: str) -> str:
    """Return a host as headers write it; they can't name one by an IPv6 address (CSP 3, 2.3.1).

    :raises ValueError: it is none.
    """
    written = host if host.isascii() else host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(written.lower()):
        raise ValueError("no host")
    return written.lower()
