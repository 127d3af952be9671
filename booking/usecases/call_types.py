"""What can be booked: call types are made, changed, put in order, hidden and archived.

The owner is locked by whoever calls these functions. Calls that are booked already stay as they are.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from booking.errors import InvalidText, NotFound
from booking.store.models import CallType, Owner
from booking.usecases import keyvalue
from booking.usecases.availability import BY_LINK, HIDDEN, LISTED

LONGEST_SLUG: Final = 40
_SECRET: Final = re.compile(r"[0-9a-f]{32}")
_COPIED: Final = (
    "description",
    "minutes",
    "lengths",
    "before_minutes",
    "after_minutes",
    "notice_minutes",
    "horizon_days",
    "step_minutes",
    "max_per_day",
    "max_per_week",
    "who_calls",
    "reminders",
    "languages",
    "is_email_needed",
    "questions",
)
_LETTERS: Final = str.maketrans(
    {
        **{"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "ł": "l"},
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
        **{"ё": "yo", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
        **{"ъ": "", "ь": "", "ю": "yu", "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g"},
    }
)


class TypeSlugTaken(InvalidText):
    """Another call type of the owner has the slug."""


def find(owner: Owner, type_id: int) -> CallType:
    """Return one of the owner's call types.

    :raises NotFound: the owner has none of this id.
    """
    found = next((each for each in owner.call_types if each.id == type_id), None)
    if found is None:
        raise NotFound("no such call type")
    return found


def in_use(owner: Owner) -> list[CallType]:
    """Return the call types that are not archived, in the owner's order."""
    return sorted((each for each in owner.call_types if each.archived_at is None), key=lambda each: each.position)


def add(db: Session, owner: Owner, values: Mapping[str, object], secret: str = "") -> CallType:
    """Add a call type at the end of the owner's list; ``values`` are checked already, by their keys.

    :param secret: an unguessable word, the slug of one that is found by its link only.
    :raises TypeSlugTaken: another call type of the owner has the slug.
    """
    position = max((each.position for each in owner.call_types), default=-1) + 1
    call_type = CallType(owner_id=owner.id, slug="", visibility=LISTED, wording={}, position=position)
    _apply(owner, call_type, values, secret)
    owner.call_types.append(call_type)
    read_calendars_again(owner)
    db.flush()
    return call_type


def change(db: Session, owner: Owner, call_type: CallType, values: Mapping[str, object], secret: str = "") -> None:
    """Change a call type; ``values`` are checked already, by their keys.

    :param secret: an unguessable word, the slug of one that is found by its link only from now on.
    :raises TypeSlugTaken: another call type of the owner has the slug.
    """
    _apply(owner, call_type, values, secret)
    if "horizon_days" in values:
        read_calendars_again(owner)
    db.flush()


def sketch(owner: Owner, call_type: CallType | None, values: Mapping[str, object], secret: str = "") -> CallType:
    """Return a call type as it would be with these values; nothing is saved, ``call_type`` belongs to no session.

    :param call_type: the one that would be changed; ``None`` for a new one.
    :raises TypeSlugTaken: another call type of the owner has the slug.
    """
    sketched = call_type or CallType(slug="", visibility=LISTED, wording={})
    _apply(owner, sketched, values, secret)
    return sketched


def duplicate(db: Session, owner: Owner, call_type: CallType, name: str) -> CallType:
    """Add a copy that nobody can book yet: it is hidden, has an address of its own and the name that is given."""
    copied = {key: getattr(call_type, key) for key in _COPIED}
    copy = add(db, owner, {**copied, "name": name, "slug": free_slug(owner, name), "visibility": HIDDEN})
    copy.wording = dict(call_type.wording)
    db.flush()
    return copy


def shift(db: Session, owner: Owner, call_type: CallType, places: int) -> None:
    """Move a call type up (-1) or down (1) in the list; at its end it stays where it is."""
    order = in_use(owner)
    index = order.index(call_type)
    order.insert(max(0, index + places), order.pop(index))
    archived = [each for each in owner.call_types if each.archived_at is not None]
    for position, each in enumerate([*order, *archived]):
        each.position = position
    db.flush()


def hide(call_type: CallType) -> None:
    """Let nobody book it."""
    call_type.visibility = HIDDEN


def show(call_type: CallType) -> None:
    """Let it be booked again, by whoever could find it before."""
    call_type.visibility = BY_LINK if is_secret(call_type.slug) else LISTED


def renew_link(call_type: CallType, secret: str) -> None:
    """End the link of a call type that only its link leads to, and give it another one."""
    if call_type.visibility == BY_LINK:
        call_type.slug = secret


def archive(call_type: CallType, now: datetime) -> None:
    """Keep a call type for its calls only; they can still be moved and cancelled."""
    call_type.archived_at = call_type.archived_at or now


def bring_back(call_type: CallType) -> None:
    """Take a call type out of the archive: it is hidden until the owner shows it."""
    if call_type.archived_at is not None:
        call_type.archived_at, call_type.visibility = None, HIDDEN


def read_calendars_again(owner: Owner) -> None:
    """A farther horizon must be covered; in another zone, floating and all-day events stand elsewhere."""
    for calendar in owner.calendars:
        calendar.next_read_at = None


def is_secret(slug: str) -> bool:
    """Say whether a slug is one that nobody can guess."""
    return _SECRET.fullmatch(slug) is not None


def free_slug(owner: Owner, name: str) -> str:
    """Make a slug of a name that no other call type of the owner has."""
    word = _word_of(name)
    taken = {each.slug for each in owner.call_types} | keyvalue.RESERVED_SLUGS
    numbered = (f"{word[: LONGEST_SLUG - 4].rstrip('-')}-{number}" for number in range(2, len(taken) + 3))
    return word if word not in taken else next(each for each in numbered if each not in taken)


def _word_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).lower().translate(_LETTERS))
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return re.sub(r"[^a-z0-9]+", "-", letters)[:LONGEST_SLUG].strip("-") or "call"


def _apply(owner: Owner, call_type: CallType, values: Mapping[str, object], secret: str) -> None:
    values = dict(values)
    if values.get("visibility") == BY_LINK and not is_secret(str(call_type.slug)):
        if not is_secret(secret):
            raise InvalidText("visibility: a link that nobody can guess is missing")
        values["slug"] = secret
    slug = values.get("slug", call_type.slug)
    if any(each is not call_type and each.slug == slug for each in owner.call_types):
        raise TypeSlugTaken(f"slug: {owner.slug} has a call type {slug!r} already; choose another")
    call_type.wording = _wording(call_type.wording, values)
    for key in values.keys() - keyvalue.WORDING_KEYS.keys():
        setattr(call_type, key, values[key])


def _wording(before: Mapping[str, Mapping[str, str]], values: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Return the words in further languages; those that are empty are left out."""
    words = {code: dict(each) for code, each in before.items()}
    for key, (code, field) in keyvalue.WORDING_KEYS.items():
        if key in values:
            words.setdefault(code, {})[field] = str(values[key])
    said = {code: {field: text for field, text in each.items() if text} for code, each in words.items()}
    return {code: each for code, each in said.items() if each}
