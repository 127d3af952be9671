"""Backup and restore of an installation on SQLite, while it runs.

In the archive: the database and the embedded calendar. Not in it: the secret key (whoever has both can read the
calendar passwords and make clients' links) and the mails that were written as files.
"""

import contextlib
import fcntl
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import sqlalchemy as sa

from booking.errors import BookingError
from booking.services import Services
from booking.settings import Settings
from booking.store.models import Installation, Job
from booking.store.outbox import HELD_BACK
from booking.usecases import door, setup

DATABASE: Final = "sprechzeit.db"
CALENDARS: Final = "radicale/collections"
PORT: Final = "radicale/port"
HELD: Final = "restored from a backup, so it may have left already"


class BackupFailed(BookingError):
    """Nothing was written, or restored; the message says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """What a backup file holds."""

    file: Path
    calendar_objects: int


def make_backup(services: Services, file: Path) -> Backup:
    """Write database and embedded calendar into a new ``.tar.gz`` that only this user can read.

    :raises BackupFailed: the database is not SQLite, or the file can't be written.
    """
    source = _sqlite_file(services.settings)
    if file.exists():
        raise BackupFailed(f"{file} exists already; give a new name")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        count = _pack(source, services.settings, draft)
        draft.replace(file)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise BackupFailed(f"{file} can't be written: {getattr(error, 'strerror', None) or error}") from error
    note_backup(services)
    return Backup(file, count)


def note_backup(services: Services) -> None:
    """Note that there is a backup of this moment, so that the doctor asks for the next one in time."""
    with services.database.writing() as db:
        db.execute(sa.update(Installation).values(backed_up_at=services.now()))


def restore_backup(services: Services, file: Path) -> int:
    """Bring a backup back into an empty data folder; return how many waiting mails are held back.

    Mails that were due may have left since the backup was made: they are parked, not sent. What becomes due only later
    (a reminder, the owner's morning mail) can't have left. Whoever was logged in logs in anew: a session or a one-time
    link of the backup may have been ended since.

    :raises BackupFailed: the folder is not empty, the file is no backup, or the secret key is another one.
    """
    settings = services.settings
    database = _sqlite_file(settings)
    if database.exists() or (settings.data_dir / CALENDARS).exists():
        raise BackupFailed(f"{settings.data_dir} holds an installation already; set DATA_DIR to an empty folder")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
            _unpack(file, Path(folder))
            _key_must_fit(services, Path(folder) / DATABASE)
            if (Path(folder) / "radicale").exists():
                shutil.copytree(Path(folder) / "radicale", settings.radicale_dir, dirs_exist_ok=True)
            os.replace(Path(folder) / DATABASE, database)
    except (OSError, tarfile.TarError, sqlite3.Error, EOFError) as error:
        raise BackupFailed(f"{file} can't be restored: {getattr(error, 'strerror', None) or error}") from error
    services.database.upgrade()
    with services.database.writing() as db:
        door.end_everything(db, services.now())
    return _hold_mails(services)


def _sqlite_file(settings: Settings) -> Path:
    url = sa.make_url(settings.database_url)
    if not url.drivername.startswith("sqlite") or not url.database:
        raise BackupFailed(
            "this database is PostgreSQL: use pg_dump and pg_restore, and copy DATA_DIR; docs/operating.md says how"
        )
    return Path(url.database)


def _pack(source: Path, settings: Settings, file: Path) -> int:
    """Write the archive; return how many objects of the embedded calendar are in it.

    The calendar stands still from before the database is copied until it is copied itself: an event that the database
    knows is then in the backup, and one that is not was not noted either. Bookings go on meanwhile.
    """
    folder = settings.data_dir / CALENDARS
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        open(descriptor, "wb") as raw,
        tempfile.TemporaryDirectory(dir=file.parent) as passing,
    ):
        copy = Path(passing) / DATABASE
        with tarfile.open(fileobj=raw, mode="w:gz") as archive:
            with _no_writer(folder):
                _copy_database(source, copy)
                count = _add_calendars(archive, settings)
            archive.add(copy, DATABASE)
        raw.flush()
        os.fsync(descriptor)
    return count


def _copy_database(source: Path, target: Path) -> None:
    """Copy with SQLite's own backup: whole and consistent, whoever writes meanwhile."""
    with contextlib.ExitStack() as stack:
        reading = stack.enter_context(contextlib.closing(sqlite3.connect(source.as_uri() + "?mode=ro", uri=True)))
        writing = stack.enter_context(contextlib.closing(sqlite3.connect(target)))
        reading.backup(writing)


def _add_calendars(archive: tarfile.TarFile, settings: Settings) -> int:
    folder, port = settings.data_dir / CALENDARS, settings.data_dir / PORT
    if port.exists():
        archive.add(port, PORT)
    if not folder.exists():
        return 0
    archive.add(folder, CALENDARS, filter=lambda member: None if _is_passing(member.name) else member)
    return sum(1 for path in folder.rglob("*.ics") if not any(_is_passing(part) for part in path.parts))


def _is_passing(name: str) -> bool:
    """Say whether Radicale makes this again by itself; ``.Radicale.props`` is a calendar's name and kind, and stays."""
    return PurePosixPath(name).name.startswith((".Radicale.cache", ".Radicale.lock", ".Radicale.tmp"))


@contextlib.contextmanager
def _no_writer(folder: Path) -> Iterator[None]:
    """Keep Radicale from writing, where there is one: its storage is guarded by a lock on this file."""
    if not folder.exists():
        yield
        return
    with open(folder / ".Radicale.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _unpack(file: Path, folder: Path) -> None:
    """Unpack only what a backup holds: no links, nothing outside the folder."""
    with tarfile.open(file, "r:gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            is_ours = path.parts[:1] == ("radicale",) or member.name == DATABASE
            if not is_ours or ".." in path.parts or not (member.isfile() or member.isdir()):
                raise BackupFailed(f"{file} is no backup of Sprechzeit: it holds {member.name!r}")
            target = folder / path
            if member.isdir():
                target.mkdir(mode=0o700, parents=True, exist_ok=True)
                continue
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = archive.extractfile(member)
            with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                if content is not None:
                    shutil.copyfileobj(content, copy)
    if not (folder / DATABASE).exists():
        raise BackupFailed(f"{file} is no backup of Sprechzeit: it holds no {DATABASE}")


def _key_must_fit(services: Services, database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT key_fingerprint FROM installation").fetchall()
    if any(row[0] not in services.vault.fingerprints for row in rows):
        raise BackupFailed(
            "this backup was made with another secret key: copy that installation's secret_key to "
            f"{services.settings.data_dir / 'secret_key'} (or set SECRET_KEY) and try again"
        )


def _hold_mails(services: Services) -> int:
    now = services.now()
    waiting = (Job.kind == "mail") & Job.done_at.is_(None) & Job.parked_at.is_(None) & (Job.not_before <= now)
    with services.database.writing() as db:
        setup.check_key(db, services.vault)
        held = db.scalars(sa.select(Job).where(waiting)).all()
        for job in held:
            job.parked_at, job.last_error, job.error_kind = now, HELD, HELD_BACK
    return len(held)
