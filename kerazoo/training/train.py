"""Training a model of the zoo by its recipe."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.data import Dataset, data_options, load_for
from kerazoo.data.adapt import adapt, check_fit, is_stream
from kerazoo.errors import InputError, OverrideError
from kerazoo.factory import build_from, compile_model, dtype_policy, seeded
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, set_origin
from kerazoo.options import RECIPE_OPTIONS, check_options, with_options
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec, Recipe
from kerazoo.training.environment import environment
from kerazoo.training.evaluation import evaluate_on, whole_number
from kerazoo.training.run_directory import RunDirectory


@dataclass(frozen=True)
class TrainResult:
    """A trained model and what its training gave.

    `history` has a list an epoch long for each quantity; `metrics` are those of the test split (empty where there is
    none); `seconds` is the time of the training alone; `run_dir` is None where nothing was to be written.
    """

    model: keras.Model
    history: dict[str, list[float]]
    metrics: dict[str, float]
    run_dir: Path | None
    seconds: float
    environment: dict[str, Any]
    data: dict[str, Any]


def train_options(model_spec: ModelSpec) -> dict[str, Any]:
    """Return every option that `train` takes for the model: the builder's, the recipe's and the data's."""
    return {**data_options(model_spec), **model_spec.defaults, **RECIPE_OPTIONS}


def train(
    name: str,
    *,
    data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    run_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    callbacks: Iterable[Any] = (),
    strategy: Any = None,
    precision: str | None = None,
    validation_split: float | None = None,
    early_stopping: int | None = None,
    tensorboard: bool = False,
    verbose: bool = True,
    **overrides: Any,
) -> TrainResult:
    """Build the model `name` and train it by its recipe.

    Args:
        name: one of `kerazoo.list_models()`.
        data: in place of the model's own data set: a `Dataset`, `((x_train, y_train), (x_test, y_test))`, `(x, y)`,
            or a `tf.data.Dataset` of batches. Pictures may be (N, 28, 28) or (N, 784), uint8 or float in [0, 1];
            text may be rows of ids or strings.
        epochs: passes over the training split; the recipe's by default.
        batch_size: examples a step; the recipe's by default.
        seed: of the initial weights, the order of the examples and dropout; the same seed gives the same weights on
            a CPU.
        data_dir: a directory in TFDS layout; None is `TFDS_DATA_DIR`, or else TFDS's own default.
        source: "auto", "tfds" or "sample", as in `load_data`.
        run_dir: a directory for the run's files; None writes nothing.
        overwrite: replace the run that `run_dir` holds.
        callbacks: further Keras callbacks.
        strategy: a `tf.distribute.Strategy`, e.g. `tf.distribute.MirroredStrategy()`.
        precision: a Keras dtype policy such as "mixed_bfloat16"; None is the one that is set.
        validation_split: hold out this fraction of the training split and validate on it, not on the test split.
        early_stopping: stop after so many epochs without a lower validation loss and keep the best weights; holds
            out a tenth of the training split unless `validation_split` says otherwise.
        tensorboard: also write TensorBoard's event files into the run directory.
        verbose: show progress on standard error.
        **overrides: options of the model, its recipe or its data, as `units=(64,)`, `learning_rate=0.01`,
            `corpus="my.txt"`; `kerazoo show NAME` lists them.

    Raises:
        UnknownModelError, OverrideError, InputError, DataError, RunDirectoryError: the call cannot be carried out as
            it stands; nothing was written.
        UnavailableError: the real data was asked for and cannot be had.
    """
    model_spec = spec(name)
    options = check_options(overrides, train_options(model_spec), f"model '{name}'")
    recipe = with_options(model_spec.recipe, options)
    epochs = whole_number("epochs", recipe.epochs if epochs is None else epochs)
    batch_size = whole_number("batch_size", recipe.batch_size if batch_size is None else batch_size)
    if early_stopping is not None:
        whole_number("early_stopping", early_stopping)
        validation_split = 0.1 if validation_split is None else validation_split
    if tensorboard and run_dir is None:
        raise InputError("tensorboard=True needs a run directory to write to; give run_dir")
    run = RunDirectory(run_dir, overwrite=overwrite) if run_dir is not None else None

    with seeded(seed), dtype_policy(precision), strategy.scope() if strategy else contextlib.nullcontext():
        dataset = _dataset(data, model_spec, options, data_dir, source, batch_size)
        model = _model(model_spec, options, dataset, recipe)
        dataset = dataset if is_stream(dataset) else check_fit(dataset, model, model_spec)
        if validation_split is not None:
            dataset = _hold_out(dataset, validation_split, seed)
        described = about(dataset)
        measured_with = {**environment(), "precision": model.dtype_policy.name}
        if run:
            config = {
                "model": name,
                "options": options,
                "recipe": dataclasses.asdict(recipe),
                "epochs": epochs,
                "batch_size": batch_size,
                "seed": seed,
                "validation_split": validation_split,
                "early_stopping": early_stopping,
                "precision": model.dtype_policy.name,
                **described,
            }
            run.start(config, measured_with)
        hooks = [*callbacks, *watchers(name, run, early_stopping, tensorboard, verbose)]
        validation = _validation(dataset, recipe, validation_split is not None)
        history, seconds = fit(model, dataset, validation, epochs, batch_size, hooks)
        tested = not is_stream(dataset) and dataset.x_test is not None
        metrics = evaluate_on(model, dataset) if tested else {}
    if run:
        run.finish(model, history, metrics)
    return TrainResult(model, history, metrics, run.path if run else None, seconds, measured_with, described["data"])


