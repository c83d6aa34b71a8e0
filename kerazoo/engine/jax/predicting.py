"""Predictions without the cost of a call of Keras's `predict`: compiled once for each shape, kept on the model.

Full batches run in one compiled loop; the rest of less than a batch takes a function of its own size. Weights are
arguments, so every call sees their present values.
"""

import functools

import jax
import keras
import numpy as np

from kerazoo.engine import internals
from kerazoo.engine.arrays import mapped
from kerazoo.engine.faster import switched
from kerazoo.engine.jax import state as states
from kerazoo.engine.jax.lstm import FASTER

_BYTES_PER_CALL = 2**26  # so that data as large as the memory are not copied as a whole


def predict(model, x, size, batch_size):
    """Predict for the `size` examples of nested arrays `x`, as `engine.predict` says, which has checked them."""
    function = _function_of(model)
    weights = [[variable.value for variable in group] for group in _groups(model)]
    x = mapped(np.asarray, x)
    full = size // batch_size if size > batch_size else 0
    each = sum(leaf[:1].nbytes for leaf in keras.tree.flatten(x)) * batch_size
    at_once = max(1, _BYTES_PER_CALL // max(each, 1))
    parts = []
    for first in range(0, full, at_once):
        last = min(first + at_once, full)
        rows = mapped(lambda a, f=first, c=last: a[f * batch_size : c * batch_size], x)
        rows = mapped(lambda a, n=last - first: a.reshape(n, batch_size, *a.shape[1:]), rows)
        parts.append(mapped(lambda a: np.asarray(a).reshape(-1, *a.shape[2:]), function(weights, rows, True)))
    if full * batch_size < size:
        rest = mapped(lambda a: a[full * batch_size :], x)
        parts.append(mapped(np.asarray, function(weights, rest, False)))
    return parts[0] if len(parts) == 1 else keras.tree.map_structure(lambda *some: np.concatenate(some), *parts)


def _groups(model):
    return model.trainable_variables, model.non_trainable_variables


def _function_of(model):
    """The function compiled for `model`, kept on it until it is compiled anew or its layers or dtypes change."""
    layers = internals.layers_of(model)
    parts = [internals.loss_tracker(model), *layers, *map(internals.policy_of, layers), *model.variables]
    kept = model.__dict__.get("_kerazoo_predict")
    if kept is None or len(kept[0]) != len(parts) or any(a is not b for a, b in zip(kept[0], parts, strict=True)):
        kept = parts, jax.jit(functools.partial(_outputs, model), static_argnums=2)
        # Past Keras's attribute tracking, which would make the function part of a saved model.
        object.__setattr__(model, "_kerazoo_predict", kept)
    return kept[1]


def _outputs(model, weights, x, batches):
    """The outputs of one batch (B, ...), or with `batches` of several of the same size (n, B, ...)."""

    def one(batch):
        with switched(model, FASTER):
            return model.predict_step(tuple(weights), (mapped(states.floatx, batch),))[0]

    return jax.lax.map(one, x) if batches else one(x)
