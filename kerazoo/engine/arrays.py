"""Arrays to train on: which inputs count as such, sample weights, the validation split, the order of the examples."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from kerazoo.engine.types import Nested
from kerazoo.errors import DataError, InputError


def qualifies(*structures: Nested) -> bool:
    """Whether every leaf of the nested `structures` is a dense array or None, and not all are None."""
    leaves = [leaf for leaf in keras.tree.flatten(structures) if leaf is not None]
    return bool(leaves) and all(map(_is_array, leaves))


def is_stream(x: Any) -> bool:
    """Whether `x` yields batches: a `tf.data.Dataset`, PyDataset, DataLoader, grain data set or generator."""
    if keras.ops.is_tensor(x) or keras.tree.is_nested(x) or hasattr(x, "__array__") or hasattr(x, "dtype"):
        return False
    return isinstance(x, keras.utils.PyDataset) or hasattr(x, "__iter__")


def has_its_own_order(x: Any) -> bool:
    """Whether Keras cannot shuffle `x`: a stream other than a PyDataset, whose batches it can."""
    return is_stream(x) and not isinstance(x, keras.utils.PyDataset)


def _is_array(leaf: Any) -> bool:
    # Sparse and ragged tensors, data sets and iterators have no `__array__`; pandas columns have one.
    if not (hasattr(leaf, "__array__") and hasattr(leaf, "shape")):
        return False
    return len(leaf.shape) > 0 and getattr(getattr(leaf, "dtype", None), "kind", "f") != "O"


def prepare(
    x: Nested, y: Nested = None, sample_weight: Nested = None, class_weight: dict[int, float] | None = None
) -> tuple[Nested, int]:
    """Convert float64 arrays to floatx, and either kind of weights to sample weights.

    Args:
        x, y, sample_weight: arrays (N, ...), or nested dicts, lists, tuples of them; the last two may be None.
        class_weight: dict from class number to weight, for a model with one output.

    Returns:
        ((x, y, sample_weight), N). float64 becomes `keras.config.floatx()`, as in Keras.

    Raises:
        InputError: the arrays differ in length, are empty, or both kinds of weights are given.
    """
    weights = _sample_weights(y, sample_weight, class_weight)
    arrays = mapped(narrow, (x, y, weights))
    return arrays, length(arrays)


def length(arrays: Nested) -> int:
    """The number of examples of nested arrays (N, ...).

    Raises:
        DataError: they differ in it, or it is 0.
    """
    sizes = {leaf.shape[0] for leaf in keras.tree.flatten(arrays) if leaf is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise DataError(f"all arrays must have the same, positive number of examples; got {sorted(sizes)}")
    return int(sizes.pop())


def order(size: int, seed: int, epoch: int, shuffle: bool = True) -> npt.NDArray[np.int32]:
    """The order of the examples in pass number `epoch`: int32 (size,), a pure function of the arguments.

    Because no generator is carried from epoch to epoch, a resumed run needs no state to read on in the same order.
    """
    if not shuffle:
        return np.arange(size, dtype=np.int32)
    return np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)


def split(x: Nested, y: Nested, sample_weight: Nested, fraction: float) -> tuple[Nested, Nested]:
    """Cut the last `fraction` of the examples off for validation, as `model.fit(validation_split=...)` does.

    Returns:
        (x, y, sample_weight) to train on, and to validate on.

    Raises:
        InputError: one of the two parts would be empty.
    """
    arrays = mapped(narrow, (x, y, sample_weight))
    size = length(arrays)
    at = int(size * (1.0 - fraction))
    if not 0 < at < size:
        raise InputError(f"validation_split={fraction!r} of {size} examples leaves none to train or to validate on")
    return mapped(lambda a: a[:at], arrays), mapped(lambda a: a[at:], arrays)


def mapped(function: Callable[[Any], Any], structure: Nested) -> Nested:
    """Apply `function` to every leaf of a nested structure that is not None."""
    return keras.tree.map_structure(lambda leaf: None if leaf is None else function(leaf), structure)


def narrow(array: Any) -> Any:
    """Convert to an array of NumPy's, or leave a tensor of the backend's; float64 becomes floatx, as in Keras.

    A column of a pandas table, (N,), becomes (N, 1), also as in Keras.
    """
    if hasattr(array, "iloc"):
        array = array.to_numpy()
        array = array[:, None] if array.ndim == 1 else array
    if not keras.ops.is_tensor(array):
        array = np.asarray(array)
    if keras.backend.standardize_dtype(array.dtype) != "float64" or keras.config.floatx() == "float64":
        return array
    return (
        keras.ops.cast(array, keras.config.floatx())
        if keras.ops.is_tensor(array)
        else array.astype(keras.config.floatx())
    )


def _sample_weights(y: Nested, sample_weight: Nested, class_weight: dict[int, float] | None) -> Nested:
    if class_weight is None:
        if sample_weight is not None and keras.tree.is_nested(y) and not keras.tree.is_nested(sample_weight):
            return keras.tree.map_structure(lambda _: sample_weight, y)  # one weight for all outputs
        return sample_weight
    if sample_weight is not None:
        raise InputError("give sample_weight or class_weight, not both")
    if y is None or keras.tree.is_nested(y):
        raise InputError("class_weight needs a model with one output; give sample_weight per output instead")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] != 1 else labels[..., 0]
    classes, inverse = np.unique(np.round(labels).astype(np.int64), return_inverse=True)
    table = np.array([class_weight.get(int(c), 1.0) for c in classes], keras.config.floatx())
    return table[inverse].reshape(labels.shape)
