"""The caller's own data, brought to the form that a model takes, or refused in one line."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from kerazoo.data import imdb, mnist, text
from kerazoo.data.dataset import Dataset
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError
from kerazoo.lazy import np
from kerazoo.schema import ModelSpec

_FORMS = "a kerazoo Dataset, ((x_train, y_train), (x_test, y_test)), (x, y), or a tf.data.Dataset of batches"


def is_stream(data: Any) -> bool:
    """Tell whether `data` is a `tf.data.Dataset`, without importing TensorFlow to find out."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(data, tensorflow.data.Dataset)


def adapt(
    data: Any,
    model_spec: ModelSpec | None,
    options: Mapping[str, Any],
    vocabulary: Vocabulary | None = None,
    *,
    learn_vocabulary: bool = False,
) -> Dataset:
    """Return the caller's arrays or text as a `Dataset` for the model `model_spec` built with `options`.

    Args:
        data: a `Dataset`, `((x_train, y_train), (x_test, y_test))`, or `(x, y)`; for a text generator also one text.
        model_spec: the model to feed; None for a model that is not of the zoo.
        options: the model's and the data's checked options.
        vocabulary: of a model that is already trained.
        learn_vocabulary: learn one on the raw text of `x_train`, for a model that is to be trained on it.

    Raises:
        DataError: the data has another form, shape, dtype or length, or holds NaN.
    """
    if isinstance(data, Dataset):
        return data
    kind = model_spec.dataset if model_spec else None
    if isinstance(data, str) and kind == "text":
        chosen = {name: value for name, value in options.items() if name in ("unit", "sequence_length", "stride")}
        return text.windows(text.split(data), "text", "user", "user", **chosen)
    train, test = _pairs(data)
    x_train = train[0]
    if kind == "imdb" and learn_vocabulary and _is_text(x_train):
        vocabulary = Vocabulary.learn(map(str, x_train), "word", options["vocab_size"])
    form = _former(kind, options, vocabulary)
    arrays = {"x_train": form(x_train), "y_train": _labels(train[1], len(x_train))}
    if test:
        arrays.update(x_test=form(test[0]), y_test=_labels(test[1], len(test[0])))
    return Dataset(name="user", version="user", source="user", vocabulary=vocabulary, **arrays)


def _pairs(data: Any) -> tuple[Any, Any]:
    """Return the training pair and the test pair or None."""
    if isinstance(data, (tuple, list)) and len(data) == 2:
        first, second = data
        if _is_pair(first) and _is_pair(second):
            return first, second
        return (first, second), None
    raise DataError(f"data is {type(data).__name__}: wanted {_FORMS}")


def _is_pair(member: Any) -> bool:
    """Tell (x, y) from an x of two rows: it is a tuple of two sequences, or a list of two arrays."""
    if not isinstance(member, (tuple, list)) or len(member) != 2:
        return False
    kinds = (np.ndarray, list, tuple) if isinstance(member, tuple) else (np.ndarray,)
    return all(isinstance(part, kinds) for part in member)


def _is_text(rows: Any) -> bool:
    return len(rows) > 0 and all(isinstance(row, (str, bytes, np.str_, np.bytes_)) for row in rows)


def _former(kind: str | None, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Any:
    """Return the function that brings inputs to the form that the model's data set has."""
    if kind == "mnist":
        return mnist.as_pixels
    if kind == "imdb":
        sizes = options["sequence_length"], options["vocab_size"]
        return lambda x: imdb.as_tokens(x, *sizes, vocabulary)
    return _numbers


def _numbers(x: Any) -> Any:
    """Return `x` as an array of finite numbers."""
    try:
        array = np.asarray(x)
    except ValueError:
        raise DataError("the inputs are rows of different lengths: wanted one rectangular array") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"inputs of dtype {array.dtype}: wanted numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError("the inputs hold NaN or infinity; wanted finite numbers")
    return array


def _labels(y: Any, count: int) -> Any:
    """Return `y` as an array of `count` finite numbers or rows."""
    array = _numbers(y)
    if array.ndim == 0 or len(array) != count:
        raise DataError(f"{count} inputs and labels of shape {array.shape}: wanted one label an input")
    if count == 0:
        raise DataError("the data is empty; wanted at least one example")
    return array


def check_fit(dataset: Dataset, model: Any, model_spec: ModelSpec) -> Dataset:
    """Return `dataset` with labels as the loss takes them, once its inputs and labels fit the built `model`.

    Raises:
        DataError: inputs of another shape, token ids or labels out of range, or targets of another shape.
    """
    arrays = {}
    for split in ("train", "val", "test"):
        x, y = getattr(dataset, f"x_{split}"), getattr(dataset, f"y_{split}")
        if x is None:
            continue
        _check_inputs(x, model)
        arrays[f"y_{split}"] = _targets(y, model, model_spec.recipe.loss)
    return dataclasses.replace(dataset, **arrays)


def _check_inputs(x: Any, model: Any) -> None:
    if len(model.inputs) != 1:  # several inputs: Keras's own check is the one that knows them
        return
    wanted = model.inputs[0].shape[1:]
    fits = x.ndim == len(wanted) + 1 and all(
        want in (None, have) for want, have in zip(wanted, x.shape[1:], strict=True)
    )
    if not fits:
        shape = ", ".join("any" if size is None else str(size) for size in wanted)
        raise DataError(f"inputs of shape {x.shape}: wanted (N, {shape})")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError("the inputs hold NaN or infinity; wanted finite numbers")
    tables = [layer.input_dim for layer in model.layers if type(layer).__name__ == "Embedding"]
    if tables and x.size and (x.dtype.kind not in "iu" or x.min() < 0 or x.max() >= tables[0]):
        raise DataError(f"{x.dtype} ids from {x.min()} to {x.max()}: wanted whole numbers from 0 to {tables[0] - 1}")


def _shapes_fit(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, have) for want, have in zip(wanted, shape, strict=True))


def _targets(y: Any, model: Any, loss: str) -> Any:
    """Return the labels as (N,) for a classifier and as they are for a regression, checked against the output."""
    outputs = model.outputs[0].shape
    if loss not in ("sparse_categorical_crossentropy", "binary_crossentropy"):
        if not _shapes_fit(y.shape, outputs):
            raise DataError(f"targets of shape {y.shape}: wanted {('N', *outputs[1:])}")
        return y
    classes = 2 if loss == "binary_crossentropy" else outputs[-1]
    if y.ndim == 2 and y.shape[1] == classes and classes > 1 and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all():
        y = y.argmax(1)  # one-hot rows
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(f"labels of shape {y.shape}: wanted (N,) class numbers or (N, {classes}) one-hot rows")
    if y.size and (y.min() < 0 or y.max() >= classes or (y != np.floor(y)).any()):
        raise DataError(f"labels from {y.min():g} to {y.max():g}: wanted whole numbers from 0 to {classes - 1}")
    return y.astype(np.int32)
