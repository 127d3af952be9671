"""What a call type is called, and how it is described, in its reader's language as far as the owner wrote it there."""

from dataclasses import dataclass

from booking.store.models import CallType


@dataclass(frozen=True)
class Wording:
    """Name and description, each with the code of the language it is written in."""

    name: str
    name_language: str
    description: str
    description_language: str


def wording_of(call_type: CallType, owner_locale: str, reader: str) -> Wording:
    """Return a call type's words for a reader; what is not written in that language is said in the owner's."""
    own = {} if reader == owner_locale else call_type.wording.get(reader, {})
    name, description = own.get("name", ""), own.get("description", "")
    return Wording(
        name=name or call_type.name,
        name_language=reader if name else owner_locale,
        description=description or call_type.description,
        description_language=reader if description else owner_locale,
    )
