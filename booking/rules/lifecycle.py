"""The states of a call, and the only place where one follows another."""

from enum import StrEnum

from booking.errors import IllegalStep


class State(StrEnum):
    """What a call is. More states come with proposals and outcomes."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What happens to a call."""

    BOOK = "book"
    REQUEST = "request"
    CONFIRM = "confirm"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    MOVE = "move"
    CANCEL = "cancel"
    CORRECT = "correct"


class Actor(StrEnum):
    """Who does it."""

    CLIENT = "client"
    OWNER = "owner"
    CALENDAR = "calendar"
    CLOCK = "clock"


HOLDS_TIME = frozenset({State.REQUESTED, State.CONFIRMED})

_NEXT: dict[tuple[State | None, Step], State] = {
    (None, Step.BOOK): State.CONFIRMED,
    (None, Step.REQUEST): State.REQUESTED,
    (State.REQUESTED, Step.CORRECT): State.REQUESTED,
    (State.REQUESTED, Step.CONFIRM): State.CONFIRMED,
    (State.REQUESTED, Step.DECLINE): State.DECLINED,
    (State.REQUESTED, Step.WITHDRAW): State.WITHDRAWN,
    (State.CONFIRMED, Step.MOVE): State.CONFIRMED,
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
