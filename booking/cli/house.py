"""``db``, ``worker``, ``doctor``, ``backup``, ``restore``: the installation itself."""

from pathlib import Path
from typing import Final

import click
from flask.cli import AppGroup, with_appcontext

from booking import backup, doctor, worker
from booking.cli.answers import Answer, answers
from booking.errors import InvalidText
from booking.services import Services
from booking.usecases import setup

db_group = AppGroup("db", help="The database.")


@db_group.command("upgrade")
@answers
def upgrade(services: Services) -> Answer:
    """Bring the database up to this version; make it where there is none."""
    services.database.upgrade()
    with services.database.writing() as db:
        setup.check_key(db, services.vault)
    return Answer({"current": True}, ["The database is up to date."])


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@with_appcontext
@answers
def run_worker(services: Services, *, once: bool) -> Answer:
    """Send mails, write and read calendars, until Ctrl-C."""
    if not once:
        worker.main()
        return Answer({"ended": True}, ["The worker has ended."])
    count = 0
    while worker.run_once(services):
        count += 1
    worker.heartbeat(services)
    return Answer({"done": count}, [f"{count} things done."])


@click.command("doctor")
@with_appcontext
@answers
def examine(services: Services) -> Answer:
    """Check everything and say what to do; exit status 1 if something is wrong."""
    findings = list(doctor.examine(services))
    lines = [f"{'ok ' if one.is_well else 'BAD'}  {one.subject}: {one.words}" for one in findings]
    data = [{"subject": one.subject, "ok": one.is_well, "words": one.words} for one in findings]
    return Answer(data, lines, 0 if all(one.is_well for one in findings) else 1)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--elsewhere", is_flag=True, help="Only note that a backup was made by other means, such as pg_dump.")
@with_appcontext
@answers
def make_backup(services: Services, file: Path | None, *, elsewhere: bool) -> Answer:
    """Write database and embedded calendar into FILE (.tar.gz), while everything runs."""
    if elsewhere == (file is not None):
        raise InvalidText("give the FILE to write, or --elsewhere where a backup was made by other means")
    if file is None:
        backup.note_backup(services)
        return Answer({"file": None}, ["Noted: there is a backup of this moment."])
    made = backup.make_backup(services, file.absolute())
    key = services.settings.data_dir / "secret_key"
    where = f"the file {key}" if key.exists() else "the SECRET_KEY of your environment"
    return Answer(
        {"file": str(made.file), "calendar_objects": made.calendar_objects},
        [
            f"Wrote {made.file} with {made.calendar_objects} objects of the embedded calendar.",
            f"The secret key is NOT in it: keep {where} too, elsewhere. Without it nothing can be restored.",
        ],
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_appcontext
@answers
def restore_backup(services: Services, file: Path) -> Answer:
    """Bring a backup back into an empty data folder that holds the backup's secret key."""
    held = backup.restore_backup(services, file.absolute())
    lines = [f"Restored into {services.settings.data_dir}."]
    if held:
        lines.append(f"{held} mails that waited in it are held back, since they may have left already: see doctor.")
    return Answer({"held_mails": held}, lines)


COMMANDS: Final = (db_group, run_worker, examine, make_backup, restore_backup)
