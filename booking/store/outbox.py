"""The outbox: what must happen outside is a row, written in the transaction of its cause.

A claim is a conditional UPDATE that sets a lease; whoever lost the lease can't report any more
(fencing). A crash means a second try, never a loss. Jobs of one group leave in their order.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from booking.errors import BookingError
from booking.store.models import Job

LEASE: Final = timedelta(minutes=5)
"""Longer than any job may take outside; after it a crashed worker's job is claimed again."""


class LeaseLost(BookingError):
    """Another worker has the job by now; this one's report does not count."""


def claim(db: Session, now: datetime, lease: str, kinds: Collection[str]) -> Job | None:
    """Take the oldest job of these kinds that is due, or return ``None``."""
    due = and_(_is_due(now), Job.kind.in_(kinds))
    job = db.scalar(select(Job).where(due, _is_first()).order_by(Job.not_before, Job.number).limit(1))
    if job is None:
        return None
    taken = _changed(
        db,
        and_(Job.number == job.number, due),
        {"lease": lease, "leased_until": now + LEASE, "attempts": job.attempts + 1},
    )
    if not taken:
        return None
    db.refresh(job)
    return job


def oldest_due(db: Session, now: datetime) -> datetime | None:
    """Return since when the oldest job waits that a worker could do now."""
    return db.scalar(select(func.min(Job.not_before)).where(_is_due(now), _is_first()))


def mark_sending(db: Session, job: Job, now: datetime) -> None:
    """Note that from here on a crash leaves the mail's fate unknown; count it, if that was so already.

    :raises LeaseLost: another worker has the job.
    """
    _report(db, job, {"sending_at": now, "ambiguous_attempts": doubts(job)})


def doubts(job: Job) -> int:
    """Return how many attempts at this mail ended without anybody knowing whether it left."""
    return job.ambiguous_attempts + (job.sending_at is not None)


def finish(db: Session, job: Job, now: datetime) -> None:
    """Note that the job is done.

    :raises LeaseLost: another worker has the job.
    """
    _report(db, job, {"done_at": now, "leased_until": None, "sending_at": None, "last_error": ""})


def try_again(db: Session, job: Job, at: datetime, error: str, *, in_doubt: bool = False) -> None:
    """Give the job back, to be tried at ``at``; ``in_doubt`` says that it may have left all the same.

    :raises LeaseLost: another worker has the job.
    """
    values: dict[str, Any] = {"not_before": at, "leased_until": None, "last_error": error}
    _report(db, job, values if in_doubt else {**values, "sending_at": None})


def park(db: Session, job: Job, now: datetime, error: str) -> None:
    """Stop trying; the owner is shown the reason.

    :raises LeaseLost: another worker has the job.
    """
    _report(db, job, {"parked_at": now, "leased_until": None, "last_error": error})


def _is_open(job: type[Job]) -> ColumnElement[bool]:
    return and_(job.done_at.is_(None), job.parked_at.is_(None))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_is_open(Job), Job.not_before <= now, or_(Job.leased_until.is_(None), Job.leased_until <= now))


def _is_first() -> ColumnElement[bool]:
    """No earlier job of its group is still to be done."""
    earlier = aliased(Job)
    same_group = and_(earlier.group == Job.group, earlier.number < Job.number, _is_open(earlier))
    return ~select(earlier.number).where(same_group).exists()


def _report(db: Session, job: Job, values: Mapping[str, Any]) -> None:
    if not _changed(db, and_(Job.number == job.number, Job.lease == job.lease, _is_open(Job)), values):
        raise LeaseLost(f"job {job.number} was taken over by another worker")


def _changed(db: Session, where: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
    changed = update(Job).where(where).values(**values).returning(Job.number)
    return db.scalar(changed.execution_options(synchronize_session=False)) is not None
