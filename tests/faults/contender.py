"""One of several processes that want the same times: posts each start once, prints a status per line.

python -m tests.faults.contender NAME < starts
"""

import os
import sys

from booking.app import create_app
from booking.settings import Settings

AGAIN = 5


def main() -> None:
    name = sys.argv[1]
    client = create_app(Settings.from_env(os.environ)).test_client()
    for number, start in enumerate(sys.stdin.read().split()):
        details = {"start": start, "name": name, "email": f"{name}.{number}@example.com"}
        headers = {"Idempotency-Key": f"{name}-{number}-of-the-contest"}
        # On a slow machine SQLite's lock may be had by others for its whole time-out; the answer says: try again.
        for _ in range(1 + AGAIN):
            answer = client.post("/api/v1/anna/call/calls", json=details, headers=headers)
            if answer.status_code != 503:
                break
        print(answer.status_code, start, flush=True)


if __name__ == "__main__":
    main()
