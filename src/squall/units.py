"""Durations, sizes, counts and rates as people write them, and back.

The rule: what is read is exact (fractions, rounded once, to the nearest float), and what is not understood
is refused in words that show the accepted forms. What `format_*` writes, `parse_*` reads; the value comes
back exactly wherever the rounding that each `format_*` states loses nothing.

Base units: seconds, bytes, plain counts, events per second. Nothing here knows what a quantity is for, so
zero is read like any other number, and bounds are set where the setting is.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final, NoReturn

__all__ = [
    "format_count",
    "format_duration",
    "format_rate",
    "format_size",
    "parse_count",
    "parse_duration_s",
    "parse_rate_hz",
    "parse_size",
    "significant",
]

_NUMBER = r"((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)"
_LENGTH_MAX: Final = 64  # a longer text is no quantity that a person wrote
_WHOLE_MAX: Final = (1 << 63) - 1  # counts and sizes travel as 64-bit words

_SECONDS: Final[dict[str, Fraction]] = {
    "d": Fraction(86_400),
    "h": Fraction(3_600),
    "min": Fraction(60),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),  # MICRO SIGN, as keyboards have it
    "μs": Fraction(1, 10**6),  # GREEK SMALL LETTER MU, as NFKC normalises it
    "ns": Fraction(1, 10**9),
}
_BYTES: Final[dict[str, int]] = {"": 1, "b": 1} | {
    unit: base**power
    for base, marks in ((1000, ("kb", "mb", "gb", "tb")), (1024, ("kib", "mib", "gib", "tib")))
    for power, unit in enumerate(marks, start=1)
}
_MULTIPLES: Final[dict[str, int]] = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_PER: Final[dict[str, int]] = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}

# "ms" and "min" stand before "m": else the "1m" of "1ms" would be read first.
_DURATION_PART = re.compile(_NUMBER + r"\s*(ms|min|us|µs|μs|ns|d|h|m|s)\s*")
_SIZE = re.compile(_NUMBER + r"\s*([A-Za-z]*)")
_COUNT = re.compile(_NUMBER + r"\s*([kKMG]?)")
_RATE = re.compile(_NUMBER + r"\s*([kKMG]?)(?:\s*/\s*(s|min|m|h|d))?")

_DURATION_FORMS: Final = (
    'a duration: "30s", "5m", "1h30m", "1.5h", "2d", "250ms", "100us", or seconds as a number'
)
_SIZE_FORMS: Final = 'a size: "128", "100B", "1KiB" (1024), "8kB" (8000), "1MiB", "1GiB", in whole bytes'
_COUNT_FORMS: Final = 'a count: "100", "10k", "1.5k", "2M", "10_000", a whole number'
_RATE_FORMS: Final = 'a rate: "1/s", "2k/s", "30/min", "5/h", "0.1/s", or a number per second'


def parse_duration_s(value: object) -> float:
    """Seconds, from "30s", "5m", "1h30m", "250ms", "100us", "1.5h", "2d" or a number of seconds.

    Parts go from the largest unit to the smallest, each at most once ("1h30m", never "30m1h").

    Raises:
        ValueError: it is none of these, or negative, or not finite.
    """
    number = _plain_number(value, _DURATION_FORMS)
    if number is None:
        number = _duration_parts(str(value).strip(), value)
    return _as_float(number, value, _DURATION_FORMS)


def parse_size(value: object) -> int:
    """Bytes, from "128", "100B", "1KiB" (1024), "8kB" (8000), "1MiB", "1GiB" or a number; case is free.

    Raises:
        ValueError: it is none of these, or negative, or no whole number of bytes.
    """
    return _whole(value, _SIZE_FORMS, _SIZE, _BYTES, fold=True)


def parse_count(value: object) -> int:
    """A whole number, from "100", "10k", "1.5k", "2M", "10_000", "10,000" or a number.

    Raises:
        ValueError: it is none of these, or negative, or not whole.
    """
    return _whole(value, _COUNT_FORMS, _COUNT, _MULTIPLES, fold=False)


def parse_rate_hz(value: object) -> float:
    """Events per second, from "1/s", "2k/s", "30/min", "5/h", "0.1/s" or a number per second.

    Raises:
        ValueError: it is none of these, or negative, or not finite.
    """
    number = _plain_number(value, _RATE_FORMS)
    if number is None:
        match = _RATE.fullmatch(str(value).strip())
        if match is None:
            _refuse(value, _RATE_FORMS)
        digits, multiple, per = match.groups(default="")
        number = _fraction(digits) * _MULTIPLES[multiple] / _PER[per]
    return _as_float(number, value, _RATE_FORMS)


def format_duration(seconds: float) -> str:
    """ "1 h 30 min", "30.1 s", "250 ms", "100 µs".

    Rounded to 1 ms from a second up, to 1 µs from a millisecond up, to 1 ns below.

    Raises:
        ValueError: `seconds` is negative or not finite.
    """
    exact = _finite(seconds, "a duration")
    grain_ns = 10**6 if exact >= 1 else 10**3 if exact >= Fraction(1, 10**3) else 1
    whole_ns = round(exact * 10**9 / grain_ns) * grain_ns
    for unit, unit_ns in (("ns", 10**3), ("µs", 10**6), ("ms", 10**9)):
        if whole_ns < unit_ns and whole_ns > 0:
            return f"{_decimal(whole_ns, unit_ns // 10**3)} {unit}"
    parts = []
    for unit, unit_ns in (("d", 86_400 * 10**9), ("h", 3_600 * 10**9), ("min", 60 * 10**9)):
        count, whole_ns = divmod(whole_ns, unit_ns)
        if count:
            parts.append(f"{count} {unit}")
    if whole_ns or not parts:
        parts.append(f"{_decimal(whole_ns, 10**9)} s")
    return " ".join(parts)


def format_size(size_bytes: int) -> str:
    """ "128 B", "1 KiB", "1.5 MiB": in the largest binary unit that fits, rounded to two decimals.

    Raises:
        ValueError: `size_bytes` is negative.
    """
    if size_bytes < 0:
        raise ValueError(f"cannot show {size_bytes} as a size")
    unit_bytes, shown = 1, "B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        # 1023.999 KiB would round to "1024 KiB": it is shown as the next unit instead.
        if round(Fraction(size_bytes * 100, unit_bytes)) < 102_400:
            break
        unit_bytes, shown = unit_bytes * 1024, unit
    return f"{_decimal(round(Fraction(size_bytes * 100, unit_bytes)), 100)} {shown}"


def format_count(count: int) -> str:
    """ "12,345"."""
    return f"{count:,}"


def format_rate(rate_hz: float) -> str:
    """ "2,000/s", "0.1/s", "7/min", "5/h": exact where three decimals are, else four significant digits.

    Per minute only below one a second, and per hour only below one a minute.

    Raises:
        ValueError: `rate_hz` is negative or not finite.
    """
    exact = _finite(rate_hz, "a rate")
    units = [("s", 1)]
    if exact < 1:
        units.append(("min", 60))
    if exact * 60 < 1:
        units.append(("h", 3_600))
    for unit, seconds in units:
        thousandths = round(exact * seconds * 1000)
        if float(Fraction(thousandths, 1000 * seconds)) == float(exact):
            return f"{_decimal(thousandths, 1000)}/{unit}"
    unit, seconds = next((pair for pair in units if exact * pair[1] * 10 >= 1), units[-1])
    value = float(exact * seconds)
    decimals = max(0, 3 - math.floor(math.log10(value)))
    text = f"{value:,.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.') if decimals else text}/{unit}"


def significant(value: float, digits: int = 3) -> str:
    """A number with that many significant digits, no zeros at its end, and commas between the thousands."""
    if value == 0:
        return "0"
    exact = Decimal(repr(value))
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain_number(value: object, forms: str) -> Fraction | None:
    """The number that `value` is, or is the bare text of; None for a text with more in it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < 0 or (isinstance(value, float) and not math.isfinite(value)):
            _refuse(value, forms)
        return Fraction(value)
    if not isinstance(value, str) or len(value) > _LENGTH_MAX:
        _refuse(value, forms)
    text = value.strip()
    return _fraction(text) if re.fullmatch(_NUMBER, text) else None


