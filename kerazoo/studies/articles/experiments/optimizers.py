"""What the documents say of optimizers: momentum, RMSprop and Adam against plain gradient descent."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.lazy import keras
from kerazoo.studies.articles.experiments.parts import Say, StepClock, counterbalanced, data_of, rounded, some_of

_TARGET = 0.92  # test accuracy
_CAP = 10  # epochs
_MARGIN = 0.01  # test accuracy
_RATES = {  # the first is Keras's default
    "sgd": (0.01, 0.1, 0.3),
    "momentum": (0.01, 0.003, 0.03),
    "rmsprop": (0.001, 0.0003, 0.003),
    "adam": (0.001, 0.0003, 0.003),
}

Run = dict[str, Any]
"""What became of one training."""
Make = Callable[[int], Any]
"""From a seed to a net that is not yet compiled."""


def documented_net(seed: int) -> keras.Model:
    """Return document 003's net."""
    return build("mnist_mlp", seed=seed, compile=False)


def softmax_regression(seed: int) -> keras.Model:
    """Return a net without hidden layers."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((784,))
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(inputs))


@experiment("optimizers_vs_sgd", needs=("mnist",), seeds=20, minutes=0.7, revision=2)
def optimizers_vs_sgd(setting: Setting) -> dict[str, Any]:
    """Measure what momentum, RMSprop and Adam save against SGD on document 003's net, `mnist_mlp`.

    Groups: SGD, SGD with momentum 0.9, RMSprop and Adam, each at three learning rates: Keras's default and two more.
    Held equal: 10,000 training pictures drawn by the seed, initial weights, order, batches of 32, 10 epochs; the groups
    take turns in an order that seeds of odd number reverse. Effects, paired with SGD within a seed: `epochs` saved
    until 0.92 of the test pictures are right (a group that does not get there counts with the 10 epochs of the cap);
    `seconds` saved until then, the median seconds of an epoch's steps times these epochs, so without compilation and
    validation; test `accuracy` gained and training `loss` saved after 10 epochs. Each is given twice: `default`, both
    at Keras's default rates, and `best`, each at that of its three rates that does best in the very number compared.
    """
    data = some_of(data_of("mnist_mlp", setting), 10_000, setting.seed)
    return optimizers_values(data, seed=setting.seed, say=setting.say)


def optimizers_values(data: Dataset, *, seed: int, say: Say, epochs: int = _CAP) -> dict[str, Any]:
    """Return the values of `optimizers_vs_sgd` for the training split of `data`."""
    runs = _races(_RATES, data, seed, epochs, say)
    pairs = {
        name: {
            what: {rates: rounded(_gain(what, runs["sgd"], runs[name], rates)) for rates in ("default", "best")}
            for what in ("epochs", "seconds", "accuracy", "loss")
        }
        for name in runs
        if name != "sgd"
    }
    note = f"Epochs and seconds to a test accuracy of {_TARGET:.0%}, at most {epochs} epochs."
    return {**pairs, "note": note, "evidence": rounded(_by_text(runs))}


@experiment("sgd_where_simple", needs=("mnist",), seeds=20, minutes=0.3)
def sgd_where_simple(setting: Setting) -> dict[str, Any]:
    """Measure whether plain SGD suffices for few examples, and for a simple model (document 003, Q1).

    Cases: `few`, `mnist_mlp` on 500 training pictures; `simple`, a softmax regression (no hidden layers) on 10,000.
    Groups in each: SGD and Adam at the three learning rates of `optimizers_vs_sgd`. Held equal: pictures, drawn by the
    seed, initial weights, order, batches of 32, 10 epochs. Value, paired within a seed: by how much SGD's test
    accuracy, with 0.01 granted to it, lies above Adam's; `default` at Keras's default rates, `best` each at the best of
    its rates.
    """
    data = some_of(data_of("mnist_mlp", setting), 10_000, setting.seed)
    return simple_values(data, few=500, seed=setting.seed, say=setting.say)


def simple_values(data: Dataset, *, few: int, seed: int, say: Say, epochs: int = _CAP) -> dict[str, Any]:
    """Return the values of `sgd_where_simple` for the training split of `data`."""
    cases = {"few": (some_of(data, few, seed), documented_net), "simple": (data, softmax_regression)}
    values: dict[str, Any] = {}
    evidence = {}
    for case, (some, make) in cases.items():
        runs = _races(("sgd", "adam"), some, seed, epochs, say, make)
        lead = {rates: _gain("accuracy", runs["adam"], runs["sgd"], rates) for rates in ("default", "best")}
        values[case] = rounded({rates: _MARGIN + gained for rates, gained in lead.items()})
        evidence[case] = {
            name: {rate: rounded(run["accuracy"]) for rate, run in by_rate.items()}
            for name, by_rate in _by_text(runs).items()
        }
    return {**values, "note": f"Test accuracy, SGD's less Adam's and {_MARGIN} more.", "evidence": evidence}


def _races(
    names: Iterable[str], data: Dataset, seed: int, epochs: int, say: Say, make: Make = documented_net
) -> dict[str, dict[float, Run]]:
    """Return the run at each learning rate of each optimizer; seeds of odd number take the optimizers backwards."""
    calls = {name: partial(_at_each_rate, name, data, seed, epochs, make) for name in names}
    runs = counterbalanced(calls, seed)
    for name, by_rate in runs.items():
        reached = ", ".join(f"{run['accuracy']:.4f} at {rate:g}" for rate, run in by_rate.items())
        say(f"{name}: test accuracy {reached}")
    return runs


def _at_each_rate(name: str, data: Dataset, seed: int, epochs: int, make: Make = documented_net) -> dict[float, Run]:
    """Train a net, compiled once, from the same weights at each learning rate of the optimizer."""
    model, clock = make(seed), StepClock()
    recipe = spec("mnist_mlp").recipe
    model.compile(optimizer=_optimizer(name), loss=recipe.loss, metrics=list(recipe.metrics))
    start = model.get_weights()
    logs = {}
    for rate in _RATES[name]:
        begin_anew(model, start, rate)
        logs[rate] = engine.fit(
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
    an_epoch = statistics.median(clock.seconds[1:] or clock.seconds)  # the first one compiles
    return {rate: _run(log, an_epoch) for rate, log in logs.items()}


def _optimizer(name: str) -> Any:
    if name in ("sgd", "momentum"):
        return keras.optimizers.SGD(momentum=0.9 if name == "momentum" else 0.0)
    return keras.optimizers.get(name)


def begin_anew(model: keras.Model, weights: Any, rate: float) -> None:
    """Give the compiled model its initial weights, an optimizer that has done nothing, and a learning rate."""
    model.set_weights(weights)
    for variable in model.optimizer.variables:  # the moments and the count of steps, which begin with 0
        variable.assign(keras.ops.zeros_like(variable))
    model.optimizer.learning_rate = rate


def _run(log: Mapping[str, list[float]], an_epoch: float) -> Run:
    accuracy, epochs = log["val_accuracy"], len(log["loss"])
    needed = first_at_least(accuracy, _TARGET) or epochs
    return {
        "epochs": needed,
        "reached": max(accuracy) >= _TARGET,
        "seconds": needed * an_epoch,
        "accuracy": accuracy[-1],
        "loss": log["loss"][-1],
        "history": {name: log[name] for name in ("val_accuracy", "loss")},
    }


def _gain(what: str, without: Mapping[float, Run], other: Mapping[float, Run], rates: str) -> float:
    """Return by how much the other optimizer does better in a number: its accuracy higher, all else lower."""
    sign = 1 if what == "accuracy" else -1
    found = [[sign * run[what] for run in by_rate.values()] for by_rate in (other, without)]
    mine, theirs = (max(values) if rates == "best" else values[0] for values in found)
    return float(mine - theirs)


def _by_text(runs: Mapping[str, Mapping[float, Run]]) -> dict[str, dict[str, Run]]:
    """Return the runs by learning rates that JSON can have for keys, with `default` for Keras's."""
    return {
        name: {"default" if rate == _RATES[name][0] else str(rate): run for rate, run in by_rate.items()}
        for name, by_rate in runs.items()
    }


