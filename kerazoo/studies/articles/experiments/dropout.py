"""What document 004 says of dropout: that it prevents overfitting, generalises, and makes a net more stable."""

from __future__ import annotations

import statistics
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.studies.articles.experiments.optimizers import begin_anew
from kerazoo.studies.articles.experiments.overfitting import GAP_NOTE, against
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, gap_of, rounded, some_of

_NETS = 5  # whose spread is measured
_RATE = 0.001  # Keras's default for RMSprop


@experiment("dropout_gap", needs=("mnist",), seeds=20, minutes=2.2, revision=3)
def dropout_gap(setting: Setting) -> dict[str, Any]:
    """Measure by how much dropout narrows the gap of document 004's net between training and test.

    Groups: `mnist_mlp_dropout` as documented (dropout 0.2 after each hidden layer) and without dropout. Held equal:
    all 60,000 training pictures, RMSprop at 0.001, batches of 64, twenty epochs, initial weights, order. Effect: as in
    `overfitting_remedies`.
    """
    return dropout_values(data_of("mnist_mlp_dropout", setting), seed=setting.seed)


def dropout_values(data: Dataset, *, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """Return the values of `dropout_gap` for the training split of `data`; the epochs are by default the document's."""
    recipe = spec("mnist_mlp_dropout").recipe
    documented, without = build("mnist_mlp_dropout", seed=seed), build("mnist_mlp_dropout", seed=seed, dropout=0.0)
    without.set_weights(documented.get_weights())
    call = {"batch_size": recipe.batch_size, "epochs": epochs or recipe.epochs, "seed": seed}
    results = {
        name: gap_of(fitted(model, data.x_train, data.y_train, **call), data)
        for name, model in {"none": without, "dropout": documented}.items()
    }
    return {**against(results["none"], results["dropout"]), "note": GAP_NOTE, "evidence": rounded(results)}


@experiment("dropout_stability", needs=("mnist",), seeds=20, minutes=0.5)
def dropout_stability(setting: Setting) -> dict[str, Any]:
    """Measure whether dropout makes document 004's net depend less on the chance of its initial weights.

    Groups: `mnist_mlp_dropout` as documented and without dropout, five nets each, of other initial weights and another
    order. Held equal: 2000 training pictures drawn by the seed, the initial weights and orders of the two groups,
    RMSprop at 0.001, 20 epochs of batches of 64. Effects, paired within a seed, without dropout less with it: the
    standard deviation over the five nets of the test `accuracy` and of the test `loss`.
    """
    data = some_of(data_of("mnist_mlp_dropout", setting), 2000, setting.seed)
    return stability_values(data, seed=setting.seed, say=setting.say)


def stability_values(data: Dataset, *, seed: int, say: Say, epochs: int = 20, nets: int = _NETS) -> dict[str, Any]:
    """Return the values of `dropout_stability` for the training split of `data`."""
    found: dict[str, dict[str, list[float]]] = {}
    rate, batch = spec("mnist_mlp_dropout").defaults["dropout"], spec("mnist_mlp_dropout").recipe.batch_size
    for name, dropout in {"none": 0.0, "dropout": rate}.items():
        model, results = build("mnist_mlp_dropout", seed=seed, dropout=dropout), []
        for net in range(seed * nets, (seed + 1) * nets):
            begin_anew(model, build("mnist_mlp_dropout", seed=net, compile=False).get_weights(), _RATE)
            fitted(model, data.x_train, data.y_train, batch_size=batch, epochs=epochs, seed=net)
            results.append(engine.evaluate(model, data.x_test, data.y_test, batch_size=1000))
        found[name] = {what: [result[what] for result in results] for what in ("accuracy", "loss")}
        say(f"{name}: test accuracy {statistics.mean(found[name]['accuracy']):.4f}")
    spread = {name: {what: statistics.stdev(each) for what, each in one.items()} for name, one in found.items()}
    return {
        **{what: rounded(spread["none"][what] - spread["dropout"][what]) for what in ("accuracy", "loss")},
        "note": f"Standard deviations over {nets} nets.",
        "evidence": rounded({"spread": spread, **found}),
    }
