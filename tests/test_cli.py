import json
import os
import subprocess
import sys
import urllib.request

import numpy as np
import pytest

import kerazoo
from kerazoo.cli import main
from kerazoo.model_file import save_model


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line in an empty directory: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def files_below(path):
    return sorted(str(one.relative_to(path)) for one in path.rglob("*"))


def test_list_prints_every_model(run):
    code, output, _ = run("list")
    assert code == 0
    assert all(name in output for name in kerazoo.list_models())
    code, output, _ = run("list", "mnist_*", "--json")
    assert [one["name"] for one in json.loads(output)] == ["mnist_mlp", "mnist_mlp_dropout"]


@pytest.mark.parametrize("name", kerazoo.list_models())
def test_show_prints_what_is_known(run, name):
    code, output, _ = run("show", name, "--json")
    shown, spec = json.loads(output), kerazoo.spec(name)
    assert code == 0
    assert shown["num_params"] == spec.num_params
    assert shown["recipe"]["epochs"] == spec.recipe.epochs
    assert set(spec.defaults) <= set(shown["options"])
    code, output, _ = run("show", name)
    assert f"{spec.num_params:,}" in output and str(spec.source) in output


def test_train_prints_one_document_and_evaluate_agrees(run, tmp_path):
    code, output, errors = run(
        "train", "mnist_mlp", "--source", "sample", "--epochs", 2, "--set", "units=8", "--run-dir", "run", "--json"
    )
    assert code == 0, errors
    result = json.loads(output)
    assert {"model", "seed", "epochs", "metrics", "history", "seconds", "run_dir", "environment"} <= set(result)
    assert (result["model"], result["seed"], result["epochs"], result["run_dir"]) == ("mnist_mlp", 0, 2, "run")
    assert len(result["history"]["loss"]) == 2
    assert "epoch 2/2" in errors
    code, output, _ = run("evaluate", "mnist_mlp", "--model", "run/model.keras", "--source", "sample", "--json")
    assert code == 0
    assert json.loads(output)["metrics"] == pytest.approx(result["metrics"])
    code, output, errors = run(
        "fine-tune", "mnist_mlp", "--model", "run/model.keras", "--source", "sample", "--epochs", 1,
        "--trainable-layers", 1, "--run-dir", "tuned", "--json",
    )  # fmt: skip
    assert code == 0, errors
    assert json.loads(output)["epochs"] == 1
    assert (tmp_path / "tuned" / "model.keras").exists()


def test_a_run_without_a_directory_gets_one_of_its_own(run, tmp_path):
    code, output, _ = run("train", "toy_mlp", "--epochs", 1)
    assert code == 0
    (made,) = (tmp_path / "runs" / "toy_mlp").iterdir()
    assert str(made.relative_to(tmp_path)) in output.replace("\n", "")


def test_the_sample_is_announced_where_nobody_misses_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: (_ for _ in ()).throw(OSError("no route")))
    (tmp_path / "empty").mkdir()
    arguments = ["train", "mnist_mlp", "--epochs", "1", "--set", "units=4", "--data-dir", "empty"]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, _, errors = run(*arguments)
        assert code == 0
        assert "NOT THE REAL DATA" in errors
    code, _, errors = run(*arguments, "--source", "tfds", "--run-dir", "other")
    assert code == 1
    assert errors.startswith("kerazoo: error: mnist is not in empty")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("backend", ["nope", "torch"])
def test_a_backend_that_is_not_supported_is_named(tmp_path, backend):
    command = [sys.executable, "-m", "kerazoo", "train", "toy_mlp", "--epochs", "1"]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr == f"kerazoo: error: KERAS_BACKEND={backend!r}: wanted one of tensorflow, jax\n"


def test_the_version_is_printed(run):
    assert run("--version")[:2] == (0, f"kerazoo {kerazoo.__version__}\n")


