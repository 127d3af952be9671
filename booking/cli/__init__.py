"""The operator's commands: ``.venv/bin/flask --app wsgi …``.

Each reads its arguments, calls a use case, and says what became of it. Nothing is decided here. Network comes
before or after a transaction, never inside one.
"""

from flask import Flask

from booking.cli import calendars, calls, house, owners


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    for command in (*owners.COMMANDS, *calendars.COMMANDS, *calls.COMMANDS, *house.COMMANDS):
        app.cli.add_command(command)
