"""Training a model further: on other data, in some of its layers, at another learning rate.

Document 001, section 5.3 trains on for five epochs; document 004, section 3.2 freezes all but the last layers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from kerazoo.data import Dataset, data_options
from kerazoo.data.adapt import adapt, check_fit, is_stream
from kerazoo.errors import InputError, did_you_mean
from kerazoo.factory import seeded
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of
from kerazoo.registry import spec
from kerazoo.training.environment import environment
from kerazoo.training.evaluation import evaluate_on, whole_number
from kerazoo.training.run_directory import RunDirectory
from kerazoo.training.train import TrainResult, about, fit, watchers


def fine_tune(
    model: keras.Model,
    data: Any,
    *,
    epochs: int,
    trainable_layers: int | Sequence[str] | None = None,
    learning_rate: float | None = None,
    batch_size: int = 32,
    seed: int = 0,
    run_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    callbacks: Iterable[Any] = (),
    validation_split: float | None = None,
    early_stopping: int | None = None,
    verbose: bool = True,
) -> TrainResult:
    """Train the compiled `model` further, in place; layers that were frozen stay frozen in it.

    Args:
        model: a compiled Keras model, of the zoo or not.
        data: as in `train`; text needs a model of the zoo that carries its vocabulary.
        epochs: passes over the data.
        trainable_layers: train only the last so many layers that have weights, or the layers of these names; None
            trains all that are trainable now.
        learning_rate: a new one; None keeps the optimizer's.
        batch_size: examples a step.
        seed: of the order of the examples and dropout.
        run_dir, overwrite, callbacks, validation_split, early_stopping, verbose: as in `train`.

    Raises:
        InputError, DataError, RunDirectoryError: the call cannot be carried out; model and disk are as before.
    """
    if not getattr(model, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    whole_number("epochs", epochs)
    whole_number("batch_size", batch_size)
    if learning_rate is not None and not 0 < learning_rate < float("inf"):
        raise InputError(f"learning_rate={learning_rate}: wanted a number above 0")
    if early_stopping is not None:
        whole_number("early_stopping", early_stopping)
        validation_split = 0.1 if validation_split is None else validation_split
    chosen = _chosen_layers(model, trainable_layers)
    run = RunDirectory(run_dir, overwrite=overwrite) if run_dir is not None else None
    dataset = _fitting(data, model)
    if validation_split is not None:
        if is_stream(dataset):
            raise InputError("a tf.data.Dataset cannot be split for validation; pass arrays")
        dataset = dataset.hold_out(validation_split, seed=seed)

    with seeded(seed):
        _freeze_others(model, chosen)
        if learning_rate is not None:
            model.optimizer.learning_rate = learning_rate
        measured_with = {**environment(), "precision": model.dtype_policy.name}
        name = origin_of(model).name or model.name
        if run:
            trained = [layer.name for layer in model.layers if layer.trainable_weights]
            config = {"model": name, "fine_tuned": trained, "epochs": epochs, "batch_size": batch_size, "seed": seed}
            run.start({**config, "learning_rate": learning_rate, **about(dataset)}, measured_with)
        validation = (dataset.x_val, dataset.y_val) if validation_split is not None else None
        hooks = [*callbacks, *watchers(name, run, early_stopping, False, verbose)]
        history, seconds = fit(model, dataset, validation, epochs, batch_size, hooks)
        tested = not is_stream(dataset) and dataset.x_test is not None
        metrics = evaluate_on(model, dataset) if tested else {}
    if run:
        run.finish(model, history, metrics)
    return TrainResult(
        model, history, metrics, run.path if run else None, seconds, measured_with, about(dataset)["data"]
    )


def _chosen_layers(model: keras.Model, wanted: int | Sequence[str] | None) -> list[Any] | None:
    """Return the layers to train, or None for all that are trainable now."""
    if wanted is None:
        return None
    weighted = [layer for layer in model.layers if layer.weights]
    if isinstance(wanted, int):
        whole_number("trainable_layers", wanted)
        if wanted > len(weighted):
            raise InputError(f"trainable_layers={wanted}: the model has {len(weighted)} layers with weights")
        return weighted[-wanted:]
    by_name = {layer.name: layer for layer in weighted}
    for name in wanted:
        if name not in by_name:
            known = ", ".join(by_name)
            raise InputError(
                f"the model has no layer '{name}' with weights.{did_you_mean(name, by_name)} It has: {known}"
            )
    return [by_name[name] for name in wanted]


def _freeze_others(model: keras.Model, chosen: list[Any] | None) -> None:
    """Leave `chosen` trainable and freeze the rest; compile again, as Keras wants after that.

    The optimizer starts afresh: its moments belong to the variables that it trained before.
    """
    if chosen is None:
        return
    for layer in model.layers:
        layer.trainable = any(layer is one for one in chosen)
    config = model.get_compile_config()
    config["optimizer"] = keras.optimizers.serialize(model.optimizer)
    model.compile_from_config(config)


def _fitting(data: Any, model: keras.Model) -> Any:
    """Return `data` in the form that the model takes, as far as its origin tells what that is."""
    if is_stream(data):
        return data
    origin = origin_of(model)
    if origin.name is None:
        return data if isinstance(data, Dataset) else adapt(data, None, {})
    model_spec = spec(origin.name)
    options = {**data_options(model_spec), **model_spec.defaults, **origin.options}
    if isinstance(data, Dataset):
        dataset = data.with_vocabulary(origin.vocabulary)
    else:
        dataset = adapt(data, model_spec, options, origin.vocabulary)
    return check_fit(dataset, model, model_spec)
