"""What documents 000 and 002 say of large models and much data: who overfits, and who generalises."""

from __future__ import annotations

from typing import Any

from kerazoo import Dataset, Setting, build, experiment
from kerazoo.studies.articles.experiments.parts import Say, data_of, fitted, gap_of, rounded, some_of

_WIDTHS = {"narrow": (32, 16), "wide": (512, 256)}
_COUNTS = {"few": 500, "many": 8000}
_BATCH = 32
_UPDATES = 2500  # ten epochs of the 8000 digits


@experiment("size_and_data", needs=("mnist",), seeds=20, minutes=0.4)
def size_and_data(setting: Setting) -> dict[str, Any]:
    """Train a narrow and a wide net on few and on many digits, and compare their gaps and their test losses.

    Groups: `mnist_mlp` with hidden layers of 32 and 16 (narrow) and of 512 and 256 (wide: twice document 003's), each
    on 500 and on 8000 training digits drawn by the seed. Held equal: 2500 updates, or 2496, of Adam at 0.001 in batches
    of 32 (so the 500 digits are seen 156 times, the 8000 ten times); the 10,000 test digits; the initial weights of
    each width.
    Effects, paired within a seed: `gap.width_few` and `gap.width_many`, the wide net's gap less the narrow one's;
    `gap.data`, the wide net's gap with few digits less that with many; `test_loss.data`, the same of the test loss;
    `test_loss.width` and `train_loss.width`, the narrow net's loss less the wide one's, with many digits;
    `test_accuracy`, likewise, as a gain; `accuracy_gap`, the wide net's with few digits. A gap is test minus training
    loss.
    """
    return size_and_data_values(data_of("mnist_mlp", setting), seed=setting.seed, say=setting.say)


def size_and_data_values(
    data: Dataset, *, seed: int, say: Say, updates: int = _UPDATES, counts: dict[str, int] | None = None
) -> dict[str, Any]:
    """Return the values of `size_and_data` for the training split of `data`."""
    results = {}
    for amount, count in (counts or _COUNTS).items():
        drawn = some_of(data, count, seed)
        epochs = max(1, round(updates / -(-count // _BATCH)))
        for width, units in _WIDTHS.items():
            model = build("mnist_mlp", seed=seed, units=units)
            fitted(model, drawn.x_train, drawn.y_train, batch_size=_BATCH, epochs=epochs, seed=seed)
            found = gap_of(model, drawn)
            found["train_loss"] = found["test_loss"] - found["loss_gap"]
            results[f"{width}_{amount}"] = found
            say(f"{width}, {count} digits: gap {found['loss_gap']:.4f}, test accuracy {found['test_accuracy']:.4f}")
    return {**effects(results), "evidence": rounded(results)}


def effects(results: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return the effects that `size_and_data` names, from what `gap_of` tells of its four groups."""

    def difference(name: str, first: str, second: str) -> float:
        found: float = rounded(results[first][name] - results[second][name])
        return found

    return {
        "gap": {
            "width_few": difference("loss_gap", "wide_few", "narrow_few"),
            "width_many": difference("loss_gap", "wide_many", "narrow_many"),
            "data": difference("loss_gap", "wide_few", "wide_many"),
        },
        "test_loss": {
            "data": difference("test_loss", "wide_few", "wide_many"),
            "width": difference("test_loss", "narrow_many", "wide_many"),
        },
        "train_loss": {"width": difference("train_loss", "narrow_many", "wide_many")},
        "test_accuracy": {
            "data": difference("test_accuracy", "wide_many", "wide_few"),
            "width": difference("test_accuracy", "wide_many", "narrow_many"),
            "width_few": difference("test_accuracy", "wide_few", "narrow_few"),
        },
        "accuracy_gap": rounded(results["wide_few"]["accuracy_gap"]),
    }
