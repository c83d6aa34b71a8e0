"""What the experiments that train have in common: their data, their progress, and numbers short enough to keep."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kerazoo import Dataset, Setting, engine, load_data
from kerazoo.lazy import keras, np

Say = Callable[[str], None]
Result = TypeVar("Result")


def data_of(name: str, setting: Setting, **options: Any) -> Dataset:
    """Return the real data of the model `name`, from where the setting says."""
    return load_data(name, data_dir=setting.data_dir, source=setting.source, **options)


def some_of(data: Dataset, count: int, seed: int) -> Dataset:
    """Return the data with `count` of its training examples, drawn by `seed`; the test split stays whole."""
    rows = np.random.default_rng([seed, count]).choice(len(data.x_train), size=count, replace=False)
    return dataclasses.replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])


def fitted(model: keras.Model, x: Any, y: Any, **call: Any) -> keras.Model:
    """Return the compiled model after `engine.fit`, silent unless the `call` has callbacks that speak."""
    engine.fit(model, x, y, verbose=0, **call)
    return model


def gap_of(model: keras.Model, data: Dataset) -> dict[str, float]:
    """Return how much better the trained model is on its training examples than on the test split, dropout off.

    `loss_gap` is test minus training loss, `accuracy_gap` training minus test accuracy. Penalties are in none of them.
    """
    train = engine.evaluate(model, data.x_train, data.y_train, batch_size=1000)
    test = engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)
    return {
        "train_accuracy": train["accuracy"],
        "test_accuracy": test["accuracy"],
        "test_loss": test["loss"],
        "loss_gap": test["loss"] - train["loss"],
        "accuracy_gap": train["accuracy"] - test["accuracy"],
    }


def counterbalanced(calls: Mapping[str, Callable[[], Result]], seed: int) -> dict[str, Result]:
    """Return what each call returns, by its name; a seed of odd number calls them in the reverse order."""
    names = list(calls)
    results = {name: calls[name]() for name in (reversed(names) if seed % 2 else names)}
    return {name: results[name] for name in names}


class StepClock:
    """Times the training steps of each epoch, without what follows them (validation, callbacks of the epoch)."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        # The engine calls the hook of the batch when the device has done the steps.
        self.callback = keras.callbacks.LambdaCallback(on_epoch_begin=self._begin, on_train_batch_end=self._done)

    def _begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()
        self.seconds.append(0.0)

    def _done(self, batch: int, logs: Any = None) -> None:
        self.seconds[-1] = time.perf_counter() - self._began


def told(say: Say, what: str) -> keras.callbacks.Callback:
    """Return a callback that tells each epoch's loss and metrics in one line."""

    def tell(epoch: int, logs: Mapping[str, float]) -> None:
        say(f"{what}: epoch {epoch + 1}, " + ", ".join(f"{name} {value:.4f}" for name, value in logs.items()))

    return keras.callbacks.LambdaCallback(on_epoch_end=tell)


def rounded(value: Any, digits: int = 5) -> Any:
    """Return numbers as Python floats of so many significant digits, in dicts and lists as they are nested.

    Whole numbers, texts and truth values stay as they are; arrays become lists.
    """
    if isinstance(value, Mapping):
        return {key: rounded(each, digits) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each, digits) for each in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return rounded(value.tolist(), digits)
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