def test_doctor_tells_versions_devices_and_data(run, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "/no/such/directory")
    code, output, _ = run("doctor", "--json")
    found = json.loads(output)
    assert code == 0
    assert found["versions"]["kerazoo"] == kerazoo.__version__
    assert found["cudnn_serves_imdb_lstm"] or found["cudnn_obstacles"]
    assert set(found["data"]) == {"MNIST", "IMDb", "tiny Shakespeare"}
    assert "not usable" in found["data_dir"]
    assert found["kernels"] or found["kernels_obstacle"]
    monkeypatch.setenv("KERAZOO_KERNELS", "0")
    code, output, _ = run("doctor")
    assert "none: KERAZOO_KERNELS=0 turns them off" in output
    assert "cuDNN for imdb_lstm" in output


def bad(*arguments, says):
    return pytest.param(arguments, says, id=" ".join(map(str, arguments))[:70])


BAD_INPUT = [
    bad("train", "imdb_lstn", says="Did you mean 'imdb_lstm'?"),
    bad("show", "nothing_like_it", says="no model is named 'nothing_like_it'"),
    bad("list", "zzz*", says="no model matches 'zzz*'"),
    bad("frobnicate", says="frobnicate"),
    bad("train", says="NAME"),
    bad("train", "mnist_mlp", "--frob", says="--frob"),
    bad("train", "mnist_mlp", "--set", "width=3", says="no option 'width'"),
    bad("train", "mnist_mlp", "--set", "units=wide", says="'units' wants"),
    bad("train", "mnist_mlp", "--set", "units", says="FIELD=VALUE"),
    bad("train", "mnist_mlp", "--epochs", -1, says="epochs=-1"),
    bad("train", "mnist_mlp", "--epochs", 0, says="epochs=0"),
    bad("train", "mnist_mlp", "--epochs", "many", says="--epochs"),
    bad("train", "mnist_mlp", "--batch-size", 0, says="batch_size=0"),
    bad("train", "mnist_mlp", "--seed", "x", says="--seed"),
    bad("train", "mnist_mlp", "--seed", -5, says="seed=-5"),
    bad("train", "mnist_mlp", "--source", "web", says="'web' is not one of"),
    bad("train", "mnist_mlp", "--resume", "--run-dir", "typo", says="there is no run in 'typo'"),
    bad("train", "mnist_mlp", "--overwrite", "--run-dir", "pictures", says="already holds 1.png and no run"),
    bad("train", "mnist_mlp", "--data-dir", "no/such/directory", says="not a directory"),
    bad("train", "toy_mlp", "--data-dir", "no/such/directory", says="not a directory"),
    bad("train", "mnist_mlp", "--run-dir", "a_file", says="is a file"),
    bad("train", "mnist_mlp", "--run-dir", "a_file/run", says="cannot be written"),
    bad("train", "mnist_mlp", "--precision", "half", says="precision='half'"),
    bad("train", "mnist_mlp", "--validation-split", 2, says="validation_split=2.0"),
    bad("train", "mnist_mlp", "--set", "learning_rate=-1", says="above 0"),
    bad("train", "mnist_mlp", "--resume", says="--run-dir"),
    bad("train", "mnist_mlp", "--run-dir", "", says="empty"),
    bad("trian", "mnist_mlp", says="train"),
    bad("train", "textgen_lstm", "--set", "corpus=", says="corpus is an empty text"),
    bad("train", "mnist_mlp", "--set", "learning_rate={[]:1}", says="'learning_rate' wants"),
    bad("evaluate", "toy_mlp", says="no pretrained weights"),
    bad("evaluate", "toy_mlp", "--model", "toy.keras", "--set", "hidden_dim=3", says="no option 'hidden_dim'"),
    bad("fine-tune", "toy_mlp", "--model", "toy.keras", "--run-dir", ".", "--overwrite", says="where the model"),
    bad("evaluate", "mnist_mlp", "--model", "gone.keras", says="is not a file"),
    bad("evaluate", "mnist_mlp", "--model", "a_file", says="not a whole .keras file"),
    bad("evaluate", "mnist_mlp", "--model", "cut.keras", says="not a whole .keras file"),
    bad("evaluate", "mnist_mlp", "--model", "toy.keras", says="holds the model 'toy_mlp'"),
    bad("fine-tune", "mnist_mlp", "--model", "gone.keras", says="is not a file"),
    bad("fine-tune", "toy_mlp", "--model", "toy.keras", "--epochs", 0, says="epochs=0"),
    bad("fine-tune", "toy_mlp", "--model", "toy.keras", "--trainable-layers", 9, says="2 layers with weights"),
    bad("train", "textgen_lstm", "--set", "corpus=empty.txt", says="holds no text"),
    bad("train", "textgen_lstm", "--set", "corpus=short.txt", says="longer text"),
    bad("train", "textgen_lstm", "--set", "corpus=latin.txt", says="not UTF-8"),
    bad("train", "textgen_lstm", "--set", "corpus=gone.txt", says="cannot be read"),
    bad("train", "textgen_lstm", "--set", "corpus=/dev/zero", says="a device, and not a regular file"),
    bad("train", "textgen_lstm", "--set", "corpus=pipe", says="a pipe, and not a regular file"),
    bad("train", "textgen_lstm", "--set", "corpus=pictures", says="Is a directory"),
    bad("fine-tune", "imdb_lstm", "--model", "pretrained", "--data", "pipe", says="a pipe, and not a regular file"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD_INPUT)
def test_wrong_input_gets_one_clear_line_and_writes_nothing(run, tmp_path, arguments, says):
    (tmp_path / "a_file").write_text("no model")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "short.txt").write_text("too short")
    (tmp_path / "latin.txt").write_bytes("déjà vu ".encode("latin-1") * 50)
    save_model(kerazoo.build("toy_mlp"), tmp_path / "toy.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "toy.keras").read_bytes()[:1000])
    before = files_below(tmp_path)
    code, output, errors = run(*arguments)
    assert code == 2
    assert output == ""
    assert errors.count("\n") == 1 and errors.startswith("kerazoo: error: ")
    assert "Traceback" not in errors
    assert says.lower() in errors.lower()
    assert files_below(tmp_path) == before


def test_debug_shows_the_traceback(run):
    code, _, errors = run("train", "mnist_mlp", "--epochs", "0", "--debug")
    assert code == 2
    assert "Traceback" in errors and "epochs=0" in errors.splitlines()[-1]


def test_without_arguments_the_help_is_printed(run):
    code, output, _ = run()
    assert code == 0 and "Usage: kerazoo" in output


def test_a_failure_that_is_not_the_users_exits_with_1(run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kerazoo, "train", full)
    code, _, errors = run("train", "toy_mlp")
    assert (code, errors) == (1, "kerazoo: error: No space left on device\n")


def test_an_interrupt_exits_with_130(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(kerazoo, "train", interrupt)
    code, _, errors = run("train", "toy_mlp")
    assert (code, errors) == (130, "kerazoo: interrupted\n")


def test_the_installed_command_is_quiet_and_its_json_is_alone(tmp_path):
    """A whole process, as people run it: TensorFlow's start-up messages are nobody's business."""
    command = [sys.executable, "-m", "kerazoo", "train", "toy_mlp", "--epochs", "2", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    assert np.isfinite(json.loads(done.stdout)["metrics"]["loss"])
    assert all(line.startswith("toy_mlp") for line in done.stderr.splitlines()), done.stderr


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m kerazoo list | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("OOM when allocating tensor"), RuntimeError("RESOURCE_EXHAUSTED: Out of memory")],
)
def test_a_model_that_does_not_fit_in_memory_is_one_line(run, monkeypatch, error):
    def train(*_, **__):
        try:
            raise error
        except Exception:
            raise AttributeError("no _momentums") from None  # as Keras does with what is left of such a model

    monkeypatch.setattr(kerazoo, "train", train)
    code, _, errors = run("train", "toy_mlp")
    assert (code, errors.count("\n")) == (1, 1)
    assert "the memory is too small for this" in errors
