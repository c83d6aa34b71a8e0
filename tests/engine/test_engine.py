"""The engine against plain Keras: same order of examples, same weights, same history."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerazoo import engine
from kerazoo import layers as own
from kerazoo.engine.arrays import order
from kerazoo.engine.kept import token_of
from kerazoo.engine.tensorflow import jit as jit_choice

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


def keras_fit(model, x, y, epochs, batch_size, seed=0, weights=None, **options):
    """Plain `model.fit`, reading the examples in the engine's order."""
    history = {}
    for epoch in range(epochs):
        rows = order(len(y), seed, epoch)
        part = model.fit(
            x[rows],
            y[rows],
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
            sample_weight=None if weights is None else weights[rows],
            **options,
        ).history
        for name, values in part.items():
            history.setdefault(name, []).extend(values)
    return history


def same_weights(a, b, **tolerance):
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(u, v, **tolerance) if tolerance else np.testing.assert_array_equal(u, v)


def same_history(ours, theirs, rtol=1e-4):
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, err_msg=name)


@pytest.mark.parametrize("jit", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_same_as_keras_with_a_partial_batch_and_validation(optimizer, jit):
    ours, theirs = mlp(optimizer), mlp(optimizer)
    check = (X[:70], Y[:70])
    history = engine.fit(
        ours, X, Y, batch_size=30, epochs=3, validation_data=check, jit=jit, verbose=0
    ).history  # 51 steps
    expected = keras_fit(theirs, X, Y, 3, 30, validation_data=check)
    same_history(history, expected)
    same_weights(ours, theirs, rtol=1e-3, atol=1e-5)


def test_sample_weights_also_of_validation():
    weights = RNG.uniform(size=500).astype("float32")
    ours, theirs = (mlp(weighted_metrics=["accuracy"], metrics=None) for _ in range(2))
    check = (X[:70], Y[:70], weights[:70])
    history = engine.fit(ours, X, Y, epochs=2, sample_weight=weights, validation_data=check, verbose=0).history
    same_history(history, keras_fit(theirs, X, Y, 2, 32, weights=weights, validation_data=check))


@pytest.mark.parametrize("labels", [Y, Y[:, None]], ids=["flat", "column"])
def test_class_weights(labels):
    ours, theirs = mlp(), mlp()
    history = engine.fit(ours, X, labels, class_weight={0: 3.0, 2: 0.5}, verbose=0).history
    same_history(history, keras_fit(theirs, X, labels, 1, 32, class_weight={0: 3.0, 2: 0.5}))


def test_same_seed_gives_identical_weights_and_another_seed_does_not():
    models = [mlp(dropout=0.3) for _ in range(3)]
    for model, seed, steps in zip(models, (5, 5, 6), (None, 3, None), strict=True):
        engine.fit(model, X, Y, epochs=2, seed=seed, steps_per_call=steps, verbose=0)
    same_weights(models[0], models[1])
    assert any(not np.array_equal(a, b) for a, b in zip(models[0].get_weights(), models[2].get_weights(), strict=True))


def two_ended():
    keras.utils.set_random_seed(3)
    a, b = keras.Input((12,), name="a"), keras.Input((3,), name="b", dtype="int32")
    h = L.Concatenate()([L.Dense(8, "relu")(a), L.Flatten()(L.Embedding(9, 4)(b))])
    h = L.BatchNormalization()(h)
    model = keras.Model(
        {"a": a, "b": b}, {"kind": L.Dense(4, "softmax", name="kind")(h), "size": L.Dense(1, name="size")(h)}
    )
    model.compile(
        "adam",
        {"kind": "sparse_categorical_crossentropy", "size": "mse"},
        loss_weights={"kind": 1.0, "size": 0.3},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
    )
    return model


def test_several_inputs_and_outputs():
    ours, theirs = two_ended(), two_ended()
    x = {"a": X, "b": RNG.integers(0, 9, (500, 3)).astype("uint8")}
    y = {"kind": Y, "size": X[:, :1].astype("float64")}
    # No partial batch: Keras's losses per output are means of batch means, which a smaller last batch skews.
    options = {"batch_size": 25, "epochs": 2, "shuffle": False, "validation_data": (x, y), "verbose": 0}
    same_history(engine.fit(ours, x, y, **options).history, theirs.fit(x, y, **options).history, rtol=1e-3)
    expected = theirs.evaluate(x, y, batch_size=25, verbose=0, return_dict=True)
    assert engine.evaluate(ours, x, y, batch_size=25) == pytest.approx(expected, rel=1e-3)


def test_evaluate_equals_keras():
    model = mlp()
    weights = RNG.uniform(size=500).astype("float32")
    for options in {}, {"sample_weight": weights}:
        expected = model.evaluate(X, Y, batch_size=64, verbose=0, return_dict=True, **options)
        assert engine.evaluate(model, X, Y, batch_size=64, **options) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit", [True, False], ids=["xla", "graph"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy, jit):
    keras.config.set_dtype_policy(policy)
    try:
        ours, theirs = mlp("sgd"), mlp("sgd")
    finally:
        keras.config.set_dtype_policy("float32")
    assert (type(ours.optimizer).__name__ == "LossScaleOptimizer") == (policy == "mixed_float16")
    history = engine.fit(ours, X, Y, epochs=2, jit=jit, verbose=0).history
    same_history(history, keras_fit(theirs, X, Y, 2, 32), rtol=2e-2)


def test_a_float16_overflow_halves_the_scale_and_skips_the_step():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = mlp("sgd")
    finally:
        keras.config.set_dtype_policy("float32")
    model.optimizer.build(model.trainable_variables)
    model.optimizer.dynamic_scale.assign(1e30)
    before = model.get_weights()
    engine.fit(model, X[:32], Y[:32], verbose=0)
    assert float(model.optimizer.dynamic_scale) == pytest.approx(5e29)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Recorder(keras.callbacks.Callback):
    every_batch = False

    def __init__(self, stop_at=None):
        super().__init__()
        self.calls, self.stop_at = [], stop_at

    def on_train_batch_end(self, batch, logs=None):
        assert set(logs) == {"accuracy", "loss"}
        self.calls.append(batch)
        self.model.stop_training = batch == self.stop_at


def test_batch_hooks_run_once_a_call_and_may_stop_training():
    recorder = Recorder()
    engine.fit(mlp(), X, Y, batch_size=30, epochs=2, steps_per_call=5, callbacks=[recorder], verbose=0)
    assert recorder.calls == [4, 9, 14, 15, 16] * 2
    recorder = Recorder(stop_at=9)
    history = engine.fit(mlp(), X, Y, batch_size=30, epochs=2, steps_per_call=5, callbacks=[recorder], verbose=0)
    assert recorder.calls == [4, 9]
    assert len(history.history["loss"]) == 1


# Keras's schedulers convert a variable in a way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_early_stopping_and_learning_rate_schedules_are_keras():
    def train(fit):
        callbacks = [
            keras.callbacks.EarlyStopping("loss", patience=1, min_delta=0.05, restore_best_weights=True),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.02 / (1 + epoch)),
        ]
        model = mlp()
        return model, fit(model, X, Y, epochs=40, shuffle=False, callbacks=callbacks, verbose=0).history

    (ours, history), (theirs, expected) = train(engine.fit), train(lambda m, *a, **k: m.fit(*a, **k))
    assert 3 < len(history["loss"]) < 40
    same_history(history, expected, rtol=1e-3)
    same_weights(ours, theirs, rtol=1e-2, atol=1e-4)


