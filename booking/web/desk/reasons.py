"""Why a message could not be sent, as the desk says it.

The outbox keeps errors in the operator's words, with servers and folders; here every case is said to the owner.
"""

import re
from typing import Final

from booking.store.models import Job
from booking.store.outbox import HELD_BACK
from booking.web.context import gettext

_ANSWER: Final = re.compile(r"mail server [a-z ]+: (.*)", re.DOTALL)
_PLACES: Final = re.compile(
    r"\[?[0-9a-f]*:[0-9a-f:]{4,}\]?|\b\d+(?:\.\d+){3}\b|\b(?:[\w-]+\.)+[a-z]{2,}\b(?:/\S*)?", re.IGNORECASE
)
"""Addresses of machines in a server's answer: nobody needs them who does not run this service."""


def reason(job: Job) -> str:
    """Say why a message could not be sent."""
    words = {
        "MailDelayed": gettext("The mail server can't be reached, or does not take it yet."),
        "MailUncertain": gettext(
            "The connection broke at the last moment. Whether the message has left, nobody knows."
        ),
        HELD_BACK: gettext("This service was brought back from a backup, and the message may have left before that."),
        "AuthRefused": gettext("The calendar's server refuses the name or the password."),
        "CalendarGone": gettext("There is no calendar at its address."),
        "Refused": gettext("The calendar does not take this entry."),
        "Conflict": gettext("Something else stands in the calendar in its place."),
        "Unreachable": gettext("The calendar's server does not answer as it should."),
        "NotMovedYet": gettext("The call does not stand in its new calendar yet."),
    }
    if job.error_kind == "MailRefused":
        return _refused(job.last_error)
    other = gettext("Something unexpected happened. Whoever runs this service finds the cause in its log.")
    return words.get(job.error_kind, other)


def _refused(error: str) -> str:
    answer = _ANSWER.search(error)
    if answer is None:
        return gettext("The mail server refuses it.")
    return gettext("The mail server refuses it and says: %(answer)s", answer=_PLACES.sub("…", answer[1]))
