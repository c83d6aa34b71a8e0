"""kerazoo's engine and plain Keras `fit` as contenders: both train a Keras model and are timed by one callback."""

import time
from typing import Any

import keras
from hardware import policy
from work import Work

import kerazoo
from kerazoo import engine
from kerazoo.engine.pace import SECONDS_PER_CALL
from kerazoo.factory import dtype_policy
from peers import keras_programs


class _Clock(keras.callbacks.Callback):
    """Times the epoch, without what `fit` sets up before it; both sides have the last step's result when it ends."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.began


class _FirstStep(keras.callbacks.Callback):
    """Times the call of `fit` until its first step is done: tracing, compiling and placing the data."""

    def __init__(self):
        super().__init__()
        self.began, self.seconds = time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        if self.seconds is None:
            self.seconds = time.perf_counter() - self.began


class Plain:
    """Plain Keras: the document's program and `model.fit`."""

    name, form = "keras", "Keras fit, as it comes"

    def __init__(self, work: Work, ours: keras.Model):
        self.work = work
        with dtype_policy(policy(work.precision)):
            self.model = self.make(ours)
        self.first_step_s: float | None = None
        self.data: dict[int, tuple[Any, Any]] = {}

    def make(self, ours: keras.Model) -> keras.Model:
        """Return the model to train, with the weights of `ours`."""
        return keras_programs.build(ours, self.work.name, self.work.options)

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds."""
        x, y = self.data.setdefault(steps, self.work.rows(steps))
        clock, callbacks = _Clock(), []
        if self.first_step_s is None:
            callbacks = [_FirstStep()]
        self.fit(x, y, steps=steps, shuffle=shuffle, callbacks=[clock, *callbacks])
        if callbacks:
            self.first_step_s = callbacks[0].seconds
        return clock.seconds

    def fit(self, x, y, steps, **options):
        """Train one epoch."""
        self.model.fit(x, y, batch_size=self.work.batch_size, epochs=1, verbose=0, **options)

    def loss_after(self, steps: int) -> float:
        """Train `steps` steps in the order in which the examples lie; return the mean loss over them afterwards."""
        self.train(steps, shuffle=False)
        x, y = self.data[steps]
        return float(self.model.evaluate(x, y, batch_size=512, verbose=0, return_dict=True)["loss"])


class Kerazoo(Plain):
    """kerazoo's model and engine."""

    name, form = "kerazoo", "kerazoo.engine.fit"

    def __init__(self, work: Work, ours: keras.Model):
        super().__init__(work, ours)
        self.pace: dict[int, int] = {}

    def make(self, ours: keras.Model) -> keras.Model:
        """Return `ours` itself: it was the first to be built."""
        return ours

    def fit(self, x, y, steps, **options):
        """Train one epoch; later epochs run as many steps a call as the engine would settle at in a long run."""
        began = time.perf_counter()
        per_call = self.pace.get(steps)
        engine.fit(self.model, x, y, batch_size=self.work.batch_size, verbose=0, steps_per_call=per_call, **options)
        if per_call is None or steps not in self.pace:
            seconds = (time.perf_counter() - began) / steps
            self.pace[steps] = max(1, min(steps, int(SECONDS_PER_CALL / seconds)))


def build(work: Work) -> keras.Model:
    """Return kerazoo's model for the work; the contenders take their first weights from it."""
    with dtype_policy(policy(work.precision)):
        return kerazoo.build(work.name, seed=0, **work.options)
