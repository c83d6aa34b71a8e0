"""An LSTM for a CPU with the weights, saved file and results of `keras.layers.LSTM`, in less time.

Source: the cell is Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), in
Keras's gate order i, f, c, o. The saving is in the order of the same arithmetic:

* every time step is projected in one matrix product, and, straight after an `Embedding` of this
  module, only the distinct tokens of the batch are (a third of the positions of an IMDb batch);
* training in float32 is done by the kernels in C, where they are in use;
* else the recurrence is the one of `recurrence.py`: the least work per step, on two cores.

Whatever the fast path does not cover (a GPU, where cuDNN is better; masks, dropout, state kept
between batches, other activations, XLA, another backend) is left to Keras.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerazoo.engine.internals import inside_xla, policy_of, sources_of
from kerazoo.engine.layer_swap import lstm_fits
from kerazoo.engine.tensorflow import kernels
from kerazoo.engine.tensorflow.devices import on_cpu_tensorflow
from kerazoo.engine.tensorflow.recurrence import recur, reorder
from kerazoo.engine.types import Tensor

MAX_STEPS = 1024  # building the graph costs about 5 ms a step; beyond this Keras's loop is kept
_LEAST_DISTINCT = 1024


class Embedding(keras.layers.Embedding):
    """`keras.layers.Embedding` that tells the `LSTM` after it which tokens its output came from."""

    is_faster_form = True

    def call(self, inputs: Tensor) -> Tensor:
        """Look up (B, T) integer tokens: (B, T, D) of the compute dtype."""
        outputs = keras.layers.Embedding.call(self, inputs)  # not super(): another thread may end `accelerated`
        if _is_plain(self) and on_cpu_tensorflow():
            outputs._kerazoo_lookup = (inputs, self.embeddings)
        return outputs


class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU: same arguments, weights, saved file and results.

    Maps (B, T, D) float32 or float64 to (B, H), or (B, T, H) with `return_sequences`; with
    `return_state` also the last h and c, (B, H) each.
    """

    is_faster_form = True
    _table: tuple[Any, Any] = None, None  # while `layer_swap.tabulated` is in force: what `project_vocabulary` gave

    def inner_loop(
        self, sequences: Tensor, initial_state: Sequence[Tensor], mask: Tensor | None, training: bool = False
    ) -> Any:
        """Run the recurrence. Returns the last output, all outputs (or the last) and [h, c]."""
        if not self._can_be_fast(sequences, mask, training):
            return keras.layers.LSTM.inner_loop(self, sequences, initial_state, mask, training=training)
        lookup = getattr(sequences, "_kerazoo_lookup", None)
        if operations := self._kernels(sequences, training):
            weights = self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias
            options = {"return_sequences": self.return_sequences, "backwards": self.go_backwards}
            outputs, h, c = kernels.lstm(operations, sequences, lookup, weights, initial_state, **options)
            return h, outputs, [h, c]
        kernel, recurrent = (reorder(ops.convert_to_tensor(w)) for w in (self.cell.kernel, self.cell.recurrent_kernel))
        bias = None if self.cell.bias is None else reorder(ops.convert_to_tensor(self.cell.bias))
        # XLA compiles for each shape, so it pays only where the batch is of one size.
        loop = not training and sequences.shape[0] is not None and not tf.executing_eagerly()
        inputs = tf.transpose(sequences, (1, 0, 2))  # (T, B, D)
        inputs = tf.reverse(inputs, (0,)) if self.go_backwards else inputs
        inputs = tf.reshape(inputs, (-1, kernel.shape[0]))  # (T * B, D)
        table = self._table[1] if lookup and lookup[1] is self._table[0] else None
        if loop and table is None and sequences.shape[0] * sequences.shape[1] <= _LEAST_DISTINCT:
            lookup = None  # fewer positions than the rows that distinct tokens are padded to: one example, above all
        if lookup is None:
            projected, rows, inputs = _affine(inputs, kernel, bias), None, None
        else:
            tokens = tf.transpose(tf.cast(lookup[0], "int32"))  # (T, B)
            tokens = tf.reverse(tokens, (0,)) if self.go_backwards else tokens
            projected, rows = _project_distinct(tokens, lookup[1], kernel, bias, loop, table)
        outputs, h, c = recur(
            projected,
            rows,
            recurrent,
            *initial_state,
            steps=sequences.shape[1],
            return_sequences=self.return_sequences,
            compiled_loop=loop,
            inputs=inputs,
            kernel=kernel,
        )
        return h, outputs, [h, c]

    def _kernels(self, sequences: Tensor, training: bool) -> Any:
        """The C operations that train the layer, or None; inference uses the table and the compiled loop."""
        float32 = sequences.dtype == self.compute_dtype == "float32"
        return kernels.operations() if training and float32 else None

    def _can_be_fast(self, sequences: Tensor, mask: Tensor | None, training: bool) -> bool:
        fits = lstm_fits(self, sequences, mask, training)
        fits = fits and (sequences.shape[1] <= MAX_STEPS or self._kernels(sequences, training) is not None)
        exact = self.compute_dtype in ("float32", "float64")
        return fits and exact and on_cpu_tensorflow() and not inside_xla()


