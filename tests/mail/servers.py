"""SMTP servers on loopback: a real one, and one that misbehaves as it is told to."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CUT = "cut"
"""Scripted: close the connection instead of answering."""
SILENCE = "silence"
"""Scripted: never answer."""

_BORN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_AGE = dt.timedelta(days=36500)


@dataclass
class Received:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    data: bytes
    was_encrypted: bool
    user: str


@dataclass
class Keeper:
    """Keeps what arrives at a real server, and checks the login."""

    mails: list[Received] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        user = session.auth_data.login.decode() if session.auth_data else ""
        self.mails.append(
            Received(envelope.mail_from, envelope.rcpt_tos, envelope.original_content, session.ssl is not None, user)
        )
        return "250 2.0.0 taken"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_known = self.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=is_known, handled=False, auth_data=data)


@contextlib.contextmanager
def real_server(keeper: Keeper, **options: Any) -> Iterator[int]:
    """Run an SMTP server; the value is its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    controller = Controller(keeper, hostname="127.0.0.1", port=port, server_hostname="mail.example.org", **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


class ScriptedServer:
    """A server that says what a script says for each verb, ``.`` being the end of the text and ``hello`` the greeting.

    ``heard`` holds the verbs that arrived.
    """

    def __init__(self, script: Mapping[str, str]) -> None:
        answers = {"hello": "220 ready", "EHLO": "250 mail.example.org", "DATA": "354 go on", "QUIT": "221 bye"}
        self._script = {**answers, **script}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port = int(self._listener.getsockname()[1])
        self.heard: list[str] = []

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rwb") as stream, contextlib.suppress(OSError):
            is_open = self._answer(stream, "hello")
            while is_open and (line := stream.readline()):
                verb = line.split()[0].decode().upper()
                self.heard.append(verb)
                is_open = self._answer(stream, verb)
                if is_open and verb == "DATA" and self._script["DATA"].startswith("354"):
                    while stream.readline() not in (b".\r\n", b""):
                        pass
                    is_open = self._answer(stream, ".")

    def _answer(self, stream: Any, verb: str) -> bool:
        answer = self._script.get(verb, "250 fine")
        if answer == SILENCE:
            self._over.wait()
        if answer in (CUT, SILENCE):
            return False
        stream.write(f"{answer}\r\n".encode())
        stream.flush()
        return True


@dataclass(frozen=True)
class Certificate:
    """A self-made certificate for this machine: the server's side, and the side of a client that trusts it."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_BORN)
        .not_valid_after(_BORN + _AGE)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return Certificate(server, ssl.create_default_context(cadata=pem.decode()))
