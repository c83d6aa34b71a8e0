"""Attention against a float64 NumPy reference, against Keras's own layer, and through everything Keras does."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from gradients import gradients_of
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from kerazoo.layers.attention import MultiHeadAttention, ScaledDotProductAttention, attend

REPOSITORY = Path(__file__).parents[2]
few = settings(max_examples=15, deadline=None, database=None)


def reference(query, key, value, mask=None):
    """Return softmax(Q K^T / sqrt(d_k)) V and its weights in float64, one query at a time; (..., T, d) arrays."""
    query, key, value = (np.asarray(x, "float64") for x in (query, key, value))
    shape = (*query.shape[:-1], key.shape[-2])
    mask = np.broadcast_to(True if mask is None else mask, shape)
    weights = np.zeros(shape)
    for row in np.ndindex(shape[:-1]):
        seen = np.flatnonzero(mask[row])
        if len(seen):
            scores = key[row[:-1]][seen] @ query[row] / np.sqrt(query.shape[-1])
            powers = np.exp(scores - scores.max())
            weights[(*row, seen)] = powers / powers.sum()
    return weights @ value, weights


def joint_mask(case, causal):
    """Return the masks of a case in one, (B, 1, Tq, Tk) bool."""
    mask = np.ones((case["batch"], 1, case["tq"], case["tk"]), bool)
    if causal:
        mask &= np.tri(case["tq"], case["tk"], dtype=bool)
    if case["key_mask"] is not None:
        mask &= case["key_mask"][:, None, None].astype(bool)
    if case["mask"] is not None:
        mask &= case["mask"][:, None].astype(bool)
    return mask


def heads(x, h):
    """Cut (B, T, h * d) into (B, h, T, d)."""
    return x.reshape(*x.shape[:2], h, -1).swapaxes(1, 2)


@st.composite
def cases(draw):
    """Draw sizes, inputs (B, T, h * d) and masks."""
    size = st.integers(1, 5)
    batch, tq, tk, h, d, dv = (draw(size) for _ in range(6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density, dtype = draw(st.sampled_from([0.2, 0.8])), draw(st.sampled_from(["bool", "int32"]))
    return {
        "batch": batch,
        "tq": tq,
        "tk": tk,
        "h": h,
        "query": rng.normal(size=(batch, tq, h * d)).astype("float32"),
        "key": rng.normal(size=(batch, tk, h * d)).astype("float32"),
        "value": rng.normal(size=(batch, tk, h * dv)).astype("float32"),
        "key_mask": (rng.random((batch, tk)) < density).astype(dtype) if draw(st.booleans()) else None,
        "mask": (rng.random((batch, tq, tk)) < density).astype(dtype) if draw(st.booleans()) else None,
    }


def inputs(case):
    """Return the tensors of a case, by the name of the argument."""
    return {name: case[name] for name in ("query", "key", "value", "key_mask", "mask")}


@pytest.fixture(autouse=True)
def exact_products_on_gpus():
    """Keep TensorFlow from multiplying float32 with the 10 bits of TensorFloat-32."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)


# The formula


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


@few
@given(case=cases(), causal=st.booleans())
def test_rows_of_weights_sum_to_one_where_anything_is_visible(case, causal):
    _, weights = ScaledDotProductAttention(case["h"], causal=causal, return_weights=True)(**inputs(case))
    visible = joint_mask(case, causal)
    assert np.all(np.asarray(weights) >= 0)
    assert np.all(np.where(visible, 0, weights) == 0)
    sums = np.broadcast_to(visible.any(-1), weights.shape[:-1])
    np.testing.assert_allclose(np.sum(weights, -1), sums, atol=1e-5)


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


# Masks


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


# Beside Keras's own layer


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


# Through Keras


