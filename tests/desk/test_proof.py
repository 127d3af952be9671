"""Asking for the password once more: a borrowed browser does nothing sensitive, and nothing typed is lost."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.services import Services
from booking.store.models import Owner
from tests.desk.deskwork import Desk
from tests.desk.doorwork import ANNA, NEW_PASSWORD, PASSWORD, account, give_password, log_in, send, turn_codes_on
from tests.fakes import Clock
from tests.web.visitors import Page, Visitor

SENSITIVE = ("/desk/account/address", "/desk/account/password", "/desk/account/codes")


@pytest.fixture
def stale(desk: Desk, house: Services, clock: Clock) -> Desk:
    """Anna's browser, half an hour after the log-in."""
    give_password(house)
    log_in(desk)
    clock.advance(timedelta(minutes=30))
    return desk


def asks(text: str) -> bool:
    return 'action="/desk/prove"' in text


def email_of(services: Services) -> str:
    with services.database.reading() as db:
        return db.scalars(sa.select(Owner.email).where(Owner.slug == "anna")).one()


@pytest.mark.parametrize("path", SENSITIVE)
def test_half_an_hour_after_the_log_in_the_password_is_asked_for_and_leads_back(stale: Desk, path: str) -> None:
    answer = stale.get(path)
    assert asks(answer.text)
    assert send(stale, answer, password=PASSWORD).location == path
    assert not asks(stale.read(path))


def test_within_half_an_hour_nothing_is_asked(desk: Desk, house: Services, clock: Clock) -> None:
    give_password(house)
    log_in(desk)
    clock.advance(timedelta(minutes=29, seconds=59))
    assert not any(asks(desk.read(path)) for path in SENSITIVE)


def test_what_is_not_sensitive_never_asks(stale: Desk) -> None:
    assert not asks(stale.read("/desk/account"))


def test_what_was_typed_is_carried_through_the_proof_and_sent_by_one_button(
    desk: Desk, house: Services, clock: Clock
) -> None:
    give_password(house)
    log_in(desk)
    form = desk.form("/desk/account/address")
    clock.advance(timedelta(minutes=31))
    asked = desk.post(form.action, data={**form.fields, "email": "new@example.org"})
    assert asks(asked.text)
    assert "new@example.org" not in asked.text
    assert email_of(house) == ANNA
    wrong = send(desk, asked, password="wrong password")
    assert wrong.status_code == 422
    offered = send(desk, wrong, password=PASSWORD)
    assert Page(offered.text).post_form.fields["email"] == "new@example.org"
    assert email_of(house) == ANNA
    assert send(desk, offered).status_code == 303
    assert email_of(house) == "new@example.org"


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/desk/account/password", {"password": NEW_PASSWORD}),
        ("/desk/account/codes/off", {}),
        ("/desk/account/codes/recovery", {}),
    ],
)
def test_without_a_proof_nothing_sensitive_is_done(
    stale: Desk, house: Services, path: str, typed: dict[str, str]
) -> None:
    turn_codes_on(house, account(house).owner_id)
    before = account(house)
    token = stale.form("/desk/account").fields["csrf_token"]
    assert asks(stale.post(path, data={"csrf_token": token, **typed}).text)
    after = account(house)
    assert (after.password_hash, after.recovery_hashes) == (before.password_hash, before.recovery_hashes)
    assert after.totp_secret_encrypted == before.totp_secret_encrypted != ""


def test_what_is_too_long_to_be_carried_leads_to_a_page_that_can_be_opened(stale: Desk) -> None:
    token = stale.form("/desk").fields["csrf_token"]
    answer = stale.post("/desk/account/codes/off", data={"csrf_token": token, "more": "x" * 40_000})
    assert send(stale, answer, password=PASSWORD).location == "/desk"


def test_a_form_of_another_site_is_not_carried_through_the_proof(stale: Desk) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {}):
        answer = stale.post("/desk/account/address", data={"email": "evil@example.org"}, headers=headers)
        assert Page(answer.text).post_form.fields["carried"] == ""


def test_wrong_passwords_have_to_wait_here_too_and_the_log_in_elsewhere_does_not(
    stale: Desk, app: Flask, clock: Clock
) -> None:
    for _ in range(5):
        assert send(stale, stale.get(SENSITIVE[0]), password="wrong password").status_code == 422
    answer = send(stale, stale.get(SENSITIVE[0]), password=PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert log_in(Visitor(app)).status_code == 303
    clock.advance(timedelta(seconds=31))
    assert send(stale, answer, password=PASSWORD).status_code == 303


def test_the_proof_needs_the_token_of_its_own_page(stale: Desk) -> None:
    answer = stale.post("/desk/prove", data={"password": PASSWORD, "csrf_token": "x"})
    assert answer.status_code == 400
    assert asks(stale.read(SENSITIVE[0]))


def test_the_proof_leads_nowhere_but_to_the_desk(stale: Desk) -> None:
    answer = send(stale, stale.get(SENSITIVE[0]), password=PASSWORD, next="//evil.example")
    assert answer.location == "/desk"


def test_who_came_in_by_a_link_and_has_no_password_is_told_to_get_a_new_one(desk: Desk, clock: Clock) -> None:
    assert not asks(desk.read("/desk/account/password"))
    clock.advance(timedelta(minutes=30))
    page = desk.read("/desk/account/password")
    assert not asks(page)
    assert "A new link is needed" in page
    assert "/desk/reset" in page
