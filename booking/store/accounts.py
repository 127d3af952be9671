"""Tables of the owner's way in, and of what the desk keeps: who is logged in where, clients' notes, things to do.

Apart from the other tables, because no public page reads them.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.store.models import Base, Call, Owner


class Account(Base):
    """How one owner proves who they are. An owner without a row comes in by a one-time link only."""

    __tablename__ = "account"

    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(default="")
    """Argon2id; empty: there is no password yet."""
    totp_secret_encrypted: Mapped[str] = mapped_column(default="")
    """As the vault locked it; empty: no code is asked for."""
    totp_last_step: Mapped[int] = mapped_column(default=0)
    """The time step of the last code that was used: no code works twice."""
    recovery_hashes: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    """Of the recovery codes that are left."""

    owner: Mapped[Owner] = relationship()


class DeskSession(Base):
    """One browser that is logged in. The cookie holds a random token, this row its hash."""

    __tablename__ = "desk_session"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True)
    """By which the list of sessions names it."""
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """Written at most once an hour."""
    proved_at: Mapped[datetime]
    """When the password (or a one-time link) was last given here: what is sensitive asks again later."""
    browser: Mapped[str] = mapped_column(default="")
    """What it calls itself, shortened."""
    shows_waiting_until: Mapped[datetime | None]
    """In quiet time: until when the owner wants to see what waits all the same."""

    owner: Mapped[Owner] = relationship()


class WayIn(Base):
    """A one-time link to the desk; it holds this row's id, signed, so that nothing secret is stored."""

    __tablename__ = "way_in"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)
    purpose: Mapped[str]
    """``login`` (made by the operator) or ``reset`` (asked for by mail)."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginFailure(Base):
    """One attempt to log in that failed, or one wish for a mail to reset the password; forgotten after a day."""

    __tablename__ = "login_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    account: Mapped[str] = mapped_column(index=True)
    """Keyed hash of the mail address that was typed, known or not; another one for a reset."""
    device: Mapped[str] = mapped_column(index=True)
    """Keyed hash of the network it came from, or of the device that was logged in before."""


class OldSlug(Base):
    """A slug an owner had before: its pages lead to the new one."""

    __tablename__ = "old_slug"

    slug: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)


class ClientNote(Base):
    """What an owner keeps about one client, known by mail address or number: a note, and whether to let them book."""

    __tablename__ = "client_note"
    __table_args__ = (sa.UniqueConstraint("owner_id", "contact"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)
    contact: Mapped[str] = mapped_column(index=True)
    """A mail address in lower case, or an E.164 number."""
    note: Mapped[str] = mapped_column(sa.Text, default="")
    blocked_at: Mapped[datetime | None]


class PhoneTask(Base):
    """Something to tell a client by phone, because there is no address to write to."""

    __tablename__ = "phone_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)
    call_id: Mapped[str] = mapped_column(sa.ForeignKey("call.id"), index=True)
    message: Mapped[str]
    """What the mail would have been: ``moved``, ``cancelled`` and so on."""
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    call: Mapped[Call] = relationship()
