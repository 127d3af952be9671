"""What is planned, as the operator lists it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.errors import NotFound
from booking.store.models import Call, Job, Owner


def list_calls(db: Session, owner_slug: str, *, since: datetime | None) -> list[Call]:
    """Return the owner's calls that end after ``since`` (all of them where it is ``None``), earliest first.

    :raises NotFound: there is no such owner.
    """
    owner_id = db.scalar(select(Owner.id).where(Owner.slug == owner_slug))
    if owner_id is None:
        raise NotFound(f"there is no owner {owner_slug!r}")
    calls = select(Call).where(Call.owner_id == owner_id)
    if since is not None:
        calls = calls.where(Call.ends_at > since)
    whole = (joinedload(Call.owner), joinedload(Call.call_type), selectinload(Call.changes))
    return list(db.scalars(calls.order_by(Call.starts_at, Call.id).options(*whole)))


def show_call(db: Session, call_id: str) -> Call:
    """Return one call with owner, call type and history.

    :raises NotFound: there is no such call.
    """
    whole = (joinedload(Call.owner), joinedload(Call.call_type), selectinload(Call.changes))
    call = db.scalar(select(Call).where(Call.id == call_id).options(*whole))
    if call is None:
        raise NotFound(f"there is no call {call_id!r}")
    return call


def list_mails(db: Session, call_id: str) -> Sequence[Job]:
    """Return the mails about one call, in the order in which they were written."""
    return db.scalars(select(Job).where(Job.kind == "mail", Job.call_id == call_id).order_by(Job.number)).all()
