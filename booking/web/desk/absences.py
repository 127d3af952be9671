"""Days off: the list with the calls that lie in them, and the form of one absence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from flask import abort
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from booking.rules.glide import ANNOUNCED_WITHIN
from booking.rules.hours import Absence
from booking.store.models import Call, Owner
from booking.usecases import away, hours
from booking.web.context import gettext, services
from booking.web.desk import away_texts, preview, spoken
from booking.web.desk.fields import Day, Line, Prose
from booking.web.desk.room import DeskForm, acts, desk, done, note_of, page, signed_in, stamp
from booking.web.desk.saving import refusal, save
from booking.web.instants import read_day


class AbsenceForm(DeskForm):
    """The first and the last day off, and what the public page says about it."""

    instead_of = HiddenField()
    """The first day of the absence that is changed, as it was saved; empty for a new one. Read for the preview only."""
    first = Day()
    last = Day()
    notice = Line(hours.LONGEST_NOTICE)
    stand_in = Prose(hours.LONGEST_STAND_IN)

    def check(self, owner: Owner, old: Absence | None) -> bool:
        """Validate; the days come in their order, are not all over, and no other absence shares one of them."""
        if not self.validate():
            return False
        first, last = self.days()
        if last < first:
            self.last.errors = [gettext("The last day lies before the first.")]
        elif last - first > hours.LONGEST_ABSENCE:
            self.last.errors = [gettext("Give at most a year at once.")]
        elif last < spoken.today(owner):
            self.last.errors = [gettext("These days are over.")]
        elif other := hours.overlapping(owner.timetable, self.absence(), but=old):
            self.first.errors = [gettext("You are away already: %(days)s. Change that one.", days=spoken.span(other))]
        return not (self.first.errors or self.last.errors)

    def absence(self) -> Absence:
        """Return what was typed; only after :meth:`check` took it."""
        return Absence(*self.days(), str(self.notice.data), str(self.stand_in.data))

    def days(self) -> tuple[date, date]:
        """Return the days that were typed; only after the form was validated."""
        return self.first.day or date.max, self.last.day or date.max


class RemoveForm(DeskForm):
    """Nothing but the proof that it was asked for on our own page."""


@dataclass(frozen=True)
class Listed:
    """An absence in words, with the calls that lie in it: it does not cancel them."""

    absence: Absence
    when: str
    told_from: str
    """From when on the public page speaks of it; empty where it does already."""
    calls: Sequence[tuple[str, Call]]
    can_announce: bool
    """There are days that clients were not told of by mail."""
    announced: str
    """The days that clients were told of by mail, if any."""


@desk.get("/absences")
def absences() -> ResponseReturnValue:
    """Show the absences that are not over, with the calls that lie in them."""
    owner = signed_in()
    coming = hours.coming_absences(owner.timetable, spoken.today(owner))
    return page("desk/absences.html", absences=[_listed(owner, absence) for absence in coming])


@desk.get("/absences/new")
def new_absence() -> ResponseReturnValue:
    """Ask for the days of a new absence."""
    form = AbsenceForm()
    form.stamp.data = stamp(facts(signed_in()))
    return _page(form, None)


@desk.post("/absences/new")
@acts
def add_absence() -> ResponseReturnValue:
    """Save a new absence."""
    return _save(None)


@desk.get("/absences/<first>")
def absence(first: str) -> ResponseReturnValue:
    """Show one absence, to be changed."""
    old = named_absence(first)
    form = AbsenceForm(data=_values(old))
    form.stamp.data = stamp(facts(signed_in()))
    return _page(form, old)


@desk.post("/absences/<first>")
@acts
def change_absence(first: str) -> ResponseReturnValue:
    """Save other days, or another notice."""
    return _save(named_absence(first))


@desk.post("/absences/<first>/remove")
@acts
def remove_absence(first: str) -> ResponseReturnValue:
    """Take an absence back; calls can be booked in its days again."""
    old, form = named_absence(first), RemoveForm()

    def change(owner: Owner) -> None:
        owner.timetable = hours.with_absence(owner.timetable, None, instead_of=old)

    if not form.validate():
        return _again(old, 400, note_of("stale"))
    if not save(form, facts, change):
        return _again(old, 409, note_of("changed"))
    return done(gettext("The absence is removed: %(days)s.", days=spoken.span(old)), "desk.absences")


@desk.post("/absences/preview")
@acts
def preview_absence() -> ResponseReturnValue:
    """Show the public page with this absence."""
    form, owner = AbsenceForm(), signed_in()
    first = read_day(form.instead_of.data or "")
    old = hours.absence_from(owner.timetable, first) if first else None
    if not form.check(owner, old):
        return _page(form, old, *refusal(form))
    absence = form.absence()
    changed = hours.with_absence(owner.timetable, absence, instead_of=old)
    return preview.show_timetable(changed, first=max(absence.first, spoken.today(owner)))


def _save(old: Absence | None) -> ResponseReturnValue:
    form = AbsenceForm()
    if not form.check(signed_in(), old):
        return _page(form, old, *refusal(form))
    new = replace(form.absence(), announced=old.announced if old else ())

    def change(owner: Owner) -> None:
        owner.timetable = hours.with_absence(owner.timetable, new, instead_of=old)

    if not save(form, facts, change):
        return _page(form, old, 409, note_of("changed"))
    return done(gettext("The absence is saved: %(days)s.", days=spoken.span(new)), "desk.absences")


def named_absence(text: str) -> Absence:
    """Return the absence that an address names by its first day; 404 where the owner has none."""
    first = read_day(text)
    found = hours.absence_from(signed_in().timetable, first) if first else None
    if found is None:
        abort(404)
    return found


def facts(owner: Owner) -> object:
    """Return what a form about an absence was filled with."""
    return owner.timetable.to_json().get("absences")


def _values(absence: Absence) -> dict[str, object]:
    days = {"first": absence.first, "last": absence.last, "instead_of": absence.first}
    return {**days, "notice": absence.notice, "stand_in": absence.stand_in}


def _again(old: Absence, status: int, note: str) -> ResponseReturnValue:
    """Show an absence as it is, after an attempt to remove it."""
    form = AbsenceForm(formdata=None, data=_values(old))
    form.stamp.data = stamp(facts(signed_in()))
    return _page(form, old, status, note)


def _page(form: AbsenceForm, old: Absence | None, status: int = 200, note: str = "") -> ResponseReturnValue:
    owner = signed_in()
    listed = _listed(owner, old) if old else None
    today = spoken.today(owner)
    words = away_texts.in_all_languages(owner, old) if old else []
    return page("desk/absence.html", status, form=form, note=note, listed=listed, today=today, words=words)


def _listed(owner: Owner, absence: Absence) -> Listed:
    with services().database.reading() as db:
        calls = hours.calls_within(db, owner, absence.first, absence.last)
    told_from = absence.first - ANNOUNCED_WITHIN
    return Listed(
        absence,
        spoken.span(absence),
        spoken.day(told_from) if told_from > spoken.today(owner) else "",
        [(spoken.moment(call.starts_at, owner), call) for call in calls],
        away.can_announce(absence, spoken.today(owner)),
        spoken.announced(absence),
    )
