"""The commands about the installation itself."""

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from booking.services import Services
from booking.settings import Settings
from booking.store.accounts import WayIn
from booking.store.models import Installation, Job, Owner
from booking.usecases import door, ways_in
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import wish
from tests.cli.conftest import Operator, operator_of
from tests.fakes import MailBox

OTHER_KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@pytest.fixture
def fresh(settings: Settings, tmp_path: Path) -> Settings:
    """The settings of another, empty data folder with the same secret key."""
    folder = tmp_path / "fresh"
    return replace(settings, data_dir=folder, database_url=f"sqlite:///{folder}/sprechzeit.db")


@pytest.fixture
def other(fresh: Settings, services: Services) -> Iterator[Operator]:
    """The operator of that other installation."""
    built = replace(services, settings=fresh, database=type(services.database)(fresh.database_url))
    yield operator_of(fresh, built)
    built.database.dispose()


def test_the_database_is_made_and_tied_to_its_key(other: Operator, fresh: Settings) -> None:
    assert other.ask("db", "upgrade") == {"current": True}
    assert "up to date" in other.run("db", "upgrade")


def test_a_database_of_another_key_is_refused(anna: Operator, settings: Settings, services: Services) -> None:
    with services.database.writing() as db:
        db.scalars(select(Installation)).one().key_fingerprint = "another"
    assert "made with another key" in anna.fail("db", "upgrade")


def test_commands_on_an_empty_database_say_what_to_run(other: Operator) -> None:
    assert "db upgrade" in other.fail("owner", "list")


def test_the_worker_can_do_what_is_due_and_end(anna: Operator, services: Services, mailbox: MailBox) -> None:
    with services.database.writing() as db:
        book(db, house(services), "anna", "call", wish(), services.now())
    assert anna.ask("worker", "--once")["done"] >= 3
    assert len(mailbox.to("kim@example.com")) == 1


def test_a_backup_holds_database_and_calendar_but_no_key(anna: Operator, settings: Settings, tmp_path: Path) -> None:
    folder = settings.radicale_dir / "collections" / "collection-root" / "anna" / "calls"
    (folder / ".Radicale.cache").mkdir(parents=True)
    for name in ("a.ics", ".Radicale.props", ".Radicale.cache/a.ics"):
        (folder / name).write_text(name)
    (settings.radicale_dir / "port").write_text("8001")
    (settings.data_dir / "secret_key").write_text("secret")
    file = tmp_path / "backup.tar.gz"

    said = anna.run("backup", str(file))

    assert "1 objects" in said
    assert "secret_key" in said
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        names = {Path(member.name).name for member in archive if member.isfile()}
    assert names == {"sprechzeit.db", "port", "a.ics", ".Radicale.props"}


def test_a_backup_names_the_environment_where_the_key_comes_from_there(anna: Operator, tmp_path: Path) -> None:
    assert "SECRET_KEY" in anna.run("backup", str(tmp_path / "backup.tar.gz"))


def test_a_backup_never_replaces_a_file(anna: Operator, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    anna.run("backup", str(file))
    assert "exists already" in anna.fail("backup", str(file))


def test_a_backup_that_can_not_be_written_says_so(anna: Operator, tmp_path: Path) -> None:
    assert "can't be written" in anna.fail("backup", str(tmp_path / "nowhere" / "backup.tar.gz"))


def test_a_backup_of_postgresql_is_left_to_its_own_tools(settings: Settings, services: Services) -> None:
    on_server = replace(services, settings=replace(settings, database_url="postgresql+psycopg://x@localhost/x"))
    assert "pg_dump" in operator_of(settings, on_server).fail("backup", "x.tar.gz")


def test_a_restored_installation_is_the_old_one_and_sends_no_old_mail(
    anna: Operator, other: Operator, services: Services, settings: Settings, fresh: Settings, tmp_path: Path
) -> None:
    calendar = Path("radicale/collections/collection-root/anna/calls/a.ics")
    (settings.data_dir / calendar).parent.mkdir(parents=True)
    (settings.data_dir / calendar).write_text("an event")
    with services.database.writing() as db:
        call = book(db, house(services), "anna", "call", wish(), services.now())
    file = tmp_path / "backup.tar.gz"
    anna.run("backup", str(file))

    assert "2 mails" in other.run("restore", str(file))

    assert other.ask("call", "show", call.id) == anna.ask("call", "show", call.id)
    assert (fresh.data_dir / calendar).read_text() == "an event"
    database = type(services.database)(fresh.database_url)
    with database.reading() as db:
        jobs = db.scalars(select(Job)).all()
    database.dispose()
    assert [job for job in jobs if job.kind == "mail" and job.not_before > services.now()]  # reminders
    for job in jobs:
        is_old_mail = job.kind == "mail" and job.not_before <= services.now()
        assert (job.parked_at is not None) == is_old_mail


def test_what_was_ended_since_the_backup_stays_shut_after_a_restore(
    anna: Operator, other: Operator, services: Services, fresh: Settings, tmp_path: Path
) -> None:
    with services.database.writing() as db:
        owner_id = db.scalars(select(Owner.id)).one()
        door.open_session(db, owner_id, "token", "public", services.now(), browser="Test")
        ways_in.make_link(db, house(services), owner_id, services.now())
    file = tmp_path / "backup.tar.gz"
    anna.run("backup", str(file))

    other.run("restore", str(file))

    database = type(services.database)(fresh.database_url)
    with database.reading() as db:
        assert door.find_session(db, "token", services.now()) is None
        way = db.scalars(select(WayIn)).one()
        assert ways_in.find_owner(db, ways_in.LOGIN, way.id, services.now()) is None
    database.dispose()


def test_a_backup_is_restored_into_an_empty_folder_only(anna: Operator, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    anna.run("backup", str(file))
    assert "empty folder" in anna.fail("restore", str(file))


def test_a_backup_of_another_key_is_not_restored(
    anna: Operator, services: Services, fresh: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    anna.run("backup", str(file))
    stranger = replace(services, settings=fresh, vault=type(services.vault)((OTHER_KEY,)))
    assert "another secret key" in operator_of(fresh, stranger).fail("restore", str(file))
    assert list(fresh.data_dir.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "radicale/../../evil", "other.db"])
def test_an_archive_with_anything_else_is_no_backup(
    other: Operator, fresh: Settings, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "evil.tar.gz"
    (tmp_path / "content").write_text("x")
    with tarfile.open(file, "w:gz") as archive:
        archive.add(tmp_path / "content", name)
    assert "no backup of Sprechzeit" in other.fail("restore", str(file))
    assert list(fresh.data_dir.iterdir()) == []


def test_an_archive_with_links_is_no_backup(other: Operator, tmp_path: Path) -> None:
    file = tmp_path / "evil.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        link = tarfile.TarInfo("radicale/collections")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    assert "no backup of Sprechzeit" in other.fail("restore", str(file))


@pytest.mark.parametrize("content", [b"", b"nothing that was ever packed"])
def test_a_file_that_is_no_archive_is_refused(other: Operator, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "text.tar.gz"
    file.write_bytes(content)
    assert "can't be restored" in other.fail("restore", str(file))


def test_an_archive_without_a_database_is_no_backup(other: Operator, tmp_path: Path) -> None:
    file = tmp_path / "empty.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        archive.add(tmp_path, "radicale", recursive=False)
    assert "holds no sprechzeit.db" in other.fail("restore", str(file))
