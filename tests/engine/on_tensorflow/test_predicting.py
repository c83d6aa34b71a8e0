"""The engine's `predict` against Keras's: the same numbers for any number of examples, and never stale ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kerazoo
from kerazoo import engine
from kerazoo.engine.tensorflow import predicting

RNG = np.random.default_rng(5)
L = keras.layers
BATCH = 4
_built: dict = {}


def inputs(model, size, steps=7):
    """Random inputs of the shapes and dtypes that the model declares."""
    arrays = []
    for one in model.inputs:
        shape = (size, *(steps if n is None else n for n in one.shape[1:]))
        arrays.append(RNG.integers(0, 50, shape).astype("int32") if one.dtype == "int32" else RNG.normal(size=shape))
    return arrays if len(arrays) > 1 else arrays[0]


def same(ours, theirs):
    for a, b in zip(keras.tree.flatten(ours), keras.tree.flatten(theirs), strict=True):
        assert type(a) is type(b) is np.ndarray
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def zoo(name):
    """A model of the zoo with weights large enough to show a difference."""
    if name not in _built:
        _built[name] = kerazoo.build(name, seed=0)
        _built[name].set_weights([w + RNG.normal(size=w.shape) * 0.1 for w in _built[name].get_weights()])
    return _built[name]


@pytest.mark.parametrize("name", kerazoo.list_models())
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.integers(1, 6 * BATCH + 1))
@example(1)
@example(2 * BATCH + 1)
@example(5 * BATCH)
def test_any_number_of_examples_of_every_model(name, size):
    model = zoo(name)
    x = inputs(model, size)
    same(engine.predict(model, x, batch_size=BATCH), model.predict(x, batch_size=BATCH, verbose=0))


def test_new_weights_are_seen_without_compiling():
    model = kerazoo.build("textgen_lstm", seed=0)
    x, one = inputs(model, 37), inputs(model, 1)
    before = engine.predict(model, one), engine.predict(model, x, batch_size=8)
    kept = model._kerazoo_predict
    model.set_weights([w * 1.5 + 0.1 for w in model.get_weights()])
    after = engine.predict(model, one), engine.predict(model, x, batch_size=8)
    assert not np.allclose(before[0], after[0])
    same(after, (model.predict(one, verbose=0), model.predict(x, verbose=0)))
    assert model._kerazoo_predict is kept
    assert type(model.layers[2]) is L.LSTM


def test_other_layers_and_dtypes_are_compiled_anew():
    model = keras.Sequential([keras.Input((3,)), L.Dense(4)])
    x = RNG.normal(size=(1, 3))
    same(engine.predict(model, x), model.predict(x, verbose=0))
    model.add(L.Dense(2))
    assert engine.predict(model, x).shape == (1, 2)
    model.layers[1].dtype_policy = "mixed_bfloat16"
    assert str(engine.predict(model, x).dtype) == "bfloat16"
    model.compile("sgd", "mse")
    kept = model._kerazoo_predict
    engine.predict(model, x)
    assert model._kerazoo_predict is not kept


def test_nested_inputs_and_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b", dtype="int32")
    h = L.Concatenate()([a, L.Flatten()(L.Embedding(9, 2)(b))])
    model = keras.Model({"a": a, "b": b}, {"p": L.Dense(2)(h), "q": [L.BatchNormalization()(h)]})
    for size in 1, 7, 30:
        x = {"a": RNG.normal(size=(size, 3)), "b": RNG.integers(0, 9, (size, 2)).astype("uint8")}
        ours, theirs = engine.predict(model, x, batch_size=4), model.predict(x, batch_size=4, verbose=0)
        assert ours.keys() == theirs.keys()
        same(ours, theirs)


def test_many_shapes_share_a_general_function(monkeypatch):
    monkeypatch.setattr(predicting, "_SHAPES", 1)
    model = kerazoo.build("attention_block")
    for steps in range(3, 9):
        x = inputs(model, 1, steps)
        same(engine.predict(model, x), model.predict(x, verbose=0))
    x = inputs(model, 9)
    for batch in range(2, 5):
        same(engine.predict(model, x, batch_size=batch), model.predict(x, verbose=0))
    assert [key[0] for key in model._kerazoo_predict[-1]._exact] == ["one", "many"]


def test_large_data_go_in_parts(monkeypatch):
    monkeypatch.setattr(predicting, "_BYTES_PER_CALL", 2 * 4 * 784 * BATCH)
    model = zoo("mnist_mlp")
    x = inputs(model, 5 * BATCH + 3).astype("float32")
    same(engine.predict(model, x, batch_size=BATCH), model.predict(x, verbose=0))


class Doubling(keras.Sequential):
    def predict_step(self, data):
        return 2 * super().predict_step(data)


def test_what_only_keras_can_do_is_left_to_keras():
    model = Doubling([keras.Input((3,)), L.Dense(4)])
    x = RNG.normal(size=(5, 3)).astype("float32")
    same(engine.predict(model, x), model.predict(x, verbose=0))
    same(engine.predict(model, x), 2 * model(x).numpy())
    same(engine.predict(model, tf.data.Dataset.from_tensor_slices(x).batch(2)), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("x", "batch", "message"),
    [
        (np.zeros((0, 3)), 4, "positive number of examples"),
        ([np.zeros((2, 3)), np.zeros((3, 3))], 4, "same"),
        (np.zeros((2, 3)), 0, "batch_size"),
    ],
)
def test_errors_name_what_is_wrong(x, batch, message):
    with pytest.raises(ValueError, match=message):
        engine.predict(keras.Sequential([keras.Input((3,)), L.Dense(4)]), x, batch_size=batch)
