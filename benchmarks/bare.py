"""The floor of every page: a Flask view that returns a constant of a given size, and does nothing else."""

from functools import cache

from flask import Flask, Response

app = Flask(__name__)


@app.get("/<kind>/<int:size>")
def constant(kind: str, size: int) -> Response:
    """Return so many bytes."""
    return Response(_bytes(size), mimetype="text/html" if kind == "page" else "application/json")


@cache
def _bytes(size: int) -> bytes:
    return b"x" * size
