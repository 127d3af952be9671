"""``call``, ``export``, ``erase``: the calls, and what is kept about one client."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup, with_appcontext

from booking.cli.answers import Answer, answers, owner_option
from booking.errors import InvalidText
from booking.rules.lifecycle import Actor, State
from booking.services import Services
from booking.store.models import Call
from booking.usecases import calls, listing, privacy, requests
from booking.usecases.handout import call_data, client_data
from booking.web.reserving import house, move

call_group = AppGroup("call", help="Planned calls.")


@call_group.command("list")
@owner_option
@click.option("--all", "with_past", is_flag=True, help="Past ones too.")
@answers
def list_calls(services: Services, owner: str, *, with_past: bool) -> Answer:
    """List the calls to come."""
    with services.database.reading() as db:
        found = listing.list_calls(db, owner, since=None if with_past else services.now())
    return Answer([call_data(call) for call in found], [_line(call) for call in found] or ["No calls."])


@call_group.command("show")
@click.argument("call_id", metavar="ID")
@answers
def show_call(services: Services, call_id: str) -> Answer:
    """Show one call with its history (times of the history in UTC)."""
    with services.database.reading() as db:
        call = listing.show_call(db, call_id)
    lines = [
        _line(call),
        *(f"    {word}: {text}" for word, text in (("mail", call.email), ("note", call.note)) if text),
        *(f"    {change.at:%Y-%m-%d %H:%M} {change.step} by {change.actor}" for change in call.changes),
    ]
    return Answer(call_data(call), lines)


reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; the client reads it.")


@call_group.command("cancel")
@click.argument("call_id", metavar="ID")
@reason_option
@answers
def cancel_call(services: Services, call_id: str, reason: str) -> Answer:
    """Cancel a call as its owner, or decline a request (without a reason): the event goes, the client is told."""
    with services.database.writing() as db:
        is_request = listing.show_call(db, call_id).state is State.REQUESTED
        if is_request:
            call = requests.decline(db, house(services), call_id, Actor.OWNER, services.now())
        else:
            call = calls.cancel(db, call_id, Actor.OWNER, services.now(), house(services), reason=reason)
    return Answer(call_data(call), [f"{'Declined' if is_request else 'Cancelled'}; {_told(call)}."])


@call_group.command("move")
@click.argument("call_id", metavar="ID")
@click.argument("start", metavar="START")
@reason_option
@answers
def move_call(services: Services, call_id: str, start: str, reason: str) -> Answer:
    """Move a call to another free START, such as 2026-12-01T09:30 (the owner's time) or with an offset.

    The event is moved, the client is told.
    """
    with services.database.reading() as db:
        call = listing.show_call(db, call_id)
    try:
        moment = datetime.fromisoformat(start)
    except ValueError as error:
        raise InvalidText(f"START: write it as 2026-12-01T09:30, not {start!r}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(call.owner.timezone))
    call = move(services, call, moment.astimezone(UTC), Actor.OWNER, reason=reason)
    return Answer(call_data(call), [f"Moved; {_told(call)}.", _line(call)])


@click.command("export")
@with_appcontext
@owner_option
@click.option("--client", "client", required=True, metavar="EMAIL or NUMBER")
@answers
def export(services: Services, owner: str, client: str) -> Answer:
    """Hand out everything that is kept about one client, as JSON."""
    with services.database.reading() as db:
        kept = privacy.export(db, owner, client)
    lines = [f"{len(kept.calls)} calls, {len(kept.mails)} mails; add --json for all of it.", *map(_line, kept.calls)]
    return Answer(client_data(kept), lines)


@click.command("erase")
@with_appcontext
@owner_option
@click.option("--client", "client", required=True, metavar="EMAIL or NUMBER")
@answers
def erase(services: Services, owner: str, client: str) -> Answer:
    """Take one client out of every past call, mail and event; times and states stay."""
    with services.database.writing() as db:
        erased = privacy.erase(db, owner, client, services.now(), house(services))
    for mail in erased.mails:
        (services.settings.data_dir / "mail" / f"{mail.id}.eml").unlink(missing_ok=True)
    return Answer(
        {"calls": len(erased.calls), "mails": len(erased.mails)},
        [
            f"Erased from {len(erased.calls)} calls and {len(erased.mails)} mails; the worker renames the events.",
            "Backups made before still hold the client's data.",
        ],
    )


def _told(call: Call) -> str:
    return "the client is told by mail" if call.email else "the client gave no mail address: tell them by phone"


def _line(call: Call) -> str:
    starts_at = call.starts_at.astimezone(ZoneInfo(call.owner.timezone))
    client = f"{call.name or '(erased)'} {call.phone}".rstrip()
    what = f"{call.call_type.name}, {call.who_calls} calls"
    return f"{call.id}  {starts_at:%a %Y-%m-%d %H:%M}  {call.state}  {what}: {client}"


COMMANDS: Final = (call_group, export, erase)
