"""What the doctor says about one thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

CLOCK_MAY_DIFFER: Final = timedelta(minutes=2)
SET_CLOCK: Final = "set the clock of this machine by NTP (timedatectl set-ntp true), then restart"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``words`` say what to do where it is not well.

    Subject and words are for the operator, and may name folders, servers and other owners. ``kind`` is what the desk
    words the finding by, in its owner's language, with ``facts``; both hold nothing that only the operator may know.
    """

    subject: str
    is_well: bool
    words: str
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
