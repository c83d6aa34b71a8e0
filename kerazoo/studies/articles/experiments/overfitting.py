"""What the documents say to reduce overfitting: does the gap between training and test become smaller?

The gap is that of the cross-entropy: it is what is trained, while the accuracy on few pictures is 100 % in training
with a remedy or without. A smaller gap alone is not less overfitting, which is to do badly on new data (a net that
learns nothing has no gap), so each experiment also gives what the remedy does to the loss and accuracy on the test
split, and to the gap in accuracy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kerazoo import Dataset, Setting, build, experiment, fine_tune, spec, train
from kerazoo.lazy import keras, np
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, gap_of, rounded, some_of

_FEW = 2000  # training pictures: so few that a net of 235,146 parameters learns them by heart
_PENALTY = 0.001
_DRIVEN_OUT = 0.001  # a weight below one step of Adam
_SHIFT = 2  # pixels
_BATCH = 32
GAP_NOTE = "The gap is test minus training loss (nats), without the remedy less with it."


@experiment("overfitting_remedies", needs=("mnist",), seeds=20, minutes=0.4, revision=2)
def overfitting_remedies(setting: Setting) -> dict[str, Any]:
    """Measure by how much each remedy of document 000, section 9.3 narrows the gap between training and test.

    Groups: `mnist_mlp` (784-256-128-10) without a remedy; on pictures shifted at random by up to 2 pixels, each
    picture in as many versions as the others see it epochs; with an L2 penalty of 0.001 on the weights; with dropout
    of 0.5 after each hidden layer; with hidden layers of an eighth of the width (32 and 16).
    Held equal: 2000 training pictures drawn by the seed, Adam at 0.001, the initial weights (but for the smaller net,
    where they cannot be), about as many updates: 1,260 (20 epochs of batches of 32), on shifted pictures 1,250 (one
    epoch of 40,000), whose order is another.
    Effect, paired within a seed: the gap without the remedy minus that with it; the gap is the loss on the 10,000 test
    pictures minus that on the 2000 training pictures as they are, after training, without dropout and penalty. With it
    go `test_loss`, without the remedy minus with it, and `test_accuracy`, with it minus without.
    """
    data = some_of(data_of("mnist_mlp", setting), _FEW, setting.seed)
    return remedies_values(data, seed=setting.seed, say=setting.say)


def remedies_values(data: Dataset, *, seed: int, say: Say, epochs: int = 20) -> dict[str, Any]:
    """Return the values of `overfitting_remedies` for the training split of `data`."""
    plain = _net(seed)
    weights, units = plain.get_weights(), spec("mnist_mlp").defaults["units"]
    call = {"batch_size": _BATCH, "epochs": epochs, "seed": seed}
    shifted = np.concatenate([shift(data.x_train, [seed, copy]) for copy in range(epochs)])
    labels = np.tile(data.y_train, epochs)
    groups = {
        "none": lambda: fitted(plain, data.x_train, data.y_train, **call),
        "augmentation": lambda: fitted(_net(seed, weights), shifted, labels, **{**call, "epochs": 1}),
        "regularisation": lambda: penalised(_net(seed, weights), data, l2=_PENALTY, **call),
        "dropout": lambda: fitted(_net(seed, weights, dropout=0.5), data.x_train, data.y_train, **call),
        "smaller": lambda: fitted(
            _net(seed, units=tuple(width // 8 for width in units)), data.x_train, data.y_train, **call
        ),
    }
    results = {}
    for name, trained in groups.items():
        results[name] = gap_of(trained(), data)
        say(f"{name}: gap {results[name]['loss_gap']:.4f}, test accuracy {results[name]['test_accuracy']:.4f}")
    effects = {name: against(results["none"], results[name]) for name in groups if name != "none"}
    beside = ("test_loss", "accuracy_gap", "test_accuracy")
    return {
        **{name: effect["gap"] for name, effect in effects.items()},
        **{what: {name: effect[what] for name, effect in effects.items()} for what in beside},
        "note": GAP_NOTE,
        "evidence": rounded(results),
    }


@experiment("more_data", needs=("mnist",), seeds=20, minutes=0.2)
def more_data(setting: Setting) -> dict[str, Any]:
    """Measure what four times as many training pictures do to the overfitting of document 003's net.

    Groups: `mnist_mlp` on 2000 training pictures drawn by the seed, and on 8000 that hold them. Held equal: Adam at
    0.001, batches of 32, about 1,250 updates (20 epochs of 2000, 5 of 8000), initial weights. Effects: as in
    `overfitting_remedies`; each group's gap is that to its own training pictures.
    """
    data = some_of(data_of("mnist_mlp", setting), 4 * _FEW, setting.seed)
    return more_data_values(data, seed=setting.seed)


def more_data_values(data: Dataset, *, seed: int, epochs: int = 20) -> dict[str, Any]:
    """Return the values of `more_data` for the training split of `data`, of which one group gets a quarter."""
    part = len(data.x_train) // 4
    few = dataclasses.replace(data, x_train=data.x_train[:part], y_train=data.y_train[:part])
    results = {}
    for name, own, passes in (("none", few, epochs), ("more_data", data, epochs // 4)):
        call = {"batch_size": _BATCH, "epochs": passes, "seed": seed}
        results[name] = gap_of(fitted(_net(seed), own.x_train, own.y_train, **call), own)
    return {**against(results["none"], results["more_data"]), "note": GAP_NOTE, "evidence": rounded(results)}


@experiment("weight_penalties", needs=("mnist",), seeds=20, minutes=0.3)
def weight_penalties(setting: Setting) -> dict[str, Any]:
    """Measure what penalties on the weights do to document 003's net: to its overfitting, and to the weights.

    Groups: `mnist_mlp` by the document's recipe (Adam, 10 epochs, batches of 32), and the same with a penalty on the
    weights, for which the documents give no number: L2 of 0.001 and of 0.0001, L1 of 0.0001. Held equal: 6000 training
    pictures drawn by the seed (a tenth), initial weights, order.
    Effects: `l2` and `weak_l2` as in `overfitting_remedies`; `sparse`, by how much more of the weights L1 drives below
    0.001 (one step of Adam) than no penalty, and `sparser`, than L2 does; `spread`, by how much smaller L2 makes the
    standard deviation of the weights. Weights are those of all three layers, without biases.
    """
    data = some_of(data_of("mnist_mlp", setting), 6000, setting.seed)
    return penalties_values(data, seed=setting.seed, epochs=spec("mnist_mlp").recipe.epochs)


def penalties_values(data: Dataset, *, seed: int, epochs: int) -> dict[str, Any]:
    """Return the values of `weight_penalties` for the training split of `data`."""
    plain = _net(seed)
    weights = plain.get_weights()
    call = {"batch_size": _BATCH, "epochs": epochs, "seed": seed}
    models = {"none": fitted(plain, data.x_train, data.y_train, **call)}
    penalties = {"l2": {"l2": _PENALTY}, "weak_l2": {"l2": _PENALTY / 10}, "l1": {"l1": _PENALTY / 10}}
    for name, penalty in penalties.items():
        models[name] = penalised(_net(seed, weights), data, **penalty, **call)
    results = {name: {**gap_of(model, data), **_of_weights(model)} for name, model in models.items()}
    none, l1, l2 = (results[name] for name in ("none", "l1", "l2"))
    return {
        "l2": against(none, l2),
        "weak_l2": against(none, results["weak_l2"]),
        "sparse": rounded(l1["near_zero"] - none["near_zero"]),
        "sparser": rounded(l1["near_zero"] - l2["near_zero"]),
        "spread": rounded(none["spread"] - l2["spread"]),
        "note": GAP_NOTE,
        "evidence": rounded(results),
    }


def _of_weights(model: keras.Model) -> dict[str, float]:
    """Return the share of the kernels' weights that is nearly 0, and their standard deviation."""
    kernels = np.concatenate([np.ravel(layer.kernel) for layer in model.layers if layer.weights])
    return {"near_zero": float((abs(kernels) < _DRIVEN_OUT).mean()), "spread": float(kernels.std())}


