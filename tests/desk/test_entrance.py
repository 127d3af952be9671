"""The way in: nobody but the owner sees the desk, and nobody but a guesser waits."""

import re
from datetime import timedelta
from typing import cast

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.services import Services
from booking.store.accounts import LoginFailure
from booking.store.models import Owner
from booking.usecases.passwords import Passwords, Problem, find_problem
from booking.web.desk.carried import safe_next
from tests.desk.doorwork import (
    ANNA,
    FAR,
    PASSWORD,
    account,
    code,
    give_password,
    log_in,
    log_out,
    send,
    sessions,
    stranger,
    turn_codes_on,
    with_services,
)
from tests.fakes import Clock, QuickPasswords
from tests.web.visitors import Visitor, dump


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """A browser that has never been here."""
    return Visitor(app)


@pytest.fixture
def anna(house: Services) -> int:
    """Anna has a password."""
    return give_password(house)


# Who sees the desk


def test_who_is_not_logged_in_sees_the_log_in_page_only(app: Flask) -> None:
    answer = Visitor(app).get("/desk")
    assert answer.status_code == 401
    assert "Log in" in answer.text


def test_every_route_of_the_desk_answers_401_without_a_session(app: Flask, house: Services) -> None:
    before = dump(house)
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("desk.")]
    assert len(rules) > 10
    for number, rule in enumerate(rules):
        path = re.sub(r"<(?:any\(\W*(\w[\w-]*)[^)]*\):|(?:\w+:)?)\w+>", lambda match: match[1] or "1", rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "HEAD", "POST"}):
            assert stranger(app, number).open(path, method).status_code == 401, (method, path)
    assert dump(house) == before


def test_the_log_in_page_speaks_the_browser_s_language_or_the_one_that_is_asked_for(app: Flask) -> None:
    for path in ("/desk", "/desk/login"):
        assert "Anmelden" in Visitor(app).get(path, headers={"Accept-Language": "de"}).text
        assert "Anmelden" in Visitor(app).get(f"{path}?lang=de", headers={"Accept-Language": "ru"}).text


def test_password_and_address_let_anna_in_where_she_wanted_to_go(visitor: Visitor, anna: int) -> None:
    answer = send(visitor, visitor.get("/desk/account?lang=en"), email="Anna@Example.org", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/desk/account?lang=en")
    assert visitor.get("/desk/account").status_code == 200
    assert visitor.get("/desk/login").location == "/desk"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/desk",
        "https:/desk",
        "javascript:alert(1)",
        "/desk\n/x",
        "/desk\t//evil",
        "/desk/..//evil.example",
        "/desk/%2e%2e//evil",
        "/anna",
        "/deskevil",
        "/desk@evil.example",
        " /desk",
        "/desk#//evil",
    ],
)
def test_nobody_is_led_away_from_the_desk(visitor: Visitor, anna: int, wanted: str) -> None:
    assert safe_next(wanted) == ""
    form = visitor.page("/desk/login").post_form
    typed = {**form.fields, "email": ANNA, "password": PASSWORD, "next": wanted}
    assert visitor.post("/desk/login", data=typed).location == "/desk"
    assert visitor.get("/desk/login", query_string={"next": wanted}).location == "/desk"


@pytest.mark.parametrize("wanted", ["/desk", "/desk/", "/desk/calls?q=%D0%9A&page=2", "/desk/account/sessions/ab-1_c"])
def test_pages_of_the_desk_can_be_led_to(wanted: str) -> None:
    assert safe_next(wanted) == wanted


# Right and wrong


def test_with_codes_turned_on_only_both_right_together_open_the_desk(app: Flask, house: Services, anna: int) -> None:
    """Whatever is wrong, the answer is the same to the letter."""
    turn_codes_on(house, anna)
    right, wrong = code(house), "000000" if code(house) != "000000" else "111111"
    answers = []
    for password, typed in (("wrong password", wrong), ("wrong password", right), (PASSWORD, wrong), (PASSWORD, "")):
        answer = log_in(Visitor(app), password=password, code=typed)
        assert answer.status_code == 401
        answers.append(re.sub(r'name="csrf_token"[^>]*', "", answer.text))
    assert len(set(answers)) == 1
    assert log_in(Visitor(app), password=PASSWORD, code=right).status_code == 303


def test_an_address_that_nobody_has_is_answered_like_a_wrong_password_and_costs_as_much(
    app: Flask, house: Services, anna: int
) -> None:
    passwords = cast(QuickPasswords, house.passwords)
    texts = []
    for email in (ANNA, "nobody@example.org", "bert@example.org"):
        before = passwords.compared
        answer = log_in(Visitor(app), email=email, password="wrong password")
        assert (answer.status_code, passwords.compared - before) == (401, 1)
        texts.append(re.sub(r'name="csrf_token"[^>]*', "", answer.text).replace(email, ""))
    assert len(set(texts)) == 1


