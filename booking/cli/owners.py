"""``owner``, ``call-type``, ``hours``, ``holidays``, ``absence``: who takes calls, which, and when."""

import os
import sys
from datetime import datetime
from typing import Final

import click
from flask.cli import AppGroup

from booking.cli.answers import Answer, answers, owner_option
from booking.errors import InvalidText
from booking.jobs import house_of
from booking.machine import guess_person
from booking.rules.hours import format_weekly
from booking.services import Services
from booking.store.models import CallType, Owner
from booking.usecases import door, hours, passwords, setup, ways_in
from booking.usecases.availability import find_owner

owner_group = AppGroup("owner", help="The people who take calls.")
call_type_group = AppGroup("call-type", help="What can be booked.")
hours_group = AppGroup("hours", help="Business hours, and days that differ.")
holidays_group = AppGroup("holidays", help="Public holidays.")
absence_group = AppGroup("absence", help="Days off.")


@owner_group.command("add")
@click.option("--slug", required=True, help="The word in the public address.")
@click.option("--name", required=True)
@click.option("--email", required=True, help="Where the owner's mails go, and where clients' answers go.")
@click.option("--timezone", help="Such as Europe/Berlin; this machine's by default.")
@click.option("--locale", help="en, de or ru; this machine's by default.")
@click.option("--country", help="Of phone numbers without a country code, such as DE; this machine's by default.")
@click.option("--password-stdin", is_flag=True, help="Read the password of the desk from standard input.")
@answers
def add_owner(
    services: Services,
    *,
    slug: str,
    name: str,
    email: str,
    timezone: str | None,
    locale: str | None,
    country: str | None,
    password_stdin: bool,
) -> Answer:
    """Add an owner with usual business hours."""
    typed = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    guess = guess_person(os.environ)
    new = setup.NewOwner(
        slug, name, email, timezone or guess.timezone, locale or guess.locale, country or guess.country
    )
    with services.database.writing() as db:
        owner = setup.add_owner(db, new)
        if typed is not None:
            _check_password(typed, owner)
    if typed is not None:
        password_hash = services.passwords.hash(typed)
        with services.database.writing() as db:
            door.set_password(db, owner.id, password_hash, services.now())
    return Answer(
        _owner_data(services, owner),
        [
            f"Added {owner.name}: {services.settings.base_url}/{owner.slug}",
            f"Next: call-type add --owner {owner.slug} …, then calendar add --owner {owner.slug} …",
        ],
    )


@owner_group.command("login-link")
@owner_option
@answers
def make_login_link(services: Services, owner: str) -> Answer:
    """Print a link that opens an owner's desk once, within an hour."""
    until = services.now() + ways_in.LINK_LASTS
    with services.database.writing() as db:
        address = ways_in.make_link(db, house_of(services), setup.lock(db, owner).id, services.now())
    return Answer({"url": address, "expires_at": until}, [address, "It works once, within an hour."])


@owner_group.command("list")
@answers
def list_owners(services: Services) -> Answer:
    """List the owners with their call types and hours."""
    with services.database.reading() as db:
        owners = [find_owner(db, owner.slug) for owner in setup.list_owners(db)]
    lines = [
        line
        for owner in owners
        for line in (
            f"{owner.slug}  {owner.name} <{owner.email}>  {owner.timezone}  {services.settings.base_url}/{owner.slug}",
            f"    hours: {format_weekly(owner.timetable.weekly)}",
            *(f"    call type {one.slug}: {one.name}, {one.minutes} minutes{_found(one)}" for one in owner.call_types),
            *(f"    absent {one.first} – {one.last} {one.notice}".rstrip() for one in owner.timetable.absences),
        )
    ]
    return Answer([_owner_data(services, owner) for owner in owners], lines or ["There is no owner yet: owner add."])


@owner_group.command("set")
@owner_option
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE…")
@answers
def set_owner(services: Services, owner: str, pairs: tuple[str, ...]) -> Answer:
    """Change settings of an owner; an unknown key lists them all."""
    with services.database.writing() as db:
        changed = setup.set_owner(db, owner, pairs)
    return Answer(_owner_data(services, changed), [f"Changed {', '.join(pair.partition('=')[0] for pair in pairs)}."])


@call_type_group.command("add")
@owner_option
@click.option("--slug", required=True, help="The word in the public address.")
@click.option("--name", required=True)
@click.option("--minutes", type=int, required=True, help="How long the call is.")
@click.option("--description", default="", help="One sentence under the name.")
@click.option("--before", type=int, default=0, show_default=True, help="Free minutes before the call.")
@click.option("--after", type=int, default=10, show_default=True, help="Free minutes after the call.")
@click.option("--notice-minutes", type=int, default=120, show_default=True, help="Least lead, in working time.")
@click.option("--horizon-days", type=int, default=60, show_default=True, help="Farthest day that can be booked.")
@click.option("--step", type=int, default=15, show_default=True, help="Minutes between two offered starts.")
@click.option("--max-per-day", type=int)
@click.option("--max-per-week", type=int)
@click.option("--who-calls", default="owner", show_default=True, help="owner, client or choice (the client chooses).")
@answers
def add_call_type(services: Services, /, owner: str, before: int, after: int, step: int, **values: object) -> Answer:
    """Add a call type."""
    new = setup.NewCallType(before_minutes=before, after_minutes=after, step_minutes=step, **values)  # type: ignore[arg-type]
    with services.database.writing() as db:
        call_type = setup.add_call_type(db, owner, new)
    address = f"{services.settings.base_url}/{owner}/{call_type.slug}"
    return Answer({**_call_type_data(call_type), "url": address}, [f"Added {call_type.name}: {address}"])


