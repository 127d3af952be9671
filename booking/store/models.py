"""The tables. Columns name their unit; times are aware UTC.

Nothing here decides anything: rules decide, use cases apply.
"""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from booking.rules.hours import Timetable
from booking.rules.lifecycle import State
from booking.rules.period import Timeline
from booking.store.columns import PackedTimeline, TimetableJson, UtcDateTime


class Base(DeclarativeBase):
    """The tables of Sprechzeit."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        Timetable: TimetableJson,
        Timeline: PackedTimeline,
    }


class Installation(Base):
    """One row about the installation itself."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_fingerprint: Mapped[str]
    """Fingerprint of the secret key the secrets in this database were made with."""
    worker_seen_at: Mapped[datetime | None]
    backed_up_at: Mapped[datetime | None]


class Owner(Base):
    """The person who takes the calls."""

    __tablename__ = "owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str]
    email: Mapped[str]
    timezone: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en")
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    """ISO 3166 country that phone numbers without a country code belong to."""
    line: Mapped[str] = mapped_column(default="")
    """One line under the name on the public page."""
    title: Mapped[str] = mapped_column(default="")
    """What stands over the public page; empty: the name."""
    text: Mapped[str] = mapped_column(sa.Text, default="")
    """What the public page says below that, in the owner's words."""
    signature: Mapped[str] = mapped_column(sa.Text, default="")
    """What the mails to clients end with, above the name."""
    phone: Mapped[str] = mapped_column(default="")
    """E.164 number that clients ring, where they call."""
    caller_id: Mapped[str] = mapped_column(default="")
    """The owner's words on which number a call comes from, or that it is withheld."""
    discretion: Mapped[str] = mapped_column(default="normal")
    sender_name: Mapped[str] = mapped_column(default="")
    accent: Mapped[str] = mapped_column(sa.String(7), default="")
    imprint: Mapped[str] = mapped_column(sa.Text, default="")
    privacy: Mapped[str] = mapped_column(sa.Text, default="")
    phone_countries: Mapped[str] = mapped_column(default="")
    """Comma-separated ISO countries whose numbers are taken; empty: all."""
    holiday_country: Mapped[str] = mapped_column(sa.String(2), default="")
    holiday_region: Mapped[str] = mapped_column(default="")
    holidays_worked: Mapped[str] = mapped_column(sa.Text, default="")
    """Names of the public holidays that are working days all the same, one a line, as the library names them."""
    notice_in_working_time: Mapped[bool] = mapped_column(default=True)
    most_moves: Mapped[int] = mapped_column(default=3)
    """How often a client may move one call."""
    morning_minutes: Mapped[int] = mapped_column(default=30)
    """How long before opening a waiting notice reaches the owner."""
    retention_days: Mapped[int] = mapped_column(default=90)
    """How long after a call the client's data is kept."""
    timetable: Mapped[Timetable]
    embed_sites: Mapped[str] = mapped_column(sa.Text, default="")
    """Origins that may show the list of times in a frame, one a line."""
    setup_step: Mapped[str] = mapped_column(default="")
    """Where the set-up goes on; empty: it is done, or was never begun."""
    revision: Mapped[int] = mapped_column(default=0)
    """Raised by every writing transaction: the owner's lock."""

    call_types: Mapped[list["CallType"]] = relationship(back_populates="owner", order_by="CallType.position")
    calendars: Mapped[list["Calendar"]] = relationship(back_populates="owner", order_by="Calendar.id")


