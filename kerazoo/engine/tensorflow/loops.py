"""The compiled loops: many training or evaluation steps in one call, data, metrics and optimizer on the device.

Symbols: N examples, B batch size, R replicas.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from kerazoo.engine import internals
from kerazoo.engine.backend import overridden
from kerazoo.engine.model_cache import cached, training_parts
from kerazoo.engine.tensorflow import arrays, layer_swap
from kerazoo.engine.tensorflow.jit import use_xla
from kerazoo.engine.types import Nested, Tensor

# A faster LSTM saves what tracing it costs in about four epochs of so many examples; shorter ones take the plain one.
# Evaluation is ahead sooner, since nothing is unrolled for it.
EXAMPLES_WORTH_TRACING = 320
BATCHES_WORTH_TABLE = 4
# A step on one example: with 670,000 weights XLA takes 2.0 ms and a graph 0.7, with 235,000 weights 0.17 and 0.25.
WEIGHTS_FOR_GRAPH_AT_ONE = 2**19
_STEPS = ("train_step", "test_step", "compute_metrics")


def loops_of(model: keras.Model, data: Nested, jit: bool | None) -> Loops:
    """The loops compiled for `model`, cached on it until it is compiled anew or trains otherwise.

    Args:
        data: placed arrays, whose kind decides with the layers which compiler is faster.
        jit: True for XLA, False for a graph, None for what is faster.
    """
    return cached(model, "_kerazoo_loops", lambda: Loops(model, data, jit), training_parts(model), (jit,))


class Loops:
    """`train` and `test`: run `count` steps of B examples each, as one compiled call, from row `first` on.

    Each returns the logs of the last step where the model has steps or metrics of its own, else None: then the model's
    metrics tell.
    """

    def __init__(self, model: keras.Model, data: Nested, jit: bool | None) -> None:
        self.model, self.strategy = model, model.distribute_strategy
        self.jit, self._asked = choose(model, data, jit)
        self._wanted = self._asked
        self._large = sum(math.prod(v.shape) for v in model.trainable_variables) >= WEIGHTS_FOR_GRAPH_AT_ONE
        self._test_jit = self.jit and self._asked  # of its own accord never: it would compile for little gain
        self._own = set(overridden(model, _STEPS))
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def train(self, data: Nested, order: Tensor, first: int, count: int, batch: int) -> Any:
        """Train on rows `order[first : first + count * batch]`; `order` is int32 (N,), the numbers are ints."""
        # For XLA at any length: there Keras's dropout would take a hundred times as long.
        jit = self.jit and (batch > 1 or self._wanted or not self._large)
        fast = jit or len(order) >= EXAMPLES_WORTH_TRACING
        numbers = order, tf.constant(first), tf.constant(count)
        try:
            logs = self._function(self._train_loop, batch, jit, fast)(data, *numbers)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if self._asked or not jit:
                raise
            # An operation that XLA does not have, found while compiling, before any step ran: a graph takes it.
            self.jit = False
            return self.train(data, order, first, count, batch)
        self._asked = True
        return logs

    def train_tail(self, data: Nested, order: Tensor, first: int, batch: int) -> Any:
        """One step on the last, partial batch. One step an epoch is not worth a second XLA compilation."""
        function = self._function(self._train_loop, batch, False, False)
        return function(data, order, tf.constant(first), tf.constant(1))

    def test(self, data: Nested, first: int, count: int, batch: int) -> Any:
        """Evaluate `count` batches of consecutive rows from `first` on, adding to the model's metrics."""
        function = self._function(self._test_loop, batch, self._test_jit, count >= BATCHES_WORTH_TABLE)
        return function(data, tf.constant(first), tf.constant(count))

    def _function(self, loop: Callable[..., Any], batch: int, jit: bool, fast: bool) -> Any:
        key = (loop.__name__, batch, jit, fast)
        if key not in self._compiled:
            self._compiled[key] = tf.function(functools.partial(loop, batch, fast), jit_compile=jit, autograph=False)
        return self._compiled[key]

    def _train_loop(self, batch: int, fast: bool, data: Nested, order: Tensor, first: Tensor, count: Tensor) -> Any:
        def rows_of(step: Tensor) -> Tensor:
            # Not a slice: XLA takes a slice's start for a constant and would compile anew for each value of `first`.
            return tf.gather(order, first + step * batch + tf.range(batch))  # (B,)

        def replica(data: Nested, rows: Tensor) -> None:
            lo, hi, size = _share(batch)
            weight = size * self._replicas / batch if batch % self._replicas else None
            train_step(self.model, arrays.gather(data, rows[lo:hi]), size, weight)

        def keras_step(step: Tensor) -> Any:
            examples = packed(arrays.gather(data, rows_of(step)))
            return self.strategy.run(_plain(self._step("train_step")), args=(examples,))

        def shared_step(step: Tensor) -> None:
            self.strategy.run(_plain(replica), args=(data, rows_of(step)))

        with self._faster(fast):
            return self._repeat(count, keras_step if self._replicas == 1 else shared_step, "train_step")

    def _test_loop(self, batch: int, fast: bool, data: Nested, first: Tensor, count: Tensor) -> Any:
        def replica(data: Nested, start: Tensor) -> None:
            lo, hi, size = _share(batch)
            test_step(self.model, arrays.cut(data, start + lo, hi - lo), size)

        def keras_step(step: Tensor) -> Any:
            examples = packed(arrays.cut(data, first + step * batch, batch))
            return self.strategy.run(_plain(self._step("test_step")), args=(examples,))

        def shared_step(step: Tensor) -> None:
            self.strategy.run(_plain(replica), args=(data, first + step * batch))

        with self._faster(fast, table=True):
            return self._repeat(count, keras_step if self._replicas == 1 else shared_step, "test_step")

    @property
    def _replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    def _step(self, name: str) -> Any:
        """The model's step; one of its own as a `tf.function`, so that it may branch on tensors, as under Keras."""
        step = getattr(self.model, name)
        return tf.function(step) if name in self._own else step

    def _faster(self, wanted: bool, table: bool = False) -> contextlib.AbstractContextManager[None]:
        """The context to trace in: faster layers, if `wanted`, and if the steps are Keras's."""
        if not wanted or self._own or self._replicas > 1:
            return contextlib.nullcontext()
        return layer_swap.tabulated(self.model) if table else layer_swap.accelerated(self.model)

    def _repeat(self, count: Tensor, run: Callable[[Tensor], Any], name: str) -> Any:
        """Run `count` steps; returns the logs of the last one, or None where the model's metrics have them."""
        if not self._own & {name, "compute_metrics"}:

            def quietly(step: Tensor) -> tuple[()]:
                run(step)
                return ()

            _while(count, 0, quietly)
            return None
        logs = run(tf.constant(0))  # tells the structure
        values = [tf.convert_to_tensor(value) for value in keras.tree.flatten(logs)]

        def body(step: Tensor, *_: Tensor) -> list[Tensor]:
            return [tf.convert_to_tensor(value) for value in keras.tree.flatten(run(step))]

        return keras.tree.pack_sequence_as(logs, list(_while(count, 1, body, values)))


