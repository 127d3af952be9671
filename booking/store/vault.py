"""Secrets at rest: encrypted with keys that live outside the database."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from booking.errors import BookingError


class Vault:
    """Encrypts with the first key, decrypts with any (rotation)."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])
        self.fingerprints = tuple(_fingerprint(key) for key in keys)

    def lock(self, secret: str) -> str:
        """Return the secret, encrypted."""
        return self._fernet.encrypt(secret.encode()).decode()

    def unlock(self, locked: str) -> str:
        """Return the secret.

        :raises BookingError: where it was encrypted with another key.
        """
        try:
            return self._fernet.decrypt(locked.encode()).decode()
        except InvalidToken as error:
            raise BookingError("a stored secret was encrypted with another SECRET_KEY; give that one again") from error


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"sprechzeit vault\0" + key.encode()).digest())


def _fingerprint(key: str) -> str:
    return hashlib.sha256(b"sprechzeit fingerprint\0" + key.encode()).hexdigest()[:16]
