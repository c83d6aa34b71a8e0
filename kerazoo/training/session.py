"""One training from checked settings to a written result: what `train` and `fine_tune` have in common."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo import engine
from kerazoo.data import Dataset
from kerazoo.errors import InputError, RunDirectoryError, UnavailableError
from kerazoo.factory import exact_products
from kerazoo.lazy import installed, keras
from kerazoo.model_file import origin_of
from kerazoo.options import whole_number
from kerazoo.printable import printable
from kerazoo.training.environment import environment, warn_where_cudnn_is_lost
from kerazoo.training.evaluation import evaluate_on
from kerazoo.training.run_directory import RunDirectory

_EARLY_STOPPING_SPLIT = 0.1


@dataclass(frozen=True)
class TrainResult:
    """A trained model and what its training gave.

    `history` has a list an epoch long for each quantity; `metrics` are those of the test split (empty where there is
    none); `seconds` is the time of the training alone; `run_dir` is None where nothing was to be written; `data`
    tells name, version, source and sizes of the data.
    """

    model: keras.Model
    history: dict[str, list[float]]
    metrics: dict[str, float]
    run_dir: Path | None
    seconds: float
    environment: dict[str, Any]
    data: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How long a model is trained, on what, and with which callbacks; checked when made.

    Raises:
        InputError: a value cannot be used.
    """

    epochs: int
    batch_size: int
    seed: int = 0
    run_dir: str | os.PathLike[str] | None = None
    overwrite: bool = False
    resume: bool = False
    callbacks: Sequence[Any] = ()
    validation_split: float | None = None
    early_stopping: int | None = None
    tensorboard: bool = False
    verbose: bool = True
    resumable: bool = True  # once interrupted

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))
        if self.early_stopping is not None:
            whole_number("early_stopping", self.early_stopping)
        split = self.validation_split
        if split is not None and not (isinstance(split, (int, float)) and 0 < split < 1):
            raise InputError(f"validation_split={split!r}: wanted a fraction between 0 and 1, e.g. 0.1")
        if self.run_dir is None and (self.tensorboard or self.resume or self.overwrite):
            option = "tensorboard" if self.tensorboard else "resume" if self.resume else "overwrite"
            raise InputError(f"{option}=True needs a run directory; give run_dir")
        if self.tensorboard and not (installed("tensorboard") and installed("tensorflow")):  # Keras writes by both
            missing = "'kerazoo[tensorboard]'" if installed("tensorflow") else "tensorflow"
            raise UnavailableError(f"tensorboard=True needs a package that is not installed: pip install {missing}")
        if self.resume and self.overwrite:
            raise InputError("resume=True and overwrite=True contradict each other; give one of them")

    def open_run(self) -> RunDirectory | None:
        """Return the run's directory, checked and not yet written to; None where nothing is to be written."""
        if self.run_dir is None:
            return None
        return RunDirectory(self.run_dir, overwrite=self.overwrite, resume=self.resume, resumable=self.resumable)

    def hold_out(self, data: Dataset, by_recipe: str | None = None) -> tuple[Dataset, tuple[Any, Any] | None]:
        """Return the data to train on, and what is measured after each epoch.

        A `validation_split` is taken from the training split. Early stopping alone takes the validation split that
        the data has, or else a tenth. Otherwise it is the test split where the recipe says so.
        """
        if self.validation_split or (self.early_stopping and data.x_val is None):
            data = data.hold_out(self.validation_split or _EARLY_STOPPING_SPLIT, seed=self.seed)
        if self.validation_split or self.early_stopping:
            return data, (data.x_val, data.y_val)
        return data, (data.x_test, data.y_test) if by_recipe == "test" and data.x_test is not None else None


def as_callbacks(given: Any) -> tuple[Any, ...]:
    """Return one callback, or several, as a tuple."""
    return tuple(given) if isinstance(given, (list, tuple)) else (given,)


