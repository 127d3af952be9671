"""Telling clients of an absence by mail: who and what is shown first, a button sends it, and only once."""

from dataclasses import replace
from datetime import date

from flask import abort
from flask.typing import ResponseReturnValue

from booking.errors import ChangedMeanwhile, NotFound
from booking.language import LANGUAGES
from booking.mail.messages import AwayFacts, render
from booking.rules.hours import Absence
from booking.store.models import Owner
from booking.store.owner_lock import lock_owner
from booking.usecases import away, hours
from booking.web.context import LANGUAGE_NAMES, gettext, ngettext, now, services
from booking.web.desk import spoken
from booking.web.desk.absences import facts, named_absence
from booking.web.desk.fields import Line
from booking.web.desk.room import DeskForm, acts, check_stamp, desk, done, note_of, page, signed_in, stamp
from booking.web.desk.saving import refusal
from booking.web.reserving import house


class AnnounceForm(DeskForm):
    """The owner's own words to the clients, in one sentence."""

    words = Line(hours.LONGEST_NOTICE)


@desk.get("/absences/<first>/tell")
def announcement(first: str) -> ResponseReturnValue:
    """Show who would be told of an absence, and what."""
    owner, absence = signed_in(), named_absence(first)
    # The notice was written for the public page: under neutral discretion nothing is taken over unseen.
    form = AnnounceForm(data={"words": "" if owner.discretion == "neutral" else absence.notice})
    form.stamp.data = stamp(facts(owner))
    return _page(form, absence)


@desk.post("/absences/<first>/tell")
@acts
def announce(first: str) -> ResponseReturnValue:
    """Write the mails that tell of an absence."""
    absence, form = named_absence(first), AnnounceForm()
    if not form.validate():
        return _page(form, absence, *refusal(form))
    try:
        count = _write(form, absence.first)
    except NotFound:
        abort(404)
    except away.ToldAlready:
        return done(gettext("Your clients have been told of these days already."), "desk.absence", first=first)
    except ChangedMeanwhile:
        form.stamp.data = stamp(facts(signed_in()))
        return _page(form, absence, 409, note_of("changed"))
    if not count:
        return done(gettext("There is nobody to tell."), "desk.absence", first=first)
    said = ngettext("%(num)s mail leaves in the next minutes.", "%(num)s mails leave in the next minutes.", count)
    return done(said, "desk.absence", first=first)


@desk.post("/absences/<first>/tell/preview")
@acts
def preview_announcement(first: str) -> ResponseReturnValue:
    """Show the mail with the words that were typed; nothing is sent."""
    absence, form = named_absence(first), AnnounceForm()
    return _page(form, absence) if form.validate() else _page(form, absence, *refusal(form))


def _write(form: AnnounceForm, first: date) -> int:
    """Write the mails under the owner's lock; of two who press the button, one does."""
    with services().database.writing() as db:
        owner = db.get_one(Owner, lock_owner(db, owner_id=signed_in().id))
        absence = hours.absence_from(owner.timetable, first)
        if absence is not None and not away.can_announce(absence, spoken.today(owner)):
            raise away.ToldAlready("clients were told of these days")
        check_stamp(form, facts(owner))
        return away.announce(db, house(services()), owner, first, str(form.words.data), now())


def _page(form: AnnounceForm, absence: Absence, status: int = 200, note: str = "") -> ResponseReturnValue:
    owner, ours = signed_in(), services()
    with ours.database.reading() as db:
        told = away.people(db, owner, absence, now())
        letters = away.Letters(db, house(ours), owner, absence, str(form.words.data or ""), now())
        samples = [letters.facts(person, is_update=bool(absence.announced)) for person in told[:1]]
    return page(
        "desk/announce.html",
        status,
        form=form,
        note=note,
        absence=absence,
        when=spoken.span(absence),
        before=spoken.announced(absence),
        can_announce=away.can_announce(absence, spoken.today(owner)),
        told=[(person.call.name, person.call.email) for person in told],
        most=away.MOST_PEOPLE,
        mails=[mail for sample in samples for mail in _in_all_languages(owner, sample)],
    )


def _in_all_languages(owner: Owner, sample: AwayFacts) -> list[tuple[str, str, str, str]]:
    """Return language, its name, subject and text of a mail in every language, in the owner's own first."""
    mails = []
    for code in sorted(LANGUAGES, key=lambda code: code != owner.locale):
        shown, ours = replace(sample, locale=code, timezone=owner.timezone), services()
        mail = render(shown, job_id="preview", mail_from=ours.settings.mail_from, host=house(ours).host, now=now())
        part = mail.get_body(("plain",))
        text = str(part.get_content()) if part is not None else ""
        mails.append((code, LANGUAGE_NAMES[code], str(mail["Subject"]), text))
    return mails
