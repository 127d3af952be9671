"""The list of times as a part of other sites: which ones may show it, and what to paste there."""

from dataclasses import dataclass
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import ValidationError
from wtforms.form import BaseForm

from booking.errors import ChangedMeanwhile
from booking.language import language
from booking.store.models import Owner
from booking.web.context import gettext, ngettext, services
from booking.web.desk.fields import Prose
from booking.web.desk.owner_form import refusal, save_owner, stamp_owner
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in
from booking.web.origins import NoOrigin, read_origin

NAMES: Final = ("embed_sites",)
MOST_SITES: Final = 20
LONGEST: Final = 6_000


@dataclass(frozen=True)
class Snippet:
    """What to paste into a site: for which call type, and the text."""

    name: str
    html: str


class Sites(Prose):
    """Origins of web sites, one a line."""

    origins: tuple[str, ...] = ()

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse every line that names no site, and say what to write instead."""
        super().pre_validate(form)
        origins = dict.fromkeys(_origin(line) for line in (self.data or "").split())
        if len(origins) > MOST_SITES:
            raise ValidationError(ngettext("At most %(num)s site.", "At most %(num)s sites.", MOST_SITES))
        self.origins = tuple(origins)


class EmbedForm(DeskForm):
    """The sites that may show the list of times."""

    embed_sites = Sites(LONGEST)


@desk.get("/embed")
def embed() -> ResponseReturnValue:
    """Show which sites may show the list of times, and what to paste there."""
    form = EmbedForm(data={"embed_sites": signed_in().embed_sites})
    stamp_owner(form, NAMES)
    return _page(form)


@desk.post("/embed")
@acts
def save_embed() -> ResponseReturnValue:
    """Save which sites may show the list of times."""
    form = EmbedForm()
    if not form.validate():
        return _page(form, *refusal(form))
    try:
        save_owner(form, NAMES, {"embed_sites": "\n".join(form.embed_sites.origins)})
    except ChangedMeanwhile:
        stamp_owner(form, NAMES)
        return _page(form, 409, note_of("changed"))
    return done(gettext("The list of sites is saved."), "desk.embed")


def _origin(line: str) -> str:
    try:
        return read_origin(line)
    except NoOrigin as error:
        if error.site:
            words = gettext("%(line)s is a single page. Write its site: %(site)s", line=line, site=error.site)
        else:
            words = gettext("%(line)s can't be used. Write a site like https://www.example.org.", line=line)
        raise ValidationError(words) from error


def _page(form: EmbedForm, status: int = 200, note: str = "") -> Response:
    return page("desk/embed.html", status, form=form, note=note, snippets=_snippets(signed_in()))


def _snippets(owner: Owner) -> list[Snippet]:
    """Return what to paste: for everything first, then for each call type that has an address."""
    address = f"{services().settings.base_url}/{owner.slug}"
    types = [each for each in owner.call_types if each.visibility != "hidden" and each.archived_at is None]
    title = language(owner.locale).gettext("Choose a time for a call")
    each_type = [Snippet(each.name, iframe(f"{address}/{each.slug}", title)) for each in types]
    return [Snippet(gettext("All call types"), iframe(address, title)), *each_type]


def iframe(address: str, title: str) -> str:
    """Return what to paste into a site, so that it shows the list of times at an address of ours."""
    shape = Markup('<iframe src="{}?embed=1" title="{}" width="100%" height="640" loading="lazy"></iframe>')
    return str(shape.format(address, title))
