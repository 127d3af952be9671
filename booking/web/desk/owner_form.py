"""Forms that hold values of the owner by the names of their columns: filled, and saved under the owner's lock."""

from collections.abc import Iterable, Mapping

from booking.store.models import Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import setup
from booking.web.context import services
from booking.web.desk.room import DeskForm, check_stamp, note_of, signed_in, stamp


def stamp_owner(form: DeskForm, names: Iterable[str]) -> None:
    """Let a form know which values of the owner it was filled with."""
    form.stamp.data = stamp(*_values(signed_in(), names))


def save_owner(form: DeskForm, names: Iterable[str], values: Mapping[str, object]) -> None:
    """Save values of the owner; ``names`` are those the form was filled with.

    :raises ChangedMeanwhile: another window was faster.
    :raises SlugTaken: another owner has the slug, or had it.
    """
    with services().database.writing() as db:
        owner = db.get_one(Owner, lock_owner(db, owner_id=signed_in().id))
        check_stamp(form, *_values(owner, names))
        setup.change_owner(db, owner, values)


def refusal(form: DeskForm) -> tuple[int, str]:
    """Return the status and the note of a form that can't be used as it was typed."""
    return (400, note_of("stale")) if "csrf_token" in form.errors else (422, "")


def _values(owner: Owner, names: Iterable[str]) -> list[object]:
    return [getattr(owner, name) for name in names]
