"""What a mail is made of: the facts of one call, calendar, account or absence, as a job of the outbox keeps them.

Facts hold no wording; they are written when something happens and read when the mail leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final

_MOMENTS: Final = ("starts_at", "ends_at", "moved_from", "answer_by")


@dataclass(frozen=True)
class CallFacts:
    """Everything one mail about one call needs; times are aware UTC.

    ``message`` is ``booked``, ``moved``, ``corrected``, ``cancelled`` or ``reminder``, to a client also ``requested``,
    ``confirmed`` or ``declined``; ``to`` is ``client`` or ``owner``. ``locale`` and ``timezone`` are the recipient's.
    ``client_phone`` and ``owner_phone`` are E.164 or empty; ``caller_id`` is the owner's sentence on which number a
    call comes from. ``link`` is the client's own, in the owner's mail the call's page at the desk; ``booking_url`` is
    the page of this call type's times. ``cancelled_by`` is ``client``, ``owner`` or anything else for nobody in person.
    ``moved_from`` is the start a moved call had before, ``answer_by`` the moment by which a request is answered. A
    declined request has ``alternatives``, free starts offered instead; ``is_unseen`` says that no calendar answered in
    time, so that it is not known whether the time is taken. ``reason`` is what the owner wants the client to know about
    a change, ``answers`` what the client said may be done (``voicemail``, ``others``, ``text``),
    ``unusual_minutes`` the length that links to times have to name, ``signature`` what the owner ends mails to clients
    with.
    """

    message: str
    to: str
    recipient: str
    locale: str
    timezone: str
    owner_name: str
    owner_email: str
    owner_timezone: str
    owner_phone: str
    caller_id: str
    discretion: str
    sender_name: str
    call_id: str
    starts_at: datetime
    ends_at: datetime
    call_type_name: str
    who_calls: str
    client_name: str
    client_phone: str
    client_email: str
    note: str
    client_timezone: str
    ics_uid: str
    sequence: int
    link: str
    booking_url: str
    cancelled_by: str = ""
    moved_from: datetime | None = None
    answer_by: datetime | None = None
    alternatives: tuple[datetime, ...] = ()
    is_unseen: bool = False
    reason: str = ""
    answers: Mapping[str, bool] = field(default_factory=dict)
    unusual_minutes: int = 0
    signature: str = ""

    def to_payload(self) -> dict[str, Any]:
        """Return the facts as JSON can keep them."""
        return {name: _as_json(value) for name, value in asdict(self).items()}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "CallFacts":
        """Read what :meth:`to_payload` wrote."""
        moments = {name: datetime.fromisoformat(payload[name]) for name in _MOMENTS if payload.get(name)}
        alternatives = tuple(datetime.fromisoformat(moment) for moment in payload.get("alternatives", ()))
        return cls(**{**payload, **moments, "alternatives": alternatives})


@dataclass(frozen=True)
class CalendarFacts:
    """Everything a mail to the owner about a silent calendar needs.

    ``message`` is ``calendar_silent`` or ``calendar_back``. ``error_kind`` names the error's class in
    ``booking.calendars.port``; ``silent_since`` is the last moment it was known, aware UTC, ``None`` if it never was.
    """

    message: str
    recipient: str
    locale: str
    timezone: str
    calendar_name: str
    error_kind: str
    silent_since: datetime | None
    to: str = "owner"

    def to_payload(self) -> dict[str, Any]:
        """Return the facts as JSON can keep them."""
        return {name: _as_json(value) for name, value in asdict(self).items()}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "CalendarFacts":
        """Read what :meth:`to_payload` wrote."""
        since = payload["silent_since"]
        return cls(**{**payload, "silent_since": datetime.fromisoformat(since) if since else None})


@dataclass(frozen=True)
class AccountFacts:
    """Everything a mail to the owner about the way into the desk needs.

    ``message`` is ``reset``: ``link`` leads to a new password, until ``expires_at`` (aware UTC). The link is made when
    the mail leaves: no payload holds one.
    """

    message: str
    recipient: str
    locale: str
    timezone: str
    owner_name: str
    link: str
    expires_at: datetime
    to: str = "owner"


@dataclass(frozen=True)
class AwayFacts:
    """Everything a mail that tells one client of an absence needs.

    ``first`` to ``last`` are the owner's days, ``back`` is the first working day after them. ``before`` and ``after``
    are free starts around the absence, aware UTC, of the call type that ``booking_url`` leads to. ``notice`` and
    ``stand_in`` are the owner's words, ``is_update`` says that the client was told other days before, ``has_call``
    that a call with this client stands and is not touched. ``locale`` and ``timezone`` are the client's.
    """

    recipient: str
    client_name: str
    locale: str
    timezone: str
    owner_name: str
    owner_email: str
    discretion: str
    sender_name: str
    signature: str
    first: date
    last: date
    back: date | None
    notice: str
    stand_in: str
    booking_url: str
    before: tuple[datetime, ...] = ()
    after: tuple[datetime, ...] = ()
    is_update: bool = False
    has_call: bool = False
    message: str = "away"
    to: str = "client"

    def to_payload(self) -> dict[str, Any]:
        """Return the facts as JSON can keep them."""
        return {name: _as_json(value) for name, value in asdict(self).items()}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "AwayFacts":
        """Read what :meth:`to_payload` wrote."""
        days = {name: date.fromisoformat(payload[name]) for name in ("first", "last", "back") if payload[name]}
        around = {name: tuple(map(datetime.fromisoformat, payload[name])) for name in ("before", "after")}
        return cls(**{**payload, **days, **around})


@dataclass(frozen=True)
class MorningFacts:
    """Everything the morning mail to the owner needs.

    ``day`` is a moment of the business day that it is about. ``calls`` are those of the day that are not over,
    ``requests`` those that are not answered yet, ``news`` what has waited to be told (each as a mail of its own would
    have told it), ``silent`` the calendars that can't be read, ``stuck`` how many messages can't leave. ``link`` leads
    to the desk, ``stuck_link`` to what is stuck.
    """

    recipient: str
    locale: str
    timezone: str
    discretion: str
    day: datetime
    calls: Sequence[CallFacts]
    requests: Sequence[CallFacts]
    news: Sequence[CallFacts | CalendarFacts | AwayFacts]
    silent: Sequence[CalendarFacts]
    stuck: int
    link: str
    stuck_link: str
    message: str = "morning"
    to: str = "owner"

    def is_empty(self) -> bool:
        """Say whether there is nothing to say."""
        return not (self.calls or self.requests or self.news or self.silent or self.stuck)


Facts = CallFacts | CalendarFacts | AccountFacts | AwayFacts | MorningFacts


def read_facts(payload: Mapping[str, Any]) -> CallFacts | CalendarFacts:
    """Read the facts that a mail's job about a call or calendar holds."""
    kind = CalendarFacts if str(payload["message"]).startswith("calendar_") else CallFacts
    return kind.from_payload(payload)


def _as_json(value: object) -> object:
    if isinstance(value, date):  # a moment is one, too
        return value.isoformat()
    return [_as_json(each) for each in value] if isinstance(value, tuple) else value
