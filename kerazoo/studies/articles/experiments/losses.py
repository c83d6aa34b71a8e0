"""The documents' loss functions: formulas against Keras and automatic differentiation, and a worked example."""

from __future__ import annotations

import math
from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.comparing import deviation, softmax

_EXACT = 1e-10


@experiment("losses", needs=("backend:tensorflow",), quick=True, revision=2)
def losses(setting: Setting) -> dict[str, Any]:
    """Check the losses of documents 000 (4.2, 4.3) and 004 (4.1) on random numbers in float64."""
    random = np.random.default_rng(setting.seed)
    return {
        "cross_entropy": _definition(random),
        "cross_entropy_simplified": _simplified(random),
        "softmax_gradient": _gradient(random),
        "update": _update(random),
        "cross_entropy_example": _example(),
        "mse": _mse(random),
        "cross_entropy_mean": _cross_entropy(random),
    }


def _definition(random: Any) -> dict[str, Any]:
    """Compare L = -sum y_i log(yhat_i), yhat the softmax of z, with Keras's categorical cross-entropy."""
    logits, targets = random.normal(size=(100, 5)), softmax(random.normal(size=(100, 5)))
    error = 0.0
    for y in (targets, np.eye(5)[targets.argmax(-1)]):
        truth = np.asarray(keras.losses.categorical_crossentropy(y, logits, from_logits=True))
        error = max(error, deviation(-(y * np.log(softmax(logits))).sum(-1), truth))
    return {
        "true": error <= _EXACT,
        "error": error,
        "note": "Equal to Keras's categorical cross-entropy of the logits, for one-hot targets and for others.",
    }


def _simplified(random: Any) -> dict[str, Any]:
    """Compare the last line of document 000's simplification with the loss that it starts from."""
    logits, classes = random.normal(size=(100, 5)), random.integers(5, size=100)
    one_hot = np.eye(5)[classes]
    truth = np.asarray(keras.losses.categorical_crossentropy(one_hot, logits, from_logits=True))
    log_sum = np.log(np.exp(logits).sum(-1, keepdims=True))
    printed = -(logits - log_sum).sum(-1)
    kept = -(one_hot * (logits - log_sum)).sum(-1)  # the line before, where y_i still stands
    return {
        "true": deviation(printed, truth) <= _EXACT,
        "error": deviation(printed, truth),
        "error_with_y": deviation(kept, truth),
        "line_before": {
            "true": deviation(kept, truth) <= _EXACT,
            "note": "The line before the last, in which y_i still stands, agrees with the loss.",
        },
        "note": (
            "The last line drops the factor y_i, so every class counts as the true one: for z = (0, 0) and y = (1, 0) "
            f"it gives 2 ln 2 = {2 * math.log(2):.3f}, the loss is ln 2 = {math.log(2):.3f}. With y_i kept the "
            f"simplification is right (deviation {deviation(kept, truth):.1g})."
        ),
    }


def _gradient(random: Any) -> dict[str, Any]:
    """Compare document 000's four derivatives with automatic differentiation of its steps 4 and 5."""
    worst, middle = 0.0, 0.0
    for first in (1.0, 0.0, float(random.uniform())):  # both one-hot targets, and a soft one
        x, y = random.normal(size=2), np.array([first, 1 - first])
        w, b = (tf.Variable(random.normal(size=2)) for _ in range(2))
        with tf.GradientTape() as tape:
            loss = -tf.reduce_sum(y * tf.math.log_softmax(w * x + b))
        truth = tape.gradient(loss, [w, b])
        p = softmax(w.numpy() * x + b.numpy())
        worst = max(worst, deviation([(p - y) * x, p - y], truth))
        # The middle member, read with partial derivatives: the other probability held fixed.
        middle = max(middle, deviation(-y / p * p * (1 - p), truth[1]))
    return {
        "true": max(worst, middle) <= _EXACT,
        "results": {"true": worst <= _EXACT, "error": worst},
        "middle": {"true": middle <= _EXACT, "error": middle},
        "note": (
            "All four results agree with automatic differentiation, for targets that sum to 1. The middle member is a "
            "product of two partial derivatives, -y_1 (1 - p_1), and leaves out the path through the other "
            "probability: it is the result only where y_1 = 1 (for y_1 = 0 it is 0, the result p_1)."
        ),
    }


def _update(random: Any, trials: int = 100, rate: float = 1e-3) -> dict[str, Any]:
    """Take document 000's step 7 with its step 6, and see whether the loss of steps 4 and 5 falls."""
    lower = 0
    for _ in range(trials):
        x, w, b = random.normal(size=(3, 2))
        y = np.eye(2)[random.integers(2)]

        def loss(w: Any, b: Any, x: Any = x, y: Any = y) -> Any:
            return -(y * np.log(softmax(w * x + b))).sum()

        by_b = softmax(w * x + b) - y
        lower += bool(loss(w - rate * by_b * x, b - rate * by_b) < loss(w, b))
    return {
        "true": lower == trials,
        "lower": lower / trials,
        "note": f"With the results of step 6 the loss fell in {lower} of {trials} random examples.",
    }


def _example() -> dict[str, Any]:
    """Return -(log 0.8 + log 0.9) / 4 of document 004 in three bases, and what else might have been meant."""
    labels, given = (1, 0, 1, 0), (0.8, 0.2, 0.9, 0.1)
    nats = -sum(y * math.log(p) for y, p in zip(labels, given, strict=True)) / 4
    binary = -sum(math.log(p if y else 1 - p) for y, p in zip(labels, given, strict=True)) / 4
    return {
        "nats": nats,
        "bits": nats / math.log(2),
        "base_10": nats / math.log(10),
        "binary": binary,
        "formula": {
            "true": abs(nats - binary) <= _EXACT,
            "note": (
                f"The sum over the samples alone is {nats:.4f}. The formula above it sums over the classes too, with "
                f"two of them y log p + (1 - y) log(1 - p), and gives {binary:.4f}."
            ),
        },
        "note": (
            f"-(ln 0.8 + ln 0.9) / 4 = {nats:.4f}; with base 2 {nats / math.log(2):.4f}, with base 10 "
            f"{nats / math.log(10):.4f}. The binary cross-entropy, in which the two labels of 0 count too, is "
            f"{binary:.4f}; the sum not divided by 4 is {4 * nats:.4f}. None is 0.196."
        ),
    }


def _mse(random: Any) -> dict[str, Any]:
    """Compare (1/m) sum (y - yhat)^2 with Keras's mean squared error."""
    y, predicted = random.normal(size=(2, 50))
    printed = sum((a - b) ** 2 for a, b in zip(y, predicted, strict=True)) / len(y)
    error = deviation(printed, keras.losses.mean_squared_error(y, predicted))
    return {"true": error <= _EXACT, "error": error, "note": "Equal to Keras's mean squared error."}


def _cross_entropy(random: Any) -> dict[str, Any]:
    """Compare -(1/m) sum_i sum_j y_ij log(yhat_ij) with the mean of Keras's categorical cross-entropy."""
    predicted, y = softmax(random.normal(size=(50, 7))), np.eye(7)[random.integers(7, size=50)]
    printed = -sum(a * math.log(b) for a, b in zip(y.ravel(), predicted.ravel(), strict=True)) / len(y)
    error = deviation(printed, np.mean(keras.losses.categorical_crossentropy(y, predicted)))
    return {"true": error <= _EXACT, "error": error, "note": "Equal to the mean of Keras's categorical cross-entropy."}
