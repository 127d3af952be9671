"""What the worker does for each kind of job: sends a mail, writes to a calendar, answers a request, sums up a night.

Each handler works outside any transaction and returns a report, which is then saved in one of its own.
``services.failpoint`` names every place where a crash must lose nothing.
"""

import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from booking.calendars.place import Placed, UidTaken, place, remove
from booking.calendars.port import CalendarError, Refused, Unreachable
from booking.errors import BookingError
from booking.mail.messages import Facts, read_facts, render
from booking.mail.smtp import MailDelayed, MailRefused, MailUncertain
from booking.services import Services
from booking.store import outbox
from booking.store.models import Job
from booking.usecases import away, morning, placing, requests, takeover, ways_in
from booking.usecases.hearing import MORNING, job_heard_at
from booking.usecases.notify import House, host_of, is_about_left, is_stale

log = logging.getLogger(__name__)

Report = Callable[[Session, Job], None]
"""Says to the outbox what became of a job."""

WRITE_SECONDS: Final = 30.0
LOOK_AGAIN: Final = timedelta(seconds=20)
MOST_DOUBTS: Final = 2
MOST_ATTEMPTS: Final = 54
"""With the waits of :func:`later` this is about 48 hours."""


class NotMovedYet(BookingError):
    """The call does not stand in its new calendar yet, so that its event in the old one stays."""


class Unexpected(BookingError):
    """Something failed that nobody has thought of; the log tells where."""


def send_mail(services: Services, job: Job) -> Report:
    """Send one mail; the same mail always has the same Message-ID."""
    if outbox.doubts(job) >= MOST_DOUBTS:
        return parked(services.now(), MailUncertain("it is not known whether this mail left"))
    with services.database.reading() as db:
        if _is_stale(db, job, services.now()):
            return dropped(services.now())
        heard_at = job_heard_at(db, job, services.now())
        facts = _facts(db, services, job)
    if heard_at > services.now():
        return lambda db, job: outbox.try_again(db, job, heard_at, "")
    message = render(
        facts,
        job_id=job.id,
        mail_from=services.settings.mail_from,
        host=host_of(services.settings.base_url),
        now=services.now(),
    )

    def before_data() -> None:
        with services.database.writing() as db:
            outbox.mark_sending(db, job, services.now())
        services.failpoint("mail.sending")

    try:
        services.mail.send(message, name=job.id, before_data=before_data)
    except MailDelayed as error:
        return later(services.now(), job, error)
    except MailUncertain as error:
        return later(services.now(), job, error, in_doubt=True)
    except MailRefused as error:
        return parked(services.now(), error)
    services.failpoint("mail.sent")
    return done(services.now())


def write_calendar(services: Services, job: Job) -> Report:
    """Make the calendars show the call's current state; doing it twice is doing it once."""
    try:
        return _remove_left(services, job) if is_about_left(job) else _write_event(services, job)
    except Refused as error:
        return parked(services.now(), error)
    except CalendarError as error:
        wait = error.retry_after if isinstance(error, Unreachable) else None
        return later(services.now(), job, error, least=wait)


def _write_event(services: Services, job: Job) -> Report:
    call_id = str(job.call_id)
    with services.database.writing() as db:
        wanted = placing.placement(db, call_id, services.settings.base_url, services.now())
    if wanted is None:
        return done(services.now())
    services.failpoint("calendar.noted")
    try:
        with contextlib.closing(services.calendar(wanted.calendar, WRITE_SECONDS)) as calendar:
            if wanted.ics is None:
                remove(calendar, href=wanted.href or calendar.href_for(wanted.uid), uid=wanted.uid, call_id=call_id)
                services.failpoint("calendar.removed")
                return _removed(services.now(), call_id, wanted.uid)
            written = place(
                calendar, uid=wanted.uid, call_id=call_id, href=wanted.href, etag=wanted.etag, ics=wanted.ics
            )
            services.failpoint("calendar.written")
            return _written(services.now(), call_id, wanted.uid, written)
    except UidTaken:
        return _another_uid(services.now(), call_id, wanted.uid, host_of(services.settings.base_url))


def _remove_left(services: Services, job: Job) -> Report:
    """Remove the call's event from calendars it was moved out of, once it stands in its new one."""
    with services.database.reading() as db:
        leaving = takeover.leaving(db, str(job.call_id))
    if leaving is None:
        return later(services.now(), job, NotMovedYet("the call does not stand in its new calendar yet"))
    for left in leaving:
        with contextlib.closing(services.calendar(left.calendar, WRITE_SECONDS)) as calendar:
            href = left.href or calendar.href_for(left.uid)
            remove(calendar, href=href, uid=left.uid, call_id=str(job.call_id))
    services.failpoint("left.removed")
    return _left_removed(services.now(), [left.uid for left in leaving])


