"""The account: its address, its password, its codes, and the browsers that are logged in."""

import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.models import Installation, Owner
from booking.store.vault import Vault
from booking.usecases.setup import check_key
from booking.web.desk.account import browser_words
from tests.desk.deskwork import Desk
from tests.desk.doorwork import (
    ANNA,
    NEW_PASSWORD,
    PASSWORD,
    SECRET,
    account,
    give_password,
    log_in,
    sessions,
    stranger,
    turn_codes_on,
)
from tests.fakes import Clock
from tests.web.visitors import Page, Visitor, dump

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def email_of(services: Services, slug: str = "anna") -> str:
    with services.database.reading() as db:
        return db.scalars(sa.select(Owner.email).where(Owner.slug == slug)).one()


def totp_of(page: str) -> pyotp.TOTP:
    """Return what an authenticator makes of the key on a page."""
    key = re.search(r'<code class="key">([^<]+)</code>', page)
    assert key
    return pyotp.TOTP(key[1].replace(" ", ""))


def test_looking_at_the_account_changes_nothing(desk: Desk, house: Services) -> None:
    give_password(house, "bert")
    before = dump(house)
    for path in ("/desk/account", "/desk/account/address", "/desk/account/password", "/desk/account/codes"):
        assert desk.get(path).status_code in (200, 303)
    assert dump(house) == before


# Address


def test_a_new_address_is_the_one_to_log_in_with(desk: Desk, house: Services, app: Flask) -> None:
    give_password(house)
    log_in(desk)
    answer = desk.send("/desk/account/address", email="  new@exämple.org ")
    assert (answer.status_code, answer.location) == (303, "/desk/account")
    assert "new@xn--exmple-cua.org" in desk.read("/desk/account")
    assert log_in(Visitor(app)).status_code == 401
    assert log_in(Visitor(app), "new@xn--exmple-cua.org").status_code == 303


@pytest.mark.parametrize("typed", ["", "nobody", "a@b@example.org", "a\x00@example.org", "я@example.org"])
def test_what_is_no_address_is_refused_and_kept(desk: Desk, house: Services, typed: str) -> None:
    answer = desk.send("/desk/account/address", email=typed)
    assert answer.status_code == 422
    assert email_of(house) == ANNA


def test_an_address_that_was_changed_in_another_window_is_not_overwritten_silently(desk: Desk, house: Services) -> None:
    form = desk.form("/desk/account/address").fields
    desk.send("/desk/account/address", email="first@example.org")
    answer = desk.post("/desk/account/address", data={**form, "email": "second@example.org"})
    assert answer.status_code == 409
    assert 'value="second@example.org"' in answer.text
    assert email_of(house) == "first@example.org"
    again = Page(answer.text).post_form
    assert desk.post(again.action, data=again.fields).status_code == 303
    assert email_of(house) == "second@example.org"


def test_extra_fields_change_nothing(desk: Desk, house: Services) -> None:
    give_password(house)
    log_in(desk)
    bert = str(dump(house)["owner"][1])
    extra = {"owner_id": "2", "id": "2", "slug": "evil", "name": "Evil", "password_hash": "evil", "public_id": "evil"}
    desk.send("/desk/account/address", email=ANNA, **extra)
    desk.send("/desk/account/password", password=NEW_PASSWORD, **extra)
    desk.send("/desk/account", f"/desk/account/sessions/{sessions(house)[0].public_id}", **extra)
    rows = str(dump(house))
    assert "evil" not in rows
    assert "Evil" not in rows
    assert str(dump(house)["owner"][1]) == bert


# Password


