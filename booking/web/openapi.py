"""The JSON API in OpenAPI 3.1: ``openapi.json`` beside this file, with this installation's address."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path(__file__).with_name("openapi.json")


@cache
def description(base_url: str) -> dict[str, Any]:
    """Return the whole document; ``base_url`` is where its paths begin."""
    document: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    return {**document, "servers": [{"url": base_url}]}
