"""What the documents say of their programs' layers, against the layers that the programs make."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, build, experiment
from kerazoo.lazy import keras

_LARGE = 100_000_000  # parameters: 数亿, the least that document 001 calls large, is at least that many


@experiment("program_structure", quick=True, revision=3)
def program_structure(setting: Setting) -> dict[str, Any]:
    """Look at the layers of the zoo's `imdb_lstm`, `mnist_mlp` and `mnist_mlp_dropout`, which are the programs' own."""
    reviews = build("imdb_lstm")
    return {
        "transformer": _transformer(reviews),
        "described": _described(reviews),
        "large": _large(reviews),
        "three_layers": _three_layers(build("mnist_mlp", compile=False)),
        "first_layer": _first_layer(build("mnist_mlp_dropout", compile=False)),
    }


def _transformer(model: Any) -> dict[str, Any]:
    kinds = [type(layer).__name__ for layer in model.layers]
    return {
        "true": any("Attention" in kind for kind in kinds),
        "note": (
            f"Its layers are {', '.join(kinds)}: an LSTM, as section 5.3 says itself, and no attention. The zoo's "
            "imdb_transformer is what the title announces."
        ),
    }


def _described(model: Any) -> dict[str, Any]:
    kinds = [type(layer).__name__ for layer in model.layers]
    loss, optimizer = keras.losses.get(model.loss).__name__, type(model.optimizer).__name__
    return {
        "layers": kinds == ["InputLayer", "Embedding", "LSTM", "Dense"],
        "recipe": (loss, optimizer) == ("binary_crossentropy", "Adam"),
        "note": f"Layers: {', '.join(kinds)}; loss {loss}, optimizer {optimizer}.",
    }


def _large(model: Any) -> dict[str, Any]:
    count = model.count_params()
    return {
        "true": count >= _LARGE,
        "parameters": count,
        "note": f"The program's model has {count:,} parameters.",
    }


def _three_layers(model: Any) -> dict[str, Any]:
    units = [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    hidden = units[:-1]
    return {
        "hidden": len(hidden),
        "three_with_weights": len(units) == 3,
        "one_hidden": len(hidden) == 1,
        "note": (
            f"The program has {len(units)} dense layers: hidden ones of {' and '.join(map(str, hidden))}, and the "
            f"output of {units[-1]}; with the input that makes {len(units) + 1} layers."
        ),
    }


def _first_layer(model: Any) -> dict[str, Any]:
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense))
    inputs = model.input_shape[-1]
    return {
        "inputs": inputs,
        "of_512": first.units == 512 and first.activation is keras.activations.relu,
        "is_input": inputs == 512,
        "note": (
            f"The input layer has {inputs} numbers and no activation; the {first.units} units with ReLU are the first "
            "hidden layer, behind it."
        ),
    }
