"""What can be booked: the list of call types with its order, and the page of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.errors import ChangedMeanwhile, NotFound
from booking.store.models import CallType, Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import call_types
from booking.usecases.availability import BY_LINK, HIDDEN, listed_types
from booking.web.context import LANGUAGE_NAMES, gettext, now, services
from booking.web.desk import preview
from booking.web.desk.call_type_form import (
    CAPS,
    NUMBERS,
    TypeForm,
    options,
    other_languages,
    shown_values,
    type_form,
    typed_values,
    usual_values,
)
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp
from booking.web.times_page import in_short

_COLUMNS: Final = tuple(column.key for column in CallType.__table__.columns if column.key != "position")


@dataclass(frozen=True)
class Line:
    """One call type in the list: in short, where it is, and whether that address leads anywhere now."""

    call_type: CallType
    in_short: str
    address: str
    state: str


@desk.get("/call-types")
def call_type_list() -> ResponseReturnValue:
    """Show what can be booked, in its order."""
    return _list(DeskForm())


@desk.post("/call-types/<int:type_id>/<any(up,down,duplicate,hide,show,renew,archive,bring_back):deed>")
@acts
def change_call_type(type_id: int, deed: str) -> ResponseReturnValue:
    """Do to a call type what one of its buttons says."""
    form = DeskForm()
    if not form.validate():
        return _list(form, 400, note_of("stale"))
    with services().database.writing() as db:
        owner, call_type = _locked(db, type_id)
        done_to = _deeds(db, owner)[deed](call_type)
        words, place = _said(deed, call_type.name), f"type-{done_to.id}"
    if deed == "duplicate":
        return done(words, "desk.edit_call_type", type_id=done_to.id)
    return done(words, "desk.call_type_list", _anchor=place)


@desk.get("/call-types/new")
def new_call_type() -> ResponseReturnValue:
    """Ask for what a new call type is made of."""
    return _page(type_form(None, usual_values()), None)


@desk.post("/call-types/new")
@acts
def add_call_type() -> ResponseReturnValue:
    """Add a call type."""
    form = type_form(None)
    if not form.validate():
        return _page(form, None, *_refusal(form))
    try:
        with services().database.writing() as db:
            owner = db.get_one(Owner, lock_owner(db, owner_id=signed_in().id))
            call_types.add(db, owner, typed_values(form, owner, None), services().token())
    except call_types.TypeSlugTaken:
        return _slug_taken(form, None)
    return done(gettext("%(name)s is saved.", name=form.name.data), "desk.call_type_list")


@desk.get("/call-types/<int:type_id>")
def edit_call_type(type_id: int) -> ResponseReturnValue:
    """Show one call type, to be changed."""
    call_type = _own(type_id)
    form = type_form(call_type, shown_values(call_type, signed_in()))
    form.stamp.data = stamp(_facts(call_type))
    return _page(form, call_type)


@desk.post("/call-types/<int:type_id>")
@acts
def save_call_type(type_id: int) -> ResponseReturnValue:
    """Save one call type; calls that are booked already stay as they are."""
    call_type = _own(type_id)
    form = type_form(call_type)
    if not form.validate():
        return _page(form, call_type, *_refusal(form))
    current: Any = None
    try:
        with services().database.writing() as db:
            owner, locked = _locked(db, type_id)
            current = _facts(locked)
            check_stamp(form, current)
            call_types.change(db, owner, locked, typed_values(form, owner, locked), services().token())
    except ChangedMeanwhile:
        form.stamp.data = stamp(current)
        return _page(form, call_type, 409, note_of("changed"))
    except call_types.TypeSlugTaken:
        return _slug_taken(form, call_type)
    return done(gettext("%(name)s is saved.", name=form.name.data), "desk.call_type_list")


@desk.post("/call-types/new/preview")
@acts
def preview_new_call_type() -> ResponseReturnValue:
    """Show the public page of a new call type, which is not added by that."""
    return _preview(None)


@desk.post("/call-types/<int:type_id>/preview")
@acts
def preview_call_type(type_id: int) -> ResponseReturnValue:
    """Show the public page of a call type with what was typed, which is not saved by that."""
    return _preview(_own(type_id))


def summary(owner: Owner) -> str:
    """Say in a few words how many call types there are."""
    listed = len(listed_types(owner))
    return gettext("%(count)s on your page", count=listed) if listed else gettext("none on your page")


def _preview(call_type: CallType | None) -> Response:
    form = type_form(call_type)
    if not form.validate():
        return _page(form, call_type, *_refusal(form))
    try:
        return preview.show_call_type(call_type, typed_values(form, signed_in(), call_type))
    except call_types.TypeSlugTaken:
        return _slug_taken(form, call_type)


def _own(type_id: int) -> CallType:
    try:
        return call_types.find(signed_in(), type_id)
    except NotFound:
        abort(404)


def _locked(db: Session, type_id: int) -> tuple[Owner, CallType]:
    owner = db.get_one(Owner, lock_owner(db, owner_id=signed_in().id))
    try:
        return owner, call_types.find(owner, type_id)
    except NotFound:
        abort(404)


def _deeds(db: Session, owner: Owner) -> dict[str, Callable[[CallType], CallType]]:
    def doing(change: Callable[[CallType], None]) -> Callable[[CallType], CallType]:
        def do(call_type: CallType) -> CallType:
            change(call_type)
            return call_type

        return do

    ours = services()
    return {
        "up": doing(lambda each: call_types.shift(db, owner, each, -1)),
        "down": doing(lambda each: call_types.shift(db, owner, each, 1)),
        "duplicate": lambda each: call_types.duplicate(db, owner, each, _name_of_copy(each.name)),
        "hide": doing(call_types.hide),
        "show": doing(call_types.show),
        "renew": doing(lambda each: call_types.renew_link(each, ours.token())),
        "archive": doing(lambda each: call_types.archive(each, now())),
        "bring_back": doing(call_types.bring_back),
    }


def _name_of_copy(name: str) -> str:
    return gettext("%(name)s (copy)", name=name[:100])


def _said(deed: str, name: str) -> str:
    words = {
        "up": gettext("%(name)s stands further up now.", name=name),
        "down": gettext("%(name)s stands further down now.", name=name),
        "duplicate": gettext("This is the copy. Nobody can book it until you show it."),
        "hide": gettext("%(name)s can't be booked any more. What has been arranged stays.", name=name),
        "show": gettext("%(name)s can be booked again.", name=name),
        "renew": gettext("%(name)s has a new link. The one before leads nowhere any more.", name=name),
        "archive": gettext("%(name)s is in the archive. What has been arranged stays.", name=name),
        "bring_back": gettext("%(name)s is back, and hidden until you show it.", name=name),
    }
    return words[deed]


def _facts(call_type: CallType) -> list[Any]:
    """Everything that the form may change, for noticing that somebody else did."""
    return [getattr(call_type, column) for column in _COLUMNS]


def _refusal(form: TypeForm) -> tuple[int, str]:
    return (400, note_of("stale")) if "csrf_token" in form.errors else (422, "")


def _slug_taken(form: TypeForm, call_type: CallType | None) -> Response:
    form.slug.errors = [gettext("Another of your call types has this word. Choose another one.")]
    return _page(form, call_type, 422)


def _list(form: DeskForm, status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    lines = [_line(each, owner) for each in owner.call_types]
    return page(
        "desk/call_types.html",
        status,
        form=form,
        note=note,
        lines=[line for line in lines if line.call_type.archived_at is None],
        archived=[line for line in lines if line.call_type.archived_at is not None],
        is_any_listed=bool(listed_types(owner)),
    )


def _line(call_type: CallType, owner: Owner) -> Line:
    states = {
        BY_LINK: gettext("only by its link"),
        HIDDEN: gettext("hidden: nobody can book it"),
    }
    return Line(call_type, in_short(call_type), _address(owner, call_type), states.get(call_type.visibility, ""))


def _further_labels(owner: Owner) -> dict[str, str]:
    """Name the fields for the words in further languages."""
    fields = {"name": gettext("What it is called"), "description": gettext("One sentence about it")}
    further = [(code, LANGUAGE_NAMES[code]) for code in other_languages(owner)]
    return {f"{key}_{code}": f"{label} ({name})" for code, name in further for key, label in fields.items()}


def _address(owner: Owner, call_type: CallType) -> str:
    return f"{services().settings.base_url}/{owner.slug}/{call_type.slug}"


def _page(form: TypeForm, call_type: CallType | None, status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    return page(
        "desk/call_type.html",
        status,
        form=form,
        note=note,
        call_type=call_type,
        options=options(form),
        base=f"{services().settings.base_url}/{owner.slug}/",
        address=_address(owner, call_type) if call_type is not None else "",
        own_language=LANGUAGE_NAMES[owner.locale],
        further=other_languages(owner),
        further_labels=_further_labels(owner),
        has_advanced_mistake=any(name in form.errors for name in (*NUMBERS, *CAPS)),
        has_further_mistake=any(name.rpartition("_")[2] in LANGUAGE_NAMES for name in form.errors),
    )
