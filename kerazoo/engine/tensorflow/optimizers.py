"""Keras's optimizers with the update of all variables in one pass over the memory; for a CPU.

The same arithmetic, rounded operation by operation as Keras rounds it. What the kernels do not cover (other dtypes,
variables on several devices, XLA) is left to Keras variable by variable.
"""

import keras
import tensorflow as tf
from keras import ops

from kerazoo.engine import internals
from kerazoo.engine.tensorflow import kernels


class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, in less time."""

    is_faster_form = True

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        operations = None if self.amsgrad else kernels.operations()
        fused, others = divide(operations, grads, trainable_variables)
        if others:
            keras.optimizers.Adam._backend_update_step(self, *zip(*others, strict=True), learning_rate)
        if not fused:
            return
        step = ops.cast(self.iterations + 1, "float32")
        powers = [ops.power(ops.cast(beta, "float32"), step) for beta in (self.beta_1, self.beta_2)]
        alpha = ops.cast(learning_rate, "float32") * ops.sqrt(1 - powers[1]) / (1 - powers[0])
        numbers = [alpha, 1 - self.beta_1, 1 - self.beta_2, self.epsilon]
        states = [internals.states_of(self, names) for names in ("_momentums", "_velocities")]
        update(operations.kerazoo_adam, operations.kerazoo_adam_sparse, numbers, fused, states, self)


def divide(operations, grads, variables):
    """Pairs of a gradient and a variable: those that the kernels update, and the others."""
    fused, others = [], []
    for pair in zip(grads, variables, strict=True):
        (fused if operations and _fits(*pair) else others).append(pair)
    return fused, others


def _fits(gradient, variable):
    values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
    return variable.dtype == "float32" and values.dtype == tf.float32 and not tf.distribute.has_strategy()


def update(dense, sparse, numbers, pairs, states, optimizer):
    """Update variables and the optimizer's states of them.

    Args:
        dense, sparse: the operation for dense gradients, and the one for `tf.IndexedSlices`.
        numbers: their first arguments, numbers or scalars.
        pairs: of a gradient and a variable.
        states: for each state that is kept of a variable, a list in the order of the optimizer's variables.
    """
    numbers = [tf.convert_to_tensor(number, tf.float32) for number in numbers]
    places = [internals.place_of(optimizer, variable) for _, variable in pairs]
    columns = [[variable for _, variable in pairs], *([state[place] for place in places] for state in states)]
    alone = [k for k, (gradient, _) in enumerate(pairs) if isinstance(gradient, tf.IndexedSlices)]
    together = [k for k in range(len(pairs)) if k not in alone]
    for k in alone:
        gradient, now = pairs[k][0], [tf.convert_to_tensor(column[k]) for column in columns]
        results = sparse(*numbers, *now, gradient.values, tf.cast(gradient.indices, tf.int32))
        for column, result in zip(columns, results, strict=True):
            _assign(column[k], result)
    if together:
        now = [[tf.convert_to_tensor(column[k]) for k in together] for column in columns]
        results = dense(*numbers, *now, [tf.convert_to_tensor(pairs[k][0]) for k in together])
        for column, result in zip(columns, results, strict=True):
            for k, one in zip(together, result, strict=True):
                _assign(column[k], one)


def _assign(variable, value):
    value.set_shape(variable.shape)
    variable.assign(value)
