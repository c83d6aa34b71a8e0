"""Stop training that has diverged: a loss, a weight or an optimizer state is NaN or infinite."""

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import keras
import numpy as np

from kerazoo.engine.types import Logs
from kerazoo.errors import NotFiniteError

_ADVICE = "try a smaller learning rate, clipnorm=1 in the optimizer, or data on a smaller scale"


class Guard(keras.callbacks.Callback):
    """Raises `NotFiniteError`, which names epoch and step, at the first loss that is NaN or infinite.

    At the end the weights are looked at, too; before every checkpoint `Saver` looks at what it saves.
    """

    every_batch = False

    def __init__(self) -> None:
        super().__init__()
        self.epoch, self.first = 0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note which epoch it is."""
        self.epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Note where the steps of a call begin."""
        self.first = batch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Check the running mean of the loss: once one step's loss is infinite or NaN, it stays so."""
        logs = logs or {}
        if _bad(logs.get("loss")):
            at = f"step {batch + 1}" if batch <= self.first else f"one of the steps {self.first + 1} to {batch + 1}"
            self._stop(f"the loss is {logs['loss']} in epoch {self.epoch + 1}, at {at}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Check the losses of the epoch, on training and on validation data."""
        logs = logs or {}
        for name in ("loss", "val_loss"):
            if _bad(logs.get(name)):
                self._stop(f"{name} is {logs[name]} after epoch {epoch + 1}")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Check the weights."""
        for variable in self.model.trainable_variables:
            if not finite(keras.ops.convert_to_numpy(variable.value)):
                self._stop(f"the weights '{variable.path}' are not finite after epoch {self.epoch + 1}")

    def _stop(self, what: str) -> NoReturn:
        raise NotFiniteError(f"training of '{self.model.name}' has diverged: {what}; {_ADVICE}")


def guards(callbacks: Sequence[keras.callbacks.Callback]) -> list[keras.callbacks.Callback]:
    """The guard to add to `callbacks`: none where they have one, or Keras's `TerminateOnNaN`."""
    known = (Guard, keras.callbacks.TerminateOnNaN)
    return [] if any(isinstance(callback, known) for callback in callbacks) else [Guard()]


def finite(array: Any) -> bool:
    """Whether an array, of whatever dtype, has no NaN and no infinity."""
    array = np.asarray(array)
    if array.dtype.kind in "biuUSO":
        return True
    return bool(np.isfinite(array if array.dtype.kind in "fc" else array.astype(np.float32)).all())


def _bad(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
