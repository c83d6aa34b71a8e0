"""The compiled loop, the same for every backend: data on the device, a permutation an epoch, many steps a call.

One compiled call runs many steps: gather, forward, backward, update, metrics. The host looks in a few times a second:
there the progress bar moves and Ctrl-C is heard. A callback that wants every batch gets every batch, and a call then
has one step.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import keras

from kerazoo.engine import arrays, hooks, internals
from kerazoo.engine.logs import plain
from kerazoo.engine.pace import Pace
from kerazoo.engine.saver import Saver
from kerazoo.engine.schedule import Part, part_of
from kerazoo.engine.types import Array, Frequency, Nested


class NotCompilable(Exception):
    """The model cannot be built before its first step, which the compiled loop needs."""


class Examples:
    """Arrays on the device, with the compiled loops that run over them."""

    def __init__(
        self, program: ModuleType, model: keras.Model, batch: int, data: Nested, size: int, jit: bool | None = None
    ) -> None:
        self.program, self.model, self.batch, self.size, self.jit = program, model, batch, size, jit
        self.data = program.place(model, data)
        self.full, self.tail = divmod(size, batch)
        self._own: Any = None
        self.steps = self.full + bool(self.tail)
        try:
            program.build(model, self.data)
        except Exception as error:  # whatever a model of one's own raises where it is only traced
            raise NotCompilable(f"it could not be built from the shapes alone ({type(error).__name__})") from error
        self.renew()

    def renew(self) -> None:
        """Compile anew where a callback has changed what the model trains, or its penalties."""
        self.loops = self.program.loops_of(self.model, self.data, self.jit)

    def train(self, order: Array, step: int, count: int) -> tuple[int, dict[str, Any]]:
        """Train on up to `count` steps from `step` on.

        Returns:
            The number of steps done, and the logs of the last as Keras gives them to batch hooks: the running means as
            floats, for which it waits, or what the model's own step gave.
        """
        if step == self.full:
            count, logs = 1, self.loops.train_tail(self.data, order, step * self.batch, self.tail)
        else:
            count = min(count, self.full - step)
            logs = self.loops.train(self.data, order, step * self.batch, count, self.batch)
        self._own = logs
        return count, self._logs()

    def evaluate(
        self, callbacks: keras.callbacks.CallbackList | None = None, steps: int | None = None
    ) -> dict[str, Any]:
        """Return loss and metrics over all examples, or the first `steps` batches, as a dict of floats."""
        listed = callbacks or keras.callbacks.CallbackList()
        self.renew()
        self.model.reset_metrics()
        self.model.stop_evaluating = False
        listed.on_test_begin()
        for begin, end, (first, count, batch) in self._test_calls(steps, hooks.every_test_batch(listed.callbacks)):
            listed.on_test_batch_begin(begin)
            self._own = self.loops.test(self.data, first, count, batch)
            listed.on_test_batch_end(end, self._logs())
            if self.model.stop_evaluating:
                break
        logs = self.epoch_logs()
        listed.on_test_end(logs)
        return logs

    def _test_calls(self, steps: int | None, one_by_one: object) -> Iterator[tuple[int, int, tuple[int, int, int]]]:
        """Yield (first step, last step, (first row, number of batches, batch size)) for each compiled call."""
        full, tail = self.full, self.tail
        if full and 0 < tail < self.program.least_test_batch(self.model):
            full, tail = full - 1, self.batch + tail  # a tail with something for every replica
        wanted = self.steps if steps is None else min(steps, self.steps)
        whole = min(full, wanted)
        at_once = 1 if one_by_one else max(whole, 1)
        for step in range(0, whole, at_once):
            yield step, step + at_once - 1, (step * self.batch, at_once, self.batch)
        if tail and wanted > full:
            yield full, self.steps - 1, (full * self.batch, 1, tail)

    def _logs(self) -> dict[str, Any]:
        """What the last step returned, or the running means where it returned nothing."""
        return plain(self.model.get_metrics_result() if self._own is None else self._own)

    def epoch_logs(self) -> dict[str, Any]:
        """The logs at the end of an epoch: the running means, or the results of a model's own step."""
        own = self._own
        return plain(self.model.get_metrics_result() if own is None else internals.result_or_logs(self.model, own))


@dataclass(frozen=True)
class RunOptions:
    """The arguments of `fit` that say how the epochs of a run go."""

    epochs: int
    initial_epoch: int = 0
    seed: int = 0
    shuffle: bool = True
    steps_per_epoch: int | None = None
    steps_per_call: int | None = None
    every_batch: bool = False
    validation_freq: Frequency = 1


def run(
    train: Examples,
    check: Callable[[keras.callbacks.CallbackList], dict[str, float]] | None,
    callbacks: keras.callbacks.CallbackList,
    saver: Saver,
    options: RunOptions,
) -> None:
    """Train a model.

    Args:
        train: the `Examples` to train on.
        check: a function of the callbacks that returns what is measured after an epoch, or None.
        callbacks: the run's `CallbackList`.
        saver: its `Saver`.
        options: its `RunOptions`.
    """
    model = train.model
    fixed = model.steps_per_execution if options.every_batch else options.steps_per_call
    pace = Pace(fixed or train.program.steps_per_call(model))
    model.stop_training = False
    callbacks.on_train_begin()
    start = internals.wanted_initial_epoch(model) or options.initial_epoch
    logs: dict[str, Any] = {}
    for epoch in range(max(start, saver.epoch), options.epochs):
        if saver.stopped:
            break
        part = part_of(epoch, train.steps, options.steps_per_epoch, options.initial_epoch)
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        train.renew()
        first = 0
        if saver.saved and epoch == saver.epoch and saver.step:
            # Stopped within this epoch: its beginning has already had its effect on weights, metrics and callbacks.
            first = saver.step
            saver.restore(("model", "optimizer", "metrics"))
        logs = _epoch(train, callbacks, saver, pace, options, epoch, part, first)
        if check is not None and is_due(epoch, options.validation_freq):
            logs.update({f"val_{name}": value for name, value in check(callbacks).items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if model.optimizer is not None and options.epochs > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)


def _epoch(
    train: Examples,
    callbacks: keras.callbacks.CallbackList,
    saver: Saver,
    pace: Pace,
    options: RunOptions,
    epoch: int,
    part: Part,
    done: int,
) -> dict[str, Any]:
    """Train on the part of the data that an epoch reads, from its step `done` on; returns the logs."""
    model, last = train.model, part.last - part.first
    order = arrays.order(train.size, options.seed, part.number, options.shuffle)
    order = train.program.place_order(model, order)
    while done < last and not model.stop_training:
        callbacks.on_train_batch_begin(done)
        began = time.perf_counter()
        count, logs = train.train(order, part.first + done, min(pace.steps, last - done))
        done += count
        pace.took(count, time.perf_counter() - began)
        callbacks.on_train_batch_end(done - 1, logs)
        if saver.interrupted:
            saver.save(epoch, done)
            raise KeyboardInterrupt
    if part.short:
        warnings.warn(
            f"the data ended after {last} of {options.steps_per_epoch} steps_per_epoch; the epoch ends there",
            stacklevel=4,
        )
    return train.epoch_logs()


def is_due(epoch: int, frequency: Frequency) -> bool:
    """Whether to validate after `epoch` (from 0): `frequency` is an interval, or a collection of epochs from 1."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
