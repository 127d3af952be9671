"""Text of strangers loses what is invisible, and nothing else."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.text import several_lines, single_line

ANYTHING = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Kim", "Kim"),
        ("  Kim \t Bergmann ", "Kim Bergmann"),
        ("Kim\r\nBcc: eve@example.org", "Kim Bcc: eve@example.org"),
        ("Ki\x00m\x07", "Kim"),
        ("\u202emiK\u202c", "miK"),
        ("a\u2028b\x85c", "a b c"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("\ud800x", "x"),
        ("\x00 \u200b", ""),
    ],
)
def test_a_single_line_keeps_what_can_be_read(text: str, line: str) -> None:
    assert single_line(text) == line


def test_several_lines_keep_their_lines() -> None:
    assert several_lines("\r\none\x00\r\n\r\n two\tx \rthree\u2028four\n\n") == "one\n\n two x\nthree\nfour"


@settings(deadline=None)
@given(ANYTHING)
def test_a_single_line_can_be_written_anywhere_and_cleaning_it_again_changes_nothing(text: str) -> None:
    line = single_line(text)
    assert line.encode() == line.encode("utf-8", "strict")
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert single_line(line) == line


@settings(deadline=None)
@given(ANYTHING)
def test_several_lines_hold_no_control_character_but_the_line_feed(text: str) -> None:
    lines = several_lines(text)
    assert {c for c in lines if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} <= {"\n"}
    assert several_lines(lines) == lines
