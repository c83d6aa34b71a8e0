"""Keras models as ONNX files: the zoo's layers as ONNX's own operators, other models by Keras's exporter."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from kerazoo.engine import internals
from kerazoo.engine.layer_swap import plain_class
from kerazoo.errors import InputError, UnavailableError, first_line
from kerazoo.exporting.onnx_builder import Graph, UnknownLayer
from kerazoo.exporting.onnx_layers import function_of
from kerazoo.exporting.onnx_padding import cut_padding
from kerazoo.exporting.onnx_writing import add_writing
from kerazoo.files import whole_file
from kerazoo.lazy import keras
from kerazoo.model_file import ORIGIN, origin_of, origin_to_json
from kerazoo.registry import list_models, spec
from kerazoo.tasks import Task, task_of


def write_onnx(model: keras.Model, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write `model` to the ONNX file `path`, whole or not at all; with it goes what kerazoo knows of the model.

    The model's own outputs come first, under their names. Models of the zoo's layers return further ones: "logits", the
    values before a last sigmoid or softmax; "attention", (n, heads, T, T), the weights of the first attention for those
    n examples whose places in the batch the input "attention_for" names, by default none, in which the rows of words
    that are padding may be zeros; and where they write text the
    states "h0.next", "c0.next" of their LSTMs, (1, B, units). Those are also inputs, "h0" and "c0", that may be left
    out. With them, where the layers are embedding, LSTMs and dense layer, goes "written", (B, count) int32: what
    follows tokens (B, 1), drawn by the input "draws", (count, B) from 0 to below 1, in the manner of
    `samplers.sample` with the inputs "temperature", "top_k" and "top_p"; the states are then those before the last
    token written. Without "draws" nothing is written; at temperature 0 draws of 0 take the first of the likeliest.
    "share" too may be left out, of a classifier of texts with a vocabulary, (B, T): how far from the unknown word each
    word is, from 0 to 1, which tells what it weighs.

    Args:
        model: a functional or Sequential model; what is no layer of the zoo's is left to Keras's own exporter.
        path: of the file.
        metadata: further texts for the file's `metadata_props`.

    Raises:
        InputError: Keras cannot export the model.
        UnavailableError: a package that Keras's exporter needs is not installed.
    """
    try:
        made = to_onnx(model, metadata)
    except UnknownLayer:
        made = _exported_by_keras(model, _metadata(model, metadata))
    with whole_file(Path(path)) as temporary:
        temporary.write_bytes(made.SerializeToString())


def to_onnx(model: keras.Model, metadata: Mapping[str, str] | None = None, *, small: bool = False) -> onnx.ModelProto:
    """Return a model of the zoo's layers in ONNX.

    Args:
        model: of layers for which `onnx_layers` has functions.
        metadata: further texts for the file's `metadata_props`.
        small: store the weights as `kerazoo.weights.pack` does.

    Raises:
        UnknownLayer: it has another one.
    """
    calls = internals.calls_of(model)
    if not calls:
        raise UnknownLayer(f"the model '{model.name}' is no graph of layers")
    origin, task = origin_of(model), _task(model)
    unknown = origin.vocabulary.unknown if origin.vocabulary and task.explains else None
    graph = Graph(model, stateful=task.generates, unknown=unknown, small=small)
    for tensor in model.inputs:
        graph[tensor] = graph.input(tensor.name, _shape(tensor.shape), tensor.dtype)
    cut_padding(graph, model, calls)
    for call in calls:
        add = function_of(call.operation, plain_class(call.operation))
        made: Any = add(graph, call.operation, *call.args, **call.kwargs)
        for tensor, value in zip(call.outputs, made if isinstance(made, list) else [made], strict=True):
            graph[tensor] = value
    names = {id(tensor): call.operation.name for call in calls for tensor in call.outputs}
    taken = {one.name for one in model.inputs}
    for tensor in model.outputs:
        if id(tensor) not in names:
            raise UnknownLayer(f"the model '{model.name}' returns an input as it is")
        name = next(one for one in _numbered(names[id(tensor)]) if one not in taken)
        graph.output(name, graph[tensor], _shape(tensor.shape))
        taken.add(name)
    _add_further_outputs(graph, model)
    return graph.finished(model.name, _metadata(model, metadata))


def _add_further_outputs(graph: Graph, model: keras.Model) -> None:
    value, shape = graph[model.outputs[0]], _shape(model.outputs[0].shape)
    if value in graph.logits:
        graph.output("logits", graph.logits[value], shape)
    if graph.attention:
        weights, heads = graph.attention
        graph.output("attention", weights, ["examples", heads, "queries", "keys"])
    if graph.states:
        add_writing(graph, model)
    for state in graph.states:
        graph.output(f"{state.name}.next", state.after, [1, "batch", state.units])


def _task(model: keras.Model) -> Task:
    name = origin_of(model).name
    return task_of(spec(name) if name in list_models() else None)


def _shape(shape: tuple[int | None, ...]) -> list[int | str]:
    """Return a shape with names for the axes of any size."""
    return ["batch", *(size or f"length{place or ''}" for place, size in enumerate(shape[1:]))]


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in itertools.count(1))


def _metadata(model: keras.Model, given: Mapping[str, str] | None) -> dict[str, str]:
    return {ORIGIN: origin_to_json(origin_of(model)), **(given or {})}


def _exported_by_keras(model: keras.Model, metadata: Mapping[str, str]) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        try:
            model(keras.tree.map_structure(_zeros, model.input), training=False)  # the exporter wants a called model
            model.export(path, format="onnx", verbose=False)
            made = onnx.load(path)
        except ImportError as error:
            missing = error.name or "tf2onnx"  # which Keras asks for without its name
            told = f"Keras's exporter needs the package {missing}: pip install {missing}"
            raise UnavailableError(f"the model '{model.name}' cannot be written as ONNX: {told}") from error
        except Exception as error:  # Keras and tf2onnx raise whatever they met first
            reason = first_line(error)
            raise InputError(f"the model '{model.name}' cannot be written as ONNX: {reason}") from error
    helper.set_model_props(made, dict(metadata))
    return made


def _zeros(tensor: Any) -> Any:
    return keras.ops.zeros([size or 1 for size in tensor.shape], tensor.dtype)
