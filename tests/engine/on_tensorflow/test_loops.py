"""What is particular to the loops on TensorFlow: XLA and graphs, loss scaling, what is cached, what compiled anew."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from engine_models import keras_fit, same_history, same_weights

from kerazoo import engine
from kerazoo.engine.model_cache import cached, training_parts

RNG = np.random.default_rng(7)
X = RNG.normal(size=(500, 12)).astype("float32")
Y = (X @ RNG.normal(size=(12, 4))).argmax(1)
L = keras.layers


def mlp(optimizer="adam", dropout=0.0, seed=1, **compile_options):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(16, "relu", kernel_regularizer="l2"),
            L.Dropout(dropout),
            L.Dense(4, "softmax", dtype="float32"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", **{"metrics": ["accuracy"], **compile_options})
    return model


CHECK = X[:70], Y[:70]


@functools.cache
def by_keras(optimizer):
    """The model and its history after plain Keras: 51 steps of 30 examples, the last of each epoch of 20."""
    model = mlp(optimizer)
    return model, keras_fit(model, X, Y, 3, 30, validation_data=CHECK)


@pytest.mark.parametrize("jit", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_same_as_keras_with_a_partial_batch_and_validation(optimizer, jit):
    ours, (theirs, expected) = mlp(optimizer), by_keras(optimizer)
    history = engine.fit(ours, X, Y, batch_size=30, epochs=3, validation_data=CHECK, jit=jit, verbose=0).history
    same_history(history, expected)
    same_weights(ours, theirs, rtol=1e-3, atol=1e-5)


def mixed(policy):
    keras.config.set_dtype_policy(policy)
    try:
        return mlp("sgd")
    finally:
        keras.config.set_dtype_policy("float32")


@functools.cache
def mixed_by_keras(policy):
    """The history of plain Keras."""
    return keras_fit(mixed(policy), X, Y, 2, 32)


@pytest.mark.parametrize("jit", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy, jit):
    ours = mixed(policy)
    assert (type(ours.optimizer).__name__ == "LossScaleOptimizer") == (policy == "mixed_float16")
    history = engine.fit(ours, X, Y, epochs=2, jit=jit, verbose=0).history
    same_history(history, mixed_by_keras(policy), rtol=2e-2)


def test_a_float16_overflow_halves_the_scale_and_skips_the_step():
    model = mixed("mixed_float16")
    model.optimizer.build(model.trainable_variables)
    model.optimizer.dynamic_scale.assign(1e30)
    before = model.get_weights()
    engine.fit(model, X[:32], Y[:32], verbose=0)
    assert float(model.optimizer.dynamic_scale) == pytest.approx(5e29)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_sets_and_generators_take_keras_s_own_loop():
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(30)
    expected = mlp().fit(batches, epochs=2, shuffle=False, validation_data=batches, verbose=0).history
    same_history(engine.fit(mlp(), batches, epochs=2, validation_data=batches, verbose=0).history, expected)

    def endless():
        while True:
            yield from ((X[i : i + 30], Y[i : i + 30]) for i in range(0, 500, 30))

    history = engine.fit(
        mlp(), endless(), epochs=2, steps_per_epoch=17, steps_per_call=18, validation_data=(X[:90], Y[:90]), verbose=0
    )
    np.testing.assert_allclose(history.history["loss"], expected["loss"], rtol=1e-4)
    model = mlp()
    assert engine.evaluate(model, batches) == pytest.approx(model.evaluate(batches, verbose=0, return_dict=True))


def test_a_dense_net_that_was_compiled_as_keras_does_takes_xla(capsys):
    engine.fit(mlp(), X, Y, verbose=2)
    assert "TensorFlow, XLA" in capsys.readouterr().out


def test_a_recurrent_net_takes_a_graph_unless_xla_was_asked_for(capsys):
    for asked, compiler in (("auto", "graph"), (True, "XLA")):
        net = keras.Sequential([keras.Input((12, 1)), L.SimpleRNN(2), L.Dense(4, "softmax")])
        net.compile("sgd", "sparse_categorical_crossentropy", jit_compile=asked)
        engine.fit(net, X[:64, :, None], Y[:64], verbose=2)
        assert f"TensorFlow, {compiler}" in capsys.readouterr().out


def test_a_second_fit_compiles_nothing_and_compiling_anew_does():
    model = mlp()
    engine.fit(model, X, Y, verbose=0)
    kept = model._kerazoo_loops
    engine.fit(model, X, Y, verbose=0)
    assert model._kerazoo_loops is kept
    model.compile("sgd", "sparse_categorical_crossentropy")
    engine.fit(model, X, Y, verbose=0)
    assert model._kerazoo_loops is not kept


def test_a_new_penalty_is_told_from_one_that_is_gone_whose_place_in_memory_it_has():
    model, made = mlp(), []
    for strength in (0.1, 0.2, 0.3):
        model.trainable_variables[0].regularizer = None
        model.trainable_variables[0].regularizer = keras.regularizers.L2(strength)
        made.append(cached(model, "_test", object, training_parts(model)))
    assert len({id(one) for one in made}) == 3
    assert made[2] is cached(model, "_test", object, training_parts(model))
