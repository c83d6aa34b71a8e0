"""What `export` refuses and what it prints; int8 weights; nothing is left of what cannot be kept."""

import json
import logging
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo import quiet
from kerazoo.cli import main
from kerazoo.exporting import api
from kerazoo.exporting.api import FORMATS
from kerazoo.lazy import installed

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("no_real_data")]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line in an empty directory: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_command_says_what_was_written_and_compared(run, tmp_path):
    code, output, errors = run("export", "mnist_mlp", "--format", "onnx", "--out", "x.onnx", "--json")
    found = json.loads(output)
    assert (code, errors) == (0, "")
    assert (found["model"], found["path"], found["bytes"]) == (
        "mnist_mlp",
        "x.onnx",
        (tmp_path / "x.onnx").stat().st_size,
    )
    assert found["check"]["inputs"] == 1000 and found["check"]["difference"] < 1e-5
    assert found["check"]["agreement"] == 1


@pytest.mark.parametrize("form", ["onnx", "litert"])
def test_int8_weights_are_a_quarter_and_answer_nearly_the_same(run, form):
    name = f"x{FORMATS[form].suffix}"
    code, output, errors = run("export", "mnist_mlp", "--format", form, "--out", name, "--quantise")
    assert code == 0, errors
    assert "equal answers" in output and "float32: " in output and "int8: " in output
    code, output, _ = run("export", "mnist_mlp", "--format", form, "--out", name, "--quantise", "--json")
    before, after = json.loads(output)["quantised"]
    assert after["bytes"] < 0.35 * before["bytes"]
    assert abs(before["accuracy"] - after["accuracy"]) < 0.01 and before["labelled"] == after["labelled"] >= 1000
    assert min(before["seconds"], after["seconds"]) > 0


def test_the_weights_of_an_lstm_become_int8_too(tmp_path):
    model = keras.Sequential([keras.Input((6, 5)), keras.layers.LSTM(64), keras.layers.Dense(2)])
    found = kerazoo.export(model, tmp_path / "x.onnx", format="onnx", quantise=True)
    before, after = found.quantised
    assert after.bytes < 0.4 * before.bytes and found.check.difference < 0.05


@pytest.mark.parametrize("form", ["onnx", "litert"])
def test_other_libraries_print_nothing(tmp_path, form):
    if any(not installed(one) for one in FORMATS[form].needs):
        pytest.skip("what the format needs is not installed")
    how = ["mnist_mlp", "--format", form, "--out", str(tmp_path / f"x{FORMATS[form].suffix}"), "--quantise"]
    command = [sys.executable, "-m", "kerazoo", "export", *how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stderr == "" and done.stdout.count("\n") == 4


def test_a_library_that_logs_leaves_the_log_as_it_was(capfd):
    root = logging.getLogger()
    before = list(root.handlers), root.level
    with quiet.without_log():
        logging.warning("advice")
    with quiet.without_log("library"):
        logging.getLogger("library.part").warning("tried again")
    assert (list(root.handlers), root.level) == before and capfd.readouterr() == ("", "")


BAD = [
    (["mnist_mlp", "--format", "onnx", "--out", "x.txt"], "wanted a path that ends in .onnx"),
    (["mnist_mlp", "--format", "onnx", "--out", "no/x.onnx"], "in a directory that exists"),
    (["mnist_mlp", "--format", "saved_model", "--out", "."], "is there already"),
    (["mnist_mlp", "--format", "saved_model", "--out", "x", "--quantise"], "has no int8 weights"),
    (["mnist_mlp", "--format", "onxn", "--out", "x.onnx"], "'onxn' is not one of"),
    (["mnist_mlp", "--format", "onnx"], "--out"),
    (["toy_mlp", "--format", "onnx", "--out", "x.onnx"], "no pretrained weights"),
    (["mnist_mpl", "--format", "onnx", "--out", "x.onnx"], "Did you mean 'mnist_mlp'?"),
    (["mnist_mlp", "--format", "onnx", "--out", "x.onnx", "--model", "gone.keras"], "is not a file"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD)
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(run, tmp_path, arguments, says):
    code, output, errors = run("export", *arguments)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1 and says in errors
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("form", "layer", "says"),
    [
        ("litert", lambda: keras.layers.GRU(3), "LiteRT has no built-in operator for"),
        ("torch", lambda: keras.layers.GRU(3), "GRU"),
        ("torch", lambda: keras.layers.LSTM(3, activation="relu"), "an LSTM with other activations"),
    ],
)
def test_a_layer_that_a_format_has_not_is_named_in_one_line(tmp_path, exported, form, layer, says):
    exported("toy_mlp", form)  # or skipped
    model = keras.Sequential([keras.Input((6, 5)), layer()])
    with pytest.raises(kerazoo.InputError, match=says) as error:
        kerazoo.export(model, tmp_path / f"x{FORMATS[form].suffix}", format=form)
    assert "\n" not in str(error.value) and "choose the format onnx" in str(error.value)
    assert not any(tmp_path.iterdir())


def test_a_model_that_answers_otherwise_is_not_kept(tmp_path, model, monkeypatch):
    plain = FORMATS["onnx"].load

    def wrong(path):
        run = plain(path)
        return lambda inputs: [one + 0.001 for one in run(inputs)]

    (tmp_path / "x.onnx").write_text("what was there")
    monkeypatch.setattr(FORMATS["onnx"], "load", wrong)
    with pytest.raises(kerazoo.KerazooError, match=r"differs from Keras by 1.0e-03 on 4 inputs of toy \(document\)"):
        kerazoo.export(model("toy_mlp"), tmp_path / "x.onnx", format="onnx")
    assert (tmp_path / "x.onnx").read_text() == "what was there" and len(list(tmp_path.iterdir())) == 1


def test_a_missing_package_is_one_line_with_the_command(tmp_path, model, monkeypatch):
    monkeypatch.setattr("kerazoo.lazy.installed", lambda name: name != "ai_edge_litert")
    with pytest.raises(kerazoo.UnavailableError, match=r"needs ai_edge_litert, .* pip install 'kerazoo\[export\]'"):
        kerazoo.export(model("toy_mlp"), tmp_path / "x.tflite", format="litert")


def test_a_format_that_the_backend_cannot_write_is_one_line(tmp_path, model, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(kerazoo.InputError, match="written with Keras on tensorflow, not jax: set KERAS_BACKEND=tensor"):
        FORMATS["litert"].check(tmp_path / "x.tflite")


def test_a_users_model_and_file_are_exported(tmp_path, model):
    saved = tmp_path / "model.keras"
    kerazoo.save_model(model("toy_mlp"), saved)
    found = kerazoo.export(saved, tmp_path / "x.onnx", format="onnx")
    assert found.check.data == "toy (document)"
    with pytest.raises(kerazoo.InputError, match="Formats: onnx, litert"):
        kerazoo.export(saved, tmp_path / "x.onnx", format="coreml")


def test_differences_that_are_no_numbers_are_refused(model):
    inputs = np.zeros((4, 2), np.float32)
    sample = api.checking.Sample([inputs], None, "zeros")
    found = api.checking.compare(model("toy_mlp"), lambda given: [np.full((4, 2), np.nan, np.float32)], sample)
    assert found.difference == np.inf
