"""The TensorFlow operations of `kerazoo.kernels`, with gradients; for float32 on a CPU, outside XLA."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kerazoo import kernels
from kerazoo.engine.internals import inside_xla
from kerazoo.engine.tensorflow.devices import on_cpu_tensorflow
from kerazoo.engine.tensorflow.recurrence import only_once
from kerazoo.engine.types import Tensor


def operations() -> Any:
    """The kernels' TensorFlow operations, or None where the graph being traced cannot use them."""
    if not on_cpu_tensorflow() or inside_xla():
        return None
    library = kernels.library()
    return library and library.operations


def lstm(
    operations: Any,
    sequences: Tensor,
    lookup: tuple[Tensor, tf.Variable] | None,
    weights: Sequence[Any],
    initial_state: Sequence[Tensor],
    *,
    return_sequences: bool,
    backwards: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM with Keras's gate order over whole sequences.

    Args:
        operations: what the function of that name gave.
        sequences: (B, T, D) float32.
        lookup: (tokens, table) where `sequences` are rows of the table (V, D) at tokens (B, T): they are then not read,
            but get their gradient, position by position; else None.
        weights: kernel (D, 4H), recurrent (H, 4H), bias (4H,) or None.
        initial_state: h and c, (B, H) each.
        return_sequences: whether the first result has all steps.
        backwards: from the last step to the first.

    Returns:
        (B, T, H) outputs, or the last one (B, H); the last h and c, (B, H) each.
    """
    tokens, table = (tf.zeros((0, 0), tf.int32), None) if lookup is None else lookup
    if lookup is not None:
        if tokens.dtype == tf.int64:
            tokens = tf.clip_by_value(tokens, tf.int32.min, tf.int32.max)  # to be refused, not to be wrapped
        tokens = tf.cast(tokens, tf.int32)
        tokens = tf.where(tokens < 0, tokens + tf.shape(table)[0], tokens)
        table = tf.stop_gradient(tf.convert_to_tensor(table))
    options = {"backwards": backwards, "sequences": return_sequences}
    steps, units = sequences.shape[1], weights[1].shape[0]

    @tf.custom_gradient
    def run(sequences: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor, h: Tensor, c: Tensor) -> Any:
        arguments = [sequences, kernel, recurrent, bias, h, c]
        source = tf.stop_gradient(sequences) if table is None else table
        read = [source, tokens, *map(tf.stop_gradient, arguments[1:])]
        outputs, last_h, last_c, *kept = operations.kerazoo_lstm(*read, **options)
        for state in (last_h, last_c):
            state.set_shape(h.shape)
        outputs = tf.ensure_shape(outputs, (h.shape[0], steps, units)) if return_sequences else last_h

        def gradient(d_outputs: Tensor, d_h: Tensor, d_c: Tensor) -> Any:
            if not return_sequences:
                d_h = d_h + d_outputs
            *gradients, _ = operations.kerazoo_lstm_gradient(*read, *kept, d_outputs, d_h, d_c, **options)
            for one, argument in zip(gradients, arguments, strict=True):
                one.set_shape(argument.shape)
            return only_once(gradients, arguments)

        return (outputs, last_h, last_c), gradient

    kernel, recurrent, bias = weights
    bias = tf.zeros((0,)) if bias is None else bias
    outputs, h, c = run(sequences, *map(tf.convert_to_tensor, (kernel, recurrent, bias)), *initial_state)
    return outputs, h, c
