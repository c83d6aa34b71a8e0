import contextlib
import csv
import io
import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo.training.run_directory import RunDirectory

FILES = {"config.json", "environment.json", "history.csv", "metrics.json", "model.keras", "curves.png", "checkpoints"}
SMALL = {"units": (8,), "epochs": 2, "verbose": False}


@pytest.fixture
def digits(small_data):
    return small_data("mnist_mlp", train=256, test=64)


@pytest.fixture(scope="module")
def trained_once(small_data, tmp_path_factory):
    """A finished run of SMALL, with progress shown: its directory, its result, and all that could be seen of it."""
    run, digits = tmp_path_factory.mktemp("finished") / "run", small_data("mnist_mlp", train=256, test=64)
    epochs, out, err = [], io.StringIO(), io.StringIO()
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append((epoch, set(logs))))
    how = {"data": digits, "run_dir": run, "callbacks": [watch], **SMALL, "verbose": True}
    np.random.seed(1)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        result = kerazoo.train("mnist_mlp", **how)
    drawn = np.random.random()
    return SimpleNamespace(
        run=run, result=result, epochs=epochs, out=out.getvalue(), err=err.getvalue(), drawn_after=drawn
    )


@pytest.fixture
def finished(trained_once, tmp_path):
    """A copy of the finished run, in a directory that holds nothing else."""
    return shutil.copytree(trained_once.run, tmp_path / "run")


def test_the_toy_model_learns_its_four_samples():
    result = kerazoo.train("toy_mlp", verbose=False)
    assert result.metrics["accuracy"] == 1.0
    assert len(result.history["loss"]) == 1000
    assert result.history["loss"][-1] < 0.2 < result.history["loss"][0]


@pytest.mark.usefixtures("uncompiled")
def test_a_run_directory_tells_the_whole_run(digits, tmp_path):
    run = tmp_path / "new" / "run"
    result = kerazoo.train("mnist_mlp", data=digits, run_dir=run, seed=3, **SMALL)
    assert {path.name for path in run.iterdir()} == FILES
    assert result.run_dir == run
    config = json.loads((run / "config.json").read_text())
    assert config["model"] == "mnist_mlp"
    assert config["options"] == {"units": [8]}
    assert (config["epochs"], config["batch_size"], config["seed"]) == (2, 32, 3)
    assert config["data"] == {"name": "mnist", "version": "sample", "source": "sample", "train": 256, "test": 64}
    assert json.loads((run / "metrics.json").read_text()) == result.metrics
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == result.history["loss"]
    assert json.loads((run / "environment.json").read_text())["versions"]["keras"] == keras.__version__
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    again = kerazoo.evaluate("mnist_mlp", run / "model.keras", data=digits)
    assert again == pytest.approx(result.metrics)


def test_a_text_model_keeps_its_vocabulary_beside_and_inside_the_model(small_data, tmp_path):
    data = small_data("imdb_lstm")
    kerazoo.train("imdb_lstm", data=data, epochs=1, run_dir=tmp_path, units=4, embedding_dim=4, verbose=False)
    assert kerazoo.Vocabulary.from_json((tmp_path / "vocabulary.json").read_text()) == data.vocabulary
    from kerazoo.model_file import load_model, origin_of

    assert origin_of(load_model(tmp_path / "model.keras")).vocabulary == data.vocabulary


