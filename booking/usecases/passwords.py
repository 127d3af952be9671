"""Passwords: how they are kept, and which are too easy to guess.

Hashing takes a while on purpose: nobody does it inside a transaction.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from zxcvbn import zxcvbn

from booking.store.models import Owner

SHORTEST: Final = 10
LONGEST: Final = 200
LOOKED_AT: Final = 72
"""Letters that the estimate looks at: its time grows much faster than the password."""
LEAST_SCORE: Final = 3
"""Of 4: more than a hundred million guesses."""

LEAST_UNKNOWN: Final = 6


class Problem(StrEnum):
    """What is wrong with a new password; ``web/`` and ``cli/`` word it."""

    SHORT = "short"
    LONG = "long"
    GUESSABLE = "guessable"


class Passwords:
    """Hashes passwords with Argon2id (RFC 9106), and checks them.

    :param rounds: passes over the memory; measured on two slow cores, three of 32 MiB take 60 ms.
    :param at_once: how many are worked on at one time, so that many attempts can't take all the memory.
    """

    def __init__(self, rounds: int = 3, memory_kib: int = 32 * 1024, at_once: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._turn = threading.BoundedSemaphore(at_once)
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={rounds},p=1${'A' * 22}${'A' * 43}"

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        with self._turn:
            return self._hasher.hash(_bytes_of(password))

    def matches(self, password_hash: str, password: str) -> bool:
        """Say whether this is the password; where there is none to compare with, that takes as long to find out."""
        with self._turn:
            try:
                self._hasher.verify(password_hash or self._nobodys, _bytes_of(password[:LONGEST]))
            except VerificationError:
                return False
        return bool(password_hash) and len(password) <= LONGEST

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether a password should be hashed anew, since it was hashed with other numbers."""
        return self._hasher.check_needs_rehash(password_hash)


def find_problem(password: str, owner: Owner) -> Problem | None:
    """Return what is wrong with an owner's new password, if anything is."""
    if len(password) < SHORTEST:
        return Problem.SHORT
    if len(password) > LONGEST:
        return Problem.LONG
    known = [owner.name, owner.email, owner.slug, "sprechzeit"]
    score = zxcvbn(password[:LOOKED_AT], user_inputs=[*known, *_words(known)])["score"]
    is_guessable = score < LEAST_SCORE or len(_without(_words(known), password)) < LEAST_UNKNOWN
    return Problem.GUESSABLE if is_guessable else None


def _words(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in re.split(r"\W+", text) if len(word) > 2]


def _without(words: Iterable[str], password: str) -> str:
    """The letters and digits of a password that everybody who knows the owner does not know already.

    The estimate takes "annabeispiel-2026" for a strong password of Anna Beispiel.
    """
    left = password.lower()
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word.lower(), " ")
    return re.sub(r"[\W_]", "", left)


def _bytes_of(password: str) -> bytes:
    """Keyboards write the same letter in more than one way."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
