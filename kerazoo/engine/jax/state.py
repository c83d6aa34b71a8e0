"""Read the state of a Keras model from its variables as JAX arrays, and write it back."""

from typing import Any

import jax
import keras
from jax import Array

from kerazoo.engine import internals
from kerazoo.engine.types import Nested

Variables = tuple[list[keras.Variable], ...]
"""Groups of a model's variables, in the order of Keras's pure steps."""

State = tuple[list[Array], ...]
"""Their arrays."""


def variables_of(model: keras.Model, training: bool) -> Variables:
    """The variables that Keras's pure steps take and give, in the order of its groups."""
    groups = [model.trainable_variables, model.non_trainable_variables]
    if training:
        groups.append(model.optimizer.variables)
    return (*groups, model.metrics_variables)


def read(variables: Variables) -> State:
    """The arrays of nested variables, each in its own buffer, since a step reuses the buffers.

    (An average that is assigned to a weight, as at the end of training with `use_ema`, shares the weight's.)
    """
    seen: set[int] = set()

    def own(array: Array) -> Array:
        shared = id(array) in seen
        seen.add(id(array))
        return jax.numpy.copy(array) if shared else array

    return tuple([own(variable.value) for variable in group] for group in variables)


def write(variables: Variables, state: State) -> None:
    """Put the arrays of `state` into the variables they came from."""
    for group, arrays in zip(variables, state, strict=True):
        for variable, array in zip(group, arrays, strict=True):
            internals.set_value(variable, array)


def layouts(state: State) -> Any:
    """The sharding of each array, so that a step keeps it; None on one device."""
    if keras.distribution.distribution() is None:
        return None
    return jax.tree.map(lambda array: array.sharding, state)


def shared_out(batch: Nested, size: int) -> Nested:
    """Divide a batch of `size` examples among the devices of the current `keras.distribution`, if it divides evenly."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return batch

    def one(array: Array) -> Array:
        layout = distribution.get_data_layout(array.shape).backend_layout
        cut = layout.spec[0] if len(layout.spec) else None
        parts = layout.mesh.shape[cut] if isinstance(cut, str) else 1
        return jax.lax.with_sharding_constraint(array, layout) if size % parts == 0 else array

    return jax.tree.map(one, batch)


def floatx(array: Array) -> Array:
    """Cast floats to `keras.config.floatx()`, as Keras does with a batch; leave other dtypes."""
    return array.astype(keras.config.floatx()) if jax.numpy.issubdtype(array.dtype, jax.numpy.floating) else array
