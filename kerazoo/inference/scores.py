"""The losses and metrics of the zoo's recipes in NumPy, as Keras defines them."""

from __future__ import annotations

from kerazoo.errors import InputError
from kerazoo.inference.array_ops import softmax
from kerazoo.lazy import np
from kerazoo.schema import Recipe

_LEAST = 1e-7  # Keras's epsilon: probabilities are kept so far from 0 and 1


def scores(recipe: Recipe, outputs: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the mean loss of (N, ...) `outputs` for the targets `y`, and the recipe's metrics.

    Raises:
        InputError: the recipe has a loss or a metric that is not known here.
    """
    known = ("sparse_categorical_crossentropy", "binary_crossentropy", "mean_squared_error")
    if recipe.loss not in known or set(recipe.metrics) - {"accuracy"}:
        unknown = ", ".join((recipe.loss, *recipe.metrics))
        raise InputError(f"the model is measured by {unknown}, which needs Keras; give it as a .keras file")
    outputs = np.asarray(outputs, np.float64)
    if recipe.loss == "mean_squared_error":
        found, right = ((outputs - y) ** 2).reshape(len(y), -1).mean(1), None
    elif recipe.loss == "binary_crossentropy":
        share = 1 / (1 + np.exp(-outputs[:, 0])) if recipe.from_logits else outputs[:, 0]
        found = -np.log(np.clip(np.where(y == 1, share, 1 - share), _LEAST, 1 - _LEAST))
        right = (outputs[:, 0] > 0.5) == (y == 1)
    else:
        found, right = _of_classes(outputs, y, recipe.from_logits), outputs.argmax(1) == y
    measured = {"loss": float(found.mean())}
    return measured | {metric: float(np.mean(right)) for metric in recipe.metrics if right is not None}


def _of_classes(outputs: np.ndarray, y: np.ndarray, from_logits: bool) -> np.ndarray:
    shares = softmax(outputs) if from_logits else outputs / outputs.sum(1, keepdims=True)
    share = shares[np.arange(len(y)), y]
    return -np.log(share if from_logits else np.clip(share, _LEAST, 1 - _LEAST))
