"""How a message stands, as the desk says it."""

from dataclasses import dataclass
from datetime import datetime

from booking.store.models import Job
from booking.store.outbox import DROPPED, HELD_BACK, SET_ASIDE, TAKEN_ALONG, doubts, is_under_way
from booking.web.context import gettext, ngettext, now
from booking.web.desk.reasons import reason
from booking.web.story import moment


@dataclass(frozen=True)
class State:
    """How a message stands. ``kind`` is ``sent``, ``waits``, ``dropped`` or ``trouble``."""

    kind: str
    words: str


def state(job: Job) -> State:
    """Say how a message stands."""
    if job.done_at is not None:
        return _done(job, job.done_at)
    if job.parked_at is not None:
        return State("trouble", _given_up(job, job.parked_at))
    if is_under_way(job, now()):
        return State("waits", gettext("on its way right now"))
    if job.error_kind:
        return State("trouble", _tried(job))
    if job.not_before > now():
        return State("waits", gettext("waits until %(moment)s", moment=moment(job.not_before)))
    return State("waits", gettext("leaves in a moment"))


def is_in_doubt(job: Job) -> bool:
    """Say whether a mail may have left already, so that it would arrive twice."""
    return job.error_kind == HELD_BACK or doubts(job) > 0


def _done(job: Job, at: datetime) -> State:
    if job.last_error == SET_ASIDE:
        return State("dropped", gettext("not sent: you dropped it on %(moment)s", moment=moment(at)))
    if job.last_error == DROPPED:
        return State("dropped", gettext("not sent: there was nothing to tell any more"))
    if job.last_error == TAKEN_ALONG:
        return State("sent", gettext("told by the morning mail of %(moment)s", moment=moment(at)))
    if job.kind == "calendar":
        return State("sent", gettext("entered on %(moment)s", moment=moment(at)))
    return State("sent", gettext("sent on %(moment)s", moment=moment(at)))


def _given_up(job: Job, at: datetime) -> str:
    if job.error_kind == HELD_BACK:
        return gettext("held back: %(reason)s", reason=reason(job))
    return gettext("given up on %(moment)s: %(reason)s", moment=moment(at), reason=reason(job))


def _tried(job: Job) -> str:
    tried = ngettext(
        "tried %(num)s time: %(reason)s", "tried %(num)s times: %(reason)s", job.attempts, reason=reason(job)
    )
    at_once = gettext("It is tried again right now.")
    then = gettext("Next attempt: %(moment)s.", moment=moment(job.not_before))
    return f"{tried} {at_once if job.not_before <= now() else then}"
