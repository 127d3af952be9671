"""Signed values that leave the house: the client's links and the forms' tickets.

Nothing secret is stored: a link is a call and its version, signed; raising the version revokes it.
Signatures are HMAC-SHA256 over purpose and value, compared in constant time (itsdangerous).
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

LINK_FROM_PAGE: Final = "link.page"
"""The link that is shown after booking: whoever booked has it."""
LINK_FROM_MAIL: Final = "link.mail"
"""The link that only the mail holds: using it proves the address."""


@dataclass(frozen=True)
class Link:
    """What a client's link says: which call, which version of its links, and how it reached the client."""

    call_id: str
    version: int
    purpose: str


class Signing:
    """Makes and checks signed values; the first key signs, the others are still accepted (rotation)."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = list(reversed(keys))  # itsdangerous signs with the last one

    def link_token(self, call_id: str, version: int, purpose: str = LINK_FROM_PAGE) -> str:
        """Return the ``<token>`` of ``/c/<token>``: always the same for one call, so that mails can make it again."""
        return self._signer(purpose).sign(f"{call_id}-{version}").decode()

    def read_link(self, token: str) -> Link | None:
        """Return what a token says, or ``None`` where it is not ours."""
        if not _is_canonical(token):
            return None
        for purpose in (LINK_FROM_PAGE, LINK_FROM_MAIL):
            try:
                call_id, _, version = self._signer(purpose).unsign(token.encode()).decode().partition("-")
            except BadData:
                continue
            return Link(call_id, int(version), purpose)
        return None

    def seal(self, purpose: str, value: Any) -> str:
        """Return a JSON value, signed and URL-safe."""
        return str(self._serializer(purpose).dumps(value))

    def unseal(self, purpose: str, sealed: str) -> Any | None:
        """Return the value, or ``None`` where the text was not sealed here for this purpose."""
        if not _is_canonical(sealed):
            return None
        try:
            return self._serializer(purpose).loads(sealed)
        except BadData:
            return None

    def keyed_hash(self, purpose: str, value: str) -> str:
        """Return a hash that says whether two values are the same, and nothing to whoever has no key."""
        return hashlib.blake2b(
            f"{purpose}:{value}".encode(), key=hashlib.sha256(self._keys[-1].encode()).digest(), digest_size=16
        ).hexdigest()

    def _signer(self, purpose: str) -> Signer:
        return Signer(self._keys, salt=purpose, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._keys, salt=purpose, signer_kwargs=options)


def _is_canonical(token: str) -> bool:
    """Base64 leaves spare bits in the last letter of a signature: only one spelling of a link is taken."""
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)).decode() == signature
    except BadData:
        return False
