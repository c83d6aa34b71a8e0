"""Whether it helps to bring the inputs to the range from 0 to 1."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from kerazoo import Dataset, Setting, build, engine, experiment, spec
from kerazoo.lazy import np
from kerazoo.studies.articles.experiments.parts import counterbalanced, data_of, fitted, rounded, some_of


@experiment("unscaled_inputs", needs=("mnist",), seeds=20, minutes=0.3)
def unscaled_inputs(setting: Setting) -> dict[str, Any]:
    """Train document 004's net on pixels from 0 to 1, and on the same from 0 to 255.

    Held equal: 20,000 training pictures drawn by the seed, RMSprop at 0.001, five epochs of batches of 64, initial
    weights, order, dropout. Effects, paired within a seed: `accuracy` on the test split, scaled less unscaled; `loss`
    on the training split without dropout, unscaled less scaled.
    """
    data = some_of(data_of("mnist_mlp_dropout", setting), 20_000, setting.seed)
    return scaling_values(data, seed=setting.seed)


def scaling_values(data: Dataset, *, seed: int, epochs: int = 5) -> dict[str, Any]:
    """Return the values of `unscaled_inputs` for pictures from 0 to 1."""
    calls = {
        name: partial(_trained, _times(data, factor), seed, epochs)
        for name, factor in {"scaled": 1, "raw": 255}.items()
    }
    results = counterbalanced(calls, seed)
    scaled, raw = results["scaled"], results["raw"]
    return {
        "accuracy": rounded(scaled["accuracy"] - raw["accuracy"]),
        "loss": rounded(raw["loss"] - scaled["loss"]),
        "note": f"After {epochs} epochs over {len(data.x_train)} training pictures.",
        "evidence": rounded(results),
    }


def _times(data: Dataset, factor: float) -> Dataset:
    train, test = (np.asarray(x) * factor for x in (data.x_train, data.x_test))
    return dataclasses.replace(data, x_train=train, x_test=test)


def _trained(data: Dataset, seed: int, epochs: int) -> dict[str, float]:
    model, batch = build("mnist_mlp_dropout", seed=seed), spec("mnist_mlp_dropout").recipe.batch_size
    fitted(model, data.x_train, data.y_train, batch_size=batch, epochs=epochs, seed=seed)
    test = engine.evaluate(model, data.x_test, data.y_test, batch_size=1000)
    return {
        "accuracy": test["accuracy"],
        "loss": engine.evaluate(model, data.x_train, data.y_train, batch_size=1000)["loss"],
    }
