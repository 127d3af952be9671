"""The owner's accent colour can be read, whatever it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.web.accent import DARK_PAPER, LEAST_CONTRAST, LIGHT_PAPER, contrast, read_colour, stylesheet

parts = st.integers(0, 255)


@given(st.tuples(parts, parts, parts))
def test_any_accent_is_readable_on_both_papers_and_so_is_the_text_on_it(colour: tuple[int, int, int]) -> None:
    light, dark = re.findall(r"--accent: (#\w{6}); --on-accent: (#\w{6})", stylesheet(colour))[:2]
    for (accent, text), paper in ((light, LIGHT_PAPER), (dark, DARK_PAPER)):
        seen, written = read_colour(accent), read_colour(text)
        assert seen is not None
        assert written is not None
        assert contrast(seen, paper) >= LEAST_CONTRAST
        assert contrast(seen, written) >= LEAST_CONTRAST


def test_an_accent_that_is_readable_already_stays_as_it_is() -> None:
    assert "--accent: #28594c" in stylesheet((0x28, 0x59, 0x4C))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["", "red", "#12345", "#12345g", "#123456; }"])
def test_what_is_no_colour_is_none(text: str) -> None:
    assert read_colour(text) is None
