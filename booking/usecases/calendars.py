"""The owner's calendars: added, listed, changed, paused, removed. Nothing here talks to a calendar server.

A paused calendar is neither read nor does anything in it block; calls that it takes are written all the same, since
they would stand nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from booking.errors import InvalidText, NotFound
from booking.rules.period import Timeline
from booking.store.leftovers import LeftEvent
from booking.store.models import Calendar, CalendarResource, Owner, PlacedEvent
from booking.store.vault import Vault
from booking.usecases import keyvalue, takeover
from booking.usecases.notify import House
from booking.usecases.setup import lock

EMBEDDED: Final = "embedded"
CALDAV: Final = "caldav"


@dataclass(frozen=True)
class NewCalendar:
    """A calendar as the operator gives it. ``url`` of an embedded one is the path below the embedded server."""

    kind: str
    url: str
    username: str
    password: str
    name: str = ""
    is_busy: bool = True
    takes_calls: bool = False
    all_day_blocks: bool = True
    tentative_blocks: bool = True


@dataclass(frozen=True)
class Use:
    """What an owner can change about a calendar, besides its password and whether it takes the calls."""

    name: str
    is_busy: bool
    all_day_blocks: bool
    tentative_blocks: bool


def embedded_calendar(
    db: Session, owner_slug: str, vault: Vault, token: Callable[[], str], folder: str = "calls"
) -> NewCalendar:
    """Describe a calendar on the embedded server; an owner keeps one name and password for all of them there.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the folder's name can't be part of an address.
    """
    owner = lock(db, owner_slug)
    mine = next((calendar for calendar in owner.calendars if calendar.kind == EMBEDDED), None)
    if mine is not None:
        username, password = mine.username, vault.unlock(mine.password_encrypted)
    else:
        taken = db.scalar(select(Calendar.id).where(Calendar.kind == EMBEDDED, Calendar.username == owner_slug))
        username = owner_slug if taken is None else f"{owner_slug}-{token()[:6]}"
        password = token()
    url = f"/{username}/{keyvalue.word(folder)}/"
    return NewCalendar(EMBEDDED, url, username, password, name=owner.name, takes_calls=True)


def add_calendar(db: Session, owner_slug: str, new: NewCalendar, vault: Vault) -> Calendar:
    """Add a calendar; one that takes the calls takes over from the one before.

    :raises NotFound: there is no such owner.
    :raises InvalidText: the owner has this calendar already, or it would serve no purpose.
    """
    owner = lock(db, owner_slug)
    if not (new.is_busy or new.takes_calls):
        raise InvalidText("say what the calendar is for: its events block, it takes the calls, or both")
    if any(calendar.url == new.url and calendar.kind == new.kind for calendar in owner.calendars):
        raise InvalidText(f"{owner_slug} has the calendar {new.url} already")
    if new.takes_calls:
        for calendar in owner.calendars:
            calendar.takes_calls = False
    calendar = Calendar(
        owner=owner,
        kind=new.kind,
        name=new.name,
        url=new.url,
        username=new.username,
        password_encrypted=vault.lock(new.password) if new.password else "",
        is_busy=new.is_busy,
        takes_calls=new.takes_calls,
        all_day_blocks=new.all_day_blocks,
        tentative_blocks=new.tentative_blocks,
        busy=Timeline.of([]),
    )
    db.add(calendar)
    db.flush()
    return calendar


def list_calendars(db: Session, owner_slug: str | None = None) -> list[Calendar]:
    """Return the calendars of one owner, or of all, with their owners.

    :raises NotFound: there is no such owner.
    """
    calendars = select(Calendar).options(joinedload(Calendar.owner)).order_by(Calendar.id)
    if owner_slug is None:
        return list(db.scalars(calendars))
    if db.scalar(select(Owner.id).where(Owner.slug == owner_slug)) is None:
        raise NotFound(f"there is no owner {owner_slug!r}")
    return list(db.scalars(calendars.where(Calendar.owner.has(slug=owner_slug))))


def embedded_users(db: Session, vault: Vault) -> dict[str, str]:
    """Return who may log in to the embedded server: ``name → password``."""
    embedded = select(Calendar).where(Calendar.kind == EMBEDDED).order_by(Calendar.id)
    return {calendar.username: vault.unlock(calendar.password_encrypted) for calendar in db.scalars(embedded)}


def problems(db: Session) -> list[tuple[Calendar, str, str]]:
    """Return the objects that could not be understood: calendar, ``href``, why. They block."""
    rows = (
        select(Calendar, CalendarResource.href, CalendarResource.problem)
        .join(CalendarResource, CalendarResource.calendar_id == Calendar.id)
        .where(CalendarResource.problem != "")
        .order_by(Calendar.id, CalendarResource.href)
    )
    return [(calendar, href, problem) for calendar, href, problem in db.execute(rows)]


def own_calendar(db: Session, owner_slug: str, calendar_id: int) -> Calendar:
    """Take the owner's lock and return one of the owner's calendars.

    :raises NotFound: there is no such owner, or the owner has no such calendar.
    """
    owner = lock(db, owner_slug)
    calendar = next((one for one in owner.calendars if one.id == calendar_id), None)
    if calendar is None:
        raise NotFound(f"{owner_slug} has no calendar {calendar_id}; see calendar list --owner {owner_slug}")
    return calendar


def change_use(calendar: Calendar, use: Use) -> None:
    """Change what a calendar is called and what of it blocks; it is read again at once where that matters."""
    before = (calendar.is_busy, calendar.all_day_blocks, calendar.tentative_blocks)
    if before != (use.is_busy, use.all_day_blocks, use.tentative_blocks):
        calendar.next_read_at = None
    calendar.name, calendar.is_busy = use.name, use.is_busy
    calendar.all_day_blocks, calendar.tentative_blocks = use.all_day_blocks, use.tentative_blocks


def change_password(calendar: Calendar, password: str, vault: Vault) -> int:
    """Keep a new password for a calendar, and for the owner's others of the same account; return how many have it."""
    same = [other for other in calendar.owner.calendars if _account(other) == _account(calendar)]
    for each in same:
        each.password_encrypted = vault.lock(password)
        each.next_read_at = None
    return len(same)


