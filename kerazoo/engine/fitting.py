"""The training engine: `fit` and `evaluate` for any compiled Keras model, the same mathematics as Keras's, faster.

The data lie on the device, each epoch has its permutation, and one compiled call runs many steps: gather, forward,
backward, update, metrics. The host looks in a few times a second: there callbacks' batch hooks run, the progress bar
moves and Ctrl-C is heard. What this form does not cover goes through Keras's own loop: see `streaming`.
"""

import time

import keras
import tensorflow as tf

from kerazoo.engine import jit as jit_choice
from kerazoo.engine import loops, resident, streaming
from kerazoo.engine.pace import Pace
from kerazoo.engine.saver import Saver

_STEPS_OF_WORKERS = 50  # of one compiled call on several hosts


def fit(
    model,
    x,
    y=None,
    *,
    batch_size=32,
    epochs=1,
    initial_epoch=0,
    validation_data=None,
    callbacks=(),
    sample_weight=None,
    class_weight=None,
    seed=0,
    shuffle=True,
    steps_per_call=None,
    jit=None,
    checkpoint_dir=None,
    resume=False,
    strategy=None,
    steps_per_epoch=None,
    verbose="auto",
):
    """Train a compiled model as `model.fit` does.

    Args:
        model: a compiled `keras.Model`.
        x, y, sample_weight: arrays (N, ...), or nested dicts, lists, tuples of them; or `x` alone as a
            `tf.data.Dataset`, PyDataset or generator of batches.
        batch_size: examples of one step, over all replicas together. The last, partial batch is trained on, too.
        epochs, initial_epoch, validation_data, class_weight, steps_per_epoch, verbose: as in `model.fit`.
        callbacks: Keras callbacks. Batch hooks run once a compiled call, with the number of its first and last step.
        seed: of the order of examples; epoch e reads the permutation of `(seed, e)`. Dropout draws from the model's own
            seed generators, so seed those (`keras.utils.set_random_seed`) when the model is built.
        steps_per_call: steps of one compiled call; by default as many as take about 0.3 s, on several hosts 50. The
            result is the same.
        jit: True for XLA, False for a graph, None for what is faster for these layers on this device.
        checkpoint_dir: the state is saved there after each epoch and on Ctrl-C; the last two are kept.
        resume: go on from the newest checkpoint of `checkpoint_dir`, if there is one. On the same CPU, weights and
            history come out as if the run had never stopped.
        strategy: the `tf.distribute.Strategy` the model was created under; by default found from the model.

    Returns:
        The `keras.callbacks.History`, of all epochs, those before a resume included.

    Raises:
        ValueError: the model is not compiled or belongs to another strategy, the arrays do not fit together, or
            `resume` without `checkpoint_dir`; `CheckpointError` where the checkpoint belongs to another model or run.
        KeyboardInterrupt: after Ctrl-C, the state being saved.
    """
    _check(model, batch_size, resume, checkpoint_dir)
    callbacks = list(keras.tree.flatten(callbacks)) if callbacks else []
    if not any(isinstance(c, keras.callbacks.History) for c in callbacks):
        callbacks.append(keras.callbacks.History())
    arrays = resident.qualifies(x, y, sample_weight)
    settings = {"seed": seed, "shuffle": bool(shuffle), "batch_size": batch_size if arrays else None}
    if streaming.needed(model) or not arrays:
        saver = Saver(checkpoint_dir, callbacks, resume=resume, settings=settings)
        return streaming.fit(
            model,
            x,
            y,
            saver,
            seed=seed,
            batch_size=batch_size if arrays else None,
            epochs=epochs,
            initial_epoch=initial_epoch,
            validation_data=validation_data,
            sample_weight=sample_weight,
            class_weight=class_weight,
            shuffle=shuffle and arrays,
            steps_per_epoch=steps_per_epoch,
            verbose=verbose,
            steps_per_call=steps_per_call,
        )
    if steps_per_epoch is not None:
        raise ValueError("steps_per_epoch is for data sets and generators; arrays are read whole every epoch")
    strategy = _strategy(model, strategy)
    if strategy.extended._in_multi_worker_mode():
        # Not public, but the only way to ask. By the clock each worker would choose its own number of steps, and wait
        # forever for the others at its end.
        steps_per_call = steps_per_call or _STEPS_OF_WORKERS
    saver = Saver(
        checkpoint_dir, callbacks, resume=resume, settings=settings, write=strategy.extended.should_checkpoint
    )
    with saver, strategy.scope():
        train = _Data(model, strategy, batch_size, jit, x, y, sample_weight, class_weight)
        check = _validation(model, strategy, validation_data, batch_size, jit)
        callbacks = keras.callbacks.CallbackList(
            [*callbacks, saver],
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=train.steps,
        )
        _train(model, train, check, callbacks, saver, range(initial_epoch, epochs), seed, shuffle, steps_per_call)
    return model.history


def evaluate(model, x, y=None, *, batch_size=32, sample_weight=None):
    """Loss and metrics of a compiled model, as `model.evaluate(..., return_dict=True)`.

    Args:
        model, x, y, batch_size, sample_weight: as in `fit`.

    Raises:
        ValueError: the model is not compiled, or the arrays do not fit together.
    """
    _check(model, batch_size)
    if streaming.needed(model) or not resident.qualifies(x, y, sample_weight):
        return streaming.evaluate(model, x, y, batch_size=batch_size, sample_weight=sample_weight)
    strategy = _strategy(model, None)
    with strategy.scope():
        return _Data(model, strategy, batch_size, None, x, y, sample_weight).evaluate()


