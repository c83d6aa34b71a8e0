"""Every model, also a new one, passes these tests on arrival."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo.model_file import load_model, origin_of, save_model

MODELS = kerazoo.list_models()
every_model = pytest.mark.parametrize("name", MODELS)


def sample_inputs(model, count=3):
    """Random inputs of the shapes and dtypes that the model declares."""
    random = np.random.default_rng(0)
    arrays = []
    for one in model.inputs:
        shape = (count, *(7 if size is None else size for size in one.shape[1:]))
        arrays.append(
            random.integers(0, 5, shape).astype("int32") if one.dtype == "int32" else random.random(shape, "float32")
        )
    return arrays if len(arrays) > 1 else arrays[0]


@every_model
def test_it_has_the_documented_number_of_parameters(name):
    assert kerazoo.build(name).count_params() == kerazoo.spec(name).num_params


@every_model
def test_its_spec_tells_its_inputs_and_outputs(name):
    spec, model = kerazoo.spec(name), kerazoo.build(name)
    for declared, real in ((spec.inputs, model.inputs), (spec.outputs, model.outputs)):
        assert [one.shape for one in declared] == [one.shape[1:] for one in real]
    assert [one.dtype for one in spec.inputs] == [one.dtype for one in model.inputs]
    assert [one.name for one in spec.inputs] == [one.name for one in model.inputs]
    assert model.name == name
    assert spec.source.document in {"000", "001", "002", "003", "004"}
    assert all(claim.split("/")[0] in {"000", "001", "002", "003", "004"} for claim in spec.claims)


@every_model
def test_it_is_compiled_with_its_recipe(name):
    model, recipe = kerazoo.build(name), kerazoo.spec(name).recipe
    assert type(model.optimizer).__name__.lower() == recipe.optimizer
    if recipe.learning_rate is not None:
        assert float(model.optimizer.learning_rate) == pytest.approx(recipe.learning_rate)
    assert not kerazoo.build(name, compile=False).compiled


@every_model
def test_a_seed_fixes_its_initial_weights(name):
    first, same, other = (kerazoo.build(name, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@every_model
def test_building_leaves_the_callers_random_state_alone(name):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    kerazoo.build(name, seed=1)
    assert np.random.random() == expected


@every_model
def test_its_data_fits_it(name, small_data):
    model, data = kerazoo.build(name, **small_data(name).model_options), small_data(name)
    outputs = model.predict(data.x_test, verbose=0)
    assert len(outputs) == len(data.x_test)
    assert np.isfinite(outputs).all()


@every_model
def test_it_trains_and_keeps_its_outputs_through_save_and_load(name, trained, tmp_path):
    model = trained(name).model
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = sample_inputs(model)
    assert np.array_equal(model(inputs), loaded(inputs))


@every_model
def test_it_comes_back_with_what_is_known_of_it(name, trained, tmp_path):
    model = trained(name).model
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", name)
    assert all(map(np.array_equal, model.get_weights(), loaded.get_weights()))
    assert origin_of(loaded) == origin_of(model)
    assert origin_of(loaded).name == name
    assert (origin_of(loaded).vocabulary is not None) == (kerazoo.spec(name).dataset in ("imdb", "text"))


@every_model
def test_the_same_seed_trains_to_the_same_weights(name, trained, small_data):
    again = kerazoo.train(name, data=small_data(name), epochs=1, verbose=False)
    first = trained(name)
    assert all(map(np.array_equal, first.model.get_weights(), again.model.get_weights()))
    assert first.history == again.history


@every_model
def test_it_takes_a_step_in_mixed_precision(name, small_data):
    before = keras.config.dtype_policy().name
    data = small_data(name, train=8, test=8)
    result = kerazoo.train(name, data=data, epochs=1, precision="mixed_bfloat16", verbose=False)
    assert np.isfinite(result.history["loss"][0])
    assert all(weight.dtype == "float32" for weight in result.model.trainable_weights)
    assert result.environment["precision"] == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == before


@every_model
def test_every_layer_of_it_can_be_configured_anew(name):
    model = kerazoo.build(name, compile=False)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    inputs = sample_inputs(model)
    assert np.array_equal(model(inputs), again(inputs))


ON_JAX = """
import dataclasses, os, sys
import keras, kerazoo
assert keras.backend.backend() == "jax"
for name in sys.argv[1:]:
    data = kerazoo.load_data(name, source="sample")
    few = {split: getattr(data, split)[:8] for split in ("x_train", "y_train", "x_test", "y_test")}
    result = kerazoo.train(name, data=dataclasses.replace(data, **few), epochs=1, verbose=False)
    print(name, result.history["loss"][0])
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="the extra 'jax' is not installed")
def test_models_take_a_step_on_jax_beside_tensorflow():
    """A dense one and a recurrent one; `test_without_tensorflow.py` trains every model on JAX."""
    names = ["mnist_mlp_dropout", "textgen_lstm"]
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, *names],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == names


