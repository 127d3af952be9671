"""What stands around every page: headers, cookies, limits, forms' protection, honest answers to errors."""

import contextlib
import io
import logging
import sqlite3
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask
from gunicorn.config import Config
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.test import create_environ, run_wsgi_app

from booking.app import create_app
from booking.services import Services
from booking.web.guards import LARGEST_REQUEST_BYTES, RedactingLogger, redact
from tests.web.visitors import HOME, TUESDAY, Page, Visitor, dump, open_house, person

PAGES = ("/anna", "/anna/call", "/nobody", "/healthz", "/readyz", "/api/v1/anna", "/api/v1/nobody", "/static/style.css")


@pytest.fixture
def guarded(services: Services) -> Flask:
    open_house(services)
    return create_app(services.settings, services)


@pytest.fixture
def visitor(guarded: Flask) -> Visitor:
    return Visitor(guarded)


def with_settings(services: Services, **changes: object) -> Flask:
    changed = replace(services, settings=replace(services.settings, **changes))  # type: ignore[arg-type]
    return create_app(changed.settings, changed)


# Headers


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_protective_headers(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_there_is_no_hsts_without_https(services: Services) -> None:
    app = with_settings(services, base_url="http://127.0.0.1:8000")
    assert "Strict-Transport-Security" not in Visitor(app).get("/healthz").headers


@pytest.mark.parametrize("path", ["/anna", "/anna/call"])
def test_no_page_carries_a_script_or_a_style_of_its_own(visitor: Visitor, path: str) -> None:
    for tag, values in visitor.page(f"{path}?lang=en").tags:
        assert not any(name.startswith("on") or name == "style" for name in values), (tag, values)
        assert tag != "style"
        assert tag != "script" or values.get("src")


def test_nothing_is_kept_by_caches_unless_a_page_says_so(visitor: Visitor) -> None:
    token = visitor.token()
    for path in (
        f"/c/{token}",
        f"/c/{token}/cancel",
        f"/c/{token}/move",
        f"/c/{token}/call.ics",
        f"/api/v1/calls/{token}",
        "/nobody",
    ):
        assert "no-store" in visitor.get(path).headers["Cache-Control"], path


# Cookies


def test_behind_https_the_only_cookie_is_secure_and_bound_to_the_host(visitor: Visitor) -> None:
    cookies = visitor.get(f"/anna/call/book?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}").headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookies[0].split("; "))
    assert "Domain" not in cookies[0]


def test_over_http_the_cookie_still_reaches_the_server(services: Services) -> None:
    open_house(services)
    visitor = Visitor(with_settings(services, base_url="http://127.0.0.1:8000"))
    (cookie,) = visitor.get(f"/anna/call/book?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}").headers.getlist("Set-Cookie")
    assert cookie.startswith("session=")
    assert "Secure" not in cookie
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_a_session_made_with_the_old_key_is_still_good_after_rotation(services: Services) -> None:
    open_house(services)
    form = f"/anna/call/book?start={TUESDAY:%Y-%m-%dT%H:%M:%SZ}"
    first = Visitor(create_app(services.settings, services)).get(form)
    name, value = first.headers["Set-Cookie"].partition(";")[0].split("=", 1)

    def is_still_good(keys: tuple[str, ...]) -> bool:
        later = Visitor(with_settings(services, secret_keys=keys))
        later.client.set_cookie(name, value, domain="calls.example.org")
        return "Set-Cookie" not in later.get(form).headers

    assert is_still_good(("another-key-of-32-letters-0f9e8d7c", *services.settings.secret_keys))
    assert not is_still_good(("another-key-of-32-letters-0f9e8d7c",))


def test_the_session_key_is_not_the_secret_key_itself(guarded: Flask, services: Services) -> None:
    assert guarded.secret_key not in services.settings.secret_keys


# Errors


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/api/v1/nobody", 404, "not_found"),
        ("GET", "/api/v2/anything/at/all", 404, "not_found"),
        ("POST", "/api/v1/anna", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/anna/call/calls", 405, "method_not_allowed"),
    ],
)
def test_errors_below_api_are_json(visitor: Visitor, method: str, path: str, status: int, error: str) -> None:
    answer = visitor.open(path, method)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert answer.get_json() == {"error": error}


