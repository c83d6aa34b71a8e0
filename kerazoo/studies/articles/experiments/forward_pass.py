"""The documents' formulas for the output of a network, against Keras's layers in float64."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.comparing import deviation, sigmoid, softmax

_EXACT = 1e-12


@experiment("forward_pass", needs=("backend:tensorflow",), quick=True, revision=2)
def forward_pass(setting: Setting) -> dict[str, Any]:
    """Compare documents 000 (4.1), 002 (4.1, 4.2) and 003 (3.1) with dense layers of the same random weights."""
    random = np.random.default_rng(setting.seed)
    return {
        "mlp_definition": _by_index(random),
        "mlp_formula": _composed(random),
        "layer": _one_layer(random),
        "recursion": _layer_by_layer(random),
    }


def _dense(inputs: Any, kernel: Any, bias: Any, activation: str) -> Any:
    """Return the output of Keras's dense layer, whose kernel is (features in, units)."""
    layer = keras.layers.Dense(len(bias), activation=activation, dtype="float64")
    layer.build(inputs.shape)
    layer.set_weights([kernel, bias])
    return np.asarray(layer(inputs))


def _by_index(random: Any) -> dict[str, Any]:
    """Read document 000's equations index by index; then with the sums over inputs and hidden units put in."""
    n, m, k = 3, 4, 2
    x, w, b = random.normal(size=n), random.normal(size=(n, m)), random.normal(size=m)  # w[i, j]: from x_i to h_j
    v, c = random.normal(size=(k, m)), random.normal(size=k)  # v[k, j]: from h_j to y_k
    hidden = _dense(x[None], w, b, "sigmoid")[0]  # (m,)
    output = _dense(hidden[None], v.T, c, "sigmoid")[0]  # (k,)

    printed_hidden = sigmoid(w * x[:, None] + b)  # h_ij, (n, m)
    printed_output = sigmoid(v[:, None] * printed_hidden + c[:, None, None])  # (k, n, m)
    error = max(deviation(printed_hidden, hidden), deviation(printed_output, output))
    summed = sigmoid(v @ sigmoid(x @ w + b) + c)
    return {
        "true": error <= _EXACT,
        "error_with_sums": deviation(summed, output),
        "note": (
            f"Read index by index, the equations give {printed_hidden.size} hidden numbers and {printed_output.size} "
            f"outputs where a network of {n}-{m}-{k} has {m} and {k}: the sums over i and over j are missing. With "
            f"them put in they agree with two dense layers (deviation {deviation(summed, output):.1g})."
        ),
    }


def _composed(random: Any) -> dict[str, Any]:
    """Compare y = f(sigma(W2 sigma(W1 x + b1) + b2)) with two dense layers of activation sigma, then f."""
    x = random.normal(size=5)
    w1, b1 = random.normal(size=(4, 5)), random.normal(size=4)
    w2, b2 = random.normal(size=(3, 4)), random.normal(size=3)
    outer = {"linear": lambda z: z, "softmax": softmax}
    error = 0.0
    for name, sigma in _activations().items():
        hidden = _dense(_dense(x[None], w1.T, b1, name), w2.T, b2, name)
        for last, f in outer.items():
            truth = np.asarray(keras.activations.get(last)(hidden))[0]
            error = max(error, deviation(f(sigma(w2 @ sigma(w1 @ x + b1) + b2)), truth))
    return {
        "true": error <= _EXACT,
        "error": error,
        "note": (
            "As a definition it fits its text, and the forward pass of section 4.2 up to a_2 = sigma(z_2); f is "
            "missing there, and y is the target. A softmax for f after a sigmoid could give none of k classes "
            "more than e/(e + k - 1), "
            f"{np.e / (np.e + 1):.2f} of two and {np.e / (np.e + 9):.2f} of ten; the document's program has no such "
            "second activation."
        ),
    }


def _one_layer(random: Any) -> dict[str, Any]:
    """Compare y = f(W x + b) with a dense layer, for the three activations that document 003 names."""
    x, w, b = random.normal(size=6), random.normal(size=(4, 6)), random.normal(size=4)
    errors = {name: deviation(f(w @ x + b), _dense(x[None], w.T, b, name)[0]) for name, f in _activations().items()}
    return {
        "true": max(errors.values()) <= _EXACT,
        "error": max(errors.values()),
        "note": "Equal to a dense layer for sigmoid, tanh and ReLU; W is the transpose of Keras's kernel.",
    }


def _layer_by_layer(random: Any, widths: tuple[int, ...] = (5, 4, 3, 2)) -> dict[str, Any]:
    """Compare z_l = W_l a_(l-1) + b_l, a_l = sigma(z_l), from a_0 = x on, with as many dense layers."""
    error = 0.0
    for name, sigma in _activations().items():
        a = random.normal(size=widths[0])
        truth = a[None]
        for before, units in zip(widths, widths[1:], strict=False):
            w, b = random.normal(size=(units, before)), random.normal(size=units)
            a, truth = sigma(w @ a + b), _dense(truth, w.T, b, name)
        error = max(error, deviation(a, truth[0]))
    return {
        "true": error <= _EXACT,
        "error": error,
        "note": f"Equal to {len(widths) - 1} dense layers, for sigmoid, tanh and ReLU.",
    }


def _activations() -> dict[str, Any]:
    return {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
