"""Health: what is wrong is said in the owner's words, with what to do; nothing that only the operator may know."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.calendars.port import AuthRefused, Refused, Unreachable
from booking.doctor import Finding
from booking.mail.smtp import MailDelayed
from booking.rules.hours import Timetable
from booking.services import Services
from booking.store.models import Calendar, Installation, Job, Owner
from booking.web.desk.examiner import Busy, Examiner
from booking.web.desk.health_words import worded
from booking.worker import heartbeat
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY, Clock, MailBox, MemoryCalendar, Server
from tests.web.visitors import TUESDAY, Visitor, dump

HEALTH = "/desk/health"


@pytest.fixture
def well(house: Services) -> Desk:
    """Anna's desk, at which nothing is wrong."""
    heartbeat(house)
    with_mail = replace(house, settings=replace(house.settings, smtp_url="smtp://mail.example.org"))
    return Desk(create_app(with_mail.settings, with_mail), "anna")


def change(services: Services, table: type[Any], **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(table).values(**values))


def examined(desk: Desk) -> str:
    answer = desk.send(HEALTH, HEALTH)
    assert answer.status_code == 200
    return answer.text


def needs_a_look(text: str) -> str:
    """Return the part of the page that says what is wrong."""
    return text.partition('id="ill"')[2].partition("<form")[0]


class TestGlance:
    def test_where_nothing_is_wrong_it_is_said(self, well: Desk) -> None:
        text = well.read(HEALTH)
        assert "All is well, as far as can be told." in text
        assert needs_a_look(text) == ""
        assert "All is well" in well.read("/desk/settings")

    @pytest.mark.parametrize(
        ("table", "values", "words"),
        [
            (Installation, {"worker_seen_at": None}, "It has never run: no mail leaves, and no calendar is read."),
            (
                Installation,
                {"worker_seen_at": MONDAY - timedelta(minutes=5)},
                "It has stood still since Mon 23 Nov, 8:55",
            ),
            (Installation, {"worker_seen_at": MONDAY + timedelta(minutes=5)}, "It is off by more than two minutes"),
            (Installation, {"backed_up_at": MONDAY - timedelta(days=8)}, "The last one was made on Sun 15 Nov, 9:00."),
            (Owner, {"timetable": Timetable()}, "There are no business hours, so that no time is offered."),
            (Calendar, {"takes_calls": False}, "No calendar takes the calls."),
            (
                Calendar,
                {"last_error": "x", "error_kind": "AuthRefused"},
                "Its server refuses the name or the password.",
            ),
            (Calendar, {"read_at": MONDAY - timedelta(hours=3)}, "That is too long ago"),
        ],
    )
    def test_what_is_wrong_is_said_with_what_to_do(
        self, well: Desk, table: type[Any], values: dict[str, object], words: str
    ) -> None:
        change(well.services, table, **values)
        assert words in needs_a_look(well.read(HEALTH))
        assert "needs a look" in well.read("/desk/settings").replace("need a look", "needs a look")

    def test_an_owner_without_call_types_is_led_to_the_settings(self, well: Desk) -> None:
        with well.services.database.writing() as db:
            db.execute(sa.text("DELETE FROM call_type"))
        assert "Nothing can be booked yet." in needs_a_look(well.read(HEALTH))

    def test_a_worker_that_lives_but_is_late_is_said(self, well: Desk, clock: Clock) -> None:
        Visitor(well.app, "192.0.2.99").token(TUESDAY)
        clock.advance(timedelta(minutes=11))
        heartbeat(well.services)
        assert "It is 11 minutes behind: mails leave late." in needs_a_look(well.read(HEALTH))

    def test_stuck_messages_lead_to_them(self, well: Desk) -> None:
        Visitor(well.app, "192.0.2.99").token(TUESDAY)
        change(well.services, Job, parked_at=MONDAY, error_kind="MailRefused")
        text = needs_a_look(well.read(HEALTH))
        assert "messages could not be sent." in text
        assert 'href="/desk/messages"' in text

    def test_it_is_said_where_mails_reach_nobody_because_there_is_no_mail_server(self, desk: Desk) -> None:
        heartbeat(desk.services)
        assert "No mail server is set up: mails reach nobody." in needs_a_look(desk.read(HEALTH))
        assert examined(desk).count("No mail server is set up") == 1

    def test_a_paused_calendar_is_no_illness(self, well: Desk) -> None:
        change(well.services, Calendar, paused_at=MONDAY, read_at=None)
        assert needs_a_look(well.read(HEALTH)) == ""

    def test_a_database_of_another_version_is_said(self, well: Desk) -> None:
        with well.services.database.writing() as db:
            db.execute(sa.text("UPDATE alembic_version SET version_num = 'of the future'"))
        assert "of another version" in needs_a_look(well.read(HEALTH))

    def test_looking_asks_nobody_and_changes_nothing(self, well: Desk, server: Server, mailbox: MailBox) -> None:
        mailbox.failing = [MailDelayed("never asked")]
        before = dump(well.services)
        well.read(HEALTH)
        well.open(HEALTH, "HEAD")
        assert dump(well.services) == before
        assert [calendar.asked for calendar in server.calendars.values()] == []
        assert mailbox.failing, "nobody asked the mail server"


