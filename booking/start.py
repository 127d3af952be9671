"""``./start``: makes a fresh installation ready and runs its processes until Ctrl-C.

Owns the order of things at start; what is made, and how, is decided in the rooms below.
"""

import argparse
import contextlib
import errno
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import DBAPIError

from booking import demo, embedded
from booking.calendars.port import CalendarError
from booking.children import Child, ChildEnded, Children, Stopped
from booking.errors import BookingError, SettingsError
from booking.jobs import house_of
from booking.language import language
from booking.machine import guess_person
from booking.services import Services, real_services
from booking.settings import Settings
from booking.usecases import calendars, door, setup, ways_in
from booking.worker import read_calendar

CALENDAR_SECONDS: Final = 30.0
OF_THE_REAL_HOUSE: Final = ("DATABASE_URL", "SECRET_KEY", "SMTP_URL", "MAIL_FROM", "EMBEDDED_CALENDAR", "CALDAV_ALLOW")


def main(arguments: list[str], env: Mapping[str, str]) -> int:
    """Run an installation; return the exit status of the command."""
    options = _options(arguments)
    try:
        with _house(env, demo=options.demo) as house:
            run(house, demo=options.demo)
    except Stopped:
        click.echo("Sprechzeit has ended.")
        return 0
    except BookingError as error:
        click.echo(f"{error}", err=True)
    except DBAPIError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        click.echo(f"The database can't be used: {reason}", err=True)
    return 1


def run(env: Mapping[str, str], *, demo: bool = False) -> None:
    """Prepare the house that an environment describes, and run it.

    :raises Stopped: the end was asked for.
    :raises BookingError: it can't be run; the message is one for the operator.
    """
    settings = Settings.from_env(env)
    _port_must_be_free(settings)
    settings = _with_embedded_calendar(settings, env)
    services = real_services(settings)
    services.database.upgrade()
    with services.database.writing() as db:
        setup.check_key(db, services.vault)
    with Children(env) as children:
        _prepare(services, children, env, with_example=demo)
        children.start("worker", [sys.executable, "-m", "booking.worker"])
        web = children.start("web server", _web_command(settings))
        children.wait_until_it_listens(web, _reachable(settings.host), settings.port)
        _say_where(services, demo=demo)
        services.database.dispose()
        children.watch()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./start",
        description="Runs Sprechzeit: web server, worker and embedded calendar, until Ctrl-C.",
        epilog="Settings are environment variables, such as PORT=8080 ./start; docs/operating.md lists them. "
        "The operator's commands: .venv/bin/flask --app wsgi --help",
    )
    parser.add_argument(
        "--install", action="store_true", help="only make or refresh .venv, for the services of systemd"
    )
    parser.add_argument("--demo", action="store_true", help="show a lively example in a folder that is thrown away")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _house(env: Mapping[str, str], *, demo: bool) -> Iterator[dict[str, str]]:
    """Yield the environment of the house to run; a demo knows nothing of the real one, and nobody gets its mails."""
    if not demo:
        yield dict(env)
        return
    with tempfile.TemporaryDirectory(prefix="sprechzeit-demo-") as folder:
        kept = {name: value for name, value in env.items() if name not in OF_THE_REAL_HOUSE}
        yield {**kept, "DATA_DIR": folder}


def _port_must_be_free(settings: Settings) -> None:
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {port} is taken, perhaps by Sprechzeit itself: end the program that listens there, "
                f"or choose another port, such as PORT={port + 80} ./start"
            ) from error
        if error.errno == errno.EACCES:
            raise SettingsError(f"PORT: this user may not listen on port {port}; choose one from 1024 on.") from error
        raise SettingsError(f"HOST: {host} is not an address of this machine ({error.strerror}).") from error


def _with_embedded_calendar(settings: Settings, env: Mapping[str, str]) -> Settings:
    if env.get("EMBEDDED_CALENDAR", "").strip().lower() == "off":
        return settings
    settings = replace(settings, embedded_calendar_port=embedded.settle_port(settings))
    embedded.write_config(settings)
    return settings


def _prepare(services: Services, children: Children, env: Mapping[str, str], *, with_example: bool) -> None:
    """Make what is missing: the first owner, the calendars, the first reading."""
    server = _start_embedded_calendar(services, children)
    if with_example:
        demo.make_owner(services)
    is_new = with_example or _make_first_owner(services, env)
    if server is not None:
        _make_embedded_calendars(services)
    if with_example:
        demo.make_events(services)
    # So that times are offered at once. Later starts leave this to the worker: a calendar elsewhere may hang.
    while is_new and read_calendar(services):
        children.check()
    if with_example:
        demo.make_calls(services)


