"""One test for each attack on these pages: the sentence in its name must hold."""

import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.app import create_app
from booking.errors import SettingsError
from booking.services import Services
from booking.settings import Settings
from booking.signing import LINK_FROM_MAIL
from booking.store.models import Call, CallType, Owner
from booking.web.forms import HONEYPOT
from booking.worker import run_job
from tests.conftest import build_services
from tests.fakes import Clock, MailBox, Server
from tests.web.routes import API, API_TOKEN, ONE_TIME, PUBLIC, ROUTES, TOKEN, filled, routes
from tests.web.visitors import (
    TUESDAY,
    Page,
    Visitor,
    dump,
    flipped,
    keep_calendars_fresh,
    open_house,
    person,
)


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def new_start() -> dict[str, str]:
    """Return what a program sends to move a call."""
    return {"start": (TUESDAY + timedelta(hours=5)).isoformat()}


def calls(services: Services) -> list[Call]:
    with services.database.reading() as db:
        return list(db.scalars(sa.select(Call)))


# Every route


def test_every_route_is_listed_with_who_may_use_it(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)


def test_a_one_time_link_always_holds_its_token(app: Flask) -> None:
    paths = [path for method in ("GET", "POST") for path in routes(app, method, ONE_TIME)]
    assert len(paths) == 4
    assert all("{token}" in path for path in paths)


@pytest.mark.parametrize("kind", [TOKEN, API_TOKEN])
def test_a_route_of_a_client_always_takes_the_client_s_token(app: Flask, kind: str) -> None:
    for method in ("GET", "POST"):
        assert all("{token}" in path for path in routes(app, method, kind))


# CSRF


def test_no_form_acts_without_a_token_of_its_own_session(app: Flask, services: Services) -> None:
    victim, attacker = Visitor(app), Visitor(app, "203.0.113.66")
    token = victim.token()
    foreign = attacker.details(TUESDAY + timedelta(hours=2)).fields
    victim.details(TUESDAY + timedelta(hours=2))
    before = dump(services)
    paths = list(routes(app, "POST", PUBLIC, TOKEN))
    assert len(paths) >= 3
    for path in paths:
        for csrf_token in ("", "x", foreign["csrf_token"]):
            data = {**foreign, **person(7), "csrf_token": csrf_token}
            answer = victim.post(filled(path, token=token), data=data)
            assert answer.status_code == 400, (path, csrf_token)
    assert dump(services) == before


def test_a_token_from_a_header_of_another_site_s_session_does_not_help(app: Flask, services: Services) -> None:
    victim, attacker = Visitor(app), Visitor(app, "203.0.113.66")
    foreign = attacker.details().fields["csrf_token"]
    data = {**victim.details().fields, **person(), "csrf_token": ""}
    answer = victim.post("/anna/call/book", data=data, headers={"X-CSRFToken": foreign})
    assert answer.status_code == 400
    assert calls(services) == []


def test_a_stale_form_loses_nothing_that_was_typed(visitor: Visitor) -> None:
    form = visitor.details()
    typed = {**form.fields, **person(), "note": "A long story", "csrf_token": "stale"}
    answer = visitor.post("/anna/call/book", data=typed)
    assert answer.status_code == 400
    for text in ("Kim 1", "kim1@example.com", "+491701200001", "A long story"):
        assert text in answer.text


def test_api_posts_need_no_token_because_they_take_no_cookie(app: Flask) -> None:
    stranger = Visitor(app)
    token = stranger.token()
    assert stranger.post(f"/api/v1/calls/{token}/cancel").status_code == 200


# Prefetchers


