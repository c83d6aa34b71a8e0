"""Keras callbacks around compiled calls: which must see every batch, and the `CallbackList` of a run."""

from collections.abc import Sequence
from typing import Any

import keras

from kerazoo.engine.guard import guards
from kerazoo.engine.saver import Saver
from kerazoo.engine.types import Callbacks

_TRAIN = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
_TEST = ("on_test_batch_begin", "on_test_batch_end")


def flat(callbacks: Callbacks) -> list[keras.callbacks.Callback]:
    """Return callbacks as a list, from a single one, several, None, or a Keras `CallbackList`."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks)) if callbacks is not None else []


def every_train_batch(callbacks: Sequence[keras.callbacks.Callback]) -> keras.callbacks.Callback | None:
    """The first callback that must be called at every training batch, or None.

    One that overrides a batch hook has, unless its attribute `every_batch` is False: then it is called once a compiled
    call, with the number and the running means of its last step.
    """
    return next((callback for callback in callbacks if _overrides(callback, _TRAIN)), None)


def every_test_batch(callbacks: Sequence[keras.callbacks.Callback]) -> keras.callbacks.Callback | None:
    """The first callback that must be called at every batch of an evaluation, or None."""
    return next((callback for callback in callbacks if _overrides(callback, _TEST)), None)


def _overrides(callback: keras.callbacks.Callback, hooks: Sequence[str]) -> bool:
    if isinstance(callback, keras.callbacks.ProgbarLogger) or not getattr(callback, "every_batch", True):
        return False
    if type(callback) in (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore):
        return bool(callback.save_freq != "epoch")  # at "epoch" their batch hooks do nothing
    # A LambdaCallback has functions in the place of methods.
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )


def listed(callbacks: Callbacks, saver: Saver, model: keras.Model, **params: Any) -> keras.callbacks.CallbackList:
    """The run's `CallbackList`, guard and `saver` last; a `CallbackList` from the caller is extended in place."""
    own = [*guards(flat(callbacks)), *([saver] if saver.directory is not None else [])]
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for one in own:
            callbacks.append(one)
            one.set_model(model)
        return callbacks
    verbose = params["verbose"]
    return keras.callbacks.CallbackList(
        [*callbacks, *own], add_history=True, add_progbar=verbose != 0, model=model, **params
    )
