"""Swap the classes of a model's Keras layers and optimizer for faster ones while a compiled loop is traced.

The loop keeps the faster form. Before and after the trace, and so whenever a model is saved, copied or shown, its
layers are Keras's own; weights and names are the same throughout.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from kerazoo.engine import internals
from kerazoo.engine.types import Array
from kerazoo.lazy import keras

_TRACING = threading.RLock()  # two threads that trace one model would swap its layers under each other's feet


@contextlib.contextmanager
def swapped(model: keras.Model, classes: Mapping[type, type]) -> Iterator[None]:
    """Replace, within the context, the classes of a model's layers and optimizer by those in `classes`."""
    with _TRACING:
        optimizer = getattr(model, "optimizer", None)
        of_groups = getattr(optimizer, "optimizers", ())
        optimizers = [optimizer, *(of_groups if isinstance(of_groups, list | tuple) else ())]
        plain = []
        try:
            for one in (*internals.layers_of(model), *optimizers):
                if type(one) in classes:  # which it no longer is the second time
                    plain.append((one, type(one)))
                    object.__setattr__(one, "__class__", classes[type(one)])  # past Keras's attribute tracking
            yield
        finally:
            for one, cls in plain:
                object.__setattr__(one, "__class__", cls)


def plain_class(layer: Any) -> Any:
    """The class of a layer, without the swap that another thread may have made for the moment."""
    return type(layer).__base__ if getattr(type(layer), "is_faster_form", False) else type(layer)


def lstm_fits(layer: keras.layers.Layer, sequences: Array, mask: Array | None, training: bool) -> bool:
    """Whether a faster form covers an LSTM with these options on these (B, T, D) sequences."""
    return (
        mask is None
        and bool(sequences.shape[1])
        and layer.cell.activation is keras.activations.tanh
        and layer.cell.recurrent_activation is keras.activations.sigmoid
        and not (training and (layer.dropout or layer.recurrent_dropout))
        and not layer.stateful
        and not layer.unroll
        and layer.use_cudnn is not True
    )
