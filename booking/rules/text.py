"""Text of strangers, made harmless for places that have their own syntax: mail headers and iCalendar.

What is left out is invisible, or turns a line around; nothing that can be read is lost.
"""

import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"
"""Zero-width joiners stay: Persian, Hindi and emoji need them."""

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (bidi controls among them), lone surrogates, line and paragraph separators."""


def single_line(text: str) -> str:
    """Return the text as one line: every run of blanks and line ends is one blank, invisible characters are gone."""
    return " ".join(_visible(" ".join(text.split())).split())


def several_lines(text: str) -> str:
    """Return the text with line feeds as its only line ends, and without invisible characters."""
    return "\n".join(_visible(line.replace("\t", " ")).rstrip() for line in text.splitlines()).strip()


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in _JOINERS or unicodedata.category(c) not in _DROPPED)
