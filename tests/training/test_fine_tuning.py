import keras
import numpy as np
import pytest

import kerazoo


@pytest.fixture
def digits(small_data):
    return small_data("mnist_mlp", train=256, test=64)


@pytest.fixture(scope="module")
def file(small_data, tmp_path_factory):
    """The file of a model that has been trained for an epoch."""
    path = tmp_path_factory.mktemp("trained") / "model.keras"
    digits = small_data("mnist_mlp", train=256, test=64)
    kerazoo.save_model(kerazoo.train("mnist_mlp", data=digits, epochs=1, units=(8, 8), verbose=False).model, path)
    return path


@pytest.fixture
def model(file):
    return kerazoo.load_model(file)


def weights_of(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def changed(before, model):
    after = weights_of(model)
    return [name for name in before if any(map(np.any, map(np.not_equal, before[name], after[name])))]


@pytest.mark.usefixtures("uncompiled")
def test_all_layers_train_further_by_default(model, digits):
    before = weights_of(model)
    result = kerazoo.fine_tune(model, digits, epochs=2, verbose=False)
    assert changed(before, model) == list(before)
    assert result.model is model
    assert len(result.history["loss"]) == 2
    assert set(result.metrics) == {"loss", "accuracy"}


def test_only_the_last_layers_train_when_asked(model, digits):
    before = weights_of(model)
    kerazoo.fine_tune(model, digits, epochs=1, trainable_layers=1, verbose=False)
    assert changed(before, model) == list(before)[-1:]
    kerazoo.fine_tune(model, digits, epochs=1, trainable_layers=2, verbose=False)
    assert changed(before, model) == list(before)[-2:]


@pytest.mark.usefixtures("uncompiled")
def test_layers_may_be_named(model, digits):
    before = weights_of(model)
    first = next(iter(before))
    kerazoo.fine_tune(model, digits, epochs=1, trainable_layers=[first], verbose=False)
    assert changed(before, model) == [first]


@pytest.mark.usefixtures("uncompiled")
def test_the_learning_rate_changes_how_far_it_goes(model, digits):
    before = model.get_weights()
    kerazoo.fine_tune(model, digits, epochs=1, learning_rate=1e-9, verbose=False)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(before, model.get_weights(), strict=True))
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-9)


def test_the_same_seed_gives_the_same_weights(digits, file):
    outcomes = []
    for _ in range(2):
        model = kerazoo.load_model(file)
        kerazoo.fine_tune(model, digits, epochs=1, seed=4, verbose=False)
        outcomes.append(model.get_weights())
    assert all(map(np.array_equal, *outcomes))


@pytest.mark.usefixtures("uncompiled")
def test_a_model_that_is_not_of_the_zoo_is_tuned_too(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    x, y = np.eye(3).repeat(4, 0), np.arange(12) % 2
    result = kerazoo.fine_tune(model, (x, y), epochs=3, run_dir=tmp_path, verbose=False)
    assert len(result.history["loss"]) == 3
    assert (tmp_path / "model.keras").exists()


def test_early_stopping_holds_out_and_stops(model, digits):
    result = kerazoo.fine_tune(model, digits, epochs=60, learning_rate=0.05, early_stopping=1, verbose=False)
    assert 1 < len(result.history["val_loss"]) < 60


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 1, "batch_size": 0}, "batch_size=0"),
        ({"epochs": 1, "trainable_layers": 4}, "the model has 3 layers"),
        ({"epochs": 1, "trainable_layers": 0}, "trainable_layers=0"),
        ({"epochs": 1, "trainable_layers": ["dence"]}, "no layer 'dence'"),
        ({"epochs": 1, "trainable_layers": "dence"}, "no layer 'dence'"),
        ({"epochs": 1, "trainable_layers": []}, "empty"),
        ({"epochs": 1, "learning_rate": 0}, "above 0"),
    ],
)
def test_a_value_that_cannot_be_is_named_and_changes_nothing(model, digits, arguments, reason):
    before = model.get_weights()
    with pytest.raises(kerazoo.InputError, match=reason):
        kerazoo.fine_tune(model, digits, verbose=False, **arguments)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert all(layer.trainable for layer in model.layers)


def test_a_model_that_is_not_compiled_is_refused(digits):
    with pytest.raises(kerazoo.InputError, match="not compiled"):
        kerazoo.fine_tune(kerazoo.build("mnist_mlp", compile=False), digits, epochs=1)
