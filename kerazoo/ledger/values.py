"""Measured values: when two are the same, and how they are written."""

from __future__ import annotations

import math
from typing import Any

from kerazoo.ledger.entries import is_number

_SLACK = 1e-12  # decimal fractions such as 0.84 + 0.02 have no exact binary form


def close(value: Any, wanted: Any, tolerance: float) -> bool:
    """Tell whether two numbers, or lists of them element by element, differ by no more than `tolerance`.

    What is no number is to be equal.
    """
    if is_number(value) and is_number(wanted):
        return abs(value - wanted) <= tolerance + _SLACK * max(abs(value), abs(wanted))
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(close(*pair, tolerance) for pair in zip(value, wanted, strict=True))
    return bool(value == wanted and isinstance(value, bool) == isinstance(wanted, bool))


def text_of(value: Any) -> str:
    """Return a value as a reader wants it: floats with four digits, lists short."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    return str(value)


def with_margin(value: float, margin: float) -> str:
    """Return a number with its margin, to two digits of the margin: "0.9785 ± 0.0013"."""
    if not margin or not math.isfinite(margin):
        return text_of(value)
    decimals = max(0, 1 - math.floor(math.log10(abs(margin))))
    return f"{value:.{decimals}f} ± {margin:.{decimals}f}"