def first_at_least(values: list[float], target: float) -> int | None:
    """Return the place, from 1, of the first value of at least `target`; None where there is none."""
    return next((place for place, value in enumerate(values, start=1) if value >= target), None)


@experiment("rmsprop_vs_gd", needs=("mnist",), seeds=20, minutes=0.5, revision=2)
def rmsprop_vs_gd(setting: Setting) -> dict[str, Any]:
    """Measure whether RMSprop converges better than plain gradient descent on document 004's net.

    Groups: `mnist_mlp_dropout` with RMSprop and with SGD, each at the three learning rates of `optimizers_vs_sgd`.
    Held equal: 20,000 training pictures drawn by the seed, five epochs of batches of 64, initial weights, order.
    (Descent on the whole training set at once would have made five updates.)
    Effects, paired within a seed: `accuracy`, on the test split, RMSprop's minus SGD's; `loss`, on the training split
    without dropout, SGD's minus RMSprop's; `default` and `best` as in `optimizers_vs_sgd`.
    """
    data = some_of(data_of("mnist_mlp_dropout", setting), 20_000, setting.seed)
    return rmsprop_values(data, seed=setting.seed)


def rmsprop_values(data: Dataset, *, seed: int, epochs: int = 5) -> dict[str, Any]:
    """Return the values of `rmsprop_vs_gd` for the training split of `data`."""
    calls = {name: partial(_dropout_net, name, data, seed, epochs) for name in ("rmsprop", "sgd")}
    runs = counterbalanced(calls, seed)
    return {
        **{
            what: {rates: rounded(_gain(what, runs["sgd"], runs["rmsprop"], rates)) for rates in ("default", "best")}
            for what in ("accuracy", "loss")
        },
        "note": f"After {epochs} epochs over {len(data.x_train)} training pictures.",
        "evidence": rounded(_by_text(runs)),
    }


def _dropout_net(name: str, data: Dataset, seed: int, epochs: int) -> dict[float, Run]:
    """Train `mnist_mlp_dropout`, compiled once, from the same weights at each learning rate of the optimizer."""
    model, runs = build("mnist_mlp_dropout", seed=seed, optimizer=name), {}
    start, batch = model.get_weights(), spec("mnist_mlp_dropout").recipe.batch_size
    for rate in _RATES[name]:
        begin_anew(model, start, rate)
        engine.fit(model, data.x_train, data.y_train, batch_size=batch, epochs=epochs, seed=seed, verbose=0)
        test = engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)
        train = engine.evaluate(model, data.x_train, data.y_train, batch_size=1000)
        runs[rate] = {"accuracy": test["accuracy"], "test_loss": test["loss"], "loss": train["loss"]}
    return runs
