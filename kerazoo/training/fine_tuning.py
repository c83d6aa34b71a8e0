"""Training a model further: on other data, for other classes, in some of its layers, each at its own rate.

Document 001, section 5.3 trains on for five epochs; document 004, section 3.2 freezes all but the last layers and
section 3.3 adds weight decay and penalties.
"""

from __future__ import annotations

import dataclasses
import operator
import os
from collections.abc import Sequence
from typing import Any

from kerazoo.data import Dataset, data_options
from kerazoo.data.adapt import adapt, check_fit, is_stream
from kerazoo.data.labels import number_labels
from kerazoo.errors import DataError, InputError, did_you_mean
from kerazoo.factory import seeded
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, origin_of, set_origin
from kerazoo.registry import spec
from kerazoo.schema import ModelSpec
from kerazoo.training.evaluation import whole_number
from kerazoo.training.heads import check_head, with_new_head
from kerazoo.training.session import Settings, TrainResult, as_callbacks, carry_out
from kerazoo.training.tuning import Tuning


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
    num_classes: int | None = None,
    unfreeze_every: int | None = None,
    layer_decay: float | None = None,
    weight_decay: float | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
) -> TrainResult:
    """Train the compiled `model` further, in place, or with `num_classes` a copy of it; frozen layers stay frozen.

    Args:
        model: a compiled Keras model, of the zoo or not.
        data: as in `train`, or what `read_image_folder` or `read_csv` returns; text needs a model of the zoo that
            carries its vocabulary.
        epochs: passes over the data.
        trainable_layers: train only the last so many layers that have weights, or the layers of these names; None
            trains all that are trainable now.
        learning_rate: a new one; None keeps the optimizer's.
        batch_size: examples a step.
        seed: of a new last layer, the order of the examples and dropout.
        run_dir, overwrite, callbacks, validation_split, early_stopping, verbose: as in `train`.
        num_classes: tell so many classes apart: the last layer, which must be Dense, is replaced by a fresh one in a
            copy of the model, and `model` itself is not changed. One sigmoid unit stays one for 2 classes and becomes a
            softmax for more. Labels that are not 0 to `num_classes` - 1, such as the digits 5 to 9, are numbered in
            their order; the model carries what they were as its classes.
        unfreeze_every: gradual unfreezing (Howard & Ruder 2018): train the last layer alone, and after every so many
            epochs one more, from the end on. A layer's optimizer state and count of steps begin when its turn comes;
            those of the layers after it go on. Afterwards all layers that were to be trained are trainable.
        layer_decay: discriminative learning rates (ibid.): each layer's learning rate is that of the layer after it
            times this; their 1/2.6 is 0.385. The model's optimizer is a `Layerwise` from then on.
        weight_decay: the optimizer's, decoupled from the loss: in each step w decreases by learning rate * this * w,
            in all trained weights, biases included, as in Keras. None keeps the optimizer's.
        l1, l2: add l1 * sum |w| + l2 * sum w^2 over the kernels that are trained to the loss, in place of the kernels'
            own regularizers, while it trains; `metrics` are without.

    Raises:
        InputError, DataError, RunDirectoryError: the call cannot be carried out; model and disk are as before.
    """
    if isinstance(model, (str, os.PathLike)):
        raise InputError(f"model is the path or name {str(model)!r}: load it with kerazoo.load_model, or build it")
    if not getattr(model, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    num_classes = None if num_classes is None else whole_number("num_classes", num_classes, 2)
    tuning = Tuning(learning_rate, unfreeze_every, layer_decay, weight_decay, l1, l2)
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
        resumable=False,
    )
    _chosen_layers(model, trainable_layers)
    if unfreeze_every and is_stream(data) and keras.backend.backend() == "jax":  # Keras's own loop refuses it there
        raise InputError("unfreeze_every on JAX takes arrays, not a tf.data.Dataset; give (x, y)")
    run = settings.open_run()
    with seeded(seed):
        model, data, origin = _fitting(model, data, num_classes)
        data, validation = settings.hold_out(data)
        layers = tuning.prepare(model, _chosen_layers(model, trainable_layers))
        set_origin(model, origin)
        settings = dataclasses.replace(settings, callbacks=(*settings.callbacks, *tuning.callbacks(layers)))
        trained = {"model": origin_of(model).name or model.name, "fine_tuned": [layer.name for layer in layers]}
        config = {**trained, **dataclasses.asdict(tuning), "num_classes": num_classes}
        within = tuning.while_training(model, layers)
        return carry_out(model, data, validation, settings, run, config, within)


def _chosen_layers(model: keras.Model, wanted: int | str | Sequence[str] | None) -> list[Any] | None:
    """Return the layers to train, or None for all that are trainable now."""
    if wanted is None:
        return None
    weighted = [layer for layer in model.layers if layer.weights]
    if not isinstance(wanted, (str, Sequence)):
        whole_number("trainable_layers", wanted)
        wanted = operator.index(wanted)
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


def _fitting(model: keras.Model, data: Any, num_classes: int | None) -> tuple[keras.Model, Any, Origin]:
    """Return the model to train, a copy with a new last layer if asked for, the data as it takes it, and its origin."""
    origin = origin_of(model)
    model_spec = spec(origin.name) if origin.name else None
    known = {**data_options(model_spec), **model_spec.defaults} if model_spec else {}
    options, new = {**known, **origin.options}, {}
    if num_classes is None:
        data = adapt(data, model_spec, options, origin.vocabulary, classes=origin.classes)
        _check_classes(data, model)
    else:
        _check_new_classes(model, model_spec, num_classes)
        data = adapt(data, model_spec, options, origin.vocabulary)
        data = number_labels(data, num_classes) if isinstance(data, Dataset) else data
        model = with_new_head(model, num_classes)
        new = {"num_classes": num_classes} if "num_classes" in known else {}
    data = check_fit(data, model, model_spec, options.get("vocab_size"))
    classes = getattr(data, "classes", ()) or (origin.classes if num_classes is None else ())
    return model, data, dataclasses.replace(origin, options={**origin.options, **new}, classes=classes)


def _check_classes(data: Any, model: keras.Model) -> None:
    """Refuse data with names for more or fewer classes than the model tells apart."""
    have, told = len(getattr(data, "classes", ())), max(2, model.outputs[0].shape[-1] or 0) if model.outputs else 0
    if have not in (0, told):
        names = ", ".join(data.classes[:12])
        advice = f"give num_classes={have} for a new last layer"
        raise DataError(f"the data has {have} classes ({names}) and the model tells {told} apart; {advice}")


def _check_new_classes(model: keras.Model, model_spec: ModelSpec | None, num_classes: int) -> None:
    if model_spec and model_spec.dataset == "text":
        raise InputError(f"num_classes={num_classes}: '{model_spec.name}' writes text; its classes are its vocabulary")
    check_head(model, num_classes)
