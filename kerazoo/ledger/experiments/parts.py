"""What the experiments that train have in common: their data, their progress, and numbers short enough to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kerazoo.data import Dataset, load_data
from kerazoo.lazy import keras
from kerazoo.ledger.catalog import Setting

Say = Callable[[str], None]


def data_of(name: str, setting: Setting, **options: Any) -> Dataset:
    """Return the real data of the model `name`, from where the setting says."""
    return load_data(name, data_dir=setting.data_dir, source=setting.source, **options)


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
