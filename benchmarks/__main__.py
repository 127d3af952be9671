"""The one command: measures everything and prints a table in Markdown."""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import bookings, calendar, pages, rules
from benchmarks.table import Line, markdown


def main(arguments: list[str]) -> int:
    """Measure; return 1 where a target is missed."""
    options = _options(arguments)
    logging.disable(logging.WARNING)
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="sprechzeit-benchmarks-") as folder:
        parts = _parts(Path(folder), quick=options.quick)
        for name in options.only or parts:
            print(f"{name} …", file=sys.stderr, flush=True)
            lines += parts[name]()
    print(markdown(lines))
    print(f"\nLoad of the machine when it ended: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.")
    return 1 if any(line.holds is False for line in lines) else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for a first look, not for a claim")
    parser.add_argument("only", nargs="*", help="pages, crowd, rules, calendar, bookings; nothing: all of them")
    return parser.parse_args(arguments)


def _parts(folder: Path, *, quick: bool) -> dict[str, Callable[[], Iterator[Line]]]:
    rounds = 4 if quick else 20
    return {
        "pages": lambda: pages.measure(folder, rounds=rounds, requests=20, seconds=2 if quick else 10),
        "crowd": lambda: pages.measure_crowd(folder, rounds=rounds, requests=20, owners=1000, calls=100_000),
        "rules": lambda: rules.measure(rounds=20 if quick else 100),
        "calendar": lambda: calendar.measure(folder, count=5000, rounds=1 if quick else 3),
        "bookings": lambda: bookings.measure(folder, rounds=10 if quick else 50),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
