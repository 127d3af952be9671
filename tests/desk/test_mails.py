"""What mails say of the owner, and every mail to look at."""

import re
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.language import LANGUAGES
from booking.mail.messages import TEMPLATES
from booking.store.models import Job, Owner
from booking.web.desk.letters import KINDS
from booking.worker import run_job
from tests.desk.deskwork import Desk
from tests.web.visitors import Page, Visitor, dump

SIGNATURE = "Anna Beispiel\nTexts & more\nhttps://www.example.org"


def owner(desk: Desk, slug: str = "anna") -> Owner:
    with desk.services.database.reading() as db:
        return db.scalars(sa.select(Owner).where(Owner.slug == slug)).one()


def preview(desk: Desk, message: str = "booked", to: str = "client", code: str = "en") -> str:
    return desk.read(f"/desk/mails/preview?message={message}&to={to}&in={code}")


def letter(desk: Desk, message: str = "booked", to: str = "client", code: str = "en") -> str:
    return desk.read(f"/desk/mails/preview/letter?message={message}&to={to}&in={code}")


def sent_to(desk: Desk, address: str) -> str:
    """Let every mail leave, and return the text of the one that went to an address."""
    with desk.services.database.reading() as db:
        numbers = db.scalars(sa.select(Job.number).where(Job.kind == "mail").order_by(Job.number)).all()
    for _ in numbers:
        run_job(desk.services)
    (mail,) = [each for each in desk.services.mail.sent if each["To"] == address]  # type: ignore[attr-defined]
    return str(mail)


# The settings


def test_the_form_holds_what_is_saved(desk: Desk) -> None:
    fields = desk.form("/desk/mails").fields
    assert fields["phone"] == "+49 30 901820"
    assert (fields["country"], fields["locale"], fields["discretion"]) == ("DE", "en", "normal")


def test_what_is_saved_is_what_clients_and_the_owner_read(desk: Desk, app: Flask) -> None:
    answer = desk.send(
        "/desk/mails",
        locale="de",
        sender_name="Anna at work",
        signature=SIGNATURE,
        phone="0170 1234567",
        caller_id="My number is withheld.",
    )
    assert answer.status_code == 303
    assert owner(desk).phone == "+491701234567"
    assert '<html lang="de"' in desk.read("/desk/mails")
    Visitor(app).book()
    mail = sent_to(desk, "kim1@example.com")
    assert "From: Anna at work <calls@example.org>" in mail
    assert "Texts & more" in mail
    assert "My number is withheld." in mail


def test_a_national_number_belongs_to_the_country_that_is_chosen_with_it(desk: Desk) -> None:
    assert desk.send("/desk/mails", country="AT", phone="0664 1234567").status_code == 303
    assert (owner(desk).phone, owner(desk).country) == ("+436641234567", "AT")
    assert desk.form("/desk/mails").fields["phone"] == "+43 664 1234567"


def test_a_number_can_be_taken_away(desk: Desk) -> None:
    assert desk.send("/desk/mails", phone="").status_code == 303
    assert owner(desk).phone == ""


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"phone": "0900 1234567"}, "service number"),
        ({"phone": "12"}, "be rung. Check the digits"),
        ({"phone": "0170 1234567", "country": ""}, "with its country code"),
        ({"phone": "030 901820 ext. 5"}, "be dialled directly"),
        ({"country": "XX"}, "Choose one of these."),
        ({"locale": "fr"}, "Choose one of these."),
        ({"discretion": "none"}, "Choose one of these."),
        ({"phone_countries": "XX"}, "Choose from these."),
        ({"sender_name": "x" * 121}, "Shorten this to 120 characters."),
        ({"signature": "x" * 601}, "Shorten this to 600 characters."),
        ({"caller_id": "one\ntwo"}, "Write this in one line"),
    ],
)
def test_a_mistake_is_named_and_everything_typed_is_kept(desk: Desk, typed: dict[str, str], wrong: str) -> None:
    before = dump(desk.services)
    answer = desk.send("/desk/mails", **{"signature": "kept words", **typed})
    assert answer.status_code == 422
    assert wrong in answer.text
    fields = Page(answer.text).post_form.fields
    assert fields["signature"] == typed.get("signature", "kept words")
    if "phone" in typed:
        assert fields["phone"] == typed["phone"]
    assert dump(desk.services) == before


def test_countries_are_ticked_and_clients_of_others_are_refused(desk: Desk, app: Flask) -> None:
    form = desk.form("/desk/mails")
    answer = desk.post("/desk/mails", data={**form.fields, "phone_countries": ["AT", "CH"]})
    assert answer.status_code == 303
    assert owner(desk).phone_countries == "AT,CH"
    boxes = [values for tag, values in desk.page("/desk/mails").tags if values.get("name") == "phone_countries"]
    assert [values["value"] for values in boxes if "checked" in values] == ["AT", "CH"]
    assert Visitor(app).book().status_code == 422


