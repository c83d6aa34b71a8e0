"""What document 000, section 5.4 says of the two rows that its program is supposed to print."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, build, experiment, load_data
from kerazoo.lazy import np
from kerazoo.studies.articles.experiments.comparing import softmax

_ROWS = {"first": ((0, 1), (0.5, 0.5)), "second": ((1, 1), (0.75, 0.25))}  # the inputs and what is printed for them
_NETWORKS = 5


@experiment("printed_tensor", needs=("module:torch",), quick=True)
def printed_tensor(setting: Setting) -> dict[str, Any]:
    """Print the output of a network as the program does, outside `torch.no_grad()`."""
    import torch
    from torch import nn

    torch.manual_seed(setting.seed)
    model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 2))
    printed = str(model(torch.tensor([x for x, _ in _ROWS.values()], dtype=torch.float32)))
    return {
        "true": "grad_fn" not in printed,
        "note": f"PyTorch ends the printed tensor with its gradient function: {printed.splitlines()[-1].strip()}",
    }


@experiment("printed_output", quick=True)
def printed_output(setting: Setting) -> dict[str, Any]:
    """Look at the program's network, which has no softmax, and at the class of the second row."""
    return {"probabilities": _probabilities(setting.seed), "second": _class(*_ROWS["second"])}


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


def _class(given: tuple[int, ...], row: tuple[float, ...]) -> dict[str, Any]:
    """Return the class, 1 or 2, of the largest number of a row, and beside it that of the training data."""
    data = load_data("toy_mlp")
    label = 1 + int(data.y_train[(data.x_train == given).all(-1)][0])
    argmax = 1 + int(np.argmax(row))
    return {
        "argmax": argmax,
        "label": label,
        "note": (
            f"The row {list(row)} has its largest number in class {argmax}; the training data hold the input "
            f"{list(given)} with class {label}."
        ),
    }
