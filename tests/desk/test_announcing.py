"""Telling clients of an absence from the desk: what is shown before, that a button sends it once, texts to copy."""

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.models import Job, Owner
from booking.usecases import away, hours
from tests.desk.deskwork import Desk
from tests.web.visitors import Visitor, dump, person

ONE = "/desk/absences/2026-12-01"
TELL = f"{ONE}/tell"
PREVIEW = f"{TELL}/preview"
NOTICE = "Bert answers meanwhile."
STAND_IN = "Bert Beispiel\n+49 30 5550123"


@pytest.fixture(autouse=True)
def absence(services: Services, desk: Desk, app: Flask) -> None:
    """Anna is away in the first days of December; three clients have a call before, Bert has one client."""
    with services.database.writing() as db:
        hours.add_absence(db, "anna", date(2026, 12, 1), date(2026, 12, 4), NOTICE, STAND_IN)
    visitor = Visitor(app)
    for number, start in enumerate(visitor.apart(3), start=1):
        visitor.token(start, **person(number))
    visitor.token(visitor.slots("bert")[0], "bert", **person(9))


def letters(services: Services) -> list[Job]:
    with services.database.reading() as db:
        return [job for job in db.scalars(sa.select(Job).order_by(Job.number)) if away.is_about_absence(job)]


def test_before_anything_is_sent_the_owner_sees_to_whom_and_what(desk: Desk, services: Services) -> None:
    before = dump(services)
    text = desk.read(TELL)
    assert "3 people get a mail." in text
    assert "Send 3 mails" in text
    assert "kim1@example.com" in text
    assert "kim9@example.com" not in text, "Bert's"
    for words in (
        "Away from Tuesday, 1 December to Friday, 4 December",
        "Abwesend von Dienstag, 1. Dezember, bis Freitag, 4. Dezember",
        "Не работаю: вторник, 1 декабря — пятница, 4 декабря",
        NOTICE,
        "Bert Beispiel +49 30 5550123",
    ):
        assert words in text, words
    assert dump(services) == before


def test_the_sentence_can_be_changed_and_looked_at_without_sending(desk: Desk, services: Services) -> None:
    before = dump(services)
    form = desk.form(TELL)
    assert form.fields["words"] == NOTICE
    answer = desk.post(PREVIEW, data={**form.fields, "words": "See you in December."})
    assert answer.status_code == 200
    assert answer.text.count("See you in December.") == 4, "in the field and in three mails"
    assert dump(services) == before


def test_the_button_writes_one_mail_each_and_says_how_many(desk: Desk, services: Services) -> None:
    answer = desk.send(TELL, TELL, words="See you in December.")
    assert answer.status_code == 303
    text = desk.get(answer.location).text
    assert "3 mails leave in the next minutes." in text
    assert "Your clients were told of these days by mail." in text
    assert {job.payload["notice"] for job in letters(services)} == {"See you in December."}
    assert len(letters(services)) == 3
    listed = desk.read("/desk/messages")
    assert listed.count("Away from Tuesday, 1 December to Friday, 4 December") == 3
    shown = desk.read(f"/desk/messages/{letters(services)[0].id}")
    assert "Kim 1 (kim1@example.com)" in shown or "Kim 3 (kim3@example.com)" in shown
    assert "See you in December." in shown


def test_pressing_twice_sends_once(desk: Desk, services: Services) -> None:
    form = desk.form(TELL)
    assert desk.post(TELL, data=form.fields).status_code == 303
    answer = desk.post(TELL, data=form.fields)
    assert answer.status_code == 303
    assert "Your clients have been told of these days already." in desk.get(answer.location).text
    assert "have been told of these days already" in desk.read(TELL)
    assert len(letters(services)) == 3


def test_changed_days_can_be_told_once_more(desk: Desk, services: Services) -> None:
    desk.send(TELL, TELL)
    assert "Look at the mail and who gets it" not in desk.read(ONE)
    desk.send(ONE, ONE, last="2026-12-05")
    text = desk.read(ONE)
    assert "By mail, clients were told of other days: Tuesday, 1 December to Friday, 4 December." in text
    assert "Changed: away from Tuesday, 1 December to Saturday, 5 December" in desk.read(TELL)
    desk.send(TELL, TELL)
    assert len(letters(services)) == 6
    assert "Told by mail: Tuesday, 1 December to Saturday, 5 December." in desk.read("/desk/absences")


def test_changing_only_the_notice_is_no_reason_to_write_again(desk: Desk, services: Services) -> None:
    desk.send(TELL, TELL)
    desk.send(ONE, ONE, notice="Other words")
    assert "Your clients were told of these days by mail." in desk.read(ONE)
    assert "Clients were told of it by mail. If you remove it, nobody is told so by itself." in desk.read(ONE)


