"""What document 001 says lowers a model's cost: int8 quantisation (bytes, time) and a second worker (core seconds)."""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kerazoo import Dataset, Setting, Unmeasurable, build, experiment, spec
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, rounded, some_of

_REPEATS = 9


@experiment("quantisation", needs=("imdb_reviews", "mnist"), seeds=5, minutes=0.6, revision=2)
def quantisation(setting: Setting) -> dict[str, Any]:
    """Measure what Keras's int8 quantisation saves: bytes on the disk and in memory, and the time of a prediction.

    `imdb_lstm`, trained two epochs on 4000 reviews drawn by the seed, of which the embedding and the dense layer are
    quantised and the LSTM, which has nearly all of the arithmetic, stays in float32; and `mnist_mlp_dropout`, trained
    two epochs on 10,000 pictures, of which every layer with weights is quantised. Each is compared, with its weights,
    with itself after `model.quantize("int8")`. Effects, each 1 minus a ratio, for each model: `file_saved`, the bytes
    of the saved `.keras` file, without optimizer; `memory_saved`, the bytes of the weights in memory; `time_saved`,
    the median time of `predict_on_batch` on the same 512 reviews or 5000 pictures, nine times each, turn and turn
    about; which is first alternates by the seed. `accuracy_change` is on 5000 test examples, int8 less float32.
    """
    results = {}
    for name, (examples, predicted) in {"imdb_lstm": (4000, 512), "mnist_mlp_dropout": (10_000, 5000)}.items():
        data = some_of(data_of(name, setting), examples, setting.seed)
        results[name] = quantised(name, data, seed=setting.seed, say=setting.say, predicted=predicted)
    return quantisation_values(results)


def quantisation_values(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the values of `quantisation` from what `quantised` returns for the models, by their names."""

    def saved(what: str) -> dict[str, float]:
        return {name: rounded(1 - found[what]["int8"] / found[what]["float32"]) for name, found in results.items()}

    accuracy = {name: found["accuracy"] for name, found in results.items()}
    return {
        "file_saved": saved("file_bytes"),
        "memory_saved": saved("memory_bytes"),
        "time_saved": saved("seconds"),
        "accuracy_change": {name: rounded(each["int8"] - each["float32"]) for name, each in accuracy.items()},
        "note": "Of imdb_lstm the embedding and the dense layer are quantised, of mnist_mlp_dropout all layers.",
        "evidence": rounded(results),
    }


def quantised(
    name: str,
    data: Dataset,
    *,
    seed: int,
    say: Say,
    epochs: int = 2,
    test: int = 5000,
    predicted: int = 512,
    **options: Any,
) -> dict[str, Any]:
    """Train the model `name` and quantise it; return bytes, seconds and accuracy before ("float32") and after."""
    trained = build(name, seed=seed, **options)
    fitted(trained, data.x_train, data.y_train, batch_size=spec(name).recipe.batch_size, epochs=epochs, seed=seed)
    models = {kind: build(name, compile=False, **options) for kind in ("float32", "int8")}  # no optimizer to be saved
    for model in models.values():
        model.set_weights(trained.get_weights())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Layer .* does not have a `quantize` method")  # inputs, LSTM, dropout
        models["int8"].quantize("int8")
    x: Any = data.x_test
    y: Any = data.y_test
    calls: dict[str, Callable[[], Any]] = {
        kind: functools.partial(models[kind].predict_on_batch, x[:predicted])
        for kind in sorted(models, reverse=bool(seed % 2))
    }
    found: dict[str, Any] = {
        "seconds": in_turn(calls),
        "accuracy": {kind: _accuracy(model, x[:test], y[:test]) for kind, model in models.items()},
        "file_bytes": {kind: _file_bytes(model) for kind, model in models.items()},
        "memory_bytes": {kind: sum(one.nbytes for one in model.get_weights()) for kind, model in models.items()},
    }
    say(f"{name}: {found['memory_bytes']['float32']} bytes of weights, quantised {found['memory_bytes']['int8']}")
    return found


def in_turn(calls: Mapping[str, Callable[[], Any]], repeats: int = _REPEATS) -> dict[str, float]:
    """Return the median seconds of each call, all called in turn, after one call each that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            seconds[name] += [time.perf_counter() - began] if repeat else []
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def _accuracy(model: keras.Model, x: Any, y: Any) -> float:
    outputs = model.predict(x, 512, verbose=0)
    predicted = outputs.argmax(-1) if outputs.shape[-1] > 1 else outputs[:, 0] > 0.5
    return float((predicted == y).mean())


def _file_bytes(model: keras.Model) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.stat().st_size


@experiment("distributed_time", needs=("imdb_reviews", "backend:tensorflow"), seeds=5, minutes=0.9, revision=2)
def distributed_time(setting: Setting) -> dict[str, Any]:
    """Measure what an epoch costs with two workers, a core each, against one worker on one core.

    Groups: `imdb_lstm` under `tf.distribute.MirroredStrategy` with two logical CPUs as workers, its process on two
    cores, and with one, its process on one core; a process each, since TensorFlow divides a CPU at its start. Held
    equal: 1600 training reviews drawn by the seed, initial weights, global batches of 32 (a half for each of two
    workers), Adam, Keras's own `fit`. Which group is measured first alternates from seed to seed.
    Effects, each 1 minus a ratio, two workers to one, of the medians of the three epochs after the first:
    `core_seconds_saved`, of what all threads together computed, the resource that is paid for; `seconds_saved`, of the
    time on the clock.
    """
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        raise Unmeasurable("It wants two cores, and a system that can keep a process to some of them (Linux).")
    data = some_of(data_of("imdb_lstm", setting), 1600, setting.seed)
    return distributed_values(data.x_train, data.y_train, seed=setting.seed, say=setting.say)


def distributed_values(
    x: Any, y: Any, *, seed: int, say: Say, name: str = "imdb_lstm", epochs: int = 4
) -> dict[str, Any]:
    """Return the values of `distributed_time` for the model `name` and these examples."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "examples.npz", x=x, y=y)
        for workers in (1, 2) if seed % 2 else (2, 1):
            order = {"workers": workers, "folder": folder, "name": name, "seed": seed, "epochs": epochs}
            call = [sys.executable, "-m", "kerazoo.studies.articles.experiments.workers", json.dumps(order)]
            done = subprocess.run(call, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
                raise RuntimeError(f"training with {workers} workers failed: {reason}")
            results[workers] = json.loads(done.stdout.splitlines()[-1])
            say(f"{workers} worker(s): {results[workers]['core_seconds']:.2f} core seconds an epoch")
    return {
        **{f"{kind}_saved": rounded(1 - results[2][kind] / results[1][kind]) for kind in ("core_seconds", "seconds")},
        "note": "Each worker has one core of the same machine.",
        "evidence": {"one_worker": rounded(results[1]), "two_workers": rounded(results[2])},
    }