def _dataset(
    data: Any, model_spec: ModelSpec, options: Mapping[str, Any], data_dir: Any, source: str, batch_size: int
) -> Any:
    if data is None:
        return load_for(model_spec, options, data_dir, source)
    if is_stream(data):
        return data
    return adapt(data, model_spec, {**train_options(model_spec), **options}, learn_vocabulary=True)


def _model(model_spec: ModelSpec, options: dict[str, Any], dataset: Any, recipe: Recipe) -> keras.Model:
    """Build and compile the model, as large as the data's vocabulary asks."""
    vocabulary = None
    if isinstance(dataset, Dataset):
        vocabulary = dataset.vocabulary
        for option, needed in dataset.model_options.items():
            if options.setdefault(option, needed) < needed:
                raise OverrideError(f"option '{option}' is {options[option]}, and the data needs {needed}")
    model = build_from(model_spec, options)
    set_origin(model, Origin(model_spec.name, options, vocabulary))
    compile_model(model, recipe)
    return model


def _hold_out(dataset: Any, fraction: float, seed: int) -> Dataset:
    if is_stream(dataset):
        raise InputError("a tf.data.Dataset cannot be split for validation; pass arrays")
    return dataset if dataset.x_val is not None else dataset.hold_out(fraction, seed=seed)


def about(dataset: Any) -> dict[str, Any]:
    """Return where the data came from and how much of it there is, for the record of a run."""
    if is_stream(dataset):
        return {"data": {"name": "user", "version": "user", "source": "user"}}
    return {"data": {"name": dataset.name, "version": dataset.version, "source": dataset.source, **dataset.sizes}}


def watchers(
    name: str, run: RunDirectory | None, early_stopping: int | None, tensorboard: bool, verbose: bool
) -> list[keras.callbacks.Callback]:
    """Return the callbacks that the options of a training ask for."""
    watchers: list[Any] = []
    if early_stopping is not None:
        watchers.append(
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=early_stopping, restore_best_weights=True)
        )
    if tensorboard and run:
        watchers.append(keras.callbacks.TensorBoard(run.path / "tensorboard"))
    if verbose:
        from kerazoo.training.progress import EpochProgress

        watchers.append(EpochProgress(name))
    return watchers


def _validation(dataset: Any, recipe: Recipe, held_out: bool) -> tuple[Any, Any] | None:
    """Return what is measured after each epoch: the split that was held out, or what the recipe says."""
    if is_stream(dataset):
        return None
    if held_out:
        return dataset.x_val, dataset.y_val
    if recipe.validation == "test" and dataset.x_test is not None:
        return dataset.x_test, dataset.y_test
    return None


def fit(
    model: keras.Model,
    dataset: Any,
    validation: tuple[Any, Any] | None,
    epochs: int,
    batch_size: int,
    callbacks: list[Any],
) -> tuple[dict[str, list[float]], float]:
    """Train the compiled `model`; return its history and the seconds that the training took."""
    begin = time.perf_counter()
    x, y = (dataset, None) if is_stream(dataset) else (dataset.x_train, dataset.y_train)
    log = model.fit(
        x,
        y,
        batch_size=None if is_stream(dataset) else batch_size,
        epochs=epochs,
        validation_data=validation,
        validation_batch_size=512 if validation else None,
        shuffle=not is_stream(dataset),
        callbacks=callbacks,
        verbose=0,
    )
    history = {name: [float(value) for value in values] for name, values in log.history.items()}
    return history, time.perf_counter() - begin