def project_vocabulary(layer: keras.layers.Layer) -> tuple[keras.Variable, Tensor] | None:
    """The embeddings that an `LSTM` reads, and their projections (V, 4H) by its kernel and bias, or None.

    None where it does not read an `Embedding` directly.
    """
    if type(layer) is not LSTM or not (source := _embedding_of(layer)):
        return None
    kernel, bias = (
        None if w is None else reorder(ops.convert_to_tensor(w)) for w in (layer.cell.kernel, layer.cell.bias)
    )
    return source.embeddings, _affine(ops.convert_to_tensor(source.embeddings), kernel, bias)


def _embedding_of(layer: keras.layers.Layer) -> Embedding | None:
    """The `Embedding` whose output is the only input a functional model ever gives this layer."""
    sources = sources_of(layer)
    source = sources.pop() if len(sources) == 1 else None
    known = type(source) is Embedding and _is_plain(source) and policy_of(source) == policy_of(layer)
    return source if known else None


def _is_plain(embedding: keras.layers.Embedding) -> bool:
    """Whether an `Embedding` does nothing but look up rows of its weights."""
    return (
        embedding.quantization_mode is None
        and not embedding.lora_enabled
        and embedding.compute_dtype == embedding.variable_dtype
    )


def _affine(vectors: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Map (N, D) to (N, 4H); bias may be None."""
    projected = tf.matmul(vectors, kernel)
    return projected if bias is None else tf.nn.bias_add(projected, bias)


def _project_distinct(
    tokens: Tensor,
    embeddings: keras.Variable,
    kernel: Tensor,
    bias: Tensor | None,
    few_shapes: bool,
    table: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Multiply the embedding of each distinct token by the kernel, once.

    The embeddings get no gradient here: Keras's optimizers square what each position contributes
    before they sum it, so `recur` gives each position of the looked-up inputs its own gradient.

    Args:
        tokens: (T, B) int32.
        embeddings: (V, D).
        kernel: (D, 4H); bias: (4H,) or None.
        few_shapes: let N be a power of two, so that XLA compiles what follows a few times at most.
        table: the whole vocabulary projected before, (V, 4H), or None.

    Returns:
        projected: (N, 4H), and the row of it that each token takes, (T, B) int32.
    """
    if table is not None:
        return table, _wrapped(tokens, table.shape[0])
    distinct, rows = tf.unique(tf.reshape(tokens, (-1,)))
    distinct = _pad_to_power_of_two(distinct) if few_shapes else distinct
    vectors = tf.stop_gradient(ops.take(embeddings, distinct, axis=0))  # (N, D)
    return _affine(vectors, kernel, bias), tf.reshape(rows, tf.shape(tokens))


def _pad_to_power_of_two(values: Tensor) -> Tensor:
    """Append zeros to (n,) values until their number is a power of two, `_LEAST_DISTINCT` at least."""
    count = tf.size(values)
    bits = tf.math.ceil(tf.math.log(tf.cast(count, tf.float64)) / tf.math.log(tf.constant(2, tf.float64)))
    return tf.pad(values, [[0, tf.maximum(_LEAST_DISTINCT, tf.cast(2**bits, tf.int32)) - count]])


def _wrapped(tokens: Tensor, size: int) -> Tensor:
    """Resolve negative (T, B) tokens from the end and refuse those out of range, both as Keras's lookup does.

    XLA would clamp them in silence.
    """
    tokens = tf.where(tokens < 0, tokens + size, tokens)
    with tf.control_dependencies(
        [tf.debugging.assert_less(tokens, size), tf.debugging.assert_greater_equal(tokens, 0)]
    ):
        return tf.identity(tokens)
