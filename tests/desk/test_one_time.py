"""One-time links and the reset by mail: they work once, by a button only, and always."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.jobs import house_of
from booking.services import Services
from booking.store.accounts import WayIn
from booking.store.models import Job, Owner
from booking.usecases import ways_in
from booking.web.guards import redact
from booking.worker import run_job
from tests.desk.deskwork import Desk
from tests.desk.doorwork import (
    ANNA,
    NEW_PASSWORD,
    account,
    code,
    give_password,
    log_in,
    send,
    sessions,
    stranger,
    turn_codes_on,
)
from tests.fakes import Clock, MailBox
from tests.mail.facts import text_of
from tests.web.visitors import Visitor, dump, flipped

BASE = "https://calls.example.org"


def login_link(services: Services, slug: str = "anna") -> str:
    """Return the path of a fresh link."""
    with services.database.writing() as db:
        owner_id = db.scalars(sa.select(Owner.id).where(Owner.slug == slug)).one()
        return ways_in.make_link(db, house_of(services), owner_id, services.now()).removeprefix(BASE)


def ask_reset(visitor: Visitor, email: str = ANNA) -> str:
    """Ask for a mail; return what the page says."""
    answer = send(visitor, visitor.get("/desk/reset"), email=email)
    assert (answer.status_code, answer.location) == (303, "/desk/login")
    return visitor.get("/desk/login").text


def mailed_link(services: Services, mailbox: MailBox, email: str = ANNA) -> str:
    """Let the worker send what waits; return the path of the link in the newest mail."""
    while run_job(services):
        pass
    (link,) = (line for line in text_of(mailbox.to(email)[-1]).splitlines() if line.startswith(BASE))
    return link.removeprefix(BASE)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


# The link of the operator


def test_the_button_behind_a_link_opens_the_desk_once(app: Flask, house: Services, visitor: Visitor) -> None:
    path = login_link(house)
    assert "The desk of Anna Beispiel" in visitor.get(path).text
    answer = send(visitor, visitor.get(path), path)
    assert (answer.status_code, answer.location) == (303, "/desk")
    assert visitor.get("/desk/account").status_code == 200
    other = stranger(app)
    assert other.get(path).status_code == 404
    assert other.post(path).status_code == 404


def test_opening_a_link_changes_nothing_however_often_and_by_whom(app: Flask, house: Services) -> None:
    path = login_link(house)
    before = dump(house)
    for number in range(5):
        for method in ("GET", "HEAD"):
            assert stranger(app, number).open(path, method).status_code == 200
    assert dump(house) == before


def test_of_two_who_press_the_button_at_once_one_comes_in(app: Flask, house: Services) -> None:
    path = login_link(house)
    first, second = Visitor(app), stranger(app)
    forms = [visitor.page(path).post_form.fields for visitor in (first, second)]
    assert first.post(path, data=forms[0]).status_code == 303
    assert second.post(path, data=forms[1]).status_code == 404
    assert len(sessions(house)) == 1


def test_the_button_needs_the_token_of_its_own_page(visitor: Visitor, house: Services) -> None:
    path = login_link(house)
    assert visitor.post(path, data={"csrf_token": "x"}).status_code == 400
    assert send(visitor, visitor.get(path), path).status_code == 303


def test_used_late_and_forged_links_look_alike_and_say_what_to_do(
    app: Flask, house: Services, clock: Clock, visitor: Visitor
) -> None:
    used, late, reset = login_link(house), login_link(house), login_link(house).replace("/in/", "/reset/")
    send(visitor, visitor.get(used), used)
    clock.advance(timedelta(minutes=59))
    assert stranger(app).get(late).status_code == 200
    clock.advance(timedelta(minutes=1))
    foreign = house.signing.seal("way-in.reset", "0" * 32)
    answers = [stranger(app).get(path) for path in (used, late, reset, f"/desk/in/{foreign}", "/desk/in/x")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert "/desk/reset" in answers[0].text
    assert "login-link" in answers[0].text


def test_no_letter_of_a_link_can_be_changed(house: Services) -> None:
    token = login_link(house).rpartition("/")[2]
    assert ways_in.read(house.signing, ways_in.LOGIN, token)
    for other in flipped(token):
        assert ways_in.read(house.signing, ways_in.LOGIN, other) is None, other


def test_nothing_that_is_stored_makes_a_link(house: Services) -> None:
    token = login_link(house).rpartition("/")[2]
    assert token not in str(dump(house))


def test_a_link_opens_the_desk_while_the_password_has_to_wait(app: Flask, house: Services, visitor: Visitor) -> None:
    give_password(house)
    for _ in range(5):
        log_in(visitor, password="wrong password")
    assert log_in(visitor).status_code == 429
    path = login_link(house)
    assert send(visitor, visitor.get(path), path).status_code == 303


# The reset by mail


def test_a_mailed_link_sets_a_new_password_and_ends_every_other_session(
    app: Flask, house: Services, mailbox: MailBox, desk: Desk, visitor: Visitor
) -> None:
    give_password(house)
    log_in(desk)
    ask_reset(visitor)
    path = mailed_link(house, mailbox)
    answer = send(visitor, visitor.get(path), path, password=NEW_PASSWORD)
    assert answer.status_code == 303
    assert visitor.get("/desk/account").status_code == 200
    assert desk.get("/desk/account").status_code == 401
    assert visitor.get(path).status_code == 404
    assert log_in(stranger(app)).status_code == 401
    assert log_in(stranger(app), password=NEW_PASSWORD).status_code == 303


def test_the_mail_leaves_at_once_even_in_quiet_time(
    house: Services, mailbox: MailBox, clock: Clock, app: Flask
) -> None:
    clock.advance(timedelta(hours=14))  # Monday, 23:00
    ask_reset(Visitor(app))
    assert run_job(house)
    assert len(mailbox.to(ANNA)) == 1


def test_known_and_unknown_addresses_get_the_same_answer(app: Flask, house: Services, mailbox: MailBox) -> None:
    known, unknown = ask_reset(Visitor(app)), ask_reset(Visitor(app), "nobody@example.org")
    strip = [text.partition('name="csrf_token"')[0] for text in (known, unknown)]
    assert strip[0] == strip[1]
    assert "a mail is on its way" in known
    while run_job(house):
        pass
    assert [str(mail["To"]) for mail in mailbox.sent] == [ANNA]


def test_at_most_three_mails_an_hour_go_to_one_owner(
    app: Flask, house: Services, mailbox: MailBox, clock: Clock
) -> None:
    for number in range(6):
        assert "a mail is on its way" in ask_reset(stranger(app, number), ANNA.upper())
    mailed_link(house, mailbox)
    assert len(mailbox.sent) == 3
    clock.advance(timedelta(minutes=61))
    ask_reset(Visitor(app))
    mailed_link(house, mailbox)
    assert len(mailbox.sent) == 4


def test_the_outbox_holds_no_link(app: Flask, house: Services, mailbox: MailBox) -> None:
    ask_reset(Visitor(app))
    path = mailed_link(house, mailbox)
    with house.database.reading() as db:
        (way,), (job,) = db.scalars(sa.select(WayIn)).all(), db.scalars(sa.select(Job)).all()
    assert job.payload == {"message": "reset", "to": "owner", "way_in": way.id}
    assert path.rpartition("/")[2] not in str(dump(house))


def test_a_mail_that_could_not_leave_within_the_hour_is_not_sent_any_more(
    app: Flask, house: Services, mailbox: MailBox, clock: Clock
) -> None:
    ask_reset(Visitor(app))
    clock.advance(timedelta(minutes=60))
    while run_job(house):
        pass
    assert mailbox.sent == []


def test_a_guessable_password_is_refused_and_the_link_still_works(
    house: Services, mailbox: MailBox, visitor: Visitor
) -> None:
    ask_reset(visitor)
    path = mailed_link(house, mailbox)
    answer = send(visitor, visitor.get(path), path, password="annabeispiel")
    assert answer.status_code == 422
    assert "easy to guess" in answer.text
    assert "annabeispiel" not in answer.text
    assert send(visitor, visitor.get(path), path, password=NEW_PASSWORD).status_code == 303


def test_a_new_password_makes_the_other_mailed_links_void(
    app: Flask, house: Services, mailbox: MailBox, visitor: Visitor
) -> None:
    ask_reset(visitor)
    first = mailed_link(house, mailbox)
    ask_reset(visitor)
    second = mailed_link(house, mailbox)
    assert first != second
    send(visitor, visitor.get(second), second, password=NEW_PASSWORD)
    assert stranger(app).get(first).status_code == 404


def test_the_mail_alone_does_not_open_a_desk_that_asks_for_codes(
    app: Flask, house: Services, mailbox: MailBox, visitor: Visitor
) -> None:
    turn_codes_on(house, give_password(house))
    ask_reset(visitor)
    path = mailed_link(house, mailbox)
    assert send(visitor, visitor.get(path), path, password=NEW_PASSWORD).location == "/desk/login"
    assert visitor.get("/desk/account").status_code == 401
    assert log_in(visitor, password=NEW_PASSWORD).status_code == 401
    assert log_in(visitor, password=NEW_PASSWORD, code=code(house)).status_code == 303


def test_asking_for_a_mail_changes_neither_password_nor_sessions(desk: Desk, house: Services, visitor: Visitor) -> None:
    give_password(house)
    log_in(desk)
    before = account(house).password_hash
    ask_reset(visitor)
    assert account(house).password_hash == before
    assert desk.get("/desk/account").status_code == 200


def test_the_mail_and_the_page_speak_anna_s_language(app: Flask, house: Services, mailbox: MailBox) -> None:
    with house.database.writing() as db:
        db.execute(sa.update(Owner).where(Owner.slug == "anna").values(locale="de"))
    ask_reset(Visitor(app))
    path = mailed_link(house, mailbox)
    assert "Neues Passwort" in str(mailbox.sent[-1]["Subject"])
    assert "Neues Passwort" in Visitor(app).get(path, headers={"Accept-Language": "ru"}).text


def test_no_log_shows_a_link(house: Services) -> None:
    path = login_link(house)
    for each in (path, path.replace("/in/", "/reset/")):
        assert path.rpartition("/")[2] not in redact(f'"GET {each} HTTP/1.1" 200')