@pytest.mark.usefixtures("uncompiled")
def test_a_run_is_never_overwritten_unasked(digits, finished):
    before = (finished / "model.keras").read_bytes()
    with pytest.raises(kerazoo.RunDirectoryError, match="already holds a run"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=finished, **SMALL)
    assert (finished / "model.keras").read_bytes() == before
    (finished / "notes.txt").write_text("mine")
    kerazoo.train("mnist_mlp", data=digits, run_dir=finished, overwrite=True, seed=9, **SMALL)
    assert (finished / "model.keras").read_bytes() != before
    assert (finished / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("uncompiled")
def test_a_run_that_fails_is_left_without_results_and_is_not_taken_for_finished(digits, tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kerazoo.train("mnist_mlp", data=digits, run_dir=tmp_path, callbacks=[Fails()], **SMALL)
    assert not {path.name for path in tmp_path.iterdir()} & {"metrics.json", "model.keras"}


class StopsAfter(keras.callbacks.Callback):
    """Ends the process's training as Ctrl-C does."""

    def __init__(self, epochs):
        super().__init__()
        self.left = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.left:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(small_data, tmp_path, capsys):
    how = {"data": small_data("mnist_mlp_dropout", train=256), "units": (8,), "epochs": 4, "verbose": False}
    whole = kerazoo.train("mnist_mlp_dropout", **how, run_dir=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        kerazoo.train("mnist_mlp_dropout", **how, run_dir=tmp_path / "run", callbacks=[StopsAfter(2)])
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 3
    assert "kerazoo train mnist_mlp_dropout --resume --run-dir" in capsys.readouterr().err
    del how["epochs"]  # known from the run
    resumed = kerazoo.train("mnist_mlp_dropout", **how, run_dir=tmp_path / "run", resume=True)
    assert resumed.history == whole.history
    assert all(map(np.array_equal, resumed.model.get_weights(), whole.model.get_weights()))
    for name in ("history.csv", "metrics.json", "config.json"):
        assert (tmp_path / "run" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) <= 2


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("how", ["overwrite", "resume"])
def test_a_run_that_is_being_written_is_left_alone(digits, tmp_path, how):
    other = RunDirectory(tmp_path / "run")
    other.start({"epochs": 2, "options": {"units": [8]}}, {})
    with pytest.raises(kerazoo.RunDirectoryError, match="is being written by another run"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=tmp_path / "run", **{how: True}, **SMALL)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["options"] == {"units": [8]}
    other.end()
    kerazoo.train("mnist_mlp", data=digits, run_dir=tmp_path / "run", overwrite=True, **SMALL)


def test_a_finished_run_goes_on_to_more_epochs(digits, finished):
    longer = kerazoo.train("mnist_mlp", data=digits, run_dir=finished, resume=True, **(SMALL | {"epochs": 3}))
    assert longer.history == kerazoo.train("mnist_mlp", data=digits, **(SMALL | {"epochs": 3})).history


def test_a_finished_run_that_is_continued_and_interrupted_is_unfinished(digits, finished):
    how = {"data": digits, "run_dir": finished, "resume": True, "units": (8,), "verbose": False}
    with pytest.raises(KeyboardInterrupt):
        kerazoo.train("mnist_mlp", **how, epochs=5, callbacks=[StopsAfter(3)])
    assert not (finished / "metrics.json").exists()
    assert len(kerazoo.train("mnist_mlp", **how).history["loss"]) == 5


def test_a_run_is_not_cut_short_by_resuming_it(digits, finished):
    with pytest.raises(kerazoo.RunDirectoryError, match="has 2 epochs already"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=finished, resume=True, **(SMALL | {"epochs": 1}))
    assert json.loads((finished / "config.json").read_text())["epochs"] == 2


@pytest.mark.usefixtures("uncompiled")
def test_one_callback_numpy_numbers_and_one_width_are_taken_too(digits):
    result = kerazoo.train(
        "mnist_mlp",
        data=digits,
        units=4,
        epochs=np.int64(1),
        batch_size=np.int32(64),
        callbacks=keras.callbacks.TerminateOnNaN(),
        verbose=False,
    )
    assert result.model.count_params() == 784 * 4 + 4 + 4 * 10 + 10


def test_tensorboard_is_asked_for_before_anything_is_written(digits, tmp_path, monkeypatch):
    from kerazoo.training import session

    monkeypatch.setattr(session, "installed", lambda name: False)
    with pytest.raises(kerazoo.UnavailableError, match="pip install"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=tmp_path / "run", tensorboard=True, **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"units": (9,)}, {"batch_size": 16}, {"seed": 5}, {"learning_rate": 0.5}])
def test_a_run_is_not_resumed_as_another(digits, finished, change):
    before = (finished / "model.keras").read_bytes()
    with pytest.raises(kerazoo.RunDirectoryError, match="cannot be resumed"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=finished, resume=True, **(SMALL | change))
    assert (finished / "model.keras").read_bytes() == before


def test_files_of_the_users_are_not_taken_for_a_run(digits, tmp_path):
    (tmp_path / "model.keras").write_text("mine")
    with pytest.raises(kerazoo.RunDirectoryError, match="already holds model.keras"):
        kerazoo.train("mnist_mlp", data=digits, run_dir=tmp_path, **SMALL)
    assert (tmp_path / "model.keras").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "inside a file", "read-only"])
