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

from kerazoo.data import Dataset
from kerazoo.data.fitting import check_fit, told_apart
from kerazoo.errors import DataError, InputError, did_you_mean
from kerazoo.factory import seeded
from kerazoo.lazy import keras
from kerazoo.model_file import Origin, origin_of, set_origin
from kerazoo.options import whole_number
from kerazoo.trained import Trained, trained
from kerazoo.training.heads import check_head, with_new_head
from kerazoo.training.session import Settings, TrainResult, as_callbacks, carry_out
from kerazoo.training.tuning import Tuning

_EPOCHS, _BATCH_SIZE = 5, 32  # where no recipe says more


def fine_tune(
    model: keras.Model | str | os.PathLike[str],
    data: Any = None,
    *,
    epochs: int | None = None,
    trainable_layers: int | str | Sequence[str] | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
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
        model: a compiled Keras model, of the zoo or not; or the path of a `.keras` file, or a name of the zoo for the
            package's weights, which are loaded.
        data: as in `train`, or what `read_image_folder` or `read_csv` returns; text needs a model of the zoo that
            carries its vocabulary. None is the model's own data set.
        epochs: passes over the data; by default those that the document fine-tunes for, or 5.
        trainable_layers: train only the last so many layers that have weights, or the layers of these names; None
            trains all that are trainable now.
        learning_rate: a new one; None keeps the optimizer's.
        batch_size: examples a step; by default the recipe's, or 32.
        seed: of a new last layer, the order of the examples and dropout.
        data_dir, source: as in `load_data`, for the model's own data set.
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
    chosen = trained(model, compiled=True)
    num_classes = None if num_classes is None else whole_number("num_classes", num_classes, 2)
    tuning = Tuning(learning_rate, unfreeze_every, layer_decay, weight_decay, l1, l2)
    recipe = chosen.spec and chosen.spec.recipe
    settings = Settings(
        epochs=((recipe and recipe.fine_tune_epochs) or _EPOCHS) if epochs is None else epochs,
        batch_size=(recipe.batch_size if recipe else _BATCH_SIZE) if batch_size is None else batch_size,
        seed=seed,
        run_dir=run_dir,
        overwrite=overwrite,
        callbacks=as_callbacks(callbacks),
        validation_split=validation_split,
        early_stopping=early_stopping,
        verbose=verbose,
        resumable=False,
    )
    run = settings.open_run()
    network = chosen.load()
    if not getattr(network, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    _chosen_layers(network, trainable_layers)
    with seeded(seed):
        own = {"data_dir": data_dir, "source": source}
        network, data, origin = _fitting(network, chosen, data, num_classes, own)
        if unfreeze_every and data.is_stream and keras.backend.backend() == "jax":  # Keras's own loop refuses it there
            raise InputError("unfreeze_every on JAX takes arrays, not a tf.data.Dataset; give (x, y)")
        data, validation = settings.hold_out(data)
        layers = tuning.prepare(network, _chosen_layers(network, trainable_layers))
        set_origin(network, origin)
        settings = dataclasses.replace(settings, callbacks=(*settings.callbacks, *tuning.callbacks(layers)))
        config: dict[str, Any] = {"model": chosen.name, "fine_tuned": [layer.name for layer in layers]}
        config |= {**dataclasses.asdict(tuning), "num_classes": num_classes}
        within = tuning.while_training(network, layers)
        return carry_out(network, data, validation, settings, run, config, within)


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


def _fitting(
    model: keras.Model, chosen: Trained[Any], data: Any, num_classes: int | None, own: dict[str, Any]
) -> tuple[keras.Model, Dataset, Origin]:
    """Return the model to train, a copy with a new last layer if asked for, the data as it takes it, and its origin."""
    origin, spec, task = origin_of(model), chosen.spec, chosen.task
    known = {**task.options(spec), **spec.defaults} if spec else {}
    options, new = {**known, **origin.options}, {}
    if num_classes is None:
        data = task.dataset(data, options, vocabulary=origin.vocabulary, classes=origin.classes, **own)
        _check_classes(data, model)
    else:
        if task.generates:
            raise InputError(f"num_classes={num_classes}: '{chosen.name}' writes text; its classes are its vocabulary")
        check_head(model, num_classes)
        data = task.dataset(data, options, vocabulary=origin.vocabulary, **own).numbered(num_classes)
        model = with_new_head(model, num_classes)
        new = {"num_classes": num_classes} if "num_classes" in known else {}
    data = check_fit(data, model, spec.recipe.loss if spec else None, options.get("vocab_size"))
    classes = data.classes or (origin.classes if num_classes is None else ())
    used = (data.name, data.source)
    return model, data, Origin(origin.name, {**origin.options, **new}, origin.vocabulary, classes, used)


def _check_classes(data: Dataset, model: keras.Model) -> None:
    """Refuse data with names for more or fewer classes than the model tells apart."""
    have, told = len(data.classes), told_apart(model) if model.outputs else 0
    if have not in (0, told):
        names = ", ".join(data.classes[:12])
        advice = f"give num_classes={have} for a new last layer"
        raise DataError(f"the data has {have} classes ({names}) and the model tells {told} apart; {advice}")
