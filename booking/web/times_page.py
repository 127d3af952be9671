"""The page of days and times, and its short form with the nearest ones: for booking a call, and for moving one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, request

from booking.store.models import CallType
from booking.usecases.availability import Offer
from booking.web import pages
from booking.web.context import link, now, reader, zone_name
from booking.web.instants import read_day
from booking.web.times import Time, Times
from booking.web.zones import zone_options


@dataclass(frozen=True)
class Ways:
    """Addresses of the links: each but the last is completed by a day or a time; a page holds a hundred of them."""

    day: str
    first: str
    """Completed by the first day of the strip."""
    time: str
    all_times: str


def ways(times: str, details: str, **place: str) -> Ways:
    """Return the ways on the page ``times``, whose times lead to the page ``details``; both are endpoints."""
    return Ways(
        day=link(times, **place, day=""),
        first=link(times, **place, **{"from": ""}),
        time=link(details, **place, start=""),
        all_times=link(times, **place),
    )


def show_times(
    template: str, offer: Offer, ways: Ways, *, but: datetime | None = None, is_personal: bool = False, **values: object
) -> Response:
    """Render what an offer holds, by days and times; ``but`` is a start that is not shown."""
    wished = {name: read_day(request.args.get(name, "")) for name in ("day", "from")}
    return pages.page(
        template,
        200,
        None,
        is_personal=is_personal,
        call_type=offer.call_type,
        in_short=in_short(offer.call_type),
        away=pages.away(offer.owner, now(), offer.agenda.holidays),
        times=Times(offer, reader(), ZoneInfo(zone_name()), wished, but=but),
        ways=ways,
        zone_words=pages.zone_words(zone_name()),
        several=offer.has_siblings,
        owner_zone_words=pages.zone_words(offer.owner.timezone),
        zone_options=zone_options(reader().code),
        place=reader().place(zone_name()),
        owner_place=reader().place(offer.owner.timezone),
        **values,
    )


def written_out(offer: Offer, starts: Iterable[datetime]) -> list[Time]:
    """Write starts of an offer for the reader."""
    shown = Times(offer, reader(), ZoneInfo(zone_name()), {})
    return [shown.time(start) for start in starts]


def in_short(call_type: CallType) -> str:
    """Say how long a call is and who calls whom: 30 minutes · I call you."""
    return f"{pages.minutes(call_type.minutes)} · {pages.who_calls(call_type)}"
