"""Looks at everything an installation stands on, and says what to do where something is wrong.

Owns the examination and its words for the operator. Nothing is mended here, and nothing is left behind: what is
written to find out whether it can be written is removed again.
"""

from collections.abc import Callable, Iterator
from typing import Final

from booking.doctor import calendars, house, outside, sentences
from booking.doctor.finding import Finding
from booking.services import Services

__all__ = ["Finding", "examine"]

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


def examine(services: Services) -> Iterator[Finding]:
    """Look at everything; what comes first is needed by what comes later."""
    yield from house.folders(services.settings)
    yield from sentences.translations()
    database = house.database(services)
    yield database
    if database.is_well:
        for look in _LOOKS:
            yield from look(services)
