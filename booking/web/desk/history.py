"""What has happened to a call, as its owner reads it: every change and every mail, in the order of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from booking.rules.lifecycle import Actor, Step
from booking.store.models import Call, CallChange, Job
from booking.store.outbox import DROPPED, SET_ASIDE, TAKEN_ALONG
from booking.web.context import gettext, now
from booking.web.desk.reasons import reason
from booking.web.story import moment, what

_MEANT_FOR_LATER: Final = "reminder"


@dataclass(frozen=True)
class Entry:
    """One line: when, what, what became of it, and why. ``kind`` is ``change``, ``mail`` or ``trouble``."""

    at: datetime
    when: str
    what: str
    state: str
    why: str
    kind: str


def history(call: Call, mails: Iterable[Job]) -> list[Entry]:
    """Tell everything, oldest first; what is still to come stands last."""
    told = {Actor.CLIENT: _by_client(), Actor.OWNER: _by_owner()}
    entries = [_change(change, told) for change in call.changes] + [_mail(job) for job in mails]
    return sorted(entries, key=lambda entry: entry.at)


def _change(change: CallChange, told: Mapping[Actor, Mapping[Step, str]]) -> Entry:
    before = gettext("Before: %(moment)s", moment=moment(change.from_starts_at)) if change.from_starts_at else ""
    return Entry(change.at, moment(change.at), what(change, told), before, change.reason, "change")


def _by_client() -> Mapping[Step, str]:
    return {
        Step.BOOK: gettext("The client booked the call."),
        Step.REQUEST: gettext("The client had the time noted."),
        Step.WITHDRAW: gettext("The client gave the time back."),
        Step.MOVE: gettext("The client moved the call."),
        Step.CANCEL: gettext("The client cancelled the call."),
        Step.CORRECT: gettext("The client corrected the number or the mail address."),
    }


def _by_owner() -> Mapping[Step, str]:
    return {
        Step.BOOK: gettext("You entered the call."),
        Step.MOVE: gettext("You moved the call."),
        Step.CANCEL: gettext("You cancelled the call."),
        Step.DECLINE: gettext("You declined the time."),
    }


def _mail(job: Job) -> Entry:
    at = job.done_at or job.parked_at or max(job.created_at, job.not_before)
    trouble = job.parked_at is not None or (job.done_at is None and job.last_error != "" and job.not_before <= now())
    return Entry(at, moment(at), _subject(job), _state(job), "", "trouble" if trouble else "mail")


def _subject(job: Job) -> str:
    to_client = {
        "booked": gettext("Confirmation to the client"),
        "requested": gettext("Word to the client that the time is noted"),
        "confirmed": gettext("Word to the client that the time works"),
        "declined": gettext("Word to the client that the time does not work"),
        "moved": gettext("Word to the client of the new time"),
        "corrected": gettext("Word to the client of the new details"),
        "cancelled": gettext("Word to the client that the call is cancelled"),
        "reminder": gettext("Reminder to the client"),
    }
    to_owner = {
        "booked": gettext("Word to you that the call was booked"),
        "moved": gettext("Word to you of the new time"),
        "corrected": gettext("Word to you of the new details"),
        "cancelled": gettext("Word to you that the call is cancelled"),
        "reminder": gettext("Reminder to you"),
    }
    words = to_owner if job.payload.get("to") == "owner" else to_client
    return words.get(str(job.payload.get("message")), gettext("A mail about this call"))


def _state(job: Job) -> str:
    """Say what became of a mail, or when it goes out."""
    if job.parked_at is not None:
        return gettext("given up: %(error)s", error=reason(job))
    if job.last_error == SET_ASIDE:
        return gettext("dropped by you")
    if job.done_at is not None:
        return _done(job)
    if job.not_before > now():
        return gettext("goes out then")
    return gettext("waits: %(error)s", error=reason(job)) if job.last_error else gettext("goes out in a moment")


def _done(job: Job) -> str:
    known = {DROPPED: gettext("not needed any more"), TAKEN_ALONG: gettext("told by the morning mail")}
    return known.get(job.last_error, gettext("sent"))
