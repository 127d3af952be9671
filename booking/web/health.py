"""Two questions of a watchman: is the process up, and is everything behind it ready? No names, no addresses."""

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from booking.services import INSTALLATION_HEADER
from booking.store.models import Calendar, Installation
from booking.usecases.availability import COUNTS, FRESH_FOR
from booking.web.context import services

WORKER_SEEN_WITHIN: Final = timedelta(seconds=60)

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers, and for which installation; nothing else is asked."""
    return "ok", {"Content-Type": "text/plain; charset=utf-8", INSTALLATION_HEADER: services().fingerprint}


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether database, worker and calendars do their part: 200, or 503 and which of them does not."""
    house = services()
    now = house.now()
    try:
        with house.database.reading() as db:
            worker_seen_at = db.scalar(select(Installation.worker_seen_at).limit(1))
            readings = db.scalars(select(Calendar.read_at).where(COUNTS)).all()
    except SQLAlchemyError:
        return _answer({"database": "unreachable"})
    fresh = sum(_is_recent(read_at, now, FRESH_FOR) for read_at in readings)
    return _answer(
        {
            "database": "ok",
            "worker": "ok" if _is_recent(worker_seen_at, now, WORKER_SEEN_WITHIN) else "silent",
            "calendars": "ok" if fresh == len(readings) else f"{len(readings) - fresh} of {len(readings)} not read",
        }
    )


def _is_recent(moment: datetime | None, now: datetime, limit: timedelta) -> bool:
    return moment is not None and now - moment <= limit


def _answer(parts: dict[str, str]) -> ResponseReturnValue:
    ready = all(part == "ok" for part in parts.values())
    return jsonify({"ready": ready, **parts}), 200 if ready else 503
