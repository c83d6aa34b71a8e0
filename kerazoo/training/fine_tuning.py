"""Training a model further: on other data, in some of its layers, at another learning rate.

Document 001, section 5.3 trains on for five epochs; document 004, section 3.2 freezes all but the last layers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from kerazoo.data import data_options
from kerazoo.data.adapt import adapt, check_fit
from kerazoo.errors import InputError, did_you_mean
from kerazoo.factory import seeded
from kerazoo.lazy import keras
from kerazoo.model_file import origin_of
from kerazoo.registry import spec
from kerazoo.training.evaluation import whole_number
from kerazoo.training.session import Settings, TrainResult, as_callbacks, carry_out


def fine_tune(
    model: keras.Model,
    data: Any,
    *,
    epochs: int,
    trainable_layers: int | str | Sequence[str] | None = None,
    learning_rate: float | None = None,
    batch_size: int = 32,
    seed: int = 0,
    run_dir: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    callbacks: Any = (),
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
    if isinstance(model, (str, os.PathLike)):
        raise InputError(f"model is the path or name {str(model)!r}: load it with kerazoo.load_model, or build it")
    if not getattr(model, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    if learning_rate is not None and not 0 < learning_rate < float("inf"):
        raise InputError(f"learning_rate={learning_rate}: wanted a number above 0")
    settings = Settings(
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        run_dir=run_dir,
        overwrite=overwrite,
        callbacks=as_callbacks(callbacks),
        validation_split=validation_split,
        early_stopping=early_stopping,
        verbose=verbose,
    )
    chosen = _chosen_layers(model, trainable_layers)
    run = settings.open_run()
    data, validation = settings.hold_out(_fitting(data, model))
    with seeded(seed):
        _freeze_others(model, chosen)
        if learning_rate is not None:
            model.optimizer.learning_rate = learning_rate
        trained = [layer.name for layer in model.layers if layer.trainable_weights]
        config = {"model": origin_of(model).name or model.name, "fine_tuned": trained, "learning_rate": learning_rate}
        return carry_out(model, data, validation, settings, run, config)


def _chosen_layers(model: keras.Model, wanted: int | str | Sequence[str] | None) -> list[Any] | None:
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
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in by_name:
            hint = f"{did_you_mean(name, by_name)} It has: {', '.join(by_name)}"
            raise InputError(f"the model has no layer '{name}' with weights.{hint}")
    if not names:
        raise InputError("trainable_layers is empty; name at least one layer, or leave it out to train all")
    return [by_name[name] for name in names]


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
    origin = origin_of(model)
    model_spec = spec(origin.name) if origin.name else None
    known = {**data_options(model_spec), **model_spec.defaults} if model_spec else {}
    options = {**known, **origin.options}
    return check_fit(adapt(data, model_spec, options, origin.vocabulary), model, model_spec, options.get("vocab_size"))