def test_dropout_acts_on_the_weights_and_only_in_training():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 1, 8)).astype("float32")
    layer, plain = (MultiHeadAttention(1, 4, dropout=rate, return_weights=True) for rate in (0.5, 0.0))
    output, weights = (np.asarray(y) for y in layer(x))
    plain(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(output, plain(x)[0])
    np.testing.assert_array_equal(output, layer(x, training=False)[0])
    trained, trained_weights = layer(x, training=True)
    np.testing.assert_array_equal(trained_weights, weights)  # those before dropout
    # With one key there is one weight, 1, and dropout leaves 0 or 1 / (1 - 0.5) of it.
    share = np.sum(trained * output, axis=-1) / np.sum(output * output, axis=-1)
    np.testing.assert_allclose(trained, share[..., None] * output, atol=1e-5)
    np.testing.assert_allclose(np.unique(np.round(share, 4)), [0, 2])


def encoder(dropout=0.0, **options):
    """Return a compiled model of both layers over sequences (B, T) of ids, 0 for padding."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 8, mask_zero=True)(ids)
    x = keras.layers.Add()([x, MultiHeadAttention(2, 4, causal=True, dropout=dropout)(x)])  # `+` drops the mask
    x = ScaledDotProductAttention(4)(x, x, x)
    outputs = keras.layers.Dense(1, dtype="float32")(keras.layers.GlobalAveragePooling1D()(x))
    model = keras.Model(ids, outputs)
    model.compile("sgd", "mse", **options)
    return model


def ids():
    rng = np.random.default_rng(0)
    return rng.integers(1, 9, (4, 6)) * (np.arange(6) < [[6], [4], [2], [1]])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_trains_in_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = encoder(dropout=0.1, run_eagerly=True)
    finally:
        keras.config.set_dtype_policy(before)
    attention = next(x for x in model.layers if isinstance(x, MultiHeadAttention))
    assert {w.dtype for w in attention.weights} == {"float32"}
    output = attention(np.ones((1, 2, 8), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == policy.removeprefix("mixed_")
    old = model.get_weights()
    for _ in range(8):  # under float16 Keras halves its loss scale, and skips the step, until the gradients fit
        assert np.isfinite(model.train_on_batch(ids(), np.ones((4, 1))))
    assert all(np.all(np.isfinite(w)) for w in model.get_weights())
    assert any(np.any(a != b) for a, b in zip(old, model.get_weights(), strict=True))


def test_more_padding_changes_nothing_in_a_model():
    model = encoder()
    np.testing.assert_allclose(model(np.pad(ids(), [(0, 0), (0, 3)])), model(ids()), atol=1e-6)


def test_compiled_equals_plain():
    plain, compiled = encoder(run_eagerly=True), encoder(jit_compile=True)
    for model in (plain, compiled):
        model.train_on_batch(ids(), np.arange(4.0)[:, None])
    assert all(np.all(np.isfinite(w)) for w in compiled.get_weights())
    for ours, theirs in zip(compiled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(compiled.predict_on_batch(ids()), plain.predict_on_batch(ids()), atol=1e-5)


def test_return_weights_and_masks_in_a_functional_model(tmp_path):
    x = keras.Input((None, 8))
    memory, padding = keras.Input((5, 6)), keras.Input((5,), dtype="bool")
    allowed = keras.Input((None, None), dtype="int32")
    first, first_weights = ScaledDotProductAttention(2, causal=True, return_weights=True)(x, x, mask=allowed)
    second, second_weights = MultiHeadAttention(3, 4, return_weights=True)(first, memory, key_mask=padding)
    assert (first.shape, first_weights.shape) == ((None, None, 8), (None, 2, None, None))
    assert (second.shape, second_weights.shape) == ((None, None, 8), (None, 3, None, 5))
    model = keras.Model([x, memory, padding, allowed], [second, first_weights, second_weights])
    rng = np.random.default_rng(0)
    batch = [
        rng.normal(size=(2, 3, 8)),
        rng.normal(size=(2, 5, 6)),
        rng.random((2, 5)) < 0.7,
        rng.integers(0, 2, (2, 3, 3)),
    ]
    outputs = model(batch)
    assert [tuple(o.shape) for o in outputs] == [(2, 3, 8), (2, 2, 3, 3), (2, 3, 3, 5)]
    assert np.all(np.asarray(outputs[1])[:, :, ~np.tri(3, dtype=bool)] == 0)
    assert np.all(np.swapaxes(np.asarray(outputs[2]), 1, 3)[:, :, :, 0][~batch[2]] == 0)
    model.save(tmp_path / "model.keras")
    for output, again in zip(outputs, keras.saving.load_model(tmp_path / "model.keras")(batch), strict=True):
        np.testing.assert_array_equal(output, again)


def test_value_may_have_other_features_than_query_and_key():
    q, k, v = keras.Input((3, 4)), keras.Input((5, 4)), keras.Input((5, 6))
    assert ScaledDotProductAttention(2)(q, k, v).shape == (None, 3, 6)
    assert MultiHeadAttention(2, 3)(q, k, v).shape == (None, 3, 4)


@pytest.mark.parametrize(
    "layer",
    [
        ScaledDotProductAttention(2, causal=True, return_weights=True, name="formula", dtype="mixed_bfloat16"),
        MultiHeadAttention(2, 3, value_dim=4, use_bias=False, dropout=0.2, causal=True, return_weights=True),
    ],
)
def test_config_makes_the_same_layer_again(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


def test_saves_and_loads(tmp_path):
    model = encoder(dropout=0.1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded(ids()), model(ids()))


def test_loads_in_a_fresh_process_that_imports_the_layers(tmp_path):
    """Keras (3.15) looks for a class that is not its own only among the registered: something must import ours."""
    model = encoder()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "ids.npy", ids())
    program = (
        "import keras, numpy as np, kerazoo.layers.attention\n"
        "model = keras.saving.load_model('model.keras', compile=False)\n"
        "np.save('outputs.npy', model(np.load('ids.npy')))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, check=True, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), model(ids()), atol=1e-6)


# Errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaledDotProductAttention(0), "num_heads=0 .* at least 1"),
        (lambda: ScaledDotProductAttention(True), "num_heads=True"),
        (lambda: MultiHeadAttention(2.0, 4), "num_heads=2.0"),
        (lambda: MultiHeadAttention(2, 0), "key_dim=0"),
        (lambda: MultiHeadAttention(2, 4, value_dim=-1), "value_dim=-1"),
        (lambda: MultiHeadAttention(2, 4, dropout=1.0), r"dropout=1.0 is outside \[0, 1\)"),
        (lambda: MultiHeadAttention(2, 4, dropout=-0.1), "dropout=-0.1"),
    ],
)
def test_bad_arguments_of_the_constructors(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


X = np.ones((2, 3, 8), "float32")


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (ScaledDotProductAttention(3), {"query": X}, "query has 8 features, want a multiple of num_heads=3"),
        (ScaledDotProductAttention(), {"query": X, "key": X[..., :4]}, "query has 8, key has 4 features"),
        (ScaledDotProductAttention(), {"query": X, "key": X, "value": X[:, :2]}, "key has 3, value has 2 positions"),
        (ScaledDotProductAttention(), {"query": X[0]}, r"query has shape .*want \(batch, time, features\)"),
        (MultiHeadAttention(2, 4), {"query": X, "key": X[0]}, "key has shape"),
        (MultiHeadAttention(2, 4), {"query": X, "mask": np.ones((2, 3), bool)}, r"mask has shape .*\(batch, queries"),
        (MultiHeadAttention(2, 4), {"query": X, "mask": np.ones((2, 3, 4), bool)}, "mask has shape"),
        (MultiHeadAttention(2, 4), {"query": X, "key_mask": np.ones((2, 4), bool)}, "key_mask has shape"),
        (MultiHeadAttention(2, 4), {"query": X, "key_mask": np.ones((2, 3, 3), bool)}, r"key_mask .*\(batch, keys\)"),
        (MultiHeadAttention(2, 4), {"query": X, "key_mask": np.ones((2, 3), "float32")}, "float32, want bool or 0/1"),
    ],
)
def test_bad_arguments_of_a_call(layer, arguments, message, symbolic):
    if symbolic:
        arguments = {name: keras.Input(x.shape[1:], dtype=str(x.dtype)) for name, x in arguments.items()}
    with pytest.raises(ValueError, match=message) as caught:
        layer(**arguments)
    assert "\n" not in str(caught.value)


def test_other_bad_calls():
    layer = MultiHeadAttention(2, 4)
    layer(X)
    with pytest.raises(ValueError, match="features are .*want .*: pass others"):
        layer(X[..., :5])
    with pytest.raises(ValueError, match="query has 2, key has 1, value has 1 sequences"):
        layer(X, X[:1])
    with pytest.raises(ValueError, match="want known"):
        MultiHeadAttention(2, 4)(keras.Input((3, None)))
    with pytest.raises(ValueError, match="key has 3, value has 2 positions"):
        attend(X, X, X[:, :2])
    with pytest.raises(ValueError, match="query has 8, key has 5 features"):
        attend(X, X[..., :5], X)
    with pytest.raises(ValueError, match="mask is of dtype float64"):
        attend(X, X, X, mask=np.ones((3, 3)))
