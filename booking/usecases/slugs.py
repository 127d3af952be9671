"""The word in the address of an owner's pages: changing it, and finding where an old one leads.

A word belongs to one owner, now or before: so that a link that was handed out never leads to somebody else.
"""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from booking.errors import InvalidText
from booking.store.accounts import OldSlug
from booking.store.models import Owner
from booking.store.owner_lock import lock_count

NEW_OF_OLD = select(Owner.slug).join(OldSlug, OldSlug.owner_id == Owner.id).where(OldSlug.slug == bindparam("slug"))
"""Which slug an old one leads to; no row where nobody ever had it."""


class SlugTaken(InvalidText):
    """The slug is another owner's, or was."""


def check_free(db: Session, slug: str, owner_id: int | None = None) -> None:
    """Make sure that nobody but this owner has the slug, or had it; and let nobody else take it meanwhile.

    :raises SlugTaken: somebody else has it, or had it.
    """
    lock_count(db, "slugs")
    now_of = db.scalar(select(Owner.id).where(Owner.slug == slug))
    if now_of is not None and now_of != owner_id:
        raise SlugTaken(f"slug: there is an owner {slug!r} already; choose another")
    once_of = db.scalar(select(OldSlug.owner_id).where(OldSlug.slug == slug))
    if once_of is not None and once_of != owner_id:
        raise SlugTaken(f"slug: {slug!r} still leads to another owner; choose another")


def rename(db: Session, owner: Owner, slug: str) -> None:
    """Give the owner, who is locked, another slug; the old one leads to it from now on.

    :raises SlugTaken: somebody else has it, or had it.
    """
    if slug == owner.slug:
        return
    check_free(db, slug, owner.id)
    db.execute(delete(OldSlug).where(OldSlug.slug == slug))
    db.add(OldSlug(slug=owner.slug, owner_id=owner.id))
    owner.slug = slug
    db.flush()
