"""What was typed into a form that met a closed door: carried through the log-in, or the proof, and offered once more.

It is encrypted, so that the page of the closed door shows nothing of it, and tied to the owner where it is known whose
it was. Only what a page of ours has sent is carried: else anybody's form could get in by being sent again.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import Response, current_app, request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from booking.errors import BookingError
from booking.web.context import now, services
from booking.web.desk import room

LARGEST: Final = 24 * 1024
"""Letters, encrypted: what is longer is not carried."""
LASTS: Final = timedelta(hours=12)

_INTERNAL: Final = re.compile(r"/desk(?:/[\w.~-]+)*/?(?:\?[\w.~%&=+:/@,;-]*)?", re.ASCII)
_OURS: Final = ("csrf_token",)


@dataclass(frozen=True)
class Carried:
    """A form that was sent: where to, and what it held, in its order."""

    path: str
    fields: list[tuple[str, str]]


def safe_next(text: str) -> str:
    """Return an address of the desk to go on to, or nothing where the text is none: nobody is led elsewhere."""
    if not _INTERNAL.fullmatch(text) or ".." in text.partition("?")[0]:
        return ""
    return text


def here() -> str:
    """Return the address that was asked for, to come back to."""
    return safe_next(request.full_path.removesuffix("?"))


def back() -> str:
    """Return the address that was asked for, or sent to, where it can be opened; else nothing."""
    adapter = current_app.create_url_adapter(request)
    return here() if adapter is not None and adapter.test(request.path, "GET") else ""


def pack(owner_id: int | None) -> str:
    """Return what this request has sent, to be carried in a hidden field; nothing where it can't be."""
    path = here()
    if request.method != "POST" or request.files or not path or not _is_ours():
        return ""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _OURS]
    said = {"owner": owner_id, "at": now().isoformat(), "path": path, "fields": fields, "for": "carried"}
    packed = services().vault.lock(json.dumps(said, ensure_ascii=False))
    return packed if len(packed) <= LARGEST else ""


def unpack(packed: str, owner_id: int) -> Carried | None:
    """Return what was carried; ``None`` where there is nothing, or it is old, or somebody else's."""
    if not packed or len(packed) > LARGEST:
        return None
    try:
        said = json.loads(services().vault.unlock(packed))
    except (BookingError, ValueError):
        return None
    if not isinstance(said, dict) or said.get("for") != "carried" or said["owner"] not in (None, owner_id):
        return None
    if now() - datetime.fromisoformat(said["at"]) > LASTS:
        return None
    return Carried(said["path"], [(name, value) for name, value in said["fields"]])


def offer(carried: Carried) -> Response:
    """Show a page with one button that sends it again."""
    return room.page("desk/again.html", carried=carried, form=room.DeskForm(formdata=None))


def _is_ours() -> bool:
    """Say whether a page of ours sent this: the browser says so, or the form's own token does.

    With ``Referrer-Policy: no-referrer`` browsers write ``Origin: null``, which says nothing.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
    if site is not None:
        return site == "same-origin"
    if origin != "null":
        base = urlsplit(services().settings.base_url)
        return origin == f"{base.scheme}://{base.netloc}"
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True
