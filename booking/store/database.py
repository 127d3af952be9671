"""Opening the database and its transactions; the same code for SQLite and PostgreSQL.

Only edges (web, worker, cli) open transactions: ``with database.writing() as db``.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

BUSY_TIMEOUT_SECONDS = 10
POOL_SIZE = 8

# The second wall behind the owner's lock (law 3). PostgreSQL has an exclusion constraint, made in the
# first migration; SQLite has these triggers, made again after every upgrade because Alembic's batch
# mode copies tables and forgets triggers.
_SQLITE_WALL = """CREATE TRIGGER held_period_no_overlap_{event} BEFORE {event} ON held_period
    WHEN EXISTS (SELECT 1 FROM held_period AS other WHERE other.owner_id = NEW.owner_id AND other.call_id <> NEW.call_id
                 AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at)
    BEGIN SELECT RAISE(ABORT, 'held_period overlaps'); END"""


class Database:
    """One database and its pool of connections."""

    def __init__(self, url: str) -> None:
        """Open lazily: nothing is connected before the first transaction."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._engine = (
            _sqlite_engine(url)
            if self.is_sqlite
            else sa.create_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True)
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that only reads: one consistent snapshot."""
        with Session(self._engine, expire_on_commit=False) as db, db.begin():
            if not self.is_sqlite:
                db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield db

    def glance(self, statement: sa.Executable, values: dict[str, Any]) -> sa.Row[Any] | None:
        """Return the first row of one small query: a quarter of what a session costs."""
        with self._engine.connect() as connection:
            return connection.execute(statement, values).first()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that writes, and commit it; SQLite's write lock is taken at once."""
        engine = self._engine.execution_options(begin="BEGIN IMMEDIATE") if self.is_sqlite else self._engine
        with Session(engine, expire_on_commit=False) as db, db.begin():
            yield db

    def upgrade(self) -> None:
        """Bring the tables up to this version, and set SQLite's overlap triggers again."""
        with self._engine.connect() as connection:
            config = _alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        if self.is_sqlite:
            with self._engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
                for event in ("insert", "update"):
                    connection.execute(sa.text(f"DROP TRIGGER IF EXISTS held_period_no_overlap_{event}"))
                    connection.execute(sa.text(_SQLITE_WALL.format(event=event)))

    def is_current(self) -> bool:
        """Say whether every migration of this version has been run."""
        heads = set(ScriptDirectory.from_config(_alembic_config()).get_heads())
        with self._engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) == heads

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _sqlite_engine(url: str) -> sa.Engine:
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = sa.create_engine(
        url, pool_size=POOL_SIZE, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _record: object) -> None:
        # The driver must not begin transactions by itself, or BEGIN IMMEDIATE would come too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        options: dict[str, Any] = dict(connection.get_execution_options())
        connection.exec_driver_sql(options.get("begin", "BEGIN"))

    return engine