@experiment("early_stopping", needs=("mnist",), seeds=20, minutes=0.25, revision=2)
def early_stopping(setting: Setting) -> dict[str, Any]:
    """Measure by how much stopping early narrows the gap of document 003's net between training and test.

    Groups: `mnist_mlp` trained for 40 epochs, and stopped after three epochs without a lower loss on 1000 validation
    pictures, with the weights of its best epoch. Held equal: 2000 training pictures drawn by the seed, the
    validation pictures (of neither split), Adam at 0.001, batches of 32, initial weights, order.
    Effect: as in `overfitting_remedies`.
    """
    drawn = some_of(data_of("mnist_mlp", setting), _FEW + 1000, setting.seed)
    x, y = drawn.x_train, drawn.y_train
    data = dataclasses.replace(drawn, x_train=x[:_FEW], y_train=y[:_FEW], x_val=x[_FEW:], y_val=y[_FEW:])
    return stopping_values(data, seed=setting.seed)


def stopping_values(data: Dataset, *, seed: int, epochs: int = 40, patience: int = 3) -> dict[str, Any]:
    """Return the values of `early_stopping` for the training split of `data`, which has a validation split."""
    call: dict[str, Any] = {"data": data, "epochs": epochs, "seed": seed, "verbose": False}
    full = train("mnist_mlp", **call)
    stopped = train("mnist_mlp", early_stopping=patience, **call)
    results = {"none": gap_of(full.model, data), "early_stopping": gap_of(stopped.model, data)}
    evidence = {**rounded(results), "epochs_until_stopped": len(stopped.history["loss"])}
    return {**against(results["none"], results["early_stopping"]), "note": GAP_NOTE, "evidence": evidence}