def test_data_sets_and_generators_take_the_streaming_path():
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
    model, tokens = mlp(), []
    for strength in (0.1, 0.2, 0.3):
        model.trainable_variables[0].regularizer = None
        model.trainable_variables[0].regularizer = keras.regularizers.L2(strength)
        tokens.append(token_of(model))
    assert tokens[0] != tokens[1] != tokens[2] != tokens[0]
    assert tokens[2] == token_of(model)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([L.Dense(3), L.Dropout(0.2)], True),
        ([L.Reshape((12, 1)), L.Dropout(0.2)], True),
        ([L.Reshape((12, 1)), L.Dropout(0.2, noise_shape=(None, 12, 1))], False),
        ([L.Reshape((12, 1)), L.Dropout(0.0)], True),
        ([L.Embedding(9, 2), L.GlobalAveragePooling1D()], True),
        ([own.TokenAndPositionEmbedding(9, 12, 4), own.MultiHeadAttention(2, 2, dropout=0.1)], True),
        ([L.Reshape((12, 1)), L.LSTM(3)], False),
        ([L.Reshape((12, 1)), L.Bidirectional(L.GRU(2))], False),
        ([L.Reshape((12, 1)), L.Conv1D(3, 2)], False),
    ],
)
def test_choice_of_compiler_on_a_cpu(layers, expected):
    model = keras.Sequential([keras.Input((12,)), *layers])
    assert jit_choice.use_xla(model, (X,), tf.distribute.get_strategy()) is expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": Y[:-1]}, "same, positive number"),
        ({"batch_size": 0}, "batch_size"),
        ({"resume": True}, "checkpoint_dir"),
        ({"class_weight": {0: 1.0}, "sample_weight": np.ones(500)}, "not both"),
        ({"strategy": tf.distribute.OneDeviceStrategy("/cpu:0")}, "scope"),
    ],
)
def test_errors_name_what_is_wrong(options, message):
    with pytest.raises(ValueError, match=message):
        engine.fit(mlp(), **{"x": X, "y": Y, "verbose": 0, **options})
    with pytest.raises(ValueError, match="not compiled"):
        engine.evaluate(keras.Sequential([keras.Input((12,)), L.Dense(3)]), X, Y)
