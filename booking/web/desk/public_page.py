"""The public page: what it says of the owner, its colour, and its address; with a look at it before it is saved."""

import re
from typing import Any, Final

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, StringField, ValidationError
from wtforms.form import BaseForm

from booking.errors import ChangedMeanwhile, InvalidText
from booking.store.models import Owner
from booking.usecases import keyvalue
from booking.usecases.slugs import SlugTaken
from booking.web.accent import read_colour, readable_shades, stylesheet
from booking.web.context import gettext, services
from booking.web.desk.fields import Line, Prose
from booking.web.desk.owner_form import refusal, save_owner, stamp_owner
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.own_link import private
from booking.web.public import show_call_types

USUAL_SHADES: Final = ("#28594c", "#86c5b2")
"""What pages have where the owner chose none, on light and on dark paper: ``--accent`` of style.css."""
USUAL_COLOUR: Final = USUAL_SHADES[0]
NAMES: Final = ("name", "line", "title", "text", "accent", "slug")


class Slug(StringField):  # type: ignore[misc]
    """The word in the address."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Bring what was typed into shape."""
        self.data = valuelist[0].strip().lower() if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what can't be part of an address, or is the address of something else."""
        try:
            keyvalue.word(self.data or "")
        except InvalidText as error:
            raise ValidationError(gettext("Use 1 to 40 small letters from a to z, digits and hyphens.")) from error
        try:
            keyvalue.slug(self.data)
        except InvalidText as error:
            raise ValidationError(gettext("This address is needed for something else. Choose another word.")) from error


class Colour(StringField):  # type: ignore[misc]
    """A colour as ``#rrggbb``, or nothing."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Bring what was typed into shape; the sharp may be missing."""
        text = valuelist[0].strip().lower() if valuelist else ""
        self.data = f"#{text}" if re.fullmatch("[0-9a-f]{6}", text) else text

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is no colour."""
        if self.data and read_colour(self.data) is None:
            raise ValidationError(gettext("Write the colour like #1f6f5c, or leave this empty."))


class PageForm(DeskForm):
    """What the public page says, and how it looks."""

    name = Line(keyvalue.LONGEST_NAME, needed=True)
    line = Line(keyvalue.LONGEST_LINE)
    title = Line(keyvalue.LONGEST_NAME)
    text = Prose(keyvalue.LONGEST_INTRODUCTION)
    accent = Colour()
    pick = Colour()
    shown = HiddenField()
    slug = Slug()

    def chosen_colour(self) -> str:
        """Return the colour that was typed, or picked where nothing else was typed."""
        typed, picked, shown = self.accent.data or "", self.pick.data or "", self.shown.data or ""
        return picked if typed == shown and picked not in ("", shown or USUAL_COLOUR) else typed

    def values(self) -> dict[str, Any]:
        """Return what was typed, by the owner's columns."""
        texts = {name: self[name].data or "" for name in NAMES}
        return {**texts, "accent": self.chosen_colour()}


@desk.get("/page")
def public_page() -> ResponseReturnValue:
    """Show what the public page says."""
    form = PageForm(data={name: getattr(signed_in(), name) for name in NAMES})
    stamp_owner(form, NAMES)
    return _page(form)


@desk.post("/page")
@acts
def save_public_page() -> ResponseReturnValue:
    """Save what the public page says."""
    form = PageForm()
    if not form.validate():
        return _page(form, *refusal(form))
    try:
        save_owner(form, NAMES, form.values())
    except SlugTaken:
        form.slug.errors = [gettext("This address belongs to somebody else. Choose another word.")]
        return _page(form, 422)
    except ChangedMeanwhile:
        stamp_owner(form, NAMES)
        return _page(form, 409, note_of("changed"))
    return done(gettext("Your public page is saved."), "desk.public_page")


@desk.post("/page/preview")
@acts
def preview_public_page() -> ResponseReturnValue:
    """Show the public page as it would be, without saving anything."""
    form = PageForm()
    if not form.validate():
        return _page(form, *refusal(form))
    owner = signed_in()  # read for this request alone: what is set here is saved nowhere
    for name, value in form.values().items():
        if name != "slug":
            setattr(owner, name, value)
    return private(show_call_types("desk/page_preview.html", owner))


@desk.get("/page/accent.css")
def try_accent() -> ResponseReturnValue:
    """Return a colour that is not saved yet as a stylesheet."""
    colour = read_colour(request.args.get("colour", ""))
    return Response(stylesheet(colour), mimetype="text/css") if colour else abort(404)


def _page(form: PageForm, status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    chosen = form.chosen_colour()
    colour = read_colour(chosen)
    form.accent.data = form.shown.data = chosen
    form.pick.data = chosen if colour else USUAL_COLOUR
    return page(
        "desk/page.html",
        status,
        form=form,
        note=note,
        shades=readable_shades(colour) if colour else USUAL_SHADES,
        address=f"{services().settings.base_url}/{owner.slug}",
        base=f"{services().settings.base_url}/",
        skips_page=_skips_page(owner),
    )


def _skips_page(owner: Owner) -> bool:
    """Say whether clients are led past this page, because there is one thing to choose only."""
    return len([each for each in owner.call_types if each.visibility == "listed" and each.archived_at is None]) == 1
