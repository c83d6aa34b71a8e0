"""The engine's faster LSTM: the same training as Keras's, and no trace of it on the model."""

import functools
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerazoo import engine
from kerazoo.engine.tensorflow import loops, lstm

RNG = np.random.default_rng(2)
X = RNG.integers(0, 40, (50 * 16 + 5, 7))
Y = (X[:, :1] > X[:, -1:]).astype("float32")


def reviewer():
    """A small review classifier for sequences of any length; what is trained on has a length that can be seen."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.LSTM(6)(keras.layers.Embedding(40, 5)(tokens))
    model = keras.Model(tokens, keras.layers.Dense(1, "sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def losses(fit, model, **options):
    """The running mean of the loss after each call of five steps."""

    class Every(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.losses = []

        def on_train_batch_end(self, batch, logs=None):
            assert type(self.model.layers[2]) is keras.layers.LSTM
            if batch % 5 == 4:
                self.losses.append(logs["loss"])

    every = Every()
    fit(model, X, Y, batch_size=16, shuffle=False, verbose=0, callbacks=[every], **options)
    return every.losses


@functools.cache
def by_keras():
    """The losses of plain Keras, and what its model comes to."""
    model = reviewer()
    found = losses(keras.Model.fit, model)
    return found, model.evaluate(X, Y, batch_size=64, verbose=0, return_dict=True)


def test_each_of_50_steps_has_the_loss_of_keras(fast_path):
    ours, (wanted, expected) = reviewer(), by_keras()
    found = losses(engine.fit, ours, steps_per_call=5)
    assert len(found) == 10
    assert len(fast_path) == 1, "the last, partial batch is not worth another trace"
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert engine.evaluate(ours, X, Y, batch_size=64) == pytest.approx(expected, rel=1e-4)
    assert len(fast_path) >= 2


def test_a_trained_model_is_plain_keras_and_the_same_with_the_same_seed(tmp_path, fast_path):
    ours, again, plain = reviewer(), reviewer(), reviewer()
    before = ours.to_json()
    for model in ours, again:
        engine.fit(model, X, Y, batch_size=16, seed=3, verbose=0)
    assert all(map(np.array_equal, ours.get_weights(), again.get_weights()))
    assert len(fast_path) >= 2
    assert [type(a) for a in ours._flatten_layers()] == [type(a) for a in plain._flatten_layers()]
    assert ours.to_json() == before
    ours.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        config = json.loads(file.read("config.json"))
    assert {layer["module"] for layer in config["config"]["layers"]} == {"keras.layers"}
    assert "kerazoo" not in json.dumps(config)
    loaded, cloned = keras.saving.load_model(tmp_path / "m.keras"), keras.models.clone_model(ours)
    cloned.set_weights(ours.get_weights())
    for model in loaded, cloned:
        assert type(model.layers[2]) is keras.layers.LSTM
        np.testing.assert_array_equal(model.predict(X[:9], verbose=0), ours.predict(X[:9], verbose=0))


def test_a_short_epoch_takes_the_plain_layer(fast_path):
    few = loops.EXAMPLES_WORTH_TRACING - 1
    engine.fit(reviewer(), X[:few], Y[:few], batch_size=16, verbose=0)
    assert not fast_path


def test_interrupted_tracing_leaves_a_plain_model(monkeypatch):
    monkeypatch.setenv("KERAZOO_KERNELS", "0")
    model = reviewer()
    engine.fit(model, X[:16], Y[:16], verbose=0)  # built
    monkeypatch.setattr(lstm, "recur", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.fit(model, X, Y, batch_size=16, verbose=0)
    assert type(model.layers[2]) is keras.layers.LSTM


@pytest.mark.parametrize("token", [40, -41])
def test_a_token_out_of_range_is_refused_and_a_negative_one_counts_from_the_end(token, fast_path):
    tokens = X - 40  # as Keras's lookup has it
    few = loops.EXAMPLES_WORTH_TRACING
    same = [engine.fit(reviewer(), x[:few], Y[:few], batch_size=16, seed=1, verbose=0).history for x in (X, tokens)]
    assert same[0] == same[1]
    tokens[5, 3] = token
    with pytest.raises(tf.errors.InvalidArgumentError):
        engine.fit(reviewer(), tokens[:few], Y[:few], batch_size=16, verbose=0)
    assert fast_path
