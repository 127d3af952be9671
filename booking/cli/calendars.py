"""``calendar``: which calendars block, and which one takes the calls."""

import contextlib
import sys
from dataclasses import replace
from typing import Any, Final

import click
from flask.cli import AppGroup

from booking import embedded
from booking.calendars.port import CalendarError
from booking.cli.answers import Answer, answers, owner_option
from booking.errors import InvalidText
from booking.services import Services
from booking.store.models import Calendar
from booking.usecases import calendars, refresh

SECONDS: Final = 60.0

calendar_group = AppGroup("calendar", help="Calendars that block, and the one that takes the calls.")


@calendar_group.command("add")
@owner_option
@click.option("--kind", type=click.Choice([calendars.CALDAV, calendars.EMBEDDED]), required=True)
@click.option("--url", default="", help="Address of the calendar; of an embedded one just its name, such as private.")
@click.option("--username", default="")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.option("--name", default="", help="What to call it.")
@click.option("--busy", is_flag=True, help="Its events block.")
@click.option("--bookings", is_flag=True, help="It takes the calls.")
@click.option("--all-day-blocks/--all-day-by-event", default=True, help="Do all-day events that are marked free block?")
@click.option("--tentative-blocks/--tentative-free", default=True, help="Do events that are not certain yet block?")
@answers
def add_calendar(  # noqa: PLR0913 - one parameter for each option
    services: Services,
    *,
    owner: str,
    kind: str,
    url: str,
    username: str,
    password_stdin: bool,
    name: str,
    busy: bool,
    bookings: bool,
    all_day_blocks: bool,
    tentative_blocks: bool,
) -> Answer:
    """Add a calendar. It is asked first: what can't be read is not added."""
    use: dict[str, Any] = {
        "name": name,
        "is_busy": busy,
        "takes_calls": bookings,
        "all_day_blocks": all_day_blocks,
        "tentative_blocks": tentative_blocks,
    }
    if kind == calendars.EMBEDDED:
        row = _add_embedded(services, owner, url or "calls", use)
    else:
        if not url:
            raise InvalidText("give the address of the calendar with --url")
        password = _password(username, from_stdin=password_stdin)
        row = _add_caldav(services, owner, calendars.NewCalendar(kind, url, username, password, **use))
    return Answer(_data(services, row), ["Added:", *_lines(services, row), "It is read within a minute."])


@calendar_group.command("list")
@click.option("--owner", metavar="SLUG", help="Only this owner's.")
@answers
def list_calendars(services: Services, owner: str | None) -> Answer:
    """List the calendars, with address, name and password of embedded ones for your calendar program."""
    with services.database.reading() as db:
        rows = calendars.list_calendars(db, owner)
    lines = [line for row in rows for line in _lines(services, row)]
    return Answer([_data(services, row) for row in rows], lines or ["There is no calendar yet: calendar add."])


@calendar_group.command("sync")
@owner_option
@answers
def read_calendars(services: Services, owner: str) -> Answer:
    """Read the calendars now; the worker does so every few minutes by itself."""
    now = services.now()
    with services.database.reading() as db:
        plans = [
            refresh.plan(db, row, now)
            for row in calendars.list_calendars(db, owner)
            if row.is_busy and not row.paused_at
        ]
    problems = {plan.calendar_id: _read(services, plan) for plan in plans}
    lines = [f"{plan.url}: {problems[plan.calendar_id] or 'read'}" for plan in plans]
    data = [{"calendar": number, "problem": problem} for number, problem in problems.items()]
    return Answer(data, lines, 1 if any(problems.values()) else 0)


@calendar_group.command("remove")
@owner_option
@click.option("--id", "calendar_id", type=int, required=True, help="Its number in calendar list.")
@click.option("--anyway", is_flag=True, help="Even if upcoming calls stand in it.")
@answers
def remove_calendar(services: Services, owner: str, calendar_id: int, *, anyway: bool) -> Answer:
    """Remove a calendar from the owner. Nothing is deleted in the calendar itself."""
    with services.database.writing() as db:
        calendars.remove_calendar(db, owner, calendar_id, services.now(), anyway=anyway)
    _let_owners_in(services)
    return Answer({"removed": calendar_id}, [f"Removed calendar {calendar_id}; its events stay where they are."])


