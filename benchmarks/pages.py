"""The slot page and the slots API, through the server, against a bare view that returns as many bytes."""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.clients import Target, ask, crowd, in_turns
from benchmarks.house import HORIZON_DAYS, TYPE, add_crowd, add_owner, open_house
from benchmarks.servers import gunicorn
from benchmarks.table import Line, compare, duration, percentile

SIZES = (50, 500, 5000)
PAGE_AT_MOST, API_AT_MOST, MORE_EVENTS_AT_MOST, CROWD_AT_MOST = 6.0, 4.0, 1.3, 1.3
LEAST_PER_SECOND = 300


def measure(folder: Path, *, rounds: int, requests: int, seconds: float) -> Iterator[Line]:
    """Measure every figure of the pages."""
    services, env = open_house(folder / "few")
    for size in SIZES:
        add_owner(services, f"with-{size}", size)
    now = services.now()
    services.database.dispose()
    with gunicorn("wsgi:app", env) as port, gunicorn("benchmarks.bare:app", {}) as bare:
        yield from _latencies(port, bare, now, rounds, requests)
        yield from _after_a_change(folder / "few" / "sprechzeit.db", port, bare, now, rounds * requests // 4)
        yield from _throughput(port, bare, seconds)


def measure_crowd(folder: Path, *, rounds: int, requests: int, owners: int, calls: int) -> Iterator[Line]:
    """Measure a page of an installation with many owners and calls, against one with a single owner."""
    few, few_env = open_house(folder / "one")
    many, many_env = open_house(folder / "many")
    for services in (few, many):
        add_owner(services, "with-500", SIZES[1])
    add_crowd(many, owners - 1, calls)
    for services in (few, many):
        services.database.dispose()
    with gunicorn("wsgi:app", few_env) as one, gunicorn("wsgi:app", many_env) as crowded:
        path = f"/with-500/{TYPE}"
        times = in_turns({"one": Target(one, path), "many": Target(crowded, path)}, rounds=rounds, requests=requests)
    what = f"slot page, {owners:,} owners and {calls:,} past calls"
    yield compare(what, times["many"], "one owner", times["one"], CROWD_AT_MOST)


def _paths(now: datetime) -> dict[str, str]:
    days = f"from={now.date()}&to={now.date() + timedelta(days=HORIZON_DAYS - 1)}"
    return {"page": f"/with-%d/{TYPE}", "API": f"/api/v1/with-%d/{TYPE}/slots?{days}"}


def _after_a_change(database: Path, port: int, bare: int, now: datetime, count: int) -> Iterator[Line]:
    """Measure answers for which nothing was kept: before each of them something of the owner changes."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as db:
        for kind, path in _paths(now).items():
            targets = {size: Target(port, path % size) for size in SIZES}
            floors = {size: Target(bare, f"/{kind}/{ask(target)[1].body_size}") for size, target in targets.items()}
            times: dict[int, list[float]] = {size: [] for size in SIZES}
            floor_times: dict[int, list[float]] = {size: [] for size in SIZES}
            for _ in range(count):
                for size in SIZES:
                    db.execute("UPDATE owner SET revision = revision + 1")
                    times[size] += ask(targets[size])[0]
                    floor_times[size] += ask(floors[size])[0]
            for size in SIZES:
                what = f"slot{'s' if kind == 'API' else ''} {kind}, {size:,} events, the first after a change"
                yield compare(what, times[size], "bare view, new connection", floor_times[size])
            what = f"{kind}: {SIZES[-1]:,} events, the first after a change"
            yield compare(what, times[SIZES[-1]], f"{SIZES[0]} events", times[SIZES[0]], MORE_EVENTS_AT_MOST)


def _latencies(port: int, bare: int, now: datetime, rounds: int, requests: int) -> Iterator[Line]:
    paths = _paths(now)
    limits = {"page": PAGE_AT_MOST, "API": API_AT_MOST}
    targets: dict[str, Target] = {}
    for kind, path in paths.items():
        for size in SIZES:
            target = Target(port, path % size)
            answer = ask(target)[1]
            etag = Target(port, path % size, (f"If-None-Match: {answer.header('ETag')}",))
            targets[f"{kind} {size}"] = target
            targets[f"{kind} {size} bare"] = Target(bare, f"/{kind}/{answer.body_size}")
        targets[f"{kind} unchanged"] = etag
    times = in_turns(targets, rounds=rounds, requests=requests)
    for kind, at_most in limits.items():
        for size in SIZES:
            floor = f"{kind} {size} bare"
            size_of_it = targets[floor].path.rpartition("/")[2]
            what = f"slot{'s' if kind == 'API' else ''} {kind}, {size:,} events"
            yield compare(what, times[f"{kind} {size}"], f"bare view, {size_of_it} bytes", times[floor], at_most)
        least, most = (times[f"{kind} {size}"] for size in (SIZES[0], SIZES[-1]))
        yield compare(f"{kind}: {SIZES[-1]:,} events", most, f"{SIZES[0]} events", least, MORE_EVENTS_AT_MOST)
        answer = ask(targets[f"{kind} unchanged"])[1]
        unchanged = median(times[f"{kind} unchanged"])
        words = f"status {answer.status}, {answer.body_size} bytes"
        yield Line(f"{kind}, If-None-Match", duration(unchanged), words, "", "304", answer.status == 304)


def _throughput(port: int, bare: int, seconds: float) -> Iterator[Line]:
    page = Target(port, f"/with-500/{TYPE}")
    size = ask(page)[1].body_size
    floor, _ = crowd(Target(bare, f"/page/{size}"), clients=8, seconds=seconds)
    rate, times = crowd(page, clients=8, seconds=seconds)
    measured = f"{rate:.0f} requests/s, p99 {duration(percentile(times, 0.99))}"
    against = f"bare view: {floor:.0f} requests/s"
    target = f"≥ {LEAST_PER_SECOND} requests/s on a quiet machine"
    what = "slot page, 8 clients at once, 2 server processes"
    yield Line(what, measured, against, f"1/{floor / rate:.1f}", target, rate >= LEAST_PER_SECOND)
