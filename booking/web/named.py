"""What an address of the public pages names: the owner, and what can be booked; else the answer is 404."""

import re
from collections.abc import Callable
from typing import TypeVar

from flask import Response, abort, request

from booking.errors import LengthNotOffered, NotBookable, NotFound
from booking.store.models import Owner
from booking.usecases.availability import Offer, find_owner, listed_types, load_public_offer
from booking.web import pages
from booking.web.context import now, services, use_owner

AnyOffer = TypeVar("AnyOffer", bound=Offer)


def named_owner(slug: str) -> Owner:
    """Return the owner of this slug, with all call types."""
    with services().database.reading() as db:
        try:
            owner = find_owner(db, slug)
        except NotFound:
            abort(404)
    use_owner(owner)
    return owner


def named_offer(owner_slug: str, type_slug: str, minutes: str | None = None) -> tuple[Offer, bool]:
    """Load what can be booked, and say whether it has the length that was wished for, in the form or in the address."""
    wished = request.args.get("minutes", "") if minutes is None else minutes
    with services().database.reading() as db:
        offer = found_offer(
            lambda each: load_public_offer(db, owner_slug, type_slug, now(), minutes=each), owner_slug, wished
        )
    return offer, not wished or wished == str(offer.minutes)


def found_offer(load: Callable[[int | None], AnyOffer], owner_slug: str, wished: str | None = None) -> AnyOffer:
    """Load what can be booked: of the length that the address names, of the usual one where that is not offered."""
    text = request.args.get("minutes", "") if wished is None else wished
    try:
        try:
            offer = load(int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None)
        except LengthNotOffered:
            offer = load(None)
    except NotBookable:
        abort(_closed(named_owner(owner_slug)))
    except NotFound:
        named_owner(owner_slug)
        abort(404)
    use_owner(offer.owner)
    return offer


def _closed(owner: Owner) -> Response:
    """Say that nobody can book this any more; what else there is, is one link away."""
    return pages.page("public/closed.html", 404, others=bool(listed_types(owner)))