def _add_embedded(services: Services, owner: str, folder: str, use: dict[str, Any]) -> Calendar:
    if services.settings.embedded_calendar_url is None:
        raise InvalidText(
            "the embedded calendar is off; start Sprechzeit once with ./start, and without EMBEDDED_CALENDAR=off"
        )
    with services.database.writing() as db:
        new = calendars.embedded_calendar(db, owner, services.vault, services.token, folder)
        row = calendars.add_calendar(db, owner, replace(new, **use), services.vault)
    _let_owners_in(services)
    try:
        with contextlib.closing(services.calendar(row, SECONDS)) as calendar:
            calendar.make(row.name)
    except CalendarError:
        click.echo("The embedded calendar does not answer; ./start makes the new calendar when it runs.", err=True)
    return row


def _add_caldav(services: Services, owner: str, new: calendars.NewCalendar) -> Calendar:
    with contextlib.closing(
        services.open_calendar(
            kind=new.kind,
            url=new.url,
            username=new.username,
            password=new.password,
            allow=services.settings.caldav_allow,
            embedded_url=services.settings.embedded_calendar_url,
            deadline=SECONDS,
        )
    ) as calendar:
        calendar.changes({})
    with services.database.writing() as db:
        return calendars.add_calendar(db, owner, new, services.vault)


def _password(username: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, err=True)) if username else ""


def _let_owners_in(services: Services) -> None:
    """Tell the embedded server who may log in; it notices by itself."""
    if services.settings.embedded_calendar_url is not None:
        with services.database.reading() as db:
            users = calendars.embedded_users(db, services.vault)
        embedded.write_users(services.settings, users.items())


def _read(services: Services, plan: refresh.Plan) -> str:
    asked_at = services.now()
    try:
        reading = refresh.digest(plan, services.ask(plan, SECONDS), asked_at)
    except CalendarError as error:
        with services.database.writing() as db:
            refresh.note_failure(db, plan, error, services.now())
        return str(error)
    # Where somebody else has read it meanwhile, it is read.
    with contextlib.suppress(refresh.Overtaken), services.database.writing() as db:
        refresh.apply(db, reading, services.now())
    return ""


def _data(services: Services, row: Calendar) -> dict[str, object]:
    is_embedded = row.kind == calendars.EMBEDDED
    return {
        "id": row.id,
        "owner": row.owner.slug,
        "kind": row.kind,
        "name": row.name,
        "url": f"{services.settings.embedded_calendar_url or ''}{row.url}" if is_embedded else row.url,
        "username": row.username,
        # Other servers' passwords are never shown; this one was made here, for the owner's calendar program.
        "password": services.vault.unlock(row.password_encrypted) if is_embedded else None,
        "busy": row.is_busy,
        "bookings": row.takes_calls,
        "all_day_blocks": row.all_day_blocks,
        "tentative_blocks": row.tentative_blocks,
        "paused_at": row.paused_at,
        "read_at": row.read_at,
        "problem": row.last_error,
    }


def _lines(services: Services, row: Calendar) -> list[str]:
    data = _data(services, row)
    uses = " and ".join(
        word for word, is_so in (("blocks", row.is_busy), ("takes the calls", row.takes_calls)) if is_so
    )
    lines = [f"{row.id}  {data['url']}  ({row.kind}, of {data['owner']}; {uses})"]
    if row.kind == calendars.EMBEDDED:
        lines.append(f"    name {row.username}, password {data['password']}")
    if row.paused_at is not None:
        lines.append("    paused by its owner: not read, and nothing in it blocks")
    elif row.last_error:
        lines.append(f"    can't be read: {row.last_error}")
    elif row.read_at is not None:
        lines.append(f"    last read {row.read_at:%Y-%m-%d %H:%M} UTC")
    return lines


COMMANDS: Final = (calendar_group,)
