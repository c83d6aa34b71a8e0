"""Whether what a model learned before saves training time."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.optimizers import first_at_least
from kerazoo.studies.articles.experiments.parts import Say, StepClock, counterbalanced, data_of, fitted, rounded

_TARGETS = {"to_85": 0.85, "to_95": 0.95, "to_97": 0.97}  # test accuracies
_EVERY = 20  # updates between two measurements
_CAP = 900  # updates: about all 29,404 pictures of the second task, once


@experiment("transfer_time", needs=("mnist",), seeds=20, minutes=0.3, revision=2)
def transfer_time(setting: Setting) -> dict[str, Any]:
    """Measure what transfer saves against training from scratch: the digits 0 to 4 are known, 5 to 9 are to be learnt.

    Groups: `mnist_mlp` with five classes, trained three epochs on the training pictures of 0 to 4, under a new head:
    with both hidden layers `frozen`, with the `first_frozen` alone, and with nothing frozen (`tuned`); and the same net
    from scratch. Held equal: the training pictures of 5 to 9 and their order, the head's initial weights, Adam at
    0.001, batches of 32, a measurement on the test pictures of 5 to 9 after every 20 updates; the groups take turns in
    an order that seeds of odd number reverse.
    Effects, paired within a seed, scratch minus transfer: `updates` until a test accuracy of 0.85, 0.95 and 0.97 (at
    most 900, which a group counts with that does not get there); `seconds` until then, these updates times their median
    seconds. Pretraining is not counted in them, since it is paid once for all later tasks; `pretraining` has its own.
    """
    return transfer_values(data_of("mnist_mlp", setting), seed=setting.seed, say=setting.say)


def transfer_values(data: Dataset, *, seed: int, say: Say, epochs: int = 3, cap: int = _CAP) -> dict[str, Any]:
    """Return the values of `transfer_time`."""
    first, second = (digits(data.x_train, data.y_train, low) for low in (0, 5))
    test = digits(data.x_test, data.y_test, 5)
    known, began, batch = build("mnist_mlp", seed=seed, num_classes=5), time.perf_counter(), _batch_size()
    fitted(known, *first, batch_size=batch, epochs=epochs, seed=seed)
    pretraining = {"seconds": time.perf_counter() - began, "updates": epochs * -(-len(first[0]) // batch)}
    groups = {"scratch": None, "frozen": len(spec("mnist_mlp").defaults["units"]), "first_frozen": 1, "tuned": 0}

    def learn(frozen: int | None) -> dict[str, Any]:
        # Another seed than that of the pretraining: the new head and the net from scratch begin with the same head.
        model = build("mnist_mlp", seed=seed + 1000, num_classes=5)
        if frozen is not None:
            inherit(model, known)
            freeze(model, frozen)
        return _curve(model, second, test, seed, cap)

    curves = counterbalanced({name: partial(learn, frozen) for name, frozen in groups.items()}, seed)
    needed = {
        name: {bar: _needed(curve, target, cap) for bar, target in _TARGETS.items()} for name, curve in curves.items()
    }
    for name, found in needed.items():
        say(f"{name}: " + ", ".join(f"{one['updates']} updates {bar}" for bar, one in found.items()))
    saved = {
        name: {
            bar: {what: rounded(needed["scratch"][bar][what] - cost) for what, cost in one.items()}
            for bar, one in found.items()
        }
        for name, found in needed.items()
        if name != "scratch"
    }
    note = "The pretraining is not counted: it is paid once for all later tasks."
    return {**saved, "pretraining": rounded(pretraining), "note": note, "evidence": rounded(curves)}


def _needed(curve: dict[str, Any], target: float, cap: int) -> dict[str, float]:
    """Return the updates and seconds until the curve reaches the target."""
    reached = first_at_least(curve["accuracy"], target)
    updates = reached * _EVERY if reached else cap
    return {"updates": updates, "seconds": updates * curve["seconds_an_update"]}


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


def _batch_size() -> int:
    return spec("mnist_mlp").recipe.batch_size


def _curve(model: keras.Model, train: Any, test: Any, seed: int, cap: int) -> dict[str, Any]:
    """Train on for `cap` updates; return the test accuracy after every 20 and the median seconds of an update."""
    clock, accuracy, batch = StepClock(), [], _batch_size()
    order = np.random.default_rng(seed).permutation(len(train[0]))
    for first in range(0, min(cap * batch, len(order)), _EVERY * batch):
        rows = order[first : first + _EVERY * batch]
        part = {"batch_size": batch, "shuffle": False, "callbacks": [clock.callback]}
        fitted(model, train[0][rows], train[1][rows], **part)
        accuracy.append(engine.evaluate(model, *test, batch_size=1000)["accuracy"])
    return {"accuracy": accuracy, "seconds_an_update": statistics.median(clock.seconds) / _EVERY}
