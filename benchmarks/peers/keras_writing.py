"""Writing text with a Keras model Embedding -> LSTM -> Dense, by a compiled step a token, or by `predict` on windows.

Symbols: B texts, V tokens, H units.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

WINDOW, FIRST = 40, 34


def loops(model: keras.Model) -> dict[str, Callable[[int, int], list[list[int]]]]:
    """Return, by name, functions (texts, length) -> tokens that call a compiled step a token and carry the state."""
    if keras.backend.backend() == "jax":
        return {"a step by jax.jit": _jax_loop(model)}
    return {
        "a step by tf.function": _tensorflow_loop(model, jit=False),
        "a step by tf.function, XLA": _tensorflow_loop(model, jit=True),
    }


def by_window(model: keras.Model, length: int) -> list[int]:
    """Write one text by `predict` on its last 40 tokens, without carrying the state."""
    random, ids = np.random.default_rng(0), [FIRST] * WINDOW
    for _ in range(length):
        reached = model.predict(np.array([ids[-WINDOW:]], "int32"), verbose=0)[0].cumsum()
        ids.append(int((reached > random.random() * reached[-1]).argmax()))
    return ids


def _tensorflow_loop(model: keras.Model, jit: bool) -> Callable[[int, int], list[list[int]]]:
    import tensorflow as tf

    embedding, lstm, dense = model.layers[-3:]

    @tf.function(jit_compile=jit)
    def step(tokens: Any, h: Any, c: Any, seed: Any) -> Any:
        _, (h, c) = lstm.cell(embedding(tokens), [h, c], training=False)
        reached = tf.cumsum(tf.cast(dense(h), tf.float32), axis=-1)  # (B, V)
        uniform = tf.random.stateless_uniform((tf.shape(tokens)[0], 1), seed, alg="philox")
        return tf.argmax(reached > uniform * reached[:, -1:], axis=-1, output_type=tf.int32), h, c

    def loop(texts: int, length: int) -> Any:
        tokens, h = tf.fill([texts], FIRST), tf.zeros((texts, lstm.units), lstm.compute_dtype)
        c, written = h, []
        for seed in tf.unstack(tf.stack([tf.zeros(length, tf.int32), tf.range(length)], axis=1)):
            tokens, h, c = step(tokens, h, c, seed)
            written.append(tokens)
        return tf.stack(written, 1).numpy().tolist()

    return loop


def _jax_loop(model: keras.Model) -> Callable[[int, int], list[list[int]]]:
    import jax
    import jax.numpy as jnp

    embedding, lstm, dense = model.layers[-3:]
    weights = [v.value for v in model.trainable_variables]

    @jax.jit
    def step(weights: Any, key: Any, tokens: Any, h: Any, c: Any) -> Any:
        pairs = list(zip(model.trainable_variables, weights, strict=True))
        with keras.StatelessScope(pairs):
            _, (h, c) = lstm.cell(embedding(tokens), [h, c], training=False)
            logits = jnp.log(dense(h).astype("float32"))  # (B, V)
        key, own = jax.random.split(key)
        return key, jax.random.categorical(own, logits).astype("int32"), h, c

    def loop(texts: int, length: int) -> Any:
        key, tokens = jax.random.key(0), jnp.full((texts,), FIRST, "int32")
        h = c = jnp.zeros((texts, lstm.units), lstm.compute_dtype)
        written = []
        for _ in range(length):
            key, tokens, h, c = step(weights, key, tokens, h, c)
            written.append(tokens)
        return np.stack(jax.device_get(written), 1).tolist()

    return loop
