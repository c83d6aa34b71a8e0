"""What weight decay, L2 penalties and dropout rates are, in Keras, against what document 004, section 3.3 prints."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.lazy import keras, np, tf
from kerazoo.studies.articles.experiments.comparing import deviation

_RATE = 2.0**-7  # exact in float32, in which Keras keeps learning rates
_PENALTY = 2.0**-4  # lambda
_STEPS = 5


@experiment("weight_decay", needs=("backend:tensorflow",), quick=True)
def weight_decay(setting: Setting) -> dict[str, Any]:
    """Minimise a random least-squares loss with lambda sum W^2 added, and with decay of rate 2 lambda in its place.

    Decay is Keras's `weight_decay` (Loshchilov and Hutter 2019): each step also takes its rate times the learning
    rate of each weight away, beside the gradient and not through it. The derivative of the penalty is 2 lambda W.
    """
    random = np.random.default_rng(setting.seed)
    x, y, start = random.normal(size=(40, 8)), random.normal(size=40), random.normal(size=8)
    return {name: _compare(name, x, y, start) for name in ("sgd", "rmsprop", "adam")}


def _compare(name: str, x: Any, y: Any, start: Any) -> dict[str, Any]:
    """Compare both after a few steps; where 2 lambda is not the rate of decay that does it, try others."""
    penalised = _descend(name, x, y, start, penalty=_PENALTY)
    error = deviation(_descend(name, x, y, start, decay=2 * _PENALTY), penalised)
    factors = [2.0**power for power in range(-12, 7)]
    best = min(deviation(_descend(name, x, y, start, decay=2 * _PENALTY * factor), penalised) for factor in factors)
    moved = deviation(_descend(name, x, y, start), penalised)
    if error <= 1e-12:
        note = f"Equal after {_STEPS} steps: decay of rate 2 lambda is the derivative of the penalty."
    else:
        note = (
            f"Different after {_STEPS} steps by {error:.1e} of the largest weight, where leaving out the penalty makes "
            f"{moved:.1e}, since the penalty's gradient is rescaled with the rest and the decay is not; the best of "
            f"{len(factors)} rates of decay from 1/4096 to 64 times 2 lambda still differs by {best:.1e}."
        )
    return {"true": error <= 1e-12, "error": error, "error_of_best_rate": best, "note": note}


def _descend(name: str, x: Any, y: Any, start: Any, penalty: float = 0.0, decay: float | None = None) -> Any:
    """Return the weights after a few steps of the optimizer `name`."""
    weights = keras.Variable(start, dtype="float64")
    optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": _RATE, "weight_decay": decay}})
    for _ in range(_STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.linalg.matvec(x, weights.value) - y) ** 2)
            loss += penalty * tf.reduce_sum(weights.value**2)
        optimizer.apply([tape.gradient(loss, weights.value)], [weights])
    return weights.numpy()


@experiment("dropout_rate", quick=True)
def dropout_rate(setting: Setting) -> dict[str, Any]:
    """Count what Keras's Dropout keeps of a million units: keep_prob passed as its rate, and document 004's 0.2."""
    kept = {rate: _kept(rate, setting.seed) for rate in (0.5, 0.2, 0.8)}
    return {
        "kept": kept[0.5][0],
        "scale": kept[0.5][1],
        "kept_at_rate_0.2": kept[0.2][0],
        "kept_at_rate_0.8": kept[0.8][0],
        "note": (
            "Keras's rate is the share to drop, 1 - keep_prob; at 0.5 both are one number. The Dropout(0.2) of the "
            f"document's program keeps {kept[0.2][0]:.1%}; a keep_prob of 0.8 passed as the rate would keep "
            f"{kept[0.8][0]:.1%}. What is kept is multiplied by 1 / (1 - rate), {kept[0.5][1]:g} here."
        ),
    }


def _kept(rate: float, seed: int) -> tuple[float, float]:
    """Return the share of units that are not set to zero, and the factor of those."""
    out = np.asarray(keras.layers.Dropout(rate, seed=seed)(np.ones((1000, 1000), np.float32), training=True))
    return float((out != 0).mean()), float(out.max())
