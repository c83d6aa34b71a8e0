"""Which words weighed: integrated gradients of the answer's log-odds by the words' vectors; and attention.

The gradient is averaged on the way from a text of unknown words to the text, and multiplied by the way (Sundararajan et
al. 2017): the weights add up to the difference that the words make in the log-odds. The gradient at the text alone says
little where the answer is sure, and next to nothing under a layer normalisation, which no vector's length gets past.
"""

from __future__ import annotations

from typing import Any

from kerazoo.inference.compiling import compiled_with, rows_for, value_and_slope
from kerazoo.inference.networks import Reading
from kerazoo.lazy import BACKENDS, keras, np

_KEPT = "_kerazoo_reader"
_STEPS = 4  # of the way; with eight the same words come first, in the packaged models


class Reader:
    """A text classifier cut at its embedding, so that the words' vectors can be differentiated by.

    Args:
        model: a functional model of one input of ids, with an embedding and, last, a dense layer of one sigmoid or a
            softmax over the classes.
        unknown: the id of the unknown word.
    """

    def __init__(self, model: keras.Model, unknown: int) -> None:
        embedding, self._last, self._unknown = _embedding(model), model.layers[-1], unknown
        self._front = keras.Model(model.inputs[0], embedding.output)
        self._back = keras.Model([embedding.output, model.inputs[0]], self._last.input)
        # One trace, for any number of rows, is most of what the first text waits for.
        self._grade = compiled_with([*self._back.variables, *self._last.variables], self._logits_and_slope)

    def read(self, ids: np.ndarray) -> Reading:
        """Return what the model makes of (N, T) int32 `ids`; a weight speaks for the row's most probable class."""
        ops, count = keras.ops, len(ids)
        ids = np.pad(ids, ((0, rows_for(count) - count), (0, 0)), mode="edge")
        tokens = ops.convert_to_tensor(ids)
        text = self._front(tokens, training=False)  # (N, T, d)
        way = text - self._front(ops.where(tokens == 0, 0, self._unknown), training=False)
        logits, _ = self._grade(text, tokens, ops.zeros(len(ids), "int32"))
        best = ops.argmax(logits, axis=-1)
        shares = [(step + 0.5) / _STEPS for step in range(_STEPS)]
        slope = sum(self._grade(text - (1 - share) * way, tokens, best)[1] for share in shares) / _STEPS
        found = ops.softmax(logits), ops.sum(slope * way, axis=-1)
        return Reading(*(ops.convert_to_numpy(one)[:count] for one in found))

    def _logits(self, vectors: Any, ids: Any) -> Any:
        """The (N, classes) values before the softmax; a single sigmoid's with a 0 for the other class."""
        # Without the engine: a few texts are answered before its graph would have been built.
        ops = keras.ops
        features = self._back([vectors, ids], training=False)
        kernel, bias = (ops.cast(one, features.dtype) for one in (self._last.kernel, self._last.bias))
        logits = ops.cast(ops.matmul(features, kernel) + bias, "float32")
        return ops.concatenate([ops.zeros_like(logits), logits], axis=-1) if logits.shape[-1] == 1 else logits

    def _logits_and_slope(self, vectors: Any, ids: Any, best: Any) -> Any:
        """The (N, classes) logits, and the (N, T, d) gradient of the log-odds of the classes `best`, (N,)."""
        ops = keras.ops

        def odds(vectors: Any) -> tuple[Any, Any]:
            logits = self._logits(vectors, ids)
            chosen = ops.equal(ops.arange(logits.shape[-1], dtype="int32"), best[:, None])
            others = ops.where(chosen, -np.inf, logits)
            own = ops.sum(ops.where(chosen, logits, 0.0), axis=-1)
            return ops.sum(own - ops.logsumexp(others, axis=-1)), logits

        return value_and_slope(odds, vectors)


def reader_of(model: keras.Model, unknown: int) -> Reader | None:
    """Return the `Reader` of `model`, kept on it; None where none can be made."""
    kept = model.__dict__.get(_KEPT)
    if kept is None and _can_explain(model):
        kept = Reader(model, unknown)
        object.__setattr__(model, _KEPT, kept)  # past Keras's tracking, which would save it with the model
    return kept


def _can_explain(model: keras.Model) -> bool:
    if keras.backend.backend() not in BACKENDS:  # whose gradients they are
        return False
    last = model.layers[-1]
    activations = (keras.activations.sigmoid, keras.activations.softmax)
    dense = isinstance(last, keras.layers.Dense) and last.use_bias and last.activation in activations
    return dense and len(model.inputs) == 1 and _embedding(model) is not None


def _embedding(model: keras.Model) -> Any:
    from kerazoo.layers import TokenAndPositionEmbedding

    kinds = (keras.layers.Embedding, TokenAndPositionEmbedding)
    return next((layer for layer in model.layers if isinstance(layer, kinds)), None)


def attention_of(model: keras.Model, ids: np.ndarray) -> np.ndarray | None:
    """Return the weights (N, heads, T, T) of the model's first self-attention for (N, T) `ids`; None without one."""
    from kerazoo.layers import MultiHeadAttention
    from kerazoo.layers.attention import attention_weights

    layer = next((one for one in model.layers if isinstance(one, MultiHeadAttention)), None)
    if layer is None:
        return None
    inputs = keras.tree.flatten(layer.input)
    vectors = keras.Model(model.inputs[0], inputs[0])(ids, training=False)  # (N, T, d)
    query, key = (
        keras.ops.transpose(dense(vectors), (0, 2, 1, 3)) for dense in (layer.query_dense, layer.key_dense)
    )  # (N, heads, T, d)
    return keras.ops.convert_to_numpy(attention_weights(query, key, (ids != 0)[:, None, None, :]))
