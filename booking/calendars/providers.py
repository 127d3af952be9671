"""What is known of well-known providers: where their calendars are, by mail domain or by host. No network here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of calendars.

    ``base`` is where discovery begins, empty where nothing can be read by CalDAV and a password; ``mail`` are the
    domains of its mail addresses, ``hosts`` the domains that its calendar servers lie under.
    """

    key: str
    name: str
    base: str
    mail: tuple[str, ...]
    hosts: tuple[str, ...]

    def has_host(self, host: str) -> bool:
        """Say whether a server is this provider's."""
        return any(host == domain or host.endswith(f".{domain}") for domain in self.hosts)


PROVIDERS: Final = (
    Provider("icloud", "iCloud", "https://caldav.icloud.com/", ("icloud.com", "me.com", "mac.com"), ("icloud.com",)),
    Provider(
        "fastmail",
        "Fastmail",
        "https://caldav.fastmail.com/",
        ("fastmail.com", "fastmail.fm", "fastmail.de", "sent.com"),
        ("fastmail.com",),
    ),
    Provider("mailbox", "mailbox.org", "https://dav.mailbox.org/", ("mailbox.org",), ("mailbox.org",)),
    Provider(
        "posteo",
        "Posteo",
        "https://posteo.de:8443/",
        ("posteo.de", "posteo.net", "posteo.org", "posteo.eu", "posteo.at", "posteo.ch", "posteo.me"),
        ("posteo.de",),
    ),
    Provider("gmx", "GMX", "https://caldav.gmx.net/", ("gmx.de", "gmx.net", "gmx.at", "gmx.ch"), ("gmx.net",)),
    Provider("webde", "WEB.DE", "https://caldav.web.de/", ("web.de",), ("web.de",)),
    Provider("google", "Google", "", ("gmail.com", "googlemail.com"), ("google.com", "googleusercontent.com")),
    Provider(
        "microsoft",
        "Microsoft",
        "",
        ("outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com"),
        ("outlook.com", "office365.com", "office.com", "live.com"),
    ),
)
NEXTCLOUD: Final = Provider("nextcloud", "Nextcloud", "", (), ())
"""Known by the path of its addresses alone: everybody runs one of their own."""
NEXTCLOUD_PATH: Final = "/remote.php/dav"


def of_mail(domain: str) -> Provider | None:
    """Return the provider of a mail domain."""
    return next((provider for provider in PROVIDERS if domain in provider.mail), None)


def of_host(host: str, path: str = "") -> Provider | None:
    """Return the provider of a server."""
    if path.startswith(NEXTCLOUD_PATH):
        return NEXTCLOUD
    return next((provider for provider in PROVIDERS if provider.has_host(host)), None)


def belong_together(host: str, other: str) -> bool:
    """Say whether a password meant for one server may go to another unasked.

    Only below its own name, or where both are known to be one provider's: names that merely look alike prove nothing.
    """
    return host == other or other.endswith(f".{host}") or _are_of_one(PROVIDERS, host, other)


def _are_of_one(providers: Iterable[Provider], host: str, other: str) -> bool:
    return any(
        provider.has_host(other) and (provider.has_host(host) or host in provider.mail) for provider in providers
    )
