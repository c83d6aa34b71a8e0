"""Attention against a float64 NumPy reference, and against Keras's own layer."""

import keras
import numpy as np
import pytest
from attention_cases import cases, few, heads, inputs, joint_mask, reference
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from kerazoo.layers.attention import MultiHeadAttention, ScaledDotProductAttention, attend


@few
@given(case=cases(), causal=st.booleans())
def test_layer_is_the_formula(case, causal):
    layer = ScaledDotProductAttention(case["h"], causal=causal, return_weights=True)
    output, weights = layer(**inputs(case))
    expected, expected_weights = reference(
        *(heads(case[name], case["h"]) for name in ("query", "key", "value")), joint_mask(case, causal)
    )
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    np.testing.assert_allclose(output, expected.swapaxes(1, 2).reshape(output.shape), atol=1e-5)


@few
@given(case=cases(), causal=st.booleans(), use_bias=st.booleans())
def test_projected_layer_is_the_formula_between_projections(case, causal, use_bias):
    layer = MultiHeadAttention(case["h"], 3, value_dim=2, use_bias=use_bias, causal=causal, return_weights=True)
    layer.build(case["query"].shape, case["key"].shape, case["value"].shape)
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    w = [np.asarray(x, "float64") for x in layer.get_weights()]
    kernels, biases = (w[::2], w[1::2]) if use_bias else (w, [0, 0, 0, 0])
    q, k, v = (
        (np.einsum("btf,fhd->bthd", case[name], kernel) + bias).swapaxes(1, 2)
        for name, kernel, bias in zip(("query", "key", "value"), kernels, biases, strict=False)
    )
    expected, expected_weights = reference(q, k, v, joint_mask(case, causal))
    expected = np.einsum("bhtd,hdf->btf", expected, kernels[3]) + biases[3]
    output, weights = layer(**inputs(case))
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    # A sum of projections may cancel: float32 is as exact as the largest of them.
    np.testing.assert_allclose(output, expected, atol=1e-5 * max(1, np.abs(expected).max()), rtol=1e-5)


def test_attend_worked_by_hand():
    query, key, value = np.array([[2.0, 0.0]]), np.eye(2), np.array([[1.0], [3.0]])
    share = 1 / (1 + np.exp(-np.sqrt(2)))  # scores 2 / sqrt(2) and 0
    output, weights = attend(query, key, value)
    np.testing.assert_allclose(weights, [[share, 1 - share]], rtol=1e-12)
    np.testing.assert_allclose(output, [[share + 3 * (1 - share)]], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_attend_keeps_the_dtype_and_its_precision(dtype):
    rng = np.random.default_rng(0)
    q, k, v = (ops.cast(rng.normal(size=(2, 300, 16)), dtype) for _ in range(3))
    output, weights = attend(q, k, v)
    assert keras.backend.standardize_dtype(output.dtype) == keras.backend.standardize_dtype(weights.dtype) == dtype
    exact, _ = reference(*(np.asarray(ops.cast(x, "float64")) for x in (q, k, v)))
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(ops.cast(output, "float64"), exact, atol=tolerance)


def test_large_scores_do_not_overflow_in_float16():
    x = ops.full((1, 2, 64), 60.0, dtype="float16")  # 60 * 60 * 64 is beyond float16, over sqrt(64) it is not
    output, _ = attend(x, x, x)
    np.testing.assert_allclose(ops.cast(output, "float32"), 60.0)


@pytest.mark.parametrize("value_dim", [None, 5])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("with_mask", [True, False])
def test_equals_keras_with_the_same_weights(value_dim, use_bias, causal, with_mask):
    rng = np.random.default_rng(0)
    query, key, value = (rng.normal(size=s).astype("float32") for s in ((2, 5, 7), (2, 6, 4), (2, 6, 9)))
    mask = rng.random((2, 5, 6)) < 0.6 if with_mask else None
    if with_mask:
        mask[:, :, 0] = True  # Keras spreads a fully masked row evenly
    theirs = keras.layers.MultiHeadAttention(3, 4, value_dim=value_dim, use_bias=use_bias)
    ours = MultiHeadAttention(3, 4, value_dim=value_dim, use_bias=use_bias, causal=causal, return_weights=True)
    theirs.build(query.shape, value.shape, key.shape)
    ours.build(query.shape, key.shape, value.shape)
    theirs.set_weights([rng.normal(size=w.shape) for w in theirs.get_weights()])  # biases start as zeros
    ours.set_weights(theirs.get_weights())
    expected, expected_weights = theirs(
        query, value, key, attention_mask=mask, use_causal_mask=causal, return_attention_scores=True
    )
    output, weights = ours(query, key, value, mask=mask)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    np.testing.assert_allclose(output, expected, atol=1e-5, rtol=1e-5)


def test_starts_from_the_same_distribution_as_keras():
    x = np.ones((1, 2, 64), "float32")
    ours, theirs = MultiHeadAttention(4, 16), keras.layers.MultiHeadAttention(4, 16)
    ours(x), theirs(x, x)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    for mine, keras_weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine.std(), keras_weight.std(), rtol=0.1)
