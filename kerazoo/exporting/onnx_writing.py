"""Writing text in ONNX: a loop that steps through embedding, LSTMs and dense layer, and draws each token.

Symbols: B texts at once, V tokens in the vocabulary, D the width of the embedding, H units, N tokens to write.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import onnx
from onnx import TensorProto

from kerazoo.errors import InputError
from kerazoo.exporting.onnx_builder import Graph
from kerazoo.inference.decoding import LARGEST_TABLE, chain_of
from kerazoo.lazy import keras, np

_COLDEST = 2.0**-100  # a power of two, so that the logits of the likeliest tokens stay equal or stay apart


class _Step(NamedTuple):
    """The weights of one LSTM: names of (D, 4H), (H, 4H) and (4H,), the last empty for none; gates in Keras's order.

    Where all gates are sigmoids, of one product, the third's weights are doubled: tanh(x) is 2 sigmoid(2 x) - 1.
    """

    layer: Any
    joint: bool
    kernel: str
    recurrent: str
    bias: str


class _Chain(NamedTuple):
    """What a step uses; `table` is the product of all rows of the embedding and the first kernel, or empty."""

    embedding: Any
    table: str
    steps: list[_Step]
    kernel: str
    bias: str


def add_writing(g: Graph, model: keras.Model) -> None:
    """Add what `onnx_graph.write_onnx` tells of the output "written", where the model can be stepped through.

    The states after the tokens become those after the last that was read.
    """
    try:
        embedding, *lstms, dense = chain_of(model)
    except InputError:
        return
    draws = g.input("draws", ("count", "batch"), "float32", np.zeros((0, 1), np.float32))
    temperature = g.input("temperature", (), "float32", np.array(1, np.float32))
    top_k = g.input("top_k", (), "int64", np.array(dense.units))
    top_p = g.input("top_p", (), "float32", np.array(1, np.float32))
    size, chain = g.constant(dense.units), _chain(g, embedding, lstms, dense)
    dtypes = ["int32", *["float32"] * len(g.states)]

    def write() -> list[str]:
        warm = g.node("Max", temperature, g.constant(_COLDEST, np.float32))
        kernel, bias = (one and g.node("Div", one, warm) for one in (chain.kernel, chain.bias))
        now = chain._replace(kernel=kernel, bias=bias)
        begin = [g.node("Cast", g.node("Squeeze", g[model.inputs[0]], g.constant([1])), to=TensorProto.INT64)]
        begin += [g.node("Squeeze", one.before, g.constant([0])) for one in g.states]
        shares = g.node("Unsqueeze", draws, g.constant([2]))  # (N, B, 1)
        few, unlikely = g.node("Less", top_k, size), g.node("Less", top_p, g.constant(1, np.float32))
        k = g.node("Unsqueeze", g.node("Min", top_k, size), g.constant([0]))
        p = g.node("Where", unlikely, top_p, g.constant(2, np.float32))
        some = g.body(lambda: _scan(g, now, begin, shares, (k, p)), [], dtypes)
        every = g.body(lambda: _scan(g, now, begin, shares), [], dtypes)
        written, *states = _choice(g, g.node("Or", few, unlikely), some, every)
        states = [g.node("Unsqueeze", one, g.constant([0])) for one in states]
        return [g.node("Transpose", written, perm=[1, 0]), *states]

    def skip() -> list[str]:
        none = g.constant(np.zeros((0, 0)), np.int32)
        return [g.node("Identity", one) for one in (none, *(state.after for state in g.states))]

    asked = g.node("Greater", g.node("Size", draws), g.constant(0))
    written, *after = _choice(g, asked, g.body(write, [], dtypes), g.body(skip, [], dtypes))
    g.output("written", written, ["batch", "count"], "int32")
    g.states = [one._replace(after=value) for one, value in zip(g.states, after, strict=True)]


def _choice(g: Graph, condition: str, yes: onnx.GraphProto, no: onnx.GraphProto) -> list[str]:
    made: list[str] = g.node("If", condition, then_branch=yes, else_branch=no, count=len(yes.output))
    return made


def _chain(g: Graph, embedding: Any, lstms: list[Any], dense: Any) -> _Chain:
    steps = [_step(g, layer) for layer in lstms]
    first, table = steps[0], ""
    if embedding.input_dim <= LARGEST_TABLE:
        table = g.node("Gemm", g.weight(embedding.embeddings), first.kernel, first.bias)
    return _Chain(embedding, table, steps, g.weight(dense.kernel), g.weight(dense.bias) if dense.use_bias else "")


def _step(g: Graph, layer: Any) -> _Step:
    cell = layer.cell
    given = [g.weight(cell.kernel), g.weight(cell.recurrent_kernel), g.weight(cell.bias) if layer.use_bias else ""]
    joint = layer.activation is keras.activations.tanh and layer.recurrent_activation is keras.activations.sigmoid
    if joint:
        scale = g.constant(np.repeat([1, 1, 2, 1], layer.units), np.float32)
        given = [one and g.node("Mul", one, scale) for one in given]
    return _Step(layer, joint, *given)


def _scan(g: Graph, chain: _Chain, begin: list[str], shares: str, filters: tuple[str, str] | None = None) -> list[str]:
    """The tokens (N, B) that follow the first of `begin`, whose others are states, and the states before the last."""

    def turn(token: str, *given: str) -> list[str]:
        *states, share = given
        x, after = "", []
        for place, step in enumerate(chain.steps):
            if place == 0 and chain.table:
                z = g.node("Gather", chain.table, token)
            else:
                x = x or g.rows(chain.embedding.embeddings, token)
                z = g.node("Gemm", x, step.kernel, step.bias)
            h, c = states[2 * place : 2 * place + 2]
            x, c = _cell(g, step, g.node("Gemm", h, step.recurrent, z), c)
            after += [x, c]
        chosen = _draw(g, g.node("Gemm", x, chain.kernel, chain.bias), share, filters)
        return [chosen, *after, g.node("Cast", chosen, to=TensorProto.INT32)]

    dtypes = ["int64", *["float32"] * (len(begin) - 1)]
    body = g.body(turn, [*dtypes, "float32"], [*dtypes, "int32"])
    _, *states, written = g.node("Scan", *begin, shares, body=body, num_scan_inputs=1, count=len(begin) + 1)
    return [written, *states]


def _cell(g: Graph, step: _Step, z: str, c: str) -> tuple[str, str]:
    """The new h and c, (B, H), of the sums (B, 4H) before the gates."""
    one = g.constant(1, np.float32)
    if step.joint:
        i, f, s, o = g.node("Split", g.node("Sigmoid", z), axis=1, count=4)
        new = g.node("Sub", g.node("Mul", s, g.constant(2, np.float32)), one)
        squash = "Tanh"
    else:
        gate, squash = (one.__name__.capitalize() for one in (step.layer.recurrent_activation, step.layer.activation))
        i, f, new, o = g.node("Split", z, axis=1, count=4)
        i, f, new, o = g.node(gate, i), g.node(gate, f), g.node(squash, new), g.node(gate, o)
    c = g.node("Add", g.node("Mul", f, c), g.node("Mul", i, new))
    return g.node("Mul", o, g.node(squash, c)), c


def _draw(g: Graph, logits: str, share: str, filters: tuple[str, str] | None) -> str:
    """The (B,) int64 tokens of `samplers.draw`: the last before which all others have at most the share together."""
    kept = filters and _kept(g, logits, *filters)
    if kept:
        logits = g.node("Where", kept, logits, g.constant(-np.inf, np.float32))
    before = g.node("CumSum", g.node("Softmax", logits, axis=-1), g.constant(1), exclusive=1)
    may = g.node("LessOrEqual", before, share)
    may = g.node("Cast", g.node("And", may, kept) if kept else may, to=TensorProto.INT8)
    made: str = g.node("ArgMax", may, axis=1, keepdims=0, select_last_index=1)
    return made


def _kept(g: Graph, logits: str, k: str, p: str) -> str:
    """Whether `samplers.top_k` and then `samplers.top_p` keep a token, (B, V) bool; p of 2 keeps all."""
    values, tokens = g.node("TopK", logits, k, count=2)
    before = g.node("CumSum", g.node("Softmax", values, axis=-1), g.constant(1), exclusive=1)
    many = g.node("Cast", g.node("Less", before, p), to=TensorProto.INT64)
    last = g.node("Sub", g.node("ReduceSum", many, g.constant([1])), g.constant(1))
    value, token = (g.node("GatherElements", one, last, axis=1) for one in (values, tokens))
    every = g.node("Range", g.constant(0), g.node("Gather", g.node("Shape", logits), g.constant(1)), g.constant(1))
    tied = g.node("And", g.node("Equal", logits, value), g.node("LessOrEqual", every, token))
    made: str = g.node("Or", g.node("Greater", logits, value), tied)
    return made
