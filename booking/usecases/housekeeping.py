"""Forgetting: what is not needed any more is not kept."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, cast, delete, func, select, update
from sqlalchemy.orm import Session

from booking.store.accounts import ClientNote, LoginFailure, PhoneTask, WayIn
from booking.store.leftovers import LeftEvent
from booking.store.models import Call, CallChange, HeldPeriod, Job, Owner
from booking.usecases import door
from booking.usecases.login import REMEMBERED

FORGET_ORIGINS_AFTER: Final = timedelta(days=1)
FORGET_MAILS_AFTER: Final = timedelta(days=30)
FORGET_WAYS_IN_AFTER: Final = timedelta(days=7)
KEEP_LEFT: Final = timedelta(days=1)
KEEP_HELD: Final = timedelta(days=14)
NEWS_OF_ABSENCES: Final = "away"
"""How the groups of mails that tell clients of an absence begin."""


def forget(db: Session, now: datetime) -> None:
    """Empty what has outlived its purpose: networks after a day, mails after a month, clients when the owner says."""
    quietly = {"synchronize_session": False}
    old_origins = update(Call).where(Call.origin != "", Call.created_at < now - FORGET_ORIGINS_AFTER)
    db.execute(old_origins.values(origin="").execution_options(**quietly))
    is_kept = cast(Job.payload, String) != "{}"
    sent = (Job.kind == "mail") & (Job.done_at < now - FORGET_MAILS_AFTER) & is_kept
    db.execute(update(Job).where(sent).values(payload={}, first_mail_to="").execution_options(**quietly))
    # Past ones hold nothing any more, and SQLite's wall would look through all of them on every booking; the caps by
    # week still count those of the last days.
    db.execute(delete(HeldPeriod).where(HeldPeriod.ends_at < now - KEEP_HELD).execution_options(**quietly))
    door.forget_sessions(db, now)
    db.execute(delete(LoginFailure).where(LoginFailure.at < now - REMEMBERED).execution_options(**quietly))
    db.execute(delete(WayIn).where(WayIn.expires_at < now - FORGET_WAYS_IN_AFTER).execution_options(**quietly))
    gone = LeftEvent.removed_at < now - KEEP_LEFT  # no reading is under way that could still show them
    db.execute(delete(LeftEvent).where(gone).execution_options(**quietly))
    empty_news_of_absences(db)
    for owner_id, retention_days in db.execute(select(Owner.id, Owner.retention_days)):
        anonymise(db, owner_id, ended_before=now - timedelta(days=retention_days))


def anonymise(db: Session, owner_id: int, *, ended_before: datetime) -> None:
    """Take the client out of calls that ended before a moment, and out of their mails; times and states stay.

    What the owner keeps about a client goes with the last call that names them.
    """
    over = select(Call.id).where(Call.owner_id == owner_id, Call.ends_at < ended_before, Call.timezone != "")
    empty_calls(db, list(db.scalars(over)))
    is_named = (func.lower(Call.email) == ClientNote.contact) | (Call.phone == ClientNote.contact)
    still_known = select(Call.id).where(Call.owner_id == owner_id, is_named).exists()
    forgotten = delete(ClientNote).where(ClientNote.owner_id == owner_id, ~still_known)
    db.execute(forgotten.execution_options(synchronize_session=False))


def empty_news_of_absences(db: Session) -> None:
    """Empty the mails about absences to people whom no call names any more: they belong to a person, and to no call."""
    recipient = func.lower(Job.payload["recipient"].as_string())
    named = select(Call.id).where(Call.owner_id == Job.owner_id, func.lower(Call.email) == recipient).exists()
    of_nobody = (
        Job.call_id.is_(None) & Job.group.startswith(f"{NEWS_OF_ABSENCES}.") & (cast(Job.payload, String) != "{}")
    )
    emptied = update(Job).where(of_nobody, ~named).values(payload={}, group=NEWS_OF_ABSENCES)
    db.execute(emptied.execution_options(synchronize_session=False))


def empty_calls(db: Session, call_ids: list[str]) -> None:
    """Take the client out of these calls, their history, and what the outbox keeps of them."""
    nobody = {
        "name": "",
        "email": "",
        "phone": "",
        "note": "",
        "answers": {},
        "timezone": "",
        "origin": "",
        "request_digest": "",
    }
    quietly = {"synchronize_session": False}
    db.execute(
        update(Call)
        .where(Call.id.in_(call_ids))
        .values(**nobody, link_version=Call.link_version + 1)
        .execution_options(**quietly)
    )
    db.execute(
        update(CallChange).where(CallChange.call_id.in_(call_ids)).values(reason="").execution_options(**quietly)
    )
    db.execute(delete(PhoneTask).where(PhoneTask.call_id.in_(call_ids)).execution_options(**quietly))
    db.execute(
        update(Job).where(Job.call_id.in_(call_ids)).values(payload={}, first_mail_to="").execution_options(**quietly)
    )
