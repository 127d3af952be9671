"""What a WSGI server and the ``flask`` command load: ``wsgi:app``."""

import os
import sys

from booking.app import create_app
from booking.errors import SettingsError
from booking.settings import Settings

try:
    app = create_app(Settings.from_env(os.environ))
except SettingsError as error:
    sys.exit(str(error))
