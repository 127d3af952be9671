"""The clock: does what waits in the outbox, reads the calendars that are due, keeps house.

Run it with ``python -m booking.worker``; SIGTERM and Ctrl-C end it after the step it is at. Each kind of work has
a thread of its own, so that a calendar that hangs delays no mail.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from booking.calendars.port import CalendarError
from booking.jobs import HANDLERS, NEVER_GIVEN_UP, Report, Unexpected, house_of, later, look_again
from booking.services import Services, real_services
from booking.settings import Settings
from booking.store import outbox
from booking.store.models import Installation, Job
from booking.usecases import housekeeping, morning, refresh, silence
from booking.usecases.hearing import MORNING

log = logging.getLogger("booking.worker")  # not __main__, which it is when it runs

READ_SECONDS: Final = 60.0
READ_LEASE: Final = timedelta(minutes=3)
IDLE_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15.0
PLAN_SECONDS: Final = 60.0
FORGET_SECONDS: Final = 3600.0
AFTER_DATABASE_TROUBLE_SECONDS: Final = 5.0


def run_once(services: Services) -> bool:
    """Do one thing that is due: a job, a reading, the plan of a morning mail; say whether there was one."""
    return run_job(services) or read_calendar(services) or plan_mornings(services)


def run_job(services: Services, kinds: Collection[str] = tuple(HANDLERS)) -> bool:
    """Do the oldest job of these kinds that is due; say whether there was one."""
    with services.database.writing() as db:
        job = outbox.claim(db, services.now(), services.token(), kinds)
    if job is None:
        return False
    services.failpoint("job.claimed")
    try:
        report = _handled(services, job)
        with services.database.writing() as db:
            report(db, job)
    except outbox.LeaseLost as error:
        log.warning("%s", error)
    services.failpoint("job.reported")
    return True


def read_calendar(services: Services) -> bool:
    """Read one calendar that is due; say whether there was one."""
    asked_at = services.now()
    with services.database.writing() as db:
        calendar = refresh.claim_due(db, asked_at, READ_LEASE)
        made = refresh.plan(db, calendar, asked_at) if calendar else None
    if made is None:
        return False
    try:
        reading = _reading(services, made, asked_at)
        services.failpoint("calendar.read")
        with services.database.writing() as db:
            refresh.apply(db, reading, services.now())
            silence.note_answer(db, house_of(services), made.calendar_id, services.now())
    except CalendarError as error:
        log.warning("calendar %s can't be read: %s", made.calendar_id, error)
        with services.database.writing() as db:
            refresh.note_failure(db, made, error, services.now())
            silence.note_silence(db, house_of(services), made.calendar_id, services.now())
    except refresh.Overtaken as error:
        log.info("calendar %s: %s", made.calendar_id, error)
    return True


def _reading(services: Services, made: refresh.Plan, asked_at: datetime) -> refresh.Reading:
    try:
        return refresh.digest(made, services.ask(made, READ_SECONDS), asked_at)
    except CalendarError:
        raise
    except Exception as error:  # the job boundary: one calendar's fault must not stop the others
        log.exception("the answer of calendar %s could not be used", made.calendar_id)
        raise CalendarError(f"its answer could not be used ({type(error).__name__}: see the log)") from error


def heartbeat(services: Services) -> None:
    """Note that the worker lives."""
    with services.database.writing() as db:
        db.execute(update(Installation).values(worker_seen_at=services.now()))


def plan_mornings(services: Services) -> bool:
    """See to it that every owner's morning mail is due when their hours say by now; say whether any was not."""
    with services.database.reading() as db:
        owners = morning.misplanned(db)
    for owner_id in owners:
        with services.database.writing() as db:
            morning.plan(db, owner_id, services.now())
    return bool(owners)


def forget(services: Services) -> None:
    """Forget what need not be kept any more."""
    with services.database.writing() as db:
        housekeeping.forget(db, services.now())


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    settings = Settings.from_env(os.environ)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(real_services(settings), stop)


def run(services: Services, stop: threading.Event) -> None:
    """Run every kind of work until ``stop`` is set."""
    chores = (
        (partial(run_job, kinds=("mail", "decide", MORNING)), IDLE_SECONDS),
        (partial(run_job, kinds=("calendar",)), IDLE_SECONDS),
        (read_calendar, IDLE_SECONDS),
        (heartbeat, HEARTBEAT_SECONDS),
        (plan_mornings, PLAN_SECONDS),
        (forget, FORGET_SECONDS),
    )
    threads = [threading.Thread(target=_repeat, args=(services, chore, idle, stop)) for chore, idle in chores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _repeat(services: Services, chore: Callable[[Services], bool | None], idle: float, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            was_busy = chore(services)
        except SQLAlchemyError:
            log.exception("the database does not do what it should")
            stop.wait(AFTER_DATABASE_TROUBLE_SECONDS)
            continue
        if not was_busy:
            stop.wait(idle)


def _handled(services: Services, job: Job) -> Report:
    try:
        return HANDLERS[job.kind](services, job)
    except (outbox.LeaseLost, OperationalError):
        raise
    except Exception as error:  # the job boundary: one job's fault must not stop the others
        log.exception("job %s (%s) failed", job.number, job.kind)
        if job.kind in NEVER_GIVEN_UP:
            return look_again(services.now(), f"{type(error).__name__}: see the log")
        return later(services.now(), job, Unexpected(f"{type(error).__name__}: see the log"))


if __name__ == "__main__":
    main()
