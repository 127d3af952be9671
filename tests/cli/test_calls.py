"""The commands about calls, and about what is kept of one client."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from booking.services import Services
from booking.store.models import Call, Job
from booking.usecases.reserve import book
from booking.web.reserving import house
from booking.worker import run_once
from tests.builders import wish
from tests.cli.conftest import Operator
from tests.fakes import Clock, MailBox

TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.fixture
def call(anna: Operator, services: Services) -> Call:
    """Kim's call on Tuesday at 9:30 in Berlin."""
    with services.database.writing() as db:
        return book(db, house(services), "anna", "call", wish(TUESDAY, note="About a speech"), services.now())


def test_calls_to_come_are_listed_in_the_owners_time(anna: Operator, call: Call) -> None:
    said = anna.run("call", "list", "--owner", "anna")
    assert said == f"{call.id}  Tue 2026-11-24 09:30  confirmed  First call, owner calls: Kim +491701234567\n"


def test_past_calls_are_listed_when_asked_for(anna: Operator, call: Call, clock: Clock) -> None:
    clock.advance(timedelta(days=2))
    assert anna.ask("call", "list", "--owner", "anna") == []
    assert [one["id"] for one in anna.ask("call", "list", "--owner", "anna", "--all")] == [call.id]


def test_without_calls_the_list_says_so(anna: Operator) -> None:
    assert anna.run("call", "list", "--owner", "anna") == "No calls.\n"


def test_calls_of_an_unknown_owner_are_not_listed(anna: Operator) -> None:
    anna.fail("call", "list", "--owner", "otto")


def test_a_call_is_shown_with_note_and_history(anna: Operator, call: Call) -> None:
    said = anna.run("call", "show", call.id)
    assert "note: About a speech" in said
    assert "2026-11-23 08:00 book by client" in said
    assert anna.ask("call", "show", call.id)["starts_at"] == "2026-11-24T08:30:00+00:00"


def test_a_call_that_is_not_there_is_not_shown(anna: Operator) -> None:
    assert "there is no call 'x'" in anna.fail("call", "show", "x")


def test_the_owner_can_cancel_and_the_client_is_told(
    anna: Operator, call: Call, services: Services, mailbox: MailBox
) -> None:
    assert "told by mail" in anna.run("call", "cancel", call.id)
    while run_once(services):
        pass
    assert anna.ask("call", "show", call.id)["state"] == "cancelled"
    assert any("CANCEL" in message.as_string() for message in mailbox.to("kim@example.com"))


def test_a_client_without_an_address_is_told_by_phone(anna: Operator, services: Services) -> None:
    with services.database.writing() as db:
        call = book(db, house(services), "anna", "call", wish(TUESDAY, email=""), services.now())
    assert "by phone" in anna.run("call", "cancel", call.id)


def test_the_owner_can_decline_a_request_and_the_client_is_told(anna: Operator, services: Services) -> None:
    with services.database.writing() as db:
        call = book(db, house(services), "anna", "call", wish(TUESDAY), services.now(), in_doubt=True)
    assert anna.run("call", "cancel", call.id) == "Declined; the client is told by mail.\n"
    assert anna.ask("call", "show", call.id)["state"] == "declined"


def test_the_owner_can_move_a_call_and_the_client_is_told(
    anna: Operator, call: Call, services: Services, mailbox: MailBox
) -> None:
    assert "told by mail" in anna.run("call", "move", call.id, "2026-11-26T10:00")
    while run_once(services):
        pass
    assert anna.ask("call", "show", call.id)["starts_at"].startswith("2026-11-26")
    subjects = [str(message["Subject"]) for message in mailbox.to("kim@example.com")]
    assert "New time for our call: Thursday, 26 November, 10:00" in subjects


def test_a_call_is_not_moved_to_a_time_that_is_not_free_or_can_t_be_read(anna: Operator, call: Call) -> None:
    anna.fail("call", "move", call.id, "2026-11-26T03:00")
    assert "2026-12-01T09:30" in anna.fail("call", "move", call.id, "tomorrow")


def test_a_cancelled_call_can_not_be_cancelled_again(anna: Operator, call: Call) -> None:
    anna.run("call", "cancel", call.id)
    anna.fail("call", "cancel", call.id)


def test_everything_about_a_client_is_handed_out(anna: Operator, call: Call) -> None:
    kept = anna.ask("export", "--owner", "anna", "--client", "Kim@Example.com")
    assert [one["note"] for one in kept["calls"]] == ["About a speech"]
    assert {mail["facts"]["to"] for mail in kept["mails"]} == {"client", "owner"}
    assert "1 calls, 3 mails" in anna.run("export", "--owner", "anna", "--client", "kim@example.com")


def test_nothing_is_handed_out_about_an_unknown_client(anna: Operator) -> None:
    assert "nothing is kept" in anna.fail("export", "--owner", "anna", "--client", "otto@example.org")


def test_a_client_can_be_erased_when_the_call_is_over(
    anna: Operator, call: Call, services: Services, clock: Clock
) -> None:
    while run_once(services):
        pass
    with services.database.reading() as db:
        mail = db.scalars(select(Job.id).where(Job.kind == "mail").limit(1)).one()
    file = services.settings.data_dir / "mail" / f"{mail}.eml"
    file.parent.mkdir()
    file.write_text("To: kim@example.com")
    clock.advance(timedelta(days=2))

    assert anna.ask("erase", "--owner", "anna", "--client", "kim@example.com") == {"calls": 1, "mails": 3}

    shown = anna.run("call", "show", call.id, "--json") + anna.run("call", "list", "--owner", "anna", "--all")
    assert "(erased)" in shown
    assert not any(word in shown for word in ("Kim", "kim@", "4917", "speech"))
    assert not file.exists()


def test_a_client_whose_call_is_to_come_is_not_erased(anna: Operator, call: Call) -> None:
    said = anna.fail("erase", "--owner", "anna", "--client", "kim@example.com")
    assert f"call cancel {call.id}" in said
