"""The caller's own data, brought to the form that a model takes, or refused in one line."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from typing import Any

from kerazoo.data import imdb, mnist, text
from kerazoo.data.dataset import Dataset
from kerazoo.data.vocabulary import Vocabulary
from kerazoo.errors import DataError
from kerazoo.lazy import np, tf
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
    classes: tuple[str, ...] = (),
    learn_vocabulary: bool = False,
) -> Any:
    """Return the caller's arrays or text as a `Dataset` for the model `model_spec` built with `options`.

    Args:
        data: a `Dataset`, `((x_train, y_train), (x_test, y_test))`, or `(x, y)`; for a text generator also one text;
            a `tf.data.Dataset` of batches stays one.
        model_spec: the model to feed; None for a model that is not of the zoo.
        options: the model's and the data's checked options.
        vocabulary: of a model that is already trained: ids are brought to it, text is read with it.
        classes: of a model that is already trained: labels that have names are brought to them.
        learn_vocabulary: learn one on the raw text of `x_train`, for a model that is to be trained on it.

    Raises:
        DataError: the data has another form, shape, dtype or length, or holds NaN.
    """
    kind = model_spec.dataset if model_spec else None
    if is_stream(data):
        return data.map(_form_batch) if kind == "mnist" else data
    if isinstance(data, Dataset) and not _is_raw(data.x_train):
        return data.with_vocabulary(vocabulary).with_classes(classes)
    if isinstance(data, str) and kind == "text":
        names = ("unit", "sequence_length", "stride", "max_vocabulary")
        chosen = {name: options[name] for name in names if name in options}
        return text.windows(text.split(data), "text", "user", "user", **chosen, vocabulary=vocabulary)
    if isinstance(data, Dataset):
        base = data.with_classes(classes)
        pairs = {split: (getattr(base, f"x_{split}"), getattr(base, f"y_{split}")) for split in base.sizes}
    else:
        train, test = _pairs(data)
        base = Dataset("user", "user", "user", *train)
        pairs = {"train": train, "test": test} if test else {"train": train}
    if kind == "imdb" and learn_vocabulary and (texts := imdb.as_texts(pairs["train"][0])) is not None:
        vocabulary = Vocabulary.learn(texts, "word", options["vocab_size"])
    form = _former(kind, options, vocabulary)
    arrays = {}
    for split, (x, y) in pairs.items():
        arrays[f"x_{split}"] = form(x)
        arrays[f"y_{split}"] = _labels(y, len(arrays[f"x_{split}"]))
    return dataclasses.replace(base, vocabulary=vocabulary, **arrays)


def _is_raw(x: Any) -> bool:
    """Tell whether `x` is text, or rows of different lengths, that are yet to be brought to the form of an array."""
    try:
        return np.asarray(x).dtype.kind in "OU"
    except ValueError:
        return True


def _form_batch(x: Any, *rest: Any) -> tuple[Any, ...]:
    """Bring one streamed batch of pictures to (B, 784) float32, as `mnist.as_pixels` does arrays."""
    if x.shape.rank is not None and x.shape.rank > 2:
        x = tf.reshape(x, (tf.shape(x)[0], -1))
    return (tf.cast(x, tf.float32) / 255 if x.dtype == tf.uint8 else x, *rest)


def _pairs(data: Any) -> tuple[Any, Any]:
    """Return the training pair and the test pair or None."""
    if isinstance(data, (tuple, list)) and len(data) == 2:
        first, second = data
        if _is_pair(first) and _is_pair(second):
            return first, second
        if _is_sequence(first) and _is_sequence(second):
            return (first, second), None
    raise DataError(f"data is {type(data).__name__}: wanted {_FORMS}")


def _is_sequence(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, (str, bytes, Mapping))


def _is_pair(member: Any) -> bool:
    """Tell (x, y) from an x of two rows: it is a tuple of two sequences, or a list of two arrays."""
    if not isinstance(member, (tuple, list)) or len(member) != 2:
        return False
    return all(_is_sequence(part) and (isinstance(member, tuple) or hasattr(part, "dtype")) for part in member)


def _former(kind: str | None, options: Mapping[str, Any], vocabulary: Vocabulary | None) -> Callable[[Any], Any]:
    """Return the function that brings inputs to the form that the model's data set has."""
    if kind == "mnist":
        return mnist.as_pixels
    if kind == "imdb":
        return lambda x: imdb.as_tokens(x, options["sequence_length"], options["vocab_size"], vocabulary)
    return lambda x: _numbers(x, "inputs")


