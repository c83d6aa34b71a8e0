"""The backward pass that document 004, section 3.1 prints in NumPy, line by line against automatic differentiation."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import np, tf
from kerazoo.studies.articles.experiments.comparing import deviation, sigmoid

_EXACT = 1e-10
_BATCH = 7

Gradients = list[tuple[Any, Any]]
"""dW and db of each layer, from the first to the last."""


@experiment("backpropagation_code", needs=("backend:tensorflow",), quick=True)
def backpropagation_code(setting: Setting) -> dict[str, Any]:
    """Carry out the printed lines on random sigmoid networks, examples in columns, cross-entropy summed over them.

    That loss is the one for which the printed line is right in the output layer (a softmax with its cross-entropy
    would do as well). Layers of different width show whether the lines can be carried out, equal ones by how much
    they are off.
    """
    random = np.random.default_rng(setting.seed)
    unequal, equal = (_case(random, widths) for widths in ((4, 5, 3), (4, 3, 3)))
    output = max(case["printed"][-1] for case in (unequal, equal))
    repaired = max(case["repaired"] for case in (unequal, equal))
    hidden, stale = equal["printed"][0], equal["stale"]
    return {
        "true": max(unequal["printed"]) <= _EXACT and not unequal["failure"] and not unequal["bias_failure"],
        "error": hidden,
        "error_of_output_layer": output,
        "error_of_repaired": repaired,
        "repairs": [
            {
                "what": "in hidden layers dZ = (W_{l+1}^T dZ_{l+1}) * sigma'(z_l), with every z kept",
                "call": "dZ = a[layer] - y",
                "why": f"true for the output layer alone; 4-5-3: {unequal['failure']}; 4-3-3: dW off by {hidden:.0%}",
            },
            {
                "what": "db = dZ.sum(axis=1, keepdims=True)",
                "call": "b[layer-1] -= learning_rate * db",
                "why": f"a bias is a column: {unequal['bias_failure']}",
            },
            {
                "what": "compute every gradient before the first update",
                "call": "W[layer-1] -= learning_rate * dW",
                "why": f"the layer below needs the old W; with one updated at rate 0.1 dW is off by {stale:.1%}",
            },
        ],
        "note": (
            "dZ = a - y is the output layer's alone, and only where the output fits the loss, as a sigmoid or softmax "
            f"does its cross-entropy (deviation {output:.1g}); in a hidden layer it fails on the shapes, or where that "
            f"is as wide as the output gives a dW off by {hidden:.0%}. db lacks keepdims. Repaired, all gradients "
            f"agree ({repaired:.1g})."
        ),
    }


def _case(random: Any, widths: tuple[int, ...]) -> dict[str, Any]:
    """Compare the printed and the repaired gradients of one random network with the true ones."""
    shapes = list(zip(widths[1:], widths, strict=False))
    w = [random.normal(size=shape) for shape in shapes]
    b = [random.normal(size=(units, 1)) for units, _ in shapes]
    x, y = random.normal(size=(widths[0], _BATCH)), random.integers(2, size=(widths[-1], _BATCH)).astype(float)
    a = [x]
    for weights, bias in zip(w, b, strict=True):
        a.append(sigmoid(weights @ a[-1] + bias))
    truth = _true(w, b, x, y)

    printed, failure = [float("inf")] * len(w), ""
    for layer in reversed(range(len(w))):
        try:
            printed[layer] = deviation((a[layer + 1] - y) @ a[layer].T, truth[layer][0])
        except ValueError as error:
            failure = f"ValueError, {error}"
    updated = [weights - 0.1 * by_w for weights, (by_w, _) in zip(w, truth, strict=True)]
    return {
        "printed": printed,
        "failure": failure,
        "bias_failure": _bias_failure(b[-1], a[-1] - y),
        "repaired": _worst(_repaired(w, a, y), truth),
        "stale": _worst(_repaired(updated, a, y), truth),
    }


def _repaired(w: list[Any], a: list[Any], y: Any) -> Gradients:
    """Return the gradients with the output layer's rule in the output layer, and the chain rule below it."""
    gradients: Gradients = []
    dz = a[-1] - y
    for layer in reversed(range(len(w))):
        gradients.insert(0, (dz @ a[layer].T, dz.sum(axis=1, keepdims=True)))
        dz = w[layer].T @ dz * a[layer] * (1 - a[layer])  # the sigmoid's slope, from its value
    return gradients


def _true(w: list[Any], b: list[Any], x: Any, y: Any) -> Gradients:
    """Return the gradients by automatic differentiation."""
    weights, biases = ([tf.Variable(value) for value in values] for values in (w, b))
    with tf.GradientTape() as tape:
        z = x
        for place, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            z = weight @ (tf.sigmoid(z) if place else z) + bias
        loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(y, z))
    by_w, by_b = tape.gradient(loss, [weights, biases])
    return [(dw.numpy(), db.numpy()) for dw, db in zip(by_w, by_b, strict=True)]


def _worst(found: Gradients, truth: Gradients) -> float:
    return max(
        deviation(part, true)
        for pair, right in zip(found, truth, strict=True)
        for part, true in zip(pair, right, strict=True)
    )


def _bias_failure(bias: Any, dz: Any) -> str:
    """Return what the printed update of a bias that is a column fails with, or an empty text."""
    try:
        bias = bias.copy()
        bias -= 0.1 * dz.sum(axis=1)
    except ValueError as error:
        return f"ValueError, {error}"
    return ""
