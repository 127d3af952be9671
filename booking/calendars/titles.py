"""The title of an event, for its owner's eyes: what takes an object apart to find busy time never touches titles."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from booking.rules.text import single_line

LONGEST: Final = 120
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_EVENT: Final = re.compile(r"^BEGIN:VEVENT\s*$(.*?)^END:VEVENT\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_SUMMARY: Final = re.compile(r"^SUMMARY[^:\r\n]*:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_DTSTART: Final = re.compile(r"^DTSTART[^:\r\n]*:([0-9TZ]+)", re.MULTILINE | re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\([nN,;\\])")


def title_of(ics: str, start: datetime, zone: tzinfo) -> str:
    """Return the title of the event that begins at ``start``, in one line; empty where it has none.

    A changed instance of a series is found by its beginning, in UTC or in ``zone``; else the first event counts.
    """
    events = _EVENT.findall(_FOLD.sub("", ics))
    begins = {f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}", f"{start.astimezone(zone):%Y%m%dT%H%M%S}"}
    named = [event for event in events if (found := _DTSTART.search(event)) and found.group(1).upper() in begins]
    for event in (*named, *events):
        summary = _SUMMARY.search(event)
        if summary:
            text = _ESCAPED.sub(lambda match: {"n": " "}.get(match[1].lower(), match[1]), summary.group(1))
            return single_line(text)[:LONGEST]
    return ""