def test_a_new_password_logs_every_other_browser_out(desk: Desk, house: Services, app: Flask) -> None:
    give_password(house)
    log_in(desk)
    other = stranger(app)
    log_in(other)
    assert desk.send("/desk/account/password", password=NEW_PASSWORD).status_code == 303
    assert desk.get("/desk/account").status_code == 200
    assert other.get("/desk/account").status_code == 401
    assert log_in(Visitor(app)).status_code == 401
    assert log_in(Visitor(app), password=NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "This is needed."), ("short", "at least 10 letters"), ("x" * 201, "at most 200"), ("1234567890", "easy to")],
)
def test_a_password_that_can_not_be_taken_says_why_and_is_not_shown(
    desk: Desk, house: Services, typed: str, sentence: str
) -> None:
    answer = desk.send("/desk/account/password", password=typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not typed or f'value="{typed}"' not in answer.text
    assert account(house).password_hash == ""


def test_an_old_page_does_not_change_the_password(desk: Desk, house: Services) -> None:
    answer = desk.post("/desk/account/password", data={"password": NEW_PASSWORD, "csrf_token": "x"})
    assert answer.status_code == 400
    assert account(house).password_hash == ""


def test_passwords_are_kept_as_argon2id_only(house: Services) -> None:
    give_password(house)
    assert account(house).password_hash.startswith("$argon2id$")
    assert PASSWORD not in str(dump(house))


# Codes


def test_codes_are_turned_on_by_a_right_one_and_ten_recovery_codes_are_shown_once(desk: Desk, house: Services) -> None:
    give_password(house)
    log_in(desk)
    answer = desk.get("/desk/account/codes")
    assert 'src="data:image/svg+xml' in answer.text
    totp = totp_of(answer.text)
    form = Page(answer.text).post_form
    shown = desk.post(form.action, data={**form.fields, "code": totp.at(house.now())})
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.text)
    assert len(set(codes)) == 10
    assert codes[0] not in desk.read("/desk/account/codes")
    rows = str(dump(house))
    assert codes[0] not in rows
    assert totp.secret not in rows
    assert "10 recovery codes are left" in desk.read("/desk/account")
    assert log_in(Visitor(desk.app), code=codes[0]).status_code == 303
    assert log_in(Visitor(desk.app), code=totp.at(house.now())).status_code == 401  # it was used to turn them on


def test_a_wrong_code_turns_nothing_on_and_keeps_the_key(desk: Desk, house: Services) -> None:
    give_password(house)
    log_in(desk)
    answer = desk.get("/desk/account/codes")
    form = Page(answer.text).post_form
    wrong = desk.post(form.action, data={**form.fields, "code": "123"})
    assert wrong.status_code == 422
    assert totp_of(wrong.text).secret == totp_of(answer.text).secret
    assert account(house).totp_secret_encrypted == ""


def test_a_key_that_was_not_made_here_for_this_owner_is_not_taken(desk: Desk, house: Services) -> None:
    give_password(house)
    log_in(desk)
    form = desk.form("/desk/account/codes", "/desk/account/codes")
    bert = house.signing.seal("second-factor", [2, SECRET])
    for secret in (SECRET, bert, ""):
        typed = {**form.fields, "secret": secret, "code": pyotp.TOTP(SECRET).at(house.now())}
        assert desk.post(form.action, data=typed).status_code == 422
    assert account(house).totp_secret_encrypted == ""


def test_codes_need_a_password_first(desk: Desk) -> None:
    assert desk.get("/desk/account/codes").location == "/desk/account/password"


def test_new_recovery_codes_make_the_old_ones_void(desk: Desk, house: Services, app: Flask) -> None:
    old = turn_codes_on(house, give_password(house))
    log_in(desk, code=old[0])
    shown = desk.send("/desk/account/codes", "/desk/account/codes/recovery")
    (first, *more) = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.text)
    assert len(more) == 9
    assert log_in(Visitor(app), code=old[1]).status_code == 401
    assert log_in(Visitor(app), code=first).status_code == 303


