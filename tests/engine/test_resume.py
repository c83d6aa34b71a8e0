"""Stopped and resumed, a run ends as if it had never stopped: after SIGKILL, Ctrl-C, early stopping."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import kerazoo
from kerazoo import engine
from kerazoo.engine import checkpoint, values

# Keras's ReduceLROnPlateau converts a variable in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 6)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")

# Argument: the checkpoint directory. Prints each finished epoch, so that the test knows when to strike, and goes on
# after Ctrl-C, as if called once more.
SCRIPT = """
import sys, time, keras
from test_resume import train
class Slow(keras.callbacks.Callback):
    every_batch = False
    def on_train_batch_end(self, batch, logs=None): time.sleep(0.1)
    def on_epoch_end(self, epoch, logs=None): print("epoch", epoch, flush=True)
try:
    train(sys.argv[1], extra=[Slow()], steps_per_call=2)
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
train(sys.argv[1], extra=[Slow()], steps_per_call=2, resume=True)
"""


def train(directory, epochs=6, extra=(), patience=3, **options):
    """Train a net with dropout and callbacks that have state; `extra` callbacks come last."""
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.02),
    ]
    history = engine.fit(
        model,
        X,
        Y,
        batch_size=16,
        epochs=epochs,
        validation_data=(X[:80], Y[:80]),
        callbacks=[*callbacks, *extra],
        checkpoint_dir=directory,
        verbose=0,
        **options,
    ).history
    return model, history, callbacks


def assert_same_run(a, b):
    assert a[1] == b[1]
    for u, v in zip(a[0].variables + a[0].optimizer.variables, b[0].variables + b[0].optimizer.variables, strict=True):
        np.testing.assert_array_equal(u, v)


@pytest.fixture(scope="module")
def directory_of_whole(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(directory_of_whole):
    return train(directory_of_whole)


def test_a_process_that_is_interrupted_and_one_that_is_killed_resume_to_the_same_end(tmp_path, whole):
    root = str(Path(__file__).resolve().parent)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
            "KERAS_BACKEND": keras.backend.backend(),
        },
    )

    def strike(number, after):
        for line in process.stdout:
            if line.strip() == f"epoch {after}":
                time.sleep(0.5)  # into the next epoch
                process.send_signal(number)
                return
        pytest.fail(f"it ended before epoch {after}: {process.stderr.read()}")

    with process:
        try:
            strike(signal.SIGINT, 1)
            assert process.stdout.readline() == "interrupted\n", "Ctrl-C ends the training"
            found = checkpoint.latest(tmp_path)[0]
            assert found["epoch"] == 2
            assert found["step"] > 0, "Ctrl-C saves where it stopped, within the epoch"
            as_interrupted = shutil.copytree(tmp_path, tmp_path.with_name("interrupted"))
            process.stdin.write("\n")
            process.stdin.flush()
            strike(signal.SIGKILL, 3)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    assert "The last state is saved in" in errors
    assert checkpoint.latest(tmp_path)[0]["epoch"] == 4
    for directory in as_interrupted, tmp_path:
        assert_same_run(train(directory, resume=True), whole)


def test_resuming_a_finished_run_changes_nothing_and_more_epochs_go_on(tmp_path, whole):
    train(tmp_path, epochs=4)
    again = train(tmp_path, epochs=4, resume=True)
    assert len(again[1]["loss"]) == 4
    assert_same_run(train(tmp_path, epochs=6, resume=True), whole)
    assert len(list(tmp_path.iterdir())) == 2, "the last two checkpoints, no temporary file"


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    early = train(tmp_path, epochs=30, patience=1)
    assert len(early[1]["loss"]) < 30
    again = train(tmp_path, epochs=30, patience=1, resume=True)
    assert_same_run(again, early)
    assert again[2][0].best == early[2][0].best


def test_a_damaged_checkpoint_is_passed_over(tmp_path, whole, directory_of_whole):
    directory = shutil.copytree(directory_of_whole, tmp_path / "copy")
    _, newest = sorted(directory.iterdir())
    newest.write_bytes(newest.read_bytes()[:500])
    with pytest.warns(UserWarning, match="cannot be read"):
        resumed = train(directory, resume=True)
    assert_same_run(resumed, whole)


def test_checkpoints_of_another_run_are_not_mixed_with_new_ones(tmp_path):
    train(tmp_path, epochs=2)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(kerazoo.InputError, match="holds the checkpoints of a run"):
        train(tmp_path, epochs=1)
    with pytest.raises(kerazoo.InputError, match="2 epochs already, more than 1"):
        train(tmp_path, epochs=1, resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    for path in tmp_path.iterdir():
        path.write_bytes(b"junk")
    with pytest.warns(UserWarning, match="cannot be read"), pytest.raises(checkpoint.CheckpointError, match="no check"):
        train(tmp_path, epochs=3, resume=True)


def test_what_does_not_fit_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(checkpoint.CheckpointError, match="seed=9 instead of 0"):
        train(tmp_path, seed=9, resume=True)
    other = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, "sigmoid")])
    other.compile("adam", "binary_crossentropy")
    before = other.get_weights()
    with pytest.raises(checkpoint.CheckpointError, match="holds"):
        engine.fit(other, X, Y, batch_size=16, checkpoint_dir=tmp_path, resume=True, verbose=0)
    np.testing.assert_array_equal(before[0], other.get_weights()[0])


@pytest.mark.tensorflow
def test_a_stream_resumes_at_its_last_epoch(tmp_path):
    import tensorflow as tf

    def stream(epochs, **options):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dropout(0.3), keras.layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy")
        batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(32)
        return model, engine.fit(model, batches, epochs=epochs, verbose=0, **options).history

    stream(2, checkpoint_dir=tmp_path)
    assert_same_run(stream(4, checkpoint_dir=tmp_path, resume=True), stream(4))


def test_values_survive_json():
    value = {"a": [1, 2.5, None, ("x", True)], 3: np.float32(0.1), "w": [np.arange(4.0), float("inf")]}
    arrays = {}
    import json

    back = values.decode(json.loads(json.dumps(values.encode(value, arrays))), arrays)
    assert values.equal(value, back)
    with pytest.raises(TypeError, match="function"):
        values.encode([print.__class__, lambda: 0][1], {})