def decide(services: Services, job: Job) -> Report:
    """Answer a request that waits for a silent calendar, or look again a little later."""
    now = services.now()
    with services.database.writing() as db:
        is_over = requests.decide(db, house_of(services), str(job.call_id), now)
    services.failpoint("request.decided")
    return done(now) if is_over else look_again(now)


def compose_morning(services: Services, job: Job) -> Report:
    """Compose the owner's morning mail, and wait for the next one."""
    now = services.now()
    with services.database.writing() as db:
        next_at = morning.compose(db, house_of(services), job.owner_id, now)
    services.failpoint("morning.composed")
    return lambda db, job: outbox.try_again(db, job, next_at, "")


HANDLERS: Final[Mapping[str, Callable[[Services, Job], Report]]] = {
    "mail": send_mail,
    "calendar": write_calendar,
    "decide": decide,
    MORNING: compose_morning,
}
NEVER_GIVEN_UP: Final = frozenset({"decide", MORNING})
"""Kinds of jobs that are tried again for ever: an answer was promised, and every day has its morning."""


def house_of(services: Services) -> House:
    """Return what use cases need to speak for this installation."""
    return House(services.settings.base_url, services.signing, services.token)


def look_again(now: datetime, reason: str = "") -> Report:
    """Report that it has to be looked at again soon, and is never given up."""
    return lambda db, job: outbox.try_again(db, job, now + LOOK_AGAIN, reason)


def done(now: datetime) -> Report:
    """Report that it happened, or that there was nothing to do."""
    return lambda db, job: outbox.finish(db, job, now)


def dropped(now: datetime) -> Report:
    """Report that it has become pointless."""
    return lambda db, job: outbox.drop(db, job, now)


def parked(now: datetime, reason: BookingError) -> Report:
    """Report that trying again is of no use."""
    log.warning("a job is parked: %s", reason)
    return lambda db, job: outbox.park(db, job, now, str(reason), error_kind=type(reason).__name__)


def later(
    now: datetime, job: Job, reason: BookingError, *, least: timedelta | None = None, in_doubt: bool = False
) -> Report:
    """Report that it has to be tried again: after one minute, two, four … at most an hour; in the end it is parked."""
    if job.attempts >= MOST_ATTEMPTS:
        return parked(now, reason)
    wait = min(timedelta(hours=1), timedelta(minutes=2 ** min(job.attempts - 1, 6)))
    at = now + max(wait, least or wait)
    log.warning("job %s has to wait: %s", job.number, reason)
    kind = type(reason).__name__
    return lambda db, job: outbox.try_again(db, job, at, str(reason), error_kind=kind, in_doubt=in_doubt)


def _is_stale(db: Session, job: Job, now: datetime) -> bool:
    if is_stale(db, job, now):
        return True
    if away.is_about_absence(job):
        return away.is_over(db, job)
    return _is_way_in(job) and ways_in.is_over(db, job.payload["way_in"], now)


def _facts(db: Session, services: Services, job: Job) -> Facts:
    if job.payload["message"] == MORNING:
        return morning.mail_facts(db, house_of(services), job, services.now())
    if away.is_about_absence(job):
        return away.mail_facts(job)
    if _is_way_in(job):
        return ways_in.mail_facts(db, house_of(services), job.payload["way_in"])
    return read_facts(job.payload)


def _is_way_in(job: Job) -> bool:
    return "way_in" in job.payload


def _written(now: datetime, call_id: str, uid: str, written: Placed) -> Report:
    def report(db: Session, job: Job) -> None:
        outbox.finish(db, job, now)
        placing.note_placed(db, call_id, uid, written.href, written.etag, now)

    return report


def _removed(now: datetime, call_id: str, uid: str) -> Report:
    def report(db: Session, job: Job) -> None:
        outbox.finish(db, job, now)
        placing.note_removed(db, call_id, uid, now)

    return report


def _left_removed(now: datetime, uids: Collection[str]) -> Report:
    def report(db: Session, job: Job) -> None:
        outbox.finish(db, job, now)
        takeover.note_removed(db, uids, now)

    return report


def _another_uid(now: datetime, call_id: str, uid: str, host: str) -> Report:
    def report(db: Session, job: Job) -> None:
        outbox.try_again(db, job, now, "the calendar keeps this UID for something else")
        placing.note_uid_taken(db, call_id, uid, host)

    return report
