"""The owner's calls: those that are planned, and whatever a search finds."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import request
from flask.typing import ResponseReturnValue

from booking.rules.phone import display
from booking.store.models import Call
from booking.usecases.search import search
from booking.web import pages
from booking.web.context import gettext, now, reader, services
from booking.web.desk.room import desk, page, signed_in

LONGEST_SEARCH = 100
MOST_PAGES = 10_000


@dataclass(frozen=True)
class Hit:
    """One call in the list."""

    call: Call
    at: str
    number: str
    state: str


@desk.get("/calls")
def calls() -> ResponseReturnValue:
    """List what is planned, or what was searched for."""
    owner, zone = signed_in(), ZoneInfo(signed_in().timezone)
    text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    number = request.args.get("page", 0, type=int)
    with services().database.reading() as db:
        found = search(db, owner, text, min(max(number, 0), MOST_PAGES), now())
    hits = [
        Hit(
            call,
            gettext(
                "%(day)s, %(time)s",
                day=pages.short_date(call.starts_at, zone, now()),
                time=reader().time(call.starts_at, zone),
            ),
            display(call.phone) if call.phone else "",
            state_name(call),
        )
        for call in found.calls
    ]
    return page("desk/calls.html", q=text, hits=hits, number=max(number, 0), has_more=found.has_more)


def state_name(call: Call) -> str:
    """Name a call's state in a word or two."""
    over = call.ends_at <= now()
    words = {
        "requested": gettext("not confirmed"),
        "confirmed": gettext("over") if over else gettext("planned"),
        "declined": gettext("declined"),
        "withdrawn": gettext("withdrawn"),
        "cancelled": gettext("cancelled"),
    }
    return words.get(call.state, str(call.state))
