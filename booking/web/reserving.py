"""Booking as the page and the API do it: look at the calendars, then lock and book.

The calendars are asked outside any transaction, together, with one deadline. What they answer is saved the
way the worker saves it, and then the one slot function decides.
"""

import contextlib
import ipaddress
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy.exc import IntegrityError

from booking.calendars.live import read_all
from booking.calendars.port import CalendarError
from booking.errors import BookingError, NotOffered
from booking.rules.lifecycle import Actor
from booking.rules.slots import Reason
from booking.services import Services
from booking.signing import Link
from booking.store.models import Call
from booking.usecases import calls, refresh
from booking.usecases.availability import FRESH_FOR
from booking.usecases.notify import House
from booking.usecases.reserve import Wish, book, booked_already

LIVE_CHECK_SECONDS: Final = 2.0
NETWORK_BITS: Final = {4: 32, 6: 64}


class CalendarsSilent(BookingError):
    """A calendar did not answer in time, so it is not known whether a time is free; nothing was changed."""


def house(services: Services) -> House:
    """Return what use cases need to speak for this installation."""
    return House(services.settings.base_url, services.signing, services.token)


def origin_of(services: Services, remote_addr: str | None) -> str:
    """Return a keyed hash of the client's network (/32 or /64), or nothing where origins are not counted."""
    if not services.settings.rate_limits or not remote_addr:
        return ""
    try:
        address = ipaddress.ip_address(remote_addr.partition("%")[0])
    except ValueError:
        return ""  # a trusted proxy may write "unknown", or an address with a port
    address = getattr(address, "ipv4_mapped", None) or address
    network = ipaddress.ip_network((address, NETWORK_BITS[address.version]), strict=False)
    return services.signing.keyed_hash("origin", str(network))


def reserve(services: Services, owner_slug: str, type_slug: str, wish: Wish) -> Call:
    """Check the calendars live, then book; where one is silent, the call is only requested.

    A request that has booked already needs no look at them.

    :raises BookingError: what :func:`booking.usecases.reserve.book` raises.
    """
    with services.database.reading() as db:
        booked = booked_already(db, owner_slug, type_slug, wish)
    if booked is not None:
        return booked
    in_doubt = False
    try:
        _look_at_calendars(services, owner_slug)
    except CalendarsSilent:
        in_doubt = True
    with wall(), services.database.writing() as db:
        return book(db, house(services), owner_slug, type_slug, wish, services.now(), in_doubt=in_doubt)


def move(
    services: Services, call: Call, start: datetime, actor: Actor, said: Link | None = None, *, reason: str = ""
) -> Call:
    """Check the calendars live, then move a call; ``said`` is the link by which a client does it.

    :raises CalendarsSilent: a calendar did not answer; the call stays where it is.
    :raises BookingError: what :func:`booking.usecases.calls.move` raises.
    """
    _look_at_calendars(services, call.owner.slug)
    with wall(), services.database.writing() as db:
        return calls.move(db, said or call.id, start, actor, services.now(), house(services), reason=reason)


def is_silent(services: Services, owner_slug: str) -> bool:
    """Look at the owner's calendars as booking does; say whether one of them does not answer."""
    try:
        _look_at_calendars(services, owner_slug)
    except CalendarsSilent:
        return True
    return False


@contextlib.contextmanager
def wall() -> Iterator[None]:
    """Turn the database's own refusal of an overlap into a time that is not offered."""
    try:
        yield
    except IntegrityError as error:
        # The wall in the database held where the lock did not.
        raise NotOffered(Reason.BUSY) from error


def _look_at_calendars(services: Services, owner_slug: str) -> None:
    asked_at = services.now()
    with services.database.reading() as db:
        plans = {made.calendar_id: made for made in refresh.plans_for_live_check(db, owner_slug, asked_at)}
    if any(made.is_suspended for made in plans.values()):
        raise CalendarsSilent("a calendar has not been answering")
    asking = {key: partial(services.ask, made, LIVE_CHECK_SECONDS) for key, made in plans.items()}
    answers = read_all(asking, timeout=LIVE_CHECK_SECONDS)
    for key, answer in answers.items():
        if isinstance(answer, CalendarError):
            raise CalendarsSilent("a calendar does not answer") from answer
        _save(services, refresh.digest(plans[key], answer, asked_at))


def _save(services: Services, reading: refresh.Reading) -> None:
    """Save what is new; an unchanged calendar that the worker read a moment ago needs no writing."""
    now = services.now()
    if reading.changes_nothing and reading.plan.read_at and now - reading.plan.read_at < FRESH_FOR / 2:
        return
    try:
        with services.database.writing() as db:
            refresh.apply(db, reading, now)
    except refresh.Overtaken as error:
        raise CalendarsSilent("the calendar is changing just now") from error
