"""Which layers a Keras model has, as `templates/layers.js` computes them; what a page cannot compute is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from kerazoo.engine import internals
from kerazoo.engine.layer_swap import plain_class
from kerazoo.errors import InputError, NotFiniteError
from kerazoo.exporting.html.assembling import Layer, with_arrays
from kerazoo.factory import dtype_policy
from kerazoo.lazy import keras, np
from kerazoo.registry import spec

_Made: TypeAlias = tuple[Layer, Sequence[Any]]  # what a layer is, and its variables

_ORDER = r"dense( dense)*|embedding( lstm)+( dense)+|encoder( dense)+"
_AXES = 2  # of the input: rows of numbers, or of ids
_ENCODER = "imdb_transformer"
_ACTIVATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "Dense": {"activation": ("linear", "relu", "tanh", "sigmoid", "softmax")},
    "LSTM": {"activation": ("tanh",), "recurrent_activation": ("sigmoid",)},
}
_ROUNDING = 1e-5  # between the outputs of two models with the same weights
_RUNS = f"a page runs Dense layers, Embedding, LSTMs and Dense, both with Dropout, and the layers of '{_ENCODER}'"


def layers_of(model: keras.Model) -> list[Layer]:
    """Return the layers of `model`, without those that do nothing outside training.

    Raises:
        InputError: it has a layer or an option that the page cannot compute; the message says which.
        NotFiniteError: a weight is NaN or infinite.
    """
    line = internals.line_of(model)
    made = [one for layer in line for one in _layer(model, layer)] if line else _encoder(model)
    found = [layer for layer, _ in made]
    if not re.fullmatch(_ORDER, " ".join(one["kind"] for one in found)) or len(model.inputs[0].shape) != _AXES:
        raise _refused(model, "its layers in another order")
    lstms = [one for one in line if plain_class(one) is keras.layers.LSTM]
    if any(one.return_sequences is (one is lstms[-1]) for one in lstms):
        raise _refused(model, "an LSTM that does not return what the next layer reads")
    return with_arrays(found, [_array(one) for _, variables in made for one in variables if one is not None])


def _refused(model: keras.Model, what: str) -> InputError:
    return InputError(f"the model '{model.name}' has {what}; {_RUNS}")


def _layer(model: keras.Model, layer: Any) -> list[_Made]:
    """Return what a layer is in the page; nothing for one that does nothing."""
    if obstacle := _obstacle(layer):
        raise _refused(model, obstacle)
    made = _MADE[plain_class(layer).__name__]
    return [] if made is None else [made(layer)]


def _obstacle(layer: Any) -> str | None:
    """Return what keeps the page from computing a layer."""
    name = plain_class(layer).__name__
    if name not in _MADE or plain_class(layer) is not getattr(keras.layers, name):
        return f"a layer {name}"
    if getattr(layer, "quantization_mode", None) is not None:
        return f"the quantised layer '{layer.name}'"
    for option in ("mask_zero", "go_backwards", "return_state"):
        if getattr(layer, option, False):
            return f"{option}=True in the layer '{layer.name}'"
    for option, known in _ACTIVATIONS.get(name, {}).items():
        activation = getattr(layer, option)
        if not any(activation is getattr(keras.activations, one) for one in known):
            return f"{option}={getattr(activation, '__name__', activation)!r} in the layer '{layer.name}'"
    return None


def _dense(layer: Any) -> _Made:
    told = {"kind": "dense", "activation": layer.activation.__name__, "bias": layer.use_bias}
    return told, [layer.kernel, layer.bias]


def _embedding(layer: Any) -> _Made:
    return {"kind": "embedding"}, [layer.embeddings]


def _lstm(layer: Any) -> _Made:
    cell = layer.cell
    return {"kind": "lstm", "bias": layer.use_bias}, [cell.kernel, cell.recurrent_kernel, cell.bias]


_MADE: dict[str, Callable[[Any], _Made] | None] = {
    "Dense": _dense,
    "Dropout": None,  # it does nothing outside training
    "Embedding": _embedding,
    "LSTM": _lstm,
}


def _array(variable: Any) -> np.ndarray:
    array = np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
    if not np.isfinite(array).all():
        told = f"the weights '{variable.path}' are not finite (the training has diverged?)"
        raise NotFiniteError(f"{told}; train the model anew")
    return array


def _encoder(model: keras.Model) -> list[_Made]:
    """Return the layers of a model that is `imdb_transformer` with other sizes, or other weights."""
    from kerazoo.layers import MultiHeadAttention, TokenAndPositionEmbedding

    embedding = _first(model, TokenAndPositionEmbedding)
    attention = _first(model, MultiHeadAttention)
    dense = [layer for layer in model.layers if plain_class(layer) is keras.layers.Dense]
    norms = [layer for layer in model.layers if plain_class(layer) is keras.layers.LayerNormalization]
    if embedding is None or attention is None or len(dense) != 3 or len(norms) != 2:
        inner = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        raise _refused(model, next(filter(None, map(_obstacle, inner)), "branches"))
    options = {name: getattr(embedding, name) for name in ("vocab_size", "sequence_length", "embedding_dim")}
    _check_encoder(model, {**options, "num_heads": attention.num_heads, "feed_forward": dense[0].units})
    first, second = ({"epsilon": layer.epsilon} for layer in norms)
    last, variables = _dense(dense[2])
    block = {"kind": "encoder", "heads": attention.num_heads, "first": first, "second": second}
    return [(block, model.weights[: -len(variables)]), (last, variables)]


def _first(model: keras.Model, kind: Any) -> Any:
    return next((layer for layer in model.layers if isinstance(layer, kind)), None)


def _check_encoder(model: keras.Model, options: dict[str, int]) -> None:
    """Refuse a model that does not answer as one of the zoo with these options and its weights does."""
    from kerazoo.layers import MultiHeadAttention

    told = f"another structure than '{_ENCODER}'"
    try:
        with dtype_policy(_first(model, MultiHeadAttention).dtype_policy.name):
            same = spec(_ENCODER).builder(**options)
        same.set_weights(model.get_weights())
    except ValueError:
        raise _refused(model, told) from None
    ids = np.random.default_rng(0).integers(1, options["vocab_size"], (8, options["sequence_length"]), np.int32)
    ids[:, : ids.shape[1] // 2] *= np.arange(8)[:, None] % 2  # half of the rows with padding
    if (model.input_shape, model.output_shape) != (same.input_shape, same.output_shape):
        raise _refused(model, told)
    given, known = (keras.ops.convert_to_numpy(one(ids, training=False)) for one in (model, same))
    if not np.allclose(given, known, atol=_ROUNDING, rtol=0):
        raise _refused(model, told)
