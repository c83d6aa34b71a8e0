"""Fine-tuning for other classes and with other rates a layer."""

import json

import keras
import numpy as np
import pytest
from gradients import gradients_of

import kerazoo
from kerazoo import engine
from kerazoo.engine.layerwise import Layerwise
from kerazoo.factory import seeded
from kerazoo.model_file import origin_of
from kerazoo.training.heads import with_new_head

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 48)


def small(optimizer="adam", outputs=3, loss=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, "relu", name="first")(inputs)
    x = keras.layers.Dense(5, "relu", name="second")(x)
    model = keras.Model(inputs, keras.layers.Dense(outputs, name="head")(x))
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.get(optimizer), loss, metrics=["accuracy"])
    return model


def tune(model, **options):
    return kerazoo.fine_tune(model, (X, Y), **{"epochs": 2, "batch_size": 16, "verbose": False, **options})


def weights_of(model):
    return {layer.name: [w.copy() for w in layer.get_weights()] for layer in model.layers if layer.weights}


def same(one, other):
    return all(map(np.array_equal, one, other))


# --- learning rates by layer


def by_hand(model, optimizers, epochs, joins, penalty=None):
    """Train with one optimizer a layer, which starts in the epoch `joins` gives; the plain meaning of it all."""
    layers = [model.get_layer(name) for name in optimizers]
    for epoch in range(epochs):
        order = np.random.default_rng([0, epoch]).permutation(48)
        for rows in order.reshape(3, 16):

            def loss(rows=rows):
                penalties = [penalty * keras.ops.sum(layer.kernel**2) for layer in layers if penalty]
                return model.loss(Y[rows], model(X[rows])) + sum(penalties)

            turn = [layer for layer in layers if epoch >= joins[layer.name]]
            gradients = iter(gradients_of(loss, [one for layer in turn for one in layer.trainable_variables])[1])
            for layer in turn:
                own = layer.trainable_variables
                optimizers[layer.name].apply([next(gradients) for _ in own], own)


def test_layer_decay_is_an_optimizer_of_its_own_for_each_layer():
    make = keras.optimizers.RMSprop
    tuned, plain = small(make(0.01)), small()
    tune(tuned, layer_decay=0.5)
    rates = {"first": 0.0025, "second": 0.005, "head": 0.01}
    by_hand(plain, {name: make(rate) for name, rate in rates.items()}, 2, dict.fromkeys(rates, 0))
    for got, wanted in zip(tuned.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_unfreezing_is_an_optimizer_that_starts_when_the_layers_turn_comes():
    tuned, plain = small("adam"), small()
    tune(tuned, epochs=3, unfreeze_every=1, learning_rate=0.01, weight_decay=0.1, l2=0.02)
    optimizers = {name: keras.optimizers.Adam(0.01, weight_decay=0.1) for name in ("first", "second", "head")}
    by_hand(plain, optimizers, 3, {"head": 0, "second": 1, "first": 2}, penalty=0.02)
    for got, wanted in zip(tuned.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-6)
    assert [int(one.iterations) for one in tuned.optimizer.optimizers] == [3, 6, 9]
    assert all(layer.trainable for layer in tuned.layers)


@pytest.mark.usefixtures("uncompiled")
def test_layers_are_frozen_until_their_turn_and_layers_not_chosen_for_ever():
    model = small()
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(weights_of(model)))
    seen.append(weights_of(model))
    tune(model, epochs=3, unfreeze_every=2, trainable_layers=2, callbacks=look)
    changes = [[name for name in a if not same(a[name], b[name])] for a, b in zip(seen, seen[1:], strict=False)]
    assert changes == [["head"], ["head"], ["second", "head"]]
    assert [layer.trainable for layer in model.layers if layer.weights] == [False, True, True]


@pytest.mark.tensorflow
def test_a_stream_is_unfrozen_too():
    import tensorflow as tf

    model = small()
    before = weights_of(model)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    kerazoo.fine_tune(model, data, epochs=2, unfreeze_every=1, verbose=False)
    assert [name for name in before if not same(before[name], weights_of(model)[name])] == ["second", "head"]
    assert [int(one.iterations) for one in model.optimizer.optimizers] == [0, 3, 6]


