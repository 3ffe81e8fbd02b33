"""A reader of Prometheus' text format 0.0.4 that takes nothing but what the format allows: for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Family", "read_exposition"]

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    """One metric: its kind, and its samples by name and labels."""

    kind: str
    about: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def total(self, ending: str = "", **labels: str) -> float:
        """The sum of the samples that have these labels."""
        return sum(
            value
            for (name, found), value in self.samples.items()
            if name.endswith(ending) and labels.items() <= dict(found).items()
        )


def read_exposition(text: str) -> dict[str, Family]:
    """Every family by its name; the first thing that the format forbids fails the test."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    abouts: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, about = line.split(" ", 3)
            assert name not in abouts, f"two HELP lines of {name}"
            abouts[name] = about
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped")
            assert current not in families, f"{current} in two places"
            families[current] = Family(kind, abouts[current])
        else:
            found = SAMPLE.fullmatch(line)
            assert found is not None, line
            name, labels = found[1], _labels(found[2] or "")
            family = families[current]
            endings = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
            assert name in {current + ending for ending in endings}, f"{name} among {current}"
            assert (name, labels) not in family.samples, f"twice: {line}"
            family.samples[name, labels] = float(found[3].replace("Inf", "inf"))
    for name, family in families.items():
        assert family.samples, f"{name} is empty"
        if family.kind == "histogram":
            _check_histogram(name, family)
    return families


def _labels(text: str) -> Labels:
    found, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match is not None, text
        found.append((match[1], re.sub(r'\\["\\n]', lambda each: UNESCAPED[each[0]], match[2])))
        at = match.end()
    assert len(dict(found)) == len(found), text
    return tuple(found)


def _check_histogram(name: str, family: Family) -> None:
    """Buckets go up, and the last of them, without a bound, is the count."""
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (sample, labels), value in family.samples.items():
        if sample == f"{name}_bucket":
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, []).append((float(dict(labels)["le"].replace("Inf", "inf")), value))
    for rest, buckets in series.items():
        assert buckets == sorted(buckets), name
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), name
        assert buckets[-1] == (float("inf"), family.samples[f"{name}_count", rest]), name
        assert (f"{name}_sum", rest) in family.samples, name
