"""Looks at everything an installation stands on, and says what to do where something is wrong.

Owns the examination and its words for the operator. Nothing is mended here, and nothing is left behind: what is
written to find out whether it can be written is removed again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Final

from booking.doctor import calendars, house, outside, sentences
from booking.doctor.finding import Finding
from booking.services import Services

__all__ = ["Finding", "Look", "examine", "examine_for", "glance"]

Look = Callable[[], Iterator[Finding]]
"""One part of an examination."""

_GLANCES: Final[tuple[Callable[[Services], Iterator[Finding]], ...]] = (house.worker, house.backup)

_LOOKS: Final[tuple[Callable[[Services], Iterator[Finding]], ...]] = (
    house.secrets,
    house.owners,
    calendars.calendars,
    house.worker,
    house.outbox,
    house.backup,
    outside.mail,
    outside.database_clock,
    outside.address,
)


def glance(services: Services, owner_slug: str) -> Iterator[Finding]:
    """Look, for one owner, at what the database alone can tell; their messages and calendars tell about themselves."""
    database = house.database(services)
    yield database
    if database.is_well:
        yield from house.owners(services, owner_slug)
        for look in _GLANCES:
            yield from look(services)


def examine_for(services: Services, calendar_ids: Collection[int], seconds: float) -> Mapping[str, Look]:
    """Return, for the owner of these calendars, the looks that take their time, each to be called by whoever can wait.

    :param seconds: how long a calendar may take.
    """
    probes = {f"calendar {number}": partial(calendars.calendar, services, number, seconds) for number in calendar_ids}
    return {
        **probes,
        "mail": partial(outside.mail, services),
        "address": partial(outside.address, services),
        "disk": partial(house.folders, services.settings),
        "secrets": partial(house.secrets, services),
        "clock": partial(outside.database_clock, services),
        "translations": sentences.translations,
    }


def examine(services: Services) -> Iterator[Finding]:
    """Look at everything; what comes first is needed by what comes later."""
    yield from house.folders(services.settings)
    yield from sentences.translations()
    database = house.database(services)
    yield database
    if database.is_well:
        for look in _LOOKS:
            yield from look(services)
