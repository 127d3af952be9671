"""A worker of its own process: does everything that is due, and dies at the failpoint it is told.

python -m tests.faults.worker_process [FAILPOINT]
"""

import os
import signal
import sys
from dataclasses import replace

from booking.services import real_services
from booking.settings import Settings
from booking.worker import run_once


def main() -> None:
    deadly = sys.argv[1] if len(sys.argv) > 1 else ""

    def failpoint(name: str) -> None:
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    services = replace(real_services(Settings.from_env(os.environ)), failpoint=failpoint)
    while run_once(services):
        pass


if __name__ == "__main__":
    main()
