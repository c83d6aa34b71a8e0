"""Padding at the front of a whole batch, cut off in the graph where every layer passes it over.

Texts are often shorter than what a model reads; attention over their padding would take most of the time.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Literal

from onnx import TensorProto

from kerazoo.engine.layer_swap import plain_class
from kerazoo.exporting.onnx_builder import Cut, Graph
from kerazoo.lazy import keras


def cut_padding(g: Graph, model: keras.Model, calls: Iterable[Any]) -> None:
    """Cut the columns of the ids that are 0 in every row before the first that is not, if the model allows it."""
    if not _passes_over(model, calls):
        return
    (tensor,) = model.inputs
    ids = g[tensor]
    real = g.node("Not", g.node("Equal", ids, g.constant(0, tensor.dtype)))  # (B, T)
    somewhere = g.node("ReduceMax", g.node("Cast", real, to=TensorProto.FLOAT), axes=[0], keepdims=0)  # (T,)
    first = g.node("ArgMax", somewhere, axis=0, keepdims=1)  # 0 where all is padding
    length = g.node("Slice", g.node("Shape", ids), g.constant([1]), g.constant([2]))
    g.cut = Cut(first, length)
    g[tensor] = g.node("Slice", ids, *g.cut, g.constant([1]))


def _passes_over(model: keras.Model, calls: Iterable[Any]) -> bool:
    """Tell whether no output depends on padding: what looks at several places has the mask of ids that are not 0."""
    if len(model.inputs) != 1:
        return False
    (ids,) = model.inputs
    if len(ids.shape) != 2 or ids.shape[1] is None or not ids.dtype.startswith("int"):
        return False
    found: dict[Any, set[int]] = {"mask": set(), "timed": {id(ids)}, "whole": set()}
    for call in calls:
        if any(id(one) in found["mask"] | found["timed"] for one in (*call.args, *call.kwargs.values())):
            made = _makes(call, ids, found["mask"])
            if made is None:
                return False
            found[made] |= {id(one) for one in call.outputs}
    return bool(found["mask"]) and not any(id(one) in found["mask"] | found["timed"] for one in model.outputs)


def _makes(call: Any, ids: Any, masks: Container[int]) -> Literal["mask", "timed", "whole"] | None:
    """Return what a call makes: the mask, something with an axis of time or without one; None where padding counts."""
    from kerazoo import layers

    kind, name = plain_class(call.operation), plain_class(call.operation).__name__
    masked = [place for place, one in enumerate((*call.args, *call.kwargs.values())) if id(one) in masks]
    if name == "NotEqual":
        x, y = call.args
        return "mask" if x is ids and isinstance(y, int) and y == 0 else None
    if kind is layers.MaskedMean:
        return "whole" if masked == [1] else None
    if kind in (layers.MultiHeadAttention, layers.ScaledDotProductAttention):
        by_keys = id(call.kwargs.get("key_mask")) in masks and len(masked) == 1
        return "timed" if by_keys and not call.operation.return_weights else None
    by_place = (keras.layers.Dense, keras.layers.Dropout, keras.layers.LayerNormalization)
    if kind in (layers.TokenAndPositionEmbedding, *by_place) or name == "Add":
        return None if masked or len(call.outputs[0].shape) != 3 else "timed"  # (B, T, D)
    return None
