"""Health: whether everything that the desk stands on does its part, in the owner's words.

What the database alone can tell is shown at once; servers are asked only when the owner says so, never for long.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from booking import doctor
from booking.doctor import Finding
from booking.store.models import Owner
from booking.usecases import messages as outgoing
from booking.web.context import gettext, ngettext, now, services
from booking.web.desk.examiner import Busy, Examiner
from booking.web.desk.health_words import Item, calendar_item, late_item, messages_item, no_mail_item, worded
from booking.web.desk.room import DeskForm, acts, desk, note_of, page, signed_in

WITHIN_SECONDS: Final = 10.0
CALENDAR_SECONDS: Final = 8.0

_examiner: Final = Examiner()


@desk.get("/health")
def health() -> ResponseReturnValue:
    """Show what the database can tell."""
    return _health_page(_known(signed_in()))


@desk.post("/health")
@acts
def examine() -> ResponseReturnValue:
    """Look at everything, servers too, and show what came of it."""
    owner = signed_in()
    if not DeskForm().validate():
        return _health_page(_known(owner), 400, note_of("stale"))
    try:
        found = _examine(owner)
    except Busy:
        note = gettext("An examination is under way already. Try again in half a minute.")
        return _health_page(_known(owner), 409, note)
    return _health_page([*found, *_known(owner, with_calendars=False)], is_whole=True)


def summary(owner: Owner) -> str:
    """Say in a line how everything is, as far as the database knows."""
    ill = sum(not item.is_well for item in _known(owner))
    return ngettext("%(num)s thing needs a look", "%(num)s things need a look", ill) if ill else gettext("All is well")


def _health_page(
    items: Iterable[Item], status: int = 200, note: str = "", *, is_whole: bool = False
) -> ResponseReturnValue:
    shown = list(dict.fromkeys(items))
    ill, well = [item for item in shown if not item.is_well], [item for item in shown if item.is_well]
    return page("desk/health.html", status, ill=ill, well=well, form=DeskForm(), note=note, is_whole=is_whole)


def _known(owner: Owner, *, with_calendars: bool = True) -> list[Item]:
    """Return what is known without asking anybody."""
    findings = list(doctor.glance(services(), owner.slug))
    items = [worded(finding) for finding in findings]
    if all(finding.is_well for finding in findings if finding.subject == "database"):
        items += [calendar_item(row, owner) for row in owner.calendars] if with_calendars else []
        with services().database.reading() as db:
            items.append(messages_item(outgoing.count_stuck(db, owner, now())))
    return items if services().settings.smtp_url else [*items, no_mail_item()]


def _examine(owner: Owner) -> list[Item]:
    """Look at what takes its time; what does not answer soon enough is said to be late.

    :raises Busy: another examination is under way.
    """
    looks = doctor.examine_for(services(), [row.id for row in owner.calendars], CALENDAR_SECONDS)
    answers = _examiner.examine(looks, WITHIN_SECONDS, unanswered=SQLAlchemyError)
    items: list[Item] = []
    for name in looks:
        found: Sequence[Finding] | None = answers.get(name)
        items += [late_item(name, owner)] if found is None else [worded(finding) for finding in found]
    return _one_clock(items)


def _one_clock(items: Sequence[Item]) -> list[Item]:
    """Of several clocks that were compared, one that is off says enough."""
    off = any(item.kind == "clock.off" for item in items)
    return [item for item in items if not (off and item.kind == "clock.well")]
