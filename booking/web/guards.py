"""What stands around every page: limits, headers, cookies, protection of forms, and honest answers to errors.

Nothing here knows what a page is for. Links never come from a request: ``BASE_URL`` is their only source, so that
the ``Host`` header and ``X-Forwarded-Host`` decide nothing.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

import gunicorn.glogging
from flask import Flask, Response, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

from booking.services import Services
from booking.settings import Settings
from booking.web import api, framing, health, old_address, pages, rates
from booking.web.context import EXTENSION, services
from booking.web.reserving import origin_of

LARGEST_REQUEST_BYTES: Final = 64 * 1024
LARGEST_OF_AN_OWNER: Final = 256 * 1024
"""Of the desk: imprint and privacy notice are sent at once, 20,000 letters each, of six bytes in Russian."""
MOST_READ_AWAY_BYTES: Final = 8 * 1024 * 1024
RETRY_BUSY_DATABASE: Final = timedelta(seconds=5)

READS: Final = "300 per minute"
WRITES: Final = "30 per minute; 120 per hour"
"""Coarse, per network and process: offices share addresses. The caps that count stand in the booking transaction."""
KEPT: Final = "300 per minute"
"""How often what was typed is shown again over :data:`WRITES`; then the answer is the short page that costs nothing."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

csrf = CSRFProtect()
_View = TypeVar("_View", bound=Callable[..., ResponseReturnValue])
_KEEPS_TYPED: Final[set[Callable[..., ResponseReturnValue]]] = set()

_LINK: Final = re.compile(r"(/c/|/calls/|/desk/in/|/desk/reset/)[^/?\s\"']+")
_QUERY: Final = re.compile(r"\?[^\s\"']*")


def keeps_typed(view: _View) -> _View:
    """Let a view show its form again, with all that was typed, where a guard would show a short page.

    The view's own form checks its origin, and it asks :func:`seconds_to_wait` before it does anything.
    """
    csrf.exempt(view)
    _KEEPS_TYPED.add(view)
    return view


def seconds_to_wait() -> int:
    """Return how long the reader's network has to wait, or 0 where nothing may be refused."""
    return int(g.get("seconds_to_wait", 0))


def init_app(app: Flask) -> None:
    """Put every guard around the app; its services must be there already, and its views come after this."""
    house: Services = app.extensions[EXTENSION]
    settings = house.settings
    app.url_map.merge_slashes = False  # its redirects would be absolute, made from the request's Host
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST_BYTES
    app.logger.addFilter(_redact_record)
    _configure_cookies(app, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    _limit_rates(app, house)
    app.before_request(_refuse_huge_requests)
    app.before_request(_find_no_null_character)
    csrf.init_app(app)
    csrf.exempt(api.bp)  # it takes no cookies
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(RateLimitExceeded, _on_rate_limit)
    app.register_error_handler(OperationalError, _on_busy_database)
    app.register_error_handler(PoolExhausted, _on_busy_database)
    app.after_request(_add_headers)


def _configure_cookies(app: Flask, settings: Settings) -> None:
    keys = [hashlib.sha256(b"sprechzeit session\0" + key.encode()).hexdigest() for key in settings.secret_keys]
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=keys[1:],
        SESSION_COOKIE_NAME="__Host-session" if settings.is_https else "session",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        # Our own Referrer-Policy leaves nothing for Flask-WTF's https check to look at.
        WTF_CSRF_SSL_STRICT=False,
    )


def _limit_rates(app: Flask, house: Services) -> None:
    def network() -> str:
        if "network" not in g:
            g.network = origin_of(house, request.remote_addr)
        return str(g.network)

    limiter = Limiter(
        key_func=network,
        application_limits=[
            ApplicationLimit(READS, methods=["GET", "HEAD", "OPTIONS"], scope="reads"),
            ApplicationLimit(KEPT, methods=["POST"], scope="kept"),
            ApplicationLimit(WRITES, methods=["POST"], scope="writes"),
        ],
        storage_uri=house.settings.rate_limit_storage.replace("memory:", f"{rates.SCHEME}:"),
        in_memory_fallback_enabled=True,  # a limiter's storage that is down must not take the pages with it
        enabled=house.settings.rate_limits,
    )
    limiter.request_filter(lambda: request.endpoint == "static" or request.blueprint == health.bp.name or not network())
    limiter.init_app(app)


