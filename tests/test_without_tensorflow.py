"""The whole way of every model where TensorFlow is not installed; where it is, the other tests go it."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerazoo

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None, reason="TensorFlow is installed: the other tests do the same"
)
FEWER = {"imdb_lstm": {"units": 8}, "textgen_lstm": {"units": 8}}  # options that save time
PRETRAINED = ["imdb_lstm", "imdb_transformer", "mnist_mlp", "mnist_mlp_dropout", "textgen_lstm"]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "kerazoo", *arguments]
    given = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=given, check=False)


@pytest.mark.parametrize("name", kerazoo.list_models())
def test_a_model_is_trained_measured_saved_loaded_and_trained_further(name, small_data, tmp_path):
    data, options = small_data(name), FEWER.get(name, {})
    result = kerazoo.train(name, data=data, epochs=2, run_dir=tmp_path / "run", verbose=False, **options)
    assert np.isfinite([*result.history["loss"], *result.metrics.values()]).all()
    saved = tmp_path / "run" / "model.keras"
    measured = kerazoo.evaluate(name, saved, data=data)
    assert measured == pytest.approx(result.metrics, rel=1e-4)
    model = kerazoo.load_model(saved, name)
    before = model.get_weights()
    more = kerazoo.fine_tune(model, data, epochs=1, trainable_layers=1, verbose=False)
    assert any(not np.array_equal(*pair) for pair in zip(before, more.model.get_weights(), strict=True))
    assert np.isfinite(more.history["loss"]).all()


def test_a_run_that_was_cut_short_goes_on_to_the_same_end(small_data, tmp_path):
    options = {"data": small_data("mnist_mlp_dropout"), "epochs": 3, "verbose": False}
    whole = kerazoo.train("mnist_mlp_dropout", **options)

    def cut(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=cut)
    with pytest.raises(KeyboardInterrupt):
        kerazoo.train("mnist_mlp_dropout", run_dir=tmp_path / "run", callbacks=callback, **options)
    resumed = kerazoo.train("mnist_mlp_dropout", run_dir=tmp_path / "run", resume=True, **options)
    assert all(map(np.array_equal, resumed.model.get_weights(), whole.model.get_weights()))
    assert resumed.history == whole.history


@pytest.mark.parametrize("name", PRETRAINED)
def test_packaged_weights_answer(name):
    if name == "textgen_lstm":
        text = kerazoo.generate(name, "ROMEO:", length=200, seed=0)
        assert len(text) == 206 and text == kerazoo.generate(name, "ROMEO:", length=200, seed=0)
    elif name.startswith("mnist"):
        data = kerazoo.load_data(name, source="sample")
        answers = kerazoo.predict(name, data.x_test[:100])
        assert np.mean([int(one.label) == y for one, y in zip(answers, data.y_test[:100], strict=True)]) > 0.95
    else:
        good, bad = kerazoo.predict(name, ["A moving story, superbly acted.", "Dull, clumsy and far too long."])
        assert (good.label, bad.label) == ("positive", "negative")
        assert len(good.words) > 3 and len({word.weight for word in good.words}) > 1


@pytest.mark.real_data
def test_the_digit_classifier_reaches_its_accuracy_on_real_digits():
    result = kerazoo.train("mnist_mlp_dropout", epochs=2, source="tfds", verbose=False)
    assert result.data["source"] == "tfds"
    assert result.metrics["accuracy"] > 0.965


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "accuracy"), [("imdb_lstm", 0.8486), ("mnist_mlp", 0.9914)])
def test_packaged_weights_measure_on_real_data_what_the_manifest_says(name, accuracy):
    assert kerazoo.evaluate(name, source="tfds")["accuracy"] == pytest.approx(accuracy, abs=3e-4)


def test_jax_computes_though_nobody_named_it(tmp_path):
    for _ in range(2):  # the second time Keras's own file names TensorFlow
        done = run("doctor", "--json", KERAS_BACKEND="", KERAS_HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["backend"] == "jax" and "tensorflow" not in found["versions"]
    assert "jax (TensorFlow is not installed)" in run("doctor", KERAS_BACKEND="", KERAS_HOME=str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "reason"),
    [
        (["train", "toy_mlp"], {"KERAS_BACKEND": "tensorflow"}, 1, "KERAS_BACKEND=tensorflow needs a package"),
        (["train", "toy_mlp", "--tensorboard"], {}, 1, "tensorboard=True needs a package"),
        (["train", "mnist_mlp", "--source", "tfds", "--data-dir", "."], {}, 1, "pip install tensorflow-datasets"),
    ],
)
def test_what_needs_tensorflow_says_so_in_one_line(tmp_path, monkeypatch, arguments, environment, code, reason):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, **environment)
    assert done.returncode == code
    assert done.stderr.startswith("kerazoo: error: ") and done.stderr.count("\n") == 1 and reason in done.stderr
    assert done.stdout == ""


def test_a_strategy_is_refused():
    with pytest.raises(kerazoo.InputError, match="strategy is TensorFlow's"):
        kerazoo.train("toy_mlp", strategy=object(), epochs=1, verbose=False)


def test_claims_computed_with_tensorflow_are_not_measured_and_the_others_are(tmp_path):
    found = kerazoo.reproduce(["toy_mlp"], quick=True, out=tmp_path, verbose=False)
    assert {row["experiment"] for row in found.rows} == {"printed_output", "toy_mlp_training", "toy_program"}
    assert not found.failed