@call_type_group.command("set")
@owner_option
@click.option("--slug", "--call-type", "slug", required=True, help="Which call type.")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE…")
@answers
def set_call_type(services: Services, owner: str, slug: str, pairs: tuple[str, ...]) -> Answer:
    """Change settings of a call type; an unknown key lists them all."""
    with services.database.writing() as db:
        changed = setup.set_call_type(db, owner, slug, pairs, services.token())
    return Answer(_call_type_data(changed), [f"Changed {', '.join(pair.partition('=')[0] for pair in pairs)}."])


@hours_group.command("set")
@owner_option
@click.argument("text", metavar="HOURS")
@answers
def set_hours(services: Services, owner: str, text: str) -> Answer:
    """Set the weekly hours, such as "mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"."""
    with services.database.writing() as db:
        weekly = format_weekly(hours.set_hours(db, owner, text).timetable.weekly)
    return Answer({"hours": weekly}, [f"Hours: {weekly}"])


@hours_group.command("override")
@owner_option
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.argument("text", metavar="HOURS|closed|usual")
@answers
def override_day(services: Services, owner: str, day: datetime, text: str) -> Answer:
    """Give one day hours of its own ("09:00-12:00"), close it, or make it usual again."""
    with services.database.writing() as db:
        windows = hours.override_day(db, owner, day.date(), text).timetable.overrides.get(day.date())
    words = "usual" if windows is None else " ".join(str(window) for window in windows) or "closed"
    return Answer({"date": day.date(), "hours": words}, [f"{day.date()}: {words}"])


@holidays_group.command("set")
@owner_option
@click.option("--country", default="", help="Such as DE; without it holidays are working days.")
@click.option("--region", default="", help="Such as BY.")
@answers
def set_holidays(services: Services, owner: str, country: str, region: str) -> Answer:
    """Keep the public holidays of a country and region, or none."""
    with services.database.writing() as db:
        changed = hours.set_holidays(db, owner, country, region, services.now().date())
    kept = " ".join(word for word in (changed.holiday_country, changed.holiday_region) if word)
    return Answer(
        {"country": changed.holiday_country, "region": changed.holiday_region},
        [f"Public holidays of {kept} are kept." if kept else "Public holidays are working days."],
    )


@absence_group.command("add")
@owner_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day off.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day off.")
@click.option("--notice", default="", help="What the public page says about it.")
@click.option("--stand-in", default="", help="Whom clients can turn to meanwhile.")
@answers
def add_absence(services: Services, owner: str, first: datetime, last: datetime, notice: str, stand_in: str) -> Answer:
    """Add days off, both ends included. Calls that are booked already stay."""
    with services.database.writing() as db:
        changed = hours.add_absence(db, owner, first.date(), last.date(), notice, stand_in)
    return Answer(_absences(changed), [f"Absent from {first.date()} to {last.date()}."])


@absence_group.command("remove")
@owner_option
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Its first day.")
@answers
def remove_absence(services: Services, owner: str, first: datetime) -> Answer:
    """Take back the absence that begins on a day."""
    with services.database.writing() as db:
        changed = hours.remove_absence(db, owner, first.date())
    return Answer(_absences(changed), [f"The absence from {first.date()} on is taken back."])


def _check_password(typed: str, owner: Owner) -> None:
    problem = passwords.find_problem(typed, owner)
    words = {
        passwords.Problem.SHORT: f"give at least {passwords.SHORTEST} letters",
        passwords.Problem.LONG: f"give at most {passwords.LONGEST} letters",
        passwords.Problem.GUESSABLE: "it is easy to guess; give four words that have nothing to do with each other",
    }
    if problem is not None:
        raise InvalidText(f"password: {words[problem]}; nobody was added")


def _owner_data(services: Services, owner: Owner) -> dict[str, object]:
    keys = ("slug", "name", "email", "timezone", "locale", "country", "line", "phone", "caller_id", "discretion")
    more = ("sender_name", "accent", "phone_countries", "holiday_country", "holiday_region", "notice_in_working_time")
    numbers = ("morning_minutes", "retention_days", "most_moves")
    data: dict[str, object] = {key: getattr(owner, key) for key in (*keys, *more, *numbers)}
    return {
        **data,
        "url": f"{services.settings.base_url}/{owner.slug}",
        "hours": format_weekly(owner.timetable.weekly),
        "overrides": {
            day.isoformat(): " ".join(str(window) for window in windows) or "closed"
            for day, windows in sorted(owner.timetable.overrides.items())
        },
        "absences": _absences(owner),
    }


def _found(call_type: CallType) -> str:
    """Say who finds a call type, where that is not everybody."""
    if call_type.archived_at is not None:
        return ", archived"
    return {"link": ", by its link only", "hidden": ", hidden"}.get(call_type.visibility, "")


def _absences(owner: Owner) -> list[dict[str, object]]:
    return [
        {"from": one.first, "to": one.last, "notice": one.notice, "stand_in": one.stand_in}
        for one in owner.timetable.absences
    ]


def _call_type_data(call_type: CallType) -> dict[str, object]:
    keys = ("slug", "name", "description", "position", "minutes", "before_minutes", "after_minutes", "notice_minutes")
    more = ("horizon_days", "step_minutes", "max_per_day", "max_per_week", "who_calls", "reminders")
    asked = ("lengths", "languages", "is_email_needed", "questions", "visibility", "wording")
    return {key: getattr(call_type, key) for key in (*keys, *more, *asked)}


COMMANDS: Final = (owner_group, call_type_group, hours_group, holidays_group, absence_group)