@pytest.mark.parametrize(
    ("name", "override", "reason"),
    [
        ("mnist_mlp_dropout", {"dropout": 1.5}, "dropout=1.5"),
        ("attention_block", {"dim": 10, "num_heads": 3}, "divisible"),
        ("imdb_transformer", {"num_heads": 5}, "divisible"),
        ("mnist_mlp", {"units": "64"}, "one or several"),
        ("mnist_mlp", {"unit": (64,)}, "Did you mean 'units'"),
        ("mnist_mlp", {"optimizer": "adamm"}, "unknown to Keras"),
        ("mnist_mlp", {"learning_rate": -0.1}, "above 0"),
        ("mnist_mlp", {"learning_rate": float("inf")}, "above 0"),
    ],
)
def test_an_override_that_cannot_work_is_refused_by_name(name, override, reason):
    with pytest.raises(kerazoo.InputError, match=reason):
        kerazoo.build(name, **override)


def test_overrides_change_the_model():
    assert kerazoo.build("mnist_mlp", units=(8,)).count_params() == 784 * 8 + 8 + 8 * 10 + 10
    assert isinstance(kerazoo.build("mnist_mlp", optimizer="sgd").optimizer, keras.optimizers.SGD)


def test_the_attention_block_masks_and_tells_its_weights():
    model = kerazoo.build("attention_block", num_heads=4, causal=True, padding_mask=True, return_weights=True)
    x = np.random.default_rng(0).normal(size=(2, 5, 32)).astype("float32")
    real = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    outputs, weights = model.predict([x, real], verbose=0)
    assert outputs.shape == (2, 5, 32)
    assert weights.shape == (2, 4, 5, 5)
    assert np.all(weights[0, :, :, 3:] == 0), "padding is not attended to"
    assert np.all(np.triu(weights[1], 1) == 0), "the future is not attended to"
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)


def test_the_transformer_ignores_padding():
    model = kerazoo.build("imdb_transformer", seed=0)
    model.layers[1].weights[0].assign(model.layers[1].weights[0] * 10)
    tokens = np.zeros((1, 100), "int32")
    tokens[0, -3:] = [5, 6, 7]
    before = model.predict(tokens, verbose=0)
    padding = model.layers[1].tokens.weights[0]
    padding.assign(np.concatenate([np.full((1, 32), 9.0), np.array(padding)[1:]]))
    np.testing.assert_allclose(model.predict(tokens, verbose=0), before, rtol=1e-5)


def test_weights_of_a_file_are_loaded_and_others_refused(tmp_path):
    model = kerazoo.build("toy_mlp", seed=3)
    model.save_weights(tmp_path / "toy.weights.h5")
    again = kerazoo.build("toy_mlp", weights=str(tmp_path / "toy.weights.h5"))
    assert all(map(np.array_equal, model.get_weights(), again.get_weights()))
    with pytest.raises(kerazoo.InputError, match="cannot be loaded"):
        kerazoo.build("mnist_mlp", weights=str(tmp_path / "toy.weights.h5"))
    with pytest.raises(kerazoo.InputError, match="cannot be loaded"):
        kerazoo.build("toy_mlp", weights=str(tmp_path / "missing.weights.h5"))


def test_where_cudnn_takes_no_narrow_lstm_one_line_says_so(monkeypatch):
    def refuses(*arguments, **options):
        raise ValueError("Unknown output type bfloat16")

    monkeypatch.setattr(keras.layers, "LSTM", refuses)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(kerazoo.KerazooError, match="takes no float32; use float32, or KERAS_BACKEND=tensorflow"):
        kerazoo.build("imdb_lstm")
