"""Messages: every mail with its text and how it stands; what is stuck is tried again or dropped, with no surprise."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from booking.mail.smtp import MailDelayed, MailRefused, MailUncertain
from booking.services import Services
from booking.store import outbox
from booking.store.accounts import PhoneTask
from booking.store.models import Call, Job, Owner
from booking.usecases.housekeeping import empty_calls
from booking.usecases.ways_in import ask_reset
from booking.web.reserving import house as house_of
from booking.worker import run_once
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY, Clock, MailBox
from tests.web.visitors import TUESDAY, Visitor, dump

LIST = "/desk/messages"
STUCK = "/desk/messages?which=stuck"


@pytest.fixture
def client(desk: Desk) -> Visitor:
    return Visitor(desk.app, "192.0.2.99")


def job_of(services: Services, to: str = "client", message: str = "booked", owner: str = "anna") -> Job:
    with services.database.reading() as db:
        jobs = db.scalars(sa.select(Job).join(Owner, Owner.id == Job.owner_id).where(Owner.slug == owner)).all()
    return next(job for job in jobs if (job.payload.get("to"), job.payload.get("message")) == (to, message))


def change(services: Services, job: Job, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Job).where(Job.number == job.number).values(**values))


def park(services: Services, job: Job, kind: str = "MailRefused", error: str = "") -> str:
    """Let a message have been given up; return the address of its page."""
    said = error or "the mail server refused the mail: 550 5.1.1 no such user"
    change(services, job, parked_at=MONDAY, attempts=1, error_kind=kind, last_error=said)
    return f"{LIST}/{job.id}"


def do_what_is_due(services: Services) -> None:
    while run_once(services):
        pass


def tasks(services: Services) -> list[PhoneTask]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(PhoneTask)))


class TestList:
    def test_an_empty_list_says_when_it_fills(self, desk: Desk) -> None:
        assert "As soon as a call is booked" in desk.read(LIST)
        assert "Nothing is stuck." in desk.read(STUCK)
        assert "Nothing waits." in desk.read(f"{LIST}?which=waiting")

    def test_every_mail_says_to_whom_about_what_and_how_it_stands(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        text = desk.read(LIST)
        assert "Our call on Tuesday, 24 November, 9:00" in text
        assert "Kim 1 (kim1@example.com)" in text
        assert "leaves in a moment" in text
        assert f"/desk/calls/{job_of(desk.services).call_id}" in text
        assert "waits until Tue 24 Nov, 8:00" in text  # the reminder

    def test_what_was_sent_says_when(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        do_what_is_due(desk.services)
        assert "sent on Mon 23 Nov, 9:00" in desk.read(LIST)
        assert "sent on" not in desk.read(f"{LIST}?which=waiting")

    def test_the_newest_stand_first_and_older_ones_on_further_pages(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        with desk.services.database.writing() as db:
            facts = job_of(desk.services).payload
            for number in range(30):
                payload = {**facts, "client_name": f"Nr. {number}."}
                job = Job(id=f"n{number}", owner_id=1, kind="mail", group=f"g{number}", payload=payload)
                job.created_at = job.not_before = MONDAY
                db.add(job)
        first, second = desk.read(LIST), desk.read(f"{LIST}?page=1")
        assert first.index("Nr. 29.") < first.index("Nr. 28.")
        assert "Nr. 4." not in first
        assert second.index("Nr. 4.") < second.index("Kim 1")

    def test_a_calendar_entry_is_shown_only_where_it_is_stuck(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        assert "Your calendar" not in desk.read(LIST)
        with desk.services.database.writing() as db:
            values = {"parked_at": MONDAY, "error_kind": "Refused", "last_error": "no"}
            db.execute(sa.update(Job).where(Job.kind == "calendar").values(**values))
        for path in (LIST, STUCK):
            text = desk.read(path)
            assert "Your calendar" in text
            assert "The calendar does not take this entry." in text

    def test_what_was_given_up_for_a_call_that_is_over_is_not_stuck(
        self, desk: Desk, client: Visitor, clock: Clock
    ) -> None:
        client.token(TUESDAY)
        park(desk.services, job_of(desk.services))
        assert "given up" in desk.read(STUCK)
        clock.advance(timedelta(days=2))
        assert "Nothing is stuck." in desk.read(STUCK)
        assert "given up" in desk.read(LIST)

    @pytest.mark.parametrize("query", ["which=nonsense", "page=-1", "page=99999999999", "page=x", "which=%00"])
    def test_a_question_that_makes_no_sense_is_still_answered(self, desk: Desk, query: str) -> None:
        assert desk.get(f"{LIST}?{query}").status_code == 200


class TestReasons:
    """Why a message could not be sent is said without servers, folders and addresses."""

    def test_a_refusal_is_quoted_without_the_places_in_it(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        error = "the mail server refused the mail: 550 5.1.1 mx.secret.example [192.0.2.7] https://a.example/x: no user"
        text = desk.read(park(desk.services, job_of(desk.services), error=error))
        assert "550 5.1.1" in text
        assert "no user" in text
        assert not [place for place in ("secret", "192.0.2.7", "a.example") if place in text]

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("MailDelayed", "be reached, or does not take it yet"),
            ("MailUncertain", "Whether the message has left, nobody knows."),
            ("HeldBack", "held back: This service was brought back from a backup"),
            ("Unexpected", "Whoever runs this service finds the cause in its log."),
            ("", "Whoever runs this service finds the cause in its log."),
        ],
    )
    def test_what_is_for_the_operator_is_not_shown(self, desk: Desk, client: Visitor, kind: str, words: str) -> None:
        client.token(TUESDAY)
        text = desk.read(park(desk.services, job_of(desk.services), kind, "no conversation with mx.secret.example"))
        assert words in text
        assert "secret" not in text

    def test_what_is_tried_again_says_how_often_and_when(self, desk: Desk, client: Visitor, mailbox: MailBox) -> None:
        client.token(TUESDAY)
        mailbox.failing = [MailDelayed("450 later")]
        do_what_is_due(desk.services)
        text = desk.read(f"{LIST}/{job_of(desk.services).id}")
        assert "tried 1 time: The mail server can&#39;t be reached" in text
        assert "Next attempt: Mon 23 Nov, 9:01." in text


class TestText:
    def test_a_mail_can_be_read_exactly_as_it_was_sent(
        self, desk: Desk, client: Visitor, mailbox: MailBox, clock: Clock
    ) -> None:
        client.token(TUESDAY, note="About <the> catalogue")
        clock.advance(timedelta(minutes=5))
        do_what_is_due(desk.services)
        clock.advance(timedelta(days=20))
        for name, message in zip(mailbox.names, mailbox.sent, strict=True):
            body = message.get_body(("plain",))
            assert body is not None
            page = desk.page(f"{LIST}/{name}")
            text = desk.read(f"{LIST}/{name}")
            shown = text[text.index('class="letter-text"') :].partition(">")[2].partition("</pre>")[0]
            sent = body.get_content().replace("\r\n", "\n").replace("\N{NO-BREAK SPACE}", " ")
            assert sent.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") == shown.replace("&#39;", "'")
            assert str(message["Subject"]).replace("\N{NO-BREAK SPACE}", " ") in text
            assert not [link for link in page.links if "/c/" in link], "a link of the client's is not to be followed"

    def test_a_text_that_was_forgotten_is_said_to_be(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        with desk.services.database.writing() as db:
            empty_calls(db, [str(job.call_id)])
        text = desk.read(f"{LIST}/{job.id}")
        assert "is not kept any more" in text
        assert "kim1@example.com" not in text
        assert "forgotten" in desk.read(LIST)

    def test_a_link_into_the_desk_is_never_shown(self, desk: Desk, mailbox: MailBox) -> None:
        with desk.services.database.writing() as db:
            ask_reset(db, house_of(desk.services), "anna@example.org", "device", desk.services.now())
        do_what_is_due(desk.services)
        (sent,) = mailbox.sent
        body = sent.get_body(("plain",))
        assert body is not None
        assert "/desk/reset/" in body.get_content()
        text = desk.read(f"{LIST}/{mailbox.names[0]}")
        assert "letter-text" in text
        assert "/desk/reset/" not in text

    def test_a_mail_to_an_address_that_can_not_be_written_to_does_not_break_the_page(
        self, desk: Desk, client: Visitor
    ) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        change(desk.services, job, payload={**job.payload, "recipient": "no address"})
        assert "A mail that can&#39;t be written" in desk.read(LIST)
        assert desk.get(f"{LIST}/{job.id}").status_code == 200


class TestRetry:
    def test_what_was_given_up_leaves_after_all(self, desk: Desk, client: Visitor, mailbox: MailBox) -> None:
        client.token(TUESDAY)
        mailbox.failing = [MailRefused("550 no such user")]
        do_what_is_due(desk.services)
        assert not mailbox.to("kim1@example.com")
        job = job_of(desk.services)
        assert desk.send(f"{LIST}/{job.id}", f"{LIST}/{job.id}/retry").status_code == 303
        do_what_is_due(desk.services)
        assert len(mailbox.to("kim1@example.com")) == 1
        assert "sent on" in desk.read(f"{LIST}/{job.id}")

    def test_what_waits_after_a_failure_does_not_wait_longer(
        self, desk: Desk, client: Visitor, mailbox: MailBox
    ) -> None:
        client.token(TUESDAY)
        mailbox.failing = [MailDelayed("450 later")]
        do_what_is_due(desk.services)
        assert not mailbox.to("kim1@example.com")
        job = job_of(desk.services)
        desk.send(f"{LIST}/{job.id}", f"{LIST}/{job.id}/retry")
        do_what_is_due(desk.services)
        assert len(mailbox.to("kim1@example.com")) == 1

    @pytest.mark.parametrize("kind", ["MailUncertain", "HeldBack"])
    def test_of_a_mail_that_may_have_left_it_is_said_that_it_may_arrive_twice(
        self, desk: Desk, client: Visitor, mailbox: MailBox, kind: str
    ) -> None:
        client.token(TUESDAY)
        if kind == "MailUncertain":
            for failing in ([MailUncertain("cut")], [MailUncertain("cut")], []):
                mailbox.failing = list(failing)
                do_what_is_due(desk.services)
                desk.services.now.advance(timedelta(minutes=2))  # type: ignore[attr-defined]
            path = f"{LIST}/{job_of(desk.services).id}"
        else:
            path = park(desk.services, job_of(desk.services), outbox.HELD_BACK)
        assert "it may arrive twice" in desk.read(path)
        desk.send(path, f"{path}/retry")
        do_what_is_due(desk.services)
        assert len(mailbox.to("kim1@example.com")) == 1

    def test_a_refusal_brings_no_warning_that_it_may_arrive_twice(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        assert "arrive twice" not in desk.read(park(desk.services, job_of(desk.services)))

    def test_it_is_said_where_a_later_message_has_overtaken_it(self, desk: Desk, client: Visitor) -> None:
        token = client.token(TUESDAY)
        path = park(desk.services, job_of(desk.services))
        assert "out of date" not in desk.read(path)
        form = client.page(f"/c/{token}/cancel").post_form
        client.post(f"/c/{token}/cancel", data=form.fields)
        assert "out of date" in desk.read(path)

    def test_a_reminder_that_comes_too_late_can_only_be_dropped(
        self, desk: Desk, client: Visitor, clock: Clock
    ) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services, message="reminder")
        path = park(desk.services, job)
        clock.advance(timedelta(days=1))
        text = desk.read(path)
        assert "has nothing to tell any more" in text
        assert "/retry" not in text
        assert "/drop" in text

    def test_a_reminder_that_waits_for_its_time_can_not_be_hurried(
        self, desk: Desk, client: Visitor, mailbox: MailBox
    ) -> None:
        client.token(TUESDAY)
        path = f"{LIST}/{job_of(desk.services, message='reminder').id}"
        assert f"{path}/retry" not in desk.read(path)
        assert desk.post(f"{path}/retry", data=desk.form(path, f"{path}/drop").fields).status_code == 409
        do_what_is_due(desk.services)
        assert [str(mail["Subject"]) for mail in mailbox.to("kim1@example.com")] == [
            "Our call on Tuesday, 24 November, 9:00"
        ]

    def test_of_the_owner_and_the_worker_whoever_is_second_is_told(
        self, desk: Desk, client: Visitor, mailbox: MailBox
    ) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        path = park(desk.services, job)
        retry, drop = desk.form(path, f"{path}/retry"), desk.form(path, f"{path}/drop")
        change(desk.services, job, parked_at=None, error_kind="")
        with desk.services.database.writing() as db:
            assert outbox.claim(db, desk.services.now(), "token", ("mail",))
        for form in (retry, drop):
            answer = desk.post(form.action, data=form.fields)
            assert answer.status_code == 409
            assert "Nothing was changed" in answer.text
            assert "on its way right now" in answer.text
        assert "/drop" not in desk.read(path)


class TestDrop:
    def test_what_was_dropped_never_leaves(self, desk: Desk, client: Visitor, mailbox: MailBox) -> None:
        client.token(TUESDAY)
        path = f"{LIST}/{job_of(desk.services).id}"
        desk.send(path, f"{path}/drop")
        do_what_is_due(desk.services)
        assert not mailbox.to("kim1@example.com")
        assert "not sent: you dropped it on Mon 23 Nov, 9:00" in desk.read(path)
        assert tasks(desk.services) == []

    def test_the_client_is_told_by_phone_instead_once(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        path = park(desk.services, job_of(desk.services))
        form = desk.form(path, f"{path}/drop")
        desk.post(form.action, data={**form.fields, "by_phone": "yes"})
        desk.post(form.action, data={**form.fields, "by_phone": "yes"})
        (task,) = tasks(desk.services)
        assert (task.message, task.done_at) == ("booked", None)
        assert "Kim 1" in desk.read("/desk")
        assert "To tell by phone" in desk.read("/desk")

    def test_who_has_no_number_or_hears_nothing_by_it_is_not_told_by_phone(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        reminder = f"{LIST}/{job_of(desk.services, message='reminder').id}"
        own = f"{LIST}/{job_of(desk.services, to='owner').id}"
        for path in (reminder, own):
            assert "by_phone" not in desk.read(path)
            form = desk.form(path, f"{path}/drop")
            desk.post(form.action, data={**form.fields, "by_phone": "yes"})
        with desk.services.database.writing() as db:
            db.execute(sa.update(Call).values(phone=""))
        assert "by_phone" not in desk.read(f"{LIST}/{job_of(desk.services).id}")
        assert tasks(desk.services) == []


class TestBanner:
    def test_what_is_stuck_is_said_on_every_page(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        assert "could not be sent" not in desk.read("/desk")
        path = park(desk.services, job_of(desk.services))
        for page in ("/desk", LIST):
            assert "1 message could not be sent." in desk.read(page)
        assert "Messages (1)" in desk.read("/desk/settings")
        desk.send(path, f"{path}/drop")
        assert "could not be sent" not in desk.read("/desk")
        assert "Messages (" not in desk.read("/desk/settings")

    def test_a_mail_that_fails_for_a_moment_is_not_stuck_but_after_many_attempts_it_is(
        self, desk: Desk, client: Visitor
    ) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        change(desk.services, job, attempts=4, error_kind="MailDelayed", last_error="450")
        assert "Messages (" not in desk.read("/desk")
        change(desk.services, job, attempts=5)
        assert "Messages (1)" in desk.read("/desk")

    def test_in_quiet_time_only_what_threatens_a_call_before_it_ends_is_said(
        self, desk: Desk, client: Visitor, clock: Clock
    ) -> None:
        client.token(TUESDAY + timedelta(hours=2))
        park(desk.services, job_of(desk.services))
        clock.advance(timedelta(hours=10))
        assert "could not be sent" not in desk.read("/desk")
        assert "thing waits until Tuesday, 24 November, 9:00." in desk.read("/desk").replace(
            "things wait", "thing waits"
        )
        with desk.services.database.writing() as db:
            early = {"starts_at": clock.time + timedelta(hours=1), "ends_at": clock.time + timedelta(hours=2)}
            db.execute(sa.update(Call).values(**early))
        assert "1 message could not be sent." in desk.read("/desk")

    def test_who_wants_to_see_what_waits_sees_what_is_stuck(self, desk: Desk, client: Visitor, clock: Clock) -> None:
        client.token(TUESDAY + timedelta(hours=2))
        park(desk.services, job_of(desk.services))
        clock.advance(timedelta(hours=10))
        desk.send("/desk", "/desk/waiting")
        assert "1 message could not be sent." in desk.read("/desk")


class TestSafety:
    def test_another_owner_s_messages_are_not_there(self, desk: Desk, berts_desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY, "bert")
        job = job_of(berts_desk.services, owner="bert")
        path = park(berts_desk.services, job)
        fields = berts_desk.form(path, f"{path}/drop").fields
        before = dump(desk.services)
        assert "Kim 1" not in desk.read(LIST)
        assert "could not be sent" not in desk.read("/desk")
        own_token = {**fields, "csrf_token": desk.form("/desk/health", "/desk/health").fields["csrf_token"]}
        for answer in (
            desk.get(path),
            desk.get(f"{LIST}/nothing"),
            desk.post(f"{path}/retry", data=own_token),
            desk.post(f"{path}/drop", data=own_token),
        ):
            assert answer.status_code == 404
        assert dump(desk.services) == before

    def test_what_decides_requests_is_no_message(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        change(desk.services, job, kind="decide")
        assert desk.get(f"{LIST}/{job.id}").status_code == 404

    def test_a_form_without_its_token_changes_nothing(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        path = park(desk.services, job_of(desk.services))
        before = dump(desk.services)
        for action in ("retry", "drop"):
            answer = desk.post(f"{path}/{action}", data={"by_phone": "yes"})
            assert (answer.status_code, "press the button once more" in answer.text) == (400, True)
        assert dump(desk.services) == before

    def test_further_fields_change_nothing(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        job = job_of(desk.services)
        path = park(desk.services, job)
        form = desk.form(path, f"{path}/retry")
        more = {"owner_id": "2", "payload": "{}", "kind": "calendar", "recipient": "eve@example.org", "attempts": "9"}
        desk.post(form.action, data={**form.fields, **more})
        after = job_of(desk.services)
        assert (after.owner_id, after.payload, after.kind, after.attempts) == (1, job.payload, "mail", 0)

    def test_looking_changes_nothing(self, desk: Desk, client: Visitor) -> None:
        client.token(TUESDAY)
        path = park(desk.services, job_of(desk.services))
        before = dump(desk.services)
        for page in (LIST, STUCK, path):
            desk.read(page)
            desk.open(page, "HEAD")
        assert desk.get(f"{path}/retry").status_code in (404, 405)
        assert desk.get(f"{path}/drop").status_code in (404, 405)
        assert dump(desk.services) == before
