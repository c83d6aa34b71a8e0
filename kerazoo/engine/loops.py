"""The compiled loops: many training or evaluation steps in one call, data, metrics and optimizer on the device.

Symbols: N examples, B batch size, R replicas.
"""

import contextlib
import functools

import keras
import tensorflow as tf

from kerazoo.engine import resident
from kerazoo.layers import faster

# A faster LSTM saves what tracing it costs in about four epochs of so many examples; shorter ones take the plain one.
# Evaluation is ahead sooner, since nothing is unrolled for it.
EXAMPLES_WORTH_TRACING = 320
BATCHES_WORTH_TABLE = 4


def loops_of(model, strategy, jit):
    """The loops compiled for `model`, kept on it until it is compiled anew or trains otherwise."""
    token = token_of(model, strategy, jit)
    kept = model.__dict__.get("_kerazoo_loops")
    if kept is None or kept.token != token:
        kept = Loops(model, strategy, jit, token)
        # Past Keras's attribute tracking, which would make the loops part of a saved model.
        object.__setattr__(model, "_kerazoo_loops", kept)
    return kept


def token_of(model, strategy, jit):
    """What compiled loops depend on: how the model was compiled, what it trains, and with which penalties."""
    trained = [(_Same(v), _Same(v.regularizer)) for v in model.trainable_variables]
    return (model._loss_tracker, strategy, jit, trained)


class _Same:
    """Equal where it holds the very same object; held, so that no later object can have taken its identity."""

    def __init__(self, held):
        self.held = held

    def __eq__(self, other):
        return self.held is other.held

    def __hash__(self):
        return id(self.held)


def build(model, data, strategy):
    """Create all variables of model, metrics and optimizer, so that state can be restored before a step."""
    local = keras.tree.map_structure(lambda t: None if t is None else strategy.experimental_local_results(t)[0], data)
    model._symbolic_build(data_batch=resident.spec(local))


class Loops:
    """`train` and `test`: run `count` steps of B examples each, as one compiled call, from row `first` on."""

    def __init__(self, model, strategy, jit, token=None):
        self.model, self.strategy, self.jit, self.token = model, strategy, jit, token
        self._compiled = {}

    def train(self, data, order, first, count, batch):
        """Train on rows `order[first : first + count * batch]`; `order` is int32 (N,), the numbers are ints."""
        # For XLA at any length: there Keras's dropout would take a hundred times as long.
        fast = self.jit or len(order) >= EXAMPLES_WORTH_TRACING
        self._function(self._train_loop, batch, self.jit, fast)(data, order, tf.constant(first), tf.constant(count))

    def train_tail(self, data, order, first, batch):
        """One step on the last, partial batch. One step an epoch is not worth a second XLA compilation."""
        self._function(self._train_loop, batch, False, False)(data, order, tf.constant(first), tf.constant(1))

    def test(self, data, first, count, batch):
        """Evaluate `count` batches of consecutive rows from `first` on, adding to the model's metrics."""
        self._function(self._test_loop, batch, False, count >= BATCHES_WORTH_TABLE)(
            data, tf.constant(first), tf.constant(count)
        )

    def _function(self, loop, batch, jit, fast):
        key = (loop.__name__, batch, jit, fast)
        if key not in self._compiled:
            self._compiled[key] = tf.function(functools.partial(loop, batch, fast), jit_compile=jit, autograph=False)
        return self._compiled[key]

    def _train_loop(self, batch, fast, data, order, first, count):
        def rows_of(step):
            # Not a slice: XLA takes a slice's start for a constant and would compile anew for each value of `first`.
            return tf.gather(order, first + step * batch + tf.range(batch))  # (B,)

        def replica(data, rows):
            lo, hi, size = _share(batch)
            replicas = self.strategy.num_replicas_in_sync
            weight = size * replicas / batch if batch % replicas else None
            train_step(self.model, resident.gather(data, rows[lo:hi]), size, weight)

        with self._faster(fast):
            self._repeat(count, lambda step: self.strategy.run(_plain(replica), args=(data, rows_of(step))))

    def _test_loop(self, batch, fast, data, first, count):
        def replica(data, start):
            lo, hi, size = _share(batch)
            test_step(self.model, resident.cut(data, start + lo, hi - lo), size)

        with self._faster(fast, table=True):
            self._repeat(count, lambda step: self.strategy.run(_plain(replica), args=(data, first + step * batch)))

    def _faster(self, wanted, table=False):
        """The context to trace in: layers in their faster form, where that is `wanted` and there is one replica."""
        if not wanted or self.strategy.num_replicas_in_sync > 1:
            return contextlib.nullcontext()
        return faster.tabulated(self.model) if table else faster.accelerated(self.model)

    def _repeat(self, count, run):
        def body(step):
            run(step)
            return (step + 1,)

        # One iteration at a time: each step reads the variables that the step before it wrote.
        tf.while_loop(lambda step: step < count, body, (tf.constant(0),), parallel_iterations=1)


def train_step(model, batch, size, weight=None):
    """One optimizer step, metrics added on the device; the mathematics of Keras.

    Args:
        batch: (x, y, sample_weight), this replica's part.
        size: the number of examples that count in it.
        weight: scales this replica's loss where the global batch does not divide evenly among the replicas.
    """
    x, y, sample_weight = batch
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        predictions = call(model, x, training=True)
        loss = model.compute_loss(x, y, predictions, sample_weight, training=True)
        share = loss if weight is None else loss * tf.cast(weight, loss.dtype)
        scaled = model.optimizer.scale_loss(share)
    _track_loss(model, loss, size)
    model.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
    model.compute_metrics(x, y, predictions, sample_weight)


def test_step(model, batch, size):
    """Add `batch`, of which `size` examples count, to the model's loss and metrics, dropout off."""
    x, y, sample_weight = batch
    predictions = call(model, x, training=False)
    _track_loss(model, model.compute_loss(x, y, predictions, sample_weight, training=False), size)
    model.compute_metrics(x, y, predictions, sample_weight)


def call(model, x, training):
    """Apply the model, telling it `training` where it asks."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def _track_loss(model, loss, size):
    # Keras divides each replica's mean loss by R, so that gradients may be summed; the log wants the mean itself.
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    model._loss_tracker.update_state(loss * replicas if replicas > 1 else loss, sample_weight=size)


def _share(batch):
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


def _plain(function):
    return tf.autograph.experimental.do_not_convert(function)
