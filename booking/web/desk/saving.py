"""How the rooms about availability save: under the owner's lock, and only what was not changed meanwhile."""

from collections.abc import Callable
from typing import Any

from booking.errors import ChangedMeanwhile
from booking.store.models import Owner
from booking.store.owner_lock import lock_owner
from booking.web.context import services
from booking.web.desk.room import DeskForm, check_stamp, note_of, signed_in, stamp


def save(form: DeskForm, facts: Callable[[Owner], Any], change: Callable[[Owner], None]) -> bool:
    """Change the owner whose desk this is; say whether that was done.

    It is not where ``facts``, which the form was filled with, have changed since: then the form gets a fresh stamp, so
    that pressing the button once more saves it.
    """
    current: Any = None
    try:
        with services().database.writing() as db:
            owner = db.get_one(Owner, lock_owner(db, owner_id=signed_in().id))
            current = facts(owner)
            check_stamp(form, current)
            change(owner)
    except ChangedMeanwhile:
        form.stamp.data = stamp(current)
        return False
    return True


def refusal(form: DeskForm) -> tuple[int, str]:
    """Return the status and the note of a form that can't be used as it was typed."""
    return (400, note_of("stale")) if "csrf_token" in form.errors else (422, "")
