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
        "cross_entropy_simplified": _simplified(random),
        "softmax_gradient": _gradient(random),
        "cross_entropy_example": _example(),
        "mse": _mse(random),
        "cross_entropy_mean": _cross_entropy(random),
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
        "true": worst <= _EXACT,
        "error": worst,
        "error_of_middle_members": middle,
        "note": (
            "All four results agree with automatic differentiation, for targets that sum to 1. The middle member, as a "
            "product of partial derivatives, leaves out the path through the other probability (for y_1 = 0 it is 0, "
            "the result p_1); it is right where the other probability is first written as 1 minus this one."
        ),
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
