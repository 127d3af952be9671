"""The doctor: well is well, and each illness is named with its cure. What is ill here is really ill."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import select, update
from werkzeug.serving import make_server

from booking.app import create_app
from booking.calendars.guard import open_calendar
from booking.calendars.port import AuthRefused, Refused
from booking.calendars.probe import PROBE, PROBE_CALL
from booking.doctor import house, sentences
from booking.language import CATALOGUES
from booking.mail.smtp import SmtpTransport
from booking.rules.hours import Timetable
from booking.services import Services
from booking.settings import Settings
from booking.signing import Signing
from booking.store.models import Calendar, CalendarResource, Call, CallType, Installation, Job, Owner
from booking.store.vault import Vault
from booking.usecases.reserve import book
from booking.web.reserving import house as house_of
from booking.worker import heartbeat, run_once
from tests.builders import add_call_type, add_owner, wish
from tests.calendars.conftest import NAME, PASSWORD, DavServer, Exchange, Scripted, free_port, running, scripted
from tests.cli.conftest import Operator, operator_of
from tests.conftest import KEY, build_services
from tests.fakes import MONDAY, Clock, MailBox, MemoryCalendar, Server, event
from tests.mail.servers import Keeper, ScriptedServer, make_certificate, real_server

__all__ = ["scripted"]

OTHER_KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[2]

RIGHTS = """\
[home]
user: .+
collection: ({user})?
permissions: RW
[read-only]
user: .+
collection: {user}/read-only
permissions: r
[calendars]
user: .+
collection: {user}/[^/]+
permissions: rw
"""


@contextmanager
def answering(app: Flask, port: int, **how: Any) -> Iterator[None]:
    """Have an app answer on a port of this machine until the block ends."""
    server = make_server("127.0.0.1", port, app, threaded=True, **how)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, base_url=f"http://127.0.0.1:{free_port()}", caldav_allow=("127.0.0.1",))


def port_of(settings: Settings) -> int:
    return int(settings.base_url.rpartition(":")[2])


@pytest.fixture
def well(anna: Operator, settings: Settings, services: Services) -> Iterator[Operator]:
    """An installation that lacks nothing, and answers at its address."""
    heartbeat(services)
    with answering(create_app(settings, services), port_of(settings)):
        yield anna


def complaints(operator: Operator) -> list[str]:
    """Return what the doctor finds wrong, as it says it."""
    result = operator.invoke(["doctor"], "")
    bad = [line.removeprefix("BAD  ") for line in result.output.splitlines() if line.startswith("BAD")]
    assert result.exit_code == (1 if bad else 0), result.output
    return bad


def only_complaint(operator: Operator) -> str:
    (complaint,) = complaints(operator)
    return complaint


def complaint_about(operator: Operator, subject: str) -> str:
    (complaint,) = [one for one in complaints(operator) if one.startswith(f"{subject}: ")]
    return complaint


def changed(services: Services, **values: object) -> Operator:
    """The operator of the same installation with other settings."""
    settings = replace(services.settings, **values)  # type: ignore[arg-type]
    return operator_of(settings, replace(services, settings=settings))


def test_an_installation_that_lacks_nothing_is_well(well: Operator) -> None:
    assert complaints(well) == []
    assert all(finding["ok"] for finding in well.ask("doctor"))


SMALL_BYTES = 100 * 10**6
FILL_AND_RUN = """
if [ "$1" = mount ]; then mount -t tmpfs -o size=2m none "$0" || exit 32; fi
room=$(df --output=avail --block-size=1 "$0" | tail -n 1)
head -c $((room - $2)) /dev/zero > "$0/filling"
shift 2
"$@"
code=$?
rm "$0/filling"
exit $code
"""


@dataclass(frozen=True)
class SmallDisk:
    """A folder on a small disk: one that only the command sees which runs apart, or one of this machine."""

    folder: Path
    apart: tuple[str, ...] = ()

    def run(self, command: list[str], left_bytes: int, **how: Any) -> subprocess.CompletedProcess[str]:
        """Fill the disk, up to what is to be left, run a command, and make room again."""
        way = "mount" if self.apart else "there"
        fill_and_run = [*self.apart, "sh", "-c", FILL_AND_RUN, str(self.folder), way, str(left_bytes), *command]
        return subprocess.run(fill_and_run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **how)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A mount of one's own, for which nobody need be root; in containers that forbid it, a small disk that is there."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder, ("unshare", "--map-root-user", "--mount"))
    if shutil.which("unshare") and disk.run(["true"], 0).returncode == 0:
        yield disk
        return
    for place in (Path("/run/lock"), Path("/dev")):
        if os.access(place, os.W_OK) and shutil.disk_usage(place).total < SMALL_BYTES:
            with tempfile.TemporaryDirectory(dir=place) as made:
                yield SmallDisk(Path(made))
            return
    pytest.skip("unshare --map-root-user --mount is missing or forbidden, and no small disk is at /run/lock or /dev")


class TestFolders:
    def test_a_data_folder_that_can_not_be_written_is_named(self, well: Operator, services: Services) -> None:
        file = services.settings.data_dir / "no-folder"
        file.write_text("a file")
        said = complaint_about(changed(services, data_dir=file), f"folder {file}")
        assert "set DATA_DIR to a folder that this user may write" in said

    def test_the_folder_of_the_database_is_looked_at_too(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("a file")
        elsewhere = replace(settings, database_url=f"sqlite:///{tmp_path}/file/sprechzeit.db")
        assert [finding.is_well for finding in house.folders(elsewhere)] == [True, False]

    @pytest.mark.parametrize(
        ("left_bytes", "words"),
        [
            (150_000, "its disk is nearly full, 0 MB are left: make room"),
            (0, "can't be written (No space left on device): make room on its disk"),
        ],
    )
    def test_a_disk_with_hardly_any_room_and_one_with_none_are_named(
        self, settings: Settings, small_disk: SmallDisk, left_bytes: int, words: str
    ) -> None:
        doctor = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor", "--json"]
        ours = {"DATA_DIR": str(small_disk.folder), "DATABASE_URL": settings.database_url, "SECRET_KEY": KEY}
        said = small_disk.run(doctor, left_bytes, env={**os.environ, **ours})
        assert said.returncode == 1, said.stderr
        findings = {finding["subject"]: finding for finding in json.loads(said.stdout)}
        finding = findings[f"folder {small_disk.folder}"]
        assert (finding["ok"], finding["words"]) == (False, words)
        assert findings["database"]["ok"], "what stands on another disk is well"

    def test_looking_leaves_nothing_behind(self, settings: Settings, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        list(house.folders(replace(settings, data_dir=folder, database_url="postgresql+psycopg://x@localhost/x")))
        assert list(folder.iterdir()) == []


class TestSentences:
    def test_all_languages_of_the_release_are_whole(self) -> None:
        assert [finding.words for finding in sentences.translations() if not finding.is_well] == []

    def test_a_catalogue_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        shutil.copytree(CATALOGUES, tmp_path / "translations")
        (tmp_path / "translations" / "ru" / "LC_MESSAGES" / "messages.po").unlink()
        assert self._bad(tmp_path / "translations") == ["language ru"]

    @pytest.mark.parametrize("content", [b"", b'msgid ""\nmsgstr ""\n', b"\xff\xfe", b"<html>not found</html>\n"])
    def test_a_catalogue_that_is_empty_or_spoiled_is_named(self, tmp_path: Path, content: bytes) -> None:
        shutil.copytree(CATALOGUES, tmp_path / "translations")
        (tmp_path / "translations" / "de" / "LC_MESSAGES" / "messages.po").write_bytes(content)
        assert self._bad(tmp_path / "translations") == ["language de"]

    def test_a_catalogue_that_lacks_one_sentence_is_counted(self, tmp_path: Path) -> None:
        shutil.copytree(CATALOGUES, tmp_path / "translations")
        path = tmp_path / "translations" / "de" / "LC_MESSAGES" / "messages.po"
        head, last = path.read_text().rstrip().rsplit("\n\n", 1)
        assert "msgid" in last
        path.write_text(head + "\n")
        (words,) = [found.words for found in sentences.translations(tmp_path / "translations") if not found.is_well]
        assert words.startswith("1 of ")

    def _bad(self, folder: Path) -> list[str]:
        return [finding.subject for finding in sentences.translations(folder) if not finding.is_well]


class TestDatabase:
    def test_a_database_without_tables_ends_the_examination(self, services: Services) -> None:
        url = f"sqlite:///{services.settings.data_dir}/empty.db"
        empty = replace(services, database=type(services.database)(url))
        assert "db upgrade" in only_complaint(operator_of(services.settings, empty))

    def test_a_database_of_another_version_is_noticed(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.execute(sa.text("UPDATE alembic_version SET version_num = 'of the future'"))
        assert "restore its backup" in only_complaint(well)

    def test_a_database_that_does_not_answer_is_named(self, services: Services) -> None:
        url = f"sqlite:///{services.settings.data_dir}"  # a folder
        broken = replace(services, database=type(services.database)(url))
        assert "DATABASE_URL" in only_complaint(operator_of(services.settings, broken))

    def test_another_secret_key_is_noticed(self, well: Operator, services: Services) -> None:
        keys = (OTHER_KEY,)
        stranger = replace(services, vault=Vault(keys), signing=Signing(keys))
        assert "another SECRET_KEY" in complaint_about(operator_of(services.settings, stranger), "secret key")

    def test_a_password_of_another_key_is_noticed(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            locked = Vault(("another key that is long enough, too",)).lock("secret")
            db.execute(update(Calendar).values(password_encrypted=locked))
        assert "was encrypted with another SECRET_KEY" in complaint_about(well, "secret key")


class TestOwners:
    def test_an_installation_without_owners_is_told_how_to_begin(self, operator: Operator) -> None:
        assert "owner add" in complaint_about(operator, "owners")

    def test_an_owner_without_call_types_can_not_be_called(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.delete(db.scalars(select(CallType)).one())
        assert "call-type add" in only_complaint(well)

    def test_an_owner_without_hours_can_not_be_called(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.execute(update(Owner).values(timetable=Timetable()))
        assert "hours set" in only_complaint(well)

    def test_an_owner_without_a_calendar_for_the_calls_is_told(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.execute(update(Calendar).values(takes_calls=False))
        assert "--bookings" in only_complaint(well)

    def test_an_owner_whose_address_nobody_can_write_to_is_told(self, well: Operator, services: Services) -> None:
        well.run("owner", "set", "--owner", "anna", "email=anna@localhost")
        with_mail = changed(services, smtp_url="smtp://mail.example.org")
        assert "email=…" in complaint_about(with_mail, "owner anna")


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    """A Radicale with a calendar that may be read but not written."""
    folder, port = tmp_path_factory.mktemp("radicale"), free_port()
    (folder / "users").write_text(f"{NAME}:{PASSWORD}\n")
    (folder / "rights").write_text(RIGHTS)
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[rights]\ntype = from_file\nfile = {folder}/rights\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n"
    )
    for name in ("calls", "read-only"):
        calendar = folder / "collections" / "collection-root" / NAME / name
        calendar.mkdir(parents=True)
        (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    with running(command, port, folder / "log") as process:
        yield DavServer(f"http://127.0.0.1:{port}", f"/{NAME}/", NAME, PASSWORD, process)


class TestRealCalendars:
    """The calendar is a real Radicale, and it is now."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(datetime.now(UTC))

    @pytest.fixture
    def services(
        self, settings: Settings, clock: Clock, mailbox: MailBox, server: Server, radicale: DavServer
    ) -> Iterator[Services]:
        for built in build_services(settings, clock, mailbox, server):
            services = replace(built, open_calendar=open_calendar)
            with services.database.writing() as db:
                owner = add_owner(db)
                add_call_type(db, owner)
                place = {"url": radicale.calendar_url("calls"), "username": radicale.username}
                password = services.vault.lock(radicale.password)
                row = Calendar(owner_id=owner.id, kind="caldav", takes_calls=True, password_encrypted=password, **place)
                db.add(row)
            yield services

    @pytest.fixture
    def well(self, operator: Operator, settings: Settings, services: Services) -> Iterator[Operator]:
        heartbeat(services)
        with answering(create_app(settings, services), port_of(settings)):
            yield operator

    def _objects(self, services: Services) -> list[str]:
        with services.database.reading() as db:
            row = db.scalars(select(Calendar)).one()
        with closing(services.calendar(row, 10)) as calendar:
            return sorted(calendar.changes({}).listing)

    def test_a_calendar_that_can_be_written_is_well_and_holds_what_it_held(
        self, well: Operator, services: Services
    ) -> None:
        before = self._objects(services)
        assert complaints(well) == []
        assert "can be written" in well.run("doctor")
        assert self._objects(services) == before

    def test_a_test_event_that_a_crash_left_behind_is_removed(self, well: Operator, services: Services) -> None:
        uid = f"{PROBE}left-behind"
        mine = event("mine", MONDAY, MONDAY + MINUTE)
        more = f"X-SPRECHZEIT-CALL:{PROBE_CALL}\r\n"
        with services.database.reading() as db:
            row = db.scalars(select(Calendar)).one()
        with closing(services.calendar(row, 10)) as calendar:
            left = event(uid, MONDAY, MONDAY + MINUTE, more=more)
            calendar.put(calendar.href_for(uid), left, replaces=None)
            calendar.put(calendar.href_for("mine"), mine, replaces=None)
            assert complaints(well) == []
            assert self._objects(services) == [calendar.href_for("mine")]
            found = calendar.find(calendar.href_for("mine"))
            assert found is not None
            calendar.delete(found.href, etag=found.etag)

    def test_a_calendar_that_can_not_be_reached_is_named(self, well: Operator, services: Services) -> None:
        self._change(services, url=f"http://127.0.0.1:{free_port()}/anna/calls/")
        assert "can't be reached" in complaint_about(well, "calendar 1 of anna")

    def test_a_calendar_that_does_not_exist_is_named(
        self, well: Operator, services: Services, radicale: DavServer
    ) -> None:
        self._change(services, url=radicale.calendar_url("nowhere"))
        assert "there is no calendar at this address" in only_complaint(well)

    def test_a_wrong_password_is_named(self, well: Operator, services: Services) -> None:
        self._change(services, password_encrypted=services.vault.lock("not the word"))
        assert "refuses the name or the password" in only_complaint(well)

    def test_a_calendar_of_calls_that_can_only_be_read_is_named(
        self, well: Operator, services: Services, radicale: DavServer
    ) -> None:
        self._change(services, url=radicale.calendar_url("read-only"))
        said = only_complaint(well)
        assert "can be read, but the calls can't be written" in said
        assert "give this user the right to write" in said

    def test_a_calendar_that_only_blocks_need_not_be_written(
        self, well: Operator, services: Services, radicale: DavServer
    ) -> None:
        self._change(services, url=radicale.calendar_url("read-only"), takes_calls=False)
        assert [said.partition(":")[0] for said in complaints(well)] == ["owner anna"]

    @pytest.mark.parametrize(("off", "way"), [(timedelta(minutes=3), "ahead of"), (timedelta(minutes=-3), "behind")])
    def test_a_clock_that_is_off_by_more_than_two_minutes_is_named(
        self, well: Operator, services: Services, clock: Clock, off: timedelta, way: str
    ) -> None:
        clock.advance(off)
        heartbeat(services)
        said = only_complaint(well)
        assert said.startswith("clock: ")
        assert f"{way} a calendar server's" in said
        assert "NTP" in said

    def test_a_clock_that_is_off_by_less_is_well(self, well: Operator, services: Services, clock: Clock) -> None:
        clock.advance(timedelta(minutes=1))
        assert complaints(well) == []

    @pytest.mark.parametrize(
        "date", ["", "Fri, 31 Dec 9999 23:59:00 -2359", "yesterday", "Fri, 99 Foo 2026 00:00:00 GMT"]
    )
    def test_a_server_that_does_not_know_the_time_is_no_reason_to_complain_of_the_clock(
        self, well: Operator, services: Services, scripted: Scripted, date: str
    ) -> None:
        listing = (
            '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/c/</D:href>'
            "<D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype></D:prop>"
            "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
        )
        head = f"HTTP/1.1 207 Multi-Status\r\nDate: {date}\r\nContent-Type: application/xml\r\n"
        scripted.script = lambda exchange: exchange.raw(f"{head}Content-Length: {len(listing)}\r\n\r\n{listing}")
        self._change(services, url=f"{scripted.url}/c/", takes_calls=False)
        assert [said.partition(":")[0] for said in complaints(well)] == ["owner anna"]

    def _change(self, services: Services, **values: object) -> None:
        with services.database.writing() as db:
            db.execute(update(Calendar).values(**values))


