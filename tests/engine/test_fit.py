"""`kerazoo.fit` against `model.fit` on models that are not of the zoo: same order of examples, same weights.

Everything here holds for each backend: KERAS_BACKEND=jax pytest tests/engine runs it there.
"""

import logging

import keras
import numpy as np
import pytest
from engine_models import MODELS, keras_fit, same_history, same_weights

import kerazoo
from kerazoo import engine

L = keras.layers
RNG = np.random.default_rng(7)
X = RNG.normal(size=(500, 12)).astype("float32")
Y = (X @ RNG.normal(size=(12, 4))).argmax(1)


def mlp(optimizer="adam", dropout=0.0, seed=1, **compile_options):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((12,)), L.Dense(16, "relu"), L.Dropout(dropout), L.Dense(4, "softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", **{"metrics": ["accuracy"], **compile_options})
    return model


@pytest.mark.parametrize("name", MODELS)
def test_ten_models_of_other_people_end_with_the_weights_of_keras(name):
    make, x, y, weight = MODELS[name]
    ours, theirs = make(), make()
    check = (x, y) if weight is None else None
    history = kerazoo.fit(
        ours, x, y, batch_size=16, epochs=3, seed=5, sample_weight=weight, validation_data=check, verbose=0
    ).history
    expected = keras_fit(theirs, x, y, 3, 16, seed=5, weights=weight, validation_data=check)
    same_weights(ours, theirs, rtol=1e-5, atol=1e-5)
    if keras.backend.backend() == "tensorflow":
        # There Keras does not know the size of a batch, and its loss of each output gives a partial one a whole weight.
        history, expected = (
            {k: v for k, v in log.items() if "d_loss" not in k and "e_loss" not in k} for log in (history, expected)
        )
    same_history(history, expected, rtol=1e-3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_fifty_steps_with_a_partial_batch(optimizer):
    ours, theirs = mlp(optimizer), mlp(optimizer)
    history = kerazoo.fit(ours, X, Y, batch_size=30, epochs=3, verbose=0).history  # 51 steps
    same_history(history, keras_fit(theirs, X, Y, 3, 30), rtol=1e-5)


@pytest.fixture(scope="module")
def pair():
    """Return a function: two models as `mlp` makes them, for us and for Keras, the same two each time."""
    models = mlp(), mlp()
    for model in models:
        model.optimizer.build(model.trainable_variables)
    states = [[np.array(one) for one in model.variables + model.optimizer.variables] for model in models]

    def fresh():
        for model, state in zip(models, states, strict=True):
            for variable, value in zip(model.variables + model.optimizer.variables, state, strict=True):
                variable.assign(value)
        return models

    return fresh


@pytest.mark.parametrize(
    "options",
    [
        {"steps_per_epoch": 4},
        {"steps_per_epoch": 4, "epochs": 6},
        {"steps_per_epoch": 5, "epochs": 4},
        {"validation_split": 0.25},
        {"validation_data": (X[:100], Y[:100]), "validation_steps": 2, "validation_batch_size": 20},
        {"validation_data": (X[:100], Y[:100]), "validation_freq": 2},
        {"validation_data": (X[:100], Y[:100]), "validation_freq": [1, 3]},
        {"initial_epoch": 1},
        {"class_weight": {0: 3.0, 2: 0.5}},
        {"sample_weight": RNG.uniform(size=500).astype("float32")},
        {"batch_size": None},
        {"batch_size": None, "steps_per_epoch": 10, "validation_data": (X[:100], Y[:100]), "validation_steps": 5},
        {"batch_size": 1000},
    ],
    ids="-".join,
)
# By 5 of 16 steps an epoch the fourth is short, which both say.
@pytest.mark.filterwarnings("ignore:.*ran out of data:UserWarning", "ignore:the data ended after 1 of 5:UserWarning")
def test_arguments_of_fit_mean_what_they_mean_in_keras(options, pair):
    options = {"batch_size": 32, "epochs": 3, "shuffle": False, "verbose": 0, **options}
    ours, theirs = pair()
    same_history(kerazoo.fit(ours, X, Y, **options).history, theirs.fit(X, Y, **options).history)
    same_weights(ours, theirs, rtol=1e-4, atol=1e-5)


def test_an_epoch_that_runs_out_of_data_says_so_and_ends():
    options = {"batch_size": 32, "steps_per_epoch": 40, "epochs": 2, "shuffle": False, "verbose": 0}
    with pytest.warns(UserWarning, match="ended after 16 of 40"):
        ours = kerazoo.fit(mlp(), X, Y, **options).history
    with pytest.warns(UserWarning, match="ran out of data"):
        theirs = mlp().fit(X, Y, **options).history
    same_history(ours, theirs)


def test_a_checkpoint_of_keras_s_at_epochs_leaves_many_steps_in_a_call(tmp_path):
    recorder = Recorder(every_batch=False)
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    kerazoo.fit(mlp(), X, Y, epochs=2, steps_per_call=8, callbacks=[recorder, saving], verbose=0)
    assert [batch for batch, _ in recorder.ended] == [7, 14, 15] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras"]


class Recorder(keras.callbacks.Callback):
    def __init__(self, every_batch=True, stop_at=None):
        super().__init__()
        self.begun, self.ended, self.tested, self.stop_at = [], [], [], stop_at
        self.every_batch = every_batch

    def on_train_batch_begin(self, batch, logs=None):
        self.begun.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        assert set(logs) == {"accuracy", "loss"}
        self.ended.append((batch, round(logs["loss"], 4)))
        self.model.stop_training = batch == self.stop_at

    def on_test_batch_end(self, batch, logs=None):
        self.tested.append((batch, round(logs["loss"], 4)))


def test_a_callback_with_batch_hooks_sees_every_batch_as_in_keras():
    options = {"batch_size": 30, "epochs": 2, "shuffle": False, "validation_data": (X[:100], Y[:100]), "verbose": 0}
    ours, theirs = Recorder(), Recorder()
    kerazoo.fit(mlp(), X, Y, callbacks=ours, **options)
    mlp().fit(X, Y, callbacks=[theirs], **options)
    assert len(ours.ended) == 34 and len(ours.tested) == 8
    assert (ours.begun, [b for b, _ in ours.ended]) == (theirs.begun, [b for b, _ in theirs.ended])
    np.testing.assert_allclose(ours.ended, theirs.ended, rtol=1e-3)
    np.testing.assert_allclose(ours.tested, theirs.tested, rtol=1e-3)


def test_one_that_needs_only_the_last_number_is_called_once_a_call_and_may_stop():
    recorder = Recorder(every_batch=False)
    kerazoo.fit(mlp(), X, Y, batch_size=30, epochs=2, steps_per_call=5, callbacks=[recorder], verbose=0)
    assert [batch for batch, _ in recorder.ended] == [4, 9, 14, 15, 16] * 2
    recorder = Recorder(every_batch=False, stop_at=9)
    history = kerazoo.fit(mlp(), X, Y, batch_size=30, epochs=2, steps_per_call=5, callbacks=[recorder], verbose=0)
    assert [batch for batch, _ in recorder.ended] == [4, 9]
    assert len(history.history["loss"]) == 1


def test_a_learning_rate_that_changes_between_epochs_and_an_early_stop():
    def train(fit):
        callbacks = [
            keras.callbacks.EarlyStopping("loss", patience=1, min_delta=0.05, restore_best_weights=True),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.02 / (1 + epoch)),
        ]
        model = mlp()
        return model, fit(model, X, Y, epochs=40, shuffle=False, callbacks=callbacks, verbose=0).history

    (ours, history), (theirs, expected) = train(kerazoo.fit), train(lambda m, *a, **k: m.fit(*a, **k))
    assert 3 < len(history["loss"]) < 40
    same_history(history, expected, rtol=1e-3)
    same_weights(ours, theirs, rtol=1e-2, atol=1e-4)


