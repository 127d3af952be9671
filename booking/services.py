"""Everything that comes from outside (time, chance, database, calendars, mail), as one frozen value.

The only module that reads the clock or makes random values; tests build their own.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from booking.calendars import names
from booking.calendars.guard import open_calendar
from booking.calendars.port import Calendar, Changes
from booking.mail.smtp import MailTransport, transport_for
from booking.settings import Settings
from booking.signing import Signing
from booking.store.database import Database
from booking.store.vault import Vault
from booking.usecases.passwords import Passwords
from booking.usecases.refresh import Plan

INSTALLATION_HEADER: Final = "X-Sprechzeit"
"""Header by which ``/healthz`` says which installation answers."""


class CalendarAddress(Protocol):
    """Where a calendar is and how to get in; the table's row and a reading's plan both say it."""

    @property
    def kind(self) -> str:
        """``embedded`` or ``caldav``."""

    @property
    def url(self) -> str:
        """The address."""

    @property
    def username(self) -> str:
        """The user, or nothing."""

    @property
    def password_encrypted(self) -> str:
        """The password as the vault locked it, or nothing."""


def _nothing(_failpoint: str) -> None:
    """Pass a failpoint: only tests stop there."""


@dataclass(frozen=True)
class Services:
    """What the edges hand to the use cases.

    ``now`` returns aware UTC; ``token`` returns at least 128 random bits, URL-safe, lower case.
    ``look_up`` asks the name service; without it nothing is found there.
    ``failpoint`` is called with a name at every step of the worker where a crash must lose nothing.
    """

    settings: Settings
    now: Callable[[], datetime]
    token: Callable[[], str]
    database: Database
    signing: Signing
    vault: Vault
    open_calendar: Callable[..., Calendar]
    mail: MailTransport
    failpoint: Callable[[str], None] = _nothing
    look_up: names.LookUp = names.nobody
    passwords: Passwords = field(default_factory=Passwords)

    @property
    def fingerprint(self) -> str:
        """Say which installation this is (same key, same database), and nothing else to whoever reads it."""
        return self.signing.keyed_hash("installation", self.settings.database_url)

    def calendar(self, at: CalendarAddress, seconds: float) -> Calendar:
        """Open a calendar; it gives up ``seconds`` after this call.

        :raises CalendarError: its address may not be asked.
        """
        return self.open_calendar(
            kind=at.kind,
            url=at.url,
            username=at.username,
            password=self.vault.unlock(at.password_encrypted) if at.password_encrypted else "",
            allow=self.settings.caldav_allow,
            embedded_url=self.settings.embedded_calendar_url,
            deadline=seconds,
        )

    def ask(self, plan: Plan, seconds: float) -> Changes:
        """Ask a calendar what has changed.

        :raises CalendarError: it gave no answer that can be used.
        """
        with contextlib.closing(self.calendar(plan, seconds)) as calendar:
            return calendar.changes(plan.known)


def real_services(settings: Settings) -> Services:
    """Build the services of a running installation."""
    return Services(
        settings=settings,
        now=lambda: datetime.now(UTC),
        token=lambda: secrets.token_hex(16),
        database=Database(settings.database_url),
        signing=Signing(settings.secret_keys),
        vault=Vault(settings.secret_keys),
        open_calendar=open_calendar,
        mail=transport_for(settings),
        look_up=names.look_up,
    )
