"""Setting up: the key, owners, call types; on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.errors import InvalidText, NotFound, SettingsError
from booking.services import Services
from booking.store.models import Calendar, Installation
from booking.store.vault import Vault
from booking.usecases import setup
from tests.fakes import MONDAY

NEW_KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
BEN = setup.NewOwner("ben", "Ben", "ben@example.org", "Europe/Vienna", "de", "AT")
TALK = setup.NewCallType(slug="talk", name="Talk", minutes=20)


def test_a_database_is_tied_to_the_key_it_was_made_with(services: Services) -> None:
    with services.database.writing() as db:
        db.delete(db.scalars(select(Installation)).one())
        db.flush()
        setup.check_key(db, services.vault)
        setup.check_key(db, services.vault)
    with services.database.writing() as db, pytest.raises(SettingsError, match="another key"):
        setup.check_key(db, Vault((NEW_KEY,)))


def test_after_a_rotation_the_old_key_is_not_needed_any_more(services: Services) -> None:
    both = Vault((NEW_KEY, *services.settings.secret_keys))
    with services.database.writing() as db:
        db.execute(update(Calendar).values(password_encrypted=services.vault.lock("secret")))
        setup.check_key(db, both)
    new = Vault((NEW_KEY,))
    with services.database.writing() as db:
        setup.check_key(db, new)
        assert new.unlock(db.scalars(select(Calendar.password_encrypted)).one()) == "secret"


def test_it_is_known_whether_anybody_can_be_called(services: Services) -> None:
    with services.database.reading() as db:
        assert setup.has_owner(db)


def test_an_owners_slug_is_unique(services: Services) -> None:
    with services.database.writing() as db:
        setup.add_owner(db, BEN)
        with pytest.raises(InvalidText, match="there is an owner 'ben' already"):
            setup.add_owner(db, BEN)
        with pytest.raises(InvalidText, match="there is an owner 'anna' already"):
            setup.set_owner(db, "ben", ["slug=anna"])
        assert setup.set_owner(db, "ben", ["slug=ben", "name=Benno"]).name == "Benno"
        assert [owner.slug for owner in setup.list_owners(db)] == ["anna", "ben"]


@pytest.mark.parametrize(("pair", "is_read_again"), [("timezone=Asia/Tokyo", True), ("name=Anne", False)])
def test_another_zone_has_the_calendars_read_again_at_once(services: Services, pair: str, is_read_again: bool) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(next_read_at=MONDAY + timedelta(minutes=2)))
    with services.database.writing() as db:
        setup.set_owner(db, "anna", [pair])
    with services.database.reading() as db:
        assert (db.scalars(select(Calendar.next_read_at)).one() is None) is is_read_again


def test_the_first_call_type_stands_first_and_the_next_behind_it(services: Services) -> None:
    with services.database.writing() as db:
        setup.add_owner(db, BEN)
        assert setup.add_call_type(db, "ben", TALK).position == 0
        assert setup.add_call_type(db, "anna", TALK).position == 1


def test_a_call_types_slug_is_unique_for_its_owner(services: Services) -> None:
    with services.database.writing() as db:
        setup.add_call_type(db, "anna", TALK)
        with pytest.raises(InvalidText, match="anna has a call type 'call' already"):
            setup.set_call_type(db, "anna", "talk", ["slug=call"])
        assert setup.set_call_type(db, "anna", "talk", ["slug=chat"]).slug == "chat"


@pytest.mark.parametrize(("pair", "is_read_again"), [("horizon_days=90", True), ("minutes=45", False)])
def test_a_farther_horizon_has_the_calendars_read_again_at_once(
    services: Services, pair: str, is_read_again: bool
) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(next_read_at=MONDAY + timedelta(minutes=2)))
    with services.database.writing() as db:
        setup.set_call_type(db, "anna", "call", [pair])
    with services.database.reading() as db:
        assert (db.scalars(select(Calendar.next_read_at)).one() is None) is is_read_again


def test_unknown_owners_and_call_types_are_named(services: Services) -> None:
    with services.database.writing() as db:
        with pytest.raises(NotFound, match="'otto'"):
            setup.set_owner(db, "otto", [])
        with pytest.raises(NotFound, match="'talk'"):
            setup.set_call_type(db, "anna", "talk", [])
