"""Measuring a trained model on a test split."""

from __future__ import annotations

import math
import operator
import os
from typing import Any

from kerazoo import engine
from kerazoo.data import data_options, load_for
from kerazoo.data.adapt import adapt, check_fit, is_stream
from kerazoo.data.prepared import check_source
from kerazoo.errors import InputError, NotFiniteError
from kerazoo.factory import PRETRAINED, build, exact_products
from kerazoo.lazy import keras
from kerazoo.model_file import load_model, origin_of
from kerazoo.options import check_options
from kerazoo.registry import spec


def evaluate(
    name: str,
    model: keras.Model | str | os.PathLike[str] = PRETRAINED,
    *,
    data: Any = None,
    data_dir: str | os.PathLike[str] | None = None,
    source: str = "auto",
    batch_size: int = 512,
    **options: Any,
) -> dict[str, float]:
    """Return the loss and the metrics of `model`, a trained `name`, on the test split.

    Args:
        name: the model's name in the zoo; its data set is the one that is evaluated on.
        model: a compiled Keras model, the path of a `.keras` file, or "pretrained" for the package's own weights.
        data: the caller's own data in place of the model's, as `train` takes it; of an `(x, y)` all is measured.
        data_dir: a directory in TFDS layout.
        source: "auto", "tfds" or "sample", as in `load_data`.
        batch_size: examples at a time; it changes the speed, not the result.
        **options: what to make of the data; by default what the model was trained on.

    Returns:
        `loss` and the recipe's metrics, e.g. {"loss": 0.08, "accuracy": 0.98}.

    Raises:
        ModelFileError: `model` is a path that holds no such model.
        DataError: the data does not fit the model.
        NotFiniteError: the loss or a metric is NaN or infinite.
    """
    model_spec = spec(name)
    check_source(source)
    if isinstance(model, (str, os.PathLike)):
        model = build(name, weights=PRETRAINED) if model == PRETRAINED else load_model(model, name)
    whole_number("batch_size", batch_size)
    if not getattr(model, "compiled", False):
        raise InputError("the model is not compiled; call model.compile(...) or build it with compile=True")
    accepted = data_options(model_spec)
    origin = origin_of(model)
    chosen = {**model_spec.defaults, **accepted, **origin.options}
    chosen |= check_options(options, accepted, f"the data of '{name}'")
    if data is None:
        data = load_for(model_spec, chosen, data_dir, source)
    data = adapt(data, model_spec, chosen, origin.vocabulary, classes=origin.classes)
    data = check_fit(data, model, model_spec, chosen.get("vocab_size"))
    metrics = evaluate_on(model, data, batch_size)
    wrong = ", ".join(f"{key} {value}" for key, value in metrics.items() if not math.isfinite(value))
    if wrong:
        raise NotFiniteError(f"the model measures {wrong}: its training has diverged; train it anew")
    return metrics


def evaluate_on(model: keras.Model, data: Any, batch_size: int = 512) -> dict[str, float]:
    """Return the loss and metrics on the test split of `data`, or on all of it where there is no split."""
    if is_stream(data):
        x, y = data, None
    elif data.x_test is None:
        x, y = data.x_train, data.y_train
    else:
        x, y = data.x_test, data.y_test
    with exact_products():
        logs = engine.evaluate(model, x, y, batch_size=batch_size)
    return {key: float(value) for key, value in logs.items()}


def whole_number(what: str, value: Any, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`.

    Raises:
        InputError: it is not.
    """
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # NumPy's integers are whole numbers too
    except TypeError:
        number = -1
    if number < least:
        raise InputError(f"{what}={value!r}: wanted a whole number of at least {least}")
    return number
