"""The owner's calendars: added, listed, removed. Nothing here talks to a calendar server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from booking.errors import InvalidText, NotFound
from booking.rules.lifecycle import State
from booking.rules.period import Timeline
from booking.store.models import Calendar, CalendarResource, Call, Owner, PlacedEvent
from booking.store.vault import Vault
from booking.usecases import keyvalue
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


def remove_calendar(db: Session, owner_slug: str, calendar_id: int, now: datetime, *, anyway: bool = False) -> None:
    """Remove a calendar from the owner; nothing changes on its server.

    :raises NotFound: the owner has no such calendar.
    :raises InvalidText: upcoming calls stand in it and ``anyway`` was not given.
    """
    owner = lock(db, owner_slug)
    calendar = next((one for one in owner.calendars if one.id == calendar_id), None)
    if calendar is None:
        raise NotFound(f"{owner_slug} has no calendar {calendar_id}; see calendar list --owner {owner_slug}")
    placed = select(func.count()).select_from(PlacedEvent).join(Call, Call.id == PlacedEvent.call_id)
    upcoming = placed.where(PlacedEvent.calendar_id == calendar.id, Call.state == State.CONFIRMED, Call.ends_at > now)
    count = db.scalar(upcoming) or 0
    if count and not anyway:
        raise InvalidText(
            f"{count} upcoming calls stand in this calendar and would not be removed from it when they are cancelled; "
            "add --anyway if that is meant"
        )
    for table in (PlacedEvent, CalendarResource):
        db.execute(delete(table).where(table.calendar_id == calendar.id))
    db.delete(calendar)
    db.flush()