@pytest.mark.usefixtures("uncompiled")
def test_the_optimizer_is_saved_whole_and_is_plain_again_without_layer_decay(tmp_path):
    model = small()
    tune(model, epochs=1, layer_decay=0.5, learning_rate=0.01)
    kerazoo.save_model(model, tmp_path / "model.keras")
    loaded = kerazoo.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, Layerwise) and loaded.optimizer.factors == [0.25, 0.5, 1.0]
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    assert same([v.numpy() for v in loaded.optimizer.variables], [v.numpy() for v in model.optimizer.variables])
    tune(model, epochs=1)
    assert type(model.optimizer) is keras.optimizers.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_a_thawed_layer_is_trained_though_the_optimizer_has_not_met_it():
    model = small()
    tune(model, epochs=1, trainable_layers=1)
    before = weights_of(model)
    for layer in model.layers:
        layer.trainable = True
    tune(model, epochs=1)
    assert not any(same(before[name], weights_of(model)[name]) for name in before)


@pytest.mark.usefixtures("uncompiled")
def test_what_is_frozen_inside_a_layer_stays_frozen():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(4, name="b")])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    inner.layers[0].trainable = False
    before = weights_of(inner)
    tune(model, unfreeze_every=1)
    assert [layer.trainable for layer in inner.layers] == [False, True]
    assert [name for name in before if same(before[name], weights_of(inner)[name])] == ["a"]


def test_layers_are_as_they_were_where_none_can_be_trained():
    norm = keras.layers.BatchNormalization(center=False, scale=False, name="norm")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), norm])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(kerazoo.InputError, match="no layer of the model is trainable"):
        tune(model, trainable_layers="norm")
    assert all(layer.trainable for layer in model.layers)


@pytest.mark.usefixtures("uncompiled")
def test_numbers_of_numpy_are_written_to_the_run(tmp_path):
    half, one = np.float32(0.5), np.int64(1)
    options = {"learning_rate": half, "layer_decay": half, "l2": half, "unfreeze_every": one, "num_classes": one * 3}
    tune(small(), epochs=one, run_dir=tmp_path / "run", **options)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["learning_rate"], config["unfreeze_every"], config["num_classes"]) == (0.5, 1, 3)


def test_the_norm_of_all_gradients_is_clipped_as_one():
    model = small(keras.optimizers.SGD(0.1, global_clipnorm=0.01))
    before = model.get_weights()
    tune(model, epochs=1, batch_size=48, layer_decay=1.0)
    moved = [np.sum(np.square(new - old)) for new, old in zip(model.get_weights(), before, strict=True)]
    assert np.sqrt(np.sum(moved)) == pytest.approx(0.1 * 0.01, rel=1e-3)


# --- penalties


def test_penalties_are_of_the_training_alone_and_of_kernels_alone():
    model = small()
    kernels = sum(float(np.square(layer.kernel.numpy()).sum()) for layer in model.layers if layer.weights)
    plain = model.evaluate(X, Y, verbose=0)[0]
    result = tune(model, epochs=1, batch_size=48, l2=0.5)
    assert result.history["loss"][0] == pytest.approx(plain + 0.5 * kernels, rel=1e-4)
    assert not model.losses
    assert engine.evaluate(model, X, Y)["loss"] == pytest.approx(model.evaluate(X, Y, verbose=0)[0], rel=1e-5)


@pytest.mark.usefixtures("uncompiled")
def test_l1_makes_small_weights_of_a_head():
    model = small()
    before = np.abs(model.get_layer("head").kernel.numpy()).sum()
    tune(model, epochs=10, trainable_layers=1, l1=1.0, learning_rate=0.02)
    assert np.abs(model.get_layer("head").kernel.numpy()).sum() < before / 3


# --- a new last layer


@pytest.fixture
def digits(small_data):
    return small_data("mnist_mlp", train=400, test=100)