def _while(count: Tensor, first: int, run: Callable[..., Sequence[Tensor]], values: Sequence[Tensor] = ()) -> Any:
    """Call `run(step, *values)` for each step below `count`. Returns the last values.

    One iteration at a time: each step reads the variables that the step before it wrote.
    """

    def body(step: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        return step + 1, *run(step, *values)

    begin = (tf.constant(first), *values)
    return tf.while_loop(lambda step, *_: step < count, body, begin, parallel_iterations=1)[1:]


def packed(batch: tuple[Nested, Nested, Nested]) -> Nested:
    """Pack (x, y, sample_weight) as Keras passes a batch to a step: without trailing None."""
    return keras.utils.pack_x_y_sample_weight(*batch)


def choose(model: keras.Model, data: Nested, wanted: bool | None) -> tuple[bool, bool]:
    """Choose whether XLA compiles the loops: as `wanted`, as the model was compiled, or what is faster.

    Returns:
        (use XLA, whether that was asked for rather than chosen).
    """
    # `compile` does not keep what it was given, but "auto" is no XLA on a machine without a GPU, and XLA with one.
    by_default = bool(tf.config.list_logical_devices("GPU"))
    if wanted is None and model.jit_compile != by_default:
        wanted = model.jit_compile
    return (use_xla(model, data, model.distribute_strategy), False) if wanted is None else (wanted, True)


def train_step(
    model: keras.Model, batch: tuple[Nested, Nested, Nested], size: int | Tensor, weight: Tensor | None = None
) -> None:
    """Take Keras's training step on one of several replicas, with metrics updated on the device.

    Args:
        batch: (x, y, sample_weight), this replica's part.
        size: the number of examples that count in it.
        weight: scales this replica's loss where the global batch does not divide evenly among the replicas.
    """
    x, y, sample_weight = batch
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        predictions = call(model, x, training=True)
        loss = internals.compute_loss(model, x, y, predictions, sample_weight, training=True)
        share = loss if weight is None else loss * tf.cast(weight, loss.dtype)
        scaled = model.optimizer.scale_loss(share)
    _track_loss(model, loss, size)
    model.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
    model.compute_metrics(x, y, predictions, sample_weight)


def test_step(model: keras.Model, batch: tuple[Nested, Nested, Nested], size: int | Tensor) -> None:
    """Update the model's loss and metrics by one replica's `batch`, of which `size` examples count."""
    x, y, sample_weight = batch
    predictions = call(model, x, training=False)
    _track_loss(model, internals.compute_loss(model, x, y, predictions, sample_weight, training=False), size)
    model.compute_metrics(x, y, predictions, sample_weight)


def call(model: keras.Model, x: Nested, training: bool) -> Nested:
    """Call the model, with `training` if it takes that argument."""
    return model(x, training=training) if internals.takes_training(model) else model(x)


def _track_loss(model: keras.Model, loss: Tensor, size: int | Tensor) -> None:
    # Keras divides each replica's mean loss by R, so that gradients may be summed; the log wants the mean itself.
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    internals.loss_tracker(model).update_state(loss * replicas, sample_weight=size)


def _share(batch: int) -> tuple[Any, Any, Any]:
    """This replica's part of a global batch: rows [lo, hi), and how many of them count.

    A partial batch smaller than R leaves replicas without an example; they repeat the first one and count 0, because
    an empty batch would put NaN into moving averages. (The compiled metrics do see those repeated examples.)
    """
    context = tf.distribute.get_replica_context()
    replicas, mine = context.num_replicas_in_sync, context.replica_id_in_sync_group
    if replicas == 1:
        return 0, batch, batch
    lo, hi = batch * mine // replicas, batch * (mine + 1) // replicas
    size = hi - lo
    if batch < replicas:
        lo, hi = tf.where(tf.equal(size, 0), 0, lo), tf.where(tf.equal(size, 0), 1, hi)
    return lo, hi, size


def _plain(function: Callable[..., Any]) -> Any:
    return tf.autograph.experimental.do_not_convert(function)
