"""The commands by which an operator lets an owner in."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from booking.app import create_app
from booking.services import Services
from booking.store.models import Owner
from booking.usecases import door
from tests.cli.conftest import Operator
from tests.fakes import Clock
from tests.web.visitors import Visitor

NEW = ("owner", "add", "--slug", "ben", "--name", "Ben", "--email", "ben@example.org", "--password-stdin")


def test_a_login_link_opens_the_desk_once_within_an_hour(anna: Operator, services: Services, clock: Clock) -> None:
    made = anna.ask("owner", "login-link", "--owner", "anna")
    assert made["expires_at"] == (clock() + timedelta(hours=1)).isoformat()
    visitor = Visitor(create_app(services.settings, services))
    path = made["url"].removeprefix("https://calls.example.org")
    form = visitor.page(path).post_form
    assert visitor.post(path, data=form.fields).status_code == 303
    assert visitor.get("/desk/account").status_code == 200
    assert visitor.get(path).status_code == 404


def test_the_link_stands_alone_on_the_first_line(anna: Operator) -> None:
    first, second = anna.run("owner", "login-link", "--owner", "anna").splitlines()
    assert first.startswith("https://calls.example.org/desk/in/")
    assert "once" in second


def test_a_login_link_for_nobody_is_refused(anna: Operator) -> None:
    assert "there is no owner 'otto'" in anna.fail("owner", "login-link", "--owner", "otto")


def test_an_owner_can_be_added_with_a_password(operator: Operator, services: Services) -> None:
    operator.run(*NEW, stdin="four plain words apart\n")
    with services.database.reading() as db:
        ben = db.scalars(sa.select(Owner)).one()
        password_hash = door.find_account(db, ben.id).password_hash
    assert services.passwords.matches(password_hash, "four plain words apart")


def test_without_the_option_no_password_is_set(anna: Operator, operator: Operator, services: Services) -> None:
    operator.run(*NEW[:-1], stdin="four plain words apart\n")
    with services.database.reading() as db:
        assert [owner.slug for owner in door.owners_without_password(db)] == ["anna", "ben"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "at least 10 letters"), ("x" * 201, "at most 200 letters"), ("password123", "easy to guess")],
)
def test_an_owner_with_a_password_that_can_not_be_taken_is_not_added(
    operator: Operator, services: Services, typed: str, said: str
) -> None:
    assert said in operator.fail(*NEW, stdin=typed + "\n")
    with services.database.reading() as db:
        assert db.scalars(sa.select(Owner)).all() == []
