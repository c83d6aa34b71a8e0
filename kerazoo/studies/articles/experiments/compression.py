"""What the documents say lowers the cost of a model: int8 quantisation (size, latency) and a second worker (time)."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerazoo import Dataset, Setting, build, experiment, spec
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, rounded, some_of

_REPEATS = 9


@experiment("quantisation", needs=("imdb_reviews", "mnist"), seeds=3, minutes=0.5)
def quantisation(setting: Setting) -> dict[str, Any]:
    """Measure what Keras's int8 quantisation saves in bytes and in the time of a prediction.

    `imdb_lstm`, trained two epochs on 4000 reviews drawn by the seed, and, as evidence only, `mnist_mlp_dropout`,
    trained two epochs on 10,000 pictures. Each is compared, with its weights, with itself after
    `model.quantize("int8")`, which quantises the embedding and the dense layers and leaves the LSTM in float32.
    Effects: `size_ratio`, 1 minus the ratio of the bytes of the saved `.keras` files, without optimizer;
    `latency_ratio`, 1 minus the ratio of the median times of Keras's `predict` on the same 512 examples, nine times
    each, turn and turn about. The accuracy on 5000 test examples before and after is in the evidence.
    """
    results = {}
    for name, examples in {"imdb_lstm": 4000, "mnist_mlp_dropout": 10_000}.items():
        data = some_of(data_of(name, setting), examples, setting.seed)
        results[name] = quantised(name, data, seed=setting.seed, say=setting.say)
    return quantisation_values(results)


def quantisation_values(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the values of `quantisation` from what `quantised` returns for the two models."""
    main = results["imdb_lstm"]
    change = main["accuracy"]["int8"] - main["accuracy"]["float32"]
    return {
        "size_ratio": rounded(1 - main["bytes"]["int8"] / main["bytes"]["float32"]),
        "latency_ratio": rounded(1 - main["seconds"]["int8"] / main["seconds"]["float32"]),
        "accuracy_change": rounded(change),
        "note": "imdb_lstm, of which the embedding and the dense layer are quantised; mnist_mlp_dropout as evidence.",
        "evidence": rounded(results),
    }


def quantised(
    name: str, data: Dataset, *, seed: int, say: Say, epochs: int = 2, test: int = 5000, **options: Any
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
        kind: functools.partial(model.predict, x[:512], 512, verbose=0) for kind, model in models.items()
    }
    seconds = in_turn(calls)
    accuracy = {kind: _accuracy(model, x[:test], y[:test]) for kind, model in models.items()}
    size = {kind: _bytes(model) for kind, model in models.items()}
    say(f"{name}: {size['float32']} bytes, quantised {size['int8']}")
    return {"bytes": size, "seconds": seconds, "accuracy": accuracy}


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int = _REPEATS) -> dict[str, float]:
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


def _bytes(model: keras.Model) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.stat().st_size


@experiment("distributed_time", needs=("imdb_reviews", "backend:tensorflow"), seeds=3, minutes=0.8)
def distributed_time(setting: Setting) -> dict[str, Any]:
    """Measure how much of an epoch's time a second worker on the same machine saves.

    Groups: `imdb_lstm` under `tf.distribute.MirroredStrategy` with two logical CPUs as workers, and with one; each
    group in a process of its own, since TensorFlow divides a CPU at its start. Both have the same physical cores: this
    is what a second worker gains where it brings no second machine. Held equal: 1600 training reviews drawn by the
    seed, initial weights, global batches of 32 (a half for each of two workers), Adam, Keras's own `fit`. Which
    group is measured first alternates from seed to seed.
    Effect: 1 minus the ratio of the seconds, two workers to one; each the median of the three epochs after the first.
    """
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
            say(f"{workers} worker(s): {results[workers]['seconds']:.2f} s an epoch")
    return {
        "speedup": rounded(1 - results[2]["seconds"] / results[1]["seconds"]),
        "note": "Both groups share the cores of one machine.",
        "evidence": {"one_worker": rounded(results[1]), "two_workers": rounded(results[2])},
    }
