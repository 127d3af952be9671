"""Mails leave whole, encrypted and once, and every way it can fail has the right name."""

import stat
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from booking.mail.smtp import (
    FileTransport,
    MailDelayed,
    MailRefused,
    MailTransport,
    MailUncertain,
    SmtpTransport,
    transport_for,
)
from booking.settings import Settings
from tests.mail.facts import MAIL_FROM, calendar_in, calendar_of, mail, text_of
from tests.mail.servers import CUT, SILENCE, Certificate, Keeper, ScriptedServer, make_certificate, real_server


class Steps:
    """Counts the calls of ``before_data``."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def keeper() -> Keeper:
    return Keeper(users={"anna@example.org": "p@ss/word", "jörg": "wörter"})


@pytest.fixture
def plain_port(keeper: Keeper) -> Iterator[int]:
    with real_server(keeper) as port:
        yield port


@pytest.fixture
def login_port(keeper: Keeper, certificate: Certificate) -> Iterator[int]:
    with real_server(
        keeper,
        tls_context=certificate.server,
        require_starttls=True,
        auth_required=True,
        authenticator=keeper.authenticate,
    ) as port:
        yield port


def send(transport: MailTransport, message: EmailMessage | None = None, *, name: str = "job1") -> int:
    """Send, and return how often ``before_data`` was called."""
    steps = Steps()
    transport.send(message or mail(), name=name, before_data=steps)
    return steps.count


def smtp(port: int, **options: Any) -> SmtpTransport:
    return SmtpTransport(f"smtp://127.0.0.1:{port}", MAIL_FROM, **{"timeout": 5.0, **options})


def test_the_mail_on_the_wire_is_the_one_that_was_written(keeper: Keeper, plain_port: int) -> None:
    sent = mail(locale="ru", owner_name="Анна Пример", sender_name="Практика «Анна»")
    assert send(smtp(plain_port), sent) == 1
    (got,) = keeper.mails
    assert (got.sender, got.recipients) == (MAIL_FROM, ["kim@example.com"])
    arrived = message_from_bytes(got.data, policy=SMTP)
    assert isinstance(arrived, EmailMessage)
    assert list(arrived.items()) == list(sent.items())
    assert arrived["From"].addresses[0].display_name == "Практика «Анна»"
    assert arrived["Message-ID"] == "<job1@calls.example.org>"
    assert text_of(arrived) == text_of(sent)


def test_the_calendar_file_arrives_byte_by_byte_as_a_request(keeper: Keeper, plain_port: int) -> None:
    send(smtp(plain_port), mail())
    part = calendar_of(message_from_bytes(keeper.mails[0].data, policy=SMTP))
    assert part is not None
    assert dict(part["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert part.get_filename() == "call.ics"
    ics = part.get_payload(decode=True)
    assert isinstance(ics, bytes)
    assert ics.count(b"\n") == ics.count(b"\r\n")
    assert calendar_in(part).walk("VEVENT")[0]["ATTENDEE"] == "mailto:kim@example.com"


def test_nothing_on_the_wire_needs_more_than_seven_bits_or_long_lines(keeper: Keeper, plain_port: int) -> None:
    send(smtp(plain_port), mail(to="owner", client_name="Ки́м " * 16, note="ю" * 1000, locale="ru"))
    data = keeper.mails[0].data
    assert data.isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998


def test_a_line_that_begins_with_a_dot_does_not_end_the_mail(keeper: Keeper, plain_port: int) -> None:
    send(smtp(plain_port), mail(caller_id=".", owner_name="."))
    arrived = message_from_bytes(keeper.mails[0].data, policy=SMTP)
    assert text_of(arrived).splitlines()[-1] == "."


@pytest.mark.parametrize(
    ("credentials", "user"),
    [("anna%40example.org:p%40ss%2Fword", "anna@example.org"), ("j%C3%B6rg:w%C3%B6rter", "jörg")],
)
def test_starttls_and_login_are_used_where_they_are_offered(
    keeper: Keeper, login_port: int, certificate: Certificate, credentials: str, user: str
) -> None:
    transport = SmtpTransport(
        f"smtp://{credentials}@127.0.0.1:{login_port}", MAIL_FROM, tls=certificate.trusting, timeout=5
    )
    transport.check()
    assert keeper.mails == []
    assert send(transport) == 1
    assert (keeper.mails[0].was_encrypted, keeper.mails[0].user) == (True, user)


def test_smtps_is_encrypted_from_the_first_byte(keeper: Keeper, certificate: Certificate) -> None:
    with real_server(keeper, ssl_context=certificate.server) as port:
        transport = SmtpTransport(f"smtps://127.0.0.1:{port}", MAIL_FROM, tls=certificate.trusting, timeout=5)
        transport.check()
        assert send(transport) == 1
    assert len(keeper.mails) == 1


def test_a_certificate_nobody_vouches_for_is_not_trusted(keeper: Keeper, login_port: int) -> None:
    with pytest.raises(MailDelayed, match="certificate is not valid"):
        send(smtp(login_port))
    assert keeper.mails == []


def test_a_refused_login_says_where_to_look_and_not_the_password(login_port: int, certificate: Certificate) -> None:
    url = f"smtp://anna%40example.org:forgotten@127.0.0.1:{login_port}"
    with pytest.raises(MailDelayed, match=r"refused the login \(535.*check SMTP_URL") as caught:
        SmtpTransport(url, MAIL_FROM, tls=certificate.trusting, timeout=5).check()
    assert "forgotten" not in str(caught.value)
    assert "anna" not in str(caught.value)


def test_a_user_name_or_password_beyond_ascii_is_refused_like_any_other(
    login_port: int, certificate: Certificate
) -> None:
    url = f"smtp://anna%40example.org:w%C3%B6rd@127.0.0.1:{login_port}"
    with pytest.raises(MailDelayed, match="refused the login"):
        SmtpTransport(url, MAIL_FROM, tls=certificate.trusting, timeout=5).check()


@pytest.mark.parametrize("password", ["secret", "w%C3%B6rd"])
def test_a_login_that_is_not_offered_is_named(plain_port: int, password: str) -> None:
    with pytest.raises(MailDelayed, match="offers no login"):
        SmtpTransport(f"smtp://anna:{password}@127.0.0.1:{plain_port}", MAIL_FROM, timeout=5).check()


def test_a_server_elsewhere_must_offer_encryption() -> None:
    """``127.1`` reaches this machine, but its name does not say so."""
    with ScriptedServer({}) as server:
        transport = SmtpTransport(f"smtp://127.1:{server.port}", MAIL_FROM, timeout=5)
        with pytest.raises(MailDelayed, match="offers no encryption"):
            send(transport)
    assert "MAIL" not in server.heard


def test_a_server_on_this_machine_need_not_offer_encryption() -> None:
    with ScriptedServer({}) as server:
        assert send(SmtpTransport(f"smtp://localhost:{server.port}", MAIL_FROM, timeout=5)) == 1
    assert server.heard == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize(
    ("verb", "answer", "error", "may_have_left"),
    [
        ("hello", "554 no service", MailDelayed, False),
        ("hello", "421 busy", MailDelayed, False),
        ("hello", CUT, MailDelayed, False),
        ("hello", SILENCE, MailDelayed, False),
        ("EHLO", CUT, MailDelayed, False),
        ("MAIL", "451 later", MailDelayed, False),
        ("MAIL", "550 not this sender", MailRefused, False),
        ("MAIL", "530 5.7.0 log in first", MailDelayed, False),
        ("MAIL", CUT, MailDelayed, False),
        ("RCPT", "450 greylisted", MailDelayed, False),
        ("RCPT", "550 5.1.1 unknown", MailRefused, False),
        ("RCPT", SILENCE, MailDelayed, False),
        ("DATA", "451 later", MailDelayed, True),
        ("DATA", "554 not that", MailRefused, True),
        (".", "452 disk full", MailDelayed, True),
        (".", "554 5.7.1 spam", MailRefused, True),
        (".", CUT, MailUncertain, True),
        (".", SILENCE, MailUncertain, True),
    ],
)
def test_every_way_a_server_can_fail_has_its_name(
    verb: str, answer: str, error: type[Exception], may_have_left: bool
) -> None:
    """``before_data`` comes after RCPT was accepted and before DATA, so that a crash between is seen as uncertain."""
    steps = Steps()
    with ScriptedServer({verb: answer}) as server, pytest.raises(error):
        smtp(server.port, timeout=0.3).send(mail(), name="job1", before_data=steps)
    assert steps.count == int(may_have_left)
    assert ("DATA" in server.heard) == may_have_left


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
def test_the_reason_of_a_refusal_is_kept_without_addresses(verb: str) -> None:
    answer = "550-5.1.1 <kim@example.com>\r\n550 5.1.1 no mailbox of KIM@EXAMPLE.COM, ask postmaster@example.com"
    with ScriptedServer({verb: answer}) as server, pytest.raises(MailRefused) as caught:
        send(smtp(server.port))
    assert str(caught.value).startswith("the mail server refused the mail: 550 5.1.1 <…> 5.1.1 no mailbox of …")
    assert "@" not in str(caught.value)


def test_when_the_last_moment_fails_nothing_leaves() -> None:
    """The worker has lost its lease: another one sends this mail."""

    def refuse() -> None:
        raise MailDelayed("the lease is lost")

    with ScriptedServer({}) as server, pytest.raises(MailDelayed, match="the lease is lost"):
        smtp(server.port).send(mail(), name="job1", before_data=refuse)
    assert server.heard == ["EHLO", "MAIL", "RCPT", "QUIT"]


def test_a_mail_that_was_taken_stays_taken_when_the_goodbye_fails() -> None:
    with ScriptedServer({"QUIT": CUT}) as server:
        assert send(smtp(server.port)) == 1


def test_no_server_at_all_is_a_delay_that_names_the_place() -> None:
    with ScriptedServer({}) as server:
        send(smtp(server.port))
    with pytest.raises(MailDelayed, match=rf"127\.0\.0\.1:{server.port}: Connection refused"):
        send(smtp(server.port))


@pytest.mark.parametrize(("url", "place"), [("smtp://a..b", r"a\.\.b:587"), ("smtps://a..b", r"a\.\.b:465")])
def test_a_name_that_can_not_be_looked_up_is_a_delay_and_shows_the_usual_port(url: str, place: str) -> None:
    with pytest.raises(MailDelayed, match=place):
        SmtpTransport(url, MAIL_FROM).check()


def test_the_check_does_everything_but_send() -> None:
    with ScriptedServer({}) as server:
        smtp(server.port).check()
    assert server.heard == ["EHLO", "NOOP", "QUIT"]


def test_the_check_reports_a_server_that_is_not_well() -> None:
    with ScriptedServer({"NOOP": "421 4.3.2 closing"}) as server, pytest.raises(MailDelayed, match=r"421 4\.3\.2"):
        smtp(server.port).check()


@pytest.mark.parametrize(
    ("mail_from", "greeting"), [("calls@example.org", "example.org"), ("calls@192.0.2.7", "[192.0.2.7]")]
)
def test_the_greeting_names_the_senders_domain_and_not_this_machine(
    keeper: Keeper, plain_port: int, mail_from: str, greeting: str
) -> None:
    greetings = []

    async def handle_EHLO(_server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]) -> list[str]:
        session.host_name = hostname
        greetings.append(hostname)
        return answers

    keeper.handle_EHLO = handle_EHLO  # type: ignore[attr-defined]
    with real_server(keeper) as port:
        SmtpTransport(f"smtp://127.0.0.1:{port}", mail_from, timeout=5).check()
    assert greetings == [greeting]


def settings(tmp_path: Path, smtp_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url="",
        base_url="https://calls.example.org",
        host="127.0.0.1",
        port=8000,
        secret_keys=(),
        smtp_url=smtp_url,
        mail_from=MAIL_FROM,
    )


def test_with_a_server_in_the_settings_mails_go_there(tmp_path: Path) -> None:
    with ScriptedServer({}) as server:
        assert send(transport_for(settings(tmp_path, f"smtp://127.0.0.1:{server.port}"))) == 1
    assert "DATA" in server.heard


def test_without_one_mails_become_files_in_the_data_folder(tmp_path: Path) -> None:
    assert send(transport_for(settings(tmp_path, ""))) == 1
    assert (tmp_path / "mail" / "job1.eml").is_file()


def test_a_mail_file_is_whole_and_for_this_user_only(tmp_path: Path) -> None:
    sent = mail(locale="de")
    send(FileTransport(tmp_path / "mail"), sent)
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["job1.eml"]
    path = tmp_path / "mail" / "job1.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    arrived = message_from_bytes(path.read_bytes(), policy=SMTP)
    assert list(arrived.items()) == list(sent.items())


def test_the_same_mail_again_is_one_file(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path)
    for _ in range(2):
        send(transport)
    assert [path.name for path in tmp_path.iterdir()] == ["job1.eml"]


def test_before_its_last_moment_there_is_no_mail_file(tmp_path: Path) -> None:
    seen: list[bool] = []
    FileTransport(tmp_path).send(mail(), name="job1", before_data=lambda: seen.append((tmp_path / "job1.eml").exists()))
    assert seen == [False]


def test_a_folder_that_can_not_be_made_is_a_delay_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands here")
    transport = FileTransport(tmp_path / "mail")
    for attempt in (lambda: send(transport), transport.check):
        with pytest.raises(MailDelayed, match=r"can't be written to .*mail: File exists"):
            attempt()


def test_a_file_that_can_not_get_its_name_is_a_delay(tmp_path: Path) -> None:
    (tmp_path / "job1.eml" / "in the way").mkdir(parents=True)
    with pytest.raises(MailDelayed, match="can't be written"):
        send(FileTransport(tmp_path))


def test_the_check_of_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    FileTransport(tmp_path / "mail").check()
    assert list((tmp_path / "mail").iterdir()) == []