def test_a_change_in_another_window_is_not_overwritten(desk: Desk) -> None:
    form = desk.form("/desk/mails")
    desk.send("/desk/mails", sender_name="the other window")
    late = desk.post("/desk/mails", data={**form.fields, "signature": "this window"})
    assert late.status_code == 409
    assert owner(desk).sender_name == "the other window"
    again = Page(late.text).post_form.fields
    assert again["signature"] == "this window"
    assert desk.post("/desk/mails", data=again).status_code == 303
    assert owner(desk).signature == "this window"


def test_what_is_no_field_and_whose_it_is_not_changes_nothing(desk: Desk) -> None:
    desk.send("/desk/mails", email="eve@example.org", slug="eve", owner_id="2", accent="#123456", id="2")
    assert (owner(desk).email, owner(desk).accent) == ("anna@example.org", "")
    assert owner(desk, "bert").sender_name == ""


# Looking at every mail


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(("message", "to"), KINDS)
def test_every_mail_can_be_looked_at_in_every_language(desk: Desk, message: str, to: str, code: str) -> None:
    before, sent = dump(desk.services), list(desk.services.mail.sent)  # type: ignore[attr-defined]
    page, html = preview(desk, message, to, code), letter(desk, message, to, code)
    assert f'<html lang="{code}">' in html
    subject = re.search(r'<h2 id="subject" lang="(\w+)">(.+)</h2>', page)
    assert subject is not None
    assert subject[1] == code
    assert f"<title>{unescape(subject[2])}</title>" in unescape(html)
    assert "Sender: " in page
    assert dump(desk.services) == before
    assert desk.services.mail.sent == sent  # type: ignore[attr-defined]


def test_no_mail_is_missing_from_the_list(desk: Desk) -> None:
    names = {path.stem for path in Path(TEMPLATES).iterdir() if path.stem.endswith(("_client", "_owner"))}
    assert {f"{message}_{to}" for message, to in KINDS} == names
    links = [link for link in desk.page("/desk/mails/preview").links if "message=" in link]
    for message, to in KINDS:
        assert any(f"message={message}&to={to}&" in link for link in links)


def test_a_look_shows_the_owner_s_own_settings(desk: Desk) -> None:
    desk.send("/desk/mails", sender_name="Anna at work", signature=SIGNATURE, caller_id="My number is withheld.")
    page, html = preview(desk), letter(desk)
    assert "Sender: Anna at work" in page
    assert "with a file for the calendar" in page
    for text in (page, html):
        assert "Texts &amp; more" in text
        assert "My number is withheld." in text


def test_neutral_mails_say_nothing_of_the_owner_not_even_the_signature(desk: Desk) -> None:
    desk.send("/desk/mails", discretion="neutral", signature=SIGNATURE)
    for message, to in KINDS:
        if to == "client":
            text = preview(desk, message) + letter(desk, message)
            assert "Texts" not in text, message
            assert "Call with Anna" not in text, message
    assert "with a file for the calendar" not in preview(desk)
    assert "Your appointment on" in preview(desk)


def test_the_mail_is_shown_in_a_frame_where_it_can_do_nothing(desk: Desk) -> None:
    page = desk.get("/desk/mails/preview")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    (frame,) = [values for tag, values in Page(page.text).tags if tag == "iframe"]
    assert frame["sandbox"] == ""
    answer = desk.get(frame["src"])
    policy = answer.headers["Content-Security-Policy"]
    assert answer.mimetype == "text/html"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert policy.endswith("sandbox")
    assert "script" not in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_that_page_may_hold_a_frame(desk: Desk) -> None:
    for path in ("/desk", "/desk/mails", "/desk/embed", "/anna", "/anna/call"):
        assert "frame-src" not in desk.get(path).headers["Content-Security-Policy"], path


def test_what_an_owner_wrote_is_text_in_every_part(desk: Desk) -> None:
    bold = "<b>bold</b><script>alert(1)</script>"
    desk.send("/desk/mails", sender_name=bold, signature=bold, caller_id=bold)
    for text in (preview(desk), letter(desk)):
        assert "<b>bold" not in text
        assert "<script>alert" not in text
        assert "&lt;b&gt;bold" in text


@pytest.mark.parametrize(
    "query", ["message=nothing&to=client", "message=declined&to=owner", "message=booked&to=eve", "in=fr", "message="]
)
def test_a_mail_that_does_not_exist_is_not_found(desk: Desk, query: str) -> None:
    assert desk.get(f"/desk/mails/preview?{query}").status_code == 404
    assert desk.get(f"/desk/mails/preview/letter?{query}").status_code == 404


def test_each_owner_sees_their_own_mails(desk: Desk, berts_desk: Desk) -> None:
    assert "Anna Beispiel" in letter(desk)
    assert "Bert Beispiel" in letter(berts_desk)
    assert "Anna" not in letter(berts_desk)


def test_looking_changes_nothing(desk: Desk) -> None:
    before = dump(desk.services)
    assert desk.get("/desk/mails").status_code == 200
    assert dump(desk.services) == before