class TestCalendars:
    def test_a_paused_calendar_is_left_in_peace(self, well: Operator, services: Services, server: Server) -> None:
        with services.database.writing() as db:
            db.execute(update(Calendar).values(paused_at=MONDAY, takes_calls=False, read_at=None))
        server["/anna/calls/"].failing = AuthRefused("nobody should ask")
        assert [said.partition(":")[0] for said in complaints(well)] == ["owner anna"]
        assert "is paused by its owner" in well.invoke(["doctor"], "").output

    def test_an_event_that_can_not_be_understood_is_named(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.add(CalendarResource(calendar_id=1, href="/odd.ics", etag="1", uid="odd", ics="", problem="no start"))
        assert "event /odd.ics in calendar 1: can't be understood (no start)" in only_complaint(well)

    def test_what_can_be_written_but_not_removed_is_named_with_its_place(self, well: Operator, server: Server) -> None:
        class Keeping(MemoryCalendar):
            def delete(self, href: str, *, etag: str) -> None:
                raise AuthRefused("no right to do this")

        server.calendars["/anna/calls/"] = Keeping()
        said = only_complaint(well)
        assert "can't be removed again (no right to do this)" in said
        assert next(iter(server["/anna/calls/"].objects)) in said

    def test_a_write_that_seems_to_fail_leaves_nothing_behind(self, well: Operator, server: Server) -> None:
        class Doubtful(MemoryCalendar):
            def put(self, href: str, ics: str, *, replaces: str | None) -> None:
                super().put(href, ics, replaces=replaces)
                raise Refused("too much")

        server.calendars["/anna/calls/"] = Doubtful()
        assert "can't be written (too much)" in only_complaint(well)
        assert server["/anna/calls/"].objects == {}


@pytest.mark.postgres
@pytest.mark.parametrize(("off", "is_well"), [(timedelta(minutes=3), False), (timedelta(), True)])
def test_the_clock_of_a_database_server_is_compared(
    settings: Settings, own_postgres_url: str, server: Server, off: timedelta, is_well: bool
) -> None:
    clock = Clock(datetime.now(UTC) + off)
    on_server = replace(settings, database_url=own_postgres_url)
    for services in build_services(on_server, clock, MailBox(), server):
        said = [one for one in complaints(operator_of(on_server, services)) if one.startswith("clock: ")]
        assert [True for one in said if "the database's are 0:0" in one] == ([] if is_well else [True])


class TestWorker:
    def test_a_worker_that_never_ran_is_noticed(self, well: Operator, services: Services) -> None:
        with services.database.writing() as db:
            db.execute(update(Installation).values(worker_seen_at=None))
        assert "has never run" in only_complaint(well)

    def test_a_worker_that_fell_silent_is_noticed(self, well: Operator, clock: Clock) -> None:
        clock.advance(timedelta(minutes=3))
        assert "last seen at 2026-11-23 08:00 UTC" in only_complaint(well)

    def test_a_worker_of_the_future_means_a_wrong_clock(self, well: Operator, clock: Clock) -> None:
        clock.advance(timedelta(minutes=-3))
        assert only_complaint(well).startswith("clock: the worker was seen 0:03:00 from now")

    def test_a_worker_that_lives_but_does_not_keep_up_is_noticed(
        self, well: Operator, services: Services, clock: Clock
    ) -> None:
        with services.database.writing() as db:
            book(db, house_of(services), "anna", "call", wish(), services.now())
        clock.advance(timedelta(minutes=11))
        heartbeat(services)
        assert "worker: is 11 minutes behind" in only_complaint(well)

    def test_a_calendar_that_nobody_reads_means_a_worker_that_is_behind(
        self, well: Operator, services: Services, clock: Clock
    ) -> None:
        while run_once(services):
            pass
        clock.advance(timedelta(minutes=14))
        heartbeat(services)
        assert "minutes behind" in only_complaint(well)

    def test_a_mail_that_waits_for_an_earlier_one_is_not_the_workers_fault(
        self, well: Operator, services: Services, clock: Clock
    ) -> None:
        with services.database.writing() as db:
            call = book(db, house_of(services), "anna", "call", wish(), services.now())
            first, *_ = db.scalars(select(Job).where(Job.call_id == call.id).order_by(Job.number)).all()
            db.execute(update(Job).where(Job.number != first.number).values(group=first.group))
            first.not_before = MONDAY + timedelta(hours=1)
            db.execute(update(Calendar).values(next_read_at=MONDAY + timedelta(hours=1)))
        clock.advance(timedelta(minutes=11))
        heartbeat(services)
        assert complaints(well) == []


class TestMail:
    def test_a_mail_server_that_turns_everybody_away_is_quoted(self, well: Operator, services: Services) -> None:
        with ScriptedServer({"hello": "554 5.7.1 not you"}) as refusing:
            assert "554 5.7.1 not you" in self._complaint(services, f"smtp://127.0.0.1:{refusing.port}")

    def test_a_login_that_is_refused_is_named(self, well: Operator, services: Services) -> None:
        keeper = Keeper(users={"anna": "right"})
        how = {"authenticator": keeper.authenticate, "auth_require_tls": False}
        with real_server(keeper, **how) as port:
            said = self._complaint(services, f"smtp://anna:wrong@127.0.0.1:{port}")
            assert "refused the login" in said
            assert "check SMTP_URL" in said
            assert self._complaints(services, f"smtp://anna:right@127.0.0.1:{port}") == []

    def test_a_mail_server_that_is_not_there_is_named(self, well: Operator, services: Services) -> None:
        assert "no conversation with the mail server" in self._complaint(services, f"smtp://127.0.0.1:{free_port()}")

    def _complaints(self, services: Services, url: str) -> list[str]:
        with_mail = replace(services, mail=SmtpTransport(url, "calls@example.org"))
        return [one for one in complaints(operator_of(services.settings, with_mail)) if one.startswith("mail: ")]

    def _complaint(self, services: Services, url: str) -> str:
        (complaint,) = self._complaints(services, url)
        return complaint


class TestOutbox:
    @pytest.fixture
    def call(self, well: Operator, services: Services) -> Call:
        with services.database.writing() as db:
            return book(db, house_of(services), "anna", "call", wish(), services.now())

    def test_mails_that_were_given_up_are_counted(self, call: Call, well: Operator, services: Services) -> None:
        self._set(services, parked_at=MONDAY, last_error="550 no such user")
        assert "mail given up (550 no such user); tell the clients yourself" in complaint_about(well, "outbox")

    def test_events_that_were_given_up_are_counted(self, call: Call, well: Operator, services: Services) -> None:
        self._set(services, kind="calendar", parked_at=MONDAY, last_error="too large")
        assert "1 × calendar given up (too large); see to the events" in complaint_about(well, "outbox")

    def test_what_was_given_up_does_not_matter_after_the_call(
        self, call: Call, well: Operator, services: Services, clock: Clock
    ) -> None:
        self._set(services, parked_at=MONDAY, last_error="550 no such user")
        clock.time = call.ends_at
        assert [said for said in complaints(well) if said.startswith("outbox")] == []

    def test_what_was_tried_often_is_named_with_the_reason(
        self, call: Call, well: Operator, services: Services
    ) -> None:
        self._set(services, attempts=3, last_error="450 later")
        assert "waits, and is tried again (450 later)" in complaint_about(well, "outbox")
        self._set(services, attempts=2)
        assert complaints(well) == []

    def _set(self, services: Services, kind: str = "mail", **values: object) -> None:
        with services.database.writing() as db:
            db.execute(update(Job).where(Job.kind == kind).values(**values))


class TestAddress:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"smtp_url": "smtp://x"}, "only this machine"),
            ({"base_url": "http://localhost:8000", "smtp_url": "smtp://x"}, "only this machine"),
            ({"base_url": "http://calls.example.org"}, "without https"),
            ({"base_url": "https://calls.example.org"}, "TRUSTED_PROXIES=1"),
        ],
    )
    def test_an_address_that_will_not_do_is_named(
        self, well: Operator, services: Services, changes: dict[str, object], words: str
    ) -> None:
        assert words in complaint_about(changed(services, **changes), "BASE_URL")

    def test_an_address_where_nobody_answers_is_named(self, anna: Operator, services: Services) -> None:
        heartbeat(services)
        said = only_complaint(anna)
        assert said.startswith(f"BASE_URL: {services.settings.base_url} can't be opened from here")
        assert "./start" in said

    def test_an_address_whose_name_nobody_knows_is_named(self, well: Operator, services: Services) -> None:
        unknown = changed(services, base_url="http://nobody.localhost:1", trusted_proxies=1)
        assert "can't be opened from here" in complaint_about(unknown, "BASE_URL")

    def test_another_installation_at_the_address_is_noticed(self, well: Operator, services: Services) -> None:
        port, keys = free_port(), (OTHER_KEY,)
        there = replace(services, vault=Vault(keys), signing=Signing(keys))
        with answering(create_app(services.settings, there), port):
            here = changed(services, base_url=f"http://127.0.0.1:{port}")
            assert "another installation answers there" in only_complaint(here)

    def test_another_program_at_the_address_is_noticed(
        self, well: Operator, services: Services, scripted: Scripted
    ) -> None:
        scripted.script = lambda exchange: exchange.answer(200, "ok", type="text/plain")
        said = only_complaint(changed(services, base_url=scripted.url))
        assert "something else answers there (status 200)" in said
        assert scripted.seen == [("GET", "/healthz")]

    def test_an_address_that_sends_on_is_named_with_its_target(
        self, well: Operator, services: Services, scripted: Scripted
    ) -> None:
        scripted.script = lambda exchange: exchange.answer(301, Location="https://www.example.org/")
        assert "https://www.example.org/" in only_complaint(changed(services, base_url=scripted.url))

    def test_an_address_that_breaks_off_is_named(self, well: Operator, services: Services, scripted: Scripted) -> None:
        def garbled(exchange: Exchange) -> None:
            exchange.raw("this is not HTTP\r\n\r\n")

        scripted.script = garbled
        assert "can't be opened from here" in only_complaint(changed(services, base_url=scripted.url))

    def test_a_certificate_that_is_not_valid_is_named(self, well: Operator, services: Services, tmp_path: Path) -> None:
        port = free_port()
        tls: ssl.SSLContext = make_certificate(tmp_path).server
        with answering(create_app(services.settings, services), port, ssl_context=tls):
            said = only_complaint(changed(services, base_url=f"https://127.0.0.1:{port}"))
        assert "the certificate of 127.0.0.1 is not valid" in said

    def test_a_path_of_its_own_is_part_of_the_address(
        self, well: Operator, services: Services, scripted: Scripted
    ) -> None:
        scripted.script = lambda exchange: exchange.answer(200, X_Sprechzeit=services.fingerprint)
        assert complaints(changed(services, base_url=f"{scripted.url}/calls")) == []
        assert scripted.seen == [("GET", "/calls/healthz")]


