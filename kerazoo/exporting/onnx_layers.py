"""What each layer of the zoo is in ONNX: a function a type, from the names of its inputs to those of its outputs.

Symbols: B batch, T time, D features, H units, h heads, d features of one head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx import TensorProto

from kerazoo.exporting.onnx_builder import Graph, State, UnknownLayer
from kerazoo.lazy import keras, np

_ACTIVATIONS = {
    "linear": "",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "tanh": "Tanh",
}
_OF_LSTM = ("tanh", "sigmoid", "relu", "softplus", "softsign")
_FAR = 1e30  # as far below the others is a masked score in `kerazoo.layers.attention`


def dense(g: Graph, layer: Any, x: Any) -> str:
    """A product, a bias, an activation."""
    bias = layer.bias
    if len(x.shape) == 2 and bias is not None:
        y = g.node("Gemm", g[x], g.weight(layer.kernel), g.weight(bias))
    else:
        y = g.node("MatMul", g[x], g.weight(layer.kernel))
        y = y if bias is None else g.node("Add", y, g.weight(bias))
    name = _activation(layer, layer.activation, tuple(_ACTIVATIONS))
    if name == "linear":
        return y
    made: str = g.node(_ACTIVATIONS[name], y)
    if name in ("sigmoid", "softmax"):
        g.logits[made] = y
    return made


def embedding(g: Graph, layer: Any, ids: Any) -> str:
    """Rows of a table."""
    if layer.mask_zero:
        raise UnknownLayer(f"the layer '{layer.name}' has mask_zero=True")
    return _words(g, layer.embeddings, ids)


def token_and_position(g: Graph, layer: Any, ids: Any) -> str:
    """The sum of a row for each token and one for its place."""
    positions = g.weight(layer.positions)
    if g.cut:
        positions = g.node("Slice", positions, *g.cut)
    elif ids.shape[1] != layer.sequence_length:
        time = g.node("Slice", g.node("Shape", g[ids]), g.constant([1]), g.constant([2]))
        positions = g.node("Slice", positions, g.constant([0]), time)
    return g.node("Add", _words(g, layer.tokens.embeddings, ids), positions)


def _words(g: Graph, table: Any, ids: Any) -> str:
    """The rows of words, or where the graph knows the unknown word's row, a mixture of both by the input "share"."""
    if g.unknown is None:
        return g.rows(table, g[ids])
    one = np.ones((1, 1), np.float32)
    share = g.input("share", ("shares", "words"), "float32", one)
    if g.cut:
        every = g.node("Expand", share, g.node("Concat", g.constant([1]), g.cut.length, axis=0))
        share = g.node("Slice", every, *g.cut, g.constant([1]))
    share = g.node("Unsqueeze", share, g.constant([2]))
    rest = g.node("Sub", g.constant(1.0, np.float32), share)
    unknown = g.rows(table, g.constant([g.unknown]))  # (1, D)
    return g.node("Add", g.rows(table, g[ids], share), g.node("Mul", unknown, rest))


def lstm(g: Graph, layer: Any, x: Any, **given: Any) -> str:
    """ONNX's own operator, whose gates are in the order i o f c and whose time is the first axis.

    In a graph that is `stateful`, h and c are inputs that may be left out, and outputs.
    """
    for option in ("go_backwards", "return_state", "stateful"):
        if getattr(layer, option):
            raise UnknownLayer(f"the layer '{layer.name}' has {option}=True")
    if any(one is not None for key, one in given.items() if key != "training"):
        raise UnknownLayer(f"the layer '{layer.name}' is given a mask or a state")
    cell, units = layer.cell, layer.units
    gate, squash = (_activation(layer, one, _OF_LSTM) for one in (layer.recurrent_activation, layer.activation))
    kernels = [_kernel(g, one) for one in (cell.kernel, cell.recurrent_kernel)]
    zeros = g.constant(np.zeros(4 * units), np.float32)
    bias = g.node("Concat", zeros if cell.bias is None else _gates(g, cell.bias, 0), zeros, axis=0)
    x = g.node("Transpose", g[x], perm=[1, 0, 2])  # (T, B, D)
    states = _states(g, x, units) if g.stateful else []
    sequence, h, c = g.node(
        "LSTM",
        *(x, *kernels, g.node("Unsqueeze", bias, g.constant([0]))),
        *(("", *states) if states else ()),
        count=3,
        hidden_size=units,
        activations=[_ACTIVATIONS[one] for one in (gate, squash, squash)],
    )
    if states:
        g.states += map(State, _names(g), states, (h, c), (units, units))
    if not layer.return_sequences:
        return g.node("Squeeze", h, g.constant([0]))
    return g.node("Transpose", g.node("Squeeze", sequence, g.constant([1])), perm=[1, 0, 2])


