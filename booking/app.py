"""The only wiring: settings and services become one Flask app."""

from pathlib import Path
from typing import Final

from flask import Flask

from booking import cli
from booking.services import Services, real_services
from booking.settings import Settings
from booking.web import api, context, guards, health, manage, moving, public, shelf
from booking.web.desk import desk, entrance, one_time

ROOT: Final = Path(__file__).parents[1]
KEEP_STATIC_SECONDS: Final = 365 * 24 * 3600
"""A static file's address changes with the file."""


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """Build the app; without ``services``, those of a running installation."""
    app = Flask("booking", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = KEEP_STATIC_SECONDS
    app.config["WTF_I18N_ENABLED"] = False  # no form shows a sentence of the library
    app.extensions[context.EXTENSION] = services or real_services(settings)
    shelf.init_app(app)
    context.init_app(app)  # first, so that what a guard refuses is said in the reader's language
    guards.init_app(app)
    for blueprint in (health.bp, api.bp, manage.bp, moving.bp, entrance.bp, one_time.bp, desk, public.bp):
        app.register_blueprint(blueprint)
    cli.init_app(app)
    return app
