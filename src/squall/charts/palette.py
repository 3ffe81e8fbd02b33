"""The colours and strokes of all charts, once: as style sheets for a page and for a picture of its own.

The rule: no colour stands anywhere else. Series are told apart by hue (also by people who see two of them
alike: after Okabe and Ito), by lightness and by dashes; light and dark follow the reader's system, and paper
is always light.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COLOURS", "DASHES", "PALETTE_CSS", "STROKES_CSS"]

_LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1b2430",
    "soft": "#566173",
    "rule": "#dde2e9",
    "tint": "#f3f5f8",
    "good": "#00704f",
    "bad": "#b3261e",
    "doubt": "#875a00",
    "c1": "#0065a8",
    "c2": "#b84700",
    "c3": "#007a5c",
    "c4": "#9c3f86",
    "c5": "#7d6400",
    "c6": "#56616f",
}
_DARK: Final = {
    "paper": "#12171f",
    "ink": "#e8ecf2",
    "soft": "#a6b0bf",
    "rule": "#313a47",
    "tint": "#1b222c",
    "good": "#4fd1a5",
    "bad": "#ff8a80",
    "doubt": "#f2c14e",
    "c1": "#5cb6f2",
    "c2": "#ff9452",
    "c3": "#3ed3a6",
    "c4": "#e59acb",
    "c5": "#e3c341",
    "c6": "#a9b5c6",
}
COLOURS: Final = 6
"""How many there are for series, c1 to c6; a seventh series has the first one's again, thinner."""
DASHES: Final = ("", "9 3", "3 2", "10 3 2 3", "6 2", "2 3")
"""The strokes that go with the colours, in units of a pixel."""


def _properties(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


PALETTE_CSS: Final = (
    f":root{{color-scheme:light dark;{_properties(_LIGHT)}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_properties(_DARK)}}}}}"
)
"""The colours as custom properties."""

_BY_SERIES: Final = "".join(
    f".c{number}{{--c:var(--c{number})}}" + (f".c{number} .stroke{{stroke-dasharray:{dash}}}" if dash else "")
    for number, dash in enumerate(DASHES, start=1)
)
STROKES_CSS: Final = (
    ".chart text{font:12px system-ui,sans-serif;fill:var(--soft)}"
    ".chart .grid{stroke:var(--rule);stroke-width:1}"
    ".chart .axis{stroke:var(--soft);stroke-width:1}"
    ".chart .span0{fill:var(--tint)}.chart .span1{fill:none}.chart .fault{fill:var(--bad);fill-opacity:.14}"
    ".chart .outage{fill:var(--doubt);fill-opacity:.2}.chart .foot{fill:var(--doubt)}"
    ".chart text.on-outage{fill:var(--doubt)}"
    ".chart path{vector-effect:non-scaling-stroke;stroke-linecap:round;stroke-linejoin:round}"
    ".chart .stroke{fill:none;stroke:var(--c);stroke-width:1.75}"
    ".chart .thin .stroke{stroke-width:1}"
    ".chart .faint .stroke{stroke:var(--soft);stroke-width:1.25}"
    ".chart .band{fill:var(--c);fill-opacity:.28;stroke:none}"
    ".chart .fan{fill:var(--c);fill-opacity:.13;stroke:none}"
    ".chart .bars{fill:var(--c);fill-opacity:.85;stroke:var(--c);stroke-width:1}"
    ".chart .dots{fill:none;stroke:var(--c);stroke-width:7}"
    ".chart .bound{stroke:var(--bad);stroke-width:1;stroke-dasharray:5 4}"
    ".chart .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}"
    ".chart .mark.alert{stroke:var(--bad)}.chart .mark.cleared{stroke:var(--good)}"
    ".chart text.alert{fill:var(--bad)}.chart text.cleared{fill:var(--good)}.chart text.on-bound{fill:var(--bad)}"
    ".chart .end{text-anchor:end}.chart .mid{text-anchor:middle}" + _BY_SERIES
)
"""How lines, bands, bars and words of a chart are drawn, in the colours of `PALETTE_CSS`."""
