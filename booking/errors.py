"""What can go wrong, named. Wording for readers belongs to ``web/`` and ``mail/``."""

from collections.abc import Sequence


class BookingError(Exception):
    """Base of every error that Sprechzeit raises on purpose."""


class SettingsError(BookingError):
    """The environment is not usable; the message names every bad variable."""


class NotFound(BookingError):
    """There is no such owner, call type, call or calendar (or it is somebody else's)."""


class NotOffered(BookingError):
    """The wished time is not a free slot.

    :ivar reason: the :class:`booking.rules.slots.Reason` it is not offered for, as a string.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"this time is not offered: {reason}")
        self.reason = reason


class NotBookable(NotFound):
    """The call type is hidden or archived: its calls live on, but nobody can book another one."""


class LengthNotOffered(BookingError):
    """A call of this length can't be booked; others of the call type can."""


class CapReached(BookingError):
    """One person or address has booked as much as is allowed for now.

    :ivar cap: ``person`` (upcoming calls), ``address`` (first mails to one address) or ``origin`` (bookings an hour).
    """

    def __init__(self, cap: str) -> None:
        super().__init__(f"the cap on calls is reached: {cap}")
        self.cap = cap


class KeyReused(BookingError):
    """An idempotency key came back with another request than its first one."""


class IllegalStep(BookingError):
    """A call can't change its state in this way."""


class InvalidPhone(BookingError):
    """The text is not a phone number that can be rung.

    :ivar reason: the :class:`booking.rules.phone.PhoneProblem` as a string.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a number that can be rung: {reason}")
        self.reason = reason


class InvalidText(BookingError):
    """A text of the operator (hours, dates, a setting) can't be read; the message says what to write instead."""


class ChangedMeanwhile(BookingError):
    """What a form would save was changed since the form was shown."""


class NotWaived(BookingError):
    """The time that an owner chose by hand is not offered, and the owner has not said that it shall hold all the same.

    :ivar reasons: every :class:`booking.rules.slots.Reason` that has to be waived, as strings.
    """

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"this time is not offered: {', '.join(reasons)}")
        self.reasons = tuple(reasons)


class Taken(BookingError):
    """Another call of the owner holds the time: nobody may place a call there.

    :ivar call_id: the other call; empty where it is not known which.
    """

    def __init__(self, call_id: str = "") -> None:
        super().__init__("another call holds this time")
        self.call_id = call_id
