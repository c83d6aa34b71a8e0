"""Arrays on TensorFlow's devices, and taking batches from them inside compiled loops."""

import keras
import tensorflow as tf

from kerazoo.engine.arrays import mapped
from kerazoo.engine.types import Nested, Tensor


def place(arrays: Nested, strategy: tf.distribute.Strategy) -> Nested:
    """Copy nested arrays to the device(s) once, in the dtype they have.

    Every replica of `strategy` gets its own copy, so that no step fetches rows from another device.
    """
    if strategy.num_replicas_in_sync == 1:
        return mapped(tf.convert_to_tensor, arrays)
    return mapped(lambda a: strategy.experimental_distribute_values_from_function(lambda _: tf.constant(a)), arrays)


def spec(data: Nested, strategy: tf.distribute.Strategy) -> Nested:
    """Symbolic batches (None, ...) of placed `data`, in the dtypes that `gather` and `cut` give them."""

    def one(t: Tensor) -> keras.KerasTensor:
        t = strategy.experimental_local_results(t)[0]
        return keras.KerasTensor((None, *t.shape[1:]), keras.config.floatx() if t.dtype.is_floating else t.dtype.name)

    return mapped(one, data)


def gather(data: Nested, rows: Tensor) -> Nested:
    """The batch at `rows` (B,): nested tensors (B, ...), floats cast to floatx as Keras does."""
    return mapped(lambda t: floatx(tf.gather(t, rows)), data)


def cut(data: Nested, start: Tensor, size: int | Tensor) -> Nested:
    """`size` consecutive examples from `start` on: like `gather`, without the cost of indices."""

    def one(t: Tensor) -> Tensor:
        begin = tf.concat([[start], tf.zeros([t.shape.rank - 1], tf.int32)], axis=0)
        return floatx(tf.slice(t, begin, [size, *t.shape[1:]]))

    return mapped(one, data)


def floatx(tensor: Tensor) -> Tensor:
    """Cast a floating-point tensor to `keras.config.floatx()`; leave other dtypes."""
    return tf.cast(tensor, keras.config.floatx()) if tensor.dtype.is_floating else tensor
