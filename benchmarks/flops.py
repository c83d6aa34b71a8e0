"""FLOPs per example by formula: the matrix products of each layer, 2 for every multiplication and its addition.

Element-wise work (activations, softmax, normalisation, dropout, optimizer) and look-ups in tables count as nothing, as
is usual for "model FLOPs". A training step counts three times the forward pass: the backward pass has two products,
one for the inputs and one for the weights, for each of the forward pass.
"""

import math
from typing import Any

HOW = "matrix products by formula for each layer; training = 3 x forward; element-wise work not counted"


def forward_flops(model: Any, length: int) -> int:
    """Return the FLOPs of one example's forward pass; `length` stands for time axes of any length."""
    return sum(_layer(layer, length) for layer in model._flatten_layers())


def training_flops(model: Any, length: int) -> int:
    """Return the FLOPs of one example in a training step."""
    return 3 * forward_flops(model, length)


def _layer(layer: Any, length: int) -> int:
    kind = _kind(layer)
    if kind == "Dense":
        return int(2 * math.prod(layer.kernel.shape) * _positions(layer, length))
    if kind == "EinsumDense":  # the projections of attention, at each position
        return int(2 * math.prod(layer.kernel.shape) * length)
    if kind == "LSTM":
        features, units = layer.cell.kernel.shape[0], layer.units
        return int(2 * 4 * units * (features + units) * length)
    if kind == "MultiHeadAttention":  # Q K^T, and the weights times V
        width = layer.key_dim + (layer.value_dim or layer.key_dim)
        return int(2 * length * length * layer.num_heads * width)
    return 0


def _kind(layer: Any) -> str | None:
    known = ("Dense", "EinsumDense", "LSTM", "MultiHeadAttention")
    return next((base.__name__ for base in type(layer).__mro__ if base.__name__ in known), None)


def _positions(layer: Any, length: int) -> int:
    """Return at how many positions a Dense layer is applied: all axes between the batch's and the features'."""
    return math.prod(length if size is None else size for size in layer.output.shape[1:-1])
