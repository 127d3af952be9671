"""What the doctor says about one thing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

CLOCK_MAY_DIFFER: Final = timedelta(minutes=2)
SET_CLOCK: Final = "set the clock of this machine by NTP (timedatectl set-ntp true), then restart"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``words`` say what to do where it is not well."""

    subject: str
    is_well: bool
    words: str
