"""The owner's accent colour, made readable on light and dark paper whatever was chosen (WCAG 2.2, 1.4.3 and 1.4.11)."""

import colorsys
import re
from typing import Final

LEAST_CONTRAST: Final = 4.5
WHITE: Final = (255, 255, 255)
INK: Final = (22, 24, 29)
LIGHT_PAPER: Final = (251, 250, 247)
DARK_PAPER: Final = (32, 35, 42)
"""The raised one, which is the lighter of the two."""
_STEPS: Final = 50

Colour = tuple[int, int, int]


def read_colour(text: str) -> Colour | None:
    """Return the parts of ``#rrggbb``, or ``None``."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def stylesheet(accent: Colour) -> str:
    """Return the custom properties of an accent colour, for light and for dark."""
    light = _readable(accent, LIGHT_PAPER, 0)
    dark = _readable(accent, DARK_PAPER, 1)
    return (
        f":root {{ {_properties(light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_properties(dark)} }} }}\n"
        f"@media print {{ :root {{ {_properties(light)} }} }}\n"
    )


def readable_shades(accent: Colour) -> tuple[str, str]:
    """Return how an accent colour is shown on light and on dark paper, each as ``#rrggbb``."""
    return _written(_readable(accent, LIGHT_PAPER, 0)), _written(_readable(accent, DARK_PAPER, 1))


def _properties(accent: Colour) -> str:
    return f"--accent: {_written(accent)}; --on-accent: {_written(_text_on(accent))};"


def _readable(colour: Colour, paper: Colour, towards: int) -> Colour:
    """Make a colour darker (0) or lighter (1) until it can be read on the paper, and is seen as an edge.

    Hue and saturation stay: mixed with white, a warm brown would be grey.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    shades = (lightness + (towards - lightness) * step / _STEPS for step in range(_STEPS + 1))
    mixed = (_from_hls(hue, shade, saturation) for shade in shades)
    return next(colour for colour in mixed if contrast(colour, paper) >= LEAST_CONTRAST)


def _text_on(colour: Colour) -> Colour:
    return max((WHITE, INK), key=lambda text: contrast(text, colour))


def _from_hls(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return red, green, blue


def _written(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
