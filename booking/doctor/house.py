"""What the house itself stands on: folders, database, secret key, owners, worker, outbox, backup."""

import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from booking.doctor.finding import CLOCK_MAY_DIFFER, SET_CLOCK, Finding
from booking.errors import BookingError
from booking.services import Services
from booking.settings import Settings
from booking.store.models import Calendar, Call, Installation, Job, Owner
from booking.store.outbox import oldest_due

LEAST_FREE_BYTES: Final = 200 * 10**6
LEAST_FREE_SHARE: Final = 0.02
PROBE_BYTES: Final = 64 * 1024

WORKER_SEEN_WITHIN: Final = timedelta(minutes=2)
MAY_BE_BEHIND: Final = timedelta(minutes=10)
BACKUP_WITHIN: Final = timedelta(days=7)
TRIED_OFTEN: Final = 3


def folders(settings: Settings, least_free_bytes: int = LEAST_FREE_BYTES) -> Iterator[Finding]:
    """Look at the data folder, and at the database's where that is another one."""
    url = sa.make_url(settings.database_url)
    is_file = url.drivername.startswith("sqlite") and url.database
    for folder in dict.fromkeys([settings.data_dir, Path(url.database or "").parent if is_file else settings.data_dir]):
        yield _folder(folder, least_free_bytes)


def _folder(folder: Path, least_free_bytes: int) -> Finding:
    subject = f"folder {folder}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
        disk = os.statvfs(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "make room on its disk" if full else "set DATA_DIR to a folder that this user may write"
        return Finding(subject, False, f"can't be written ({error.strerror}): {advice}")
    free = disk.f_bavail * disk.f_frsize
    if free < least_free_bytes or disk.f_bavail < LEAST_FREE_SHARE * disk.f_blocks:
        return Finding(subject, False, f"its disk is nearly full, {_megabytes(free)} are left: make room")
    return Finding(subject, True, f"can be written, {_megabytes(free)} are left")


def database(services: Services) -> Finding:
    """Look whether the database answers and has this version's tables; without it nothing else can be looked at."""
    try:
        is_current = services.database.is_current()
    except DBAPIError as error:
        return Finding("database", False, f"it does not answer ({error.__cause__ or error}); check DATABASE_URL")
    if not is_current:
        advice = "run: flask --app wsgi db upgrade (after a step back to an older version: restore its backup)"
        return Finding("database", False, f"its tables are of another version; {advice}")
    return Finding("database", True, "answers, tables are up to date")


def secrets(services: Services) -> Iterator[Finding]:
    """Look whether the secret key is the one the database was made with."""
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


def owners(services: Services) -> Iterator[Finding]:
    """Look whether everybody who takes calls can be called."""
    with services.database.reading() as db:
        found = [
            (owner, len(owner.call_types), any(calendar.takes_calls for calendar in owner.calendars))
            for owner in db.scalars(select(Owner).order_by(Owner.slug))
        ]
    if not found:
        yield Finding("owners", False, "there is none; run: flask --app wsgi owner add --help")
    for owner, call_types, is_written in found:
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


def worker(services: Services) -> Iterator[Finding]:
    """Look whether the worker runs, keeps up, and lives at the same time as we do."""
    now = services.now()
    due_to_be_read = select(func.min(Calendar.next_read_at)).where(Calendar.is_busy)
    with services.database.reading() as db:
        seen_at = db.scalar(select(Installation.worker_seen_at))
        waiting = [at for at in (oldest_due(db, now), db.scalar(due_to_be_read)) if at is not None]
    start_it = "start it: ./start, or python -m booking.worker"
    if seen_at is None:
        yield Finding("worker", False, f"has never run; {start_it}")
    elif seen_at > now + CLOCK_MAY_DIFFER:
        yield Finding("clock", False, f"the worker was seen {seen_at - now} from now: {SET_CLOCK} the worker")
    elif now - seen_at > WORKER_SEEN_WITHIN:
        yield Finding("worker", False, f"was last seen at {seen_at:%Y-%m-%d %H:%M} UTC; {start_it}")
    elif waiting and now - min(waiting) > MAY_BE_BEHIND:
        minutes = int((now - min(waiting)).total_seconds() // 60)
        yield Finding("worker", False, f"is {minutes} minutes behind: look at its log, restart it, or run another one")
    else:
        yield Finding("worker", True, "runs and keeps up")


def outbox(services: Services) -> Iterator[Finding]:
    """Look at what could not leave and still matters: a call that is over needs no mail any more."""
    now = services.now()
    matters = sa.or_(Call.ends_at > now, Job.call_id.is_(None) & (Job.created_at > now - BACKUP_WITHIN))
    counts = select(Job.kind, Job.last_error, func.count()).outerjoin(Call, Call.id == Job.call_id).where(matters)
    by_reason = counts.group_by(Job.kind, Job.last_error).order_by(Job.kind, Job.last_error)
    is_tried = Job.done_at.is_(None) & Job.parked_at.is_(None) & (Job.last_error != "")
    with services.database.reading() as db:
        parked = db.execute(by_reason.where(Job.parked_at.is_not(None))).all()
        tried = db.execute(by_reason.where(is_tried, Job.attempts >= TRIED_OFTEN)).all()
    for kind, reason, count in parked:
        advice = "tell the clients yourself" if kind == "mail" else "see to the events in the calendar yourself"
        yield Finding("outbox", False, f"{count} × {kind} given up ({reason}); {advice}: call list --owner …")
    for kind, reason, count in tried:
        yield Finding("outbox", False, f"{count} × {kind} waits, and is tried again ({reason})")
    if not parked and not tried:
        yield Finding("outbox", True, "nothing is held up")


def backup(services: Services) -> Iterator[Finding]:
    """Look when the last backup was made; there is nothing to lose before the first call is a week old."""
    now = services.now()
    with services.database.reading() as db:
        made_at = db.scalar(select(Installation.backed_up_at))
        first_call_at = db.scalar(select(func.min(Call.created_at)))
    is_postgres = not services.database.is_sqlite
    how = "pg_dump, then: flask --app wsgi backup --elsewhere" if is_postgres else "run: flask --app wsgi backup FILE"
    since = made_at or first_call_at
    if since is not None and now - since > BACKUP_WITHIN:
        last = f"the last one is of {made_at:%Y-%m-%d}" if made_at else "there has never been one"
        yield Finding("backup", False, f"{last}; {how}")
    else:
        yield Finding("backup", True, f"the last one is of {made_at:%Y-%m-%d}" if made_at else f"none yet; {how}")


def _megabytes(count: int) -> str:
    return f"{count // 10**6} MB"
