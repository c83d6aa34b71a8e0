"""How the size of a net and of its training set make it overfit."""

from __future__ import annotations

import dataclasses
from typing import Any

from kerazoo import Dataset, Setting, build, experiment
from kerazoo.studies.articles.experiments.overfitting import against
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, gap_of, rounded, some_of

_UNITS = {"narrow": (32, 16), "documented": (256, 128), "wide": (1024, 512)}
_SIZES = {"few": 2000, "many": 8000}
_BATCH = 32


@experiment("width_and_data", needs=("mnist",), seeds=20, minutes=0.5)
def width_and_data(setting: Setting) -> dict[str, Any]:
    """Measure how overfitting depends on the number of training pictures and of parameters.

    Groups: `mnist_mlp` with hidden layers of its own width (256 and 128), an eighth of it, and four times it, each on
    2000 training pictures drawn by the seed and on 8000 that hold these. Held equal: Adam at 0.001, batches of 32,
    about 1,250 updates (20 epochs of 2000, 5 of 8000), the initial weights of nets of the same width.
    Effects, paired within a seed, as in `overfitting_remedies` (`gap`, `test_loss`, `accuracy_gap`, `test_accuracy`):
    `more_data`, of 8000 pictures against 2000, in the documented net; `fewer_parameters`, of the narrow net against
    the documented one, and `documented_for_wide`, of that against the wide one, on 2000. `wider`: how much larger the
    gap of the wide net is than that of the narrow one, with `few` pictures, with `many`, and how much `more` with few.
    """
    pool = some_of(data_of("mnist_mlp", setting), max(_SIZES.values()), setting.seed)
    return capacity_values(pool, seed=setting.seed, say=setting.say)


def capacity_values(pool: Dataset, *, seed: int, say: Say, epochs: int = 20) -> dict[str, Any]:
    """Return the values of `width_and_data` for the training split of `pool`, in passes over its quarter."""
    results: dict[str, dict[str, dict[str, float]]] = {}
    for size, count in _SIZES.items():
        part = len(pool.x_train) * count // max(_SIZES.values())
        data = dataclasses.replace(pool, x_train=pool.x_train[:part], y_train=pool.y_train[:part])
        passes = max(1, epochs * _SIZES["few"] // count)
        results[size] = {}
        for width, units in _UNITS.items():
            model = build("mnist_mlp", seed=seed, units=units)
            fitted(model, data.x_train, data.y_train, batch_size=_BATCH, epochs=passes, seed=seed)
            results[size][width] = gap_of(model, data)
            say(f"{width}, {part} pictures: gap {results[size][width]['loss_gap']:.4f}")
    few, many = results["few"], results["many"]
    wider = {size: found["wide"]["loss_gap"] - found["narrow"]["loss_gap"] for size, found in results.items()}
    return {
        "more_data": against(few["documented"], many["documented"]),
        "fewer_parameters": against(few["documented"], few["narrow"]),
        "documented_for_wide": against(few["wide"], few["documented"]),
        "wider": rounded({**wider, "more": wider["few"] - wider["many"]}),
        "note": "The gap is test minus training loss (nats).",
        "evidence": rounded(results),
    }