def pause(calendar: Calendar, now: datetime) -> None:
    """Neither read a calendar nor count what stands in it, until it is resumed."""
    calendar.paused_at = calendar.paused_at or now
    calendar.failures, calendar.last_error, calendar.error_kind = 0, "", ""


def resume(calendar: Calendar) -> None:
    """Read and count a calendar again; what was read long ago is unknown until then."""
    calendar.paused_at = calendar.next_read_at = None


def let_take_calls(db: Session, house: House, calendar: Calendar, now: datetime, *, moves: bool) -> int:
    """Let a calendar take the calls from now on; with ``moves`` those that are ahead come along: return how many.

    The owner's lock must be held.
    """
    others = update(Calendar).where(Calendar.owner_id == calendar.owner_id, Calendar.id != calendar.id)
    db.execute(others.values(takes_calls=False))
    calendar.takes_calls = True
    db.flush()
    return takeover.move_events(db, house, calendar, now) if moves else 0


def remove_calendar(db: Session, owner_slug: str, calendar_id: int, now: datetime, *, anyway: bool = False) -> None:
    """Remove a calendar from the owner; nothing changes on its server.

    :raises NotFound: the owner has no such calendar.
    :raises InvalidText: upcoming calls stand in it, or are being moved out of it, and ``anyway`` was not given.
    """
    calendar = own_calendar(db, owner_slug, calendar_id)
    count = takeover.count_upcoming(db, calendar.id, now) + takeover.count_leaving(db, calendar.id)
    if count and not anyway:
        raise InvalidText(
            f"{count} upcoming calls stand in this calendar and would not be removed from it when they are cancelled; "
            "add --anyway if that is meant"
        )
    for table in (PlacedEvent, LeftEvent, CalendarResource):
        db.execute(delete(table).where(table.calendar_id == calendar.id))
    db.delete(calendar)
    db.flush()


def count_events(db: Session, owner_id: int) -> dict[int, int]:
    """Return how many objects each of the owner's calendars held when it was last read."""
    mine = select(CalendarResource.calendar_id, func.count()).join(
        Calendar, Calendar.id == CalendarResource.calendar_id
    )
    rows = db.execute(mine.where(Calendar.owner_id == owner_id).group_by(CalendarResource.calendar_id))
    return {calendar_id: count for calendar_id, count in rows}


def not_understood(db: Session, calendar_id: int, most: int) -> list[CalendarResource]:
    """Return the objects of a calendar that could not be understood, at most so many. They block."""
    mine = select(CalendarResource).where(CalendarResource.calendar_id == calendar_id, CalendarResource.problem != "")
    return list(db.scalars(mine.order_by(CalendarResource.href).limit(most)))


def _account(calendar: Calendar) -> tuple[str, str, str]:
    """The account a calendar is opened with: kind, server, user."""
    return calendar.kind, urlsplit(calendar.url).netloc, calendar.username
