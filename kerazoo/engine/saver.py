"""The callback that makes a run resumable: it saves after every epoch and on Ctrl-C, and restores at the start."""

from __future__ import annotations

import copy
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

import keras

from kerazoo.engine import checkpoint, values
from kerazoo.engine.types import Directory, Logs
from kerazoo.printable import printable

# `min_delta` is configuration whose sign Keras flips in place when a fresh callback learns its metric's direction.
_NOT_STATE = ("_model", "model", "params", "min_delta")


class Saver(keras.callbacks.Callback):
    """Saves after each epoch, as the last of `callbacks`, so that what they did at its end is in the checkpoint.

    Args:
        directory: where the checkpoints go; None saves and restores nothing.
        callbacks: the run's other callbacks, the History among them. What they have changed in themselves since the
            start (best value, patience, history) is part of the state; the n-th of a class resumes the n-th.
        resume: go on from the newest checkpoint, where there is one.
        settings: JSON values that must be the same when resumed, or the result would silently differ.
        write: False on workers other than the chief.

    Raises:
        CheckpointError: the settings differ from the checkpoint's.
    """

    def __init__(
        self,
        directory: Directory | None,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        resume: bool,
        settings: dict[str, Any],
        write: bool = True,
    ) -> None:
        super().__init__()
        self.directory, self.callbacks, self.settings, self.write = directory, callbacks, settings, write
        self.saved = checkpoint.latest(directory) if directory is not None and resume else None
        self.epoch, self.step, self.stopped = 0, 0, False
        self.interrupted, self.has_saved = False, bool(self.saved)
        if self.saved:
            meta = self.saved[0]
            self.epoch, self.step, self.stopped = meta["epoch"], meta["step"], meta["stopped"]
            different = [k for k in settings if k in meta["settings"] and settings[k] != meta["settings"][k]]
            if different:
                told = ", ".join(f"{k}={settings[k]!r} instead of {meta['settings'].get(k)!r}" for k in different)
                raise checkpoint.CheckpointError(f"cannot resume the run in {directory} with {told}")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Note the state of the callbacks and restore the saved one."""
        # A value that a callback still has from its own start is configuration, and the new run's word on it counts.
        self.start = {name: _state(c) for name, c in _named(self.callbacks).items()}
        self.restore(("model", "optimizer"))

    def restore(self, groups: Sequence[str]) -> None:
        """Restore the saved variables of `groups`, and the callbacks' state."""
        if not self.saved:
            return
        meta, arrays = self.saved
        if self.model.optimizer is not None and not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        checkpoint.restore(self.model, {k: a for k, a in arrays.items() if not k.startswith("value/")}, groups)
        for name, callback in _named(self.callbacks).items():
            vars(callback).update(copy.deepcopy(meta["callbacks"].get(name, {})))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the state."""
        self.save(epoch + 1, 0)
        if self.interrupted:
            raise KeyboardInterrupt

    def save(self, epoch: int, step: int) -> None:
        """Save the state before step `step` of `epoch` (both from 0)."""
        if self.directory is None or (self.model.stop_training and not checkpoint.is_finite(self.model)):
            return  # nothing is kept of a run that `TerminateOnNaN` has ended
        changed = {name: _changes(c, self.start[name]) for name, c in _named(self.callbacks).items()}
        meta = {
            "epoch": epoch,
            "step": step,
            "stopped": bool(self.model.stop_training) and step == 0,
            "settings": self.settings,
            "callbacks": changed,
        }
        checkpoint.save(self.directory, self.model, meta, self.write)
        self.has_saved = True

    def __enter__(self) -> Saver:
        """Handle Ctrl-C: the first finishes the current call and saves, the second stops at once."""
        self._previous: Any = None
        if self.directory is not None and threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
        if kind is KeyboardInterrupt and self.directory is not None:
            where = f"The last state is saved in {self.directory}." if self.has_saved else "No state was saved yet."
            print(f"\nInterrupted. {printable(where)}", file=sys.stderr)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        print("\nStopping after the current steps; Ctrl-C again stops at once.", file=sys.stderr)


def _named(callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, keras.callbacks.Callback]:
    """Callbacks by class and number, names that are the same in the next process: {"EarlyStopping/0": ...}."""
    named: dict[str, keras.callbacks.Callback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        named[f"{kind}/{sum(name.startswith(kind + '/') for name in named)}"] = callback
    return named


def _state(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """The attributes of `callback` that a checkpoint can keep."""
    state = {}
    for name, value in vars(callback).items():
        if name not in _NOT_STATE:
            try:
                values.encode(value, {})
            except TypeError:
                continue  # functions, open files, models
            state[name] = copy.deepcopy(value)
    return state


def _changes(callback: keras.callbacks.Callback, start: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in _state(callback).items() if k not in start or not values.equal(v, start[k])}
