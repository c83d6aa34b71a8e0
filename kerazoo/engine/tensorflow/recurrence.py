"""The recurrence of an LSTM for a CPU, over inputs that are already multiplied by its kernel.

Source: the cell is Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).

Training keeps nothing but `h·U` and `dz·Uᵀ` in the steps; dU is one large product. The steps are
unrolled in two half batches: two chains that share no operation, so two cores run them without
waiting for each other. A chain calls one function for each block of a few steps, so that the
operations of a step are built and optimized once. Inference, which has nothing to save, is a loop
that XLA compiles: there each step is one product and one fused pass over the gates.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import tensorflow as tf

from kerazoo.engine.types import Tensor

Step = dict[str, Tensor]
"""What a step leaves for the gradient, (b, H) each."""

_BLOCK_STEPS = 5
# One function for every block of steps of a graph, traced and optimized once; inlined it would be so each time.
_block = tf.function(autograph=False, experimental_attributes={"_noinline": True})


def reorder(gates: Tensor) -> Tensor:
    """Swap the middle blocks of (..., 4H): i, f, c, o <-> i, c, f, o, the order of the CPU kernel."""
    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)


def recur(
    projected: Tensor,
    rows: Tensor | None,
    recurrent: Tensor,
    h: Tensor,
    c: Tensor,
    *,
    steps: int,
    return_sequences: bool = False,
    compiled_loop: bool = False,
    inputs: Tensor | None = None,
    kernel: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM over inputs that are already multiplied by its kernel.

    Args:
        projected: (N, 4H) float32 or float64, bias included.
        rows: (T, B) int32 rows of `projected`, or None for N = T * B in order.
        recurrent: (H, 4H); its gates and those of `projected` in the order i, c, f, o.
        h, c: (B, H) state to start from.
        steps: T.
        return_sequences: whether the first result has all steps.
        inputs: (T * B, D) what `projected` was made of, where that was done out of sight of the gradient:
            not read, but given its gradient, through `kernel`, position by position.
        kernel: (D, 4H) in the order of `projected`, with `inputs`.
        compiled_loop: run forward in a loop compiled by XLA, quick as long as no gradient is asked.

    Returns:
        (B, T, H) outputs, or the last one (B, H); the last h and c, (B, H) each.
    """
    batch = tf.shape(h)[0]
    halves = [batch - batch // 2, batch // 2] if h.shape[0] != 1 else [batch]

    @tf.custom_gradient
    def run(*arguments: Tensor) -> Any:
        # Else a tape would have each block differentiated, although the gradient is given here.
        projected, recurrent, h, c, *inputs = (tf.stop_gradient(x) for x in arguments)
        forward = functools.partial(_forward_chains, projected, rows, recurrent, h, c, steps, halves)
        if compiled_loop:
            chains = None
            outputs, last_h, last_c = _loop(projected, rows, recurrent, h, c, steps, return_sequences)
        else:
            chains = forward()
            last_h, last_c = (tf.concat([chain[-1][k] for chain in chains], 0) for k in ("h", "c"))
            outputs = _merge([[s["h"] for s in chain] for chain in chains]) if return_sequences else last_h

        def gradient(d_outputs: Tensor, d_h: Tensor, d_c: Tensor) -> Any:
            d_steps: list[Any] = (
                _chain_inputs(d_outputs, None, steps, halves) if return_sequences else [None] * len(halves)
            )
            d_h = d_h if return_sequences else d_h + d_outputs
            d_projected, *others = _gradients(chains or forward(), recurrent, d_steps, d_h, d_c, halves)
            d_inputs = [tf.matmul(d_projected, tf.transpose(kernel)) for _ in inputs]  # (T * B, D)
            if rows is not None:
                d_projected = _sum_by_row(d_projected, tf.reshape(rows, (-1,)), tf.shape(projected)[0])
            return only_once([d_projected, *others, *d_inputs], arguments)

        return (outputs, last_h, last_c), gradient

    outputs, last_h, last_c = run(projected, recurrent, h, c, *([] if inputs is None else [inputs]))
    if return_sequences:
        outputs = tf.reshape(outputs, (steps, -1, h.shape[1]))  # (T, B, H)
        outputs = tf.transpose(outputs, (1, 0, 2))  # (B, T, H)
    return outputs, last_h, last_c


def only_once(gradients: Sequence[Tensor], arguments: Sequence[Tensor]) -> Any:
    """Return `gradients`, with an error if they are differentiated in turn: second derivatives are not implemented."""

    @tf.custom_gradient
    def checked(*tensors: Tensor) -> Any:
        def refuse(*_: Tensor) -> NoReturn:
            raise LookupError("the faster LSTM has no second derivative: take it of keras.layers.LSTM")

        return [tf.identity(tensor) for tensor in tensors[: len(gradients)]], refuse

    return checked(*gradients, *arguments)


def _sum_by_row(values: Tensor, rows: Tensor, count: Tensor) -> Tensor:
    """Add up the (N, 4H) values of each of `count` rows: sorted, in half the time of `unsorted_segment_sum`."""
    order = tf.argsort(rows)
    return tf.raw_ops.SparseSegmentSumWithNumSegments(
        data=values, indices=order, segment_ids=tf.gather(rows, order), num_segments=count
    )


@tf.function(jit_compile=True)
def _loop(
    projected: Tensor, rows: Tensor | None, recurrent: Tensor, h: Tensor, c: Tensor, steps: int, return_sequences: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Forward alone. Returns the (T * B, H) outputs, or the last (B, H), and the last h and c."""
    rows = tf.reshape(tf.range(tf.shape(projected)[0]), (steps, -1)) if rows is None else rows
    collected = tf.TensorArray(h.dtype, steps if return_sequences else 0, element_shape=h.shape)

    def step(t: Tensor, h: Tensor, c: Tensor, collected: tf.TensorArray) -> tuple[Any, ...]:
        i, g, f, o = tf.split(tf.gather(projected, rows[t]) + tf.matmul(h, recurrent), 4, axis=1)  # (B, H)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        return t + 1, h, c, collected.write(t, h) if return_sequences else collected

    _, h, c, collected = tf.while_loop(lambda t, *_: t < steps, step, (0, h, c, collected), maximum_iterations=steps)
    return (collected.concat() if return_sequences else h), h, c


def _forward_chains(
    projected: Tensor, rows: Tensor | None, recurrent: Tensor, h: Tensor, c: Tensor, steps: int, halves: list[Tensor]
) -> list[list[Step]]:
    """Run every half batch: for each its T saved steps."""
    table = None if rows is None else projected
    inputs = _chain_inputs(projected, rows, steps, halves)
    chains = []
    for chain, h_start, c_start in zip(inputs, tf.split(h, halves), tf.split(c, halves), strict=True):
        saved, h, c = [], h_start, c_start
        for some in _blocks(chain):
            more, h, c = _forward(some, table, recurrent, h, c)
            saved += more
        chains.append(saved)
    return chains


def _blocks(steps: list[Any]) -> list[list[Any]]:
    """Cut a list of steps into lists of `_BLOCK_STEPS`, the last of which may be shorter."""
    return [steps[k : k + _BLOCK_STEPS] for k in range(0, len(steps), _BLOCK_STEPS)]


def _gradients(
    chains: list[list[Step]], recurrent: Tensor, d_steps: list[Any], d_h: Tensor, d_c: Tensor, halves: list[Tensor]
) -> tuple[Tensor, ...]:
    """Map the gradients of the results of `recur` to those of its T * B projected rows, recurrent, h and c."""
    transposed = tf.transpose(recurrent)  # (4H, H)
    ends = zip(chains, d_steps, tf.split(d_h, halves), tf.split(d_c, halves), strict=True)
    results = [_backward(chain, transposed, *d) for chain, *d in ends]
    d_projected = _merge([r[0] for r in results])  # (T * B, 4H)
    before = _merge([[s["h_before"] for s in chain] for chain in chains])  # (T * B, H)
    d_recurrent = tf.matmul(before, d_projected, transpose_a=True)  # (H, 4H)
    d_h, d_c = (tf.concat([r[k] for r in results], 0) for k in (1, 2))
    return d_projected, d_recurrent, d_h, d_c


def _chain_inputs(values: Tensor, rows: Tensor | None, steps: int, halves: list[Tensor]) -> list[list[Tensor]]:
    """Split (T * B, ...) values, or the (T, B) rows to take from them, into a list of T tensors for each chain."""
    pieces = tf.split(values if rows is None else tf.reshape(rows, (-1,)), halves * steps, num=steps * len(halves))
    return [pieces[k :: len(halves)] for k in range(len(halves))]


def _merge(chains: Sequence[Sequence[Tensor]]) -> Tensor:
    """Join per-chain lists of T (b, ...) tensors to (T * B, ...) in one copy."""
    return tf.concat([piece for step in zip(*chains, strict=True) for piece in step], 0)


@_block
def _forward(
    inputs: list[Tensor], table: Tensor | None, recurrent: Tensor, h: Tensor, c: Tensor
) -> tuple[list[Step], Tensor, Tensor]:
    """Run some steps of one chain.

    Args:
        inputs: for each step (b, 4H), or with a `table` (N, 4H) the (b,) rows of it.

    Returns:
        For each step what `_backward` needs, (b, H) each; the last h and c.

    Raw operations and constants made once keep the building of the nodes short.
    """
    raw, units = tf.raw_ops, h.shape[1]
    begins, size = [tf.constant([0, k * units]) for k in range(4)], tf.constant([-1, units])
    axis = tf.constant(0)
    saved = []
    for piece in inputs:
        # A gather at its step leaves the (b, 4H) in the cache; one of all steps would not.
        projected = piece if table is None else raw.GatherV2(params=table, indices=piece, axis=axis)
        z = raw.AddV2(x=projected, y=raw.MatMul(a=h, b=recurrent))  # (b, 4H)
        i, g, f, o = (raw.Slice(input=z, begin=begin, size=size) for begin in begins)  # Split is 3 times slower
        i, g, f, o = raw.Sigmoid(x=i), raw.Tanh(x=g), raw.Sigmoid(x=f), raw.Sigmoid(x=o)
        step = {"h_before": h, "c_before": c, "i": i, "g": g, "f": f, "o": o}
        c = raw.AddV2(x=raw.Mul(x=f, y=c), y=raw.Mul(x=i, y=g))
        squashed = raw.Tanh(x=c)
        h = raw.Mul(x=o, y=squashed)
        saved.append({**step, "c": c, "squashed": squashed, "h": h})
    return saved, h, c


def _backward(
    saved: list[Step], transposed: Tensor, d_steps: list[Tensor] | None, d_h: Tensor, d_c: Tensor
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Run one chain from its end. Returns the list of T dz, (b, 4H), and dh, dc at the start."""
    blocks = _blocks(saved)
    d_z: list[Tensor] = []
    d_blocks: list[Any] = [None] * len(blocks) if d_steps is None else _blocks(d_steps)
    for some, d_some in zip(reversed(blocks), reversed(d_blocks), strict=True):
        more, d_h, d_c = _backward_block(some, transposed, d_some, d_h, d_c)
        d_z = more + d_z
    return d_z, d_h, d_c


@_block
def _backward_block(
    saved: list[Step], transposed: Tensor, d_steps: list[Tensor] | None, d_h: Tensor, d_c: Tensor
) -> tuple[list[Tensor], Tensor, Tensor]:
    """`_backward` for some steps."""
    step_gradient = _step_gradient_kernel(d_h) if d_h.dtype == tf.float32 else _step_gradient
    d_z = [None] * len(saved)
    for t in reversed(range(len(saved))):
        d_h = d_h if d_steps is None else tf.raw_ops.AddV2(x=d_h, y=d_steps[t])
        d_z[t], d_c = step_gradient(saved[t], d_h, d_c)
        d_h = tf.raw_ops.MatMul(a=d_z[t], b=transposed)  # (b, H)
    return d_z, d_h, d_c


def _step_gradient(s: Step, d_h: Tensor, d_c: Tensor) -> tuple[Tensor, Tensor]:
    """Map (b, H) dh and dc after a step to dz (b, 4H) and dc before it."""
    d_c = d_c + d_h * s["o"] * (1 - tf.square(s["squashed"]))
    d_i = d_c * s["g"] * s["i"] * (1 - s["i"])
    d_g = d_c * s["i"] * (1 - tf.square(s["g"]))
    d_f = d_c * s["c_before"] * s["f"] * (1 - s["f"])
    d_o = d_h * s["squashed"] * s["o"] * (1 - s["o"])
    return tf.concat([d_i, d_g, d_f, d_o], 1), d_c * s["f"]


def _step_gradient_kernel(like: Tensor) -> Callable[[Step, Tensor, Tensor], tuple[Tensor, Tensor]]:
    """`_step_gradient` as one TensorFlow operation, for float32; `like` is any (b, H) tensor.

    The kernel reads only the shapes of its weights, so they are given as zeros.
    """
    units = like.shape[1]
    peephole = tf.zeros((units,))
    weights = {"wci": peephole, "wcf": peephole, "wco": peephole, "b": tf.zeros((4 * units,))}
    weights |= {"x": tf.zeros_like(like[:, :1]), "w": tf.zeros((1 + units, 4 * units)), "use_peephole": False}

    def step_gradient(s: Step, d_h: Tensor, d_c: Tensor) -> tuple[Tensor, Tensor]:
        states = {"cs_prev": s["c_before"], "h_prev": s["h_before"], "cs": s["c"], "co": s["squashed"]}
        gates = {"i": s["i"], "ci": s["g"], "f": s["f"], "o": s["o"]}
        result = tf.raw_ops.LSTMBlockCellGrad(cs_grad=d_c, h_grad=d_h, **states, **gates, **weights)
        return result.dicfo, result.cs_prev_grad

    return step_gradient
