"""Logging in: who has the address, how often it was tried, and what lets somebody in.

An attempt is counted before it is looked at, so that many at once are counted too; a right one takes its count back.
Counted by account and network together: strangers elsewhere can't shut the owner out. A browser that was logged in
before is counted for itself. One-time links and the reset by mail are never counted here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from booking.store.accounts import Account, LoginFailure
from booking.store.models import Owner
from booking.store.owner_lock import lock_count, lock_owner
from booking.store.vault import Vault
from booking.usecases import second_factor

FREE_TRIES: Final = 5
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)
REMEMBERED: Final = timedelta(days=1)
"""How long a failed attempt counts."""


@dataclass(frozen=True)
class Attempt:
    """Who tries: keyed hashes of the address that was typed, known or not, and of the network or known browser."""

    account: str
    device: str


@dataclass(frozen=True)
class Candidate:
    """Somebody who has the address that was typed; without a password the hash is empty."""

    owner_id: int
    password_hash: str


def begin(db: Session, attempt: Attempt, now: datetime) -> timedelta:
    """Count an attempt, or return how long to wait before the next one; nothing where it may go on."""
    lock_count(db, attempt.account)
    wait = _wait(db, attempt, now)
    if not wait:
        db.add(LoginFailure(at=now, account=attempt.account, device=attempt.device))
    return wait


def succeed(db: Session, attempt: Attempt, *, is_shared: bool = False) -> None:
    """Take back what was counted; where several owners share the address, this one attempt only.

    Else one of them could try the others' passwords for ever, with a right one of their own in between.
    """
    counted = [*_same(attempt)]
    if is_shared:
        counted.append(LoginFailure.id == select(func.max(LoginFailure.id)).where(*counted).scalar_subquery())
    db.execute(delete(LoginFailure).where(*counted).execution_options(synchronize_session=False))


def candidates(db: Session, email: str) -> list[Candidate]:
    """Return everybody who has an address; several owners may share one."""
    rows = db.execute(
        select(Owner.id, Account.password_hash)
        .outerjoin(Account, Account.owner_id == Owner.id)
        .where(func.lower(Owner.email) == email.lower())
        .order_by(Owner.id)
    )
    return [Candidate(owner_id, password_hash or "") for owner_id, password_hash in rows]


def let_in(
    db: Session,
    vault: Vault,
    attempt: Attempt,
    right: Iterable[Candidate],
    code: str,
    now: datetime,
    *,
    is_shared: bool = False,
) -> int | None:
    """Return the first of those whose password was right who may come in with this code, which is used up.

    :param is_shared: several owners have the address.
    """
    for candidate in right:
        lock_owner(db, owner_id=candidate.owner_id)
        account = db.get(Account, candidate.owner_id)
        if account is None or account.password_hash != candidate.password_hash:
            continue  # it was changed since it was looked at
        if second_factor.accept(account, vault, code, now):
            succeed(db, attempt, is_shared=is_shared)
            return candidate.owner_id
    return None


def replace_hash(db: Session, owner_id: int, old: str, new: str) -> None:
    """Keep the same password under a newer hash, unless it was changed meanwhile."""
    which = update(Account).where(Account.owner_id == owner_id, Account.password_hash == old)
    db.execute(which.values(password_hash=new).execution_options(synchronize_session=False))


def _wait(db: Session, attempt: Attempt, now: datetime) -> timedelta:
    recent = select(func.count(), func.max(LoginFailure.id)).where(*_same(attempt), LoginFailure.at > now - REMEMBERED)
    count, last = db.execute(recent).one()
    if count < FREE_TRIES:
        return timedelta(0)
    doubled = min(count - FREE_TRIES, 10)
    longer: timedelta = min(FIRST_WAIT * int(2**doubled), LONGEST_WAIT)
    until = db.get_one(LoginFailure, last).at + longer
    return max(until - now, timedelta(0))


def _same(attempt: Attempt) -> tuple[ColumnElement[bool], ...]:
    return LoginFailure.account == attempt.account, LoginFailure.device == attempt.device
