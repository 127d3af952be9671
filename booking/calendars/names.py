"""Asks the name service where a mail domain keeps its calendars (RFC 6764). Its answers are hostile input.

Only names and ports that can stand in an address are handed on; whether they may be asked is the guard's to say.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.resolver
from dns.rdatatype import SRV, TXT

SECONDS: Final = 2.0
MOST_TARGETS: Final = 4
HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
PATH: Final = re.compile(r"path=(/[A-Za-z0-9._~!$&'()*+,;=:@%-][A-Za-z0-9._~!$&'()*+,;=:@%/-]{0,200}|/)")


@dataclass(frozen=True, slots=True)
class Record:
    """One SRV record; ``target`` as it was answered, in lower case and without the last dot."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Named:
    """What the name service says about one service: its SRV records and the TXT texts beside them."""

    records: tuple[Record, ...] = ()
    texts: tuple[str, ...] = ()


LookUp = Callable[[str], Named]
"""Looks up a name such as ``_caldavs._tcp.example.org``; what can't be found is an empty answer."""


def look_up(name: str) -> Named:
    """Ask the system's name servers; gives up after a few seconds."""
    resolver = dns.resolver.Resolver()
    resolver.lifetime = resolver.timeout = SECONDS
    try:
        rows = resolver.resolve(name, SRV, search=False)
        records = tuple(
            Record(row.priority, row.weight, row.port, row.target.to_text().rstrip(".").lower()) for row in rows
        )
    except dns.exception.DNSException:
        return Named()
    try:
        lines = resolver.resolve(name, TXT, search=False)
        texts = tuple(b"".join(line.strings).decode("ascii", "replace") for line in lines)
    except dns.exception.DNSException:
        texts = ()
    return Named(records, texts)


def nobody(_name: str) -> Named:
    """Answer that there is nothing of this name."""
    return Named()


def addresses(domain: str, look_up: LookUp) -> Sequence[str]:
    """Return the addresses at which a mail domain says its calendars are, best first; http only without any https."""
    found: list[str] = []
    for service, scheme, usual in (("_caldavs", "https", 443), ("_caldav", "http", 80)):
        named = look_up(f"{service}._tcp.{domain}")
        path = next((match[1] for text in named.texts if (match := PATH.fullmatch(text))), "/.well-known/caldav")
        for record in sorted(named.records, key=lambda each: (each.priority, -each.weight))[:MOST_TARGETS]:
            if HOST.fullmatch(record.target) and 0 < record.port < 65536:
                port = "" if record.port == usual else f":{record.port}"
                found.append(f"{scheme}://{record.target}{port}{path}")
        if found:
            break
    return list(dict.fromkeys(found))
