"""Offers that were worked out a moment ago, kept while nothing changes: a page of times then costs one small query.

Every transaction that writes for an owner raises the owner's revision (the lock), so that one number says whether an
offer still holds. What the clock takes away it takes at whole minutes, so an offer never lives across a multiple of ten
seconds. For those who look only: what books loads its own offer, under the lock.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import Final, cast

from flask import Flask, current_app
from sqlalchemy import bindparam, select

from booking.errors import NotFound
from booking.rules.period import Period
from booking.store.database import Database
from booking.store.models import Owner
from booking.usecases.availability import Offer, load_public_offer

EXTENSION: Final = "sprechzeit-shelf"
KEPT_SECONDS: Final = 10
MOST_OFFERS: Final = 100
MOST_TEXTS: Final = 10
"""Of one offer: every address that is asked for makes one, so that strangers could make any number."""

_STATE: Final = select(Owner.id, Owner.revision).where(Owner.slug == bindparam("slug"))


@dataclass(frozen=True)
class Text:
    """The body of an answer, and its ETag."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class KeptOffer(Offer):
    """An offer that works out its free starts once, and keeps what was written of them."""

    _texts: dict[object, Text] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def _starts(self) -> list[datetime]:
        return super().free(self.horizon)

    def free(self, window: Period) -> list[datetime]:
        """Return the starts that can be booked within ``window``."""
        starts = self._starts
        return starts[bisect_left(starts, window.start) : bisect_left(starts, window.end)]

    def text(self, key: object, write: Callable[[], bytes]) -> Text:
        """Return what ``write`` returns; it is asked once for each key, which must name all it depends on."""
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= MOST_TEXTS:
                self._texts.clear()
            body = write()
            text = self._texts[key] = Text(body, hashlib.sha256(body).hexdigest()[:32])
        return text


class Shelf:
    """The offers that one process keeps, whatever thread asks."""

    def __init__(self) -> None:
        self._offers: dict[tuple[str, str, int | None], tuple[object, KeptOffer]] = {}

    def offer(
        self, database: Database, owner_slug: str, type_slug: str, now: datetime, minutes: int | None = None
    ) -> KeptOffer:
        """Return what a client can book now, of the length that was chosen or the usual one.

        :raises NotFound: no such owner or call type, or nobody can book it.
        :raises LengthNotOffered: no client can choose this length.
        """
        state = database.glance(_STATE, {"slug": owner_slug})
        if state is None:
            raise NotFound("no such owner")
        stamp = (*state, ceil(now.timestamp() / KEPT_SECONDS))
        kept = self._offers.get((owner_slug, type_slug, minutes))
        if kept is not None and kept[0] == stamp:
            return kept[1]
        # Read after its stamp, the offer may be newer than that says; then the next request loads it again.
        with database.reading() as db:
            loaded = load_public_offer(db, owner_slug, type_slug, now, minutes=minutes)
        offer = KeptOffer(**{each.name: getattr(loaded, each.name) for each in fields(Offer)})
        if len(self._offers) >= MOST_OFFERS:
            self._offers.clear()
        self._offers[owner_slug, type_slug, minutes] = (stamp, offer)
        return offer


def init_app(app: Flask) -> None:
    """Give the app a shelf."""
    app.extensions[EXTENSION] = Shelf()


def shelf() -> Shelf:
    """Return the shelf of the app that answers just now."""
    return cast(Shelf, current_app.extensions[EXTENSION])
