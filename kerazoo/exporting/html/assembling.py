"""The layers that `templates/layers.js` computes: what each is, with its arrays from weights in the model's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kerazoo.lazy import np

Layer = dict[str, Any]
"""Its "kind", and what that kind needs: numbers, texts, float32 arrays, layers."""


def with_arrays(layers: Iterable[Layer], arrays: Iterable[np.ndarray]) -> list[Layer]:
    """Return `layers`, each with its arrays; `arrays` are the weights of the model, as Keras orders them.

    A layer with "bias": False has none among the arrays, and gets one of zeros.
    """
    left = iter(arrays)
    return [{**layer, **_TAKING[layer["kind"]](layer, left)} for layer in layers]


def _affine(layer: Layer, left: Iterator[np.ndarray]) -> Layer:
    """The kernel as (inputs, outputs), and the bias as (outputs,); of an attention's projection likewise."""
    kernel = next(left)
    kernel = kernel.reshape(len(kernel), -1)
    return {"kernel": kernel, "bias": _bias(layer, left, kernel)}


def _bias(layer: Layer, left: Iterator[np.ndarray], kernel: np.ndarray) -> np.ndarray:
    return next(left).ravel() if layer.get("bias", True) else np.zeros(kernel.shape[1], np.float32)


def _embedding(layer: Layer, left: Iterator[np.ndarray]) -> Layer:
    table = next(left)
    return {"width": table.shape[1], "table": table}


def _lstm(layer: Layer, left: Iterator[np.ndarray]) -> Layer:
    kernel, recurrent = next(left), next(left)
    return {"kernel": kernel, "recurrent": recurrent, "bias": _bias(layer, left, kernel)}


def _encoder(layer: Layer, left: Iterator[np.ndarray]) -> Layer:
    positions, table = next(left), next(left)
    projections = {name: _affine({}, left) for name in ("query", "key", "value")}
    output = next(left)  # (h, d, D)
    return {
        "width": table.shape[1],
        "table": table,
        "positions": positions,
        **projections,
        "output": {"kernel": output.reshape(-1, output.shape[-1]), "bias": next(left)},
        "first": _normalisation(layer["first"], left),
        "hidden": _affine({}, left),
        "widened": _affine({}, left),
        "second": _normalisation(layer["second"], left),
    }


def _normalisation(layer: Layer, left: Iterator[np.ndarray]) -> Layer:
    return {**layer, "gamma": next(left), "beta": next(left)}


_TAKING: dict[str, Callable[[Layer, Iterator[np.ndarray]], Layer]] = {
    "dense": _affine,
    "embedding": _embedding,
    "lstm": _lstm,
    "encoder": _encoder,
}
