"""Sessions: they begin anew with every log-in, end for good, and lose nothing that was typed."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.services import Services
from booking.store.models import Owner
from tests.desk.deskwork import Desk
from tests.desk.doorwork import (
    ANNA,
    PASSWORD,
    cookies,
    give_password,
    log_in,
    log_out,
    send,
    sessions,
)
from tests.fakes import Clock
from tests.web.visitors import Page, Visitor


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """A browser that has never been here."""
    return Visitor(app)


@pytest.fixture
def anna(house: Services) -> int:
    """Anna has a password."""
    return give_password(house)


# Sessions


def test_the_cookies_of_the_desk_can_be_read_by_no_script_and_sent_by_no_other_site(
    visitor: Visitor, anna: int
) -> None:
    set_cookies = cookies(log_in(visitor))
    for name in ("__Host-desk", "__Host-known"):
        for rule in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"):
            assert rule in set_cookies[name], name
        assert "Domain" not in set_cookies[name]


def test_on_http_the_cookie_has_a_plain_name(house: Services, anna: int) -> None:
    plain = replace(house, settings=replace(house.settings, base_url="http://127.0.0.1:8000"))
    visitor = Visitor(create_app(plain.settings, plain))
    set_cookies = cookies(log_in(visitor))
    assert "HttpOnly" in set_cookies["desk"]
    assert "Secure" not in set_cookies["desk"]
    assert visitor.get("/desk/account").status_code == 200


def test_every_log_in_has_a_new_session_and_new_tokens_for_its_forms(
    visitor: Visitor, house: Services, anna: int
) -> None:
    before = visitor.page("/desk/login").post_form.fields["csrf_token"]
    first = cookies(log_in(visitor))["__Host-desk"]
    visitor.client.set_cookie("__Host-desk", "chosen by somebody else", domain="calls.example.org", secure=True)
    second = cookies(send(visitor, visitor.get("/desk/login"), email=ANNA, password=PASSWORD))["__Host-desk"]
    assert first.partition(";")[0] != second.partition(";")[0]
    assert "chosen" not in second
    stale = visitor.post("/desk/account/sessions", data={"csrf_token": before})
    assert stale.status_code == 400
    assert sessions(house)[0].token_hash not in first


def test_the_old_cookie_of_a_browser_that_logs_in_again_is_worth_nothing(
    visitor: Visitor, app: Flask, house: Services, anna: int
) -> None:
    old = cookies(log_in(visitor))["__Host-desk"].partition(";")[0].partition("=")[2]
    visitor.client.delete_cookie("__Host-desk", domain="calls.example.org")
    form = visitor.page("/desk/login").post_form
    visitor.client.set_cookie("__Host-desk", old, domain="calls.example.org", secure=True)
    visitor.post("/desk/login", data={**form.fields, "email": ANNA, "password": PASSWORD})
    assert len(sessions(house)) == 1
    replay = Visitor(app)
    replay.client.set_cookie("__Host-desk", old, domain="calls.example.org", secure=True)
    assert replay.get("/desk").status_code == 401


def test_after_logging_out_the_old_cookie_opens_nothing(visitor: Visitor, app: Flask, anna: int) -> None:
    old = cookies(log_in(visitor))["__Host-desk"].partition(";")[0].partition("=")[2]
    answer = log_out(visitor)
    assert (answer.status_code, answer.location) == (303, "/desk/login")
    assert "You are logged out." in visitor.get("/desk/login").text
    replay = Visitor(app)
    replay.client.set_cookie("__Host-desk", old, domain="calls.example.org", secure=True)
    assert replay.get("/desk/account").status_code == 401


def test_nobody_is_logged_out_by_another_site(desk: Desk) -> None:
    assert desk.post("/desk/logout").status_code == 400
    assert desk.get("/desk/account").status_code == 200


def test_a_session_ends_where_it_is_not_used_for_a_month_and_after_half_a_year(desk: Desk, clock: Clock) -> None:
    for _ in range(8):
        clock.advance(timedelta(days=20))
        assert desk.get("/desk/account").status_code == 200
    clock.advance(timedelta(days=21))
    assert desk.get("/desk/account").status_code == 401


def test_a_session_that_is_not_used_for_a_month_has_ended(desk: Desk, clock: Clock) -> None:
    clock.advance(timedelta(days=31))
    assert desk.get("/desk/account").status_code == 401


def test_that_a_session_is_used_is_noted_once_an_hour(desk: Desk, house: Services, clock: Clock) -> None:
    begun = clock()
    clock.advance(timedelta(minutes=59))
    desk.get("/desk/account")
    assert sessions(house)[0].seen_at == begun
    clock.advance(timedelta(minutes=1))
    desk.get("/desk/account")
    assert sessions(house)[0].seen_at == clock()


# What was typed when the session had ended


def form_of_address(desk: Desk) -> dict[str, str]:
    fields = desk.form("/desk/account/address").fields
    return {**fields, "email": "new@example.org"}


def end_all(house: Services) -> None:
    with house.database.writing() as db:
        db.execute(sa.text("DELETE FROM desk_session"))


def test_what_was_typed_when_the_session_had_ended_is_sent_again_after_the_log_in(
    desk: Desk, house: Services, anna: int
) -> None:
    log_in(desk)
    typed = form_of_address(desk)
    end_all(house)
    answer = desk.post("/desk/account/address", data=typed)
    assert answer.status_code == 401
    assert "What you typed is kept" in answer.text
    assert "new@example.org" not in answer.text
    offered = send(desk, answer, email=ANNA, password=PASSWORD)
    assert offered.status_code == 200
    assert Page(offered.text).post_form.fields["email"] == "new@example.org"
    sent = send(desk, offered)
    assert sent.status_code == 303
    with house.database.reading() as db:
        assert db.scalars(sa.select(Owner.email).where(Owner.slug == "anna")).one() == "new@example.org"


def test_what_anna_typed_is_not_offered_to_bert(desk: Desk, house: Services, anna: int) -> None:
    give_password(house, "bert")
    log_in(desk)
    typed = form_of_address(desk)
    end_all(house)
    answer = desk.post("/desk/account/address", data=typed)
    assert send(desk, answer, email="bert@example.org", password=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_of_another_site_is_not_kept_and_sent_again(app: Flask, anna: int, headers: dict[str, str]) -> None:
    victim = Visitor(app)
    answer = victim.post("/desk/account/address", data={"email": "evil@example.org"}, headers=headers)
    assert answer.status_code == 401
    assert Page(answer.text).post_form.fields["carried"] == ""


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://calls.example.org"}])
def test_a_form_that_our_own_page_sent_is_kept_without_its_token(
    app: Flask, anna: int, headers: dict[str, str]
) -> None:
    visitor = Visitor(app)
    answer = visitor.post("/desk/account/address", data={"email": "new@example.org"}, headers=headers)
    assert Page(answer.text).post_form.fields["carried"]


def test_what_is_longer_than_fits_is_not_carried(app: Flask, anna: int) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = Visitor(app).post("/desk/account/address", data={"note": "x" * 40_000}, headers=headers)
    assert answer.status_code == 401
    assert Page(answer.text).post_form.fields["carried"] == ""


def test_what_was_not_packed_here_is_not_offered(visitor: Visitor, house: Services, anna: int) -> None:
    forged = (
        "x",
        house.vault.lock("no json"),
        house.vault.lock('{"owner": null}'),
        house.signing.seal("carried", {"path": "/desk"}),
    )
    for packed in forged:
        assert log_in(visitor, carried=packed).status_code == 303
        visitor.client.delete_cookie("__Host-desk", domain="calls.example.org")


def test_what_was_carried_for_half_a_day_is_not_offered_any_more(app: Flask, anna: int, clock: Clock) -> None:
    visitor, headers = Visitor(app), {"Sec-Fetch-Site": "same-origin"}
    answer = visitor.post("/desk/account/address", data={"email": "new@example.org"}, headers=headers)
    clock.advance(timedelta(hours=13))
    assert send(visitor, answer, email=ANNA, password=PASSWORD).status_code == 303
