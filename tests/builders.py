"""Owners, call types, calendars and wishes for tests: sensible values, changed by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from booking.rules.hours import Timetable, parse_weekly
from booking.services import Services
from booking.store.models import Calendar, CallType, Installation, Owner
from booking.usecases.reserve import Wish
from tests.fakes import MONDAY

HOURS = "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"


def add_installation(db: Session, services: Services) -> Installation:
    row = Installation(id=1, key_fingerprint=services.vault.fingerprints[0])
    db.add(row)
    return row


def add_owner(db: Session, slug: str = "anna", *, hours: str = HOURS, **values: Any) -> Owner:
    facts: dict[str, Any] = {
        "name": "Anna Beispiel",
        "email": f"{slug}@example.org",
        "timezone": "Europe/Berlin",
        "locale": "en",
        "country": "DE",
        "phone": "+4930901820",
        "timetable": Timetable(weekly=parse_weekly(hours)),
    }
    owner = Owner(slug=slug, **{**facts, **values})
    db.add(owner)
    db.flush()
    return owner


def add_call_type(db: Session, owner: Owner, slug: str = "call", **values: Any) -> CallType:
    facts: dict[str, Any] = {"name": "First call", "minutes": 30, "after_minutes": 10, "notice_minutes": 60}
    call_type = CallType(owner_id=owner.id, slug=slug, **{**facts, **values})
    db.add(call_type)
    db.flush()
    return call_type


def add_calendar(db: Session, owner: Owner, *, read_at: datetime | None = MONDAY, **values: Any) -> Calendar:
    facts: dict[str, Any] = {
        "kind": "caldav",
        "url": f"/{owner.slug}/calls/",
        "takes_calls": True,
        "read_at": read_at,
        "covered_until": read_at + timedelta(days=100) if read_at else None,
        "expanded_with": f"{owner.timezone} all-day-blocks=True tentative-blocks=True" if read_at else "",
    }
    calendar = Calendar(owner_id=owner.id, **{**facts, **values})
    db.add(calendar)
    db.flush()
    return calendar


def wish(start: datetime | None = None, **values: Any) -> Wish:
    facts: dict[str, Any] = {
        "start": start or datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        "name": "Kim",
        "email": "kim@example.com",
        "phone": "+491701234567",
        "note": "",
        "who_calls": "owner",
        "timezone": "Europe/Berlin",
        "locale": "en",
        "request_key": "key-1",
        "origin": "",
    }
    return Wish(**{**facts, **values})
