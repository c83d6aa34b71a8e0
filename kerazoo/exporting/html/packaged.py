"""Which layers the packaged models have, without Keras: the same that `layers.py` finds of the models."""

from __future__ import annotations

from kerazoo.exporting.html.assembling import Layer, with_arrays
from kerazoo.registry import spec
from kerazoo.weights import Pretrained

_NORMALISATION = {"epsilon": 1e-3}  # of Keras's, where a model names no other
_ARRAYS = {"encoder": 18, "embedding": 1, "lstm": 3}


def layers_of_arrays(name: str, stored: Pretrained) -> list[Layer]:
    """Return the layers of the model `name` of the zoo with its packaged weights, which are in the model's order."""
    arrays, options = stored.weights, {**spec(name).defaults, **stored.options}
    layers: list[Layer] = []
    if "num_heads" in options:
        layers.append(
            {"kind": "encoder", "heads": options["num_heads"], "first": _NORMALISATION, "second": _NORMALISATION}
        )
    elif "embedding_dim" in options:
        layers += [{"kind": "embedding"}, {"kind": "lstm"}]
    dense = (len(arrays) - sum(_ARRAYS[one["kind"]] for one in layers)) // 2  # each has a kernel and a bias
    layers += [{"kind": "dense", "activation": "relu"} for _ in range(dense)]
    layers[-1]["activation"] = "sigmoid" if len(arrays[-1]) == 1 else "softmax"
    return with_arrays(layers, arrays)
