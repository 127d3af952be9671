"""Reads a WebDAV multistatus answer (RFC 4918), without trusting it. No network here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"


class Malformed(ValueError):
    """The answer is no whole multistatus."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the answer says of one href.

    ``status`` is that of the whole row; ``props`` are those the server gave (2xx); ``failed`` says that it
    refused some for another reason than their absence.
    """

    href: str
    status: int
    props: Mapping[str, etree._Element]
    failed: bool

    @property
    def etag(self) -> str:
        """The object's version, or an empty string where the server gives none."""
        return self.text(f"{DAV}getetag").strip()

    @property
    def is_collection(self) -> bool:
        """Say whether this is a folder of any kind."""
        return self._has_type(f"{DAV}collection") or "directory" in self.text(f"{DAV}getcontenttype")

    @property
    def is_calendar(self) -> bool:
        """Say whether this is a calendar."""
        return self._has_type(f"{CALDAV}calendar")

    def text(self, name: str) -> str:
        """Return a property's text, or an empty string where it is absent."""
        element = self.props.get(name)
        return "" if element is None else (element.text or "")

    def _has_type(self, name: str) -> bool:
        element = self.props.get(f"{DAV}resourcetype")
        return element is not None and element.find(name) is not None


def parse_multistatus(body: bytes) -> list[Row]:
    """Return the rows of an answer with status 207.

    :raises Malformed: it is cut, is something else (HTML), declares a DTD, or holds no row.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError) as error:
        raise Malformed("no whole XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("XML with a document type")
    if root.tag != f"{DAV}multistatus":
        raise Malformed("no multistatus")
    rows = [_row(element) for element in root.iterchildren(f"{DAV}response")]
    if not rows:
        raise Malformed("an empty multistatus")
    return rows


def _row(response: etree._Element) -> Row:
    href = (response.findtext(f"{DAV}href") or "").strip()
    try:
        urlsplit(href)
    except ValueError as error:
        raise Malformed("a row with an address that can't be read") from error
    if not href:
        raise Malformed("a row without an address")
    props: dict[str, etree._Element] = {}
    failed = False
    for propstat in response.iterchildren(f"{DAV}propstat"):
        status = _status(propstat)
        if 200 <= status < 300:
            props.update((str(prop.tag), prop) for prop in propstat.iterfind(f"{DAV}prop/*"))
        elif status not in (404, 410):
            failed = True
    return Row(href, _status(response), props, failed)


def _status(element: etree._Element) -> int:
    """Return the status of a row or a propstat; one that names none means 200."""
    line = element.findtext(f"{DAV}status")
    if line is None:
        return 200
    words = line.split()
    if len(words) < 2 or not words[1].isdecimal():
        raise Malformed("a row without a readable status")
    return int(words[1])