def carry_out(
    model: keras.Model,
    data: Dataset,
    validation: tuple[Any, Any] | None,
    settings: Settings,
    run: RunDirectory | None,
    config: Mapping[str, Any],
    while_training: contextlib.AbstractContextManager[None] | None = None,
) -> TrainResult:
    """Train the compiled `model` on `data`, inside `while_training`, measure it on the test split and write the run."""
    with exact_products():
        return _carried_out(model, data, validation, settings, run, config, while_training)


def _carried_out(
    model: keras.Model,
    data: Dataset,
    validation: tuple[Any, Any] | None,
    settings: Settings,
    run: RunDirectory | None,
    config: Mapping[str, Any],
    while_training: contextlib.AbstractContextManager[None] | None,
) -> TrainResult:
    used = describe(data)
    warn_where_cudnn_is_lost(model)
    measured_with = {**environment(), "precision": model.dtype_policy.name}
    try:
        if run:
            own = {"epochs": settings.epochs, "batch_size": settings.batch_size, "seed": settings.seed}
            held = {"validation_split": settings.validation_split, "early_stopping": settings.early_stopping}
            run.start({**config, **own, **held, "precision": model.dtype_policy.name, "data": used}, measured_with)
        with while_training or contextlib.nullcontext():
            history, seconds = _fit(model, data, validation, settings, run)
        metrics = evaluate_on(model, data) if data.x_test is not None else {}
        if run:
            run.finish(model, history, metrics)
    finally:
        if run:
            run.end()
    return TrainResult(model, history, metrics, run.path if run else None, seconds, measured_with, used)


def describe(data: Dataset) -> dict[str, Any]:
    """Return what a result says of its data: name, version, source, and the sizes of the splits that there are."""
    return {"name": data.name, "version": data.version, "source": data.source, **data.sizes}


def _fit(
    model: keras.Model, data: Dataset, validation: tuple[Any, Any] | None, settings: Settings, run: RunDirectory | None
) -> tuple[dict[str, list[float]], float]:
    from kerazoo.training.callbacks import EpochProgress, HistoryFile

    hooks = [*settings.callbacks]
    if settings.early_stopping:
        watched = {"monitor": "val_loss", "patience": settings.early_stopping}
        hooks.append(keras.callbacks.EarlyStopping(**watched, restore_best_weights=True))
    if run:
        hooks.append(HistoryFile(run))
    if run and settings.tensorboard:
        hooks.append(keras.callbacks.TensorBoard(run.path / "tensorboard"))
    progress = EpochProgress(origin_of(model).name or model.name)
    hooks += [progress] if settings.verbose else []
    x, y = data.x_train, data.y_train
    begin = time.perf_counter()
    try:
        log = engine.fit(
            model,
            x,
            y,
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            validation_data=validation,
            callbacks=hooks,
            seed=settings.seed,
            checkpoint_dir=run.checkpoints if run and settings.resumable else None,
            resume=settings.resume,
            verbose=0,
        )
    except engine.CheckpointError as error:
        raise RunDirectoryError(str(error)) from error
    except KeyboardInterrupt:
        if run and settings.resumable:
            name = origin_of(model).name or model.name
            command = f"kerazoo train {name} --resume --run-dir {shlex.quote(str(run.path))}"
            same = " with the same data" if data.source == "user" else ""
            print(f"To go on{same}: train(..., resume=True), or {printable(command)}", file=sys.stderr)
        elif run:
            print("Fine-tuning is saved at its end alone: nothing of it was kept.", file=sys.stderr)
        raise
    finally:
        progress.stop()  # also after Ctrl-C: the terminal gets its cursor back
    history = {name: [float(value) for value in values] for name, values in log.history.items()}
    done = len(next(iter(history.values()), []))
    if settings.verbose and settings.early_stopping and done < settings.epochs:
        best = min(range(done), key=history["val_loss"].__getitem__) + 1
        progress.say(f"stopped early: the weights are those of epoch {best}, the best validation loss")
    return history, time.perf_counter() - begin
