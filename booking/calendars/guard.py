"""Which calendar servers may be asked (SSRF): public addresses, and what the operator allows by ``CALDAV_ALLOW``.

Owns the check of an address and the opening of calendars. The name is resolved once, every address is checked, and
the connection goes to the checked addresses, whatever the name means a moment later.
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from booking.calendars.caldav import CalDavCalendar
from booking.calendars.port import Calendar, Refused, Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Refused even where the operator allows more: this host, link-local (a cloud's metadata), multicast, broadcast."""
CLOSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "100.64.0.0/10",
        "192.88.99.0/24",
        "fec0::/10",
        "2002::/16",
        "2001::/23",
        "::/96",
        "64:ff9b:1::/48",
    )
)
"""What Python takes for global, or did in some version: carrier NAT, 6to4 relays, site-local, tunnels."""


def check_url(url: str, allow: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses that may be connected to for a calendar's URL.

    :param allow: host names and networks the operator lets be asked (``CALDAV_ALLOW``), http included.
    :raises Refused: this address must not be asked; the message says what to do.
    :raises Unreachable: the name can't be resolved for now.
    """
    parts, port = _split(url)
    host = parts.hostname or ""
    by_name = host.rstrip(".") in {entry.lower().rstrip(".") for entry in allow}
    networks = [network for entry in allow if (network := _network(entry)) is not None]
    addresses = _resolve(host, port)
    for address in addresses:
        if not _may_ask(address, by_name, networks):
            raise Refused(
                f"{host} lies at {address}, which is not on the public internet; "
                f"if this is your own calendar server, add {host} to CALDAV_ALLOW"
            )
    in_networks = all(any(address in network for network in networks) for address in addresses)
    if parts.scheme == "http" and not (by_name or in_networks):
        raise Refused(f"give an https:// address; if {host} has none, add {host} to CALDAV_ALLOW")
    return tuple(str(address) for address in addresses)


def open_calendar(
    *,
    kind: str,
    url: str,
    username: str,
    password: str,
    allow: tuple[str, ...],
    embedded_url: str | None,
    deadline: float,
) -> Calendar:
    """Open a calendar; nothing is sent to it yet, only its name is resolved.

    :param kind: ``embedded`` (``url`` is a path below ``embedded_url``) or ``caldav``.
    :param deadline: seconds the calendar may be used for.
    :raises Refused: its address must not be asked.
    :raises Unreachable: its name can't be resolved, or the embedded calendar is off.
    """
    if kind == "embedded":
        return CalDavCalendar(_below(embedded_url, url), username=username, password=password, deadline=deadline)
    if kind != "caldav":
        raise Refused(f"there is no kind of calendar named {kind!r}; use embedded or caldav")
    addresses = check_url(url, allow)
    return CalDavCalendar(url, username=username, password=password, deadline=deadline, addresses=addresses)


def _below(embedded_url: str | None, path: str) -> str:
    if not embedded_url:
        raise Unreachable("the embedded calendar is off; start it with ./start, or set EMBEDDED_CALENDAR=on")
    url = urljoin(embedded_url.rstrip("/") + "/", path.lstrip("/"))
    if urlsplit(url).netloc != urlsplit(embedded_url).netloc:
        raise Refused("an embedded calendar is named by its path, such as /anna/calendar/")
    return url


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError as error:
        raise Refused("this is no address of a calendar; give one such as https://dav.example.org/anna/") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("give the address of a calendar, beginning with https://")
    if parts.username is not None or parts.password is not None:
        raise Refused("give the name and the password beside the address, not in it")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise Refused("the address holds a blank or a control character; remove it")
    return parts, port


def _resolve(host: str, port: int) -> list[Address]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(ipaddress.ip_address(str(row[4][0])) for row in rows))
    except (OSError, ValueError) as error:  # ValueError: a label that is too long, a scope that is no address
        raise Unreachable(f"the name {host} can't be resolved; check the address") from error


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None  # a name


def _may_ask(address: Address, by_name: bool, networks: list[Network]) -> bool:
    """Say whether an address may be connected to; the one inside a mapped or translated address decides."""
    inner = _unwrapped(address)
    if any(inner in network for network in NEVER):
        return False
    if by_name or any(address in network or inner in network for network in networks):
        return True
    return inner.is_global and not inner.is_multicast and not any(inner in network for network in CLOSED)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64[0]:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
