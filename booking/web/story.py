"""A call told to its client: its state in words, what has happened so far, and when reminders come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from booking.rules.lifecycle import Actor, State, Step
from booking.store.models import Call, CallChange
from booking.usecases.notify import reminders_of
from booking.web.context import gettext, now, reader, zone_name

_STARTS_REMINDERS: Final = frozenset({Step.BOOK, Step.CONFIRM, Step.MOVE, Step.CORRECT})
"""The steps at which the reminders of a call are set."""


@dataclass(frozen=True)
class Told:
    """One line of a call's history."""

    at: str
    what: str
    why: str
    """In the owner's words; empty where nothing was said, or somebody else did it."""


def state_words(call: Call) -> str:
    """Say in one sentence what the call is."""
    moment = now()
    ended = {
        State.CANCELLED: gettext("This call is cancelled."),
        State.DECLINED: gettext("This time does not work."),
        State.WITHDRAWN: gettext("This time was given back."),
    }
    if call.state in ended:
        return ended[call.state]
    if moment < call.starts_at:
        waiting = call.state is State.REQUESTED
        return gettext("Not confirmed yet.") if waiting else gettext("This call is arranged.")
    if moment < call.ends_at and call.state is State.CONFIRMED:
        return gettext("It is time for this call.")
    return gettext("The time of this call has passed.")


def history(call: Call) -> list[Told]:
    """Tell what has happened, oldest first."""
    told = {Actor.CLIENT: _by_client(), Actor.OWNER: _by_owner()}
    return [Told(moment(change.at), what(change, told), owners_reason(change)) for change in call.changes]


def last_reason(call: Call) -> str:
    """Return why the owner changed the call, where the owner was the last to change it."""
    return owners_reason(call.changes[-1]) if call.changes else ""


def owners_reason(change: CallChange) -> str:
    """Return what the owner wants the client to know about a change."""
    return change.reason if change.actor == Actor.OWNER else ""


def answers(call: Call) -> list[str]:
    """Say what may be done and what may not, as the client answered."""
    said = {
        "voicemail": (gettext("I may leave a message."), gettext("I leave no message.")),
        "others": (gettext("Somebody else may answer."), gettext("Nobody else is to answer.")),
        "text": (gettext("I may write a text message."), gettext("I write no text message.")),
    }
    return [said[each][0 if call.answers[each] else 1] for each in said if each in call.answers]


def reminders(call: Call) -> list[str]:
    """Write when the reminders that are still to come will come."""
    if call.state is not State.CONFIRMED:
        return []
    set_at = (change.at for change in call.changes if change.step in _STARTS_REMINDERS)
    since = max(set_at, default=call.created_at)
    speech, zone = reader(), ZoneInfo(zone_name())
    ahead = [moment for moment in reminders_of(call, since) if moment > now()]
    return [
        gettext("%(day)s, %(time)s", day=speech.day(moment, zone), time=speech.time(moment, zone)) for moment in ahead
    ]


def moment(at: datetime) -> str:
    """Write when something happened: short day and time, in the reader's zone."""
    zone = ZoneInfo(zone_name())
    return gettext("%(day)s, %(time)s", day=reader().short_day(at, zone), time=reader().time(at, zone))


def what(change: CallChange, told: Mapping[Actor, Mapping[Step, str]]) -> str:
    """Say what was done, in the words for whoever did it; of clock and calendar without naming anybody."""
    step = Step(change.step)
    return told.get(Actor(change.actor), {}).get(step) or _by_nobody()[step]


def _by_client() -> Mapping[Step, str]:
    return {
        Step.BOOK: gettext("You booked the call."),
        Step.REQUEST: gettext("You had the time noted."),
        Step.WITHDRAW: gettext("You gave the time back."),
        Step.MOVE: gettext("You moved the call."),
        Step.CANCEL: gettext("You cancelled the call."),
    }


def _by_owner() -> Mapping[Step, str]:
    return {
        Step.BOOK: gettext("I entered the call."),
        Step.MOVE: gettext("I moved the call."),
        Step.CANCEL: gettext("I cancelled the call."),
    }


def _by_nobody() -> Mapping[Step, str]:
    return {
        Step.BOOK: gettext("The call was entered."),
        Step.REQUEST: gettext("The time was noted."),
        Step.CONFIRM: gettext("The time was confirmed."),
        Step.DECLINE: gettext("The time was not confirmed."),
        Step.WITHDRAW: gettext("The time was given back."),
        Step.MOVE: gettext("The call was moved."),
        Step.CANCEL: gettext("The call was cancelled."),
        Step.CORRECT: gettext("Number or mail address was corrected."),
    }