class TestExamination:
    def test_everything_is_looked_at_and_what_is_well_is_said(self, well: Desk, server: Server) -> None:
        text = examined(well)
        assert "Everything was examined just now." in text
        assert "the calendar was read, a test entry was written, read back and removed." in text
        assert "There is enough room." in text
        assert "It fits what is stored." in text
        assert server["/anna/calls/"].objects == {}

    def test_nobody_else_s_calendar_is_touched(self, well: Desk, server: Server) -> None:
        server["/bert/calls/"].failing = Unreachable("down")
        assert "Calendar" not in needs_a_look(examined(well))
        assert server["/bert/calls/"].asked == 0

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (AuthRefused("no"), "Its server refuses the name or the password."),
            (Unreachable("secret.example is down"), "Its server does not answer as it should."),
        ],
    )
    def test_a_calendar_that_does_not_answer_is_said_with_what_to_do(
        self, well: Desk, server: Server, error: AuthRefused | Unreachable, words: str
    ) -> None:
        server["/anna/calls/"].failing = error
        text = needs_a_look(examined(well))
        assert "The calendar can&#39;t be read." in text
        assert words in text
        assert "secret.example" not in text

    def test_a_calendar_that_can_only_be_read_is_said(self, well: Desk, server: Server) -> None:
        class ReadOnly(MemoryCalendar):
            def put(self, href: str, ics: str, *, replaces: str | None) -> None:
                raise Refused("no")

        server.calendars["/anna/calls/"] = ReadOnly()
        assert "nothing can be written there" in needs_a_look(examined(well))

    def test_a_mail_server_that_is_away_is_said_without_its_name(self, well: Desk, mailbox: MailBox) -> None:
        mailbox.failing = [MailDelayed("no conversation with mx.secret.example:587")]
        text = examined(well)
        assert "Mails can&#39;t leave at the moment. They wait and are tried again." in needs_a_look(text)
        assert "secret" not in text.replace("Secret key", "")

    def test_nothing_of_the_operator_s_is_shown(self, well: Desk, tmp_path: Path) -> None:
        """No folder, no setting's name, no other owner."""
        for text in (well.read(HEALTH), examined(well)):
            for secret in (str(tmp_path), "DATA_DIR", "SMTP_URL", "BASE_URL", "SECRET_KEY", "flask", "Bert", "bert"):
                assert secret not in text, secret

    def test_a_form_without_its_token_examines_nothing(self, well: Desk, server: Server) -> None:
        answer = well.post(HEALTH, data={})
        assert answer.status_code == 400
        assert "press the button once more" in answer.text
        assert server.calendars == {}

    def test_it_leaves_nothing_behind(self, well: Desk) -> None:
        form = well.form(HEALTH, HEALTH)
        before = dump(well.services)
        well.post(HEALTH, data={**form.fields, "owner_id": "2", "calendar": "2"})
        assert dump(well.services) == before


