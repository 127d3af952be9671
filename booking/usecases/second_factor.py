"""Codes besides the password: of an authenticator (TOTP, RFC 6238), and ten recovery codes for the day it is lost."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

import pyotp

from booking.store.accounts import Account
from booking.store.vault import Vault

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
ISSUER: Final = "Sprechzeit"


def new_secret(token: Callable[[], str]) -> str:
    """Return a new secret of 160 bits, as authenticators take it."""
    return base64.b32encode(hashlib.sha256((token() + token()).encode()).digest()[:20]).decode()


def address_of(secret: str, email: str) -> str:
    """Return the ``otpauth:`` address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step a code belongs to: this one, the one before or the one after; ``None`` for a wrong code."""
    codes, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    typed = _tidied(code).encode()
    matching = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(codes.generate_otp(step).encode(), typed)
    ]
    return matching[-1] if matching else None


def turn_on(account: Account, vault: Vault, secret: str, step: int, token: Callable[[], str]) -> list[str]:
    """Ask for codes from now on; return the recovery codes, which are not kept. ``step`` is of the code just shown."""
    account.totp_secret_encrypted, account.totp_last_step = vault.lock(secret), step
    return renew_recovery_codes(account, token)


def turn_off(account: Account) -> None:
    """Ask for the password alone."""
    account.totp_secret_encrypted, account.totp_last_step, account.recovery_hashes = "", 0, []


def renew_recovery_codes(account: Account, token: Callable[[], str]) -> list[str]:
    """Return ten new recovery codes of 80 bits; the old ones are void."""
    codes = [_recovery_code(token()) for _ in range(RECOVERY_CODES)]
    account.recovery_hashes = [_hashed(code) for code in codes]
    return codes


def accept(account: Account, vault: Vault, code: str, now: datetime) -> bool:
    """Say whether an account's owner may come in with this code, and use it up; the owner's lock must be held.

    Whoever has turned on nothing needs no code.
    """
    if not account.totp_secret_encrypted:
        return True
    step = step_of(vault.unlock(account.totp_secret_encrypted), code, now)
    if step is not None and step > account.totp_last_step:
        account.totp_last_step = step
        return True
    if _hashed(code) in account.recovery_hashes:
        account.recovery_hashes = [each for each in account.recovery_hashes if each != _hashed(code)]
        return True
    return False


def _recovery_code(token: str) -> str:
    letters = base64.b32encode(hashlib.sha256(token.encode()).digest()[:10]).decode().lower()
    return "-".join(re.findall("....", letters))


def _hashed(code: str) -> str:
    """Not keyed: it must outlive a change of the secret key, and 80 random bits can't be guessed."""
    return hashlib.sha256(_tidied(code).encode("utf-8", "replace")).hexdigest()


def _tidied(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()
