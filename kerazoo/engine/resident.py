"""Training data that stays on the device: which inputs qualify, how they get there, in what order they are read."""

import keras
import numpy as np
import tensorflow as tf


def qualifies(*structures):
    """True where every leaf of the nested `structures` is a dense array (None leaves aside)."""
    leaves = [leaf for leaf in keras.tree.flatten(structures) if leaf is not None]
    return bool(leaves) and all(isinstance(leaf, tf.Tensor) or _is_array(leaf) for leaf in leaves)


def _is_array(leaf):
    # Sparse and ragged tensors, data sets and iterators have no `__array__`; pandas columns have one.
    return hasattr(leaf, "__array__") and hasattr(leaf, "shape") and len(leaf.shape) > 0


def place(x, y=None, sample_weight=None, class_weight=None, *, strategy):
    """Copy arrays to the device(s) once, in the dtype they came in.

    Args:
        x, y, sample_weight: arrays (N, ...), or nested dicts, lists, tuples of them; the last two may be None.
        class_weight: dict from class number to weight, for a model with one output.
        strategy: every replica of it gets its own copy, so that no step fetches rows from another device.

    Returns:
        ((x, y, sample_weight) as tensors, N). float64 becomes `keras.config.floatx()`, as in Keras.

    Raises:
        ValueError: the arrays differ in length, are empty, or both kinds of weights are given.
    """
    weights = _sample_weights(y, sample_weight, class_weight)
    arrays = keras.tree.map_structure(lambda a: None if a is None else narrow(a), (x, y, weights))
    sizes = {leaf.shape[0] for leaf in keras.tree.flatten(arrays) if leaf is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"all arrays must have the same, positive number of examples; got {sorted(sizes)}")
    if strategy.num_replicas_in_sync == 1:
        return keras.tree.map_structure(_tensor, arrays), sizes.pop()
    copies = keras.tree.map_structure(
        lambda a: (
            None if a is None else strategy.experimental_distribute_values_from_function(lambda _: tf.constant(a))
        ),
        arrays,
    )
    return copies, sizes.pop()


def order(size, seed, epoch, shuffle=True):
    """The order in which `epoch` reads the examples: int32 (size,), a pure function of the arguments.

    Because no generator is carried from epoch to epoch, a resumed run needs no state to read on in the same order.
    """
    if not shuffle:
        return np.arange(size, dtype=np.int32)
    return np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)


def spec(data):
    """Symbolic batches (None, ...) of `data`, in the dtypes that `gather` and `cut` give them."""

    def one(t):
        return keras.KerasTensor((None, *t.shape[1:]), keras.config.floatx() if t.dtype.is_floating else t.dtype.name)

    return keras.tree.map_structure(lambda t: None if t is None else one(t), data)


def gather(data, rows):
    """The batch at `rows` (B,): nested tensors (B, ...), half-precision floats widened to floatx as Keras does."""
    return keras.tree.map_structure(lambda t: None if t is None else floatx(tf.gather(t, rows)), data)


def cut(data, start, size):
    """`size` consecutive examples from `start` on: like `gather`, without the cost of indices."""

    def one(t):
        begin = tf.concat([[start], tf.zeros([t.shape.rank - 1], tf.int32)], axis=0)
        return floatx(tf.slice(t, begin, [size, *t.shape[1:]]))

    return keras.tree.map_structure(lambda t: None if t is None else one(t), data)


def _sample_weights(y, sample_weight, class_weight):
    if class_weight is None:
        if sample_weight is not None and keras.tree.is_nested(y) and not keras.tree.is_nested(sample_weight):
            return keras.tree.map_structure(lambda _: sample_weight, y)  # one weight for all outputs
        return sample_weight
    if sample_weight is not None:
        raise ValueError("give sample_weight or class_weight, not both")
    if y is None or keras.tree.is_nested(y):
        raise ValueError("class_weight needs a model with one output; give sample_weight per output instead")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] != 1 else labels[..., 0]
    classes, inverse = np.unique(np.round(labels).astype(np.int64), return_inverse=True)
    table = np.array([class_weight.get(int(c), 1.0) for c in classes], keras.config.floatx())
    return table[inverse].reshape(labels.shape)


def narrow(array):
    """An array of NumPy's or a tensor; float64 becomes `keras.config.floatx()`, as in Keras."""
    if isinstance(array, tf.Tensor):
        return tf.cast(array, keras.config.floatx()) if array.dtype == tf.float64 else array
    array = np.asarray(array)
    return array.astype(keras.config.floatx()) if array.dtype == np.float64 else array


def _tensor(array):
    return None if array is None else tf.convert_to_tensor(array)


def floatx(tensor):
    """A floating-point tensor as `keras.config.floatx()`; others as they are."""
    return tf.cast(tensor, keras.config.floatx()) if tensor.dtype.is_floating else tensor
