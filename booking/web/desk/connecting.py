"""Connecting calendars of the owner's: found by address or mail address, then chosen.

Between the two pages the password travels sealed: encrypted with the installation's key, for this owner, this browser
and this address alone, and for a quarter of an hour.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from flask import Response
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from booking.calendars import providers
from booking.calendars.discover import Account, Findings, Found, OtherServer, find_by_address, find_by_mail
from booking.calendars.live import ask_now
from booking.calendars.port import AuthRefused, CalendarError
from booking.errors import BookingError, InvalidText
from booking.services import Services
from booking.usecases import calendars, takeover
from booking.web.context import gettext, now, services
from booking.web.desk import calendar_words as words
from booking.web.desk.calendar_trial import SECONDS, SERVER_SECONDS
from booking.web.desk.calendars import Password
from booking.web.desk.fields import Box, Choice, Choices, Line
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, session, signed_in
from booking.web.reserving import house

SEALED_FOR: Final = timedelta(minutes=15)
LONGEST_ADDRESS: Final = 500


class ConnectForm(DeskForm):
    """Where the calendars are, and how to get in."""

    address = Line(LONGEST_ADDRESS, needed=True)
    username = Line(200)
    password = Password()
    sealed = HiddenField()
    agreed = HiddenField()


class ChooseForm(DeskForm):
    """Which of the calendars that were found block, and which one takes the calls (by their place in the list)."""

    blocks = Choices(())
    takes = Choice(())
    moves = Box()
    sealed = HiddenField()


@dataclass(frozen=True)
class Sealed:
    """What is kept between the pages: the address as typed, name and password, and what was found."""

    address: str
    username: str
    password: str
    found: tuple[Found, ...] = ()


@desk.get("/calendars/connect")
def connect() -> ResponseReturnValue:
    """Ask where the calendars are."""
    return _connect_page(ConnectForm())


@desk.post("/calendars/connect")
@acts
def find_calendars() -> ResponseReturnValue:
    """Look for calendars; nothing is saved yet."""
    form = ConnectForm()
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _connect_page(form, 400 if is_stale else 422, note_of("stale") if is_stale else "")
    provider = provider_of(form.address.data)
    if provider in ("google", "microsoft"):
        form.address.errors = [words.hint(provider)]
        return _connect_page(form, 422)
    sealed = Sealed(form.address.data, form.username.data, _password(form))
    try:
        findings = ask_now(partial(_search, services(), sealed, _agreed(form)), timeout=SECONDS)
    except OtherServer as other:
        form.sealed.data = _seal(sealed)
        return page("desk/calendar_agree.html", form=form, server=other.server)
    except CalendarError as error:
        return _not_found(form, error, provider)
    named = Sealed(sealed.address, findings.username, sealed.password, findings.calendars)
    return _choose_page(ChooseForm(formdata=None, data=_proposal(findings.calendars)), named)


@desk.post("/calendars/choose")
@acts
def choose_calendars() -> ResponseReturnValue:
    """Keep the calendars that were chosen; the worker reads them at once."""
    form = ChooseForm()
    sealed = _unseal(form.sealed.data or "")
    if sealed is None:
        return done(gettext("That took a while. Type the password once more."), "desk.connect")
    _offer(form, sealed.found)
    if not form.validate():
        is_stale = "csrf_token" in form.errors
        return _choose_page(form, sealed, 400 if is_stale else 422, note_of("stale") if is_stale else "")
    if not form.blocks.data and not form.takes.data:
        form.blocks.errors = [gettext("Choose at least one.")]
        return _choose_page(form, sealed, 422)
    try:
        _keep(form, sealed)
    except InvalidText:
        return _choose_page(form, sealed, 409, gettext("One of them was connected in another window meanwhile."))
    return done(
        gettext("Connected, and being read right now. Until then, clients' times are noted, and confirmed afterwards."),
        "desk.calendar_list",
    )


def provider_of(address: str) -> str:
    """Return the key of the provider that an address or a mail address belongs to, or nothing."""
    if _is_mail(address):
        known = providers.of_mail(address.rpartition("@")[2].lower())
    else:
        try:
            parts = urlsplit(_url(address))
        except ValueError:
            return ""
        known = providers.of_host((parts.hostname or "").lower(), parts.path)
    return known.key if known else ""


def _search(ours: Services, sealed: Sealed, agreed: tuple[str, ...]) -> Findings:
    account = Account(sealed.username, sealed.password, agreed)
    allow = ours.settings.caldav_allow
    if _is_mail(sealed.address):
        return find_by_mail(sealed.address, account, look_up=ours.look_up, allow=allow, seconds=SERVER_SECONDS)
    return find_by_address(_url(sealed.address), account, allow=allow, seconds=SERVER_SECONDS)


def _is_mail(address: str) -> bool:
    return "@" in address and "/" not in address


def _url(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _agreed(form: ConnectForm) -> tuple[str, ...]:
    return tuple((form.agreed.data or "").split())


def _password(form: ConnectForm) -> str:
    """Return the password: what was typed, or what was typed before for the same address."""
    kept = _unseal(form.sealed.data or "")
    if form.password.data or kept is None or kept.address != form.address.data:
        return str(form.password.data)
    return kept.password


def _proposal(found: Sequence[Found]) -> dict[str, object]:
    """Everything blocks; the first that can be written takes the calls, where none does yet."""
    new = _new(found)
    taken = any(row.takes_calls for row in signed_in().calendars)
    writable = [place for place in new if found[int(place)].can_write]
    return {"blocks": new, "takes": "" if taken or not writable else writable[0], "moves": True}


def _new(found: Sequence[Found]) -> list[str]:
    """Return the places of those that are not connected yet."""
    mine = {row.url.rstrip("/") for row in signed_in().calendars}
    return [str(place) for place, each in enumerate(found) if each.url.rstrip("/") not in mine]


def _offer(form: ChooseForm, found: Sequence[Found]) -> None:
    new = _new(found)
    form.blocks.allowed = list(new)
    form.takes.allowed = ["", *(place for place in new if found[int(place)].can_write)]


def _keep(form: ChooseForm, sealed: Sealed) -> None:
    ours, chosen = services(), set(form.blocks.data) | {form.takes.data} - {""}
    with ours.database.writing() as db:
        for place in sorted(chosen, key=int):
            found = sealed.found[int(place)]
            new = calendars.NewCalendar(
                calendars.CALDAV,
                found.url,
                sealed.username,
                sealed.password,
                name=found.name,
                is_busy=place in form.blocks.data,
                takes_calls=place == form.takes.data,
            )
            row = calendars.add_calendar(db, signed_in().slug, new, ours.vault)
            if row.takes_calls:
                calendars.let_take_calls(db, house(ours), row, now(), moves=bool(form.moves.data))


def _seal(sealed: Sealed) -> str:
    found = [[each.url, each.name, each.can_write] for each in sealed.found]
    kept = {
        "for": [signed_in().id, session().public_id],
        "until": (now() + SEALED_FOR).isoformat(),
        "account": [sealed.address, sealed.username, sealed.password],
        "found": found,
    }
    return services().vault.lock(json.dumps(kept, ensure_ascii=False))


def _unseal(text: str) -> Sealed | None:
    """Return what was sealed here, for this owner and this browser; ``None`` for anything else."""
    try:
        kept = json.loads(services().vault.unlock(text))
    except (BookingError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("for") != [signed_in().id, session().public_id]:
        return None
    if datetime.fromisoformat(kept["until"]) < now():
        return None
    address, username, password = kept["account"]
    return Sealed(address, username, password, tuple(Found(*each) for each in kept["found"]))


def _connect_page(form: ConnectForm, status: int = 200, note: str = "", advice: str = "") -> Response:
    known = sorted((*providers.PROVIDERS, providers.NEXTCLOUD), key=lambda each: each.name.casefold())
    hints = [(each.name, words.hint(each.key)) for each in known]
    if form.password.data and form.address.data:
        form.sealed.data = _seal(Sealed(form.address.data, form.username.data, form.password.data))
    return page("desk/calendar_connect.html", status, form=form, note=note, advice=advice, hints=hints)


def _not_found(form: ConnectForm, error: CalendarError, provider: str) -> Response:
    """Say why nothing was found. A password that was refused is typed anew; any other is kept, sealed."""
    if isinstance(error, AuthRefused):
        form.password.errors = [gettext("The server refuses the name or the password.")]
        form.password.data = form.sealed.data = ""
        usual = gettext("Many providers ask for a password made for calendar programs alone: an app password.")
        return _connect_page(form, 422, advice=words.hint(provider) or usual)
    found_nothing = {
        "CalendarGone": gettext(
            "No calendars were found there. Give the address of a calendar itself, or of the server."
        ),
        "Refused": words.trouble("Refused").advice,
        "Busy": " ".join(astuple(words.trouble("Busy"))),
    }
    usual = gettext("The server can't be reached, or does not answer as it should. Check the address.")
    form.address.errors = [found_nothing.get(type(error).__name__, usual)]
    return _connect_page(form, 422, advice=words.hint(provider))


def _choose_page(form: ChooseForm, sealed: Sealed, status: int = 200, note: str = "") -> Response:
    _offer(form, sealed.found)
    form.sealed.data = _seal(sealed)
    new = _new(sealed.found)
    taking = next((row for row in signed_in().calendars if row.takes_calls), None)
    with services().database.reading() as db:
        ahead = takeover.count_upcoming(db, taking.id, now()) if taking else 0
    return page(
        "desk/calendar_choose.html",
        status,
        form=form,
        note=note,
        found=[(place, sealed.found[int(place)]) for place in new],
        known=len(sealed.found) - len(new),
        taking=words.name_of(taking) if taking else "",
        ahead=ahead,
    )
