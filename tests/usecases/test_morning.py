"""The morning mail: what waited in quiet time comes as one mail, half an hour before opening."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from booking import worker
from booking.mail.smtp import MailDelayed, MailUncertain
from booking.rules.hours import Absence, Timetable, parse_weekly
from booking.rules.lifecycle import Actor
from booking.rules.slots import Reason
from booking.services import Services
from booking.store.models import Calendar, Call, Job, Owner
from booking.store.outbox import TAKEN_ALONG
from booking.usecases import messages
from booking.usecases.by_hand import ByHand, enter
from booking.usecases.calls import cancel, move
from booking.usecases.day import waiting_news
from booking.usecases.housekeeping import empty_calls
from booking.usecases.notify import House
from booking.usecases.requests import decide
from booking.usecases.reserve import book
from tests.builders import add_call_type, add_owner, wish
from tests.fakes import MONDAY, Clock, MailBox
from tests.mail.facts import html_of, text_of
from tests.usecases.conftest import Book

EVENING = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
"""8:30 in Berlin, half an hour before opening on Tuesday."""
OPENING = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
OWNER = "anna@example.org"


def work(services: Services) -> None:
    with services.database.writing() as db:  # no calendar is read here: it stays known all the time
        db.execute(update(Calendar).values(read_at=services.now(), next_read_at=services.now() + timedelta(days=99)))
    while worker.run_job(services) or worker.plan_mornings(services):
        pass


def work_until(services: Services, clock: Clock, until: datetime) -> None:
    """Let the worker live on to this moment, and do what is due there too."""
    while True:
        work(services)
        with services.database.reading() as db:
            is_open = Job.done_at.is_(None) & Job.parked_at.is_(None)
            due = db.scalar(select(func.min(Job.not_before)).where(is_open, Job.not_before > clock.time))
        if clock.time == until:
            break
        clock.time = until if due is None else min(due, until)


def set_hours(services: Services, **changes: object) -> None:
    with services.database.writing() as db:
        owner = db.scalars(select(Owner)).one()
        owner.timetable = replace(owner.timetable, **changes)  # type: ignore[arg-type]


def client_cancels(services: Services, house: House, call: Call) -> None:
    with services.database.writing() as db:
        cancel(db, call.id, Actor.CLIENT, services.now(), house)


def jobs(services: Services, *where: object) -> list[Job]:
    with services.database.reading() as db:
        return list(db.scalars(select(Job).where(*where).order_by(Job.number)))  # type: ignore[arg-type]


def enter_by_hand(services: Services, house: House, start: datetime, key: str = "hand", **more: object) -> Call:
    waived = ByHand(tuple(Reason))
    with services.database.writing() as db:
        return enter(db, house, "anna", "call", wish(start, request_key=key, **more), services.now(), waived)


@pytest.fixture(autouse=True)
def planned(services: Services) -> None:
    """The worker has been there before: the next morning mail is planned."""
    work(services)


def test_three_bookings_and_a_cancellation_of_one_night_are_one_mail_half_an_hour_before_opening(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    known = book_one(wish(NOON + timedelta(days=2, hours=3), name="Lee", email="lee@example.com"))
    work(services)
    mailbox.sent.clear()
    for number in range(3):
        clock.time = EVENING + number * HOUR
        book_one(wish(NOON + number * HOUR + 2 * HOUR, name=f"Kim{number}", request_key=f"{number}"))
    client_cancels(services, house, known)
    work_until(services, clock, MORNING - MINUTE)
    assert mailbox.to(OWNER) == []
    work_until(services, clock, MORNING)
    (mail,) = mailbox.to(OWNER)
    assert mail["Subject"] == "Your day: Tuesday, 24 November"
    for text in (text_of(mail), html_of(mail)):
        assert all(f"New: Kim{number}, Tue 24 Nov" in text for number in range(3))
        assert "Cancelled: Lee, Thu 26 Nov, 15:00" in text
        assert "+49 170 1234567" in text
    work_until(services, clock, OPENING + HOUR)
    assert len(mailbox.to(OWNER)) == 1


def test_what_comes_after_the_morning_mail_comes_at_opening(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR))
    work_until(services, clock, MORNING + 10 * MINUTE)
    book_one(wish(NOON + 3 * HOUR, request_key="2"))
    work_until(services, clock, OPENING - MINUTE)
    assert len(mailbox.to(OWNER)) == 1
    work_until(services, clock, OPENING)
    assert str(mailbox.to(OWNER)[1]["Subject"]).startswith("New call")


def test_in_the_midday_gap_notices_wait_for_the_next_opening(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = datetime(2026, 11, 23, 11, 20, tzinfo=UTC)
    book_one(wish(NOON + 2 * HOUR))
    work_until(services, clock, datetime(2026, 11, 23, 11, 59, tzinfo=UTC))
    assert mailbox.to(OWNER) == []
    work_until(services, clock, datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    assert len(mailbox.to(OWNER)) == 1


def test_an_absence_of_two_weeks_ends_with_one_mail(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    set_hours(services, absences=(Absence(date(2026, 11, 24), date(2026, 12, 7)),))
    first = datetime(2026, 12, 9, 8, 0, tzinfo=UTC)
    clock.time = EVENING
    calls = []
    for number in range(5):
        start = first + timedelta(days=number % 2, hours=number // 2)
        calls.append(book_one(wish(start, request_key=f"{number}")))
        work_until(services, clock, clock.time + timedelta(days=1))
    client_cancels(services, house, calls[0])
    work_until(services, clock, datetime(2026, 12, 8, 7, 29, tzinfo=UTC))
    assert mailbox.to(OWNER) == []
    work_until(services, clock, datetime(2026, 12, 8, 17, 0, tzinfo=UTC))
    (mail,) = mailbox.to(OWNER)
    assert text_of(mail).count("New: ") == 4
    assert text_of(mail).count("Cancelled: ") == 1


def test_a_change_to_a_call_that_begins_before_the_owner_would_hear_of_it_comes_at_once(
    services: Services, house: House, clock: Clock, mailbox: MailBox
) -> None:
    clock.time = EVENING
    call = enter_by_hand(services, house, datetime(2026, 11, 24, 7, 0, tzinfo=UTC))
    clock.time = datetime(2026, 11, 24, 5, 50, tzinfo=UTC)
    work(services)
    client_cancels(services, house, call)
    work(services)
    (mail,) = mailbox.to(OWNER)
    assert str(mail["Subject"]).startswith("Call cancelled")


def test_hours_that_begin_earlier_over_night_bring_the_morning_mail_earlier(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR))
    work(services)
    set_hours(services, weekly=parse_weekly("mon-fri 07:00-17:00"))
    work_until(services, clock, MORNING - 2 * HOUR - MINUTE)
    assert mailbox.to(OWNER) == []
    work_until(services, clock, MORNING - 2 * HOUR)
    assert len(mailbox.to(OWNER)) == 1
    work_until(services, clock, OPENING)
    assert len(mailbox.to(OWNER)) == 1


def test_a_day_that_is_closed_over_night_brings_its_news_on_the_next_one(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + timedelta(days=1, hours=2)))
    work(services)
    set_hours(services, overrides={date(2026, 11, 24): ()})
    work_until(services, clock, MORNING + timedelta(days=1) - MINUTE)
    assert mailbox.to(OWNER) == []
    work_until(services, clock, MORNING + timedelta(days=1))
    assert len(mailbox.to(OWNER)) == 1


def test_an_owner_who_opens_again_in_the_evening_hears_at_once_what_has_waited(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR))
    work(services)
    set_hours(services, overrides={date(2026, 11, 23): parse_weekly("mon 09:00-22:00")[0]})
    work(services)
    assert len(mailbox.to(OWNER)) == 1


def test_without_a_call_and_without_news_there_is_no_mail(services: Services, clock: Clock, mailbox: MailBox) -> None:
    work_until(services, clock, OPENING + timedelta(days=3))
    assert mailbox.sent == []


def test_a_day_with_a_call_has_its_mail_though_nothing_waited(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    book_one(wish(NOON + 2 * HOUR, note="About a text."))
    work(services)
    mailbox.sent.clear()
    work_until(services, clock, MORNING)
    (mail,) = mailbox.to(OWNER)
    for words in ("14:00–14:30: you call.", "Ask for: Kim", "First call", "About a text."):
        assert words in text_of(mail)
    assert "has changed" not in text_of(mail)


def test_under_neutral_discretion_the_mail_carries_times_and_the_link_to_the_desk_only(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    with services.database.writing() as db:
        db.execute(update(Owner).values(discretion="neutral"))
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR, note="About a text."))
    client_cancels(services, house, book_one(wish(NOON + 4 * HOUR, request_key="2")))
    work_until(services, clock, MORNING)
    (mail,) = mailbox.to(OWNER)
    for text in (text_of(mail), html_of(mail)):
        assert "14:00–14:30" in text
        assert "Cancelled: Tue 24 Nov, 16:00" in text
        for secret in ("Kim", "kim@", "170", "First call", "About", "/desk/calls"):
            assert secret not in text
        assert "https://calls.example.org/desk" in text


def test_a_request_that_is_not_answered_yet_is_told_with_its_deadline(
    services: Services, house: House, clock: Clock, mailbox: MailBox
) -> None:
    clock.time = EVENING
    with services.database.writing() as db:
        call = book(db, house, "anna", "call", wish(NOON + timedelta(days=1, hours=1)), services.now(), in_doubt=True)
        db.execute(update(Job).where(Job.kind == "decide").values(not_before=MORNING + timedelta(days=9)))
    work_until(services, clock, MORNING)
    (mail,) = mailbox.to(OWNER)
    assert "Kim: Wed 25 Nov, 13:00. Answer by Tue 24 Nov, 17:00." in text_of(mail)
    with services.database.writing() as db:
        assert decide(db, house, call.id, clock.time)


def test_messages_that_can_not_leave_are_told(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    book_one(wish(NOON + timedelta(days=3)))
    work(services)
    with services.database.writing() as db:
        to_client = Job.group.endswith(".client")
        db.execute(
            update(Job).where(to_client).values(done_at=None, parked_at=services.now(), error_kind="MailRefused")
        )
    work_until(services, clock, MORNING)
    assert "1 message can't leave: https://calls.example.org/desk/messages?which=stuck" in text_of(mailbox.sent[-1])


def test_a_client_who_is_forgotten_meanwhile_is_not_named(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    gone = book_one(wish(NOON + timedelta(days=1, hours=2), name="Lee"))
    book_one(wish(NOON + 2 * HOUR, request_key="2"))
    work(services)
    clock.time = MORNING
    while worker.run_job(services, kinds=("morning",)):
        pass
    with services.database.writing() as db:
        empty_calls(db, [gone.id])
    work(services)
    (mail,) = mailbox.to(OWNER)
    assert "Kim" in text_of(mail)
    assert "Lee" not in text_of(mail)


def test_a_morning_mail_that_can_not_leave_all_day_goes_up_in_the_next_one(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + timedelta(days=1, hours=2)))
    work(services)
    clock.time = MORNING
    mailbox.failing = [MailDelayed("451 later")] * 99
    work_until(services, clock, datetime(2026, 11, 24, 15, 50, tzinfo=UTC))
    with services.database.reading() as db:
        assert [facts["message"] for facts in waiting_news(db, db.scalars(select(Owner)).one(), clock.time)] == [
            "booked"
        ]
    clock.time = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    book_one(wish(NOON + timedelta(days=2, hours=2), request_key="2"))
    mailbox.failing = []
    mailbox.sent.clear()
    work_until(services, clock, MORNING + timedelta(days=1) - MINUTE)
    assert mailbox.to(OWNER) == []
    work_until(services, clock, MORNING + timedelta(days=2) - HOUR)
    (mail,) = mailbox.to(OWNER)
    assert mail["Subject"] == "Your day: Wednesday, 25 November"
    assert text_of(mail).count("New: ") == 2


def test_a_morning_mail_that_may_have_left_is_sent_again_as_the_same_one(
    services: Services, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR))
    work(services)
    mailbox.failing = [MailUncertain("cut after DATA")]
    work_until(services, clock, MORNING)
    assert mailbox.to(OWNER) == []
    work_until(services, clock, OPENING)
    (mail,) = mailbox.to(OWNER)
    assert "Kim" in text_of(mail)
    (job,) = jobs(services, Job.group.startswith("morning.mail"))
    assert mail["Message-ID"] == f"<{job.id}@calls.example.org>"


def test_a_worker_that_slept_through_the_morning_tells_it_late_but_as_one_mail(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    clock.time = EVENING
    client_cancels(services, house, book_one(wish(NOON + 2 * HOUR)))
    book_one(wish(NOON + 3 * HOUR, request_key="2"))
    clock.time = OPENING + HOUR
    work(services)
    assert len(mailbox.to(OWNER)) == 1


def test_several_workers_tell_a_night_once(services: Services, clock: Clock, mailbox: MailBox, book_one: Book) -> None:
    clock.time = EVENING
    for number in range(3):
        book_one(wish(NOON + (number + 1) * HOUR + HOUR, request_key=f"{number}"))
    work(services)
    mailbox.sent.clear()
    with services.database.writing() as db:
        db.execute(update(Job).where(Job.kind == "morning").values(payload={"told": "2026-11-23", "hours": "changed"}))
    for moment in (MORNING, OPENING):
        clock.time = moment
        start = threading.Barrier(4)

        def run(start: threading.Barrier = start) -> None:
            start.wait()
            while worker.plan_mornings(services) or worker.run_job(services, kinds=("mail", "morning")):
                pass

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(mailbox.to(OWNER)) == 1
    assert len(jobs(services, Job.kind == "morning")) == 1


def test_what_a_morning_mail_tells_counts_as_told_and_can_be_read_at_the_desk(
    services: Services, house: House, clock: Clock, book_one: Book
) -> None:
    clock.time = EVENING
    call = book_one(wish(NOON + 2 * HOUR))
    work_until(services, clock, MORNING)
    (notice,) = jobs(services, Job.group == f"{call.id}.owner")
    assert (notice.done_at, notice.last_error) == (MORNING, TAKEN_ALONG)
    (mail,) = jobs(services, Job.group.startswith("morning.mail"))
    with services.database.reading() as db:
        facts = messages.facts_of(db, house, mail)
        assert waiting_news(db, db.scalars(select(Owner)).one(), clock.time) == []
    assert facts is not None
    assert facts.message == "morning"


def test_every_owner_has_a_morning_of_their_own(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    with services.database.writing() as db:
        bert = add_owner(db, "bert", hours="tue 10:00-17:00", timezone="America/New_York", locale="de")
        add_call_type(db, bert)
        db.add(add_owner(db, "never", hours="mon-sun closed"))
    clock.time = EVENING
    book_one(wish(NOON + 2 * HOUR))
    with services.database.writing() as db:
        start = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
        book(db, house, "bert", "call", wish(start), services.now())
    work_until(services, clock, MORNING)
    assert [str(mail["To"]) for mail in mailbox.sent if "example.org" in str(mail["To"])] == [OWNER]
    work_until(services, clock, datetime(2026, 11, 24, 14, 30, tzinfo=UTC))
    assert mailbox.to("bert@example.org")[0]["Subject"] == "Ihr Tag: Dienstag, 24. November"
    assert len(mailbox.to("bert@example.org")) == 1


def test_an_owner_is_reminded_of_a_call_out_of_hours_an_hour_before(
    services: Services, house: House, clock: Clock, mailbox: MailBox
) -> None:
    start = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    call = enter_by_hand(services, house, start)
    work_until(services, clock, start - HOUR - MINUTE)
    mailbox.sent.clear()
    work_until(services, clock, start - HOUR)
    (mail,) = mailbox.to(OWNER)
    assert mail["Subject"] == "Reminder: call on Tue 24 Nov, 19:00"
    assert "You call on Tuesday, 24 November 2026, at 19:00" in text_of(mail)
    assert f"/desk/calls/{call.id}" in text_of(mail)


def test_an_owner_is_not_reminded_of_a_call_that_was_moved_into_hours_nor_when_hours_reach_it(
    services: Services, house: House, clock: Clock, mailbox: MailBox
) -> None:
    late = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    moved = enter_by_hand(services, house, late)
    enter_by_hand(services, house, late + timedelta(days=1), "reached", email="lee@example.com")
    with services.database.writing() as db:
        move(db, moved.id, NOON + 3 * HOUR, Actor.OWNER, services.now(), house, by_hand=ByHand(tuple(Reason)))
    set_hours(services, overrides={date(2026, 11, 25): parse_weekly("mon 09:00-22:00")[0]})
    work_until(services, clock, late + timedelta(days=2))
    assert [str(mail["Subject"]) for mail in mailbox.to(OWNER) if "Reminder" in str(mail["Subject"])] == []


def test_an_owner_without_hours_hears_everything_at_once(
    services: Services, house: House, clock: Clock, mailbox: MailBox, book_one: Book
) -> None:
    call = book_one(wish(NOON + 2 * HOUR))
    work(services)
    set_hours(services, weekly=Timetable().weekly)
    clock.time = EVENING
    work(services)
    client_cancels(services, house, call)
    work(services)
    assert len(mailbox.to(OWNER)) == 2
    assert jobs(services, Job.kind == "morning")[0].not_before > MONDAY
