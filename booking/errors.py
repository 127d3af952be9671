"""What can go wrong, named. Wording for readers belongs to ``web/`` and ``mail/``."""


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
