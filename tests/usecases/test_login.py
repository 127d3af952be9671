"""Logging in, one-time links and sessions, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from booking.services import Services
from booking.store.accounts import Account, DeskSession, LoginFailure, WayIn
from booking.store.models import Job, Owner
from booking.usecases import door, login, second_factor, ways_in
from booking.usecases.housekeeping import forget
from booking.usecases.notify import House
from tests.fakes import Clock

ATTEMPT = login.Attempt("account", "network")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def anna(services: Services) -> int:
    """Anna has a password, and codes are asked for; her recovery code is the first there is."""
    with services.database.writing() as db:
        owner_id = db.scalars(sa.select(Owner.id)).one()
        door.set_password(db, owner_id, "hash", services.now())
        second_factor.turn_on(db.get_one(Account, owner_id), services.vault, SECRET, 0, services.token)
    return owner_id


def begin(services: Services, attempt: login.Attempt = ATTEMPT) -> timedelta:
    with services.database.writing() as db:
        return login.begin(db, attempt, services.now())


def count(services: Services, table: type[LoginFailure] | type[DeskSession] | type[WayIn] | type[Job]) -> int:
    with services.database.reading() as db:
        return db.scalars(sa.select(sa.func.count()).select_from(table)).one()


def test_of_many_attempts_at_one_moment_five_are_let_through(services: Services) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: begin(services), range(24)))
    assert [wait for wait in waits if not wait] == [timedelta(0)] * 5
    assert count(services, LoginFailure) == 5


def test_each_account_and_each_network_is_counted_for_itself(services: Services) -> None:
    for _ in range(5):
        begin(services)
    assert begin(services) == login.FIRST_WAIT
    assert not begin(services, login.Attempt("account", "elsewhere"))
    assert not begin(services, login.Attempt("other", "network"))


def test_a_day_later_nothing_is_held_against_anybody(services: Services, clock: Clock) -> None:
    for _ in range(5):
        begin(services)
    clock.advance(timedelta(hours=23))
    with services.database.writing() as db:
        forget(db, services.now())
    assert count(services, LoginFailure) == 5
    clock.advance(timedelta(hours=1, seconds=1))
    with services.database.writing() as db:
        forget(db, services.now())
    assert count(services, LoginFailure) == 0
    assert not begin(services)


def test_a_code_that_two_send_at_one_moment_lets_one_in(services: Services, anna: int, clock: Clock) -> None:
    code = pyotp.TOTP(SECRET).at(services.now())

    def come(_: int) -> int | None:
        with services.database.writing() as db:
            right = [login.Candidate(anna, "hash")]
            return login.let_in(db, services.vault, ATTEMPT, right, code, services.now())

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(come, range(4)), key=str) == [anna, None, None, None]


def test_who_looked_at_an_old_hash_is_not_let_in(services: Services, anna: int) -> None:
    with services.database.writing() as db:
        second_factor.turn_off(db.get_one(Account, anna))
        assert login.let_in(db, services.vault, ATTEMPT, [login.Candidate(anna, "older")], "", services.now()) is None
        assert login.let_in(db, services.vault, ATTEMPT, [login.Candidate(anna, "hash")], "", services.now()) == anna


def test_of_many_who_use_one_link_at_one_moment_one_comes_in(services: Services, house: House, anna: int) -> None:
    with services.database.writing() as db:
        address = ways_in.make_link(db, house, anna, services.now())
    way_id = ways_in.read(house.signing, ways_in.LOGIN, address.rpartition("/")[2])
    assert way_id is not None

    def use(_: int) -> int | None:
        with services.database.writing() as db:
            return ways_in.use(db, ways_in.LOGIN, way_id, services.now())

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4)), key=str) == [anna, None, None, None]


def test_many_wishes_for_a_mail_at_one_moment_make_three(services: Services, house: House) -> None:
    def ask(_: int) -> None:
        with services.database.writing() as db:
            ways_in.ask_reset(db, house, "anna@example.org", "network", services.now())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(12)))
    assert count(services, Job) == count(services, WayIn) == 3


def test_wishes_for_a_mail_are_no_failed_attempts(services: Services, house: House) -> None:
    with services.database.writing() as db:
        for _ in range(9):
            ways_in.ask_reset(db, house, "anna@example.org", "network", services.now())
    attempt = login.Attempt(house.signing.keyed_hash("login", "anna@example.org"), "network")
    assert not begin(services, attempt)


def test_ended_sessions_and_old_links_are_forgotten(services: Services, house: House, anna: int, clock: Clock) -> None:
    with services.database.writing() as db:
        door.open_session(db, anna, "token", "public", services.now(), browser="")
        ways_in.make_link(db, house, anna, services.now())
    for days, left in ((6, (1, 1)), (2, (1, 0)), (23, (0, 0))):
        clock.advance(timedelta(days=days))
        with services.database.writing() as db:
            forget(db, services.now())
        assert (count(services, DeskSession), count(services, WayIn)) == left


def test_all_sessions_but_one_end_with_a_new_password(services: Services, anna: int) -> None:
    with services.database.writing() as db:
        for number in range(3):
            door.open_session(db, anna, f"token{number}", f"public{number}", services.now(), browser="")
        door.set_password(db, anna, "new", services.now(), keep="public1")
    with services.database.reading() as db:
        found = [door.find_session(db, f"token{number}", services.now()) for number in range(3)]
    assert [session is not None for session in found] == [False, True, False]


def test_an_owner_has_no_password_until_one_is_set(services: Services) -> None:
    with services.database.writing() as db:
        (owner,) = door.owners_without_password(db)
        door.set_password(db, owner.id, "hash", services.now())
        db.flush()
        assert door.owners_without_password(db) == []