def test_comparing_with_nobody_s_password_does_the_whole_work() -> None:
    """With a hash that can't be read, nothing would be computed: what is compared has today's numbers."""

    class Watched(Passwords):
        @property
        def nobodys(self) -> str:
            return self._nobodys

    passwords = Watched(rounds=2, memory_kib=64)
    assert not passwords.is_outdated(passwords.nobodys)
    assert not passwords.matches("", "anything")
    assert len(passwords.nobodys) == len(passwords.hash("anything"))


def test_an_owner_without_a_password_can_not_be_guessed(visitor: Visitor) -> None:
    assert log_in(visitor, password=" ").status_code == 401


def test_what_was_typed_is_kept_but_the_password(visitor: Visitor, anna: int) -> None:
    answer = log_in(visitor, password="wrong password", code="123456")
    assert f'value="{ANNA}"' in answer.text
    assert "wrong password" not in answer.text
    assert "123456" not in answer.text
    stale = visitor.post("/desk/login", data={"email": ANNA, "password": PASSWORD, "csrf_token": "x"})
    assert stale.status_code == 400
    assert f'value="{ANNA}"' in stale.text
    assert log_in(visitor, password="").status_code == 422


def test_owners_who_share_an_address_each_come_in_by_their_own_password(app: Flask, house: Services, anna: int) -> None:
    bert = give_password(house, "bert", "berts own long password")
    with house.database.writing() as db:
        db.execute(sa.update(Owner).values(email=ANNA))
    assert log_in(Visitor(app)).status_code == 303
    assert log_in(Visitor(app), password="berts own long password").status_code == 303
    assert {row.owner_id for row in sessions(house)} == {anna, bert}


def test_a_hash_of_older_numbers_is_made_anew_when_its_owner_comes_in(house: Services, anna: int) -> None:
    old = account(house).password_hash
    newer = with_services(house, passwords=Passwords(rounds=2, memory_kib=16))
    assert log_in(Visitor(create_app(house.settings, newer))).status_code == 303
    assert account(house).password_hash != old
    assert not newer.passwords.is_outdated(account(house).password_hash)
    assert log_in(Visitor(create_app(house.settings, newer))).status_code == 303


def test_a_letter_that_keyboards_write_in_two_ways_is_one() -> None:
    passwords = QuickPasswords()
    assert passwords.matches(passwords.hash("f\u00fcnf lange W\u00f6rter"), "fu\u0308nf lange Wo\u0308rter")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", Problem.SHORT),
        ("x" * 201, Problem.LONG),
        ("password123", Problem.GUESSABLE),
        ("aaaaaaaaaaaaaaaaaaaa", Problem.GUESSABLE),
        ("annabeispiel1", Problem.GUESSABLE),
        ("anna@example.org", Problem.GUESSABLE),
        ("Anna-Beispiel-2026", Problem.GUESSABLE),
        ("sprechzeit2026", Problem.GUESSABLE),
        ("1234567890" * 20, Problem.GUESSABLE),
        (PASSWORD, None),
        ("kd8-Wq2!zR7p", None),
    ],
)
def test_a_password_that_can_be_guessed_is_refused(password: str, problem: Problem | None) -> None:
    owner = Owner(slug="anna", name="Anna Beispiel", email=ANNA)
    assert find_problem(password, owner) == problem


# Codes


def test_a_code_works_once_and_one_step_early_or_late(app: Flask, house: Services, anna: int, clock: Clock) -> None:
    turn_codes_on(house, anna)
    late, now, early, too_early = (code(house, steps) for steps in (-1, 0, 1, 2))
    assert log_in(Visitor(app), code=too_early).status_code == 401
    assert log_in(Visitor(app), code=late).status_code == 303
    assert log_in(Visitor(app), code=late).status_code == 401
    assert log_in(Visitor(app), code=f"{now[:3]} {now[3:]}").status_code == 303
    assert log_in(Visitor(app), code=early).status_code == 303
    assert log_in(Visitor(app), code=now).status_code == 401
    clock.advance(timedelta(seconds=90))
    assert log_in(Visitor(app), code=code(house, -2)).status_code == 401
    assert log_in(Visitor(app), code=code(house)).status_code == 303