class TestOneAtATime:
    @pytest.fixture
    def slow(self) -> Iterator[threading.Event]:
        """Set it, and everything that hangs goes on."""
        event = threading.Event()
        yield event
        event.set()

    def test_what_hangs_is_said_to_be_late_and_the_rest_is_known(self, slow: threading.Event) -> None:
        def hang() -> Iterator[Finding]:
            slow.wait(30)
            yield from ()

        begun = time.monotonic()
        found = Examiner().examine({"mail": hang, "disk": lambda: iter([WELL])}, 0.2, unanswered=OSError)
        assert time.monotonic() - begun < 5
        assert found == {"disk": [WELL]}

    def test_a_second_examination_has_to_wait_until_the_threads_of_the_first_have_ended(
        self, slow: threading.Event
    ) -> None:
        def hang() -> Iterator[Finding]:
            slow.wait(30)
            yield from ()

        examiner = Examiner()
        examiner.examine({"mail": hang}, 0.05, unanswered=OSError)
        with pytest.raises(Busy):
            examiner.examine({"disk": lambda: iter([WELL])}, 5, unanswered=OSError)
        slow.set()
        assert eventually(lambda: examiner.examine({"disk": lambda: iter([WELL])}, 5, unanswered=OSError)) == {
            "disk": [WELL]
        }

    def test_a_look_that_can_t_find_anything_out_does_not_end_the_others(self) -> None:
        def broken() -> Iterator[Finding]:
            raise OSError("no database")

        looks = {"secrets": broken, "disk": lambda: iter([WELL])}
        assert Examiner().examine(looks, 5, unanswered=OSError) == {"secrets": None, "disk": [WELL]}

    def test_whoever_comes_second_is_told_to_try_again(
        self, house: Services, mailbox: MailBox, slow: threading.Event
    ) -> None:
        begun = threading.Event()

        class Hanging(MailBox):
            def check(self) -> None:
                begun.set()
                slow.wait(30)

        app: Flask = create_app(house.settings, replace(house, mail=Hanging()))
        anna, bert = Desk(app, "anna"), Desk(app, "bert")
        form = bert.form(HEALTH, HEALTH)
        first = threading.Thread(target=lambda: anna.send(HEALTH, HEALTH))
        first.start()
        assert begun.wait(10)
        answer = bert.post(HEALTH, data=form.fields)
        slow.set()
        first.join()
        assert answer.status_code == 409
        assert "An examination is under way already." in answer.text


WELL = Finding("folder", True, "well", "disk.well")


def eventually(examine: Callable[[], object]) -> object:
    """Examine as soon as nobody else does."""
    ends = time.monotonic() + 10
    while True:
        try:
            return examine()
        except Busy:
            assert time.monotonic() < ends
            threading.Event().wait(0.01)


ILLNESSES = [
    "disk.full",
    "disk.shut",
    "disk.low",
    "database.silent",
    "database.other",
    "key.other",
    "owner.no_call_types",
    "owner.no_hours",
    "owner.no_calendar",
    "owner.no_address",
    "worker.never",
    "worker.gone",
    "worker.behind",
    "backup.old",
    "mail.stuck",
    "clock.off",
    "address.wrong",
    "language.lacking",
    "calendar.wrong",
    "event.odd",
]


@pytest.mark.parametrize("locale", ["en", "de", "ru"])
def test_every_illness_has_words_and_advice_in_every_language(desk: Desk, locale: str) -> None:
    with desk.services.database.reading() as db:
        row = db.scalars(sa.select(Calendar)).first()
    facts = {"seen_at": MONDAY, "minutes": 11, "made_at": None, "language": "de", "calendar": row, "trial": None}
    change(desk.services, Owner, locale=locale)
    with desk.client:
        desk.read(HEALTH)
        for kind in ILLNESSES:
            item = worded(Finding("x", False, "for the operator", kind, facts))
            assert item.title
            assert item.advice, kind
            assert "operator" not in item.words