def _refuse_huge_requests() -> None:
    """Say 413 before anything else is done, and whatever the page would do with a body."""
    length = request.content_length or 0
    if request.blueprint == "desk":
        request.max_content_length = LARGEST_OF_AN_OWNER
    if length <= (request.max_content_length or 0):
        return
    if length <= MOST_READ_AWAY_BYTES:
        # gunicorn closes a connection that still brings data, and the answer would be lost with it.
        while request.environ["wsgi.input"].read(LARGEST_REQUEST_BYTES):
            pass
    raise RequestEntityTooLarge


def _find_no_null_character() -> None:
    """Say 404 where an address holds one: it names nothing, and PostgreSQL refuses even to look for it."""
    if "\0" in request.path:
        raise NotFound


def _add_headers(response: Response) -> Response:
    given = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating yields pairs
    headers = framing.adapted(HEADERS)
    response.headers.extend([(name, value) for name, value in headers.items() if name.lower() not in given])
    if services().settings.is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _on_http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer in the reader's way: a page, or JSON below ``/api/``; keep what the status needs (Allow, Retry-After)."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if seconds_to_wait():
        headers["Retry-After"] = str(seconds_to_wait())
    if _is_for_programs():
        return api.problem(status, headers=headers)
    if status == 404 and (moved_to := old_address.new_address()):
        return redirect(moved_to, old_address.MOVED)
    return pages.error(status, stale_form=isinstance(error, CSRFError), headers=headers)


def _on_rate_limit(error: RateLimitExceeded) -> ResponseReturnValue:
    """Say 429; a view that keeps what was typed says it by its form."""
    g.seconds_to_wait = error.limit.limit.get_expiry()
    keeps_typed = current_app.view_functions.get(request.endpoint or "") in _KEEPS_TYPED
    if not keeps_typed or request.method != "POST" or error.limit.scope == "kept":
        return _on_http_error(error)
    try:
        _refuse_huge_requests()
        return current_app.dispatch_request()
    except (HTTPException, OperationalError, PoolExhausted) as failed:
        return current_app.handle_user_exception(failed)


def _on_busy_database(error: Exception) -> ResponseReturnValue:
    """Say 503 for a database that is locked, full or away: nothing of the transaction has been kept."""
    logging.getLogger(__name__).error("the database did not answer: %s", type(error.__cause__ or error).__name__)
    wait = int(RETRY_BUSY_DATABASE.total_seconds())
    return _on_http_error(ServiceUnavailable(retry_after=wait))


def _is_for_programs() -> bool:
    return request.path.startswith("/api/")


def redact(text: str) -> str:
    """Cut what must not stand in a log: the token of a client's or owner's link, and every query string."""
    return _QUERY.sub("?…", _LINK.sub(r"\1…", text))


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


class RedactingLogger(gunicorn.glogging.Logger):  # type: ignore[misc]
    """The access log of gunicorn without addresses of people, tokens, query strings and headers."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        """Return what may be written; whatever else a log format names comes out as ``-``."""
        atoms = super().atoms(resp, req, environ, request_time)
        kept = {name: atoms[name] for name in ("t", "s", "m", "H", "b", "B", "T", "D", "M", "L", "p")}
        # The path as it was understood: however it was written, a token is found, and a line stays one line.
        path = redact(quote(environ.get("PATH_INFO", ""), encoding="latin-1"))
        return {**kept, "U": path, "r": f"{atoms['m']} {path} {atoms['H']}"}
