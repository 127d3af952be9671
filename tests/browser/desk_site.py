"""Greta's desk, furnished: calls, events with titles, something to tell by phone, a mail that is stuck."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.rules.hours import Absence, Timetable, parse_windows
from booking.rules.period import Period, Timeline
from booking.services import Services
from booking.store.accounts import PhoneTask
from booking.store.models import CalendarResource, Call, Job, Owner
from booking.usecases.door import open_session
from booking.usecases.reserve import book
from booking.web.reserving import house
from tests.builders import HOURS, add_calendar, add_call_type, add_owner, wish
from tests.fakes import MONDAY

OWNER = "greta"


def furnish(services: Services) -> dict[str, str]:
    """Add Greta with everything a desk can show; return the places of the tour, and a session that is logged in."""
    with services.database.writing() as db:
        owner = _add_owner(db)
        calls = _add_calls(db, services, owner)
        db.add(PhoneTask(owner_id=owner.id, call_id=calls[1].id, message="moved", created_at=MONDAY))
        _add_stuck_mail(db, owner, calls[0])
        session = services.token()
        open_session(db, owner.id, session, services.token(), services.now(), browser="Firefox, Linux")
    return {"session": session, "call": calls[0].id}


def _add_owner(db: Session) -> Owner:
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
    calendar = add_calendar(db, owner, name="Arbeit")
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
