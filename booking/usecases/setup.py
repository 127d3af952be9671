"""Setting up: the key of the installation, owners and call types.

Every function that writes for an owner takes the owner's lock first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.errors import NotFound, SettingsError
from booking.rules.hours import Timetable, parse_weekly
from booking.store.accounts import Account
from booking.store.models import Calendar, CallType, Installation, Owner
from booking.store.owner_lock import lock_owner
from booking.store.vault import Vault
from booking.usecases import call_types, keyvalue, slugs
from booking.usecases.availability import find_owner

USUAL_HOURS: Final = "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"
STEPS: Final = ("you", "hours", "call", "calendar")
"""Of the set-up in the browser, in their order; what comes after the last one only shows the link to hand out."""


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
        for account in db.scalars(select(Account).where(Account.totp_secret_encrypted != "")):
            account.totp_secret_encrypted = vault.lock(vault.unlock(account.totp_secret_encrypted))
        row.key_fingerprint = current


def has_owner(db: Session) -> bool:
    """Say whether anybody can be called yet."""
    return db.scalar(select(Owner.id).limit(1)) is not None


def list_owners(db: Session) -> list[Owner]:
    """Return every owner, by slug."""
    return list(db.scalars(select(Owner).order_by(Owner.slug)))


def add_owner(db: Session, new: NewOwner) -> Owner:
    """Add an owner with usual business hours, whose set-up begins; call types and calendars are added afterwards.

    :raises InvalidText: naming every value that can't be used.
    """
    names = ("slug", "name", "email", "timezone", "locale", "country")
    pairs = [f"{name}={getattr(new, name)}" for name in names]
    values = keyvalue.parse_pairs(pairs, keyvalue.owner_keys(new.country))
    slugs.check_free(db, str(values["slug"]))
    owner = Owner(**values, timetable=Timetable(weekly=parse_weekly(USUAL_HOURS)), setup_step=STEPS[0])
    db.add(owner)
    db.flush()
    return owner


def set_owner(db: Session, slug: str, pairs: Sequence[str]) -> Owner:
    """Change settings of an owner.

    :raises NotFound: there is no such owner.
    :raises InvalidText: naming every pair that can't be used.
    """
    owner = lock(db, slug)
    change_owner(db, owner, keyvalue.parse_pairs(pairs, keyvalue.owner_keys(owner.country)))
    return owner


def change_owner(db: Session, owner: Owner, values: Mapping[str, object]) -> None:
    """Change settings of an owner, who is locked; ``values`` are checked already, by their columns' names.

    :raises SlugTaken: another owner has the slug, or had it.
    """
    for key, value in values.items():
        if key == "slug":
            slugs.rename(db, owner, str(value))
        else:
            setattr(owner, key, value)
    if "timezone" in values:
        call_types.read_calendars_again(owner)
    db.flush()


def go_on(owner: Owner, step: str) -> None:
    """Note that an owner, who is locked, took or skipped a step of the set-up; what was done already stays done."""
    if owner.setup_step in STEPS[: STEPS.index(step) + 1]:
        owner.setup_step = step_after(step)


def step_after(step: str) -> str:
    """Return the step of the set-up that follows; nothing after the last one."""
    return next(iter(STEPS[STEPS.index(step) + 1 :]), "")


def step_before(step: str) -> str:
    """Return the step of the set-up that comes before; nothing before the first one."""
    return next(iter(STEPS[: STEPS.index(step)][::-1]), "")


def add_call_type(db: Session, owner_slug: str, new: NewCallType) -> CallType:
    """Add a call type at the end of the owner's list.

    :raises NotFound: there is no such owner.
    :raises InvalidText: naming every value that can't be used.
    """
    owner = lock(db, owner_slug)
    pairs = [f"{name}={'none' if value is None else value}" for name, value in asdict(new).items()]
    return call_types.add(db, owner, keyvalue.parse_pairs(pairs, keyvalue.call_type_keys()))


def set_call_type(db: Session, owner_slug: str, slug: str, pairs: Sequence[str], secret: str = "") -> CallType:
    """Change settings of a call type; calls that are booked already stay as they are.

    :param secret: an unguessable word, the slug of one that is found by its link only from now on.
    :raises NotFound: there is no such owner or call type.
    :raises InvalidText: naming every pair that can't be used.
    """
    owner = lock(db, owner_slug)
    call_type = next((each for each in owner.call_types if each.slug == slug), None)
    if call_type is None:
        raise NotFound(f"{owner_slug} has no call type {slug!r}")
    call_types.change(db, owner, call_type, keyvalue.parse_pairs(pairs, keyvalue.call_type_keys()), secret)
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