def test_a_run_directory_that_cannot_be_is_refused_before_any_work(digits, tmp_path, kind, monkeypatch):
    (tmp_path / "file").write_text("")
    path = {"file": tmp_path / "file", "inside a file": tmp_path / "file" / "run", "read-only": tmp_path / "run"}[kind]
    if kind == "read-only":  # root may write anywhere, so the refusal is played
        import tempfile

        def refuse(**_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(kerazoo.RunDirectoryError):
        kerazoo.train("mnist_mlp", data=digits, run_dir=path, **SMALL)
    assert {one.name for one in tmp_path.iterdir()} == {"file"}


@pytest.mark.usefixtures("uncompiled")
def test_validation_is_the_recipes_or_what_is_held_out(digits, small_data, trained_once):
    assert "val_loss" not in trained_once.result.history
    by_recipe = kerazoo.train("mnist_mlp_dropout", data=small_data("mnist_mlp_dropout"), **SMALL)
    assert by_recipe.history["val_loss"][-1] == pytest.approx(by_recipe.metrics["loss"], rel=1e-5)
    held = kerazoo.train("mnist_mlp_dropout", data=digits, validation_split=0.25, **SMALL)
    assert held.data["train"] == 192 and held.data["val"] == 64
    assert held.history["val_loss"][-1] != pytest.approx(held.metrics["loss"], rel=1e-3)


def test_early_stopping_ends_the_run_and_keeps_the_best_weights(digits):
    result = kerazoo.train(
        "mnist_mlp", data=digits, epochs=60, early_stopping=2, learning_rate=0.02, units=(64,), verbose=False
    )
    losses = result.history["val_loss"]
    assert len(losses) < 60
    assert min(losses) == losses[-3], "it waited for two epochs without a better one"
    assert result.data["val"] == round(256 * 0.1)


def test_callbacks_see_every_epoch(trained_once):
    assert trained_once.epochs == [(0, {"loss", "accuracy"}), (1, {"loss", "accuracy"})]


@pytest.mark.usefixtures("uncompiled")
def test_the_recipe_can_be_overridden(digits):
    model = kerazoo.train("mnist_mlp", data=digits, optimizer="sgd", learning_rate=0.5, **SMALL).model
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5)


def test_training_leaves_the_callers_random_state_alone(trained_once):
    np.random.seed(1)
    assert np.random.random() == trained_once.drawn_after


def test_progress_goes_to_standard_error(trained_once):
    assert trained_once.out == ""
    assert "epoch 2/2" in trained_once.err and "accuracy" in trained_once.err


def test_two_runs_may_start_at_once(digits, tmp_path, monkeypatch):
    """Default run directories differ, also within a second."""
    from kerazoo.training.run_directory import default_run_directory

    monkeypatch.chdir(tmp_path)
    first = default_run_directory("mnist_mlp")
    first.mkdir(parents=True)
    assert default_run_directory("mnist_mlp") != first


@pytest.mark.tensorflow
def test_a_distribution_strategy_is_used(digits, trained_once):
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    spread = kerazoo.train("mnist_mlp", data=digits, strategy=strategy, **SMALL)
    assert spread.history["loss"] == pytest.approx(trained_once.result.history["loss"], rel=1e-5)


@pytest.mark.real_data
def test_a_documented_model_learns_real_digits():
    result = kerazoo.train("mnist_mlp_dropout", epochs=1, source="tfds", verbose=False)
    assert result.metrics["accuracy"] > 0.95
    assert result.data["source"] == "tfds"
