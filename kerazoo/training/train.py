"""Training a model of the zoo by its recipe."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from kerazoo.data import Dataset
from kerazoo.data.fitting import check_fit, told_apart
from kerazoo.data.prepared import check_source, data_root
from kerazoo.engine import internals
from kerazoo.errors import DataError, InputError, OverrideError, RunDirectoryError
from kerazoo.factory import PRECISIONS, build_from, check_precision, compile_model, dtype_policy, seeded
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, set_origin
from kerazoo.options import RECIPE_OPTIONS, check_options, with_options
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec, Recipe
from kerazoo.tasks import task_of
from kerazoo.training.run_directory import as_it_began, unfinished_epochs
from kerazoo.training.session import Settings, TrainResult, as_callbacks, carry_out

_REMEMBERED = ("batch_size", "seed", "precision", "validation_split", "early_stopping", "source")


def train_options(model_spec: ModelSpec) -> dict[str, Any]:
    """Return every option that `train` takes for the model: the builder's, the recipe's and the data's."""
    return {**task_of(model_spec).options(model_spec), **model_spec.defaults, **RECIPE_OPTIONS}


def train(
    name: str,
    *,
    data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    run_dir: str | os.PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Any = (),
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
            a `tf.data.Dataset` of batches, or a `pathlib.Path` of a folder of pictures, a table or a text. Pictures
            may be (N, 28, 28) or (N, 784), uint8 or float in [0, 1]; text may be rows of ids or strings, for a text
            generator one string.
        epochs: passes over the training split; by default the recipe's, or with `resume` those that the interrupted
            run was to have.
        batch_size: examples a step; the recipe's by default.
        seed: of the initial weights, the order of the examples and dropout, 0 by default; the same seed gives the same
            weights on a CPU.
        data_dir: a directory in TFDS layout; None is `TFDS_DATA_DIR`, or else TFDS's own default.
        source: "auto", "tfds" or "sample", as in `load_data`.
        run_dir: a directory for the run's files; None writes nothing.
        resume: go on with the run that `run_dir` holds, from its last finished epoch, to the `epochs` that it was to
            have, with the options that it began with; on the same CPU the result is that of a run that was never
            interrupted.
        overwrite: replace the run that `run_dir` holds.
        callbacks: further Keras callbacks, as in `kerazoo.fit`: one with batch hooks is called at every step.
        strategy: a `tf.distribute.Strategy`, e.g. `tf.distribute.MirroredStrategy()`; one of several hosts takes no
            `run_dir`.
        precision: a Keras dtype policy such as "mixed_bfloat16"; None is the one that is set.
        validation_split: hold out this fraction of the training split and validate on it, not on the test split.
        early_stopping: stop after so many epochs without a lower validation loss and keep the best weights; the
            validation data are those held out, the data's own, or a tenth of the training split.
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
    task = task_of(model_spec)
    options = check_options(overrides, train_options(model_spec), f"model '{name}'")
    if resume and run_dir and not overwrite:  # of the two at once `Settings` says that they contradict each other
        told = (batch_size, seed, precision, validation_split, early_stopping, source)
        given = dict(zip(_REMEMBERED, told, strict=True))
        began = as_it_began(run_dir, {"model": name, **given}, options, train_options(model_spec))
        options = check_options(began["options"], train_options(model_spec), f"model '{name}'")
        batch_size, seed, precision, validation_split, early_stopping, source = (began[one] for one in _REMEMBERED)
        if began.get("own_data") and data is None:
            own = f"the run in '{run_dir}' began with data of its own ({began['data'].get('name')})"
            raise RunDirectoryError(f"{own}; give it again, with data= or --data")
        precision = precision if precision in PRECISIONS else None  # a policy that was set globally is to be so again
    recipe = with_options(model_spec.recipe, options)
    if epochs is None:
        epochs = (unfinished_epochs(run_dir) if resume and run_dir else None) or recipe.epochs
    settings = Settings(
        epochs=epochs,
        batch_size=recipe.batch_size if batch_size is None else batch_size,
        seed=0 if seed is None else seed,
        run_dir=run_dir,
        resume=resume,
        overwrite=overwrite,
        callbacks=as_callbacks(callbacks),
        validation_split=validation_split,
        early_stopping=early_stopping,
        tensorboard=tensorboard,
        verbose=verbose,
    )
    if strategy is not None and keras.backend.backend() != "tensorflow":
        raise InputError(f"strategy is TensorFlow's, and Keras computes with {keras.backend.backend()}; leave it out")
    if strategy is not None and run_dir is not None and internals.in_multi_worker_mode(strategy):
        raise InputError("run_dir on several hosts: each would write the files; leave it out and save the model on one")
    run = settings.open_run()
    _check_without_keras(precision, source, data_dir if data is None else None)
    with seeded(settings.seed), dtype_policy(precision), strategy.scope() if strategy else contextlib.nullcontext():
        wanted = {**train_options(model_spec), **options}
        brought = data is not None
        data = task.dataset(data, wanted, data_dir=data_dir, source=source, learn=True)
        options = _sized(options, data)
        digest = data.digest if run and data.source == "user" else ""  # other data of the same name would ruin a run
        classes = data.classes or (() if brought and data.source == "user" else task.classes)
        model = _model(model_spec, Origin(name, options, data.vocabulary, classes, (data.name, data.source)), recipe)
        data = check_fit(data, model, recipe.loss, {**model_spec.defaults, **options}.get("vocab_size"))
        _check_names(classes, model, recipe.loss)
        data, validation = settings.hold_out(data, recipe.validation)
        config = {"model": name, "options": options, "recipe": dataclasses.asdict(recipe), "own_data": brought}
        config |= {"digest of the data": digest} if digest else {}
        return carry_out(model, data, validation, settings, run, config)


def _check_without_keras(precision: str | None, source: str, data_dir: Any) -> None:
    """Refuse what can be refused before the seconds that importing TensorFlow takes."""
    check_precision(precision)
    check_source(source)
    if data_dir is not None:
        data_root(data_dir)


def _check_names(classes: tuple[str, ...], model: keras.Model, loss: str) -> None:
    """Refuse more or fewer names of classes than a classifier tells apart."""
    told = told_apart(model)
    if "crossentropy" in loss and classes and len(classes) != told:
        raise DataError(
            f"{len(classes)} classes are named ({', '.join(classes[:12])}) and the model tells {told} apart"
        )


def _sized(options: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    """Return the options with those that follow from the data, such as the size of its vocabulary.

    Raises:
        OverrideError: an option was set to less than the data needs.
    """
    for option, needed in data.model_options.items():
        if options.get(option, needed) < needed:
            raise OverrideError(f"option '{option}' is {options[option]}, and the data needs {needed}")
    return {**data.model_options, **options}


def _model(model_spec: ModelSpec, origin: Origin, recipe: Recipe) -> keras.Model:
    """Build and compile the model, and note what it is."""
    model = build_from(model_spec, origin.options)
    set_origin(model, origin)
    compile_model(model, recipe)
    return model