def _kernel(g: Graph, variable: Any) -> str:
    """(D, 4H) in Keras's order of gates as (1, 4H, D) in ONNX's."""
    return g.node("Unsqueeze", g.node("Transpose", _gates(g, variable, 1), perm=[1, 0]), g.constant([0]))


def _gates(g: Graph, variable: Any, axis: int) -> str:
    i, f, c, o = g.node("Split", g.weight(variable), count=4, axis=axis)
    return g.node("Concat", i, o, f, c, axis=axis)


def _states(g: Graph, x: str, units: int) -> list[str]:
    batch = g.node("Slice", g.node("Shape", x), g.constant([1]), g.constant([2]))
    shape = g.node("Concat", g.constant([1]), batch, g.constant([units]), axis=0)
    zeros = np.zeros((1, 1, units), np.float32)
    return [g.node("Expand", g.input(one, (1, "batch", units), "float32", zeros), shape) for one in _names(g)]


def _names(g: Graph) -> list[str]:
    """The names of the states of the LSTM at hand."""
    return [f"{what}{len(g.states) // 2}" for what in "hc"]


def attention(
    g: Graph, layer: Any, query: Any, key: Any = None, value: Any = None, key_mask: Any = None, **given: Any
) -> Any:
    """Scaled dot-product attention, with projections where the layer has them.

    Its weights, most of what there is to write to memory, are an output for the examples alone whose places the input
    "attention_for" names.
    """
    key = query if key is None else key
    value = key if value is None else value
    projections = [getattr(layer, f"{name}_dense", None) for name in ("query", "key", "value")]
    h = layer.num_heads
    q, k, v = (_heads(g, x, one, h) for x, one in zip((query, key, value), projections, strict=True))  # (B, h, T, d)
    width = query.shape[2] // h if projections[0] is None else layer.key_dim
    q = g.node("Mul", q, g.constant(width**-0.5, np.float32))
    of_keys, of_pairs = key_mask, given.get("attention_mask")
    masks = [(g[one], axes) for one, axes in ((of_keys, [1, 2]), (of_pairs, [1])) if one is not None]
    visible = _visible(g, layer, q, k, masks)
    weights = _weights(g, q, k, visible)
    y = g.node("MatMul", weights, v)
    if visible is not None:  # where a query sees no key its weights are all equal; and it gets nothing
        y = g.node("Mul", y, g.node("ReduceMax", visible, axes=[-1]))
    if g.attention is None:
        places = g.input("attention_for", ("examples",), "int64", np.zeros(0, np.int64))
        their_q, their_k = (g.node("Gather", one, places) for one in (q, k))
        seen = _visible(g, layer, their_q, their_k, [(g.node("Gather", one, places), axes) for one, axes in masks])
        g.attention = _whole(g, _only(g, _weights(g, their_q, their_k, seen), seen)), h
    y = g.node("Transpose", y, perm=[0, 2, 1, 3])  # (B, Tq, h, d)
    y = g.node("Reshape", y, g.constant([0, 0, -1]))
    if projections[0] is not None:
        y = _projected(g, y, layer.output_dense, (-1, layer.output_dense.kernel.shape[-1]))
    return [y, _only(g, weights, visible)] if layer.return_weights else y


def _heads(g: Graph, x: Any, projection: Any, heads: int) -> str:
    y = g[x] if projection is None else _projected(g, g[x], projection, (projection.kernel.shape[0], -1))
    return g.node("Transpose", g.node("Reshape", y, g.constant([0, 0, heads, -1])), perm=[0, 2, 1, 3])


def _projected(g: Graph, x: str, projection: Any, shape: tuple[int, int]) -> str:
    y = g.node("MatMul", x, g.node("Reshape", g.weight(projection.kernel), g.constant(shape)))
    bias = projection.bias
    return y if bias is None else g.node("Add", y, g.node("Reshape", g.weight(bias), g.constant([-1])))


