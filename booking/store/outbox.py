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

DROPPED: Final = "not needed any more"
"""What ``last_error`` says of a job that is done because there was nothing to do any more."""
SET_ASIDE: Final = "set aside by the owner"
"""What ``last_error`` says of a job that is done because its owner wants nothing to be done."""
TAKEN_ALONG: Final = "told by the morning mail"
"""What ``last_error`` says of a notice that is done because a morning mail tells it."""
HELD_BACK: Final = "HeldBack"
"""``error_kind`` of a mail that may have left before the backup it comes from was brought back."""


class LeaseLost(BookingError):
    """Another worker has the job by now; this one's report does not count."""


class NotWaiting(BookingError):
    """The job is being done at this moment, or is done: it is too late to change anything about it."""


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
    _report(db, job, {"done_at": now, **_NO_ATTEMPT, **_NO_ERROR})


def drop(db: Session, job: Job, now: datetime) -> None:
    """Note that the job has become pointless, so that nothing was done.

    :raises LeaseLost: another worker has the job.
    """
    _report(db, job, {"done_at": now, **_NO_ATTEMPT, **_NO_ERROR, "last_error": DROPPED})


def try_again(db: Session, job: Job, at: datetime, error: str, *, error_kind: str = "", in_doubt: bool = False) -> None:
    """Give the job back, to be tried at ``at``; ``in_doubt`` says that it may have left all the same.

    :param error_kind: the error's class; empty where nothing has failed and it only has to wait.
    :raises LeaseLost: another worker has the job.
    """
    values = {"not_before": at, "leased_until": None, "last_error": error, "error_kind": error_kind}
    _report(db, job, values if in_doubt else {**values, "sending_at": None})


def park(db: Session, job: Job, now: datetime, error: str, *, error_kind: str = "") -> None:
    """Stop trying; the owner is shown the reason.

    :raises LeaseLost: another worker has the job.
    """
    _report(db, job, {"parked_at": now, "leased_until": None, "last_error": error, "error_kind": error_kind})


def release(db: Session, number: int, now: datetime) -> None:
    """Let a job that was given up, or waits after a failure, begin anew at once; the owner's lock must be held.

    What was not known about earlier attempts is forgotten: whoever asks for this has been told.

    :raises NotWaiting: it is being done or done, or nothing has failed that could be tried again.
    """
    has_failed = Job.parked_at.is_not(None) | (Job.error_kind != "")
    anew = {"not_before": now, "attempts": 0, "ambiguous_attempts": 0, "parked_at": None}
    _take_back(db, (Job.number == number) & has_failed, now, {**anew, **_NO_ERROR})


def set_aside(db: Session, number: int, now: datetime) -> None:
    """Note that a job is done without anything being done, because its owner says so; their lock must be held.

    :raises NotWaiting: it is being done, or done.
    """
    _take_back(db, Job.number == number, now, {"done_at": now, "parked_at": None, "last_error": SET_ASIDE})


def take_along(db: Session, numbers: Collection[int], now: datetime) -> list[int]:
    """Note that another mail tells what these would have told; return which, in their order.

    What a worker has at this moment, or what may have left already, stays as it is; the owner's lock must be held.
    """
    never_left = Job.sending_at.is_(None) & (Job.ambiguous_attempts == 0)
    ours = and_(Job.number.in_(numbers), _is_open(Job), _is_free(now), never_left)
    values = {"done_at": now, "lease": "", **_NO_ATTEMPT, **_NO_ERROR, "last_error": TAKEN_ALONG}
    taken = update(Job).where(ours).values(**values)
    return sorted(db.scalars(taken.returning(Job.number).execution_options(synchronize_session=False)))


def change(db: Session, job: Job, values: Mapping[str, Any], now: datetime) -> bool:
    """Change a job that waits; say whether it did: not where a worker has it. The owner's lock must be held."""
    return _changed(db, and_(Job.number == job.number, _is_open(Job), _is_free(now)), values)


def is_under_way(job: Job, now: datetime) -> bool:
    """Say whether a worker has the job at this moment."""
    return job.done_at is None and job.leased_until is not None and job.leased_until > now


_NO_ATTEMPT: Final[Mapping[str, Any]] = {"leased_until": None, "sending_at": None}
_NO_ERROR: Final[Mapping[str, Any]] = {"last_error": "", "error_kind": ""}


def _take_back(db: Session, where: ColumnElement[bool], now: datetime, values: Mapping[str, Any]) -> None:
    """Change a job that no worker has; one whose lease ran out, and who comes back, can't report any more."""
    is_ours = and_(where, Job.done_at.is_(None), _is_free(now))
    if not _changed(db, is_ours, {"lease": "", **_NO_ATTEMPT, **values}):
        raise NotWaiting("this is being done at the moment, or done")


def _is_open(job: type[Job]) -> ColumnElement[bool]:
    return and_(job.done_at.is_(None), job.parked_at.is_(None))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_is_open(Job), Job.not_before <= now, _is_free(now))


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(Job.leased_until.is_(None), Job.leased_until <= now)


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
