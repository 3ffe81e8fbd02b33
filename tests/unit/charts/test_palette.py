from __future__ import annotations

import re

from squall.charts import palette
from squall.charts.palette import COLOURS, DASHES, PALETTE_CSS, STROKES_CSS


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_read_on_its_paper_in_light_and_dark() -> None:
    for colours in (palette._LIGHT, palette._DARK):
        for name, colour in colours.items():
            if name not in ("paper", "rule", "tint"):
                assert contrast(colour, colours["paper"]) >= 4.5, name
                assert contrast(colour, colours["tint"]) >= 4.5, name


def test_light_and_dark_have_the_same_names_and_every_series_its_own_dash() -> None:
    assert list(palette._LIGHT) == list(palette._DARK)
    assert {f"c{number}" for number in range(1, COLOURS + 1)} <= set(palette._LIGHT)
    assert len(set(DASHES)) == COLOURS


def test_strokes_take_their_colours_from_the_palette_alone() -> None:
    assert not re.search(r"#[0-9a-f]{3,}", STROKES_CSS)
    used = set(re.findall(r"var\(--(\w+)\)", STROKES_CSS)) - {"c"}
    assert used <= set(re.findall(r"--(\w+):", PALETTE_CSS))
