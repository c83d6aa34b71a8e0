"""Predictions without the overhead of Keras's `predict`: compiled once for each shape, cached on the model.

Full batches run in one compiled loop; the rest of less than a batch takes a function of its own size. Weights are
arguments, so every call sees their present values.
"""

import functools
import operator

import jax
import keras
import numpy as np
from jax import Array

from kerazoo.engine.arrays import mapped
from kerazoo.engine.jax import state as states
from kerazoo.engine.jax.lstm import FASTER
from kerazoo.engine.layer_swap import swapped
from kerazoo.engine.model_cache import cached, prediction_parts
from kerazoo.engine.types import Nested

_BYTES_PER_CALL = 2**26  # so that data as large as the memory are not copied as a whole


def predict(model: keras.Model, x: Nested, size: int, batch_size: int) -> Nested:
    """Predict for the `size` examples of nested arrays `x`, as `engine.predict` says, which has checked them."""
    made = functools.partial(jax.jit, functools.partial(_outputs, model), static_argnums=2)
    function = cached(model, "_kerazoo_predict", made, prediction_parts(model))
    weights = [[variable.value for variable in group] for group in _groups(model)]
    x = mapped(np.asarray, x)
    full = size // batch_size if size > batch_size else 0
    each = sum(leaf[:1].nbytes for leaf in keras.tree.flatten(x)) * batch_size
    at_once = max(1, _BYTES_PER_CALL // max(each, 1))
    parts = []
    for first in range(0, full, at_once):
        last = min(first + at_once, full)
        rows = mapped(operator.itemgetter(slice(first * batch_size, last * batch_size)), x)
        rows = mapped(lambda a: a.reshape(-1, batch_size, *a.shape[1:]), rows)
        parts.append(mapped(lambda a: np.asarray(a).reshape(-1, *a.shape[2:]), function(weights, rows, True)))
    if full * batch_size < size:
        rest = mapped(lambda a: a[full * batch_size :], x)
        parts.append(mapped(np.asarray, function(weights, rest, False)))
    return parts[0] if len(parts) == 1 else keras.tree.map_structure(lambda *some: np.concatenate(some), *parts)


def _groups(model: keras.Model) -> tuple[list[keras.Variable], list[keras.Variable]]:
    return model.trainable_variables, model.non_trainable_variables


def _outputs(model: keras.Model, weights: list[list[Array]], x: Nested, batches: bool) -> Nested:
    """The outputs for one batch (B, ...), or with `batches` for several (n, B, ...)."""

    def one(batch: Nested) -> Nested:
        with swapped(model, FASTER):
            return model.predict_step(tuple(weights), (mapped(states.floatx, batch),))[0]

    return jax.lax.map(one, x) if batches else one(x)
