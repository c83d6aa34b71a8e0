"""Measured values: where they lie, when two are the same, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MISSING = object()
"""What `look_up` returns where there is nothing."""

_SLACK = 1e-12  # decimal fractions such as 0.84 + 0.02 have no exact binary form


def is_number(value: Any) -> bool:
    """Tell whether `value` is an int or a float, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def look_up(values: Any, path: str) -> Any:
    """Return what lies at the dotted `path` in `values`, or a marker for nothing.

    A step is a key, or the place in a list, from 0 up or "last": "history.val_accuracy.2".
    """
    for step in path.split("."):
        if isinstance(values, Mapping) and step in values:
            values = values[step]
        elif isinstance(values, list) and values and step == "last":
            values = values[-1]
        elif isinstance(values, list) and step.isdecimal() and int(step) < len(values):
            values = values[int(step)]
        else:
            return MISSING
    return values


def beside(values: Mapping[str, Any], path: str, name: str) -> Any:
    """Return `name` from the innermost dictionary on the way to `path`, or None."""
    steps = path.split(".")
    for length in range(len(steps) - 1, -1, -1):
        around = look_up(values, ".".join(steps[:length])) if length else values
        if isinstance(around, Mapping):
            return around.get(name)
    return None


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
