"""Telling clients of an absence: who is told, once each, in their language; and what becomes of it later."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import worker
from booking.errors import NotFound
from booking.rules.hours import Absence
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.store.models import Calendar, Call, CallType, Job, Owner
from booking.store.outbox import DROPPED
from booking.store.owner_lock import lock_owner
from booking.usecases import away, hours, messages, privacy
from booking.usecases.calls import cancel
from booking.usecases.clients import block
from booking.usecases.housekeeping import forget
from booking.usecases.notify import House
from booking.usecases.stuck import count_stuck
from tests.builders import wish
from tests.fakes import Clock, MailBox
from tests.usecases.conftest import Book

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 4)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def absence(services: Services) -> None:
    """Anna is away in the first days of December."""
    with services.database.writing() as db:
        hours.add_absence(db, "anna", FIRST, LAST, "In the mountains.", "Bert Beispiel\n+49 30 5550123")


def booked(book_one: Book, name: str, number: int, **values: Any) -> Call:
    facts = {"name": name, "email": f"{name.lower()}@example.com", "phone": "", "request_key": name}
    return book_one(wish(TUESDAY + number * HOUR, **{**facts, **values}))


def announce(services: Services, house: House, words: str = "", first: date = FIRST) -> int:
    with services.database.writing() as db:
        owner = db.get_one(Owner, lock_owner(db, slug="anna"))
        return away.announce(db, house, owner, first, words, services.now())


def mails(db: Session) -> list[Job]:
    return [job for job in db.scalars(select(Job).order_by(Job.number)) if away.is_about_absence(job)]


def told(services: Services) -> list[str]:
    with services.database.reading() as db:
        return [job.payload["recipient"] for job in mails(db)]


def change_days(services: Services, first: date, last: date) -> None:
    with services.database.writing() as db:
        owner = db.get_one(Owner, lock_owner(db, slug="anna"))
        old = owner.timetable.absences[0]
        new = Absence(first, last, old.notice, old.stand_in, old.announced)
        owner.timetable = hours.with_absence(owner.timetable, new, instead_of=old)


def work(services: Services) -> None:
    while worker.run_job(services):
        pass


# Who


def test_each_person_is_told_once_however_the_address_is_written(
    services: Services, house: House, book_one: Book
) -> None:
    booked(book_one, "Kim", 0)
    booked(book_one, "Kim again", 2, email="KIM@Example.com")
    booked(book_one, "Lou", 4)
    assert announce(services, house) == 2
    assert sorted(map(str.lower, told(services))) == ["kim@example.com", "lou@example.com"]


def test_a_call_of_the_last_90_days_counts_and_an_older_one_does_not(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    call = booked(book_one, "Kim", 0)
    clock.time = call.ends_at + 90 * DAY - HOUR
    with services.database.reading() as db:
        owner = db.scalars(select(Owner)).one()
        assert len(away.people(db, owner, Absence(FIRST, LAST), clock())) == 1
        assert away.people(db, owner, Absence(FIRST, LAST), clock() + HOUR) == []


def test_nobody_who_is_blocked_or_cancelled_or_gave_no_address_is_told(
    services: Services, house: House, book_one: Book
) -> None:
    kim = booked(book_one, "Kim", 0, phone="+491701234567")
    booked(book_one, "Kim elsewhere", 2, email="other@example.com", phone="+491701234567")
    lou, nameless = booked(book_one, "Lou", 4), booked(book_one, "Nameless", 5)
    with services.database.writing() as db:
        block(db, kim, services.now())
        cancel(db, lou.id, Actor.OWNER, services.now(), house)
        db.execute(update(Call).where(Call.id == nameless.id).values(email=""))
    assert announce(services, house) == 0
    with services.database.reading() as db:
        assert db.scalars(select(Owner)).one().timetable.absences[0].announced == (), "then it can be told later"


def test_an_address_that_was_only_typed_into_a_request_is_not_written_to(
    services: Services, house: House, book_one: Book
) -> None:
    typed, proved = booked(book_one, "Kim", 0), booked(book_one, "Lou", 2)
    with services.database.writing() as db:
        db.execute(update(Call).where(Call.id.in_([typed.id, proved.id])).values(state="requested"))
        db.execute(update(Call).where(Call.id == proved.id).values(address_proved_at=services.now()))
    announce(services, house)
    assert told(services) == ["lou@example.com"]


def test_whoever_is_erased_is_not_told_and_what_they_were_told_is_forgotten(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    booked(book_one, "Kim", 0)
    booked(book_one, "Lou", 2)
    announce(services, house)
    clock.advance(2 * DAY)
    with services.database.writing() as db:
        assert len([job for job in privacy.export(db, "anna", "KIM@example.com").mails if job.call_id is None]) == 1
        privacy.erase(db, "anna", "kim@example.com", clock(), house)
    assert told(services) == ["lou@example.com"]
    with services.database.reading() as db:
        assert "kim@" not in str([job.payload for job in db.scalars(select(Job))])
        emptied = db.scalars(select(Job).where(Job.group == "away")).one()
        assert messages.is_pointless(db, emptied, clock())


def test_what_is_never_sent_is_forgotten_with_the_last_call(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    booked(book_one, "Kim", 0)
    announce(services, house)
    with services.database.writing() as db:
        db.execute(update(Job).values(parked_at=services.now()))
        db.execute(update(Owner).values(retention_days=3))
    clock.advance(10 * DAY)
    for _ in range(2):
        with services.database.writing() as db:
            forget(db, clock())
    assert told(services) == []


# What


def test_everybody_reads_it_in_their_own_language_and_zone_with_free_times_around(
    services: Services, house: House, book_one: Book, mailbox: MailBox, clock: Clock
) -> None:
    booked(book_one, "Kim", 0, locale="de", timezone="Europe/London")
    announce(services, house, "Es gibt Schnee.")
    work(services)
    mail = next(each for each in mailbox.sent if "Abwesend" in each["Subject"])
    assert mail["Subject"] == "Abwesend von Dienstag, 1. Dezember, bis Freitag, 4. Dezember"
    assert (mail["To"], mail["Reply-To"]) == ("kim@example.com", "anna@example.org")
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    for words in (
        "Ab Montag, 7. Dezember, bin ich wieder da.",
        "Es gibt Schnee.",
        "Bert Beispiel +49 30 5550123",
        "Ortszeit London",
        "Montag, 30. November, 15:15",
        "Montag, 30. November, 15:30",
        "Montag, 7. Dezember, 8:00",
        "https://calls.example.org/anna/call/book?start=2026-12-07T08:00:00Z&tz=Europe/London&lang=de",
        "Was wir vereinbart haben, bleibt bestehen.",
    ):
        assert words in text, words


def test_under_neutral_discretion_neither_topic_nor_trade_nor_stand_in_leaves(
    services: Services, house: House, book_one: Book, mailbox: MailBox
) -> None:
    booked(book_one, "Kim", 0)
    with services.database.writing() as db:
        db.execute(update(Owner).values(discretion="neutral", signature="Anna, therapist"))
        db.execute(update(CallType).values(name="Crisis", slug="crisis"))
    announce(services, house)
    work(services)
    said = str(next(each for each in mailbox.sent if "Away" in each["Subject"]))
    for secret in ("Anna", "therapist", "risis", "mountains", "Bert"):
        assert secret not in said
    assert "https://calls.example.org/anna?lang=3Den" in said


def test_a_call_within_the_absence_is_not_said_to_stand(services: Services, house: House, book_one: Book) -> None:
    booked(book_one, "Kim", 0)
    call = booked(book_one, "Lou", 4)
    within = {"starts_at": TUESDAY + 7 * DAY, "ends_at": TUESDAY + 7 * DAY + HOUR}
    with services.database.writing() as db:
        db.execute(update(Call).where(Call.id == call.id).values(**within))
    announce(services, house)
    with services.database.reading() as db:
        assert {job.payload["client_name"]: job.payload["has_call"] for job in mails(db)} == {"Kim": True, "Lou": False}


def test_during_the_absence_only_what_comes_after_is_offered(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    booked(book_one, "Kim", 0)
    clock.time = datetime(2026, 12, 1, 9, tzinfo=UTC)
    with services.database.writing() as db:
        db.execute(update(Calendar).values(read_at=clock()))
    announce(services, house)
    with services.database.reading() as db:
        payload = mails(db)[0].payload
    assert payload["before"] == []
    assert payload["after"] == ["2026-12-07T09:00:00+00:00"], "an hour of notice, in working time"


def test_while_a_calendar_is_silent_no_times_are_promised(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    booked(book_one, "Kim", 0)
    clock.advance(timedelta(minutes=30))
    announce(services, house)
    with services.database.reading() as db:
        assert (mails(db)[0].payload["before"], mails(db)[0].payload["after"]) == ([], [])


def test_the_mails_leave_apart_and_in_nobody_s_night(
    services: Services, house: House, book_one: Book, clock: Clock
) -> None:
    booked(book_one, "Kim", 0)
    booked(book_one, "Lou", 2)
    booked(book_one, "Far", 4, timezone="America/Vancouver")
    announce(services, house)
    with services.database.reading() as db:
        leaves = {job.payload["client_name"]: job.not_before for job in mails(db)}
    assert leaves["Far"] == datetime(2026, 11, 23, 15, tzinfo=UTC), "7:00 in Vancouver"
    assert {leaves["Kim"], leaves["Lou"]} == {clock() + away.APART, clock() + 2 * away.APART}


# Once


def test_the_same_days_are_told_once_and_changed_days_once_more(
    services: Services, house: House, book_one: Book
) -> None:
    booked(book_one, "Kim", 0)
    assert announce(services, house) == 1
    work(services)
    with pytest.raises(away.ToldAlready):
        announce(services, house)
    change_days(services, FIRST, LAST + DAY)
    assert announce(services, house) == 1
    with pytest.raises(away.ToldAlready):
        announce(services, house)
    with services.database.reading() as db:
        assert [(job.payload["last"], job.payload["is_update"]) for job in mails(db)] == [
            ("2026-12-04", False),
            ("2026-12-05", True),
        ]


def test_an_absence_removed_and_planned_anew_is_told_to_nobody_twice(
    services: Services, house: House, book_one: Book
) -> None:
    booked(book_one, "Kim", 0)
    announce(services, house)
    work(services)
    with services.database.writing() as db:
        hours.remove_absence(db, "anna", FIRST)
        hours.add_absence(db, "anna", FIRST, LAST, "")
    booked(book_one, "Lou", 2)
    assert announce(services, house) == 1
    assert told(services) == ["kim@example.com", "lou@example.com"]


def test_the_same_days_planned_over_are_still_told(services: Services, house: House, book_one: Book) -> None:
    booked(book_one, "Kim", 0)
    announce(services, house)
    with services.database.writing() as db:
        owner = hours.add_absence(db, "anna", FIRST, LAST, "Another notice")
        (kept,) = owner.timetable.absences
    assert (kept.notice, kept.announced) == ("Another notice", (FIRST, LAST))


def test_days_that_changed_before_a_mail_left_are_told_as_if_they_had_always_been(
    services: Services, house: House, book_one: Book, mailbox: MailBox
) -> None:
    booked(book_one, "Kim", 0)
    announce(services, house)
    change_days(services, FIRST, LAST + DAY)
    announce(services, house)
    work(services)
    with services.database.reading() as db:
        first, second = mails(db)
    assert first.last_error == DROPPED
    assert not second.payload["is_update"]
    assert [each["Subject"] for each in mailbox.sent if "way" in each["Subject"]] == [
        "Away from Tuesday, 1 December to Saturday, 5 December"
    ]


@pytest.mark.parametrize("how", ["removed", "over", "blocked"])
def test_what_waits_is_not_sent_once_it_is_untrue_or_unwanted(
    services: Services, house: House, book_one: Book, mailbox: MailBox, clock: Clock, how: str
) -> None:
    call = booked(book_one, "Kim", 0)
    announce(services, house)
    with services.database.writing() as db:
        if how == "removed":
            hours.remove_absence(db, "anna", FIRST)
        elif how == "blocked":
            block(db, call, clock())
        else:
            clock.time = datetime(2026, 12, 4, 23, tzinfo=UTC)
    work(services)
    assert not [each for each in mailbox.sent if "Away" in each["Subject"]]


def test_of_two_who_press_the_button_at_once_one_tells(services: Services, house: House, book_one: Book) -> None:
    for number in range(3):
        booked(book_one, f"Kim{number}", number * 2)
    gate = Barrier(2)

    def press() -> int:
        gate.wait(timeout=30)
        try:
            return announce(services, house)
        except away.ToldAlready:
            return 0

    with ThreadPoolExecutor(2) as both:
        answers = [both.submit(press) for _ in range(2)]
        assert sorted(answer.result(timeout=60) for answer in answers) == [0, 3]
    assert len(told(services)) == 3


def test_an_absence_that_is_not_there_or_over_is_not_told(services: Services, house: House, clock: Clock) -> None:
    with pytest.raises(NotFound):
        announce(services, house, first=LAST)
    clock.time = datetime(2026, 12, 4, 23, tzinfo=UTC)
    with pytest.raises(away.ToldAlready):
        announce(services, house)


# Around it


def test_a_stuck_mail_about_no_call_is_counted_and_can_be_tried_again(
    services: Services, house: House, book_one: Book
) -> None:
    booked(book_one, "Kim", 0)
    announce(services, house)
    with services.database.writing() as db:
        refused = {"parked_at": services.now(), "error_kind": "MailRefused"}
        db.execute(update(Job).where(Job.group.startswith("away")).values(**refused))
    with services.database.writing() as db:
        owner = db.scalars(select(Owner)).one()
        assert count_stuck(db, owner, services.now()) == 1
        found = messages.find_message(db, owner, mails(db)[0].id)
        assert found is not None
        assert not messages.can_be_told_by_phone(found, services.now())
        messages.retry(db, found, services.now())
    with services.database.reading() as db:
        assert mails(db)[0].parked_at is None


def test_a_call_type_that_can_t_be_booked_any_more_has_no_times_around(
    services: Services, house: House, book_one: Book
) -> None:
    booked(book_one, "Kim", 0)
    with services.database.writing() as db:
        db.execute(update(CallType).values(visibility="hidden"))
    assert announce(services, house) == 1
    with services.database.reading() as db:
        (job,) = mails(db)
        assert "start=" not in str(job.payload)