class CallType(Base):
    """What can be booked: name, length, buffers, rules."""

    __tablename__ = "call_type"
    __table_args__ = (sa.UniqueConstraint("owner_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    slug: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    wording: Mapped[dict[str, dict[str, str]]] = mapped_column(sa.JSON, default=dict)
    """``name`` and ``description`` in further languages, by language code; what is missing is said as above."""
    position: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int]
    lengths: Mapped[str] = mapped_column(default="")
    """Minutes a client may choose from, separated by blanks; empty: ``minutes``, which is the usual length."""
    before_minutes: Mapped[int] = mapped_column(default=0)
    after_minutes: Mapped[int] = mapped_column(default=10)
    notice_minutes: Mapped[int] = mapped_column(default=120)
    horizon_days: Mapped[int] = mapped_column(default=60)
    step_minutes: Mapped[int] = mapped_column(default=15)
    max_per_day: Mapped[int | None]
    max_per_week: Mapped[int | None]
    who_calls: Mapped[str] = mapped_column(default="owner")
    """``owner``, ``client`` or ``choice`` (the client chooses)."""
    reminders: Mapped[str] = mapped_column(default="1440 60")
    """Minutes before the call at which the client is reminded, separated by blanks; empty: never."""
    languages: Mapped[str] = mapped_column(default="")
    """Codes of the languages spoken in the call, separated by blanks; empty: nothing is said of them."""
    is_email_needed: Mapped[bool] = mapped_column(default=True)
    questions: Mapped[str] = mapped_column(default="note")
    """What the form asks besides, separated by blanks: ``note``, ``voicemail``, ``others``, ``text``."""
    visibility: Mapped[str] = mapped_column(default="listed")
    """``listed``, ``link`` (only who has the address finds it) or ``hidden`` (nobody can book it)."""
    archived_at: Mapped[datetime | None]
    """Since when it is kept for its calls only."""

    owner: Mapped[Owner] = relationship(back_populates="call_types")


class Calendar(Base):
    """A calendar of the owner: one that blocks, one that takes the calls, or both."""

    __tablename__ = "calendar"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), index=True)
    kind: Mapped[str]
    """``embedded`` or ``caldav``."""
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str]
    """Address of the calendar; for an embedded one the path below the embedded server."""
    username: Mapped[str] = mapped_column(default="")
    password_encrypted: Mapped[str] = mapped_column(default="")
    is_busy: Mapped[bool] = mapped_column(default=True)
    """Its events block."""
    takes_calls: Mapped[bool] = mapped_column(default=False)
    all_day_blocks: Mapped[bool] = mapped_column(default=True)
    tentative_blocks: Mapped[bool] = mapped_column(default=True)
    paused_at: Mapped[datetime | None]
    """Since when it is neither read nor counted, because the owner said so."""
    busy: Mapped[Timeline]
    """Merged busy time without our own events, from the day before the last read to ``covered_until``."""
    covered_until: Mapped[datetime | None]
    expanded_with: Mapped[str] = mapped_column(default="")
    """What the expansion depended on: when it changes, every resource is expanded again."""
    read_at: Mapped[datetime | None]
    """When the last successful reading asked for its list of ETags."""
    next_read_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    error_kind: Mapped[str] = mapped_column(default="")
    """The error's class in ``calendars/port.py``, for wording it in the owner's language."""
    silence_told_at: Mapped[datetime | None]
    """When the owner was told that this calendar is silent; until it answers again."""

    owner: Mapped[Owner] = relationship(back_populates="calendars")


class CalendarResource(Base):
    """One object of a calendar, as the server sent it, with the busy time found in it."""

    __tablename__ = "calendar_resource"

    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id", ondelete="CASCADE"), primary_key=True)
    href: Mapped[str] = mapped_column(primary_key=True)
    etag: Mapped[str]
    uid: Mapped[str] = mapped_column(index=True)
    ics: Mapped[str] = mapped_column(sa.Text)
    busy: Mapped[Timeline]
    problem: Mapped[str] = mapped_column(default="")
    """Why (a part of) it can't be understood; such a part blocks."""


class Call(Base):
    """One planned phone call, whatever its state."""

    __tablename__ = "call"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "request_key"),
        sa.Index("ix_call_owner_id_starts_at", "owner_id", "starts_at"),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """Random and public."""
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    call_type_id: Mapped[int] = mapped_column(sa.ForeignKey("call_type.id"))
    state: Mapped[State] = mapped_column(
        sa.Enum(State, native_enum=False, length=16, values_callable=lambda e: [s.value for s in e])
    )
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    owner_wall_time: Mapped[str]
    """The wall time and zone that were agreed on: a later change of a zone's rules can be noticed."""
    name: Mapped[str]
    email: Mapped[str]
    """Normalised, may be empty."""
    phone: Mapped[str]
    """E.164, empty where the client calls."""
    note: Mapped[str] = mapped_column(sa.Text, default="")
    answers: Mapped[dict[str, bool]] = mapped_column(sa.JSON, default=dict)
    """What may be done, as the client said: ``voicemail``, ``others`` (somebody else may answer), ``text``."""
    who_calls: Mapped[str]
    """``owner`` or ``client``."""
    wants_reminders: Mapped[bool] = mapped_column(default=False)
    """Asked for in the form; counts where discretion is neutral."""
    answer_by: Mapped[datetime | None]
    """By when a request is answered, as the client was promised."""
    timezone: Mapped[str]
    locale: Mapped[str]
    request_key: Mapped[str]
    """The form's nonce or the API's Idempotency-Key: the same request twice is one call."""
    request_digest: Mapped[str]
    origin: Mapped[str] = mapped_column(index=True)
    """Keyed hash of the network the booking came from; emptied after a day."""
    link_version: Mapped[int] = mapped_column(default=1)
    address_proved_at: Mapped[datetime | None]
    """When a link that only the mail holds was first used to act."""
    ics_uid: Mapped[str]
    """UID in the client's .ics, constant for the call's whole life."""
    sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(index=True)

    owner: Mapped[Owner] = relationship()
    call_type: Mapped[CallType] = relationship()
    changes: Mapped[list["CallChange"]] = relationship(order_by="CallChange.id", back_populates="call")