def _numbers(values: Any, what: str) -> Any:
    """Return `values` as an array of finite numbers."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"the {what} are rows of different lengths: wanted one rectangular array") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} of dtype {array.dtype}: wanted numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"the {what} hold NaN or infinity; wanted finite numbers")
    return array


def _labels(y: Any, count: int) -> Any:
    """Return `y` as an array of `count` finite numbers or rows."""
    array = _numbers(y, "labels")
    if array.ndim == 0 or len(array) != count:
        raise DataError(f"{count} inputs and labels of shape {array.shape}: wanted one label an input")
    if count == 0:
        raise DataError("the data is empty; wanted at least one example")
    return array


def check_fit(data: Any, model: Any, model_spec: ModelSpec | None, vocab_size: int | None = None) -> Any:
    """Return `data` with labels as the loss takes them, once its inputs and labels fit the built `model`.

    Of a stream the first batch is checked. Without `model_spec` (a model that is not of the zoo) labels are not.

    Raises:
        DataError: inputs of another shape, token ids or labels out of range, or targets of another shape.
    """
    if is_stream(data):
        _check_stream(data, model, model_spec, vocab_size)
        return data
    arrays: dict[str, Any] = {}
    for split in data.sizes:
        x, y = _numbers(getattr(data, f"x_{split}"), "inputs"), getattr(data, f"y_{split}")
        _check_inputs(x, model, vocab_size)
        arrays |= {f"x_{split}": x, f"y_{split}": _targets(_labels(y, len(x)), model, model_spec)}
    return dataclasses.replace(data, **arrays)


def _check_stream(data: Any, model: Any, model_spec: ModelSpec | None, vocab_size: int | None) -> None:
    batch = next(data.take(1).as_numpy_iterator(), None)
    if not isinstance(batch, tuple) or len(batch) not in (2, 3):
        found = "is empty" if batch is None else "has elements that are not (inputs, labels)"
        raise DataError(f"the tf.data.Dataset {found}; wanted batches of (inputs, labels)")
    if isinstance(batch[0], (tuple, list, dict)):
        return  # several inputs: Keras knows them by name and order
    x = _numbers(batch[0], "inputs")
    if x.ndim == len(model.inputs[0].shape) - 1:
        raise DataError(f"the tf.data.Dataset gives single inputs of shape {x.shape}: batch it, e.g. with .batch(32)")
    _check_inputs(x, model, vocab_size)
    _targets(_labels(batch[1], len(x)), model, model_spec)


def _check_inputs(x: Any, model: Any, vocab_size: int | None) -> None:
    if len(model.inputs) != 1:
        names = ", ".join(one.name for one in model.inputs)
        raise DataError(f"the model has the inputs {names}: pass a tf.data.Dataset of batches (({names}), targets)")
    wanted = model.inputs[0].shape[1:]
    if not _shapes_fit(x.shape[1:], wanted):
        shape = ", ".join("any" if size is None else str(size) for size in wanted)
        raise DataError(f"inputs of shape {x.shape}: wanted (N, {shape})")
    if vocab_size and x.size and (x.dtype.kind not in "iu" or x.min() < 0 or x.max() >= vocab_size):
        raise DataError(f"{x.dtype} ids from {x.min()} to {x.max()}: wanted whole numbers from 0 to {vocab_size - 1}")


def _shapes_fit(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, have) for want, have in zip(wanted, shape, strict=True))


def _targets(y: Any, model: Any, model_spec: ModelSpec | None) -> Any:
    """Return the labels as (N,) for a classifier and as they are for a regression, checked against the output."""
    if model_spec is None:
        return y
    outputs, loss = model.outputs[0].shape, model_spec.recipe.loss
    if loss not in ("sparse_categorical_crossentropy", "binary_crossentropy"):
        if not _shapes_fit(y.shape, outputs):
            raise DataError(f"targets of shape {y.shape}: wanted {('N', *outputs[1:])}")
        return y
    classes = 2 if loss == "binary_crossentropy" and outputs[-1] == 1 else outputs[-1]
    if y.ndim == 2 and y.shape[1] == classes and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all():
        y = y.argmax(1)  # one-hot rows
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(f"labels of shape {y.shape}: wanted (N,) class numbers or (N, {classes}) one-hot rows")
    if y.size and (y.min() < 0 or y.max() >= classes or (y != np.floor(y)).any()):
        raise DataError(f"labels from {y.min():g} to {y.max():g}: wanted whole numbers from 0 to {classes - 1}")
    return y.astype(np.int32)
