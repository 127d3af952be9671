"""Every page and form of the desk, walked: nobody but its owner, nothing by GET, nothing without its own token."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.rules.hours import Absence
from booking.services import Services
from booking.store.accounts import DeskSession, PhoneTask
from booking.store.models import Base, Calendar, Call, CallType, Job, Owner
from tests.desk.deskwork import Desk, Form, Page
from tests.fakes import MONDAY
from tests.web.routes import DESK, filled, routes
from tests.web.visitors import TUESDAY, Visitor, dump

OF_THE_OWNER = ("owner_slug", "day", "first", "step")
"""Places that name nothing of anybody: days, and steps of the own set-up."""


@pytest.fixture
def places(app: Flask, berts_desk: Desk) -> dict[str, dict[str, object]]:
    """Let Anna and Bert have one of everything; return where each is, by owner."""
    for slug in ("anna", "bert"):
        Visitor(app, "192.0.2.99").token(TUESDAY, slug, email=f"guest-of-{slug}@example.org", phone="+493012345678")
    desks = {"anna": Desk(app, "anna"), "bert": berts_desk}
    return {slug: _furnish(desks[slug].services, slug) for slug in desks}


def _furnish(services: Services, slug: str) -> dict[str, object]:
    with services.database.writing() as db:
        owner = db.scalars(sa.select(Owner).where(Owner.slug == slug)).one()
        call = db.scalars(sa.select(Call).where(Call.owner_id == owner.id)).one()
        owner.timetable = replace(owner.timetable, absences=(Absence(date(2026, 12, 1), date(2026, 12, 3)),))
        task = PhoneTask(owner_id=owner.id, call_id=call.id, message="moved", created_at=MONDAY)
        db.add(task)
        db.flush()
        return {
            "call_id": call.id,
            "task_id": task.id,
            "calendar_id": db.scalars(sa.select(Calendar.id).where(Calendar.owner_id == owner.id)).first(),
            "type_id": db.scalars(sa.select(CallType.id).where(CallType.owner_id == owner.id)).first(),
            "message_id": db.scalars(sa.select(Job.id).where(Job.owner_id == owner.id, Job.kind == "mail")).first(),
            "public_id": db.scalars(sa.select(DeskSession.public_id).where(DeskSession.owner_id == owner.id)).first(),
            "first": "2026-12-01",
            "day": "2026-12-01",
            "step": "hours",
            "deed": "hide",
        }


def paths(app: Flask, method: str, places: Mapping[str, object]) -> Iterator[str]:
    """Yield the desk's paths with their places filled."""
    return (filled(path, **places) for path in routes(app, method, DESK))  # type: ignore[arg-type]


def foreign(app: Flask, method: str, places: Mapping[str, object]) -> Iterator[str]:
    """Yield the desk's paths that name something of an owner."""
    for path in routes(app, method, DESK):
        if set(re.findall(r"{(\w+)}", path)) - {*OF_THE_OWNER, "deed"}:
            yield filled(path, **places)  # type: ignore[arg-type]


def elsewhere(visitor: Visitor) -> None:
    """Come from another network, so that the coarse limit of requests says nothing."""
    head, _, last = visitor.address.rpartition(".")
    visitor.address = f"{head}.{(int(last) + 1) % 250}"


def test_without_a_session_every_route_is_shut(app: Flask, places: dict[str, dict[str, object]]) -> None:
    stranger = Visitor(app, "203.0.113.66")
    before = dump(stranger.services)
    asked = [(method, path) for method in ("GET", "HEAD", "POST") for path in paths(app, method, places["anna"])]
    assert len(asked) > 140
    for method, path in asked:
        elsewhere(stranger)
        assert stranger.open(path, method).status_code == 401, (method, path)
    assert dump(stranger.services) == before


