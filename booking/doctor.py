"""Looks at everything an installation stands on, and says what to do where something is wrong."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from booking.errors import BookingError
from booking.mail.smtp import MailDelayed
from booking.services import Services
from booking.store.models import Calendar, Installation, Job, Owner
from booking.usecases import calendars, refresh

CALENDAR_SECONDS: Final = 30.0
WORKER_SEEN_WITHIN: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``words`` say what to do where it is not well."""

    subject: str
    is_well: bool
    words: str


def examine(services: Services) -> Iterator[Finding]:
    """Look at everything; what comes first is needed by what comes later."""
    database = _database(services)
    yield database
    if not database.is_well:
        return
    for look in _LOOKS:
        yield from look(services)


def _database(services: Services) -> Finding:
    try:
        is_current = services.database.is_current()
    except DBAPIError as error:
        return Finding("database", False, f"it does not answer ({error.__cause__ or error}); check DATABASE_URL")
    if not is_current:
        return Finding("database", False, "its tables are of another version; run: flask --app wsgi db upgrade")
    return Finding("database", True, "answers, tables are up to date")


def _secrets(services: Services) -> Iterator[Finding]:
    with services.database.reading() as db:
        fingerprint = db.scalar(select(Installation.key_fingerprint))
        locked = db.scalars(select(Calendar.password_encrypted).where(Calendar.password_encrypted != "")).all()
    if fingerprint is not None and fingerprint not in services.vault.fingerprints:
        yield Finding("secret key", False, "the database was made with another SECRET_KEY; give that one again")
        return
    try:
        for password in locked:
            services.vault.unlock(password)
    except BookingError as error:
        yield Finding("secret key", False, str(error))
    else:
        yield Finding("secret key", True, "fits the database")


def _owners(services: Services) -> Iterator[Finding]:
    with services.database.reading() as db:
        owners = [
            (owner, len(owner.call_types), any(calendar.takes_calls for calendar in owner.calendars))
            for owner in db.scalars(select(Owner).order_by(Owner.slug))
        ]
    if not owners:
        yield Finding("owners", False, "there is none; run: flask --app wsgi owner add --help")
    for owner, call_types, is_written in owners:
        yield _owner(services, owner, has_call_types=bool(call_types), is_written=is_written)


def _owner(services: Services, owner: Owner, *, has_call_types: bool, is_written: bool) -> Finding:
    subject = f"owner {owner.slug}"
    if not has_call_types:
        return Finding(subject, False, "nothing can be booked; run: flask --app wsgi call-type add --help")
    if not any(owner.timetable.weekly):
        return Finding(subject, False, "has no business hours; run: flask --app wsgi hours set --help")
    if not is_written:
        return Finding(subject, False, "no calendar takes the calls; run: flask --app wsgi calendar add … --bookings")
    if services.settings.smtp_url and owner.email.endswith("@localhost"):
        advice = f"run: flask --app wsgi owner set --owner {owner.slug} email=…"
        return Finding(subject, False, f"mails to {owner.email} reach nobody; {advice}")
    return Finding(subject, True, "can be called")


def _calendars(services: Services) -> Iterator[Finding]:
    now = services.now()
    with services.database.reading() as db:
        plans = [(row, refresh.plan(db, row, now)) for row in calendars.list_calendars(db)]
        problems = calendars.problems(db)
    for row, plan in plans:
        subject = f"calendar {row.id} of {row.owner.slug}"
        try:
            answer = services.ask(plan, CALENDAR_SECONDS)
        except BookingError as error:  # of the calendar, or of its stored password
            yield Finding(subject, False, str(error))
        else:
            yield Finding(subject, True, f"answers, {len(answer.listing)} objects")
    for row, href, problem in problems:
        advice = "its time is kept free of calls; open and save it again in the calendar program"
        yield Finding(f"event {href} in calendar {row.id}", False, f"can't be understood ({problem}): {advice}")


def _worker(services: Services) -> Iterator[Finding]:
    with services.database.reading() as db:
        seen_at = db.scalar(select(Installation.worker_seen_at))
    if seen_at is None or services.now() - seen_at > WORKER_SEEN_WITHIN:
        since = "has never run" if seen_at is None else f"was last seen at {seen_at:%Y-%m-%d %H:%M} UTC"
        yield Finding("worker", False, f"{since}; start it: ./start, or python -m booking.worker")
    else:
        yield Finding("worker", True, "runs")


def _mail(services: Services) -> Iterator[Finding]:
    try:
        services.mail.check()
    except MailDelayed as error:
        yield Finding("mail", False, str(error))
    else:
        way = "through SMTP" if services.settings.smtp_url else f"as files in {services.settings.data_dir / 'mail'}"
        yield Finding("mail", True, f"leaves {way}")
    with services.database.reading() as db:
        parked = db.execute(
            select(Job.last_error, func.count()).where(Job.parked_at.is_not(None)).group_by(Job.last_error)
        ).all()
    for reason, count in parked:
        yield Finding("outbox", False, f"{count} given up ({reason}); tell the clients yourself: call list --all")


def _address(services: Services) -> Iterator[Finding]:
    settings = services.settings
    parts = urlsplit(settings.base_url)
    is_local = _is_loopback(parts.hostname or "")
    if is_local and settings.smtp_url:
        yield Finding(
            "BASE_URL", False, f"links in mails lead to {settings.base_url}, which only this machine can open"
        )
    elif not is_local and parts.scheme != "https":
        yield Finding("BASE_URL", False, "clients reach you without https; put a proxy with a certificate before it")
    elif not is_local and not settings.trusted_proxies:
        yield Finding("BASE_URL", False, "set TRUSTED_PROXIES=1, or every client seems to come from the proxy")
    else:
        yield Finding("BASE_URL", True, settings.base_url)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_LOOKS: Final[tuple[Callable[[Services], Iterator[Finding]], ...]] = (
    _secrets,
    _owners,
    _calendars,
    _worker,
    _mail,
    _address,
)
