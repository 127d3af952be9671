"""One-time links to the desk: made by the operator, or mailed to an owner who has lost the password.

A link holds the id of a row, signed for its purpose; it is used by a POST only, once.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from booking.mail.facts import AccountFacts
from booking.signing import Signing
from booking.store.accounts import LoginFailure, WayIn
from booking.store.models import Job, Owner
from booking.store.owner_lock import lock_count, lock_owner
from booking.usecases.notify import House

LOGIN: Final = "login"
RESET: Final = "reset"
PATHS: Final = {LOGIN: "/desk/in/", RESET: "/desk/reset/"}

LINK_LASTS: Final = timedelta(hours=1)
FIRST_LINK_LASTS: Final = timedelta(days=1)
"""Of the link that ``./start`` prints."""
RESETS_AN_HOUR: Final = 3


def make_link(db: Session, house: House, owner_id: int, now: datetime, lasts: timedelta = LINK_LASTS) -> str:
    """Return a link that opens an owner's desk once."""
    return _address(house, _make(db, house, owner_id, LOGIN, now, lasts))


def read(signing: Signing, purpose: str, token: str) -> str | None:
    """Return the id of the row that a link's token names; ``None`` where it is not ours."""
    said = signing.unseal(_salt(purpose), token)
    return said if isinstance(said, str) else None


def find_owner(db: Session, purpose: str, way_id: str, now: datetime) -> Owner | None:
    """Return whose desk a link opens; ``None`` where it was used, or its time is over."""
    return db.scalar(select(Owner).join(WayIn, WayIn.owner_id == Owner.id).where(*_is_open(purpose, way_id, now)))


def use(db: Session, purpose: str, way_id: str, now: datetime) -> int | None:
    """Use a link up; return the owner's id, with the owner's lock held. Of two who come at once, one gets it."""
    owner = find_owner(db, purpose, way_id, now)
    if owner is None:
        return None
    lock_owner(db, owner_id=owner.id)
    using = update(WayIn).where(*_is_open(purpose, way_id, now)).values(used_at=now).returning(WayIn.owner_id)
    return db.scalar(using.execution_options(synchronize_session=False))


def ask_reset(db: Session, house: House, email: str, device: str, now: datetime) -> None:
    """Mail a link to whoever has this address; to nobody where nobody has, or after three within the hour.

    Both are noted in the same way, so that they take the same time.
    """
    account = house.signing.keyed_hash("reset", email.lower())
    lock_count(db, account)
    recent = (LoginFailure.account == account, LoginFailure.at > now - timedelta(hours=1))
    if (db.scalar(select(func.count()).select_from(LoginFailure).where(*recent)) or 0) >= RESETS_AN_HOUR:
        return
    db.add(LoginFailure(at=now, account=account, device=device))
    for owner_id in db.scalars(select(Owner.id).where(func.lower(Owner.email) == email.lower())):
        way = _make(db, house, owner_id, RESET, now, LINK_LASTS)
        db.add(_job(house, way, now))


def mail_facts(db: Session, house: House, way_id: str) -> AccountFacts:
    """Return what the mail with a link says; the link is made only here, so that the outbox holds none."""
    way = db.get_one(WayIn, way_id)
    owner = db.get_one(Owner, way.owner_id)
    return AccountFacts(
        message="reset",
        recipient=owner.email,
        locale=owner.locale,
        timezone=owner.timezone,
        owner_name=owner.name,
        link=_address(house, way),
        expires_at=way.expires_at,
    )


def is_over(db: Session, way_id: str, now: datetime) -> bool:
    """Say whether a link that was to be mailed is of no use any more."""
    return find_owner(db, RESET, way_id, now) is None


def _make(db: Session, house: House, owner_id: int, purpose: str, now: datetime, lasts: timedelta) -> WayIn:
    way = WayIn(id=house.token(), owner_id=owner_id, purpose=purpose, created_at=now, expires_at=now + lasts)
    db.add(way)
    return way


def _job(house: House, way: WayIn, now: datetime) -> Job:
    return Job(
        id=house.token(),
        owner_id=way.owner_id,
        kind="mail",
        group=f"account.{way.owner_id}",
        payload={"message": "reset", "to": "owner", "way_in": way.id},
        created_at=now,
        not_before=now,
        not_after=way.expires_at,
    )


def _address(house: House, way: WayIn) -> str:
    return f"{house.base_url}{PATHS[way.purpose]}{house.signing.seal(_salt(way.purpose), way.id)}"


def _salt(purpose: str) -> str:
    return f"way-in.{purpose}"


def _is_open(purpose: str, way_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WayIn.id == way_id, WayIn.purpose == purpose, WayIn.used_at.is_(None), WayIn.expires_at > now