class TestBackup:
    def test_a_backup_older_than_a_week_is_noticed(
        self, well: Operator, services: Services, clock: Clock, tmp_path: Path
    ) -> None:
        well.run("backup", str(tmp_path / "first.tar.gz"))
        self._wait(services, clock, timedelta(days=7))
        assert complaints(well) == []
        self._wait(services, clock, timedelta(minutes=1))
        assert only_complaint(well).startswith("backup: the last one is of 2026-11-23; run: ")
        well.run("backup", str(tmp_path / "second.tar.gz"))
        assert complaints(well) == []

    def test_that_there_has_never_been_one_matters_a_week_after_the_first_call(
        self, well: Operator, services: Services, clock: Clock
    ) -> None:
        with services.database.writing() as db:
            book(db, house_of(services), "anna", "call", wish(), services.now())
        assert complaints(well) == []
        self._wait(services, clock, timedelta(days=7, minutes=1))
        assert "there has never been one" in complaint_about(well, "backup")

    def test_a_backup_by_other_means_counts_once_it_is_noted(
        self, well: Operator, services: Services, clock: Clock, tmp_path: Path
    ) -> None:
        well.run("backup", str(tmp_path / "first.tar.gz"))
        self._wait(services, clock, timedelta(days=8))
        well.run("backup", "--elsewhere")
        assert complaints(well) == []
        assert "--elsewhere" in well.fail("backup")
        assert "--elsewhere" in well.fail("backup", "--elsewhere", "x.tar.gz")

    def _wait(self, services: Services, clock: Clock, time: timedelta) -> None:
        clock.advance(time)
        heartbeat(services)
