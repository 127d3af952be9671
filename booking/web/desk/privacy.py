"""Data protection: how long clients are kept, the two pages that belong to the owner, and one client's data.

A client is named by mail address or number, in a form and never in an address of ours.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from flask import Response
from flask.typing import ResponseReturnValue

from booking.errors import ChangedMeanwhile, NotFound
from booking.store.models import Job
from booking.usecases import keyvalue, privacy
from booking.usecases.handout import client_data
from booking.web import pages
from booking.web.context import gettext, now, services
from booking.web.desk.fields import Line, Prose, Whole
from booking.web.desk.owner_form import refusal, save_owner, stamp_owner
from booking.web.desk.proof import proved
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.own_link import private
from booking.web.reserving import house

NAMES: Final = ("retention_days", "imprint", "privacy")
LONGEST_ADDRESS: Final = 254


class PrivacyForm(DeskForm):
    """How long clients are kept, and the two pages that belong to the owner."""

    retention_days = Whole(1, keyvalue.LONGEST_RETENTION_DAYS)
    imprint = Prose(keyvalue.LONGEST_PAGE)
    privacy = Prose(keyvalue.LONGEST_PAGE)


class ClientForm(DeskForm):
    """One client, by mail address or number."""

    email = Line(LONGEST_ADDRESS, needed=True)


@desk.get("/privacy")
def data_protection() -> ResponseReturnValue:
    """Show how long clients are kept, the two pages, and the way to one client's data."""
    return _page(_filled())


@desk.post("/privacy")
@acts
def save_data_protection() -> ResponseReturnValue:
    """Save how long clients are kept, and the two pages."""
    form = PrivacyForm()
    if not form.validate():
        return _page(form, *refusal(form))
    values = {"retention_days": form.retention_days.number, "imprint": form.imprint.data, "privacy": form.privacy.data}
    try:
        save_owner(form, NAMES, values)
    except ChangedMeanwhile:
        stamp_owner(form, NAMES)
        return _page(form, 409, note_of("changed"))
    return done(gettext("Saved."), "desk.data_protection")


@desk.post("/privacy/export")
@acts
@proved
def export_client() -> ResponseReturnValue:
    """Hand out everything that is kept about one client, as a file."""
    form = ClientForm()
    kept = _kept(form)
    if kept is None:
        return _not_kept(form)
    text = json.dumps(client_data(kept), ensure_ascii=False, indent=2, default=_plain)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="client.json"'
    return private(response)


@desk.post("/privacy/erasing")
@acts
@proved
def ask_to_erase() -> ResponseReturnValue:
    """Say what would be erased, and ask once more."""
    form = ClientForm()
    kept = _kept(form)
    return _not_kept(form) if kept is None else _erasing(form, kept)


@desk.post("/privacy/erase")
@acts
@proved
def erase_client() -> ResponseReturnValue:
    """Take one client out of every past call, mail, note and event."""
    form, ours = ClientForm(), services()
    kept = _kept(form)
    if kept is None:
        return _not_kept(form)
    try:
        with ours.database.writing() as db:
            erased = privacy.erase(db, signed_in().slug, form.email.data, now(), house(ours))
    except privacy.CallsAhead:
        return _erasing(form, kept, 409)
    _remove_files(erased.mails)
    return done(gettext("This client's data is erased. Backups made before still hold it."), "desk.data_protection")


def _kept(form: ClientForm) -> privacy.ClientData | None:
    """Return what is kept about the client of a form; ``None`` where the form can't be used, or nothing is kept."""
    if not form.validate():
        return None
    try:
        with services().database.reading() as db:
            return privacy.export(db, signed_in().slug, form.email.data)
    except NotFound:
        form.email.errors = [gettext("Nothing is kept about this address or number.")]
        return None


def _not_kept(form: ClientForm) -> Response:
    is_stale = "csrf_token" in form.errors
    note = note_of("stale") if is_stale else ""
    return _page(_filled(), 400 if is_stale else 422, note, client=form)


def _erasing(form: ClientForm, kept: privacy.ClientData, status: int = 200) -> Response:
    owner, times = signed_in(), [call.starts_at for call in kept.calls]
    return page(
        "desk/erase.html",
        status,
        form=form,
        kept=kept,
        span=[pages.when(moment, owner) for moment in (min(times), max(times))] if times else [],
        ahead=[(pages.when(call.starts_at, owner), call) for call in kept.ahead(now())],
    )


def _filled() -> PrivacyForm:
    form = PrivacyForm(formdata=None, data={name: getattr(signed_in(), name) for name in NAMES})
    stamp_owner(form, NAMES)
    return form


def _page(form: PrivacyForm, status: int = 200, note: str = "", *, client: ClientForm | None = None) -> Response:
    client = client or ClientForm(formdata=None)
    return page("desk/privacy.html", status, form=form, note=note, client=client)


def _remove_files(mails: Iterable[Job]) -> None:
    """Remove mails that were written into files, where no mail server is set."""
    folder = services().settings.data_dir / "mail"
    for mail in mails:
        (folder / f"{mail.id}.eml").unlink(missing_ok=True)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