class _Data:
    """Arrays on the device, with the compiled loops that run over them."""

    def __init__(self, model, strategy, batch, jit, x, y=None, sample_weight=None, class_weight=None):
        self.model, self.batch = model, batch
        self.tensors, self.size = resident.place(x, y, sample_weight, class_weight, strategy=strategy)
        self.full, self.tail = divmod(self.size, batch)
        self.steps = self.full + bool(self.tail)
        loops.build(model, self.tensors, strategy)
        self.strategy, self.jit = strategy, jit_choice.use_xla(model, self.tensors, strategy) if jit is None else jit
        self.fall_back = jit is None
        self.loops = loops.loops_of(model, strategy, self.jit)

    def renew(self):
        """Compile anew where a callback has changed what the model trains, or its penalties."""
        if self.loops.token != loops.token_of(self.model, self.strategy, self.jit):
            self.loops = loops.loops_of(self.model, self.strategy, self.jit)

    def train(self, order, step, count):
        """Train on up to `count` steps from `step` on; returns the number of steps done."""
        if step == self.full:
            self.loops.train_tail(self.tensors, order, step * self.batch, self.tail)
            return 1
        count = min(count, self.full - step)
        try:
            self.loops.train(self.tensors, order, step * self.batch, count, self.batch)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if not (self.jit and self.fall_back):
                raise
            # An operation that XLA does not have, found while compiling, before any step ran: a graph takes it.
            self.jit, self.loops = False, loops.loops_of(self.model, self.strategy, False)
            return self.train(order, step, count)
        self.fall_back = False
        return count

    def evaluate(self, callbacks=None):
        """Loss and metrics over all examples: dict of floats."""
        callbacks = callbacks or keras.callbacks.CallbackList()
        self.renew()
        self.model.reset_metrics()
        callbacks.on_test_begin()
        callbacks.on_test_batch_begin(0)
        full, tail = self.full, self.tail
        if full and 0 < tail < self.strategy.num_replicas_in_sync:
            full, tail = full - 1, self.batch + tail  # a tail with something for every replica
        if full:
            self.loops.test(self.tensors, 0, full, self.batch)
        if tail:
            self.loops.test(self.tensors, full * self.batch, 1, tail)
        logs = _logs(self.model)
        callbacks.on_test_batch_end(self.steps - 1, logs)
        callbacks.on_test_end(logs)
        return logs


def _train(model, train, check, callbacks, saver, epochs, seed, shuffle, steps_per_call):
    pace = Pace(steps_per_call)
    model.stop_training = False
    callbacks.on_train_begin()
    logs = {}
    for epoch in range(max(epochs.start, saver.epoch), epochs.stop):
        if saver.stopped:
            break
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        train.renew()
        first = saver.step if saver.saved and epoch == saver.epoch else 0
        if first:
            # Stopped within this epoch: its beginning has already had its effect on weights, metrics and callbacks.
            saver.restore(("model", "optimizer", "metrics"))
        logs = _epoch(
            model, train, callbacks, saver, pace, epoch, first, resident.order(train.size, seed, epoch, shuffle)
        )
        if check is not None:
            logs.update({f"val_{name}": value for name, value in check(callbacks).items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)


def _epoch(model, train, callbacks, saver, pace, epoch, step, order):
    order = tf.constant(order)
    while step < train.steps and not model.stop_training:
        callbacks.on_train_batch_begin(step)
        began = time.perf_counter()
        done = train.train(order, step, pace.steps)
        step += done
        logs = _logs(model)  # waits for the device
        pace.took(done, time.perf_counter() - began)
        callbacks.on_train_batch_end(step - 1, logs)
        if saver.interrupted:
            saver.save(epoch, step)
            raise KeyboardInterrupt
    return _logs(model)


def _validation(model, strategy, data, batch_size, jit):
    """A function of the callbacks that evaluates `data`, which is placed on the device once; None without data."""
    if data is None:
        return None
    if isinstance(data, (tuple, list)) and resident.qualifies(*data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(data))
        return _Data(model, strategy, batch_size, jit, x, y, weight).evaluate
    return lambda callbacks: model.evaluate(data, verbose=0, callbacks=callbacks, return_dict=True)


def _logs(model):
    """The running means as Python floats, sorted by name as Keras does."""
    return streaming.plain(model.get_metrics_result())


def _check(model, batch_size, resume=False, checkpoint_dir=None):
    if not getattr(model, "compiled", False):
        raise ValueError(f"the model {model.name!r} is not compiled; call model.compile(optimizer, loss) first")
    if batch_size is None or batch_size < 1:
        raise ValueError(f"batch_size must be a positive number, got {batch_size!r}")
    if resume and checkpoint_dir is None:
        raise ValueError("resume=True needs the checkpoint_dir of the run to go on with")


def _strategy(model, strategy):
    own = model.distribute_strategy
    if strategy is not None and strategy is not own:
        raise ValueError("create and compile the model inside strategy.scope(), then fit with that strategy")
    return own
