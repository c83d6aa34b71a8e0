"""Keras's own loop, for what the compiled loop does not cover: streams, eager models, other backends."""

from typing import Any

import keras
import numpy as np

from kerazoo.engine import hooks
from kerazoo.engine.guard import guards
from kerazoo.engine.logs import plain
from kerazoo.engine.saver import Saver
from kerazoo.engine.types import Callbacks, Logs, Nested

_STEPS_PER_CALL = 16


def fit(
    model: keras.Model,
    x: Nested,
    y: Nested,
    callbacks: Callbacks,
    saver: Saver,
    *,
    seed: int,
    initial_epoch: int,
    steps_per_call: int | None,
    **options: Any,
) -> keras.callbacks.History:
    """Call `model.fit` with checkpoints; it resumes at an epoch's start, since a stream's position cannot be restored.

    On TensorFlow, several steps run in one call where no strategy forbids it (Keras fails there) and no callback wants
    every batch.

    Args:
        callbacks: those of the run, a list or a Keras `CallbackList`.
        saver: the run's `Saver`.
        seed: of Keras's shuffling of arrays, where that is NumPy's (not on TensorFlow).
        options: further arguments of `model.fit`.

    Returns:
        The History.
    """
    if saver.stopped:
        options["epochs"] = saver.epoch  # stopped early: only the callbacks' ends are left to run
    per_execution = model.steps_per_execution
    graph = keras.backend.backend() == "tensorflow" and not model.run_eagerly
    quiet = not hooks.every_train_batch(hooks.flat(callbacks)) and not hooks.every_test_batch(hooks.flat(callbacks))
    if quiet and graph and per_execution == 1 and model.distribute_strategy.num_replicas_in_sync == 1:
        model.steps_per_execution = _per_call(steps_per_call or _STEPS_PER_CALL, options.get("steps_per_epoch"))
        model.train_function = model.test_function = None
    if isinstance(callbacks, keras.callbacks.CallbackList):
        listed = hooks.listed(callbacks, saver, model)
    else:
        reseed = [] if keras.backend.backend() == "tensorflow" else [_Reseed(seed)]
        listed = [*reseed, *callbacks, *guards(callbacks), *([saver] if saver.directory is not None else [])]
    try:
        with saver:
            return model.fit(x, y, initial_epoch=max(initial_epoch, saver.epoch), callbacks=listed, **options)
    finally:
        if model.steps_per_execution != per_execution:
            model.steps_per_execution = per_execution
            model.train_function = model.test_function = None


def _per_call(wanted: int, steps_per_epoch: int | None) -> int:
    # Keras runs whole calls only: with 4 steps a call, an epoch of 17 would draw 20 batches from an endless stream.
    return max(k for k in range(1, wanted + 1) if not steps_per_epoch or steps_per_epoch % k == 0)


def evaluate(model: keras.Model, x: Nested, y: Nested, **options: Any) -> dict[str, Any]:
    """Call `model.evaluate`; returns a dict."""
    return plain(model.evaluate(x, y, verbose=0, return_dict=True, **options))


class _Reseed(keras.callbacks.Callback):
    """Seeds NumPy's global generator by (seed, epoch) before each epoch, because Keras shuffles with it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        np.random.seed(np.random.SeedSequence([self.seed, epoch]).generate_state(4))
