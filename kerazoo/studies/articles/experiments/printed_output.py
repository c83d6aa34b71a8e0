"""What document 000, section 5.4 says of the two rows that its program is supposed to print."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, build, experiment, load_data
from kerazoo.lazy import np
from kerazoo.studies.articles.experiments.comparing import softmax

_ROWS = {"first": ((0, 1), (0.5, 0.5)), "second": ((1, 1), (0.75, 0.25))}  # the inputs and what is printed for them
_NETWORKS = 5


@experiment("printed_output", quick=True)
def printed_output(setting: Setting) -> dict[str, Any]:
    """Look at the program's network, which has no softmax, and at the classes by the rows and by the training data."""
    return {"probabilities": _probabilities(setting.seed), **{name: _classes(name) for name in _ROWS}}


def _probabilities(seed: int) -> dict[str, Any]:
    """Tell whether the network's rows for the two inputs are distributions, for some draws of its weights."""
    inputs = np.array([x for x, _ in _ROWS.values()], np.float32)
    rows = np.stack(
        [np.asarray(build("toy_mlp", seed=seed + draw, compile=False)(inputs)) for draw in range(_NETWORKS)]
    )  # (draws, 2, 2)
    sums = rows.sum(-1)
    distributions = (rows >= 0).all(-1) & (np.abs(sums - 1) <= 1e-6)
    shown = softmax(np.array(_ROWS["second"][1]))[0]
    return {
        "true": bool(distributions.all()),
        "share": float(distributions.mean()),
        "note": (
            f"The network ends without a softmax and gives logits: over {_NETWORKS} draws of its untrained weights "
            f"{distributions.sum()} of {distributions.size} rows are distributions, their sums reach from "
            f"{sums.min():.2f} to {sums.max():.2f}. A softmax could give the two printed rows; read as the logits that "
            f"the program prints, the second one means a probability of {shown:.3f}, not 0.75."
        ),
    }


def _classes(name: str) -> dict[str, Any]:
    """Return the class, 1 or 2, of an input by the document's training data, and by the largest of the printed row."""
    data = load_data("toy_mlp")
    given, row = _ROWS[name]
    label = 1 + int(data.y_train[(data.x_train == given).all(-1)][0])
    argmax, tie = 1 + int(np.argmax(row)), row[0] == row[1]
    by_row = "is a tie and decides nothing" if tie else f"has its largest number in class {argmax}"
    return {
        "label": label,
        "argmax": argmax,
        "tie": tie,
        "note": f"The row {list(row)} {by_row}; the training data hold the input {list(given)} with class {label}.",
    }
