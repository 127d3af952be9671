"""The set-up of a new owner: a few small steps, each of which can be skipped, and taken again later.

Where it goes on is kept with the owner; what a step saves is what the rooms of the desk save, too. What a step asks
stands in ``steps.py``.
"""

from typing import Final

from flask import Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from booking.errors import ChangedMeanwhile
from booking.store.owner_lock import lock_owner
from booking.usecases import door, setup
from booking.web.context import link, services
from booking.web.desk import share
from booking.web.desk.proof import proved
from booking.web.desk.room import acts, check_stamp, desk, note_of, page, signed_in, stamp
from booking.web.desk.steps import CalendarForm, CallForm, HoursForm, StepForm, YouForm

FORMS: Final[dict[str, type[StepForm]]] = {
    "you": YouForm,
    "hours": HoursForm,
    "call": CallForm,
    "calendar": CalendarForm,
}


@desk.get("/setup")
def set_up() -> ResponseReturnValue:
    """Lead to where the set-up goes on."""
    return _lead_to(signed_in().setup_step)


@desk.get("/setup/<step>")
def setup_step(step: str) -> ResponseReturnValue:
    """Show a step of the set-up."""
    form_type = FORMS.get(step) or abort(404)
    owner = signed_in()
    form = form_type(formdata=None, data=form_type.filled(owner))
    form.stamp.data = stamp(form_type.saved(owner))
    return _step_page(step, form)


@desk.post("/setup/<step>")
@acts
def take_step(step: str) -> ResponseReturnValue:
    """Save a step of the set-up, or skip it, and lead to the next one."""
    form_type = FORMS.get(step) or abort(404)
    is_skipped = "skip" in request.form
    take = _take_proved if not is_skipped and form_type().needs_proof(signed_in()) else _take
    return take(step, is_skipped=is_skipped)


@desk.get("/setup/done")
def setup_done() -> ResponseReturnValue:
    """Show what the set-up was for: the link to hand out."""
    return page("desk/setup_done.html", step="done", before=setup.STEPS[-1], **_place("done"), **share.facts())


def _take(step: str, *, is_skipped: bool) -> ResponseReturnValue:
    form, owner = FORMS[step](), signed_in()
    is_right = form.validate()
    if "csrf_token" in form.errors:
        return _step_page(step, form, 400, note_of("stale"))
    if is_skipped:
        form = FORMS[step](formdata=None, data=form.filled(owner))
    elif not is_right or not form.fits(owner):
        return _step_page(step, form, 422)
    if not _save(step, form, is_skipped=is_skipped):
        return _step_page(step, form, 409, note_of("changed"))
    return _lead_to(setup.step_after(step))


_take_proved = proved(_take)


def _save(step: str, form: StepForm, *, is_skipped: bool) -> bool:
    """Apply what was typed, or leave it, and go on; say whether that was done, or another window was faster."""
    saved: object = None
    try:
        with services().database.writing() as db:
            lock_owner(db, owner_id=signed_in().id)
            owner = door.find_owner(db, signed_in().id)
            saved = form.saved(owner)
            if not is_skipped:
                check_stamp(form, saved)
            (form.leave if is_skipped else form.apply)(db, owner)
            setup.go_on(owner, step)
    except ChangedMeanwhile:
        form.stamp.data = stamp(saved)
        return False
    return True


def _lead_to(step: str) -> ResponseReturnValue:
    """Lead to a step, in the language that was just chosen; without one to the end."""
    where = link("desk.setup_step", step=step, lang=None) if step in FORMS else link("desk.setup_done", lang=None)
    return redirect(where, 303)


def _step_page(step: str, form: StepForm, status: int = 200, note: str = "") -> Response:
    owner = signed_in()
    before = setup.step_before(step)
    values = {**_place(step), **form.shown(owner)}
    return page(f"desk/setup_{step}.html", status, form=form, note=note, step=step, before=before, **values)


def _place(step: str) -> dict[str, int]:
    """Say where in the set-up a step stands."""
    names = (*setup.STEPS, "done")
    return {"number": names.index(step) + 1, "count": len(names)}
