"""The forms in which a caller gives data, as one `Dataset`; numbers and labels checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from kerazoo.data.dataset import Dataset
from kerazoo.errors import DataError
from kerazoo.lazy import np

_FORMS = "a kerazoo Dataset, ((x_train, y_train), (x_test, y_test)), (x, y), or a tf.data.Dataset of batches"


def as_dataset(data: Any) -> Dataset:
    """Return the caller's `data` as a `Dataset` of the name "user", its inputs and labels as they were given.

    Raises:
        DataError: it has none of the forms that `train` takes.
    """
    if isinstance(data, Dataset):
        return data
    if is_stream(data):
        return Dataset("user", "user", "user", data, None)
    if isinstance(data, (tuple, list)) and len(data) == 2:
        first, second = data
        if _is_pair(first) and _is_pair(second):
            return Dataset("user", "user", "user", *first, *second)
        if _is_sequence(first) and _is_sequence(second):
            return Dataset("user", "user", "user", first, second)
    raise DataError(f"data is {type(data).__name__}: wanted {_FORMS}")


def is_stream(data: Any) -> bool:
    """Tell whether `data`, as a caller gives it, is a `tf.data.Dataset`, or a `Dataset` of one."""
    tensorflow = sys.modules.get("tensorflow")  # without which nobody has such a data set
    given = data.x_train if isinstance(data, Dataset) else data
    return tensorflow is not None and isinstance(given, tensorflow.data.Dataset)


def _is_sequence(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, (str, bytes, Mapping))


def _is_pair(member: Any) -> bool:
    """Tell (x, y) from an x of two rows: it is a tuple of two sequences, or a list of two arrays."""
    if not isinstance(member, (tuple, list)) or len(member) != 2:
        return False
    return all(_is_sequence(part) and (isinstance(member, tuple) or hasattr(part, "dtype")) for part in member)


def is_raw(x: Any) -> bool:
    """Tell whether `x` is text, or rows of different lengths, that are yet to be brought to the form of an array."""
    try:
        return np.asarray(x).dtype.kind in "OU"
    except ValueError:
        return True


def numbers(values: Any, what: str) -> np.ndarray:
    """Return `values` as an array of finite numbers; an error calls them `what`.

    Raises:
        DataError: they are rows of different lengths, no numbers, or hold NaN or infinity.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"the {what} are rows of different lengths: wanted one rectangular array") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what} of dtype {array.dtype}: wanted numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"the {what} hold NaN or infinity; wanted finite numbers")
    return array


def labels(y: Any, count: int) -> np.ndarray:
    """Return `y` as an array of `count` finite numbers or rows.

    Raises:
        DataError: there are more or fewer of them, or none.
    """
    array = numbers(y, "labels")
    if array.ndim == 0 or len(array) != count:
        raise DataError(f"{count} inputs and labels of shape {array.shape}: wanted one label an input")
    if count == 0:
        raise DataError("the data is empty; wanted at least one example")
    return array