@pytest.mark.usefixtures("uncompiled")
def test_digits_5_to_9_become_five_classes_with_names(digits, tmp_path):
    model = kerazoo.build("mnist_mlp", units=(16,), seed=0)
    before = model.get_weights()
    train, test = digits.y_train >= 5, digits.y_test >= 5
    pairs = (digits.x_train[train], digits.y_train[train]), (digits.x_test[test], digits.y_test[test])
    options = {"num_classes": 5, "trainable_layers": 1, "run_dir": tmp_path, "verbose": False}
    result = kerazoo.fine_tune(model, pairs, epochs=1, **options)
    assert result.model is not model and same(before, model.get_weights())
    assert same(before[:2], result.model.get_weights()[:2])  # the body, frozen
    assert result.model.output_shape == (None, 5)
    loaded = kerazoo.load_model(tmp_path / "model.keras", "mnist_mlp")
    assert origin_of(loaded).classes == ("5", "6", "7", "8", "9")
    shares = loaded.predict(pairs[1][0], verbose=0)
    assert np.mean(shares.argmax(1) + 5 == pairs[1][1]) == pytest.approx(result.metrics["accuracy"])


@pytest.mark.parametrize("classes", [2, 3])
def test_a_sigmoid_becomes_a_softmax_for_more_than_two_classes_and_its_weights_are_seeded(classes):
    model = small(outputs=1, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    tuned = []
    for seed in (1, 1, 2):
        with seeded(seed):
            tuned.append(with_new_head(model, classes))
    heads = [one.layers[-1].get_weights() for one in tuned]
    assert same(heads[0], heads[1]) and not same(heads[0], heads[2])
    assert not same(heads[0], model.layers[-1].get_weights())
    assert tuned[0].output_shape == (None, 1 if classes == 2 else 3)
    logits = tuned[0].predict(X, verbose=0).astype(np.float64)
    logits = np.concatenate([np.zeros_like(logits), logits], 1) if classes == 2 else logits
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wanted = -np.log(shares[np.arange(48), Y % classes]).mean()
    assert tuned[0].evaluate(X, Y % classes, verbose=0)[0] == pytest.approx(wanted, rel=1e-5)


def test_a_sequential_model_gets_a_new_last_layer():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    with seeded(0):
        assert with_new_head(model, 3).output_shape == (None, 3)


def test_a_model_of_regression_and_one_without_a_dense_head_are_refused():
    with pytest.raises(kerazoo.InputError, match="no classifier"):
        tune(small(loss="mse"), num_classes=3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(kerazoo.InputError, match="no Dense layer"):
        tune(model, num_classes=3)
    with pytest.raises(kerazoo.InputError, match="writes text"):
        kerazoo.fine_tune(kerazoo.build("textgen_lstm"), "a text", epochs=1, num_classes=3)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"num_classes": 1}, "num_classes=1: wanted a whole number of at least 2"),
        ({"num_classes": 2}, "the training labels are 0, 1, 2"),
        ({"unfreeze_every": 0}, "unfreeze_every=0"),
        ({"layer_decay": 2.6}, "layer_decay=2.6: wanted a number above 0 and at most 1"),
        ({"layer_decay": 0}, "layer_decay=0"),
        ({"weight_decay": -1}, "weight_decay=-1: wanted a number of at least 0"),
        ({"l1": float("nan")}, "l1=nan"),
        ({"l2": "much"}, "l2='much'"),
        ({"learning_rate": True}, "learning_rate=True: wanted a number above 0"),
        ({"trainable_layers": 1.5}, "trainable_layers=1.5"),
        ({"validation_split": 0.001}, "leaves a split empty"),
    ],
)
def test_a_value_that_cannot_be_is_named_and_nothing_is_changed(tmp_path, options, reason):
    model = small()
    before, optimizer = model.get_weights(), model.optimizer
    with pytest.raises(kerazoo.InputError, match=reason):
        tune(model, run_dir=tmp_path / "run", **options)
    assert same(before, model.get_weights()) and model.optimizer is optimizer
    assert all(layer.trainable for layer in model.layers)
    assert not (tmp_path / "run").exists()


def test_labels_of_the_test_split_must_be_among_those_trained_on():
    data = (X, Y + 5), (X[:2], np.array([5, 9]))
    with pytest.raises(kerazoo.DataError, match="the label 9 is in the test data"):
        kerazoo.fine_tune(small(), data, epochs=1, num_classes=3)
