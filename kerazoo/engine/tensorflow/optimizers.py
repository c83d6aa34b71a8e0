"""Keras's optimizers for a CPU, with the update of all variables in one pass over memory.

The same arithmetic, rounded operation by operation as Keras rounds it (where a row of a sparse gradient comes several
times, only Adam's is: others add before they scale). What the kernels do not cover (other dtypes,
variables on several devices, XLA) is left to Keras variable by variable, and so is all that Keras does around an
update: clipping, weight decay, averages, accumulation of gradients.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerazoo.engine import internals
from kerazoo.engine.layer_swap import plain_class
from kerazoo.engine.tensorflow import kernels
from kerazoo.engine.types import Tensor

Operations = tuple[Any, Any]
"""The operation for dense gradients, and the one for sparse ones or None."""

Gradient = Any
"""A `tf.Tensor`, or `tf.IndexedSlices` where it is sparse."""

_MOST_DIMENSIONS = 8  # of a variable, in the operations


def _update_step(
    self: Any, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable], learning_rate: Any
) -> None:
    """Override Keras's update by gradients that are already clipped and scaled."""
    operations = self.operations()
    pairs = list(zip(grads, trainable_variables, strict=True))
    fits = [bool(operations) and _fits(*pair, *operations) for pair in pairs]
    fused, others = ([pair for pair, fit in zip(pairs, fits, strict=True) if fit is wanted] for wanted in (True, False))
    if others:  # not super(): another thread may end `accelerated`
        plain_class(self)._backend_update_step(self, *map(list, zip(*others, strict=True)), learning_rate)
    if fused:
        rate = ops.cast(learning_rate, "float32")
        numbers = [tf.convert_to_tensor(number, tf.float32) for number in self.numbers(rate)]
        dense, sparse = operations
        update(dense, sparse, numbers, fused, self)


class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, in less time."""

    is_faster_form = True
    _backend_update_step = _update_step

    def operations(self) -> Operations | None:
        """The operations for dense and for sparse gradients, or None."""
        found = None if self.amsgrad else kernels.operations()
        return found and (found.kerazoo_adam, found.kerazoo_adam_sparse)

    def numbers(self, rate: Tensor) -> tuple[Any, ...]:
        """The scalar inputs of the operations, rounded as Keras rounds them."""
        step = ops.cast(self.iterations + 1, "float32")
        power_1, power_2 = (ops.power(ops.cast(beta, "float32"), step) for beta in (self.beta_1, self.beta_2))
        return rate * ops.sqrt(1 - power_2) / (1 - power_1), 1 - self.beta_1, 1 - self.beta_2, self.epsilon


class AdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, in less time; its decay of the weights is Keras's own."""

    is_faster_form = True
    _backend_update_step = _update_step
    operations, numbers = Adam.operations, Adam.numbers


class RMSprop(keras.optimizers.RMSprop):
    """`keras.optimizers.RMSprop`, in less time."""

    is_faster_form = True
    _backend_update_step = _update_step

    def operations(self) -> Operations | None:
        """The operations for dense and for sparse gradients, or None."""
        found = None if self.centered else kernels.operations()
        return found and (found.kerazoo_rm_sprop, found.kerazoo_rm_sprop_sparse)

    def numbers(self, rate: Tensor) -> tuple[Any, ...]:
        """The scalar inputs of the operations, rounded as Keras rounds them."""
        return rate, self.rho, 1 - self.rho, self.momentum, self.epsilon


class SGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD`, in less time."""

    is_faster_form = True
    _backend_update_step = _update_step

    def operations(self) -> Operations | None:
        """The operations for dense and for sparse gradients, or None."""
        found = kernels.operations()
        # Without momentum a sparse gradient touches its rows only, as Keras does it.
        return found and (found.kerazoo_sgd, found.kerazoo_sgd_sparse if self.momentum else None)

    def numbers(self, rate: Tensor) -> tuple[Any, ...]:
        """The scalar inputs of the operations, rounded as Keras rounds them."""
        return rate, self.momentum, float(self.nesterov)


FASTER = {getattr(keras.optimizers, cls.__name__): cls for cls in (Adam, AdamW, RMSprop, SGD)}


def covered(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the kernels cover the updates of an optimizer with these options, sparse ones included."""
    cls = FASTER.get(type(optimizer))
    other = getattr(optimizer, "amsgrad", False) or getattr(optimizer, "centered", False)
    return (
        cls is not None and not other and not optimizer.gradient_accumulation_steps and not tf.distribute.has_strategy()
    )


def _fits(gradient: Gradient, variable: keras.Variable, dense: Any, sparse: Any) -> bool:
    is_sparse = isinstance(gradient, tf.IndexedSlices)
    values = gradient.values if is_sparse else gradient
    known = (sparse if is_sparse else dense) is not None and len(variable.shape) <= _MOST_DIMENSIONS
    return known and variable.dtype == values.dtype == "float32" and not tf.distribute.has_strategy()


def update(
    dense: Any,
    sparse: Any,
    numbers: Sequence[Tensor],
    pairs: Sequence[tuple[Gradient, keras.Variable]],
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Update variables and the optimizer's states of them.

    Args:
        dense, sparse: the operation for dense gradients, and the one for `tf.IndexedSlices`.
        numbers: their first inputs, float32 scalars.
        pairs: of a gradient and a variable.
        optimizer: has the states.
    """
    alone = [pair for pair in pairs if isinstance(pair[0], tf.IndexedSlices)]
    together = [pair for pair in pairs if not isinstance(pair[0], tf.IndexedSlices)]
    for gradient, variable in alone:
        states = internals.states_of(optimizer, variable)
        read = [[tf.convert_to_tensor(variable)], [tf.convert_to_tensor(state) for state in states]]
        results = sparse(*numbers, *read, [gradient.values], tf.cast(gradient.indices, tf.int32))
        _assign([variable, *states], results)
    if together:
        variables = [variable for _, variable in together]
        of_each = [internals.states_of(optimizer, variable) for variable in variables]
        states = [state for column in zip(*of_each, strict=True) for state in column]
        read = [[tf.convert_to_tensor(one) for one in some] for some in (variables, states)]
        results = dense(*numbers, *read, [tf.convert_to_tensor(gradient) for gradient, _ in together])
        _assign([*variables, *states], results)


def _assign(variables: Sequence[keras.Variable], results: Sequence[Sequence[Tensor]]) -> None:
    for variable, result in zip(variables, [*results[0], *results[1]], strict=True):
        result.set_shape(variable.shape)
        variable.assign(result)
