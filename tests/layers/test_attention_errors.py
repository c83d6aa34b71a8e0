"""Attention refuses what does not fit, in one line that says what was given and what is wanted."""

import keras
import numpy as np
import pytest

from kerazoo.layers.attention import MultiHeadAttention, ScaledDotProductAttention, attend


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
