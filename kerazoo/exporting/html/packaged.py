"""The layers of the packaged models from their arrays, without Keras: the same that `layers.py` finds of the models."""

from __future__ import annotations

from kerazoo.exporting.html.layers import Layer
from kerazoo.lazy import np
from kerazoo.registry import spec
from kerazoo.weights import Pretrained

_EPSILON = 1e-3  # of Keras's layer normalisation, where a model names no other


def layers_of_arrays(name: str, stored: Pretrained) -> list[Layer]:
    """Return the layers of the model `name` of the zoo with its packaged weights, which are in the model's order."""
    arrays, options = stored.weights, {**spec(name).defaults, **stored.options}
    before: list[Layer] = []
    if "num_heads" in options:
        before, arrays = [_encoder(arrays[:18], options["num_heads"])], arrays[18:]
    elif "embedding_dim" in options:
        table, kernel, recurrent, bias, *arrays = arrays
        before.append({"kind": "embedding", "width": table.shape[1], "table": table})
        before.append({"kind": "lstm", "kernel": kernel, "recurrent": recurrent, "bias": bias})
    dense = [{"kind": "dense", "activation": "relu", **_affine(*pair)} for pair in _pairs(arrays)]
    dense[-1]["activation"] = "sigmoid" if len(arrays[-1]) == 1 else "softmax"
    return [*before, *dense]


def _encoder(arrays: list[np.ndarray], heads: int) -> Layer:
    positions, table, *rest = arrays
    query, key, value, (kernel, bias), first, hidden, widened, second = _pairs(rest)
    return {
        "kind": "encoder",
        "width": table.shape[1],
        "table": table,
        "positions": positions,
        "heads": heads,
        **{part: _affine(*pair) for part, pair in {"query": query, "key": key, "value": value}.items()},
        "output": _affine(kernel.reshape(-1, kernel.shape[-1]), bias),
        "first": _normalisation(*first),
        "hidden": _affine(*hidden),
        "widened": _affine(*widened),
        "second": _normalisation(*second),
    }


def _pairs(arrays: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def _affine(kernel: np.ndarray, bias: np.ndarray) -> Layer:
    return {"kernel": kernel.reshape(len(kernel), -1), "bias": bias.ravel()}


def _normalisation(gamma: np.ndarray, beta: np.ndarray) -> Layer:
    return {"epsilon": _EPSILON, "gamma": gamma, "beta": beta}