def test_a_recovery_code_works_once_in_place_of_a_code(app: Flask, house: Services, anna: int) -> None:
    recovery = turn_codes_on(house, anna)
    assert len(set(recovery)) == 10
    assert log_in(Visitor(app), code=recovery[3].upper().replace("-", " ")).status_code == 303
    assert log_in(Visitor(app), code=recovery[3]).status_code == 401
    assert log_in(Visitor(app), code=recovery[4]).status_code == 303
    assert len(account(house).recovery_hashes) == 8
    assert not set(recovery) & set(account(house).recovery_hashes)


# Back-off


def test_after_five_wrong_passwords_one_waits_and_is_told_how_long(visitor: Visitor, anna: int, clock: Clock) -> None:
    for _ in range(5):
        assert log_in(visitor, password="wrong password").status_code == 401
    answer = log_in(visitor)
    assert answer.status_code == 429
    assert 30 <= int(answer.headers["Retry-After"]) <= 31
    assert "Try again in 31 seconds." in answer.text
    assert f'value="{ANNA}"' in answer.text
    clock.advance(timedelta(seconds=31))
    assert log_in(visitor).status_code == 303


def test_each_further_wrong_password_doubles_the_wait_up_to_a_quarter_of_an_hour(
    app: Flask, house: Services, anna: int, clock: Clock
) -> None:
    waits = []
    for number in range(12):
        visitor = Visitor(app, f"2001:db8::{number}")  # one network
        log_in(visitor, password="wrong password")
        answer = log_in(visitor, password="wrong password")
        if answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clock.advance(timedelta(seconds=waits[-1]))
    assert waits == sorted(waits)
    assert waits[0] < 35
    assert 890 < waits[-1] <= 901


def test_strangers_elsewhere_can_not_lock_anna_out(app: Flask, anna: int) -> None:
    for number in range(3):
        for _ in range(8):
            log_in(stranger(app, number), password="wrong password")
    assert log_in(Visitor(app, FAR)).status_code == 303


def test_a_browser_that_was_logged_in_before_is_counted_apart_from_its_network(
    app: Flask, house: Services, anna: int
) -> None:
    known = Visitor(app)
    log_in(known)
    log_out(known)
    for _ in range(6):
        log_in(Visitor(app), password="wrong password")
    assert log_in(Visitor(app)).status_code == 429
    assert log_in(known).status_code == 303


def test_a_browser_that_bert_was_logged_in_with_is_a_stranger_to_anna(app: Flask, house: Services, anna: int) -> None:
    give_password(house, "bert")
    berts = Visitor(app)
    log_in(berts, "bert@example.org")
    berts.client.delete_cookie("__Host-desk", domain="calls.example.org")
    for _ in range(5):
        log_in(Visitor(app), password="wrong password")
    assert log_in(berts).status_code == 429


def test_who_shares_anna_s_address_can_not_try_her_password_for_ever(app: Flask, house: Services, anna: int) -> None:
    """Bert gave himself her address; his own password, and browsers he was logged in with, take no count back."""
    give_password(house, "bert", "quite other plain words")
    with house.database.writing() as db:
        db.scalars(sa.select(Owner).where(Owner.slug == "bert")).one().email = ANNA
    bert = Visitor(app, FAR)
    for _ in range(5):
        assert log_in(bert, password="quite other plain words").status_code == 303
        assert log_in(bert, password="wrong").status_code == 401
    assert log_in(bert, password="quite other plain words").status_code == 429


def test_an_attempt_is_counted_before_its_password_is_compared(app: Flask, house: Services, anna: int) -> None:
    """Many at once are counted too: each finds those that were begun before it."""

    class Slow(QuickPasswords):
        inside = 0

        def matches(self, password_hash: str, password: str) -> bool:
            with house.database.reading() as db:
                self.inside = db.scalars(sa.select(sa.func.count()).select_from(LoginFailure)).one()
            return super().matches(password_hash, password)

    slow = Slow()
    other = create_app(house.settings, with_services(house, passwords=slow))
    assert log_in(Visitor(other), password="wrong password").status_code == 401
    assert slow.inside == 1
    assert log_in(Visitor(other)).status_code == 303
    assert slow.inside == 2
    with house.database.reading() as db:
        assert db.scalars(sa.select(sa.func.count()).select_from(LoginFailure)).one() == 0


def test_neither_addresses_nor_networks_are_kept_of_failed_attempts(visitor: Visitor, house: Services) -> None:
    log_in(visitor, email="nobody@example.org", password="wrong password")
    rows = str(dump(house)["login_failure"])
    assert len(rows) > 10
    assert "nobody" not in rows
    assert visitor.address not in rows


def test_too_many_requests_of_a_network_keep_the_address(app: Flask, house: Services) -> None:
    visitor = Visitor(app)
    answers = [log_in(visitor, email=f"kim{number}@example.org") for number in range(32)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "kim31@example.org" in answers[-1].text