def _start_embedded_calendar(services: Services, children: Children) -> Child | None:
    port = services.settings.embedded_calendar_port
    if port is None:
        return None
    _let_owners_in(services)
    server = children.start("embedded calendar", embedded.command(services.settings))
    children.wait_until_it_listens(server, "127.0.0.1", port)
    return server


def _make_first_owner(services: Services, env: Mapping[str, str]) -> bool:
    """Make an owner where there is none; say whether there was none."""
    with services.database.writing() as db:
        if setup.has_owner(db):
            return False
        person = guess_person(env)
        words = language(person.locale)
        owner = setup.NewOwner("me", person.name, person.email, person.timezone, person.locale, person.country)
        setup.add_owner(db, owner)
        setup.add_call_type(db, "me", setup.NewCallType(slug="call", name=words.gettext("Phone call"), minutes=30))
        if services.settings.embedded_calendar_port is not None:
            calendar = calendars.embedded_calendar(db, "me", services.vault, services.token)
            calendars.add_calendar(db, "me", calendar, services.vault)
    return True


def _let_owners_in(services: Services) -> None:
    with services.database.reading() as db:
        users = calendars.embedded_users(db, services.vault)
    embedded.write_users(services.settings, users.items())


def _make_embedded_calendars(services: Services) -> None:
    """Make the calendars that exist in the database, but not (any more) on the embedded server."""
    _let_owners_in(services)
    with services.database.reading() as db:
        mine = [one for one in calendars.list_calendars(db) if one.kind == calendars.EMBEDDED]
    for row in mine:
        try:
            with contextlib.closing(services.calendar(row, CALENDAR_SECONDS)) as calendar:
                calendar.make(row.name)
        except CalendarError as error:
            raise ChildEnded(f"The embedded calendar {row.url} could not be made: {error}") from error


def _web_command(settings: Settings) -> list[str]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    options = {
        "--bind": f"{host}:{settings.port}",
        "--worker-class": "gthread",
        "--workers": "2",
        "--threads": "8",  # more than may wait for calendars at one time (calendars/live.py), so that pages go on
        "--graceful-timeout": "8",
        "--logger-class": "booking.web.guards.RedactingLogger",
        "--log-level": settings.log_level.lower() if settings.log_level != "INFO" else "warning",
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "gunicorn", *words, "--no-control-socket", "wsgi:app"]


def _reachable(host: str) -> str:
    """Where to find, from this machine, what listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def _say_where(services: Services, *, demo: bool) -> None:
    settings = services.settings
    with services.database.reading() as db:
        owners = setup.list_owners(db)
    links = _links_to_desks(services)
    click.echo("\nSprechzeit is running.\n")
    for owner in owners:
        click.echo(f"  Public page of {owner.name}: {settings.base_url}/{owner.slug}")
        if owner.id in links:
            click.echo("  The desk, where everything is set; this link opens it once, within a day:")
            click.echo(f"    {links[owner.id]}")
        else:
            click.echo(f"  The desk: {settings.base_url}/desk")
    if settings.embedded_calendar_url:
        click.echo(f"  Calendar: {settings.embedded_calendar_url}, name and password by")
        click.echo(f"    {_for_data_dir(settings)}.venv/bin/flask --app wsgi calendar list")
    mails = "through SMTP" if settings.smtp_url else f"written to {settings.data_dir / 'mail'} (SMTP_URL is not set)"
    click.echo(f"  Mails: {mails}")
    later = "throws this example away" if demo else "ends everything; ./start goes on where it ended"
    click.echo(f"\nCtrl-C {later}.")


def _links_to_desks(services: Services) -> dict[int, str]:
    """Make a one-time link for every owner who can come in by no password yet."""
    with services.database.writing() as db:
        return {
            owner.id: ways_in.make_link(db, house_of(services), owner.id, services.now(), ways_in.FIRST_LINK_LASTS)
            for owner in door.owners_without_password(db)
        }


def _for_data_dir(settings: Settings) -> str:
    """What the operator's commands need before them, so that they speak of this house."""
    return "" if settings.data_dir == Path("var").absolute() else f"DATA_DIR={settings.data_dir} "


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