def test_same_seed_gives_identical_weights_however_the_steps_are_grouped():
    models = [mlp(dropout=0.3) for _ in range(3)]
    for model, seed, steps in zip(models, (5, 5, 6), (None, 3, None), strict=True):
        kerazoo.fit(model, X, Y, epochs=2, seed=seed, steps_per_call=steps, verbose=0)
    same_weights(models[0], models[1])
    assert any(not np.array_equal(a, b) for a, b in zip(models[0].get_weights(), models[2].get_weights(), strict=True))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        ours, theirs = mlp("sgd"), mlp("sgd")
    finally:
        keras.config.set_dtype_policy(before)
    same_history(kerazoo.fit(ours, X, Y, epochs=2, verbose=0).history, keras_fit(theirs, X, Y, 2, 32), rtol=2e-2)


def test_averaged_weights_and_a_second_fit():
    ours, theirs = (mlp(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)) for _ in range(2))
    for fit in range(2):
        kerazoo.fit(ours, X, Y, shuffle=False, verbose=0)
        found = engine.evaluate(ours, X, Y)
        if keras.backend.backend() == "jax" and fit:
            assert np.isfinite(list(found.values())).all()  # there Keras's own second fit fails
            continue
        theirs.fit(X, Y, shuffle=False, verbose=0)
        assert found == pytest.approx(theirs.evaluate(X, Y, verbose=0, return_dict=True), rel=1e-3)
        same_weights(ours, theirs, rtol=1e-4, atol=1e-6)


