"""What is stuck: messages that could not leave, and still matter."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from booking.store.models import Call, Job, Owner

TRIED_OFTEN: Final = 5
"""After so many failures, about a quarter of an hour, something is stuck and not merely late."""
MATTERS_FOR: Final = timedelta(days=7)
"""So long a message that is about no call is worth a word when it can't leave."""


def count_stuck(db: Session, owner: Owner, now: datetime, *, before: datetime | None = None) -> int:
    """Count what could not leave and still matters; ``before``: only for calls that begin before this moment."""
    stuck = select(func.count()).select_from(Job).outerjoin(Call, Call.id == Job.call_id)
    of_owner = stuck.where(Job.owner_id == owner.id, is_stuck(now))
    return db.scalar(of_owner.where(Call.starts_at < before) if before else of_owner) or 0


def is_stuck(now: datetime) -> ColumnElement[bool]:
    """Select what was given up, or tried often in vain, and is still of use; the call must be joined."""
    has_failed = Job.parked_at.is_not(None) | ((Job.error_kind != "") & (Job.attempts >= TRIED_OFTEN))
    is_about_nothing = Job.call_id.is_(None) & (Job.created_at > now - MATTERS_FOR)
    is_of_use = Job.not_after.is_(None) | (Job.not_after > now)
    is_shown = Job.kind.in_(("mail", "calendar"))
    return and_(is_shown, Job.done_at.is_(None), has_failed, is_of_use, is_about_nothing | (Call.ends_at > now))