def test_fetching_every_link_changes_nothing(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    token = visitor.token()
    with services.database.reading() as db:
        (call,) = db.scalars(sa.select(Call))
    mailed = services.signing.link_token(call.id, call.link_version, LINK_FROM_MAIL)
    before = dump(services)
    for path in routes(app, "GET"):
        for each in (token, mailed) if "{token}" in path else (token,):
            for query in ("", f"?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}", "?lang=de&tz=Asia/Kathmandu"):
                for method in ("GET", "HEAD", "GET", "HEAD", "GET"):
                    answer = visitor.open(filled(path, token=each) + query, method)
                    assert answer.status_code != 500, path
    assert dump(services) == before


def test_following_every_link_of_the_client_s_pages_changes_nothing(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    token = visitor.token()
    before = dump(services)
    seen, waiting = set[str](), [f"/c/{token}"]
    while waiting and len(seen) < 60:
        path = waiting.pop(0)
        seen.add(path)
        answer = visitor.get(path)
        if answer.mimetype == "text/html":
            links = (link.partition("#")[0] for link in Page(answer.text).links)
            found = [link if link.startswith("/") else path.partition("?")[0] + link for link in links if link]
            waiting += [link for link in dict.fromkeys(found) if link[:2] != "//" and link not in {*seen, *waiting}]
    assert {f"/c/{token}/cancel", f"/c/{token}/move"} <= seen
    assert dump(services) == before


# Forged, swapped, replayed links


def test_no_byte_of_a_token_can_be_changed(visitor: Visitor, services: Services) -> None:
    token = visitor.token()
    for other in flipped(token):
        assert services.signing.read_link(other) is None, other


def test_a_changed_token_opens_nothing(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    token = visitor.token()
    before = dump(services)
    for number, other in enumerate(list(flipped(token))[::17]):
        stranger = Visitor(app, f"198.51.100.{number}")
        for path in routes(app, "GET", TOKEN, API_TOKEN):
            assert stranger.get(filled(path, token=other)).status_code == 404
        for path in routes(app, "POST", TOKEN, API_TOKEN):
            assert stranger.post(filled(path, token=other), json=new_start()).status_code == 404, path
    assert dump(services) == before


def test_a_signature_of_one_call_is_none_for_another(visitor: Visitor) -> None:
    first, second = visitor.token(), visitor.token(TUESDAY + timedelta(hours=2), **person(2))
    swapped = first.rpartition(".")[0] + "." + second.rpartition(".")[2]
    assert visitor.get(f"/c/{first}").status_code == visitor.get(f"/c/{second}").status_code == 200
    for path in routes(visitor.app, "GET", TOKEN, API_TOKEN):
        assert visitor.get(filled(path, token=swapped)).status_code == 404


def test_a_token_made_with_another_key_or_for_another_purpose_is_none(visitor: Visitor, services: Services) -> None:
    visitor.token()
    (call,) = calls(services)
    stranger = type(services.signing)(("another-key-of-32-letters-0f9e8d7c",))
    assert visitor.get(f"/c/{stranger.link_token(call.id, 1)}").status_code == 404
    assert visitor.get(f"/c/{services.signing.link_token(call.id, 1, 'form')}").status_code == 404
    assert visitor.get(f"/c/{services.signing.seal('form', call.id)}").status_code == 404


def test_a_link_of_an_older_version_is_revoked_everywhere(visitor: Visitor, services: Services) -> None:
    token = visitor.token()
    with services.database.writing() as db:
        db.execute(sa.update(Call).values(link_version=2))
    before = dump(services)
    for path in routes(visitor.app, "GET", TOKEN, API_TOKEN):
        assert visitor.get(filled(path, token=token)).status_code == 404
    for path in routes(visitor.app, "POST", TOKEN, API_TOKEN):
        assert visitor.post(filled(path, token=token), json=new_start()).status_code == 404, path
    assert dump(services) == before


def test_a_link_still_works_after_the_key_was_rotated(visitor: Visitor, services: Services) -> None:
    token = visitor.token()
    keys = ("another-key-of-32-letters-0f9e8d7c", *services.settings.secret_keys)
    assert type(services.signing)(keys).read_link(token) == services.signing.read_link(token)


# IDOR


def test_a_token_opens_its_own_call_and_nothing_else(app: Flask, services: Services) -> None:
    """Two owners, two clients each: a token shows its own call only, wherever it is used."""
    visitor = Visitor(app)
    tokens = {
        (owner, number): visitor.token(TUESDAY + timedelta(hours=2 * number), owner, **person(number))
        for owner in ("anna", "bert")
        for number in (1, 2)
    }
    for (owner, number), token in tokens.items():
        others = {f"kim{other}@example.com" for other in (1, 2) if other != number} | {f"Kim {3 - number}"}
        other_owner = {"anna": "Bert Beispiel", "bert": "Anna Beispiel"}[owner]
        for path in routes(app, "GET", TOKEN, API_TOKEN):
            answer = visitor.get(filled(path, token=token))
            assert answer.status_code == 200, path
            assert not any(text in answer.text for text in (*others, other_owner)), path
        told = visitor.get(f"/api/v1/calls/{token}").get_json()
        assert told["owner"] == owner
        assert datetime.fromisoformat(told["start"]) == TUESDAY + timedelta(hours=2 * number)


def test_acting_with_one_token_leaves_every_other_call_alone(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    mine = visitor.token(**person(1))
    visitor.token(TUESDAY + timedelta(hours=2), **person(2))
    visitor.token(TUESDAY, "bert", **person(3))
    others = [(call.email, call.starts_at) for call in calls(services) if call.email != "kim1@example.com"]
    assert visitor.post(f"/api/v1/calls/{mine}/move", json=new_start()).status_code == 200
    visitor.post(f"/api/v1/calls/{mine}/cancel")
    assert [(call.email, call.starts_at) for call in calls(services) if call.email != "kim1@example.com"] == others
    states = {call.email: call.state.value for call in calls(services)}
    assert states == {
        "kim1@example.com": "cancelled",
        "kim2@example.com": "confirmed",
        "kim3@example.com": "confirmed",
    }


def test_a_call_type_of_another_owner_is_not_found_anywhere(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    before = dump(services)
    for path in routes(app, "GET", PUBLIC, API):
        if "{type_slug}" in path:
            assert visitor.get(filled(path, owner="anna", call_type="only-bert")).status_code == 404, path
    assert visitor.book(call_type="only-bert").status_code == 404
    form = visitor.details()
    answer = visitor.post("/anna/only-bert/book", data={**form.fields, **person()})
    assert answer.status_code == 404
    assert dump(services) == before


def test_foreign_and_missing_look_the_same(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    visitor.token()
    (call,) = calls(services)
    missing = services.signing.link_token("0" * 32, 1)
    forged = services.signing.link_token(call.id, 1)[:-6] + "AAAAAA"
    answers = [visitor.get(f"/c/{token}") for token in (missing, forged, "nonsense")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"/c/[^\"/?]*", "", answer.text) for answer in answers}) == 1


# Mass assignment


EXTRA = {
    "id": "0" * 32,
    "owner_id": "2",
    "call_type_id": "4",
    "state": "cancelled",
    "starts_at": "2026-11-25 08:00",
    "ends_at": "2026-11-25 12:00",
    "ics_uid": "evil@example",
    "uid": "evil@example",
    "request_key": "evil",
    "link_version": "9",
    "origin": "evil",
    "sequence": "99",
    "created_at": "2020-01-01",
    "address_proved_at": "2020-01-01",
    "answer_by": "2020-01-01",
    "wants_reminders": "yes",
    "length": "600",
    "owner_slug": "bert",
    "type_slug": "only-bert",
}


def without_chance(services: Services) -> list[dict[str, Any]]:
    """Return all calls without what is random in each."""
    random = {"id", "ics_uid", "request_key", "created_at", "starts_at", "ends_at", "owner_wall_time", "request_digest"}
    with services.database.reading() as db:
        rows = db.execute(sa.select(Call.__table__)).mappings().all()
    return [{name: value for name, value in row.items() if name not in random} for row in rows]


def test_extra_fields_of_the_booking_form_and_the_api_change_nothing(visitor: Visitor, services: Services) -> None:
    later = TUESDAY + timedelta(hours=2)
    assert visitor.book_by_form(TUESDAY).status_code == 303
    assert visitor.book_by_form(later, **EXTRA).status_code == 303
    plain, with_extra = without_chance(services)
    assert plain == with_extra
    answer = visitor.post(
        "/api/v1/bert/call/calls", json={**person(), **EXTRA, "start": TUESDAY.isoformat(), "owner_slug": "anna"}
    )
    assert answer.status_code == 201
    assert answer.get_json()["owner"] == "bert"
    stored = {call.id: call for call in calls(services)}
    assert all((call.ends_at - call.starts_at) == timedelta(minutes=30) for call in stored.values())
    assert not {value for call in stored.values() for value in (call.id, call.ics_uid, call.request_key)} & {
        "0" * 32,
        "evil",
        "evil@example",
    }


def test_extra_fields_of_the_client_s_forms_change_nothing(visitor: Visitor, services: Services) -> None:
    token = visitor.token()
    form = visitor.page(f"/c/{token}/correct").post_form
    extra = {**EXTRA, "name": "Evil", "note": "evil", "who_calls": "client", "timezone": "UTC", "locale": "ru"}
    (before,) = calls(services)
    answer = visitor.post(f"/c/{token}/correct", data={**form.fields, **extra, "phone": "+491701299999"})
    assert answer.status_code == 303
    (after,) = calls(services)
    changed = {
        column.key for column in Call.__table__.columns if getattr(before, column.key) != getattr(after, column.key)
    }
    assert changed == {"phone", "sequence"}


def test_extra_fields_of_a_move_change_nothing(visitor: Visitor, services: Services) -> None:
    """By the page and by the API: the time moves, and what follows from it."""
    token = visitor.token()
    (before,) = calls(services)
    form = visitor.page(f"/c/{token}/move?start={TUESDAY + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}").post_form
    extra = {**EXTRA, **person(9), "who_calls": "client", "timezone": "UTC", "locale": "ru"}
    assert visitor.post(f"/c/{token}/move", data={**extra, **form.fields}).status_code == 303
    assert visitor.post(f"/api/v1/calls/{token}/move", json={**extra, **new_start()}).status_code == 200
    (after,) = calls(services)
    changed = {
        column.key for column in Call.__table__.columns if getattr(before, column.key) != getattr(after, column.key)
    }
    assert changed == {"starts_at", "ends_at", "owner_wall_time", "sequence"}


# A tampered start


@pytest.mark.parametrize(
    "start",
    [
        "2026-11-23T07:59:00+00:00",
        "2020-01-06T09:00:00+01:00",
        "2027-06-01T09:00:00+02:00",
        "2026-11-24T09:00:01+01:00",
        "2026-11-24T09:00:00.000001+01:00",
        "2026-11-24T09:07:00+01:00",
        "2026-11-24T03:00:00+01:00",
        "2026-11-29T10:00:00+01:00",
        "9999-12-31T23:59:59+00:00",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+23:59",
        "2026-11-24T09:00:00",
        "2026-11-24",
        "1795507200",
        "' OR 1=1 --",
        "2026-11-24T09:00:00+99:99",
        "",
    ],
)
def test_a_tampered_start_books_nothing(app: Flask, services: Services, start: str) -> None:
    visitor = Visitor(app)
    form = visitor.details()
    before = dump(services)
    by_form = visitor.post("/anna/call/book", data={**form.fields, **person(), "start": start})
    by_api = visitor.post("/api/v1/anna/call/calls", json={**person(), "start": start})
    assert 400 <= by_form.status_code < 500, by_form.status_code
    assert by_api.status_code in (409, 422)
    assert visitor.get("/anna/call/book", query_string={"start": start}).status_code in (400, 409)
    assert {name: rows for name, rows in dump(services).items() if name != "calendar"} == {
        name: rows for name, rows in before.items() if name != "calendar"
    }


def test_the_length_of_a_call_is_one_of_the_call_type_s_whatever_is_sent(visitor: Visitor, services: Services) -> None:
    body = {**person(), "start": TUESDAY.isoformat(), "end": "2026-11-24T17:00:00+01:00", "length": 480}
    assert visitor.post("/api/v1/anna/call/calls", json={**body, "minutes": 480}).status_code == 422
    assert visitor.book_by_form(minutes="480").status_code == 409
    visitor.post("/api/v1/anna/call/calls", json=body)
    (call,) = calls(services)
    assert call.ends_at - call.starts_at == timedelta(minutes=30)


@pytest.mark.parametrize(
    "zone", ["Europe", "America", "../../etc/passwd", "/etc/localtime", "", "posixrules", "\0", "x" * 9999]
)
def test_a_zone_that_is_none_breaks_no_page(visitor: Visitor, zone: str) -> None:
    for path in ("/anna", "/anna/call", "/anna/call/book", "/nobody"):
        answer = visitor.get(path, query_string={"tz": zone, "start": f"{TUESDAY:%Y-%m-%dT%H:%M:%SZ}"})
        assert answer.status_code in (200, 302, 404)


# HTML and header injection


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--><svg/onload=alert(1)>",
    "{{7*7}}${7*7}",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_in_any_field_stays_text_on_every_page(visitor: Visitor, payload: str) -> None:
    answer = visitor.book_by_form(TUESDAY, name=payload, note=payload)
    assert answer.status_code == 303
    token = answer.headers["Location"].partition("?")[0].rpartition("/")[2]
    wrong = visitor.book_by_form(
        TUESDAY + timedelta(hours=2), **{field: payload for field in ("name", "note", "email", "phone", "who_calls")}
    )
    pages = [
        wrong,
        visitor.get("/anna/call", query_string={"from": payload, "day": payload, "tz": payload, "lang": payload}),
    ]
    pages += [visitor.get(f"/c/{token}{more}") for more in ("", "/correct", "/cancel", "/move")]
    for page in pages:
        for tag, values in Page(page.text).tags:
            assert tag != "script" or "alert" not in str(values)
            assert not any(name.startswith("on") for name in values)
            assert not any(value.lower().startswith("javascript:") for value in values.values() if tag in ("a", "form"))
        assert "<script>alert" not in page.text
        assert "49${49}" not in page.text


@pytest.mark.parametrize("field", ["name", "email", "phone"])
@pytest.mark.parametrize("payload", ["\r\nBcc: victim@example.com", "\nX-Evil: 1", "\rx", "\x00", "\x0b", "\x1b[31m"])
def test_control_characters_are_refused_in_every_single_line_field(
    visitor: Visitor, services: Services, field: str, payload: str
) -> None:
    value = person()[field]
    tampered = value[:3] + payload + value[3:]
    assert visitor.book(**{field: tampered}).status_code == 422
    assert visitor.book_by_form(**{field: tampered}).status_code == 422
    assert calls(services) == []


def test_what_is_typed_can_add_no_header_to_an_answer(visitor: Visitor) -> None:
    for path in (
        "/anna/call?lang=de%0d%0aX-Evil:1",
        "/anna%0d%0aX-Evil:%201",
        "/c/x%0d%0aX-Evil:%201?lang=%0d%0aX-Evil:1",
    ):
        assert "X-Evil" not in visitor.get(path).headers


def test_bidi_and_invisible_characters_are_stripped_from_the_name(visitor: Visitor, services: Services) -> None:
    visitor.book(name="Kim \u202egro.live\u2066\u200b\ufeff")
    (call,) = calls(services)
    assert not set(call.name) & set("\u202e\u2066\u200b\ufeff")


# Machines


def test_a_form_with_the_field_no_human_sees_filled_books_nothing(visitor: Visitor, services: Services) -> None:
    answer = visitor.book_by_form(**{HONEYPOT: "https://spam.example"})
    assert 400 <= answer.status_code < 500
    assert calls(services) == []


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [
        (timedelta(seconds=1), False),
        (timedelta(seconds=3), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
    ],
)
def test_a_form_is_taken_when_it_was_open_for_2_seconds_to_24_hours(
    visitor: Visitor, services: Services, clock: Clock, age: timedelta, is_taken: bool
) -> None:
    start = TUESDAY + timedelta(days=2)
    opened = clock.time
    form = visitor.details(start)
    clock.time = opened + age
    keep_calendars_fresh(services)
    answer = visitor.post("/anna/call/book", data={**form.fields, **person()})
    assert (answer.status_code == 303) is is_taken
    assert len(calls(services)) == int(is_taken)


def test_the_age_of_a_form_can_t_be_forged(visitor: Visitor, services: Services) -> None:
    form = visitor.details()
    for ticket in ("", "x", services.signing.seal("another purpose", {"nonce": "n", "at": TUESDAY.isoformat()})):
        answer = visitor.post("/anna/call/book", data={**form.fields, **person(), "ticket": ticket})
        assert 400 <= answer.status_code < 500
    assert calls(services) == []


def test_50_posts_from_one_address_over_two_processes_book_at_most_the_cap(app: Flask, services: Services) -> None:
    """A limit in memory is not shared by processes: the cap is counted in the database."""
    processes = [Visitor(app), Visitor(create_app(services.settings, services))]
    starts = processes[0].apart(50)
    answers = [processes[number % 2].book(start, **person(number)) for number, start in enumerate(starts)]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] * 20 + [429] * 30
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers[20:])
    assert len(calls(services)) == 20


def test_the_cap_of_an_address_is_over_after_an_hour(app: Flask, services: Services, clock: Clock) -> None:
    visitor = Visitor(app)
    starts = visitor.apart(23)
    assert [visitor.book(start, **person(number)).status_code for number, start in enumerate(starts[1:22])][-1] == 429
    clock.advance(timedelta(hours=1, minutes=1))
    keep_calendars_fresh(services)
    assert Visitor(create_app(services.settings, services)).book(starts[-1], **person(99)).status_code == 201


def test_10_people_behind_one_address_can_book(visitor: Visitor) -> None:
    starts = visitor.apart(10)
    assert {visitor.book(start, **person(number)).status_code for number, start in enumerate(starts)} == {201}


# Hoarding


@pytest.mark.parametrize("shared", ["email", "phone"])
def test_20_attempts_of_one_person_hold_5_calls(app: Flask, services: Services, shared: str) -> None:
    """The same mail address or the same number, from everywhere, with everything else changed."""
    first = Visitor(app)
    with services.database.writing() as db:
        db.execute(sa.update(CallType).values(who_calls="owner"))
    statuses = []
    for number, start in enumerate(first.apart(20)):
        if shared == "email":
            # Whoever has opened the link of a mail is written to again.
            with services.database.writing() as db:
                db.execute(sa.update(Call).values(address_proved_at=services.now()))
        same = {shared: person()[shared]}
        attempt = Visitor(app, f"198.51.100.{number}").book(start, **{**person(number), **same})
        statuses.append(attempt.status_code)
    assert statuses == [201] * 5 + [429] * 15


def test_writing_an_address_or_number_differently_makes_nobody_another_person(app: Flask, services: Services) -> None:
    visitor = Visitor(app)
    starts = visitor.apart(8)
    for number in range(5):
        assert visitor.book(starts[number], **{**person(number), "phone": "0170 1234567"}).status_code == 201
    for way in ("+49 170 1234567", "0049-170-1234567", "(0170) 123 45 67"):
        assert visitor.book(starts[6], **{**person(77), "phone": way}).status_code == 429


def test_a_call_that_is_over_or_cancelled_makes_room(visitor: Visitor) -> None:
    starts = visitor.apart(7)
    tokens = [
        visitor.token(start, **{**person(number), "phone": "+491701234567"}) for number, start in enumerate(starts[:5])
    ]
    assert visitor.book(starts[5], **{**person(50), "phone": "+491701234567"}).status_code == 429
    visitor.post(f"/api/v1/calls/{tokens[0]}/cancel")
    assert visitor.book(starts[5], **{**person(51), "phone": "+491701234567"}).status_code == 201


# Mail bombing


EVIL = "Buy pills at evil dot example"


def deliver(services: Services) -> None:
    while run_job(services):
        pass


def words_of(mailbox: MailBox, address: str) -> str:
    """Everything that was said in mails to an address, decoded."""
    said = []
    for mail in mailbox.to(address):
        said += [f"{name}: {value}" for name, value in mail.items()]
        said += [
            part.get_content() if part.get_content_maintype() == "text" else str(part.get_payload(decode=True))
            for part in mail.walk()
            if not part.is_multipart()
        ]
    return "\n".join(map(str, said))


def test_100_bookings_for_a_victim_send_at_most_3_mails_without_a_word_of_the_attacker(
    app: Flask, services: Services, mailbox: MailBox, clock: Clock
) -> None:
    attacker = Visitor(app)
    starts = attacker.slots(call_type="only-anna")
    for number in range(100):
        start = starts[(number * 4) % len(starts)]
        Visitor(app, f"198.51.{number}.1").book(
            start, call_type="only-anna", name=EVIL, note=EVIL, email="victim@example.com"
        )
    deliver(services)
    assert 1 <= len(mailbox.to("victim@example.com")) <= 3
    assert "evil" not in words_of(mailbox, "victim@example.com").lower()


def test_other_ways_to_write_a_victim_s_address_send_no_more_mails(
    app: Flask, services: Services, mailbox: MailBox
) -> None:
    starts = Visitor(app).apart(12)
    for number, start in enumerate(starts):
        address = ["victim@example.com", "Victim@example.com", "VICTIM@EXAMPLE.COM", " victim@EXAMPLE.com "][number % 4]
        Visitor(app, f"198.51.{number}.1").book(start, **{**person(number), "email": address})
    deliver(services)
    assert len([mail for mail in mailbox.sent if "victim" in str(mail["To"]).lower()]) <= 3


def test_booking_and_cancelling_again_and_again_sends_a_victim_3_confirmations_and_a_cancellation_of_each_at_most(
    app: Flask, services: Services, mailbox: MailBox
) -> None:
    """A cancellation is told whatever the cap says: nobody may wait for a call that was cancelled."""
    for number in range(10):
        visitor = Visitor(app, f"198.51.{number}.1")
        answer = visitor.book(call_type="only-anna", name=EVIL, email="victim@example.com")
        if answer.status_code == 201:
            token = answer.get_json()["manage_url"].rpartition("/")[2]
            visitor.post(f"/api/v1/calls/{token}/cancel")
    deliver(services)
    subjects = [str(mail["Subject"]) for mail in mailbox.to("victim@example.com")]
    assert len(subjects) == 6
    assert len([subject for subject in subjects if subject.endswith("is cancelled")]) == 3


def test_correcting_the_address_again_and_again_sends_a_victim_at_most_3_mails(
    app: Flask, services: Services, mailbox: MailBox
) -> None:
    visitor = Visitor(app)
    for number, start in enumerate(visitor.apart(8)):
        token = visitor.token(start, **{**person(number), "name": EVIL})
        form = visitor.page(f"/c/{token}/correct").post_form
        visitor.post(f"/c/{token}/correct", data={**form.fields, "email": "victim@example.com"})
    deliver(services)
    assert len(mailbox.to("victim@example.com")) <= 3
    assert "evil" not in words_of(mailbox, "victim@example.com").lower()


def test_the_link_of_the_page_proves_no_address(visitor: Visitor, services: Services) -> None:
    """Whoever books for a stranger sees the page's link; only the mail's link shows that mails arrive."""
    token = visitor.token()
    form = visitor.page(f"/c/{token}/correct").post_form
    visitor.post(f"/c/{token}/correct", data={**form.fields, "phone": "+491701299999"})
    (call,) = calls(services)
    assert call.address_proved_at is None
    mailed = services.signing.link_token(call.id, call.link_version, LINK_FROM_MAIL)
    form = visitor.page(f"/c/{mailed}/correct").post_form
    visitor.post(f"/c/{mailed}/correct", data={**form.fields, "phone": "+491701288888"})
    (call,) = calls(services)
    assert call.address_proved_at is not None


# Secrets and logs


def test_nothing_about_a_person_reaches_a_log(
    settings: Settings, clock: Clock, mailbox: MailBox, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole journey, with the most talkative logs, and a bug in the middle of it."""
    caplog.set_level(logging.DEBUG)
    for services in build_services(settings, clock, mailbox, server):
        open_house(services)
        app = create_app(settings, services)
        visitor = Visitor(app, "203.0.113.77")
        canary = {
            "name": "Canaryname",
            "email": "canary.mail@example.com",
            "phone": "+491701234567",
            "note": "Canarynote",
        }
        booked = visitor.book_by_form(**canary)
        assert booked.status_code == 303
        token = booked.headers["Location"].partition("?")[0].rpartition("/")[2]
        visitor.book_by_form(TUESDAY + timedelta(hours=2), **{**canary, "phone": "1", "email": "canary.mail@"})
        visitor.book(TUESDAY, **canary)
        visitor.get(f"/c/{token}")
        visitor.get(f"/c/{token}x")
        form = visitor.page(f"/c/{token}/correct").post_form
        visitor.post(f"/c/{token}/correct", data={**form.fields, "email": "canary.mail2@example.com"})
        deliver(services)
        for call in calls(services):
            fresh = services.signing.link_token(call.id, call.link_version)
            visitor.post(f"/api/v1/calls/{fresh}/cancel")
        deliver(services)
    assert mailbox.sent
    text = caplog.text.lower()
    signature = token.rpartition(".")[2].lower()
    for canary_text in ("canaryname", "canary.mail", "1701234567", "canarynote", "203.0.113.77", signature):
        assert canary_text not in text, [line for line in caplog.messages if canary_text in line.lower()][:3]


def test_a_failing_statement_logs_no_values(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(services.settings, services)

    def fail() -> str:
        with services.database.writing() as db:
            db.add(Owner(slug="canaryslug", name="Canaryname", email="canary@example.com", timezone="UTC"))
            db.flush()
            db.add(Owner(slug="canaryslug", name="Canaryname", email="canary@example.com", timezone="UTC"))
            db.flush()
        return ""

    app.add_url_rule("/fails", endpoint="fails", view_func=fail)
    assert Visitor(app).get("/fails").status_code == 500
    assert "IntegrityError" in caplog.text
    assert "canary" not in caplog.text.lower()


def test_secrets_are_not_in_the_database_s_files(services: Services, visitor: Visitor, tmp_path: Path) -> None:
    with services.database.writing() as db:
        db.execute(
            sa.text("UPDATE calendar SET password_encrypted = :locked"), {"locked": services.vault.lock("canary-pw")}
        )
    token = visitor.token()
    services.database.dispose()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("sprechzeit.db"))
    assert b"kim1@example.com" in stored
    for secret in (services.settings.secret_keys[0], "canary-pw", token.rpartition(".")[2]):
        assert secret.encode() not in stored


# Defaults


@pytest.mark.parametrize(
    "key", ["short", "changeme" * 6, "a" * 64, "insecure-0123456789-abcdefghijkl", "your-secret-key-example-replace-me"]
)
def test_a_short_or_sample_key_is_refused_at_start(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Settings.from_env({"DATA_DIR": str(tmp_path), "SECRET_KEY": key})


def test_a_database_of_its_own_needs_a_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Settings.from_env({"DATA_DIR": str(tmp_path), "DATABASE_URL": "sqlite:////tmp/x.db"})


def test_debugging_is_off(app: Flask) -> None:
    assert not app.debug
    assert not app.config["PROPAGATE_EXCEPTIONS"]


def test_two_installations_do_not_share_what_they_sign(app: Flask, services: Services) -> None:
    token = Visitor(app).token()
    other = replace(services, signing=type(services.signing)(("another-key-of-32-letters-0f9e8d7c",)))
    assert Visitor(create_app(other.settings, other)).get(f"/c/{token}").status_code == 404