def test_a_wrong_method_names_the_right_ones(visitor: Visitor) -> None:
    assert set(visitor.post("/api/v1/anna").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "POST" in visitor.open("/anna/call/book", "PUT").headers["Allow"]


def test_errors_of_pages_are_pages_in_the_reader_s_language(visitor: Visitor) -> None:
    answer = visitor.get("/nobody", headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert '<html lang="de"' in answer.text


def test_head_and_options_behave(visitor: Visitor) -> None:
    head = visitor.open("/anna/call", "HEAD")
    assert (head.status_code, head.data) == (200, b"")
    options = visitor.open("/anna/call/book", "OPTIONS")
    assert (options.status_code, options.data) == (200, b"")
    assert {"GET", "POST"} <= set(options.headers["Allow"].split(", "))


@pytest.mark.parametrize("error", ["locked", "pool"])
@pytest.mark.parametrize(("path", "mimetype"), [("/broken", "text/html"), ("/api/broken", "application/json")])
def test_a_database_that_does_not_answer_is_503_and_says_when_to_come_back(
    services: Services, error: str, path: str, mimetype: str
) -> None:
    app = create_app(services.settings, services)

    def view() -> str:
        if error == "pool":
            raise PoolExhausted("QueuePool limit reached")
        raise OperationalError("INSERT …", {}, sqlite3.OperationalError("database is locked"))

    app.add_url_rule(path, endpoint="broken", view_func=view)
    answer = Visitor(app).get(path)
    assert (answer.status_code, answer.mimetype) == (503, mimetype)
    assert answer.headers["Retry-After"] == "5"


def test_a_bug_is_an_honest_500_without_its_inside(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(services.settings, services)
    app.add_url_rule("/c/<token>/bug", endpoint="bug", view_func=lambda token: "only three"[300])
    answer = Visitor(app).get("/c/canary.token/bug")
    assert answer.status_code == 500
    assert "IndexError" not in answer.text
    assert "IndexError" in caplog.text
    assert "canary.token" not in caplog.text


def test_a_locked_database_is_503_for_whoever_books(services: Services, guarded: Flask) -> None:
    """The real thing: another process holds SQLite's write lock."""
    visitor = Visitor(guarded)
    services.database.dispose()
    sa.event.listen(services.database._engine, "connect", lambda db, _: db.execute("PRAGMA busy_timeout=0"))
    other = sqlite3.connect(services.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        answer = visitor.book()
    assert (answer.status_code, answer.get_json()) == (503, {"error": "unavailable"})
    assert answer.headers["Retry-After"] == "5"
    assert visitor.book().status_code == 201


# Limits


@pytest.mark.parametrize(
    "path", ["/anna/call/book", "/c/x/cancel", "/c/x/move", "/nobody/call/book", "/api/v1/anna/call/calls"]
)
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
)
def test_a_body_of_5_mb_is_refused_whatever_it_is_for(visitor: Visitor, path: str, content_type: str) -> None:
    assert visitor.post(path, data=b"x" * 5_000_000, content_type=content_type).status_code == 413


def test_a_body_that_is_said_to_be_enormous_is_not_read_at_all(visitor: Visitor) -> None:
    environ = create_environ("/api/v1/anna/call/calls", method="POST", content_type="application/json")
    environ.update({"wsgi.input": None, "CONTENT_LENGTH": "99999999999"})
    _, status, _ = run_wsgi_app(visitor.app, environ)
    assert status.startswith("413")


def test_a_body_without_a_length_is_not_read_beyond_the_limit(visitor: Visitor) -> None:
    class Endless(io.RawIOBase):
        read_bytes = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            self.read_bytes += len(buffer)
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    sent = Endless()
    environ = create_environ("/api/v1/anna/call/calls", method="POST", content_type="application/json")
    environ.update({"wsgi.input": sent, "wsgi.input_terminated": True})
    _, status, _ = run_wsgi_app(visitor.app, environ)
    assert status.startswith("4")
    assert sent.read_bytes <= 2 * LARGEST_REQUEST_BYTES


@pytest.fixture
def limited(services: Services) -> Visitor:
    open_house(services)
    return Visitor(create_app(services.settings, services), "198.51.100.7")


def test_one_network_gets_30_posts_a_minute_and_is_told_when_to_come_back(limited: Visitor) -> None:
    statuses = [limited.post("/api/v1/calls/none/cancel").status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
    answer = limited.post("/api/v1/calls/none/cancel")
    assert answer.get_json() == {"error": "too_many"}
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_a_reader_over_the_limit_gets_a_page_in_their_language(limited: Visitor) -> None:
    for _ in range(30):
        limited.post("/api/v1/calls/none/cancel")
    answer = limited.post("/anna/call/book", headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.mimetype) == (429, "text/html")
    assert '<html lang="de"' in answer.text


def use_up_posts(visitor: Visitor, count: int = 30) -> None:
    for _ in range(count):
        visitor.post("/api/v1/calls/none/cancel")


def test_a_form_sent_over_the_limit_comes_back_with_everything_typed_and_books_nothing(
    limited: Visitor, services: Services
) -> None:
    form = limited.details()
    use_up_posts(limited)
    before = dump(services)
    answer = limited.post("/anna/call/book", data={**form.fields, **person()})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert "Wait a few minutes, then press the button once more." in answer.text
    again = Page(answer.text).post_form.fields
    assert {**again, **person(), "ticket": form.fields["ticket"]} == again
    assert dump(services) == before


def test_a_correction_sent_over_the_limit_comes_back_with_everything_typed(
    limited: Visitor, services: Services
) -> None:
    path = f"/c/{limited.token()}/correct"
    form = limited.page(path).post_form
    use_up_posts(limited)
    before = dump(services)
    answer = limited.post(path, data={**form.fields, "phone": "0151 23456789", "email": "kim@example.net"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    again = Page(answer.text).post_form.fields
    assert (again["phone"], again["email"]) == ("0151 23456789", "kim@example.net")
    assert dump(services) == before


def test_a_choice_sent_over_the_limit_is_kept_and_changes_nothing(limited: Visitor, services: Services) -> None:
    token = limited.token()
    start = "2026-11-24T10:00:00Z"
    use_up_posts(limited)
    before = dump(services)
    for path, fields in (("cancel", {}), ("move", {"start": start})):
        page = f"/c/{token}/{path}" + ("?start=" + start if fields else "")
        answer = limited.post(f"/c/{token}/{path}", data={**limited.page(page).post_form.fields, **fields})
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
        assert Page(answer.text).post_form.fields.items() >= fields.items()
    assert dump(services) == before


def test_over_the_limit_what_is_not_there_or_too_much_is_still_told(limited: Visitor) -> None:
    use_up_posts(limited)
    assert limited.post("/nobody/call/book", data=person()).status_code == 404
    too_much = limited.post("/anna/call/book", data={**person(), "note": "x" * LARGEST_REQUEST_BYTES})
    assert too_much.status_code == 413


def test_a_flood_of_forms_is_answered_by_the_short_page_in_the_end(limited: Visitor) -> None:
    use_up_posts(limited, 300)
    answer = limited.post("/anna/call/book", data=person())
    assert answer.status_code == 429
    assert Page(answer.text).forms == []


def test_posts_over_the_limit_leave_reading_and_other_networks_alone(limited: Visitor) -> None:
    for _ in range(31):
        limited.post("/api/v1/calls/none/cancel")
    assert limited.get("/api/v1/anna").status_code == 200
    assert Visitor(limited.app, "198.51.100.8").post("/api/v1/calls/none/cancel").status_code == 404


def test_addresses_of_one_ipv6_network_share_their_limit(limited: Visitor) -> None:
    for number in range(30):
        Visitor(limited.app, f"2001:db8:1:2::{number:x}").post("/api/v1/calls/none/cancel")
    assert Visitor(limited.app, "2001:db8:1:2:ffff::1").post("/api/v1/calls/none/cancel").status_code == 429
    assert Visitor(limited.app, "2001:db8:1:3::1").post("/api/v1/calls/none/cancel").status_code == 404


def test_ipv4_addresses_in_ipv6_clothes_are_not_one_network(limited: Visitor) -> None:
    for _ in range(30):
        Visitor(limited.app, "::ffff:198.51.100.1").post("/api/v1/calls/none/cancel")
    assert Visitor(limited.app, "::ffff:198.51.100.2").post("/api/v1/calls/none/cancel").status_code == 404


def test_reading_is_limited_coarsely_but_not_the_watchman_s_questions(limited: Visitor) -> None:
    statuses = {limited.get("/api/v1/openapi.json").status_code for _ in range(300)}
    assert statuses == {200}
    assert limited.get("/api/v1/openapi.json").status_code == 429
    assert limited.get("/healthz").status_code == 200


def test_limits_can_be_lifted_for_load_tests(services: Services) -> None:
    visitor = Visitor(with_settings(services, rate_limits=False))
    assert {visitor.post("/api/v1/calls/none/cancel").status_code for _ in range(50)} == {404}


# Proxies and the Host header


def test_forwarded_headers_of_strangers_are_ignored(limited: Visitor) -> None:
    for number in range(30):
        limited.post("/api/v1/calls/none/cancel", headers={"X-Forwarded-For": f"203.0.113.{number}"})
    assert limited.post("/api/v1/calls/none/cancel").status_code == 429


def test_behind_a_trusted_proxy_its_word_counts_and_the_client_s_does_not(services: Services) -> None:
    app = with_settings(services, trusted_proxies=1)

    def through_proxy(client: str, claimed: str = "10.9.8.7") -> int:
        headers = {"X-Forwarded-For": f"{claimed}, {client}"}
        return Visitor(app, "127.0.0.1").post("/api/v1/calls/none/cancel", headers=headers).status_code

    assert [through_proxy("203.0.113.1", f"10.0.0.{number}") for number in range(31)] == [404] * 30 + [429]
    assert through_proxy("203.0.113.2") == 404


@pytest.mark.parametrize("chain", ["", "unknown", "203.0.113.1:4711", "_hidden", "[2001:db8::1]:443"])
def test_a_proxy_that_names_no_address_breaks_nothing(services: Services, chain: str) -> None:
    app = with_settings(services, trusted_proxies=1)
    answer = Visitor(app, "127.0.0.1").post("/api/v1/calls/none/cancel", headers={"X-Forwarded-For": chain})
    assert answer.status_code == 404


def test_a_form_behind_an_https_proxy_needs_no_referrer(services: Services) -> None:
    """``Referrer-Policy: no-referrer`` leaves none, and Flask-WTF would ask for one over https."""
    open_house(services)
    visitor = Visitor(with_settings(services, trusted_proxies=1))
    form = visitor.details()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    answer = visitor.post(
        "/anna/call/book", base_url="http://calls.example.org", headers=headers, data={**form.fields, **person()}
    )
    assert answer.status_code == 303


def test_a_spoofed_host_changes_no_link(visitor: Visitor) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    token = visitor.token()
    for path in ("/", "/anna", "/anna/call", f"/c/{token}", f"/c/{token}/call.ics", "/anna/", "//anna", "/nobody"):
        answer = visitor.get(path, headers=evil, environ_overrides={"PATH_INFO": path, "REMOTE_ADDR": HOME})
        assert "evil.example" not in answer.text, path
        assert "evil.example" not in answer.headers.get("Location", ""), path
    booked = visitor.post(
        "/api/v1/anna/call/calls",
        json={**person(2), "start": (TUESDAY + timedelta(hours=2)).isoformat()},
        headers=evil,
    )
    assert booked.get_json()["manage_url"].startswith("https://calls.example.org/c/")
    assert "evil.example" not in str(booked.headers)


# Logs


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("GET /c/abc.def HTTP/1.1", "GET /c/… HTTP/1.1"),
        ("POST /c/abc.def/cancel?lang=de HTTP/1.1", "POST /c/…/cancel?… HTTP/1.1"),
        ("GET /api/v1/calls/abc.def HTTP/1.1", "GET /api/v1/calls/… HTTP/1.1"),
        ("GET /anna/call?name=Kim HTTP/1.1", "GET /anna/call?… HTTP/1.1"),
        ("POST /api/v1/anna/call/calls HTTP/1.1", "POST /api/v1/anna/call/calls HTTP/1.1"),
        ("Exception on /c/abc.def [POST]", "Exception on /c/… [POST]"),
    ],
)
def test_tokens_and_query_strings_do_not_reach_a_log(line: str, left: str) -> None:
    assert redact(line) == left


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/c/canary.token", "/c/…"),
        ("/c/canary.token/cancel", "/c/…/cancel"),
        ("/api/v1/calls/canary.token", "/api/v1/calls/…"),
        ("/c/canary\r\nGET /forged", "/c/…/forged"),
        ("/anna\r\nGET /forged", "/anna%0D%0AGET%20/forged"),
    ],
)
def test_the_access_log_holds_nothing_about_a_person(caplog: pytest.LogCaptureFixture, path: str, written: str) -> None:
    config = Config()
    config.set("accesslog", "-")
    config.set(
        "access_log_format", '%(h)s %(u)s "%(r)s" %(U)s %(q)s %(s)s "%(f)s" "%(a)s" %({cookie}i)s %({location}o)s'
    )
    log = RedactingLogger(config)
    log.access_log.propagate = True
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/%63/canary.token?x=canary",
        "PATH_INFO": path,
        "QUERY_STRING": "x=canary",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.99",
        "HTTP_REFERER": "https://canary.example/",
        "HTTP_USER_AGENT": "canary",
        "HTTP_AUTHORIZATION": "Basic Y2FuYXJ5OmNhbmFyeQ==",
    }
    asked = SimpleNamespace(headers=[("COOKIE", "session=canary")])
    answered = SimpleNamespace(status="200 OK", headers=[("VIA", "canary")], sent=12)
    with caplog.at_level(logging.INFO, logger="gunicorn.access"):
        log.access(answered, asked, environ, timedelta(milliseconds=5))
    assert caplog.messages == [f'- - "GET {written} HTTP/1.1" {written} - 200 "-" "-" - -']
