"""What weight decay and L2 penalties are, in Keras, against what document 004, section 3.3 prints."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.comparing import deviation

_RATE = 2.0**-7  # exact in float32, in which Keras keeps learning rates
_PENALTY = 2.0**-4  # lambda
_STEPS = 5
_EXACT = 1e-12


@experiment("weight_decay", needs=("backend:tensorflow",), quick=True, revision=2)
def weight_decay(setting: Setting) -> dict[str, Any]:
    """Minimise a random least-squares loss with lambda sum W^2 added, as document 004 prints it for both of two names.

    `as_defined`: with Keras's L2 regularizer in its place, as the document defines weight decay, a term of the loss.
    `decoupled`: with Keras's `weight_decay` of 2 lambda in its place (Loshchilov and Hutter 2019): each step also takes
    its rate times the learning rate of each weight away, beside the gradient and not through it. Both under SGD,
    RMSprop and Adam.
    """
    random = np.random.default_rng(setting.seed)
    x, y, start = random.normal(size=(40, 8)), random.normal(size=40), random.normal(size=8)
    names = ("sgd", "rmsprop", "adam")
    l2 = keras.regularizers.L2(_PENALTY)
    errors: dict[str, dict[str, float]] = {"as_defined": {}, "decoupled": {}}
    for name in names:
        printed = _descend(name, x, y, start, lambda w: _PENALTY * tf.reduce_sum(w**2))
        errors["as_defined"][name] = deviation(_descend(name, x, y, start, l2), printed)
        errors["decoupled"][name] = deviation(_descend(name, x, y, start, decay=2 * _PENALTY), printed)
    apart = " and ".join(f"{errors['decoupled'][name]:.1e} under {name}" for name in names[1:])
    return {
        "as_defined": max(errors["as_defined"].values()) <= _EXACT,
        "decoupled": {name: error <= _EXACT for name, error in errors["decoupled"].items()},
        "note": (
            f"With Keras's L2 regularizer the weights agree after {_STEPS} steps of SGD, RMSprop and Adam. Decay that "
            f"an optimizer applies beside the gradient (AdamW) agrees under SGD alone: it differs by {apart}, relative "
            "to the largest weight."
        ),
        "evidence": errors,
    }


def _descend(name: str, x: Any, y: Any, start: Any, penalty: Any = None, decay: float | None = None) -> Any:
    """Return the weights after a few steps of the optimizer `name`, with a penalty or decay of the weights."""
    weights = keras.Variable(start, dtype="float64")
    optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": _RATE, "weight_decay": decay}})
    for _ in range(_STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.linalg.matvec(x, weights.value) - y) ** 2)
            loss += penalty(weights.value) if penalty else 0.0
        optimizer.apply([tape.gradient(loss, weights.value)], [weights])
    return weights.numpy()
