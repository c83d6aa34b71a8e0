"""What attention may not see: causal masks, padding, masks of one's own, rows that see nothing."""

import keras
import numpy as np
import pytest
from attention_cases import cases, few
from gradients import gradients_of
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from kerazoo.layers.attention import MultiHeadAttention, ScaledDotProductAttention


def gradients(layer, x, **masks):
    """Return the output of self-attention and the gradients of its sum of squares for x and the layer's weights."""
    output = layer(x, **masks)
    given = keras.Variable(x)
    _, found = gradients_of(
        lambda: ops.sum(ops.square(ops.cast(layer(given.value, **masks), "float32"))),
        [given, *layer.trainable_weights],
    )
    return output, found


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "make", [lambda **k: ScaledDotProductAttention(2, **k), lambda **k: MultiHeadAttention(2, 4, **k)]
)
def test_fully_masked_row_gives_zeros_and_finite_gradients(make, dtype):
    x = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")
    mask = np.ones((2, 3, 3), bool)
    mask[0, 1] = False
    key_mask = np.array([[True] * 3, [False] * 3])
    layer = make(dtype=dtype)
    output, grads = gradients(layer, x, mask=mask, key_mask=key_mask)
    output = np.asarray(ops.cast(output, "float32"))
    assert np.all(output[0, 1] == 0) and np.all(output[1] == 0)
    assert np.all(output[0, [0, 2]] != 0)
    assert all(np.all(np.isfinite(ops.cast(g, "float32"))) for g in grads)


@few
@given(case=cases(), data=st.data())
def test_causal_output_does_not_depend_on_the_future(case, data):
    x, later = case["query"], data.draw(st.integers(1, case["tq"]))
    changed = x.copy()
    changed[:, later:] = 9
    for layer in (ScaledDotProductAttention(case["h"], causal=True), MultiHeadAttention(2, 3, causal=True)):
        np.testing.assert_array_equal(layer(x)[:, :later], layer(changed)[:, :later])


@few
@given(case=cases())
def test_contents_of_padding_do_not_matter(case):
    key_mask = np.random.default_rng(1).random((case["batch"], case["tk"])) < 0.5
    key, value = (np.where(key_mask[..., None], case[name], np.float32(99)) for name in ("key", "value"))
    for layer in (ScaledDotProductAttention(case["h"]), MultiHeadAttention(2, 3)):
        plain = layer(case["query"], case["key"], case["value"], key_mask=key_mask)
        np.testing.assert_array_equal(plain, layer(case["query"], key, value, key_mask=key_mask))


@pytest.mark.parametrize("layer", [ScaledDotProductAttention(2), MultiHeadAttention(2, 4)])
@pytest.mark.parametrize("spelled_out", [False, True])
def test_implicit_keras_mask_is_the_key_mask_and_goes_on(layer, spelled_out):
    embedding = keras.layers.Embedding(9, 8, mask_zero=True)
    ids = np.array([[3, 4, 5, 0], [6, 0, 0, 0]])
    x = embedding(ids)
    plain = np.asarray(x)
    attention_mask = np.tri(4, dtype=bool)[None]
    query = (x, x, x) if spelled_out else (x,)
    for mask in (None, attention_mask):
        output = layer(*query, mask=mask)
        np.testing.assert_array_equal(output, layer(plain, key_mask=ids != 0, mask=mask))
        pooled = keras.layers.GlobalAveragePooling1D()(output)  # averages what the mask lets it
        np.testing.assert_allclose(pooled[1], output[1, 0], atol=1e-6)
    everywhere = layer(*query, key_mask=np.ones((2, 4), bool))
    np.testing.assert_array_equal(everywhere, layer(plain))


def test_a_mask_of_size_one_stands_for_all():
    x = np.random.default_rng(0).normal(size=(3, 4, 8)).astype("float32")
    mask = np.tri(4, dtype=bool)[None]
    np.testing.assert_array_equal(
        ScaledDotProductAttention()(x, mask=mask), ScaledDotProductAttention(causal=True)(x, x, x)
    )
