"""Addresses with a word that an owner had before: they lead to the same page of the same owner."""

from typing import Final

from flask import g, request, url_for

from booking.usecases.slugs import NEW_OF_OLD
from booking.web.context import services

MOVED: Final = 308
"""The same request, POST or GET, goes to the new address. Nobody keeps the answer: an owner may take a word back."""


def new_address() -> str | None:
    """Return where the page asked for is now; ``None`` where the owner was found, or was never called like that."""
    place = request.view_args or {}
    slug = place.get("owner_slug")
    if slug is None or "\0" in slug or request.endpoint is None or "owner" in g:
        return None
    found = services().database.glance(NEW_OF_OLD, {"slug": slug})
    if found is None:
        return None
    path = url_for(request.endpoint, **{**place, "owner_slug": found.slug})
    query = request.query_string.decode("ascii", "ignore")
    return f"{path}?{query}" if query else path
