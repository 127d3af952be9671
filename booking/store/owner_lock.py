"""The owner's lock: the first statement of every transaction that writes for an owner (law 3).

What is counted over all owners has a lock of its own, which comes after it.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.errors import NotFound
from booking.store.models import Owner


def lock_owner(db: Session, *, slug: str | None = None, owner_id: int | None = None) -> int:
    """Take the lock of one owner until the transaction ends, and return the owner's id.

    It is an UPDATE: on PostgreSQL the row's lock, on SQLite the write lock before any snapshot.

    :raises NotFound: there is no such owner.
    """
    which = Owner.slug == slug if slug is not None else Owner.id == owner_id
    found = db.scalar(
        update(Owner)
        .where(which)
        .values(revision=Owner.revision + 1)
        .returning(Owner.id)
        .execution_options(synchronize_session=False)
    )
    if found is None:
        raise NotFound("no such owner")
    return found


def lock_count(db: Session, counted: str) -> None:
    """Let nobody else count the same network or mail address (its keyed hash) until the transaction ends.

    SQLite has one writer at a time anyway. Taken in this order, so that no two transactions wait for each other:
    owner, network, address.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(counted, 0))))
