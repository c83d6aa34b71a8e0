"""Attention inside Keras models: dropout, mixed precision, compilation, saving and loading."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kerazoo.layers.attention import MultiHeadAttention, ScaledDotProductAttention

REPOSITORY = Path(__file__).parents[2]


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


def test_loads_in_a_fresh_process_that_imports_kerazoo_first(tmp_path):
    """Keras (3.15) looks for a class that is not its own only among the registered: something must import ours.

    With Keras imported first: `tests/test_model_file.py`.
    """
    model = encoder()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "ids.npy", ids())
    program = (
        "import kerazoo, keras, numpy as np\n"
        "model = keras.saving.load_model('model.keras', compile=False)\n"
        "np.save('outputs.npy', model(np.load('ids.npy')))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, check=True, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), model(ids()), atol=1e-6)
