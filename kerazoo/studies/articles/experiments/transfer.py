"""Whether what a model learned before saves training time."""

from __future__ import annotations

import statistics
import time
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.optimizers import first_at_least
from kerazoo.studies.articles.experiments.parts import Say, StepClock, data_of, fitted, rounded

_TARGET = 0.85  # test accuracy, within reach of a new head on frozen layers
_EVERY = 20  # updates between two measurements
_CAP = 900  # updates: about all 29,404 pictures of the second task, once


@experiment("transfer_time", needs=("mnist",), seeds=5, minutes=0.3)
def transfer_time(setting: Setting) -> dict[str, Any]:
    """Measure what transfer saves against training from scratch: the digits 0 to 4 are known, 5 to 9 are to be learnt.

    Groups: `mnist_mlp` with five classes, trained three epochs on the training pictures of 0 to 4, its hidden layers
    frozen and under a new head; the same from scratch; and, as evidence only, with the first hidden layer alone
    frozen, and with nothing frozen. Held equal: the training pictures of 5 to 9 and their order, the head's initial
    weights, Adam at 0.001, batches of 32, a measurement on the test pictures of 5 to 9 after every 20 updates.
    Effects, paired within a seed, scratch minus transfer: `updates_saved` until a test accuracy of 0.85 (at most 900,
    which a group counts with that does not get there); `seconds_saved` until then, these updates times their median
    seconds. Pretraining is not counted, since it is paid once for all later tasks; its seconds are in the evidence.
    """
    return transfer_values(data_of("mnist_mlp", setting), seed=setting.seed, say=setting.say)


def transfer_values(
    data: Dataset, *, seed: int, say: Say, epochs: int = 3, cap: int = _CAP, target: float = _TARGET
) -> dict[str, Any]:
    """Return the values of `transfer_time`."""
    first, second = (digits(data.x_train, data.y_train, low) for low in (0, 5))
    test = digits(data.x_test, data.y_test, 5)
    known, began = build("mnist_mlp", seed=seed, num_classes=5), time.perf_counter()
    fitted(known, *first, batch_size=spec("mnist_mlp").recipe.batch_size, epochs=epochs, seed=seed)
    pretraining = time.perf_counter() - began
    hidden = len(spec("mnist_mlp").defaults["units"])
    groups = {"scratch": None, "transfer": hidden, "first_layer_frozen": 1, "nothing_frozen": 0}
    results: dict[str, Any] = {}
    for name, frozen in groups.items():
        # Another seed than that of the pretraining: the new head and the net from scratch begin with the same head.
        model = build("mnist_mlp", seed=seed + 1000, num_classes=5)
        if frozen is not None:
            inherit(model, known)
            freeze(model, frozen)
        results[name] = _curve(model, second, test, seed, cap)
        reached = first_at_least(results[name]["accuracy"], target)
        results[name]["updates"] = reached * _EVERY if reached else cap
        results[name]["reached"] = reached is not None
        results[name]["seconds"] = results[name]["updates"] * results[name]["seconds_an_update"]
        say(f"{name}: {results[name]['updates']} updates to {target:.0%}")
    scratch, transfer = results["scratch"], results["transfer"]
    return {
        "updates_saved": scratch["updates"] - transfer["updates"],
        "seconds_saved": rounded(scratch["seconds"] - transfer["seconds"]),
        "note": f"To a test accuracy of {target:.0%} with both hidden layers frozen; fewer frozen layers as evidence.",
        "evidence": {**rounded(results), "pretraining_seconds": rounded(pretraining, 3)},
    }


def digits(x: Any, y: Any, low: int) -> tuple[Any, Any]:
    """Return the pictures of the five digits from `low` on, with their labels from 0 to 4."""
    chosen = (y >= low) & (y < low + 5)
    return x[chosen], y[chosen] - low


def inherit(model: keras.Model, known: keras.Model) -> None:
    """Give the `mnist_mlp` the hidden layers of `known`; it keeps its own head."""
    model.set_weights([*known.get_weights()[:-2], *model.get_weights()[-2:]])


def freeze(model: keras.Model, count: int) -> None:
    """Freeze the first `count` layers of the `mnist_mlp`, for a training that goes on in many short calls."""
    for layer in [layer for layer in model.layers if layer.weights][:count]:
        layer.trainable = False
    recipe = spec("mnist_mlp").recipe
    model.compile(optimizer=recipe.optimizer, loss=recipe.loss, metrics=list(recipe.metrics))


def _curve(model: keras.Model, train: Any, test: Any, seed: int, cap: int) -> dict[str, Any]:
    """Train on for `cap` updates; return the test accuracy after every 20 and the median seconds of an update."""
    clock, accuracy = StepClock(), []
    batch = spec("mnist_mlp").recipe.batch_size
    order = np.random.default_rng(seed).permutation(len(train[0]))
    for first in range(0, min(cap * batch, len(order)), _EVERY * batch):
        rows = order[first : first + _EVERY * batch]
        part = {"batch_size": batch, "shuffle": False, "callbacks": [clock.callback]}
        fitted(model, train[0][rows], train[1][rows], **part)
        accuracy.append(engine.evaluate(model, *test, batch_size=1000)["accuracy"])
    return {"accuracy": accuracy, "seconds_an_update": statistics.median(clock.seconds) / _EVERY}
