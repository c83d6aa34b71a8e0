"""The faster dropout: Keras's distribution, gradient and seeding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerazoo.engine.tensorflow.dropout import Dropout


@pytest.mark.parametrize("rate", [0.5, 0.2, 0.1, 0.999, 1 - 1e-9])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("xla", [False, True])
def test_drops_the_rate_and_scales_the_rest(rate, dtype, xla):
    x = tf.ones((401, 253), dtype)  # an odd number of values
    layer = Dropout(rate, seed=3, dtype=dtype)
    y = tf.cast(tf.function(layer, jit_compile=xla)(x, training=True), tf.float32).numpy()
    kept = np.unique(y[y != 0])
    assert len(kept) <= 1 and np.allclose(kept, 1 / (1 - rate), rtol=1e-2)
    deviation = np.sqrt(rate * (1 - rate) / y.size)
    assert abs((y == 0).mean() - rate) < 4 * deviation + 1 / 131072
    if len(kept):
        assert abs(np.corrcoef(y[:, :-1].ravel(), y[:, 1:].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("xla", [False, True])
def test_same_seed_same_draws_and_each_call_others(xla):
    x = tf.ones((64, 64))
    one, two, other = (tf.function(Dropout(0.5, seed=seed), jit_compile=xla) for seed in (1, 1, 2))
    first = one(x, training=True)
    assert np.array_equal(first, two(x, training=True))
    assert not np.array_equal(first, one(x, training=True))
    assert not np.array_equal(first, other(x, training=True))


def test_gradient_passes_where_values_passed():
    x = tf.random.normal((50, 7))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = Dropout(0.2, seed=0)(x, training=True)
    gradient = tape.gradient(y, x).numpy()
    assert np.allclose(gradient, y / x, rtol=1e-5) and 0 < (gradient == 0).mean() < 1


def test_inference_and_noise_shape_are_left_to_keras():
    x = tf.random.normal((8, 5, 3))
    assert np.array_equal(Dropout(0.5)(x, training=False), x)
    shape = (None, 1, 3)
    ours, theirs = (kind(0.5, noise_shape=shape, seed=4)(x, training=True) for kind in (Dropout, keras.layers.Dropout))
    assert np.array_equal(ours, theirs)
