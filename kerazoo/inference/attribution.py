"""Which words weighed: the gradient of the answer's logit by each word's vector, times the vector; and attention.

Gradient times input is the first-order share of each word in the logit (Shrikumar et al. 2016): how much the log-odds
of the answer would fall, were the slope the same all the way, if the word's vector were zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerazoo.lazy import keras, np, tf

_KEPT = "_kerazoo_reader"


class Reading(NamedTuple):
    """What a classifier makes of N rows of T ids: (N, classes) probabilities and (N, T) weights of the words."""

    probabilities: np.ndarray
    weights: np.ndarray


class Reader:
    """A text classifier cut at its embedding, so that the words' vectors can be differentiated by.

    Args:
        model: a functional model of one input of ids, with an embedding and, last, a dense layer of one sigmoid or a
            softmax over the classes.
    """

    def __init__(self, model: keras.Model) -> None:
        embedding, self._last = _embedding(model), model.layers[-1]
        self._front = keras.Model(model.inputs[0], embedding.output)
        self._back = keras.Model([embedding.output, model.inputs[0]], self._last.input)
        self._compiled = tf.function(self._read, input_signature=[tf.TensorSpec((None, None), tf.int32)])

    def read(self, ids: np.ndarray) -> Reading:
        """Return what the model makes of (N, T) int32 `ids`; a weight speaks for the row's most probable class."""
        probabilities, weights = self._compiled(tf.constant(ids))
        return Reading(probabilities.numpy(), np.where(ids != 0, weights.numpy(), 0))

    def _read(self, ids: Any) -> tuple[Any, Any]:
        from kerazoo.layers import faster

        with faster.accelerated(self._front), faster.accelerated(self._back):
            vectors = self._front(ids, training=False)  # (N, T, d)
            with tf.GradientTape() as tape:
                tape.watch(vectors)
                features = self._back([vectors, ids], training=False)
                # Before the sigmoid or softmax: there a sure answer has no slope left.
                logits = features @ tf.cast(self._last.kernel, features.dtype)
                logits = tf.cast(logits + self._last.bias, tf.float32)  # (N, classes), or (N, 1)
                single = logits.shape[-1] == 1
                both = tf.concat([tf.zeros_like(logits), logits], axis=-1) if single else logits
                answer = tf.abs(logits[:, 0]) if single else _margin(both)
            weights = tf.reduce_sum(tape.gradient(answer, vectors) * vectors, axis=-1)  # (N, T)
            return tf.nn.softmax(both), weights


def _margin(logits: Any) -> Any:
    """The logarithm of the odds of the most probable class."""
    log = tf.nn.log_softmax(logits)
    best = tf.reduce_max(log, axis=-1)
    others = tf.where(log == best[:, None], -np.inf, log)
    return best - tf.reduce_logsumexp(others, axis=-1)


def reader_of(model: keras.Model) -> Reader | None:
    """Return the `Reader` of `model`, kept on it; None where none can be made."""
    kept = model.__dict__.get(_KEPT)
    if kept is None and _can_explain(model):
        kept = Reader(model)
        object.__setattr__(model, _KEPT, kept)  # past Keras's tracking, which would save it with the model
    return kept


def _can_explain(model: keras.Model) -> bool:
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
