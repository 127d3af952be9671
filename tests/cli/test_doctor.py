"""The doctor: well is well, and each illness is named with its cure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.calendars.port import AuthRefused
from booking.mail.smtp import MailDelayed
from booking.rules.hours import Timetable
from booking.services import Services
from booking.settings import Settings
from booking.store.models import Calendar, CalendarResource, CallType, Installation, Job, Owner
from booking.store.vault import Vault
from booking.usecases.reserve import book
from booking.web.reserving import house
from booking.worker import heartbeat
from tests.builders import wish
from tests.cli.conftest import Operator, operator_of
from tests.fakes import MONDAY, MailBox, Server


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, trusted_proxies=1)


@pytest.fixture
def well(anna: Operator, services: Services) -> Operator:
    """An installation that lacks nothing."""
    heartbeat(services)
    return anna


def complaints(operator: Operator) -> list[str]:
    """Return what the doctor finds wrong, as it says it."""
    result = operator.invoke(["doctor"], "")
    bad = [line.removeprefix("BAD  ") for line in result.output.splitlines() if line.startswith("BAD")]
    assert result.exit_code == (1 if bad else 0), result.output
    return bad


def only_complaint(operator: Operator) -> str:
    (complaint,) = complaints(operator)
    return complaint


def test_an_installation_that_lacks_nothing_is_well(well: Operator) -> None:
    assert complaints(well) == []
    assert all(finding["ok"] for finding in well.ask("doctor"))


def test_a_database_without_tables_ends_the_examination(settings: Settings, services: Services) -> None:
    url = f"sqlite:///{settings.data_dir}/empty.db"
    empty = replace(services, database=type(services.database)(url))
    assert "db upgrade" in only_complaint(operator_of(settings, empty))


def test_a_database_that_does_not_answer_is_named(settings: Settings, services: Services) -> None:
    url = f"sqlite:///{settings.data_dir}"  # a folder
    broken = replace(services, database=type(services.database)(url))
    assert "DATABASE_URL" in only_complaint(operator_of(settings, broken))


def test_another_secret_key_is_noticed(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Installation).values(key_fingerprint="another"))
    assert "another SECRET_KEY" in only_complaint(well)


def test_a_password_of_another_key_is_noticed(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        locked = Vault(("another key that is long enough, too",)).lock("secret")
        db.execute(update(Calendar).values(password_encrypted=locked))
    said = complaints(well)
    assert "secret key: a stored secret was encrypted with another SECRET_KEY" in said[0]


def test_an_installation_without_owners_is_told_how_to_begin(operator: Operator, services: Services) -> None:
    heartbeat(services)
    assert "owner add" in only_complaint(operator)


def test_an_owner_without_call_types_can_not_be_called(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        db.delete(db.scalars(select(CallType)).one())
    assert "call-type add" in only_complaint(well)


def test_an_owner_without_hours_can_not_be_called(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Owner).values(timetable=Timetable()))
    assert "hours set" in only_complaint(well)


def test_an_owner_without_a_calendar_for_the_calls_is_told(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Calendar).values(takes_calls=False))
    assert "--bookings" in only_complaint(well)


def test_an_owner_whose_address_nobody_can_write_to_is_told(
    settings: Settings, services: Services, well: Operator
) -> None:
    well.run("owner", "set", "--owner", "anna", "email=anna@localhost")
    with_mail = replace(settings, smtp_url="smtp://mail.example.org")
    assert "email=…" in only_complaint(operator_of(with_mail, replace(services, settings=with_mail)))


def test_a_calendar_that_refuses_the_password_is_named(well: Operator, server: Server) -> None:
    server["/anna/calls/"].failing = AuthRefused("the name or password is refused")
    assert only_complaint(well) == "calendar 1 of anna: the name or password is refused"


def test_an_event_that_can_not_be_understood_is_named(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        row = CalendarResource(calendar_id=1, href="/odd.ics", etag="1", uid="odd", ics="", problem="no start")
        db.add(row)
    assert "event /odd.ics in calendar 1: can't be understood (no start)" in only_complaint(well)


def test_a_worker_that_never_ran_is_noticed(anna: Operator) -> None:
    assert "has never run" in only_complaint(anna)


def test_a_worker_that_fell_silent_is_noticed(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(update(Installation).values(worker_seen_at=MONDAY - timedelta(minutes=3)))
    assert "last seen at 2026-11-23 07:57 UTC" in only_complaint(well)


def test_a_mail_server_that_refuses_is_quoted(well: Operator, mailbox: MailBox) -> None:
    mailbox.failing = [MailDelayed("the mail server refused the login")]
    assert only_complaint(well) == "mail: the mail server refused the login"


def test_mails_that_were_given_up_are_counted(well: Operator, services: Services) -> None:
    with services.database.writing() as db:
        book(db, house(services), "anna", "call", wish(), services.now())
        db.execute(update(Job).where(Job.kind == "mail").values(parked_at=MONDAY, last_error="550 no such user"))
    assert "outbox: 2 given up (550 no such user)" in only_complaint(well)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_url": "http://127.0.0.1:8000", "smtp_url": "smtp://x"}, "only this machine"),
        ({"base_url": "http://localhost:8000", "smtp_url": "smtp://x"}, "only this machine"),
        ({"base_url": "http://calls.example.org"}, "without https"),
        ({"trusted_proxies": 0}, "TRUSTED_PROXIES=1"),
    ],
)
def test_an_address_that_will_not_do_is_named(
    settings: Settings, services: Services, well: Operator, changes: dict[str, object], words: str
) -> None:
    changed = replace(settings, **changes)  # type: ignore[arg-type]
    assert words in only_complaint(operator_of(changed, replace(services, settings=changed)))
