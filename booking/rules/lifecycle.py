"""The states of a call, and the only place where one follows another."""

from enum import StrEnum

from booking.errors import IllegalStep


class State(StrEnum):
    """What a call is. More states come with requests and outcomes."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What happens to a call."""

    BOOK = "book"
    CANCEL = "cancel"
    CORRECT = "correct"


class Actor(StrEnum):
    """Who does it."""

    CLIENT = "client"
    OWNER = "owner"
    CALENDAR = "calendar"
    CLOCK = "clock"


HOLDS_TIME = frozenset({State.CONFIRMED})

_NEXT: dict[tuple[State | None, Step], State] = {
    (None, Step.BOOK): State.CONFIRMED,
    (State.CONFIRMED, Step.CORRECT): State.CONFIRMED,
    (State.CONFIRMED, Step.CANCEL): State.CANCELLED,
}


def after(state: State | None, step: Step) -> State:
    """Return the state that ``step`` leads to; ``None`` is a call that does not exist yet.

    :raises IllegalStep: when the step is not possible from there.
    """
    try:
        return _NEXT[state, step]
    except KeyError:
        raise IllegalStep(f"a call that is {state or 'not there'} can't {step}") from None