def test_codes_can_be_turned_off(desk: Desk, house: Services, app: Flask) -> None:
    recovery = turn_codes_on(house, give_password(house))
    log_in(desk, code=recovery[0])
    assert desk.send("/desk/account/codes", "/desk/account/codes/off").status_code == 303
    assert log_in(Visitor(app)).status_code == 303
    assert account(house).recovery_hashes == []


def test_codes_and_recovery_codes_outlive_a_change_of_the_secret_key(house: Services) -> None:
    turn_codes_on(house, give_password(house))
    newer = Vault(("another-key-of-32-letters-0f9e8d7c", *house.settings.secret_keys))
    with house.database.writing() as db:
        check_key(db, newer)
        assert db.scalars(sa.select(Installation.key_fingerprint)).one() == newer.fingerprints[0]
    assert Vault(("another-key-of-32-letters-0f9e8d7c",)).unlock(account(house).totp_secret_encrypted) == SECRET


# Sessions


def test_every_browser_is_listed_in_words_and_this_one_is_marked(
    desk: Desk, house: Services, app: Flask, clock: Clock
) -> None:
    give_password(house)
    clock.advance(timedelta(minutes=5))
    other = stranger(app)
    form = other.page("/desk/login").post_form
    other.post(
        "/desk/login", data={**form.fields, "email": ANNA, "password": PASSWORD}, headers={"User-Agent": FIREFOX}
    )
    log_in(desk)
    page = other.get("/desk/account").text
    assert "Firefox on Linux · <strong>this browser</strong>" in page
    assert "Unknown browser" in page


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/143.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19 Safari/605.1.15", "Safari on macOS"),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_has_a_name(app: Flask, agent: str, words: str) -> None:
    with app.test_request_context("/desk"):
        assert browser_words(agent) == words


def test_one_browser_can_be_logged_out_by_another(desk: Desk, house: Services, app: Flask) -> None:
    give_password(house)
    other = stranger(app)
    log_in(other)
    theirs = sessions(house)[1].public_id
    assert desk.send("/desk/account", f"/desk/account/sessions/{theirs}").status_code == 303
    assert other.get("/desk/account").status_code == 401
    assert desk.get("/desk/account").status_code == 200


def test_logging_this_browser_out_in_the_list_leads_to_the_log_in(desk: Desk, house: Services) -> None:
    mine = sessions(house)[0].public_id
    assert desk.send("/desk/account", f"/desk/account/sessions/{mine}").location == "/desk/login"
    assert desk.get("/desk/account").status_code == 401


def test_log_out_everywhere_ends_every_session_of_anna_and_none_of_bert(
    desk: Desk, berts_desk: Desk, app: Flask, house: Services
) -> None:
    give_password(house)
    other = stranger(app)
    log_in(other)
    assert desk.send("/desk/account", "/desk/account/sessions").location == "/desk/login"
    assert {visitor.get("/desk/account").status_code for visitor in (desk, other)} == {401}
    assert berts_desk.get("/desk/account").status_code == 200


def test_bert_s_session_is_not_found_by_anna(desk: Desk, berts_desk: Desk, house: Services) -> None:
    token = desk.form("/desk/account").fields["csrf_token"]
    (bert,) = berts_ids(house)
    answers = [desk.post(f"/desk/account/sessions/{each}", data={"csrf_token": token}) for each in (bert, "nothing")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    assert berts_desk.get("/desk/account").status_code == 200


def berts_ids(house: Services) -> list[str]:
    with house.database.reading() as db:
        bert = db.scalars(sa.select(Owner.id).where(Owner.slug == "bert")).one()
    return [row.public_id for row in sessions(house) if row.owner_id == bert]


@pytest.mark.parametrize("path", ["/desk/account/sessions", "/desk/account/sessions/x"])
def test_an_old_page_ends_no_session(desk: Desk, path: str) -> None:
    answer = desk.post(path, data={"csrf_token": "x"})
    assert answer.status_code == 400
    assert "press the button once more" in answer.text
    assert desk.get("/desk/account").status_code == 200
