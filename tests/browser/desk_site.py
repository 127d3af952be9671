"""Desks, furnished: Greta's with calls, events, something to tell by phone, a mail that is stuck; and two others.

A browser session is called by whose it is, so that a visitor of the tour can become somebody else.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.rules.hours import Absence, Timetable, parse_windows
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.accounts import Account, DeskSession, PhoneTask
from booking.store.models import Calendar, CalendarResource, Call, Job, Owner
from booking.usecases import second_factor, ways_in
from booking.usecases.door import open_session
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import HOURS, add_calendar, add_call_type, add_owner, wish
from tests.fakes import MONDAY

OWNER = "greta"
EVENING, UNPROVED = "ewa", "ewa-yesterday"
"""Sessions of somebody whose business has not begun yet: one who just came in, one to be asked for the password."""
NEW = "nora"
"""Session of somebody whose set-up is done, and who has nothing yet."""


def furnish(services: Services) -> dict[str, str]:
    """Add Greta with everything a desk can show, and others; return the places of the tour, and Greta's session."""
    with services.database.writing() as db:
        owner = _add_owner(db, services)
        calls = _add_calls(db, services, owner)
        db.add(PhoneTask(owner_id=owner.id, call_id=calls[1].id, message="moved", created_at=MONDAY))
        _add_stuck_mail(db, owner, calls[0])
        _log_in(db, services, owner, OWNER)
        _add_evening(db, services)
        _log_in(db, services, add_owner(db, "nora", name="Nora Neu", locale="de"), NEW)
        away, here = db.scalars(select(Calendar.id).where(Calendar.owner_id == owner.id).order_by(Calendar.name.desc()))
        places = {"session": OWNER, "call": calls[0].id, "calendar": str(here), "other_calendar": str(away)}
        return {**places, **_one_time_links(db, services, owner)}


def _log_in(db: Session, services: Services, owner: Owner, session: str) -> DeskSession:
    return open_session(db, owner.id, session, services.token(), services.now(), browser="Firefox, Linux")


def _one_time_links(db: Session, services: Services, owner: Owner) -> dict[str, str]:
    """Return where the link that opens the desk leads, and the one that is mailed when the password is lost."""
    ours, now = house(services), services.now()
    way_in = ways_in.make_link(db, ours, owner.id, now)
    ways_in.ask_reset(db, ours, owner.email, "", now)
    job = db.scalars(select(Job).where(Job.group == f"account.{owner.id}")).one()
    way_back = ways_in.mail_facts(db, ours, job.payload["way_in"]).link
    db.delete(job)
    return {name: link.removeprefix(ours.base_url) for name, link in (("way_in", way_in), ("way_back", way_back))}


def _add_evening(db: Session, services: Services) -> None:
    """Add somebody who is not to be disturbed before noon, with things that wait; codes are asked for at the door."""
    owner = add_owner(db, EVENING, name="Ewa Beispiel", locale="de", hours="mon-fri 12:00-18:00")
    add_call_type(db, owner, "gespraech", name="Gespräch")
    add_calendar(db, owner)
    facts = {"name": "Sam", "email": "sam@example.com", "phone": "+491521234567"}
    wished = wish(MONDAY + timedelta(hours=6), locale="de", request_key="ewa", **facts)
    call = book(db, house(services), owner.slug, "gespraech", wished, services.now())
    db.add(PhoneTask(owner_id=owner.id, call_id=call.id, message="moved", created_at=MONDAY))
    account = Account(owner_id=owner.id, password_hash=services.passwords.hash("four plain words apart"))
    db.add(account)
    second_factor.turn_on(account, services.vault, second_factor.new_secret(services.token), 0, services.token)
    _log_in(db, services, owner, EVENING)
    _log_in(db, services, owner, UNPROVED).proved_at = MONDAY - timedelta(days=1)


def _add_owner(db: Session, services: Services) -> Owner:
    first, last = (MONDAY + timedelta(days=30)).date(), (MONDAY + timedelta(days=40)).date()
    away = Absence(first, last, "Zwischen den Jahren bin ich nicht erreichbar.")
    overrides = {(MONDAY + timedelta(days=3)).date(): parse_windows("14:00-18:00")}
    owner = add_owner(
        db,
        OWNER,
        name="Greta Beispiel",
        locale="de",
        hours=HOURS,
        line="Texte, die gelesen werden",
        holiday_country="DE",
        holiday_region="BE",
    )
    owner.timetable = Timetable(owner.timetable.weekly, overrides, (away,))
    add_call_type(db, owner, "erstgespraech", name="Erstgespräch", description="Wir lernen uns kennen.")
    add_call_type(db, owner, "projekt", name="Projektbesprechung", minutes=60, lengths="30 60 90", position=1)
    add_call_type(db, owner, "frage", name="Kurze Frage", minutes=15, who_calls="client", position=2)
    secret = services.vault.lock("ein-langes-passwort")
    ours: dict[str, Any] = {"kind": "embedded", "username": OWNER, "password_encrypted": secret}
    calendar = add_calendar(db, owner, name="Arbeit", **ours)
    add_calendar(db, owner, name="Privat", takes_calls=False, url="https://cloud.example.org/greta/privat/")
    for title, start, end in (
        ("Zahnarzt", 30, 90),
        ("Mittagessen, danach noch zur Bank", 180, 240),
    ):
        period = Period(MONDAY + timedelta(minutes=start), MONDAY + timedelta(minutes=end))
        ics = f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{period.start:%Y%m%dT%H%M%SZ}\nSUMMARY:{title}\n"
        row = CalendarResource(calendar_id=calendar.id, href=title, etag="1", uid=title, ics=f"{ics}END:VEVENT\n")
        row.busy = Timeline.of([period])
        db.add(row)
    return owner


def _add_calls(db: Session, services: Services, owner: Owner) -> list[Call]:
    wishes = [
        (2, "Kim Aydın", "kim@example.com", "+491701234567", "Es geht um den neuen Katalog.", "Europe/London"),
        (5, "Herr Schmidt", "schmidt@example.org", "+493012345678", "", "Europe/Berlin"),
        (25, "Ирина Петрова", "irina@example.ru", "+79161234567", "", "Europe/Moscow"),
        (
            78,
            "Firma mit einem ausgesprochen langen Namen GmbH & Co. KG",
            "info@example.net",
            "+498912345678",
            "",
            "UTC",
        ),
    ]
    calls = []
    for number, (hours, name, email, phone, note, zone) in enumerate(wishes):
        facts = {"name": name, "email": email, "phone": phone, "note": note, "timezone": zone, "locale": "de"}
        wished = wish(MONDAY + timedelta(hours=hours), request_key=f"greta-{number}", **facts)
        calls.append(book(db, house(services), owner.slug, "erstgespraech", wished, services.now()))
    return calls


def _add_stuck_mail(db: Session, owner: Owner, call: Call) -> None:
    db.flush()
    mails = select(Job).where(Job.owner_id == owner.id, Job.call_id == call.id, Job.kind == "mail")
    job = db.scalars(mails.order_by(Job.number)).first()
    assert job is not None
    job.parked_at, job.attempts, job.error_kind = MONDAY, 3, "MailRefused"
    job.last_error = "the mail server refused the mail: 550 no such user here"
