"""How a mail leaves: through an SMTP server, or as a file where there is none.

The fate of a mail is told apart by its errors: refused for good, worth another try, or unknown. Their
messages are shown to the owner and hold no address.
"""

import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from booking.errors import BookingError
from booking.settings import Settings

TIMEOUT_SECONDS: Final = 20
"""For each step of the conversation, not for all of it."""

_PORTS: Final = {"smtp": 587, "smtps": 465}
_ABOUT_LOGIN: Final = frozenset({530, 534, 535, 538})
"""Answers that speak of encryption and login (RFC 4954): the settings are wrong, not this mail."""


class MailRefused(BookingError):
    """The server will never take this mail (5xx)."""


class MailDelayed(BookingError):
    """The mail has certainly not left; a later try may succeed (4xx, no connection, no login)."""


class MailUncertain(BookingError):
    """The connection was lost after the text was begun: the mail may have left or not."""


class MailTransport(Protocol):
    """A way out for mails."""

    def send(self, message: EmailMessage, *, name: str, before_data: Callable[[], None]) -> None:
        """Send a message, under a name that is the same at every try.

        ``before_data`` is called at the last moment at which it is certain that nothing has left.

        :raises MailRefused: never try again.
        :raises MailDelayed: try again later.
        :raises MailUncertain: nobody knows.
        """

    def check(self) -> None:
        """Do everything but send.

        :raises MailDelayed: saying what is wrong.
        """


def transport_for(settings: Settings) -> "SmtpTransport | FileTransport":
    """Return the way out that the settings choose."""
    if settings.smtp_url:
        return SmtpTransport(settings.smtp_url, settings.mail_from)
    return FileTransport(settings.data_dir / "mail")


class FileTransport:
    """Writes mails into a folder: whole or not at all, readable by this user only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage, *, name: str, before_data: Callable[[], None]) -> None:
        """Write ``<name>.eml``; the same name again replaces the file."""
        draft = self._folder / f".{name}.draft"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        before_data()
        try:
            draft.replace(self._folder / f"{name}.eml")
            _sync_folder(self._folder)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def check(self) -> None:
        """Find out whether the folder can be written."""
        probe = self._folder / ".check"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise _unwritable(self._folder, error) from error


class SmtpTransport:
    """Hands mails to one SMTP server: a connection for each mail, certificates always verified.

    ``smtp://`` starts TLS where it is offered, and insists on it unless the server is on this machine;
    ``smtps://`` speaks TLS from the first byte.
    """

    def __init__(
        self, url: str, mail_from: str, *, tls: ssl.SSLContext | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._mail_from = mail_from
        self._tls = tls or ssl.create_default_context()
        self._timeout = timeout

    def send(self, message: EmailMessage, *, name: str, before_data: Callable[[], None]) -> None:
        """Send the message to the addresses of its ``To``."""
        recipients = [address.addr_spec for address in message["To"].addresses]
        with self._session() as smtp:
            _accepted(smtp.mail(self._mail_from), recipients)
            for recipient in recipients:
                _accepted(smtp.rcpt(recipient), recipients)
            before_data()
            try:
                answer = smtp.data(message.as_bytes())
            except smtplib.SMTPDataError as error:
                raise _not_accepted(error.smtp_code, error.smtp_error, recipients) from error
            except OSError as error:
                raise MailUncertain("the connection was lost before the mail server's final answer") from error
            _accepted(answer, recipients)

    def check(self) -> None:
        """Connect, encrypt, log in, say goodbye."""
        with self._session() as smtp:
            _accepted(smtp.noop(), [])

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Open a session that is ready for a mail; whatever breaks in it leaves the mail unsent."""
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connect()
            self._encrypt(smtp)
            self._log_in(smtp)
            yield smtp
        except smtplib.SMTPResponseException as error:
            raise MailDelayed(f"the mail server answered {_words(error.smtp_code, error.smtp_error)}") from error
        except ssl.SSLCertVerificationError as error:
            raise MailDelayed(f"the mail server's certificate is not valid: {error.verify_message}") from error
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise MailDelayed(f"no conversation with the mail server {self._host}:{self._port}: {reason}") from error
        finally:
            if smtp is not None:
                _say_goodbye(smtp)

    def _connect(self) -> smtplib.SMTP:
        name = _greeting_name(self._mail_from)
        if self._is_tls:
            return smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=name, timeout=self._timeout, context=self._tls
            )
        return smtplib.SMTP(self._host, self._port, local_hostname=name, timeout=self._timeout)

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._is_tls:
            return
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
        elif not _is_loopback(self._host):
            raise MailDelayed(f"the mail server {self._host} offers no encryption (STARTTLS); use smtps:// or another")

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        if not self._user:
            return
        try:
            if (self._user + self._password).isascii():
                smtp.login(self._user, self._password)
            else:
                self._log_in_beyond_ascii(smtp)
        except smtplib.SMTPNotSupportedError as error:
            raise MailDelayed("the mail server offers no login; leave user and password out of SMTP_URL") from error
        except smtplib.SMTPAuthenticationError as error:
            words = _words(error.smtp_code, error.smtp_error)
            raise MailDelayed(f"the mail server refused the login ({words}); check SMTP_URL") from error

    def _log_in_beyond_ascii(self, smtp: smtplib.SMTP) -> None:
        """Log in with UTF-8 (RFC 4616): ``smtplib`` knows ASCII passwords only."""
        if "PLAIN" not in smtp.esmtp_features.get("auth", "").upper().split():
            raise smtplib.SMTPNotSupportedError
        credentials = b64encode(f"\0{self._user}\0{self._password}".encode()).decode()
        code, words = smtp.docmd("AUTH", f"PLAIN {credentials}")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, words)


def _accepted(answer: tuple[int, bytes], recipients: list[str]) -> None:
    code, text = answer
    if not 200 <= code < 300:
        raise _not_accepted(code, text, recipients)


def _not_accepted(code: int, text: bytes | str, recipients: list[str]) -> MailRefused | MailDelayed:
    words = _words(code, text, recipients)
    if code >= 500 and code not in _ABOUT_LOGIN:
        return MailRefused(f"the mail server refused the mail: {words}")
    return MailDelayed(f"the mail server did not take the mail yet: {words}")


def _words(code: int, text: bytes | str, recipients: list[str] | None = None) -> str:
    """Return a server's answer in one line, without addresses."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for recipient in recipients or []:
        words = words.replace(recipient, "…")
    words = re.sub(r"[^\s<>]*@[^\s<>]*", "…", words)
    return f"{code} {' '.join(words.split())[:300]}".strip()


def _say_goodbye(smtp: smtplib.SMTP) -> None:
    with suppress(OSError):
        if smtp.sock is not None:
            smtp.quit()
    smtp.close()


def _greeting_name(mail_from: str) -> str:
    """Name ourselves by the sender's domain: the machine's own name is nobody's business, and slow to find."""
    domain = mail_from.rpartition("@")[2]
    return f"[{domain}]" if domain.replace(".", "").isdigit() else domain


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unwritable(folder: Path, error: OSError) -> MailDelayed:
    return MailDelayed(f"mails can't be written to {folder}: {error.strerror}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
