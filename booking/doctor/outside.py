"""What is outside the house: the mail server, a database server's clock, and the address that clients open."""

import http.client
import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import func, select

from booking.doctor.finding import CLOCK_MAY_DIFFER, SET_CLOCK, Finding
from booking.mail.smtp import MailDelayed
from booking.services import INSTALLATION_HEADER, Services

ADDRESS_SECONDS: Final = 5.0
"""For each step of the conversation."""


def mail(services: Services) -> Iterator[Finding]:
    """Do everything but send a mail."""
    try:
        services.mail.check()
    except MailDelayed as error:
        words = f"{error}; mails wait and are tried again: check SMTP_URL"
        yield Finding("mail", False, words, "mail.stuck")
    else:
        way = "through SMTP" if services.settings.smtp_url else f"as files in {services.settings.data_dir / 'mail'}"
        yield Finding("mail", True, f"leaves {way}", "mail.well" if services.settings.smtp_url else "mail.files")


def database_clock(services: Services) -> Iterator[Finding]:
    """Compare our clock with a database server's; SQLite has none of its own."""
    if services.database.is_sqlite:
        return
    asked_at = services.now()
    with services.database.reading() as db:
        there: datetime = db.scalars(select(func.clock_timestamp())).one().astimezone(UTC)
    difference = there - min(max(there, asked_at), services.now())
    if abs(difference) > CLOCK_MAY_DIFFER:
        words = f"this machine's clock and the database's are {abs(difference)} apart: {SET_CLOCK} Sprechzeit"
        yield Finding("clock", False, words, "clock.off")
    else:
        yield Finding("clock", True, "agrees with the database's", "clock.well")


def address(services: Services) -> Iterator[Finding]:
    """Look whether clients reach this installation by ``BASE_URL``."""
    settings = services.settings
    parts = urlsplit(settings.base_url)
    is_local = _is_loopback(parts.hostname or "")
    if is_local and settings.smtp_url:
        words = f"links in mails lead to {settings.base_url}, which only this machine can open; set the public address"
    elif not is_local and parts.scheme != "https":
        words = "clients reach you without https; put a proxy with a certificate before it"
    elif not is_local and not settings.trusted_proxies:
        words = "set TRUSTED_PROXIES=1, or every client seems to come from the proxy"
    else:
        words = _asked(services, parts)
    kind = "address.wrong" if words else "address.well"
    yield Finding("BASE_URL", not words, words or f"{settings.base_url} leads here", kind)


def _asked(services: Services, parts: SplitResult) -> str:
    """Open the address as a client would; return what is wrong, or nothing."""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ADDRESS_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/healthz", headers={"User-Agent": "Sprechzeit"})
        answer = connection.getresponse()
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of {parts.hostname} is not valid ({error.verify_message}); renew it"
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        advice = "start it (./start), and check the name, the proxy and the firewall"
        return f"{services.settings.base_url} can't be opened from here ({reason}); {advice}"
    finally:
        connection.close()
    if 300 <= answer.status < 400:
        return f"it sends on to {answer.getheader('Location', 'elsewhere')}; set BASE_URL to the final address"
    if answer.getheader(INSTALLATION_HEADER) == services.fingerprint:
        return ""
    if answer.getheader(INSTALLATION_HEADER):
        return "another installation answers there, or this one with other settings; check BASE_URL, restart it"
    return f"something else answers there (status {answer.status}); check BASE_URL, and where the proxy leads"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
