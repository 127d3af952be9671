"""Setting up: the key of the installation, owners and call types.

Every function that writes for an owner takes the owner's lock first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.errors import InvalidText, NotFound, SettingsError
from booking.rules.hours import Timetable, parse_weekly
from booking.store.models import Calendar, CallType, Installation, Owner
from booking.store.owner_lock import lock_owner
from booking.store.vault import Vault
from booking.usecases import keyvalue
from booking.usecases.availability import find_owner

USUAL_HOURS: Final = "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"


@dataclass(frozen=True)
class NewOwner:
    """What is needed to begin; everything else has a default and can be set later."""

    slug: str
    name: str
    email: str
    timezone: str
    locale: str
    country: str


@dataclass(frozen=True)
class NewCallType:
    """A call type as the operator gives it; lengths in minutes."""

    slug: str
    name: str
    minutes: int
    before_minutes: int = 0
    after_minutes: int = 10
    notice_minutes: int = 120
    horizon_days: int = 60
    step_minutes: int = 15
    max_per_day: int | None = None
    max_per_week: int | None = None
    who_calls: str = "owner"
    reminders: str = "1440 60"
    description: str = ""


def check_key(db: Session, vault: Vault) -> None:
    """Tie the database to its secret key; after a rotation, encrypt what is stored with the new key.

    :raises SettingsError: the database was made with another key.
    """
    row = db.scalar(select(Installation))
    current = vault.fingerprints[0]
    if row is None:
        db.add(Installation(id=1, key_fingerprint=current))
    elif row.key_fingerprint not in vault.fingerprints:
        raise SettingsError(
            "SECRET_KEY: this database was made with another key; give that key again "
            "(to change it, give both: SECRET_KEY=new,old)."
        )
    elif row.key_fingerprint != current:
        for calendar in db.scalars(select(Calendar).where(Calendar.password_encrypted != "")):
            calendar.password_encrypted = vault.lock(vault.unlock(calendar.password_encrypted))
        row.key_fingerprint = current


def has_owner(db: Session) -> bool:
    """Say whether anybody can be called yet."""
    return db.scalar(select(Owner.id).limit(1)) is not None


def list_owners(db: Session) -> list[Owner]:
    """Return every owner, by slug."""
    return list(db.scalars(select(Owner).order_by(Owner.slug)))


def add_owner(db: Session, new: NewOwner) -> Owner:
    """Add an owner with usual business hours; call types and calendars are added afterwards.

    :raises InvalidText: naming every value that can't be used.
    """
    names = ("slug", "name", "email", "timezone", "locale", "country")
    pairs = [f"{name}={getattr(new, name)}" for name in names]
    values = keyvalue.parse_pairs(pairs, keyvalue.owner_keys(new.country))
    _owner_slug_must_be_free(db, str(values["slug"]))
    owner = Owner(**values, timetable=Timetable(weekly=parse_weekly(USUAL_HOURS)))
    db.add(owner)
    db.flush()
    return owner


def set_owner(db: Session, slug: str, pairs: Sequence[str]) -> Owner:
    """Change settings of an owner.

    :raises NotFound: there is no such owner.
    :raises InvalidText: naming every pair that can't be used.
    """
    owner = lock(db, slug)
    values = keyvalue.parse_pairs(pairs, keyvalue.owner_keys(owner.country))
    if values.get("slug", slug) != slug:
        _owner_slug_must_be_free(db, str(values["slug"]))
    for key, value in values.items():
        setattr(owner, key, value)
    if "timezone" in values:
        _read_calendars_again(owner)
    db.flush()
    return owner


def add_call_type(db: Session, owner_slug: str, new: NewCallType) -> CallType:
    """Add a call type at the end of the owner's list.

    :raises NotFound: there is no such owner.
    :raises InvalidText: naming every value that can't be used.
    """
    owner = lock(db, owner_slug)
    keys = keyvalue.call_type_keys()
    given = {name: getattr(new, name) for name in keys if name != "position"}
    values = keyvalue.parse_pairs([f"{n}={'none' if v is None else v}" for n, v in given.items()], keys)
    _call_type_slug_must_be_free(owner, new.slug)
    last = db.scalar(select(func.max(CallType.position)).where(CallType.owner_id == owner.id))
    call_type = CallType(**values, owner_id=owner.id, position=0 if last is None else last + 1)
    db.add(call_type)
    _read_calendars_again(owner)
    db.flush()
    return call_type


def set_call_type(db: Session, owner_slug: str, slug: str, pairs: Sequence[str]) -> CallType:
    """Change settings of a call type; calls that are booked already stay as they are.

    :raises NotFound: there is no such owner or call type.
    :raises InvalidText: naming every pair that can't be used.
    """
    owner = lock(db, owner_slug)
    call_type = db.scalar(select(CallType).where(CallType.owner_id == owner.id, CallType.slug == slug))
    if call_type is None:
        raise NotFound(f"{owner_slug} has no call type {slug!r}")
    values = keyvalue.parse_pairs(pairs, keyvalue.call_type_keys())
    if values.get("slug", slug) != slug:
        _call_type_slug_must_be_free(owner, str(values["slug"]))
    for key, value in values.items():
        setattr(call_type, key, value)
    if "horizon_days" in values:
        _read_calendars_again(owner)
    db.flush()
    return call_type


def lock(db: Session, owner_slug: str) -> Owner:
    """Take the owner's lock and return the owner with the call types.

    :raises NotFound: there is no such owner.
    """
    try:
        lock_owner(db, slug=owner_slug)
    except NotFound as error:
        raise NotFound(f"there is no owner {owner_slug!r}") from error
    return find_owner(db, owner_slug)


def _read_calendars_again(owner: Owner) -> None:
    """A farther horizon must be covered; in another zone, floating and all-day events stand elsewhere."""
    for calendar in owner.calendars:
        calendar.next_read_at = None


def _owner_slug_must_be_free(db: Session, slug: str) -> None:
    if db.scalar(select(Owner.id).where(Owner.slug == slug)) is not None:
        raise InvalidText(f"slug: there is an owner {slug!r} already; choose another")


def _call_type_slug_must_be_free(owner: Owner, slug: str) -> None:
    if any(call_type.slug == slug for call_type in owner.call_types):
        raise InvalidText(f"slug: {owner.slug} has a call type {slug!r} already; choose another")
