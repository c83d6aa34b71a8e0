"""Options by name: which exist, which type their default gives them, reading them from text; numbers in their range."""

from __future__ import annotations

import dataclasses
import inspect
import math
import numbers
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kerazoo.errors import InputError, OverrideError, did_you_mean
from kerazoo.schema import Recipe

RECIPE_OPTIONS: dict[str, Any] = {"optimizer": "", "learning_rate": 0.0}
"""The fields of a recipe that an override may change, with a value of their type."""


def options_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword options of `function` with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def required_of(function: Callable[..., Any]) -> str | None:
    """Return the first parameter of `function` that has no default; None where all have one."""
    parameters = inspect.signature(function).parameters.values()
    return next((one.name for one in parameters if one.default is inspect.Parameter.empty), None)


def _describe(default: Any) -> str:
    """Name the type that `default` stands for, as the message of an error does."""
    if default is None:
        return "text or None"
    if isinstance(default, tuple):
        return f"one or several of: {_describe(default[0])}" if default else "a tuple of texts"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}
    return names.get(type(default), type(default).__name__)


def _fits(value: Any, default: Any) -> bool:
    if default is None:
        return value is None or isinstance(value, str)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, tuple):
        item = default[0] if default else ""
        return (
            isinstance(value, (tuple, list)) and bool(value or not default) and all(_fits(one, item) for one in value)
        )
    if isinstance(default, float):
        return isinstance(value, (int, float)) and value == value  # noqa: PLR0124 (NaN differs from itself)
    return isinstance(value, type(default))


def check_options(given: Mapping[str, Any], accepted: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return `given` with lists made tuples, once every name and type fits `accepted` (name to default).

    Raises:
        OverrideError: a name is not among `accepted`, or a value is not of its default's type.
    """
    given = {name: _as_tuple(value, accepted.get(name)) for name, value in given.items()}
    for name, value in given.items():
        if name not in accepted:
            known = ", ".join(sorted(accepted)) or "none"
            raise OverrideError(f"{owner} has no option '{name}'.{did_you_mean(name, accepted)} Options: {known}")
        default = accepted[name]
        if not _fits(value, default):
            raise OverrideError(f"{owner}: option '{name}' wants {_describe(default)}, not {value!r}")
        sizes = zip(value, default * len(value), strict=False) if isinstance(default, tuple) else [(value, default)]
        if any(isinstance(want, int) and not isinstance(want, bool) and have < 1 <= want for have, want in sizes):
            raise OverrideError(f"{owner}: option '{name}' wants whole numbers of at least 1, not {value}")
    return given


def _as_tuple(value: Any, default: Any) -> Any:
    """Return a list, or a single value where several are accepted, as a tuple."""
    if isinstance(value, list):
        return tuple(value)
    return (value,) if isinstance(default, tuple) and isinstance(value, type(default[0] if default else "")) else value


def parse_assignments(assignments: Iterable[str], accepted: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return the options that texts such as "units=64,32" set, read by the type of their defaults.

    Raises:
        OverrideError: a text has no "=", or its name or value is not accepted.
    """
    options: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise OverrideError(f"'{assignment}' sets nothing; write FIELD=VALUE, e.g. units=64")
        options[name] = _read(text, accepted.get(name))
    return check_options(options, accepted, owner)


def _read(text: str, default: Any) -> Any:
    """Read `text` as the type of `default`; what cannot be read stays text, which the check then refuses."""
    if isinstance(default, str) or default is None:
        return text
    if isinstance(default, bool):
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    if isinstance(default, tuple):
        item = default[0] if default else ""
        return tuple(_read(one.strip(), item) for one in text.strip("()[] ").split(",") if one.strip())
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def with_options(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """Return `recipe` with the fields of `RECIPE_OPTIONS` that `options` holds.

    Raises:
        InputError: the learning rate is not above zero.
    """
    if options.get("learning_rate") is not None:
        check_positive("learning_rate", options["learning_rate"])
    return dataclasses.replace(recipe, **{name: value for name, value in options.items() if name in RECIPE_OPTIONS})


def check_positive(what: str, value: Any, *, most: float = math.inf, or_zero: bool = False) -> None:
    """Refuse a `value` of the option `what` that is no finite number above 0 (`or_zero`: or 0), or is above `most`.

    Raises:
        InputError: it is refused.
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or value > most or (value == 0 and not or_zero):
        low = "of at least 0" if or_zero else "above 0"
        high = "" if most == math.inf else f" and at most {most:g}"
        raise InputError(f"{what}={value!r}: wanted a number {low}{high}")


def whole_number(what: str, value: Any, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`.

    Raises:
        InputError: it is not.
    """
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # NumPy's integers are whole numbers too
    except TypeError:
        number = -1
    if number < least:
        raise InputError(f"{what}={value!r}: wanted a whole number of at least {least}")
    return number
