"""What the documents say of optimizers: momentum, RMSprop and Adam against plain gradient descent."""

from __future__ import annotations

import statistics
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.lazy import keras
from kerazoo.studies.articles.experiments.parts import Say, StepClock, data_of, fitted, rounded, some_of

_TARGET = 0.92  # test accuracy
_CAP = 20  # epochs


@experiment("optimizers_vs_sgd", needs=("mnist",), seeds=5, minutes=0.5)
def optimizers_vs_sgd(setting: Setting) -> dict[str, Any]:
    """Measure what momentum, RMSprop and Adam save against SGD on document 003's net, `mnist_mlp`.

    Groups: SGD at 0.01, SGD at 0.01 with momentum 0.9, RMSprop at 0.001, Adam at 0.001: Keras's default learning
    rates, none tuned. Held equal: 10,000 training pictures drawn by the seed, initial weights, order, batches of 32,
    20 epochs. Effects, paired with SGD within a seed: epochs saved until 0.92 of the test pictures are right (a group
    that does not get there counts with the 20 epochs of the cap); seconds saved until then, the median seconds of an
    epoch's steps times these epochs, so without compilation and validation; test accuracy gained after 20 epochs.
    """
    data = some_of(data_of("mnist_mlp", setting), 10_000, setting.seed)
    return optimizers_values(data, seed=setting.seed, say=setting.say)


def optimizers_values(
    data: Dataset, *, seed: int, say: Say, epochs: int = _CAP, target: float = _TARGET
) -> dict[str, Any]:
    """Return the values of `optimizers_vs_sgd` for the training split of `data`."""
    makers = {
        "sgd": lambda: keras.optimizers.SGD(0.01),
        "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
        "rmsprop": lambda: keras.optimizers.RMSprop(0.001),
        "adam": lambda: keras.optimizers.Adam(0.001),
    }
    results = {}
    for name, maker in makers.items():
        results[name] = _race(maker(), data, seed, epochs, target)
        say(f"{name}: {results[name]['epochs']} epochs to {target:.0%}, {results[name]['accuracy']:.4f} at the end")
    sgd = results["sgd"]
    values: dict[str, Any] = {}
    for name in [name for name in results if name != "sgd"]:
        values[f"{name}_epochs"] = sgd["epochs"] - results[name]["epochs"]
        values[f"{name}_seconds"] = rounded(sgd["seconds"] - results[name]["seconds"])
        values[f"{name}_accuracy"] = rounded(results[name]["accuracy"] - sgd["accuracy"])
    note = f"At Keras's default learning rates; to a test accuracy of {target:.0%}, at most {epochs} epochs."
    return {**values, "note": note, "evidence": rounded(results)}


def _race(optimizer: Any, data: Dataset, seed: int, epochs: int, target: float) -> dict[str, Any]:
    """Train `mnist_mlp` with the optimizer; return when it reached the target, and how accurate it became."""
    model, clock = build("mnist_mlp", seed=seed, compile=False), StepClock()
    recipe = spec("mnist_mlp").recipe
    model.compile(optimizer=optimizer, loss=recipe.loss, metrics=list(recipe.metrics))
    log = engine.fit(
        model,
        data.x_train,
        data.y_train,
        batch_size=recipe.batch_size,
        epochs=epochs,
        validation_data=(data.x_test, data.y_test),
        callbacks=[clock.callback],
        seed=seed,
        verbose=0,
    ).history
    accuracy = log["val_accuracy"]
    needed = first_at_least(accuracy, target) or epochs
    an_epoch = statistics.median(clock.seconds[1:] or clock.seconds)  # the first one compiles
    return {
        "epochs": needed,
        "reached": max(accuracy) >= target,
        "seconds": needed * an_epoch,
        "accuracy": accuracy[-1],
        "val_accuracy": accuracy,
        "loss": log["loss"],
    }


def first_at_least(values: list[float], target: float) -> int | None:
    """Return the place, from 1, of the first value of at least `target`; None where there is none."""
    return next((place for place, value in enumerate(values, start=1) if value >= target), None)


@experiment("rmsprop_vs_gd", needs=("mnist",), seeds=5, minutes=0.5)
def rmsprop_vs_gd(setting: Setting) -> dict[str, Any]:
    """Measure whether RMSprop converges better than plain gradient descent on document 004's net.

    Groups: `mnist_mlp_dropout` with RMSprop at 0.001 and with SGD at 0.01, Keras's default learning rates, and, as
    evidence only, SGD at the better rate of 0.1. Held equal: all 60,000 training pictures, three epochs of batches of
    64, initial weights, order. (Descent on the whole training set at once would have made three updates.)
    Effects, paired within a seed: `accuracy`, on the test split, RMSprop's minus SGD's; `loss`, on the training split
    without dropout, SGD's minus RMSprop's.
    """
    return rmsprop_values(data_of("mnist_mlp_dropout", setting), seed=setting.seed)


def rmsprop_values(data: Dataset, *, seed: int, epochs: int = 3) -> dict[str, Any]:
    """Return the values of `rmsprop_vs_gd` for the training split of `data`."""
    groups: dict[str, dict[str, Any]] = {
        "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.001},
        "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
        "sgd_0.1": {"optimizer": "sgd", "learning_rate": 0.1},
    }
    batch, results = spec("mnist_mlp_dropout").recipe.batch_size, {}
    for name, options in groups.items():
        model = build("mnist_mlp_dropout", seed=seed, **options)
        fitted(model, data.x_train, data.y_train, batch_size=batch, epochs=epochs, seed=seed)
        test = engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)
        train = engine.evaluate(model, data.x_train, data.y_train, batch_size=1000)
        results[name] = {"test_accuracy": test["accuracy"], "test_loss": test["loss"], "train_loss": train["loss"]}
    rmsprop, sgd = results["rmsprop"], results["sgd"]
    return {
        "accuracy": rounded(rmsprop["test_accuracy"] - sgd["test_accuracy"]),
        "loss": rounded(sgd["train_loss"] - rmsprop["train_loss"]),
        "note": f"After {epochs} epochs at Keras's default learning rates; SGD at 0.1 is given as evidence.",
        "evidence": rounded(results),
    }
