"""Checks of arguments before anything is built; each error is one line."""

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from kerazoo.engine import checkpoint, internals
from kerazoo.engine.types import Directory, Frequency
from kerazoo.errors import InputError
from kerazoo.files import try_writing


def model(given: object) -> None:
    """Raise InputError unless this is a Keras model."""
    if not isinstance(given, keras.Model):
        told = f"{given!r}" if isinstance(given, str) else f"a {type(given).__name__}"
        raise InputError(f"{told} is no keras.Model; kerazoo.build(name) builds one, kerazoo.train(name) trains one")


def compiled(given: Any, batch_size: int | None) -> None:
    """Raise InputError for a model that was not compiled, or a batch size below 1."""
    model(given)
    if not getattr(given, "compiled", False):
        raise InputError(f"the model {given.name!r} is not compiled; call model.compile(optimizer, loss) first")
    at_least("batch_size", batch_size, 1, or_none=True)


def fit(
    given: Any,
    batch_size: int | None,
    validation_freq: Frequency,
    callbacks: Sequence[object],
    resume: bool,
    checkpoint_dir: Directory | None,
    strategy: Any,
    numbers: Mapping[str, object],
    positive: Mapping[str, object],
) -> None:
    """Raise InputError for arguments of `fit` that would fail later, or never end.

    Args:
        numbers: by name, what has to be a whole number, 0 or more.
        positive: by name, what has to be one from 1 on, or None.
    """
    compiled(given, batch_size)
    for name, value in numbers.items():
        at_least(name, value, 0)
    for name, value in positive.items():
        at_least(name, value, 1, or_none=True)
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise InputError(f"callbacks holds {callback!r}: wanted instances of keras.callbacks.Callback")
    if not isinstance(validation_freq, (list, tuple, set, range)):
        at_least("validation_freq", validation_freq, 1)
    _directory(checkpoint_dir, resume)
    others = internals.other_optimizers(given)
    if checkpoint_dir is not None and others:
        raise InputError(f"checkpoint_dir keeps the state of model.optimizer alone, and the model has {others[0]} too")
    if strategy is not None and strategy is not getattr(given, "distribute_strategy", None):
        raise InputError("create and compile the model inside strategy.scope(), then fit with that strategy")


def _directory(path: Any, resume: bool) -> None:
    """Raise InputError for a checkpoint directory that cannot be written, or holds another run's checkpoints."""
    if path is None:
        if resume:
            raise InputError("resume=True needs the checkpoint_dir of the run to go on with")
        return
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise InputError(f"checkpoint_dir={path!r}: wanted the path of a directory")
    try:
        if Path(path).exists() and not Path(path).is_dir():
            raise InputError(f"checkpoint_dir={str(path)!r} is a file; name a directory")
        try_writing(Path(path))
    except OSError as error:
        raise InputError(f"checkpoint_dir={str(path)!r} cannot be written: {error.strerror}") from None
    if not resume and checkpoint.paths(path):
        raise InputError(f"{str(path)!r} holds the checkpoints of a run; resume=True goes on with it, or name another")


def at_least(name: str, value: Any, least: int, or_none: bool = False) -> None:
    """Raise InputError unless the value is a whole number, `least` or more."""
    if value is None and or_none:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise InputError(f"{name}={value!r}: wanted a whole number, {least} or more")


def capped(epochs: int, steps_per_epoch: int | None) -> tuple[int, int | None]:
    """Apply Keras's debugging caps to epochs and steps, with a warning where they reduce one."""
    most, most_steps = internals.max_epochs(), internals.max_steps_per_epoch()
    if most and most < epochs:
        warnings.warn(f"keras.config caps the epochs at {most}", stacklevel=3)
        epochs = most
    if most_steps and (not steps_per_epoch or most_steps < steps_per_epoch):
        warnings.warn(f"keras.config caps the steps at {most_steps}", stacklevel=3)
        steps_per_epoch = most_steps
    return epochs, steps_per_epoch
