"""Whether data fits a model that is built: shapes, ids and labels, or one line that says what does not."""

from __future__ import annotations

import dataclasses
from typing import Any

from kerazoo.data.dataset import Dataset
from kerazoo.data.forms import labels, numbers
from kerazoo.errors import DataError
from kerazoo.lazy import np

_CLASSIFY = ("sparse_categorical_crossentropy", "binary_crossentropy")


def told_apart(model: Any) -> int:
    """Return how many classes a classifier tells apart; a single sigmoid unit tells two."""
    return max(2, model.outputs[0].shape[-1] or 0)


def check_fit(data: Dataset, model: Any, loss: str | None, vocab_size: int | None = None) -> Dataset:
    """Return `data` with labels as the loss takes them, once its inputs and labels fit the built `model`.

    Of a stream the first batch is checked.

    Args:
        data: encoded.
        model: with at least one output.
        loss: the recipe's; None (a model that is not of the zoo) leaves labels as they are.
        vocab_size: ids that the model knows.

    Raises:
        DataError: inputs of another shape, token ids or labels out of range, or targets of another shape.
    """
    if data.is_stream:
        _check_stream(data.x_train, model, loss, vocab_size)
        return data
    arrays: dict[str, Any] = {}
    for split in data.sizes:
        x, y = numbers(getattr(data, f"x_{split}"), "inputs"), getattr(data, f"y_{split}")
        _check_inputs(x, model, vocab_size)
        arrays |= {f"x_{split}": x, f"y_{split}": _targets(labels(y, len(x)), model, loss, data.classes)}
    return dataclasses.replace(data, **arrays)


def _check_stream(stream: Any, model: Any, loss: str | None, vocab_size: int | None) -> None:
    batch = next(stream.take(1).as_numpy_iterator(), None)
    if not isinstance(batch, tuple) or len(batch) not in (2, 3):
        found = "is empty" if batch is None else "has elements that are not (inputs, labels)"
        raise DataError(f"the tf.data.Dataset {found}; wanted batches of (inputs, labels)")
    if isinstance(batch[0], (tuple, list, dict)):
        return  # several inputs: Keras knows them by name and order
    x = numbers(batch[0], "inputs")
    if x.ndim == len(model.inputs[0].shape) - 1:
        raise DataError(f"the tf.data.Dataset gives single inputs of shape {x.shape}: batch it, e.g. with .batch(32)")
    _check_inputs(x, model, vocab_size)
    _targets(labels(batch[1], len(x)), model, loss)


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


def _targets(y: Any, model: Any, loss: str | None, names: tuple[str, ...] = ()) -> Any:
    """Return the labels as (N,) for a classifier and as they are for a regression, checked against the output."""
    if loss is None:
        return y
    outputs = model.outputs[0].shape
    if loss not in _CLASSIFY:
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
        if len(names) > classes:
            told = f"the data has {len(names)} classes and the model tells {classes} apart"
            raise DataError(f"{told}; fine-tune it with num_classes={len(names)}")
        raise DataError(f"labels from {y.min():g} to {y.max():g}: wanted whole numbers from 0 to {classes - 1}")
    return y.astype(np.int32)
