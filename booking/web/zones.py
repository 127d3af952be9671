"""The list of time zones a reader can choose from, by continent and place, in the reader's language."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from babel.core import get_global
from markupsafe import Markup

from booking.language import language
from booking.web.context import zone_names

_CONTINENTS: Final = {
    "Africa": "002",
    "America": "019",
    "Asia": "142",
    "Australia": "009",
    "Europe": "150",
    "Pacific": "009",
}
"""First part of a zone's name → the CLDR region that names the group; islands elsewhere are "world" (001)."""


@cache
def zone_options(code: str) -> Markup:
    """Return the options of a choice of time zones. Made once a language: it is longer than the rest of the page."""
    speech = language(code)
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in _canonical():
        region = _CONTINENTS.get(name.partition("/")[0], "001")
        groups.setdefault(str(speech.locale.territories[region]), []).append((speech.place(name), name))
    return Markup("").join(_group(label, sorted(places)) for label, places in sorted(groups.items()))


def _group(label: str, places: list[tuple[str, str]]) -> Markup:
    options = Markup("").join(Markup('<option value="{}">{}</option>').format(name, place) for place, name in places)
    return Markup('<optgroup label="{}">{}</optgroup>').format(label[:1].upper() + label[1:], options)


def _canonical() -> Iterator[str]:
    """Yield one name for each zone (no aliases), those that are no place left out."""
    for name in get_global("zone_territories"):
        if name in zone_names() and not name.startswith("Etc/"):
            yield name
