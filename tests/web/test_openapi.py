"""The description of the JSON API is complete and true: a fuzzer that believes every word of it finds nothing."""

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from booking.app import create_app
from booking.services import Services
from booking.web import api_fields
from booking.web.api import bp
from tests.web.visitors import Visitor, open_house, person

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def app(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    told: dict[str, Any] = Visitor(app).get("/api/v1/openapi.json").get_json()
    return told


def test_the_description_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_its_paths_begin_at_the_installation_s_address(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "https://calls.example.org"}]


def test_every_route_of_the_api_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    names = {"owner_slug": "owner", "type_slug": "call_type"}
    routes = {
        (re.sub(r"<(\w+)>", lambda place: "{" + names.get(place[1], place[1]) + "}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{bp.name}.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in document["paths"].items() for method in methods}


def test_the_lengths_it_promises_are_those_that_are_checked(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    fields = schemas["Wish"]["properties"]
    assert {*fields} == {*api_fields.LONGEST, "reminders", "minutes", "answers"}
    for name in api_fields.LONGEST:
        schema = fields[name]
        longest = schema.get("maxLength") or schemas["TimeZone"].get("maxLength")
        assert name == "who_calls" or longest == api_fields.LONGEST[name], name


@pytest.fixture
def unlimited(services: Services) -> Visitor:
    """The app on a real database, with nothing that limits a machine."""
    open_house(services)
    settings = replace(services.settings, rate_limits=False)
    return Visitor(create_app(settings, replace(services, settings=settings)))


def with_examples(document: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
    """Add what a fuzzer can't guess: free times, and the token of a call."""
    told = copy.deepcopy(document)
    starts = visitor.apart(10)
    new_starts = [starts.pop(), starts.pop()]
    token = visitor.token(starts.pop(), **person(0))
    told["components"]["parameters"]["Token"]["examples"] = {"booked": {"value": token}}
    wishes = {
        f"free-{number}": {"value": {**person(number + 1), "start": start.isoformat(), "timezone": "Asia/Tokyo"}}
        for number, start in enumerate(starts)
    }
    post = told["paths"]["/api/v1/{owner}/{call_type}/calls"]["post"]
    post["requestBody"]["content"]["application/json"]["examples"] = wishes
    move = told["paths"]["/api/v1/calls/{token}/move"]["post"]
    new = {f"free-{number}": {"value": {"start": start.isoformat()}} for number, start in enumerate(new_starts)}
    move["requestBody"]["content"]["application/json"]["examples"] = new
    return told


def fuzz(document: dict[str, Any], visitor: Visitor) -> tuple[list[str], set[int]]:
    """Let the fuzzer loose; return what it finds wrong, and every status it was answered."""
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_path(CONFIG))
    schema.app = visitor.app
    wrong, statuses = [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            wrong.append(str(event.value))
        elif isinstance(event, events.FatalError):
            wrong.append(str(event.exception))
        elif isinstance(event, events.ScenarioFinished):
            checks = [check for checks in event.recorder.checks.values() for check in checks]
            wrong += [str(check.failure_info.failure) for check in checks if check.failure_info]
            answers = [each.response for each in event.recorder.interactions.values() if each.response]
            statuses |= {answer.status_code for answer in answers}
    return wrong, statuses


def test_a_fuzzer_that_believes_the_description_finds_nothing(unlimited: Visitor) -> None:
    document = with_examples(unlimited.get("/api/v1/openapi.json").get_json(), unlimited)
    wrong, statuses = fuzz(document, unlimited)
    assert wrong == []
    assert {200, 201, 304, 400, 404, 405, 409, 415, 422} <= statuses


def test_a_lie_in_the_description_would_be_found(unlimited: Visitor) -> None:
    document = with_examples(unlimited.get("/api/v1/openapi.json").get_json(), unlimited)
    document["paths"] = {path: methods for path, methods in document["paths"].items() if path.endswith("/slots")}
    document["components"]["schemas"]["Slots"]["properties"]["mode"]["enum"] = ["request"]
    wrong, _ = fuzz(document, unlimited)
    assert any("'book' is not" in finding or '"book" is not' in finding for finding in wrong), wrong
