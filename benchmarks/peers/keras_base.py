"""The base class of kerazoo and Keras as contenders: a Keras model, its examples, and the timer."""

import time
from typing import Any

import keras
from work import Work

from kerazoo.factory import dtype_policy


class _Clock(keras.callbacks.Callback):
    """Times the epoch, without the set-up of `fit` before it; either `fit` has the last step's result when it ends."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self.began


class _FirstStep(keras.callbacks.Callback):
    """Times the call of `fit` until its first step is done: tracing, compiling and placing the data."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.seconds = time.perf_counter(), 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self.seconds:
            float(next(iter((logs or {"": 0.0}).values())))  # waits for the device
            self.seconds = time.perf_counter() - self.began


class Side:
    """A contender with a Keras model, its data by the number of steps, and the timer."""

    form = ""

    def __init__(self, work: Work):
        self.work = work
        self.first_step_s: float | None = None
        self.data: dict[int, tuple[Any, Any]] = {}
        with dtype_policy("float32" if work.precision == "tf32" else work.precision):
            self.model = self.make()

    def make(self) -> keras.Model:
        """Return the model, compiled, with the work's first weights."""
        raise NotImplementedError

    def fit(self, x: Any, y: Any, steps: int, **options: Any) -> None:
        """Train one epoch."""
        raise NotImplementedError

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds."""
        if steps not in self.data:
            self.data = {steps: self.work.rows(steps)}
        x, y = self.data[steps]
        clock, first = _Clock(), _FirstStep()
        self.fit(x, y, steps=steps, shuffle=shuffle, callbacks=[clock, *([first] if self.first_step_s is None else [])])
        self.first_step_s = self.first_step_s or first.seconds
        return clock.seconds

    def loss_after(self, steps: int) -> float:
        """Train `steps` steps in the order in which the examples lie; return the mean loss over them afterwards."""
        self.train(steps, shuffle=False)
        x, y = self.data[steps]
        return float(self.model.evaluate(x, y, batch_size=512, verbose=0, return_dict=True)["loss"])
