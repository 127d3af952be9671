"""The way to the desk: sessions of browsers that are logged in, and the account that lets them in.

A session is a row that can be ended; the browser holds a random token, the row its hash.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from booking.store.accounts import Account, DeskSession, WayIn
from booking.store.models import Owner

UNUSED_FOR: Final = timedelta(days=30)
"""A session that was not used for so long has ended."""
AT_MOST: Final = timedelta(days=180)
SEEN_EVERY: Final = timedelta(hours=1)
PROVED_FOR: Final = timedelta(minutes=30)
"""How long after the password, or a one-time link, what is sensitive does not ask again."""


def open_session(db: Session, owner_id: int, token: str, public_id: str, now: datetime, *, browser: str) -> DeskSession:
    """Log a browser in; ``token`` is what its cookie will hold."""
    row = DeskSession(
        token_hash=_hashed(token),
        public_id=public_id,
        owner_id=owner_id,
        created_at=now,
        seen_at=now,
        proved_at=now,
        browser=browser[:200],
    )
    db.add(row)
    return row


def find_session(db: Session, token: str, now: datetime) -> DeskSession | None:
    """Return the session of a browser, with the owner and the call types; ``None`` where it has ended."""
    whole = joinedload(DeskSession.owner).options(selectinload(Owner.call_types), selectinload(Owner.calendars))
    row = db.scalar(select(DeskSession).where(DeskSession.token_hash == _hashed(token)).options(whole))
    if row is None or now - row.seen_at > UNUSED_FOR or now - row.created_at > AT_MOST:
        return None
    return row


def owner_of(db: Session, token: str) -> int | None:
    """Return whose session a browser's cookie names, even where it has ended by itself."""
    return db.scalar(select(DeskSession.owner_id).where(DeskSession.token_hash == _hashed(token)))


def list_sessions(db: Session, owner_id: int, now: datetime) -> Sequence[DeskSession]:
    """Return an owner's sessions, the latest used first."""
    rows = db.scalars(select(DeskSession).where(DeskSession.owner_id == owner_id, ~_has_ended(now)))
    return sorted(rows, key=lambda row: row.seen_at, reverse=True)


def note_seen(db: Session, session: DeskSession, now: datetime) -> None:
    """Note that a session was used."""
    _update(db, session, seen_at=now)


def prove(db: Session, session: DeskSession, now: datetime) -> None:
    """Note that the password was given in a session."""
    _update(db, session, proved_at=now)


def is_proved(session: DeskSession, now: datetime) -> bool:
    """Say whether the password, or a one-time link, was given in a session a short while ago."""
    return now - session.proved_at < PROVED_FOR


def end_session(db: Session, owner_id: int, public_id: str) -> bool:
    """Log one of an owner's browsers out; say whether there was such a session."""
    which = (DeskSession.owner_id == owner_id, DeskSession.public_id == public_id)
    return db.scalar(delete(DeskSession).where(*which).returning(DeskSession.public_id)) is not None


def end_browser(db: Session, token: str) -> None:
    """End the session that a browser's cookie names, if there is one."""
    db.execute(delete(DeskSession).where(DeskSession.token_hash == _hashed(token)))


def end_sessions(db: Session, owner_id: int, *, but: str = "") -> None:
    """Log all of an owner's browsers out, or all but one (its public id)."""
    db.execute(delete(DeskSession).where(DeskSession.owner_id == owner_id, DeskSession.public_id != but))


def end_everything(db: Session, now: datetime) -> None:
    """Log everybody's browsers out, and let no link that was handed out open anything any more."""
    db.execute(delete(DeskSession))
    unused = update(WayIn).where(WayIn.used_at.is_(None))
    db.execute(unused.values(used_at=now).execution_options(synchronize_session=False))


def find_owner(db: Session, owner_id: int) -> Owner:
    """Return an owner as the database has it now."""
    return db.get_one(Owner, owner_id, populate_existing=True)


def find_account(db: Session, owner_id: int) -> Account:
    """Return an owner's account; where there is none yet, an empty one that was not stored."""
    empty = Account(owner_id=owner_id, password_hash="", totp_secret_encrypted="", totp_last_step=0, recovery_hashes=[])
    return db.get(Account, owner_id) or empty


def set_password(db: Session, owner_id: int, password_hash: str, now: datetime, *, keep: str = "") -> None:
    """Give an owner a new password, under the owner's lock: every session but ``keep`` (a public id) ends.

    Links that were mailed to set a password are void.
    """
    account = find_account(db, owner_id)
    account.password_hash = password_hash
    db.add(account)
    end_sessions(db, owner_id, but=keep)
    mailed = (WayIn.owner_id == owner_id, WayIn.purpose == "reset", WayIn.used_at.is_(None))
    db.execute(update(WayIn).where(*mailed).values(used_at=now).execution_options(synchronize_session=False))


def owners_without_password(db: Session) -> Sequence[Owner]:
    """Return the owners who can come in by a one-time link only."""
    with_one = select(Account.owner_id).where(Account.password_hash != "")
    return db.scalars(select(Owner).where(Owner.id.not_in(with_one)).order_by(Owner.slug)).all()


def forget_sessions(db: Session, now: datetime) -> None:
    """Delete the sessions that have ended by themselves."""
    db.execute(delete(DeskSession).where(_has_ended(now)).execution_options(synchronize_session=False))


def _has_ended(now: datetime) -> ColumnElement[bool]:
    return or_(DeskSession.seen_at < now - UNUSED_FOR, DeskSession.created_at < now - AT_MOST)


def _update(db: Session, session: DeskSession, **values: datetime) -> None:
    which = update(DeskSession).where(DeskSession.token_hash == session.token_hash)
    db.execute(which.values(**values).execution_options(synchronize_session=False))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
