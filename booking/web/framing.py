"""Who may show a page in a frame: nobody, unless the page says otherwise.

The list of times can be part of other sites that its owner names. It is asked for with ``?embed=1``, sets no cookie
and needs none; what asks for anything personal opens in a window of its own.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from flask import g, request

from booking.store.models import Owner

POLICY: Final = "Content-Security-Policy"
_ALLOWS_NOBODY: Final = "frame-ancestors 'none'"


def wants_embedded() -> bool:
    """Say whether the page was asked for as a part of another site."""
    return request.args.get("embed") == "1"


def carried() -> str | None:
    """Return what links that stay in the frame carry; ``None`` outside one."""
    return "1" if wants_embedded() else None


def let_sites_frame(owner: Owner) -> None:
    """Let the owner's sites show this page in a frame, where it was asked for as a part of another one."""
    if wants_embedded():
        g.frame_ancestors = " ".join(owner.embed_sites.split())


def hold_own_frames() -> None:
    """Let this page show other pages of ours in a frame."""
    g.holds_frames = True


def adapted(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the protective headers, with what this page said about frames."""
    sites, changed = g.get("frame_ancestors", ""), dict(headers)
    if sites:
        changed[POLICY] = changed[POLICY].replace(_ALLOWS_NOBODY, f"frame-ancestors {sites}")
        del changed["X-Frame-Options"]  # it can't name sites
    if g.get("holds_frames", False):
        changed[POLICY] += "; frame-src 'self'"
    return changed


def mark() -> str:
    """Return what an ETag has to end in: browsers keep the headers of a page that has not changed."""
    sites = g.get("frame_ancestors", "")
    return f"-{hashlib.sha256(sites.encode()).hexdigest()[:8]}" if sites else ""
