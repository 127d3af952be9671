"""The page of days and times, and its short form with the nearest ones: for booking a call, and for moving one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Response, request

from booking.store.models import CallType
from booking.usecases.availability import Offer, lengths_of
from booking.web import away, pages
from booking.web.away import Offered
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


@dataclass(frozen=True)
class Length:
    """One length that can be chosen: in minutes, as it is written, and whether it is the chosen one."""

    minutes: str
    label: str
    is_chosen: bool


def ways(times: str, details: str, *, embed: str | None = None, minutes: int | None = None, **place: str) -> Ways:
    """Return the ways on the page ``times``, whose times lead to the page ``details``; both are endpoints.

    ``embed`` is carried by what stays on the page, ``minutes`` by all.
    """
    carried = {"minutes": minutes, **place}
    return Ways(
        day=link(times, **carried, embed=embed, day=""),
        first=link(times, **carried, embed=embed, **{"from": ""}),
        time=link(details, **carried, start=""),
        all_times=link(times, **carried),
    )


def show_times(
    template: str,
    offer: Offer,
    ways: Ways,
    *,
    but: datetime | None = None,
    day: date | None = None,
    is_personal: bool = False,
    **values: object,
) -> Response:
    """Render what an offer holds, by days and times; ``but`` is a start that is not shown.

    :param day: the day that is shown where the address names none.
    """
    wished = {"day": day, **{name: read_day(request.args[name]) for name in ("day", "from") if name in request.args}}
    times = Times(offer, reader(), ZoneInfo(zone_name()), wished, but=but)
    return pages.page(
        template,
        200,
        None,
        is_personal=is_personal,
        call_type=offer.call_type,
        in_short=in_short(offer.call_type, [offer.minutes]),
        wording=pages.wording(offer.call_type, offer.owner),
        spoken=pages.spoken(offer.call_type),
        lengths=lengths(offer),
        absences=away.notices(
            offer.owner, now(), offer.agenda.holidays, lambda: [Offered(times.free, offer.horizon.end, ways.time)]
        ),
        times=times,
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


def in_short(call_type: CallType, minutes: Sequence[int] = ()) -> str:
    """Say how long a call is, or can be, and who calls whom: 30 minutes · I call you."""
    return f"{pages.lengths(minutes or lengths_of(call_type))} · {pages.who_calls(call_type)}"


def lengths(offer: Offer) -> list[Length]:
    """Return the lengths a client can choose from; none where there is nothing to choose."""
    if len(offer.lengths) < 2:
        return []
    return [Length(str(each), pages.minutes(each), each == offer.minutes) for each in offer.lengths]