def test_nobody_finds_what_belongs_to_another_owner(
    app: Flask, places: dict[str, dict[str, object]], berts_desk: Desk
) -> None:
    token = berts_desk.form("/desk/calls/new").fields["csrf_token"]
    before = dump(berts_desk.services)
    for method in ("GET", "POST"):
        theirs = list(foreign(app, method, places["anna"]))
        assert len(theirs) > 10
        for path in theirs:
            answer = berts_desk.open(path, method, data={"csrf_token": token} if method == "POST" else None)
            assert answer.status_code == 404, (method, path, answer.status_code)
    assert dump(berts_desk.services) == before


def test_a_foreign_thing_and_a_missing_one_look_the_same(
    app: Flask, places: dict[str, dict[str, object]], berts_desk: Desk
) -> None:
    missing: dict[str, object] = {**dict.fromkeys(places["anna"], "999999"), "deed": "hide"}
    missing |= {"first": "2026-12-01", "day": "2026-12-01"}
    for path, nowhere in zip(foreign(app, "GET", places["anna"]), foreign(app, "GET", missing), strict=True):
        assert _plain(berts_desk.get(path).text, path) == _plain(berts_desk.get(nowhere).text, nowhere), path


def _plain(text: str, path: str) -> str:
    return re.sub(r'value="[^"]*"', "", text.replace(path, ""))


def test_looking_at_everything_changes_nothing(app: Flask, places: dict[str, dict[str, object]], desk: Desk) -> None:
    before = dump(desk.services)
    for path in paths(app, "GET", places["anna"]):
        for method in ("GET", "HEAD"):
            assert desk.open(path, method).status_code < 500, path
    assert dump(desk.services) == before


def test_no_form_of_the_desk_acts_without_its_own_token(
    app: Flask, places: dict[str, dict[str, object]], desk: Desk, berts_desk: Desk
) -> None:
    foreign_token = berts_desk.form("/desk/calls/new").fields["csrf_token"]
    desk.form("/desk/calls/new")
    before = dump(desk.services)
    for path in paths(app, "POST", places["anna"]):
        for token in ("", "x", foreign_token):
            elsewhere(desk)
            answer = desk.post(path, data={"csrf_token": token})
            expected = 303 if path in LEADS_BACK else 400
            assert answer.status_code == expected, (path, token, answer.status_code)
    assert dump(desk.services) == before


LEADS_BACK = ("/desk/calendars/choose",)
"""Asks first for the password it sealed, and leads back to where that is typed."""

CANARY = "canary-4711"
COLUMNS = sorted({column.name for table in Base.metadata.sorted_tables for column in table.columns})
"""The names a program would guess to change what no form asks for."""
ENDS_SOMETHING = ("/logout", "/sessions", "/remove", "/erase")


def test_no_form_takes_what_it_does_not_ask_for(app: Flask, places: dict[str, dict[str, object]]) -> None:
    """Each form is sent as it is shown, with a further field for every column there is."""
    sent = set()
    for path in paths(app, "GET", places["anna"]):
        desk = Desk(app, "anna")
        for form in _forms(desk, path):
            asked_for = {re.sub("[^a-z_].*", "", name) for name in desk.names(path)}
            further = {name: CANARY for name in COLUMNS if name not in asked_for}
            for action in [*form.actions, *([] if form.action else [path])]:
                elsewhere(desk)
                answer = desk.post(action, data={**form.fields, **further})
                assert answer.status_code in (200, 303, 404, 405, 409, 422), (path, action)
                assert CANARY not in str(dump(desk.services)), (path, action)
                sent.add(action)
    assert len(sent) > 40


def _forms(desk: Desk, path: str) -> list[Form]:
    answer = desk.get(path)
    if answer.status_code != 200 or not answer.content_type.startswith("text/html"):
        return []
    forms = [form for form in Page(answer.text).forms if form.method == "post"]
    for form in forms:
        form.actions = [each for each in form.actions if not any(end in each for end in ENDS_SOMETHING)]
    return [form for form in forms if form.actions or not form.action]


def test_a_session_that_was_ended_opens_nothing(app: Flask, desk: Desk) -> None:
    desk.services.now.advance(timedelta(days=31))  # type: ignore[attr-defined]
    assert desk.get("/desk").status_code == 401