def _duration_parts(text: str, value: object) -> Fraction:
    """The sum of the parts of "1h30m", each unit smaller than the one before it."""
    total, position, unit_before = Fraction(0), 0, Fraction(10**9)
    while (match := _DURATION_PART.match(text, position)) is not None:
        digits, name = match.groups()
        unit = _SECONDS[name]
        if unit >= unit_before:
            _refuse(value, _DURATION_FORMS, "its units do not go from the largest to the smallest")
        total += _fraction(digits) * unit
        position, unit_before = match.end(), unit
    if position == 0 or position != len(text):
        _refuse(value, _DURATION_FORMS)
    return total


def _whole(value: object, forms: str, pattern: re.Pattern[str], units: dict[str, int], *, fold: bool) -> int:
    """A whole number times its unit; `fold` makes the unit's case free."""
    number = _plain_number(value, forms)
    if number is None:
        match = pattern.fullmatch(str(value).strip())
        unit = "" if match is None else match[2].lower() if fold else match[2]
        if match is None or unit not in units:
            _refuse(value, forms)
        number = _fraction(match[1]) * units[unit]
    if number.denominator != 1:
        _refuse(value, forms, "it is not whole")
    if number > _WHOLE_MAX:
        _refuse(value, forms, "it is too large")
    return number.numerator


def _fraction(digits: str) -> Fraction:
    return Fraction(digits.replace(",", "").replace("_", ""))


def _as_float(number: Fraction, value: object, forms: str) -> float:
    try:
        return float(number)
    except OverflowError:
        _refuse(value, forms, "it is too large")


def _finite(value: float, what: str) -> Fraction:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"cannot show {value} as {what}")
    return Fraction(value)


def _decimal(numerator: int, denominator: int) -> str:
    """`numerator / denominator` in decimals; `denominator` is a power of ten."""
    whole, rest = divmod(numerator, denominator)
    digits = f"{rest:0{len(str(denominator)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"


def _refuse(value: object, forms: str, why: str = "") -> NoReturn:
    shown = repr(value)
    if len(shown) > _LENGTH_MAX:
        shown = f"{shown[:_LENGTH_MAX]}…"
    raise ValueError(f"{shown}: {why}; write {forms}" if why else f"{shown} is not {forms}")
