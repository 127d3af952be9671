"""Nobody is booked twice, whatever runs at the same time."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from booking.services import Services, real_services
from booking.settings import Settings
from booking.store.models import HeldPeriod
from booking.usecases.availability import load_offer
from booking.usecases.setup import check_key
from tests.builders import add_call_type, add_owner
from tests.conftest import KEY

PROCESSES = 8
CONTESTED = 500


@pytest.fixture
def environment(any_url: str, tmp_path: Path) -> dict[str, str]:
    ours = {"DATA_DIR": str(tmp_path), "DATABASE_URL": any_url, "SECRET_KEY": KEY, "RATE_LIMITS": "off"}
    return {**os.environ, **ours, "EMBEDDED_CALENDAR": "off", "LOG_LEVEL": "ERROR"}


@pytest.fixture
def starts(environment: dict[str, str]) -> list[str]:
    """Times that all processes want; neighbours are nearer than their buffers allow."""
    services: Services = real_services(Settings.from_env(environment))
    with services.database.writing() as db:
        check_key(db, services.vault)
        owner = add_owner(db, hours="mon-sun 00:00-24:00")
        add_call_type(
            db,
            owner,
            minutes=20,
            before_minutes=5,
            after_minutes=10,
            step_minutes=20,
            who_calls="client",
            notice_minutes=0,
            horizon_days=8,
        )
    with services.database.reading() as db:
        free = load_offer(db, "anna", "call", datetime.now(UTC) + timedelta(hours=1)).all_free()
    services.database.dispose()
    return [start.isoformat() for start in free[:CONTESTED]]


@pytest.mark.slow
def test_of_8_processes_at_500_contested_times_exactly_one_wins_each(
    environment: dict[str, str], starts: list[str]
) -> None:
    contenders = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.contender", f"c{number}"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for contender in contenders:
        assert contender.stdin is not None
        contender.stdin.write("\n".join(starts))
        contender.stdin.close()
    answers = [line.split() for contender in contenders for line in contender.stdout or ()]
    assert [contender.wait() for contender in contenders] == [0] * PROCESSES

    assert len(answers) == PROCESSES * CONTESTED
    assert {status for status, _ in answers} == {"201", "409"}
    winners = Counter(start for status, start in answers if status == "201")
    assert set(winners.values()) == {1}
    # With 35 minutes held for each and a distance of 20, of two neighbours only one can win, and one must.
    assert CONTESTED / 3 <= len(winners) <= CONTESTED / 2 + 1

    services = real_services(Settings.from_env(environment))
    with services.database.reading() as db:
        held = db.scalars(select(HeldPeriod).order_by(HeldPeriod.starts_at)).all()
    services.database.dispose()
    assert len(held) == len(winners)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(held))
