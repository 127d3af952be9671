"""The lively example of ``./start --demo``: Anna Beispiel, a copywriter with a busy week.

Everything goes the ways a real house goes: settings through the use cases, events through CalDAV, calls
through booking. Nobody is called or written to: mails of a demo are files.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from booking.services import Services
from booking.usecases import calendars, hours, setup
from booking.usecases.availability import load_offer
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, book

OWNER: Final = "anna"
ZONE: Final = ZoneInfo("Europe/Berlin")
SECONDS: Final = 30.0

_SETTINGS: Final = (
    "line=Texte, die man gern zu Ende liest",
    "phone=+49 30 23125042",
    "caller_id=Ich rufe von +49 30 23125042 an.",
    "accent=#8a4b2a",
)
_CALL_TYPES: Final = (
    setup.NewCallType(
        slug="kennenlernen",
        name="Kennenlernen",
        description="Eine Viertelstunde, in der wir merken, ob wir zueinander passen.",
        minutes=15,
        after_minutes=5,
        who_calls="choice",
    ),
    setup.NewCallType(
        slug="erstgespraech",
        name="Erstgespräch",
        description="Sie erzählen, worum es geht; ich frage nach und sage, was ich tun kann.",
        minutes=30,
        after_minutes=10,
        max_per_day=4,
    ),
    setup.NewCallType(
        slug="projektgespraech",
        name="Projektgespräch",
        description="Für laufende Aufträge: Stand, Rückfragen, nächste Schritte.",
        minutes=60,
        before_minutes=10,
        after_minutes=15,
        step_minutes=30,
        who_calls="client",
    ),
)
# Day (counted from this week's Monday), begin, end, title. Two weeks, so that the demo is busy on any day.
_EVENTS: Final = (
    (0, "09:30", "11:00", "Schreibzeit: Broschüre Stadtwerke"),
    (0, "15:00", "16:15", "Korrekturrunde mit der Druckerei"),
    (1, "10:00", "11:30", "Workshop Tonalität"),
    (2, "09:00", "10:30", "Schreibzeit"),
    (2, "14:00", "15:30", "Zahnarzt"),
    (3, "11:00", "12:00", "Redaktionsschluss Newsletter"),
    (3, "15:30", "17:00", "Abgabe Webtexte"),
    (4, "09:00", "10:15", "Wochenplanung"),
    (7, "09:00", "11:30", "Schreibzeit: Jahresbericht"),
    (8, "13:30", "15:00", "Interview für das Porträt"),
    (9, "10:00", "12:00", "Briefing Agentur Nordlicht"),
    (10, "14:00", "16:30", "Schreibzeit"),
    (11, "09:00", "10:00", "Buchhaltung"),
)
_STAND_IN: Final = "Bert Beispiel, +49 30 5550123"


def make_owner(services: Services) -> None:
    """Make Anna, her call types, her hours, an absence to come, and her calendar."""
    today = services.now().astimezone(ZONE).date()
    with services.database.writing() as db:
        owner = setup.add_owner(
            db, setup.NewOwner(OWNER, "Anna Beispiel", "anna@beispiel.example", "Europe/Berlin", "de", "DE")
        )
        owner.setup_step = ""  # an example has nothing to set up
        setup.set_owner(db, OWNER, _SETTINGS)
        for call_type in _CALL_TYPES:
            setup.add_call_type(db, OWNER, call_type)
        hours.set_holidays(db, OWNER, "DE", "BY", today)
        first, last = (_monday(today) + timedelta(days=days) for days in (14, 18))
        hours.add_absence(db, OWNER, first, last, "Ich bin verreist und lese keine E-Mails.", _STAND_IN)
        calendar = calendars.embedded_calendar(db, OWNER, services.vault, services.token)
        calendars.add_calendar(db, OWNER, calendar, services.vault)


def make_events(services: Services) -> None:
    """Put Anna's two weeks into her calendar, as her calendar program would."""
    with services.database.reading() as db:
        row = calendars.list_calendars(db, OWNER)[0]
    with contextlib.closing(services.calendar(row, SECONDS)) as calendar:
        for event in _events(services):
            calendar.put(calendar.href_for(str(event["uid"])), _text(event), replaces=None)


def make_calls(services: Services) -> None:
    """Book two calls, as two clients would."""
    house = House(services.settings.base_url, services.signing, services.token)
    clients = (
        ("erstgespraech", "Herr Winter", "winter@example.org", "+4915123456789", "owner", "Es geht um eine Rede."),
        ("kennenlernen", "Kim", "kim@example.org", "+493012345678", "owner", ""),
    )
    now = services.now()
    for number, (type_slug, name, email, phone, who_calls, note) in enumerate(clients, start=1):
        with services.database.writing() as db:
            free = load_offer(db, OWNER, type_slug, now).all_free()
            wish = Wish(
                start=free[min(5 * number, len(free) - 1)],
                name=name,
                email=email,
                phone=phone,
                note=note,
                who_calls=who_calls,
                timezone="Europe/Berlin",
                locale="de",
                request_key=f"demo-{number}",
                origin="",
            )
            book(db, house, OWNER, type_slug, wish, now)


def _events(services: Services) -> Iterator[Event]:
    monday = _monday(services.now().astimezone(ZONE).date())
    for day, begin, end, title in _EVENTS:
        on = monday + timedelta(days=day)
        yield _event(services, title, _wall(on, begin), _wall(on, end))
    lunch = _event(services, "Mittagspause", _wall(monday, "12:00"), _wall(monday, "13:00"))
    lunch.add("rrule", {"freq": "weekly", "byday": ["mo", "tu", "we", "th", "fr"]})
    yield lunch
    wednesday = monday + timedelta(days=2)
    publisher = _event(services, "Jour fixe Verlag", _wall(wednesday, "16:00"), _wall(wednesday, "16:45"))
    publisher.add("rrule", {"freq": "weekly"})
    yield publisher
    fair = monday + timedelta(days=22)
    yield _event(services, "Buchmesse", fair, fair + timedelta(days=2))
    birthday = _event(services, "Geburtstag Oma", monday + timedelta(days=8), monday + timedelta(days=9))
    birthday.add("transp", "TRANSPARENT")
    yield birthday


def _event(services: Services, title: str, start: date, end: date) -> Event:
    event = Event()
    event.add("uid", f"{services.token()}@demo")
    event.add("dtstamp", services.now().replace(microsecond=0).astimezone(UTC))
    event.add("summary", title)
    event.add("dtstart", start)
    event.add("dtend", end)
    return event


def _text(event: Event) -> str:
    calendar = Calendar()
    calendar.add("prodid", "-//Sprechzeit//Demo//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return str(calendar.to_ical().decode())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _wall(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZONE)
