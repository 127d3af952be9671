"""One of several processes that want the same times: posts each start once, prints a status per line.

python -m tests.faults.contender NAME < starts
"""

import os
import sys

from booking.app import create_app
from booking.settings import Settings


def main() -> None:
    name = sys.argv[1]
    client = create_app(Settings.from_env(os.environ)).test_client()
    for number, start in enumerate(sys.stdin.read().split()):
        answer = client.post(
            "/api/v1/anna/call/calls",
            json={"start": start, "name": name, "email": f"{name}.{number}@example.com"},
            headers={"Idempotency-Key": f"{name}-{number}-of-the-contest"},
        )
        print(answer.status_code, start, flush=True)


if __name__ == "__main__":
    main()