def against(without: Mapping[str, float], remedied: Mapping[str, float]) -> dict[str, float]:
    """Return a remedy's effects: how much smaller the gaps are in loss and accuracy, how much better the test is."""
    return {
        "gap": rounded(without["loss_gap"] - remedied["loss_gap"]),
        "test_loss": rounded(without["test_loss"] - remedied["test_loss"]),
        "accuracy_gap": rounded(without["accuracy_gap"] - remedied["accuracy_gap"]),
        "test_accuracy": rounded(remedied["test_accuracy"] - without["test_accuracy"]),
    }


def penalised(model: keras.Model, data: Dataset, **call: Any) -> keras.Model:
    """Return the model trained with `l1` times the sum of |w| or `l2` times that of w^2, over weights, not biases."""
    return fine_tune(model, (data.x_train, data.y_train), verbose=False, **call).model


def shift(pictures: Any, seed: Any, by: int = _SHIFT) -> Any:
    """Return the (N, 784) pictures, each moved by up to `by` pixels down or up, right or left, drawn by `seed`."""
    count = len(pictures)
    padded = np.pad(pictures.reshape(count, 28, 28), ((0, 0), (by, by), (by, by)))
    down, right = np.random.default_rng(seed).integers(0, 2 * by + 1, (2, count))
    rows, columns = (start[:, None] + np.arange(28) for start in (down, right))  # (N, 28)
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]].reshape(count, 784)


def _net(seed: int, weights: Any = None, units: tuple[int, ...] = (), dropout: float = 0.0) -> keras.Model:
    """Return `mnist_mlp`, its widths or `units`, with dropout where asked for, and with the given initial weights."""
    widths = units or spec("mnist_mlp").defaults["units"]
    if dropout:
        model = build("mnist_mlp_dropout", seed=seed, units=widths, dropout=dropout, optimizer="adam")
    else:
        model = build("mnist_mlp", seed=seed, units=widths)
    if weights is not None:
        model.set_weights(weights)
    return model
