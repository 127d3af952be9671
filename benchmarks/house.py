"""Makes the installations that are measured: owners, events and past calls, always the same ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from booking.rules.lifecycle import State
from booking.rules.period import Timeline
from booking.services import Services, real_services
from booking.settings import Settings
from booking.store.models import Calendar, CalendarResource, Call, HeldPeriod, Owner
from booking.usecases import calendars, refresh, setup

TYPE = "call"
HORIZON_DAYS = 60
MINUTE = 60
DAY = 86400
BUSY_MINUTES = (*range(10 * 60), *range(12 * 60, 13 * 60), *range(17 * 60, 24 * 60))
"""Minutes of a day, in UTC, in which events begin: most of the business hours stay free, however many events there are,
so that every page writes about as many times."""


@dataclass(frozen=True)
class Event:
    """An event in epoch seconds."""

    number: int
    start: int
    end: int

    def ics(self) -> str:
        """Write it as calendar programs do."""
        return (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//benchmarks//EN\r\nBEGIN:VEVENT\r\n"
            f"UID:event-{self.number}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Something {self.number}\r\n"
            f"DTSTART:{_utc(self.start)}\r\nDTEND:{_utc(self.end)}\r\nCLASS:PRIVATE\r\n"
            "DESCRIPTION:What is planned\\, in a sentence or two\\, as people write it.\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )


def events(now: datetime, count: int) -> list[Event]:
    """Return so many events of five minutes each, spread over the horizon."""
    chance = random.Random(count)
    today = int(now.timestamp()) // DAY * DAY
    starts = (today + chance.randrange(HORIZON_DAYS) * DAY + chance.choice(BUSY_MINUTES) * MINUTE for _ in range(count))
    return [Event(number, start, start + 5 * MINUTE) for number, start in enumerate(sorted(starts))]


def open_house(folder: Path, **environment: str) -> tuple[Services, dict[str, str]]:
    """Make an empty installation; return its services and the environment of its processes."""
    env = {"DATA_DIR": str(folder), "TRUSTED_PROXIES": "1", "LOG_LEVEL": "WARNING", **environment}
    services = real_services(Settings.from_env(env))
    services.database.upgrade()
    with services.database.writing() as db:
        setup.check_key(db, services.vault)
    return services, env


def add_owner(services: Services, slug: str, count: int) -> None:
    """Add an owner with one call type, and a calendar with so many events that was read just now."""
    with services.database.writing() as db:
        setup.add_owner(db, setup.NewOwner(slug, "Anna Beispiel", f"{slug}@example.org", "Europe/Berlin", "en", "DE"))
        new = setup.NewCallType(slug=TYPE, name="First call", minutes=30, horizon_days=HORIZON_DAYS)
        setup.add_call_type(db, slug, new)
        calendar = calendars.add_calendar(
            db, slug, calendars.embedded_calendar(db, slug, services.vault, services.token), services.vault
        )
        fill_calendar(db, calendar, events(services.now(), count), services.now())


def fill_calendar(db: Session, calendar: Calendar, found: list[Event], now: datetime) -> None:
    """Save events as if the worker had read them."""
    rows = [
        {
            "calendar_id": calendar.id,
            "href": f"{calendar.url}event-{event.number}.ics",
            "etag": f'"{event.number}"',
            "uid": f"event-{event.number}",
            "ics": event.ics(),
            "busy": Timeline.of_spans([(event.start, event.end)]),
            "problem": "",
        }
        for event in found
    ]
    db.execute(insert(CalendarResource), rows)
    refresh.merge(db, calendar, now)
    calendar.read_at = now
    calendar.covered_until = now + timedelta(days=HORIZON_DAYS + 10)
    calendar.expanded_with = f"{calendar.owner.timezone} all-day-blocks=True tentative-blocks=True"
    calendar.next_read_at = now + timedelta(days=1)


def add_crowd(services: Services, owners: int, calls: int) -> None:
    """Add other owners, and past calls of all of them, the first ones' too."""
    now = services.now()
    with services.database.writing() as db:
        for number in range(owners):
            slug = f"owner-{number}"
            setup.add_owner(db, setup.NewOwner(slug, "Bert", f"{slug}@example.org", "Europe/Berlin", "en", "DE"))
            setup.add_call_type(db, slug, setup.NewCallType(slug=TYPE, name="First call", minutes=30))
    with services.database.writing() as db:
        ids = [(owner.id, owner.call_types[0].id) for owner in db.query(Owner).order_by(Owner.id)]
        rows = list(_past_calls(ids, calls, now))
        db.execute(insert(Call), rows)
        db.execute(
            insert(HeldPeriod),
            [{"call_id": row["id"], **{k: row[k] for k in ("owner_id", "starts_at", "ends_at")}} for row in rows],
        )


def _past_calls(ids: list[tuple[int, int]], calls: int, now: datetime) -> Iterator[dict[str, object]]:
    for number in range(calls):
        owner_id, call_type_id = ids[number % len(ids)]
        starts_at = now - timedelta(hours=2 + number // len(ids))
        yield {
            "id": f"{number:032x}",
            "owner_id": owner_id,
            "call_type_id": call_type_id,
            "state": State.CONFIRMED,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=30),
            "owner_wall_time": "",
            "name": "Kim",
            "email": f"kim-{number}@example.org",
            "phone": "",
            "who_calls": "client",
            "timezone": "Europe/Berlin",
            "locale": "en",
            "request_key": f"past-{number}",
            "request_digest": "",
            "origin": "",
            "ics_uid": f"{number}@example.org",
            "created_at": starts_at - timedelta(days=2),
        }


def _utc(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y%m%dT%H%M%SZ}"
