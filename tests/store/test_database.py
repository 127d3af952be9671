"""The database keeps its promises on both engines."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from booking.errors import NotFound
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.lifecycle import State
from booking.rules.period import Period, Timeline
from booking.store.database import Database
from booking.store.models import Base, Calendar, Call, HeldPeriod, Owner
from booking.store.owner_lock import lock_owner
from tests.builders import add_call_type, add_owner
from tests.fakes import MONDAY

HOUR = timedelta(hours=1)


@pytest.fixture
def database(any_url: str) -> Iterator[Database]:
    opened = Database(any_url)
    yield opened
    opened.dispose()


def add_call(database: Database, name: str, owner_slug: str = "anna") -> None:
    with database.writing() as db:
        owner = db.scalar(sa.select(Owner).where(Owner.slug == owner_slug)) or add_owner(db, owner_slug)
        call_type = add_call_type(db, owner, name)
        db.add(
            Call(
                id=name,
                owner_id=owner.id,
                call_type_id=call_type.id,
                state=State.CONFIRMED,
                starts_at=MONDAY,
                ends_at=MONDAY + HOUR,
                owner_wall_time="",
                name="Kim",
                email="",
                phone="",
                who_calls="client",
                timezone="UTC",
                locale="en",
                request_key=name,
                request_digest="",
                origin="",
                ics_uid=name,
                created_at=MONDAY,
            )
        )


def held(database: Database, call_id: str, start: datetime, end: datetime, owner_id: int = 1) -> None:
    with database.writing() as db:
        db.add(HeldPeriod(owner_id=owner_id, call_id=call_id, starts_at=start, ends_at=end))


def test_two_calls_of_one_owner_never_hold_the_same_time(database: Database) -> None:
    add_call(database, "one")
    add_call(database, "two")
    held(database, "one", MONDAY, MONDAY + HOUR)
    with pytest.raises(IntegrityError):
        held(database, "two", MONDAY + HOUR / 2, MONDAY + 2 * HOUR)
    held(database, "two", MONDAY + HOUR, MONDAY + 2 * HOUR)
    with pytest.raises(IntegrityError), database.writing() as db:
        db.execute(sa.update(HeldPeriod).where(HeldPeriod.call_id == "two").values(starts_at=MONDAY))


def test_one_call_may_hold_overlapping_periods_and_so_may_two_owners(database: Database) -> None:
    add_call(database, "one")
    add_call(database, "other", "berta")
    held(database, "one", MONDAY, MONDAY + HOUR)
    held(database, "one", MONDAY + HOUR / 2, MONDAY + 2 * HOUR)
    held(database, "other", MONDAY, MONDAY + HOUR, owner_id=2)


def test_the_wall_stands_again_after_every_upgrade(database: Database) -> None:
    database.upgrade()
    assert database.is_current()
    add_call(database, "one")
    add_call(database, "two")
    held(database, "one", MONDAY, MONDAY + HOUR)
    with pytest.raises(IntegrityError):
        held(database, "two", MONDAY, MONDAY + HOUR)


def test_times_come_back_as_the_same_moment_in_utc(database: Database) -> None:
    add_call(database, "one")
    nine = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(HOUR))
    held(database, "one", nine, nine + HOUR)
    with database.reading() as db:
        row = db.scalars(sa.select(HeldPeriod)).one()
    assert (row.starts_at, row.starts_at.tzinfo) == (nine, UTC)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    add_call(database, "one")
    with pytest.raises(StatementError, match="without a zone"):
        held(database, "one", datetime(2026, 11, 23, 9, 0), MONDAY + HOUR)  # noqa: DTZ001 - that is the point


def test_hours_and_busy_time_come_back_as_the_values_they_were(database: Database) -> None:
    timetable = Timetable(
        weekly=parse_weekly("mon 09:00-12:00"),
        overrides={MONDAY.date(): ()},
        absences=(Absence(MONDAY.date(), MONDAY.date(), "away"),),
    )
    busy = Timeline.of([Period(MONDAY, MONDAY + HOUR)])
    with database.writing() as db:
        owner = add_owner(db, timetable=timetable)
        db.add(Calendar(owner_id=owner.id, kind="caldav", url="/", busy=busy))
    with database.reading() as db:
        assert db.scalars(sa.select(Owner)).one().timetable == timetable
        assert db.scalars(sa.select(Calendar)).one().busy == busy


def test_a_reading_transaction_sees_one_moment_and_writes_nothing(database: Database) -> None:
    with database.writing() as db:
        add_owner(db)
    with database.reading() as db:
        before = db.scalars(sa.select(Owner.slug)).all()
        with database.writing() as other:
            add_owner(other, "berta")
        assert db.scalars(sa.select(Owner.slug)).all() == before


def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:
    with database.writing() as db:
        add_owner(db, "berta")
    with pytest.raises(IntegrityError):
        add_two(database, "anna", "berta")
    with database.reading() as db:
        assert db.scalars(sa.select(Owner.slug)).all() == ["berta"]


def add_two(database: Database, one: str, other: str) -> None:
    with database.writing() as db:
        add_owner(db, one)
        add_owner(db, other)


def test_a_second_writer_waits_for_the_owner_s_lock(database: Database) -> None:
    with database.writing() as db:
        add_owner(db)
    order: list[str] = []
    has_lock = threading.Event()

    def second() -> None:
        has_lock.wait()
        with database.writing() as db:
            lock_owner(db, slug="anna")
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with database.writing() as db:
        lock_owner(db, slug="anna")
        has_lock.set()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    with database.reading() as db:
        assert db.scalars(sa.select(Owner.revision)).one() == 2


def test_there_is_no_lock_of_an_unknown_owner(database: Database) -> None:
    with database.writing() as db, pytest.raises(NotFound):
        lock_owner(db, slug="nobody")


def test_the_migrations_make_the_tables_that_the_models_describe(database: Database) -> None:
    inspector = sa.inspect(database._engine)
    for table in Base.metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes


def test_a_database_without_tables_is_not_current(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/empty.db")
    assert not database.is_current()
    database.dispose()
