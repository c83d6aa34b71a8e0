"""The ranges and examples that document 004, section 4.2 gives for activation functions, and what they cost."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.compression import in_turn
from kerazoo.studies.articles.experiments.parts import rounded

_DIGITS = 200  # so many that 1 + e^-400 is not 1


@experiment("activations", quick=True, revision=2)
def activations(setting: Setting) -> dict[str, Any]:
    """Evaluate the printed sigmoid and tanh with 200 digits, and ReLU at the three printed inputs.

    Also whether ReLU is linear, relu(a + b) = relu(a) + relu(b) at any two of the inputs.
    """
    inputs = (-2, 0, 2)
    with decimal.localcontext(prec=_DIGITS):
        ranges = {"sigmoid": _range(_sigmoid, 400, (0, 1)), "tanh": _range(_tanh, 200, (-1, 1))}
    examples = [max(0, x) for x in inputs]
    theirs = np.asarray(keras.activations.relu(np.array(inputs, np.float64))).tolist()
    linear = all(max(0, a + b) == max(0, a) + max(0, b) for a in inputs for b in inputs)
    return {
        **ranges,
        "relu": {"examples": examples, "keras": theirs, "note": "Keras's relu gives the same."},
        "linearity": {"true": linear, "note": "ReLU(-2 + 2) = 0, but ReLU(-2) + ReLU(2) = 2."},
    }


@experiment("activation_time", seeds=20)
def activation_time(setting: Setting) -> dict[str, Any]:
    """Time Keras's ReLU, sigmoid and tanh on a million float32 normal numbers, forward, in turn, 50 times each.

    Effects, paired within a seed: the median time of sigmoid, and of tanh, less that of ReLU, in microseconds.
    """
    x = keras.ops.convert_to_tensor(np.random.default_rng(setting.seed).normal(size=1_000_000).astype(np.float32))
    return time_values(x)


def time_values(x: Any, repeats: int = 50) -> dict[str, Any]:
    """Return the values of `activation_time` for the numbers `x`."""
    calls: dict[str, Callable[[], Any]] = {
        name: partial(_evaluated, keras.activations.get(name), x) for name in ("relu", "sigmoid", "tanh")
    }
    seconds = in_turn(calls, repeats)
    saved = {name: rounded((seconds[name] - seconds["relu"]) * 1e6) for name in ("sigmoid", "tanh")}
    return {**saved, "evidence": {"microseconds": rounded({name: 1e6 * each for name, each in seconds.items()})}}


def _evaluated(f: Callable[[Any], Any], x: Any) -> Any:
    return np.asarray(f(x))


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _tanh(x: Decimal) -> Decimal:
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


def _range(f: Callable[[Decimal], Decimal], end: int, limits: tuple[int, int]) -> dict[str, Any]:
    """Return the least and largest value of `f` at 201 places from -end to end, and whether it reaches the limits."""
    values = [f(Decimal(place) * end / 100) for place in range(-100, 101)]
    low, high = limits
    attained = not all(low < value < high for value in values)
    single = np.asarray(keras.activations.get(f.__name__.strip("_"))(np.array([-end, end], np.float32)))
    return {
        "range": [float(min(values)), float(max(values))],
        "attained": attained,
        "increasing": all(a < b for a, b in zip(values, values[1:], strict=False)),
        "note": (
            f"An open interval: at x = {end} the value is {high} - {float(high - max(values)):.1e}"
            + (", a limit is reached" if attained else ", and no value reaches a limit")
            + f". In float32 rounding reaches them: Keras gives {single[0]:g} and {single[1]:g} at -{end} and {end}."
        ),
    }