def _visible(g: Graph, layer: Any, q: str, k: str, masks: list[tuple[str, list[int]]]) -> str | None:
    """1 where a query sees a key and 0 elsewhere, which broadcasts to (B, h, Tq, Tk); None where every query sees all.

    `masks` are names of masks, each with the axes that it lacks.
    """
    parts = [g.node("Unsqueeze", g.node("Cast", one, to=TensorProto.FLOAT), g.constant(axes)) for one, axes in masks]
    if layer.causal:
        ends = [g.node("Gather", g.node("Shape", one), g.constant(2)) for one in (q, k)]
        rows, columns = (g.node("Range", g.constant(0), end, g.constant(1)) for end in ends)
        before = g.node("GreaterOrEqual", g.node("Unsqueeze", rows, g.constant([1])), columns)
        parts.append(g.node("Cast", before, to=TensorProto.FLOAT))
    visible = None
    for part in parts:
        visible = part if visible is None else g.node("Mul", visible, part)
    return visible


def _weights(g: Graph, q: str, k: str, visible: str | None) -> str:
    """The weights (B, h, Tq, Tk); masked by a sum, since runtimes broadcast it several times as fast as a choice."""
    scores = g.node("MatMul", q, g.node("Transpose", k, perm=[0, 1, 3, 2]))
    if visible is not None:
        hidden = g.node("Sub", visible, g.constant(1.0, np.float32))  # 0 or -1
        scores = g.node("Add", scores, g.node("Mul", hidden, g.constant(_FAR, np.float32)))
    made: str = g.node("Softmax", scores, axis=-1)
    return made


def _only(g: Graph, weights: str, visible: str | None) -> str:
    made: str = weights if visible is None else g.node("Mul", weights, visible)
    return made


def _whole(g: Graph, weights: str) -> str:
    """The weights with zeros for the padding that was cut."""
    if not g.cut:
        return weights
    none = g.constant([0, 0])
    made: str = g.node("Pad", weights, g.node("Concat", none, g.cut.first, g.cut.first, none, none, axis=0))
    return made


def masked_mean(g: Graph, layer: Any, x: Any, real: Any) -> str:
    """The mean over the time axis where `real` is true."""
    weights = g.node("Unsqueeze", g.node("Cast", g[real], to=TensorProto.FLOAT), g.constant([2]))  # (B, T, 1)
    total = g.node("ReduceSum", g.node("Mul", g[x], weights), g.constant([1]), keepdims=0)
    count = g.node("ReduceSum", weights, g.constant([1]), keepdims=0)
    return g.node("Div", total, g.node("Max", count, g.constant(1.0, np.float32)))


def layer_normalization(g: Graph, layer: Any, x: Any) -> str:
    """The normalisation of the last axis."""
    if list(layer.axis) not in ([-1], [len(x.shape) - 1]) or layer.gamma is None or layer.beta is None:
        raise UnknownLayer(f"the layer '{layer.name}' normalises other axes, or does not scale and shift")
    gamma, beta = g.weight(layer.gamma), g.weight(layer.beta)
    return g.node("LayerNormalization", g[x], gamma, beta, axis=-1, epsilon=layer.epsilon)


def _activation(layer: Any, activation: Any, known: tuple[str, ...]) -> str:
    name = next((one for one in known if activation is getattr(keras.activations, one)), None)
    if name is None:
        raise UnknownLayer(f"the layer '{layer.name}' has the activation {getattr(activation, '__name__', activation)}")
    return name


def function_of(operation: Any, kind: type) -> Callable[..., Any]:
    """Return the function that adds the nodes of a layer, or of an operation of `keras.ops`, of the class `kind`.

    Raises:
        UnknownLayer: there is none.
    """
    from kerazoo import layers

    if getattr(operation, "quantization_mode", None) is not None:
        raise UnknownLayer(f"the layer '{operation.name}' is quantised")
    kinds: dict[Any, Callable[..., Any]] = {
        keras.layers.Dense: dense,
        keras.layers.Dropout: lambda g, layer, x, **_: g[x],
        keras.layers.Embedding: embedding,
        keras.layers.LSTM: lstm,
        keras.layers.LayerNormalization: layer_normalization,
        layers.MaskedMean: masked_mean,
        layers.MultiHeadAttention: attention,
        layers.ScaledDotProductAttention: attention,
        layers.TokenAndPositionEmbedding: token_and_position,
    }
    if kind in kinds:
        return kinds[kind]
    operations = {
        "Add": lambda g, _, x, y: g.node("Add", g[x], g[y]),
        "NotEqual": lambda g, _, x, y: g.node("Not", g.node("Equal", g[x], g[y])),
    }
    name = kind.__name__
    if isinstance(operation, keras.layers.Layer) or name not in operations:
        raise UnknownLayer(f"'{operation.name}' is a {name}")
    return operations[name]
