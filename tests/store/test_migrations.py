"""A database of an earlier version, with rows in every table, becomes one of this version."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import IntegrityError

from booking.store.database import Database, _alembic_config
from booking.store.models import PlacedEvent
from tests.fakes import MONDAY

VALUES: dict[type, Any] = {bool: True, int: 1, str: "x", datetime: MONDAY, object: {}, bytes: b""}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def first_version(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables of the first version."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/first.db")
    else:
        database = Database(request.getfixturevalue("own_postgres_url"))
        run(database, sa.text("DROP SCHEMA public CASCADE"), sa.text("CREATE SCHEMA public"))
    with database._engine.connect() as connection:
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    yield database
    database.dispose()


def run(database: Database, *statements: sa.Executable) -> None:
    with database._engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def tables_of(database: Database) -> list[sa.Table]:
    """Return the tables as they are in the database, whatever the models say."""
    metadata = sa.MetaData()
    metadata.reflect(database._engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def a_row(table: sa.Table, **values: Any) -> sa.Insert:
    """Fill every column; rows of different tables belong together. What ends, ends an hour after it starts."""
    filled = {column.name: VALUES[column.type.python_type] for column in table.columns}
    ends = {name: MONDAY + timedelta(hours=1) for name in filled if name == "ends_at"}
    return sa.insert(table).values({**filled, **ends, **values})


def test_every_row_of_the_first_version_is_kept(first_version: Database) -> None:
    old = tables_of(first_version)
    run(first_version, *map(a_row, old))
    assert not first_version.is_current()
    first_version.upgrade()
    assert first_version.is_current()
    with first_version.reading() as db:
        counts = {table.name: db.scalar(sa.select(sa.func.count()).select_from(table)) for table in old}
    assert counts == {table.name: 1 for table in old}


def test_after_the_upgrade_rows_and_the_wall_against_overlaps_are_those_of_this_version(
    first_version: Database,
) -> None:
    run(first_version, *map(a_row, tables_of(first_version)))
    first_version.upgrade()
    with first_version.reading() as db:
        placed = db.scalars(sa.select(PlacedEvent)).one()
    assert (placed.starts_at, placed.earlier_periods, placed.settled_at) == (MONDAY, [], None)
    tables = {table.name: table for table in tables_of(first_version)}
    run(first_version, a_row(tables["call"], id="y", request_key="y", ics_uid="y"))
    with pytest.raises(IntegrityError):
        run(first_version, a_row(tables["held_period"], id=2, call_id="y"))
