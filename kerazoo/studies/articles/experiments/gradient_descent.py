"""The step of gradient descent, and the gradient of linear regression, as documents 003 and 004 print them."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.comparing import deviation

_RATE = 2.0**-10  # exact in float32, in which Keras keeps learning rates
_TRIALS = 50


@experiment("gradient_descent", needs=("backend:tensorflow",), quick=True, revision=2)
def gradient_descent(setting: Setting) -> dict[str, Any]:
    """Check document 003, section 3.2 against Keras's SGD, and document 004, section 4.3 by differentiation."""
    random = np.random.default_rng(setting.seed)
    return {"step": _step(random), "along": _along(random), "linear_regression": _linear_regression(random)}


def _step(random: Any) -> dict[str, Any]:
    """Take the printed step on random least-squares losses behind a tanh; compare it with SGD's, and the losses."""
    error, lower = 0.0, 0
    for _ in range(_TRIALS):
        x, y = random.normal(size=(20, 6)), random.normal(size=20)
        start = random.normal(size=6)
        theta = keras.Variable(start, dtype="float64")
        before, gradient = _loss_and_gradient(theta, x, y)
        printed = start - _RATE * gradient.numpy()
        keras.optimizers.SGD(_RATE).apply([gradient], [theta])
        error = max(error, deviation(printed, theta))
        lower += bool(_loss_and_gradient(theta, x, y)[0] < before)
    return {
        "true": error <= 1e-12 and lower == _TRIALS,
        "error": error,
        "note": f"The step is that of Keras's SGD; a small one lowered {lower} of {_TRIALS} random losses.",
    }


def _along(random: Any) -> dict[str, Any]:
    """Take small steps along the gradient, as document 004 says in words, and see whether the loss becomes smaller."""
    lower = 0
    for _ in range(_TRIALS):
        x, y, start = random.normal(size=(20, 6)), random.normal(size=20), random.normal(size=6)
        before, gradient = _loss_and_gradient(keras.Variable(start, dtype="float64"), x, y)
        theta = keras.Variable(start + _RATE * gradient.numpy(), dtype="float64")
        lower += bool(_loss_and_gradient(theta, x, y)[0] < before)
    return {
        "true": lower == _TRIALS,
        "note": f"A small step along the gradient lowered {lower} of {_TRIALS} random losses.",
    }


def _loss_and_gradient(theta: Any, x: Any, y: Any) -> tuple[Any, Any]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.tanh(tf.linalg.matvec(x, theta.value)) - y) ** 2)
    return loss, tape.gradient(loss, theta.value)


def _linear_regression(random: Any) -> dict[str, Any]:
    """Differentiate L = 1/2 sum (y - W x - b)^2 and compare."""
    x, y = random.normal(size=(2, 30))
    w, b = (tf.Variable(random.normal(), dtype=tf.float64) for _ in range(2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((y - (w * x + b)) ** 2) / 2
    truth = tape.gradient(loss, [w, b])
    residual = y - (w.numpy() * x + b.numpy())
    error = deviation([-(residual * x).sum(), -residual.sum()], truth)
    return {
        "true": error <= 1e-10,
        "error": error,
        "note": "The 1/2 of the loss cancels the 2 of the derivative; the loss is a sum, so there is no 1/m.",
    }
