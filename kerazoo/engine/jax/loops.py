"""The compiled loops: many of Keras's own pure steps in one call, data, metrics and optimizer on the device.

Symbols: N examples, B batch size.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import keras
from jax import Array, lax
from jax import numpy as jnp

from kerazoo.engine import internals
from kerazoo.engine.arrays import mapped
from kerazoo.engine.backend import overridden
from kerazoo.engine.jax import state as states
from kerazoo.engine.jax.lstm import FASTER
from kerazoo.engine.jax.state import State
from kerazoo.engine.layer_swap import swapped
from kerazoo.engine.model_cache import cached, training_parts
from kerazoo.engine.types import Nested


def loops_of(model: keras.Model, data: Nested, jit: bool | None = None) -> Loops:
    """The loops compiled for `model`, cached on it until it is compiled anew or trains otherwise."""
    choices = keras.distribution.distribution(), keras.config.floatx()
    return cached(model, "_kerazoo_loops", lambda: Loops(model), training_parts(model), choices)


class Loops:
    """`train` and `test`: run `count` steps of B examples each, as one compiled call, from row `first` on.

    Each returns the logs of the last step. The state of the model goes in and comes out by its variables, and its
    buffers are used again: between calls callbacks may read and change everything, within one nobody may.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        # A step of one's own may differentiate twice, which the faster layers cannot.
        self._own = bool(overridden(model, ("train_step", "test_step")))
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def train(self, data: Nested, order: Array, first: int, count: int, batch: int) -> Any:
        """Train on rows `order[first : first + count * batch]`; `order` is int32 (N,), the numbers are ints."""
        return self._run(True, batch, data, order, first, count)

    def train_tail(self, data: Nested, order: Array, first: int, batch: int) -> Any:
        """One step on the last, partial batch."""
        return self._run(True, batch, data, order, first, 1)

    def test(self, data: Nested, first: int, count: int, batch: int) -> Any:
        """Evaluate `count` batches of consecutive rows from `first` on, adding to the model's metrics."""
        return self._run(False, batch, data, None, first, count)

    def _run(self, training: bool, batch: int, data: Nested, order: Any, first: int, count: int) -> Any:
        variables = states.variables_of(self.model, training)
        state = states.read(variables)
        key = (training, batch, jax.tree.structure(data))
        if key not in self._compiled:
            loop = functools.partial(self._loop, training, batch)
            layouts = states.layouts(state if training else state[1:])
            compiled = functools.partial(jax.jit, loop, donate_argnums=0 if training else ())
            self._compiled[key] = compiled() if layouts is None else compiled(out_shardings=(None, layouts))
        logs, state = self._compiled[key](state, data, order, jnp.int32(first), jnp.int32(count))
        # Weights that are only read are neither given away nor copied: something else may hold them.
        changed = slice(None) if training else slice(1, None)
        states.write(variables[changed], state)
        return logs

    def _loop(
        self, training: bool, batch: int, state: State, data: Nested, order: Any, first: Array, count: Array
    ) -> Any:
        def step(k: Array | int, state: State) -> Any:
            start = first + k * batch
            if training:
                rows = lax.dynamic_slice_in_dim(order, start, batch)  # (B,)
                examples = mapped(lambda array: states.floatx(array[rows]), data)
            else:
                examples = mapped(lambda array: states.floatx(lax.dynamic_slice_in_dim(array, start, batch)), data)
            examples = keras.utils.pack_x_y_sample_weight(*states.shared_out(examples, batch))
            run = self._train_step if training else self.model.test_step
            with swapped(self.model, {} if self._own else FASTER):
                logs, state = run(state, examples)
            return state, logs

        state = jax.tree.map(jnp.asarray, state)
        shapes = jax.eval_shape(lambda state: step(0, state), state)[1]
        logs = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
        state, logs = lax.fori_loop(0, count, lambda k, carried: step(k, carried[0]), (state, logs))
        return logs, state if training else state[1:]

    def _train_step(self, state: State, examples: Nested) -> Any:
        """Keras's own step; `_partial_step` where layers were frozen since the optimizer was built."""
        optimizer, trained = self.model.optimizer, self.model.trainable_variables
        if optimizer is None or len(internals.known_to(optimizer)) == len(trained):
            return self.model.train_step(state, examples)
        return _partial_step(self.model, state, examples)


def _partial_step(model: keras.Model, state: State, examples: Nested) -> Any:
    """Take Keras's step for a subset of the variables that the optimizer was built with.

    Args:
        state: (trainable, non-trainable, optimizer's, metrics') lists of arrays.
        examples: a batch, as Keras's `train_step` takes it.

    Returns:
        The logs and the new state.
    """
    trainable, others, of_optimizer, metrics = state
    x, y, weight = keras.utils.unpack_x_y_sample_weight(examples)
    graded = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)
    (_, (loss, predictions, others, metrics)), gradients = graded(
        trainable, others, metrics, x, y, weight, training=True, optimizer_variables=of_optimizer
    )
    optimizer, variables = model.optimizer, model.trainable_variables
    held = [*zip(variables, trainable, strict=True), *zip(optimizer.variables, of_optimizer, strict=True)]
    with keras.StatelessScope(state_mapping=held) as scope:
        optimizer.apply(gradients, variables)
    trainable = [scope.get_current_value(variable) for variable in variables]
    of_optimizer = [scope.get_current_value(variable) for variable in optimizer.variables]
    logs, metrics = internals.update_metrics(model, metrics, loss, x, y, predictions, weight)
    return logs, (trainable, others, of_optimizer, metrics)