def test_says_which_loop_runs_and_why(capsys, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "kerazoo.engine"):
        kerazoo.fit(mlp(), X, Y, verbose=2)
    assert "the compiled loop" in capsys.readouterr().out
    assert "the compiled loop" in caplog.text
    kerazoo.fit(mlp(run_eagerly=True), X[:40], Y[:40], verbose=2)
    assert "Keras's own loop: the model was compiled with run_eagerly=True" in capsys.readouterr().out
    batches = ((X[i : i + 50], Y[i : i + 50]) for i in range(0, 500, 50))
    kerazoo.fit(mlp(), batches, steps_per_epoch=10, verbose=2)
    assert "Keras's own loop: the data are a stream" in capsys.readouterr().out
    monkeypatch.setenv("KERAZOO_PLAIN", "1")
    model = mlp()
    kerazoo.fit(model, X, Y, verbose=2)
    assert "Keras's own loop: KERAZOO_PLAIN is set" in capsys.readouterr().out
    np.testing.assert_array_equal(engine.predict(model, X), model.predict(X, verbose=0))


def test_a_generator_takes_keras_s_loop_with_the_same_result():
    def batches():
        while True:
            yield from ((X[i : i + 30], Y[i : i + 30]) for i in range(0, 500, 30))

    options = {"epochs": 2, "shuffle": False, "steps_per_epoch": 17, "validation_data": (X[:90], Y[:90]), "verbose": 0}
    same_history(kerazoo.fit(mlp(), batches(), **options).history, mlp().fit(batches(), **options).history)


def test_evaluate_equals_keras():
    model = mlp(weighted_metrics=["accuracy"], metrics=None)
    weights = RNG.uniform(size=500).astype("float32")
    for options in {}, {"sample_weight": weights}, {"steps": 3}:
        expected = model.evaluate(X, Y, batch_size=64, verbose=0, return_dict=True, **options)
        assert engine.evaluate(model, X, Y, batch_size=64, **options) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": Y[:-1]}, "same, positive number"),
        ({"batch_size": 0}, "batch_size"),
        ({"steps_per_call": -1}, "steps_per_call"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
        ({"validation_freq": 0}, "validation_freq"),
        ({"seed": None}, "seed"),
        ({"epochs": 1.5}, "epochs"),
        ({"validation_steps": 0}, "validation_steps"),
        ({"validation_batch_size": -1}, "validation_batch_size"),
        ({"callbacks": [keras.callbacks.EarlyStopping]}, "instances"),
        ({"checkpoint_dir": ""}, "path of a directory"),
        ({"checkpoint_dir": __file__}, "is a file"),
        ({"model": "mnist_mlp"}, "no keras.Model"),
        ({"resume": True}, "checkpoint_dir"),
        ({"validation_split": 0.9999}, "validation_split"),
        ({"class_weight": {0: 1.0}, "sample_weight": np.ones(500)}, "not both"),
        ({"strategy": object()}, "scope"),
    ],
)
def test_errors_name_what_is_wrong(options, message):
    with pytest.raises(kerazoo.InputError, match=message):
        kerazoo.fit(**{"model": mlp(), "x": X, "y": Y, "verbose": 0, **options})
    with pytest.raises(kerazoo.InputError, match="not compiled"):
        engine.evaluate(keras.Sequential([keras.Input((12,)), L.Dense(3)]), X, Y)
