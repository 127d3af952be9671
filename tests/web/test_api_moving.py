"""Moving a call through the JSON API: the same rules as the pages, for other programs."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.calendars.port import Unreachable
from booking.services import Services
from booking.store.models import CallType, Owner
from tests.fakes import Server
from tests.web.visitors import TUESDAY, Visitor, dump, open_house, person

LATER = TUESDAY + timedelta(hours=2)


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def program(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def path(program: Visitor) -> str:
    """Where Kim's call on Tuesday at 9:00 is moved."""
    return f"/api/v1/calls/{program.token()}/move"


def to(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat()}


def test_a_call_is_moved_to_another_free_time(program: Visitor, path: str) -> None:
    before = program.get(path.removesuffix("/move")).get_json()
    answer = program.post(path, json=to(LATER))
    told = answer.get_json()
    assert answer.status_code == 200
    assert datetime.fromisoformat(told["start"]) == LATER
    assert {**told, "start": "", "end": ""} == {**before, "start": "", "end": ""}
    assert program.get(path.removesuffix("/move")).get_json() == told


def test_the_old_time_is_free_at_once_and_the_new_one_is_not(program: Visitor, path: str) -> None:
    program.post(path, json=to(LATER))
    assert program.book(LATER, **person(2)).status_code == 409
    assert program.book(TUESDAY, **person(2)).status_code == 201


def test_moving_twice_is_one_move_and_the_same_answer(
    program: Visitor, path: str, services: Services, server: Server
) -> None:
    first = program.post(path, json=to(LATER))
    before = dump(services)
    server["/anna/calls/"].failing = Unreachable("away")
    second = program.post(path, json=to(LATER))
    assert (second.status_code, second.get_json()) == (200, first.get_json())
    assert dump(services) == before


def test_a_time_that_is_not_free_is_409_with_the_nearest_that_are(
    program: Visitor, path: str, services: Services
) -> None:
    program.book(LATER, **person(2))
    before = dump(services)
    answer = program.post(path, json=to(LATER))
    told = answer.get_json()
    assert (answer.status_code, told["error"], len(told["alternatives"])) == (409, "slot_taken", 3)
    assert dump(services) == before
    assert program.post(path, json={"start": told["alternatives"][0]["start"]}).status_code == 200


def test_the_call_s_own_time_is_no_alternative(program: Visitor, path: str) -> None:
    told = program.post(path, json=to(TUESDAY + timedelta(minutes=1))).get_json()
    starts = [datetime.fromisoformat(slot["start"]) for slot in told["alternatives"]]
    assert TUESDAY not in starts
    assert len(starts) == 3


def test_a_silent_calendar_is_503_and_the_call_stays(
    program: Visitor, path: str, services: Services, server: Server
) -> None:
    before = dump(services)
    server["/anna/calls/"].failing = Unreachable("away")
    answer = program.post(path, json=to(LATER))
    assert (answer.status_code, answer.get_json()) == (503, {"error": "calendar_unavailable"})
    assert int(answer.headers["Retry-After"]) > 0
    assert dump(services) == before


def test_a_call_that_is_too_near_or_cancelled_is_too_late(program: Visitor, path: str, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(CallType).values(notice_minutes=60 * 24))
    near = program.post(path, json=to(LATER + timedelta(days=2)))
    program.post(path.replace("/move", "/cancel"))
    cancelled = program.post(path, json=to(LATER + timedelta(days=2)))
    for answer in (near, cancelled):
        assert (answer.status_code, answer.get_json()) == (409, {"error": "too_late"})


def test_a_call_that_was_moved_often_enough_is_moved_no_more(program: Visitor, path: str, services: Services) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).values(most_moves=1))
    program.post(path, json=to(LATER))
    answer = program.post(path, json=to(LATER + timedelta(days=1)))
    assert (answer.status_code, answer.get_json()) == (409, {"error": "moved_too_often"})


@pytest.mark.parametrize("start", [None, 1, "", "tomorrow", "2026-11-24T10:00:00", ["2026-11-24T10:00:00Z"]])
def test_a_start_that_is_no_time_with_an_offset_is_named(
    program: Visitor, path: str, services: Services, start: object
) -> None:
    before = dump(services)
    answer = program.post(path, json={"start": start})
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["start"])
    assert dump(services) == before


def test_what_is_no_json_object_is_refused(program: Visitor, path: str) -> None:
    assert program.post(path, data="start=x").status_code == 415
    assert program.post(path, data="{", content_type="application/json").status_code == 400
    assert program.post(path, json=[]).status_code == 422


def test_a_forged_token_moves_nothing(program: Visitor, path: str, services: Services) -> None:
    before = dump(services)
    for forged in (path.replace("/move", "x/move"), "/api/v1/calls/x/move"):
        assert program.post(forged, json=to(LATER)).status_code == 404
    assert dump(services) == before