class CallChange(Base):
    """Who did what to a call, and when."""

    __tablename__ = "call_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(sa.ForeignKey("call.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    step: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    """Why, in the words of whoever did it; the client reads the owner's."""
    from_starts_at: Mapped[datetime | None]
    """Where a moved call stood before."""

    call: Mapped[Call] = relationship(back_populates="changes")


class HeldPeriod(Base):
    """A period no other call of the owner may touch: the call with its buffers."""

    __tablename__ = "held_period"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    call_id: Mapped[str] = mapped_column(sa.ForeignKey("call.id"), index=True)
    starts_at: Mapped[datetime]
    """Padded by the buffer before."""
    ends_at: Mapped[datetime]
    """Padded by the buffer after."""

    __table_args__ = (sa.Index("ix_held_period_owner_id_starts_at", "owner_id", "starts_at"),)

    call: Mapped[Call] = relationship()


class PlacedEvent(Base):
    """The event of a call in the owner's calendar, as we last wrote it. Only ``usecases.placing`` changes its times."""

    __tablename__ = "placed_event"

    call_id: Mapped[str] = mapped_column(sa.ForeignKey("call.id"), primary_key=True)
    calendar_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar.id"), index=True)
    generation: Mapped[int] = mapped_column(default=1)
    uid: Mapped[str] = mapped_column(index=True)
    href: Mapped[str] = mapped_column(default="")
    etag: Mapped[str] = mapped_column(default="")
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    """The period last written (or about to be); ``None`` before the first write, and once the event is removed."""
    earlier_periods: Mapped[list[list[int]]] = mapped_column(sa.JSON, default=list)
    """Where it may have stood before (``[start, end]`` in epoch seconds), as long as a reading may still show it."""
    settled_at: Mapped[datetime | None]
    """Since when the last write is known to have succeeded: what is read later shows no earlier period of ours."""


class Job(Base):
    """A row of the outbox: something that must happen outside, written together with its cause."""

    __tablename__ = "job"

    number: Mapped[int] = mapped_column(primary_key=True)
    """Rises: the order within one group."""
    id: Mapped[str] = mapped_column(sa.String(32), unique=True)
    """Random; a mail's Message-ID derives from it."""
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    kind: Mapped[str]
    """``mail``, ``calendar``, ``decide`` (a request) or ``morning`` (the owner's morning mail)."""
    call_id: Mapped[str | None] = mapped_column(sa.ForeignKey("call.id"), index=True)
    group: Mapped[str] = mapped_column("group_key", index=True)
    """Jobs of one group leave in their order."""
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    first_mail_to: Mapped[str] = mapped_column(default="", index=True)
    """Keyed hash of the address, for mails that a stranger could cause by typing it in: they are counted."""
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str] = mapped_column(default="")
    """Fencing token of the claim that runs it."""
    leased_until: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    """Pointless after it: then it is done without anything being done."""
    sending_at: Mapped[datetime | None]
    """Committed just before DATA: a crash after it leaves the mail's fate unknown."""
    ambiguous_attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(sa.Text, default="")
    error_kind: Mapped[str] = mapped_column(default="")
    """The error's class, for wording it in the owner's language; empty while nothing has failed."""

    __table_args__ = (
        sa.Index(
            "ix_job_undone",
            "owner_id",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
        sa.Index(
            "ix_job_open",
            "not_before",
            sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        ),
    )
