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
from booking.usecases.availability import COUNTS

LEAST_FREE_BYTES: Final = 200 * 10**6
LEAST_FREE_SHARE: Final = 0.02
PROBE_BYTES: Final = 64 * 1024

WORKER_SEEN_WITHIN: Final = timedelta(minutes=2)
MAY_BE_BEHIND: Final = timedelta(minutes=10)
BACKUP_WITHIN: Final = timedelta(days=7)
TRIED_OFTEN: Final = 3


def folders(settings: Settings) -> Iterator[Finding]:
    """Look at the data folder, and at the database's where that is another one."""
    url = sa.make_url(settings.database_url)
    is_file = url.drivername.startswith("sqlite") and url.database
    for folder in dict.fromkeys([settings.data_dir, Path(url.database or "").parent if is_file else settings.data_dir]):
        yield _folder(folder)


def _folder(folder: Path) -> Finding:
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
        kind = "disk.full" if full else "disk.shut"
        return Finding(subject, False, f"can't be written ({error.strerror}): {advice}", kind)
    free = disk.f_bavail * disk.f_frsize
    if free < LEAST_FREE_BYTES or disk.f_bavail < LEAST_FREE_SHARE * disk.f_blocks:
        return Finding(subject, False, f"its disk is nearly full, {_megabytes(free)} are left: make room", "disk.low")
    return Finding(subject, True, f"can be written, {_megabytes(free)} are left", "disk.well")


def database(services: Services) -> Finding:
    """Look whether the database answers and has this version's tables; without it nothing else can be looked at."""
    try:
        is_current = services.database.is_current()
    except DBAPIError as error:
        words = f"it does not answer ({error.__cause__ or error}); check DATABASE_URL"
        return Finding("database", False, words, "database.silent")
    if not is_current:
        advice = "run: flask --app wsgi db upgrade (after a step back to an older version: restore its backup)"
        return Finding("database", False, f"its tables are of another version; {advice}", "database.other")
    return Finding("database", True, "answers, tables are up to date", "database.well")


def secrets(services: Services) -> Iterator[Finding]:
    """Look whether the secret key is the one the database was made with."""
    with services.database.reading() as db:
        fingerprint = db.scalar(select(Installation.key_fingerprint))
        locked = db.scalars(select(Calendar.password_encrypted).where(Calendar.password_encrypted != "")).all()
    if fingerprint is not None and fingerprint not in services.vault.fingerprints:
        words = "the database was made with another SECRET_KEY; give that one again"
        yield Finding("secret key", False, words, "key.other")
        return
    try:
        for password in locked:
            services.vault.unlock(password)
    except BookingError as error:
        yield Finding("secret key", False, str(error), "key.other")
    else:
        yield Finding("secret key", True, "fits the database", "key.well")


def owners(services: Services, owner_slug: str | None = None) -> Iterator[Finding]:
    """Look whether everybody who takes calls can be called; or only one of them."""
    everybody = select(Owner).order_by(Owner.slug)
    with services.database.reading() as db:
        found = [
            (owner, len(owner.call_types), any(calendar.takes_calls for calendar in owner.calendars))
            for owner in db.scalars(everybody.where(Owner.slug == owner_slug) if owner_slug else everybody)
        ]
    if not found:
        yield Finding("owners", False, "there is none; run: flask --app wsgi owner add --help", "owner.none")
    for owner, call_types, is_written in found:
        yield _owner(services, owner, has_call_types=bool(call_types), is_written=is_written)


def _owner(services: Services, owner: Owner, *, has_call_types: bool, is_written: bool) -> Finding:
    subject = f"owner {owner.slug}"
    if not has_call_types:
        words = "nothing can be booked; run: flask --app wsgi call-type add --help"
        return Finding(subject, False, words, "owner.no_call_types")
    if not any(owner.timetable.weekly):
        words = "has no business hours; run: flask --app wsgi hours set --help"
        return Finding(subject, False, words, "owner.no_hours")
    if not is_written:
        words = "no calendar takes the calls; run: flask --app wsgi calendar add … --bookings"
        return Finding(subject, False, words, "owner.no_calendar")
    if services.settings.smtp_url and owner.email.endswith("@localhost"):
        advice = f"run: flask --app wsgi owner set --owner {owner.slug} email=…"
        return Finding(subject, False, f"mails to {owner.email} reach nobody; {advice}", "owner.no_address")
    return Finding(subject, True, "can be called", "owner.well")


def worker(services: Services) -> Iterator[Finding]:
    """Look whether the worker runs, keeps up, and lives at the same time as we do."""
    now = services.now()
    due_to_be_read = select(func.min(Calendar.next_read_at)).where(COUNTS)
    with services.database.reading() as db:
        seen_at = db.scalar(select(Installation.worker_seen_at))
        waiting = [at for at in (oldest_due(db, now), db.scalar(due_to_be_read)) if at is not None]
    start_it = "start it: ./start, or python -m booking.worker"
    if seen_at is None:
        yield Finding("worker", False, f"has never run; {start_it}", "worker.never")
    elif seen_at > now + CLOCK_MAY_DIFFER:
        words = f"the worker was seen {seen_at - now} from now: {SET_CLOCK} the worker"
        yield Finding("clock", False, words, "clock.off")
    elif now - seen_at > WORKER_SEEN_WITHIN:
        words = f"was last seen at {seen_at:%Y-%m-%d %H:%M} UTC; {start_it}"
        yield Finding("worker", False, words, "worker.gone", {"seen_at": seen_at})
    elif waiting and now - min(waiting) > MAY_BE_BEHIND:
        minutes = int((now - min(waiting)).total_seconds() // 60)
        words = f"is {minutes} minutes behind: look at its log, restart it, or run another one"
        yield Finding("worker", False, words, "worker.behind", {"minutes": minutes})
    else:
        yield Finding("worker", True, "runs and keeps up", "worker.well")


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
        words = f"{count} × {kind} given up ({reason}); {advice}: call list --owner …"
        yield Finding("outbox", False, words, "outbox.given_up")
    for kind, reason, count in tried:
        yield Finding("outbox", False, f"{count} × {kind} waits, and is tried again ({reason})", "outbox.tried")
    if not parked and not tried:
        yield Finding("outbox", True, "nothing is held up", "outbox.well")


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
        yield Finding("backup", False, f"{last}; {how}", "backup.old", {"made_at": made_at})
    else:
        words = f"the last one is of {made_at:%Y-%m-%d}" if made_at else f"none yet; {how}"
        yield Finding("backup", True, words, "backup.well", {"made_at": made_at})


def _megabytes(count: int) -> str:
    return f"{count // 10**6} MB"