def test_an_absence_changed_meanwhile_is_shown_before_it_is_told(desk: Desk, services: Services) -> None:
    form = desk.form(TELL)
    desk.send(ONE, ONE, last="2026-12-05")
    answer = desk.post(TELL, data={**form.fields, "words": "Mine"})
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert "Saturday, 5 December" in answer.text
    assert letters(services) == []


@pytest.mark.parametrize("path", [TELL, PREVIEW])
def test_without_proof_nothing_is_sent_and_nothing_typed_is_lost(desk: Desk, services: Services, path: str) -> None:
    before = dump(services)
    answer = desk.post(path, data={"words": "Mine", "csrf_token": "x"})
    assert answer.status_code == 400
    assert 'value="Mine"' in answer.text
    assert dump(services) == before


@pytest.mark.parametrize("path", [TELL, PREVIEW])
def test_a_sentence_that_is_too_long_is_named_and_kept(desk: Desk, services: Services, path: str) -> None:
    form = desk.form(TELL)
    answer = desk.post(path, data={**form.fields, "words": "a" * 401})
    assert answer.status_code == 422
    assert "Shorten this to 400 characters." in answer.text
    assert "a" * 401 in answer.text
    assert letters(services) == []


def test_an_absence_of_somebody_else_can_t_be_told(desk: Desk, berts_desk: Desk, services: Services) -> None:
    form = desk.form(TELL)
    before = dump(services)
    assert berts_desk.get(TELL).status_code == 404
    assert berts_desk.post(TELL, data=form.fields).status_code == 404
    assert berts_desk.post(PREVIEW, data=form.fields).status_code == 404
    assert desk.get("/desk/absences/2026-12-02/tell").status_code == 404
    assert dump(services) == before


def test_further_fields_change_neither_who_is_told_nor_what(desk: Desk, services: Services) -> None:
    desk.send(TELL, TELL, recipient="eve@example.com", stand_in="Eve", last="2027-01-01", owner_id="2")
    assert {job.payload["last"] for job in letters(services)} == {"2026-12-04"}
    assert "eve" not in str([job.payload for job in letters(services)]).lower().replace("everybody", "")


def test_where_there_is_nobody_to_tell_there_is_no_button(berts_desk: Desk, services: Services, desk: Desk) -> None:
    with services.database.writing() as db:
        hours.add_absence(db, "bert", date(2026, 12, 1), date(2026, 12, 4), "")
        db.execute(sa.text("UPDATE call SET email = ''"))
    text = berts_desk.read(TELL)
    assert "There is nobody to tell" in text
    assert "Send" not in text


def test_under_neutral_discretion_the_notice_is_not_taken_over(desk: Desk, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).values(discretion="neutral"))
    assert desk.form(TELL).fields["words"] == ""
    text = desk.read(TELL)
    assert NOTICE not in text
    assert "Bert Beispiel" not in text


# The form, and texts to copy


def test_who_stands_in_is_typed_kept_and_read_by_clients(desk: Desk, services: Services, app: Flask) -> None:
    assert desk.form(ONE, ONE).fields["stand_in"].strip() == STAND_IN
    assert desk.send(ONE, ONE, stand_in="Cleo\r\ncleo@example.org").status_code == 303
    with services.database.reading() as db:
        (saved,) = db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one().timetable.absences
    assert saved.stand_in == "Cleo\ncleo@example.org"
    assert "Cleo\ncleo@example.org" in Visitor(app).get("/anna/call").text
    answer = desk.send(ONE, ONE, stand_in="a" * 201)
    assert answer.status_code == 422
    assert "Shorten this to 200 characters." in answer.text


def test_the_page_has_texts_to_copy_in_three_languages_with_the_link(desk: Desk) -> None:
    text = desk.read(ONE)
    for code in ("en", "de", "ru"):
        for kind in ("reply", "voicemail", "message"):
            assert f'id="{kind}-{code}"' in text
        assert f"https://calls.example.org/anna?lang={code}" in text
    assert "Vielen Dank für Ihre Nachricht." in text
    assert "Thank you for your message. I am away from Tuesday, 1 December to Friday, 4 December." in text
    assert "I am back on Monday, 7 December." in text
    assert "Guten Tag, hier ist die Mailbox von Anna Beispiel. Von Dienstag, 1. Dezember," in text
    assert "In dieser Zeit hilft Ihnen: Bert Beispiel, +49 30 5550123." in text
    assert "calls.example.org/anna можно выбрать время для разговора" in text
    assert text.count(NOTICE) == 2, "in the form, and in the reply in the owner's own language"
    assert "copy.js" in text


def test_a_new_absence_has_no_texts_yet(desk: Desk) -> None:
    text = desk.read("/desk/absences/new")
    assert "reply-en" not in text
    assert "Tell your clients" not in text
