"""The JSON API: the same rules as the pages, for other programs."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from booking.app import create_app
from booking.calendars.port import Unreachable
from booking.rules.hours import Absence
from booking.services import Services
from booking.store.database import Database
from booking.store.models import Calendar, Call, CallChange, Job, Owner
from tests.fakes import Clock, Server
from tests.web.visitors import TUESDAY, Visitor, dump, open_house, person

CALLS = "/api/v1/anna/call/calls"
SLOTS = "/api/v1/anna/call/slots"


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def program(app: Flask) -> Visitor:
    return Visitor(app)


def booked(services: Services) -> list[Call]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(Call)))


def change_owner(services: Services, **values: Any) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).where(Owner.slug == "anna").values(**values))


# The owner


def test_an_owner_says_who_they_are_and_what_can_be_booked(program: Visitor) -> None:
    answer = program.get("/api/v1/anna")
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["name"], told["timezone"], told["locale"], told["notice"]) == (
        "Anna Beispiel",
        "Europe/Berlin",
        "en",
        None,
    )
    assert told["call_types"][0] == {
        "slug": "call",
        "name": "Call with Anna Beispiel",
        "description": "",
        "minutes": 30,
        "lengths": [30],
        "who_calls": "owner",
        "languages": [],
        "email_needed": True,
        "questions": ["note"],
    }


def test_nothing_private_of_the_owner_is_told(program: Visitor) -> None:
    text = program.get("/api/v1/anna").text
    assert "example.org" not in text
    assert "4930901820" not in text


@pytest.mark.parametrize(
    ("first", "notice", "is_told"),
    [
        (date(2026, 11, 20), "Back soon.", True),
        (date(2026, 12, 7), "Back soon.", True),
        (date(2026, 12, 8), "Back soon.", False),
        (date(2026, 11, 20), "", False),
    ],
)
def test_the_notice_of_an_absence_is_told_two_weeks_before(
    program: Visitor, services: Services, first: date, notice: str, is_told: bool
) -> None:
    with services.database.writing() as db:
        owner = db.scalars(sa.select(Owner).where(Owner.slug == "anna")).one()
        absence = Absence(first, max(first, date(2026, 11, 24)), notice)
        owner.timetable = type(owner.timetable)(weekly=owner.timetable.weekly, absences=(absence,))
    last, back = absence.last, absence.last + timedelta(days=1)
    expected = {"from": str(first), "to": str(last), "back": str(back), "text": notice, "stand_in": ""}
    assert program.get("/api/v1/anna").get_json()["notice"] == (expected if is_told else None)


# Slots


def test_slots_are_told_in_the_owner_s_zone_with_its_offset(program: Visitor) -> None:
    told = program.get(f"{SLOTS}?from=2026-11-24&to=2026-11-24").get_json()
    assert (told["mode"], told["timezone"]) == ("book", "Europe/Berlin")
    assert told["slots"][0] == {"start": "2026-11-24T09:00:00+01:00", "end": "2026-11-24T09:30:00+01:00"}
    assert {slot["start"][:10] for slot in told["slots"]} == {"2026-11-24"}


def test_a_wished_zone_decides_the_days_and_the_offsets(program: Visitor) -> None:
    """9:00 to 17:00 in Berlin is 21:00 to 5:00 in Auckland: the evening of one day, the morning of the next."""
    told = program.get(f"{SLOTS}?from=2026-11-24&to=2026-11-24&tz=Pacific/Auckland").get_json()
    starts = [slot["start"] for slot in told["slots"]]
    assert told["timezone"] == "Pacific/Auckland"
    assert all(start.startswith("2026-11-24") and start.endswith("+13:00") for start in starts)
    tuesday = program.get(f"{SLOTS}?from=2026-11-24&to=2026-11-24&tz=Europe/Berlin").get_json()["slots"]
    assert datetime.fromisoformat(tuesday[0]["start"]) in map(datetime.fromisoformat, starts)


def test_the_last_day_is_included_and_two_weeks_are_usual(program: Visitor) -> None:
    def days(query: str) -> list[str]:
        return sorted({slot["start"][:10] for slot in program.get(f"{SLOTS}?{query}").get_json()["slots"]})

    assert days("from=2026-11-24&to=2026-11-25") == ["2026-11-24", "2026-11-25"]
    assert (days("")[0], days("")[-1]) == ("2026-11-23", "2026-12-04")
    assert days("from=2026-11-25")[-1] == "2026-12-08"


def test_offsets_change_with_summer_time(program: Visitor, clock: Clock, services: Services) -> None:
    clock.time = datetime.fromisoformat("2027-03-26T08:00:00+00:00")
    with services.database.writing() as db:
        db.execute(sa.update(Calendar).values(read_at=clock.time, covered_until=clock.time + timedelta(days=100)))
    told = program.get(f"{SLOTS}?from=2027-03-26&to=2027-03-29").get_json()["slots"]
    assert {slot["start"][:10]: slot["start"][-6:] for slot in told} == {"2027-03-26": "+01:00", "2027-03-29": "+02:00"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-24&to=2026-11-23", "to"),
        ("from=2026-11-24&to=2027-01-25", "to"),
        ("from=24.11.2026", "from"),
        ("from=", "from"),
        ("from=2026-02-30", "from"),
        ("from=0001-01-01", "from"),
        ("from=2026-11-24&to=9999-12-31", "to"),
        ("tz=Europe", "tz"),
        ("tz=../../etc/passwd", "tz"),
        ("tz=europe/berlin", "tz"),
        ("tz=Factory", "tz"),
        ("tz=%00", "tz"),
    ],
)
def test_days_and_zones_that_make_no_sense_are_named(program: Visitor, query: str, field: str) -> None:
    answer = program.get(f"{SLOTS}?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["error"] == "invalid"
    assert list(answer.get_json()["fields"]) == [field]


def test_62_days_are_the_most(program: Visitor) -> None:
    assert program.get(f"{SLOTS}?from=2026-11-24&to=2027-01-24").status_code == 200


def test_a_silent_calendar_turns_the_mode_and_lists_what_is_free_as_far_as_is_known(
    program: Visitor, clock: Clock
) -> None:
    known = program.get(SLOTS).get_json()
    clock.advance(timedelta(minutes=16))
    told = program.get(SLOTS).get_json()
    assert (known["mode"], told["mode"]) == ("book", "request")
    assert told["slots"] == [slot for slot in known["slots"] if slot in told["slots"]]
    assert len(told["slots"]) > 10


@pytest.mark.parametrize("path", [SLOTS, "/api/v1/anna", "/api/v1/openapi.json"])
def test_an_unchanged_answer_is_not_sent_again(program: Visitor, path: str) -> None:
    first = program.get(path)
    again = program.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert program.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_booking_changes_the_etag_of_the_slots(program: Visitor) -> None:
    before = program.get(SLOTS).headers["ETag"]
    program.token()
    assert program.get(SLOTS, headers={"If-None-Match": before}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/nobody", "/api/v1/anna/nothing/slots", "/api/v1/nobody/call/slots"])
def test_unknown_owners_and_call_types_are_not_found(program: Visitor, path: str) -> None:
    answer = program.get(path)
    assert (answer.status_code, answer.get_json()) == (404, {"error": "not_found"})


def test_the_api_takes_and_gives_no_cookies(program: Visitor) -> None:
    token = program.token()
    for path in (SLOTS, "/api/v1/anna", f"/api/v1/calls/{token}"):
        assert "Set-Cookie" not in program.get(path).headers
    assert "Set-Cookie" not in program.book(TUESDAY + timedelta(hours=1)).headers


# Booking


def test_a_call_is_booked_and_its_facts_are_answered(program: Visitor, services: Services) -> None:
    answer = program.book(TUESDAY, timezone="America/New_York", locale="de", note="About the text.")
    assert answer.status_code == 201
    told = answer.get_json()
    (call,) = booked(services)
    assert told == {
        "id": call.id,
        "state": "confirmed",
        "start": "2026-11-24T03:00:00-05:00",
        "end": "2026-11-24T03:30:00-05:00",
        "timezone": "America/New_York",
        "owner": "anna",
        "call_type": "call",
        "who_calls": "owner",
        "manage_url": told["manage_url"],
    }
    assert (call.name, call.email, call.phone) == ("Kim 1", "kim1@example.com", "+491701200001")
    assert (call.timezone, call.locale, call.note) == ("America/New_York", "de", "About the text.")
    assert program.get(told["manage_url"].removeprefix("https://calls.example.org")).status_code == 200


def test_the_answer_says_where_the_call_can_be_read(program: Visitor) -> None:
    location = program.book().headers["Location"]
    assert location.startswith("https://calls.example.org/api/v1/calls/")
    assert program.get(location.removeprefix("https://calls.example.org")).status_code == 200


@pytest.mark.parametrize(
    "start",
    ["2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00Z", "2026-11-24T13:45:00+05:45", "2026-11-24t08:00:00.0z"],
)
def test_any_way_to_write_an_offered_instant_books_it(program: Visitor, services: Services, start: str) -> None:
    answer = program.post(CALLS, json={**person(), "start": start})
    assert answer.status_code == 201
    assert booked(services)[0].starts_at == TUESDAY


def test_without_zone_and_language_those_of_the_owner_are_taken(program: Visitor, services: Services) -> None:
    change_owner(services, locale="ru")
    program.book()
    (call,) = booked(services)
    assert (call.timezone, call.locale) == ("Europe/Berlin", "ru")


@pytest.mark.parametrize(("locale", "taken"), [("de-AT", "de"), ("RU", "ru"), ("fr", "de"), ("", "de")])
def test_the_language_is_the_body_s_then_the_program_s(
    program: Visitor, services: Services, locale: str, taken: str
) -> None:
    body = {**person(), "start": TUESDAY.isoformat(), "locale": locale}
    program.post(CALLS, json=body, headers={"Accept-Language": "de"})
    assert booked(services)[0].locale == taken


def test_the_same_request_again_is_the_same_call_and_answer(program: Visitor, services: Services) -> None:
    first, second = program.book(key="once"), program.book(key="once")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert len(booked(services)) == 1
    with services.database.reading() as db:
        told = [(job.kind, job.payload.get("to"), job.payload.get("message")) for job in db.scalars(sa.select(Job))]
    assert len(told) == len(set(told)) == 4


def test_a_lost_answer_can_be_fetched_again_after_the_call_has_begun(program: Visitor, clock: Clock) -> None:
    first = program.book(key="once")
    clock.time = TUESDAY + timedelta(minutes=5)
    second = program.book(key="once")
    assert (second.status_code, second.get_json()) == (201, first.get_json())


def test_a_lost_answer_can_be_fetched_again_while_a_calendar_is_silent(program: Visitor, server: Server) -> None:
    first = program.book(key="once")
    server["/anna/calls/"].failing = Unreachable("away")
    second = program.book(key="once")
    assert (second.status_code, second.get_json()) == (201, first.get_json())


def test_the_same_key_for_another_call_is_refused(program: Visitor, services: Services) -> None:
    program.book(key="once")
    answer = program.book(key="once", name="Somebody else")
    assert answer.status_code == 422
    assert answer.get_json()["error"] == "invalid"
    assert list(answer.get_json()["fields"]) == ["idempotency_key"]
    assert len(booked(services)) == 1


def test_a_key_belongs_to_one_owner(program: Visitor) -> None:
    assert program.book(key="once").status_code == 201
    assert program.book(owner="bert", key="once", **person(2)).status_code == 201


def test_without_a_key_two_requests_are_two(program: Visitor) -> None:
    assert program.book().status_code == 201
    assert program.book().status_code == 409


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "käse"])
def test_a_key_that_is_no_key_is_named(program: Visitor, services: Services, key: str) -> None:
    body = {**person(), "start": TUESDAY.isoformat()}
    answer = program.post(CALLS, json=body, headers={"Idempotency-Key": key.encode("utf-8").decode("latin-1")})
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["idempotency_key"])
    assert booked(services) == []


def test_a_taken_time_is_409_with_the_nearest_free_times(program: Visitor) -> None:
    program.book(TUESDAY + timedelta(hours=1))
    answer = program.book(TUESDAY + timedelta(hours=1), timezone="UTC", **person(2))
    assert answer.status_code == 409
    told = answer.get_json()
    assert told["error"] == "slot_taken"
    assert told["alternatives"] == [
        {"start": "2026-11-24T08:00:00+00:00", "end": "2026-11-24T08:30:00+00:00"},
        {"start": "2026-11-24T08:15:00+00:00", "end": "2026-11-24T08:45:00+00:00"},
        {"start": "2026-11-24T09:45:00+00:00", "end": "2026-11-24T10:15:00+00:00"},
    ]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_alternative_can_be_booked(program: Visitor, number: int) -> None:
    program.book()
    slot = program.book(**person(2)).get_json()["alternatives"][number]
    assert program.post(CALLS, json={**person(3), "start": slot["start"]}).status_code == 201


def test_while_a_calendar_does_not_answer_a_call_is_requested_and_the_answer_promised(
    program: Visitor, server: Server, services: Services
) -> None:
    server["/anna/calls/"].failing = Unreachable("away")
    answer = program.book(timezone="Asia/Tokyo")
    told = answer.get_json()
    assert (answer.status_code, told["state"]) == (201, "requested")
    assert told["answer_by"].endswith("+09:00")
    assert services.now() < datetime.fromisoformat(told["answer_by"]) < TUESDAY
    assert program.get(answer.headers["Location"].removeprefix("https://calls.example.org")).get_json() == told


def test_a_call_that_is_not_requested_promises_no_answer(program: Visitor) -> None:
    assert "answer_by" not in program.book().get_json()


def test_a_request_is_withdrawn_once(program: Visitor, server: Server) -> None:
    server["/anna/calls/"].failing = Unreachable("away")
    token = program.token()
    answers = [program.post(f"/api/v1/calls/{token}/cancel") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.get_json()["state"] for answer in answers] == ["withdrawn", "withdrawn"]
    assert "answer_by" not in answers[0].get_json()


@pytest.mark.parametrize("wish", [{}, {"reminders": False}, {"reminders": True}])
def test_reminders_are_wished_for_by_saying_so(program: Visitor, services: Services, wish: dict[str, Any]) -> None:
    assert program.book(**wish).status_code == 201
    (call,) = booked(services)
    assert call.wants_reminders is wish.get("reminders", False)


@pytest.mark.parametrize("wish", ["yes", 1, None, {}])
def test_a_wish_for_reminders_that_is_no_yes_or_no_is_named(program: Visitor, services: Services, wish: object) -> None:
    answer = program.book(reminders=wish)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["reminders"])
    assert booked(services) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": ["Kim"]}, "name"),
        ({"name": None}, "name"),
        ({"email": "no address"}, "email"),
        ({"email": "kim@example.com\nBcc: x@example.com"}, "email"),
        ({"email": 7}, "email"),
        ({"email": {"a": "b"}}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "0900 1234567"}, "phone"),
        ({"phone": True}, "phone"),
        ({"note": "x" * 1001}, "note"),
        ({"note": 3.5}, "note"),
        ({"who_calls": "nobody"}, "who_calls"),
        ({"who_calls": "client"}, "who_calls"),
        ({"who_calls": []}, "who_calls"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": {}}, "timezone"),
        ({"locale": 1}, "locale"),
        ({"locale": "d" * 36}, "locale"),
        ({"start": "2026-11-24T09:00:00"}, "start"),
        ({"start": "tomorrow"}, "start"),
        ({"start": 1795507200}, "start"),
        ({"start": None}, "start"),
    ],
)
def test_each_field_that_can_t_be_taken_is_named(
    program: Visitor, services: Services, changes: dict[str, Any], field: str
) -> None:
    answer = program.post(CALLS, json={**person(), "start": TUESDAY.isoformat(), **changes})
    assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid")
    assert list(answer.get_json()["fields"]) == [field]
    assert booked(services) == []


@pytest.mark.parametrize("field", ["start", "name", "email", "phone"])
def test_a_missing_field_is_named(program: Visitor, field: str) -> None:
    body = {**person(), "start": TUESDAY.isoformat()}
    del body[field]
    answer = program.post(CALLS, json=body)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field])


def test_all_wrong_fields_are_named_at_once(program: Visitor) -> None:
    answer = program.post(CALLS, json={"timezone": "Mars/Olympus"})
    assert set(answer.get_json()["fields"]) == {"start", "name", "email", "phone", "timezone"}


def test_what_is_wrong_is_told_in_the_language_of_the_body(program: Visitor) -> None:
    def told(locale: str) -> str:
        return str(program.post(CALLS, json={"locale": locale}).get_json()["fields"]["name"])

    assert len({told("en"), told("de"), told("ru")}) == 3


def test_no_number_is_needed_where_the_client_calls(program: Visitor, services: Services) -> None:
    body = {"name": "Kim", "email": "kim@example.com", "start": TUESDAY.isoformat()}
    answer = program.post("/api/v1/anna/only-anna/calls", json=body)
    assert (answer.status_code, answer.get_json()["who_calls"]) == (201, "client")
    assert booked(services)[0].phone == ""


@pytest.mark.parametrize(
    ("data", "content_type", "status", "error"),
    [
        (b'{"start": ', "application/json", 400, "bad_request"),
        (b"", "application/json", 400, "bad_request"),
        (b"\xff\xfe\xfa", "application/json", 400, "bad_request"),
        (b"[" * 60_000, "application/json", 400, "bad_request"),
        (b'{"a":' * 10_000, "application/json", 400, "bad_request"),
        (b"1" * 5_000, "application/json", 400, "bad_request"),
        (b"[]", "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b'"text"', "application/json", 422, "invalid"),
        (b"NaN", "application/json", 422, "invalid"),
        (b"start=1", "application/x-www-form-urlencoded", 415, "not_json"),
        (b"{}", "text/plain", 415, "not_json"),
        (b"{}", None, 415, "not_json"),
        (b"x" * 70_000, "application/json", 413, "too_large"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    program: Visitor, data: bytes, content_type: str | None, status: int, error: str
) -> None:
    answer = program.post(CALLS, data=data, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert answer.get_json()["error"] == error


def test_json_with_a_charset_is_json(program: Visitor) -> None:
    body = json.dumps({**person(), "start": TUESDAY.isoformat()})
    assert program.post(CALLS, data=body, content_type="application/json; charset=utf-8").status_code == 201


def test_an_unknown_call_type_can_t_be_booked(program: Visitor) -> None:
    assert program.book(call_type="nothing").status_code == 404
    assert program.book(owner="nobody").status_code == 404


# The call


def test_a_call_can_be_read_by_its_token(program: Visitor) -> None:
    answer = program.book()
    token = answer.get_json()["manage_url"].rpartition("/")[2]
    assert program.get(f"/api/v1/calls/{token}").get_json() == answer.get_json()


def test_a_call_tells_programs_no_more_about_the_client_than_it_must(program: Visitor) -> None:
    text = program.get(f"/api/v1/calls/{program.token(note='secret note')}").text
    assert not any(word in text for word in ("Kim", "kim1@", "+49170", "secret note"))


def test_cancelling_frees_the_time_and_tells_both_sides(program: Visitor, services: Services) -> None:
    token = program.token()
    answer = program.post(f"/api/v1/calls/{token}/cancel")
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    assert program.book(**person(2)).status_code == 201
    with services.database.reading() as db:
        told = [job.payload["to"] for job in db.scalars(sa.select(Job)) if job.payload.get("message") == "cancelled"]
    assert sorted(told) == ["client", "owner"]


def test_cancelling_twice_is_one_effect_and_the_same_answer(program: Visitor, services: Services) -> None:
    token = program.token()
    first = program.post(f"/api/v1/calls/{token}/cancel")
    before = dump(services)
    second = program.post(f"/api/v1/calls/{token}/cancel")
    assert (second.status_code, second.get_json()) == (200, first.get_json())
    assert dump(services) == before


class Overtaken(Database):
    """A database whose next writer is overtaken by somebody else."""

    def __init__(self, url: str, somebody: Callable[[], object]) -> None:
        super().__init__(url)
        self._ahead = [somebody]

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        while self._ahead:
            self._ahead.pop()()
        with super().writing() as db:
            yield db


def test_two_who_cancel_at_the_same_moment_get_the_same_answer(program: Visitor, services: Services) -> None:
    token = program.token()
    path = f"/api/v1/calls/{token}/cancel"
    database = Overtaken(services.settings.database_url, lambda: program.post(path))
    slower = Visitor(create_app(services.settings, replace(services, database=database)))
    answer = slower.post(path)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    with services.database.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(CallChange).where(CallChange.step == "cancel")) == 1
    database.dispose()


def test_a_call_that_has_begun_can_t_be_cancelled(program: Visitor, services: Services, clock: Clock) -> None:
    token = program.token()
    clock.time = TUESDAY
    before = dump(services)
    answer = program.post(f"/api/v1/calls/{token}/cancel")
    assert (answer.status_code, answer.get_json()) == (409, {"error": "too_late"})
    assert dump(services) == before


@pytest.mark.parametrize("token", ["x", "..", "a.b", "%00", "%F0%9F%98%80", "x" * 5000])
def test_a_token_that_is_none_is_not_found(program: Visitor, token: str) -> None:
    for answer in (program.get(f"/api/v1/calls/{token}"), program.post(f"/api/v1/calls/{token}/cancel")):
        assert (answer.status_code, answer.get_json()) == (404, {"error": "not_found"})
