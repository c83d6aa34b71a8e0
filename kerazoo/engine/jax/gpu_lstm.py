"""An LSTM for NVIDIA GPUs: one kernel, `lstm.cu`, for the recurrence, and a few large matrix products.

cuDNN starts two or three kernels in each time step, which for small models takes longer than they run.

Symbols: B batch, T steps, D inputs, H units. Gates are interleaved: (..., H, 4), in Keras's order i, f, c, o.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
from jax import Array
from jax import numpy as jnp

from kerazoo.engine.jax import cuda, self_check
from kerazoo.engine.jax.self_check import Outputs

MOST_UNITS, MOST_EXAMPLES = 128, 512
_SOURCE = "lstm.cu"


def fits(units: int, examples: int, steps: int) -> bool:
    """Whether the kernel supports an LSTM of this size, and works on this machine."""
    small = 0 < units <= MOST_UNITS and 0 < examples <= MOST_EXAMPLES
    indexed = 0 < steps * examples * 4 * units < 2**31
    return units % 8 == 0 and small and indexed and works()


def works() -> bool:
    """Whether the kernel passes its check on this machine; if not, the log says why."""
    return self_check.passes(recur, "an LSTM takes cuDNN")


@jax.custom_vjp
def recur(inputs: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, c: Array) -> Outputs:
    """Run an LSTM. Sums and state are float32 throughout.

    Args:
        inputs: (T, B, D), of a floating dtype of at most 32 bits.
        kernel, recurrent, bias: (D, 4H), (H, 4H), (4H,).
        h, c: (B, H) to start from.

    Returns:
        (T, B, H) outputs; the last h and c, (B, H) each; all of the inputs' dtype.
    """
    return _run(False, inputs, kernel, recurrent, bias, h, c)[0]


def _run(
    training: bool, inputs: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, c: Array
) -> tuple[Outputs, Any]:
    """`recur`, and what `_backward` needs of it."""
    steps, batch, _ = inputs.shape
    weights = _interleaved(recurrent)  # (H, H, 4)
    units = weights.shape[1]
    wide = _interleaved(kernel).reshape(len(kernel), -1)
    projected = jnp.matmul(inputs, wide, preferred_element_type="float32") + _interleaved(bias).reshape(-1)
    projected = projected.reshape(steps, batch, units, 4).astype("float32")
    start = h.astype("float32"), c.astype("float32")
    outputs, gates, cells, last_h, last_c = _forward_kernel(projected, weights.astype("float32"), *start, training)
    made = tuple(array.astype(inputs.dtype) for array in (outputs, last_h, last_c))
    return made, (inputs, kernel, recurrent, bias, start, outputs, gates, cells)


def _backward(kept: Any, gradients: Outputs) -> tuple[Array, ...]:
    """Map the gradients of the results of `recur` to those of its arguments."""
    inputs, kernel, recurrent, bias, (h, c), outputs, gates, cells = kept
    given = [gradient.astype("float32") for gradient in gradients]
    transposed = _interleaved(recurrent).swapaxes(0, 1).astype("float32")
    d_z, d_h, d_c = _backward_kernel(gates, cells, c, transposed, *given)
    rows = d_z.reshape(-1, kernel.shape[1]).astype(inputs.dtype)  # (T * B, 4H)
    before = jnp.concatenate([h[None], outputs[:-1]]).astype(inputs.dtype)  # (T, B, H)
    both = jnp.concatenate([inputs, before], axis=-1).reshape(len(rows), -1)  # one product for both kernels
    d_both = _separated(jnp.matmul(both.T, rows, preferred_element_type="float32"))
    d_kernel, d_recurrent = jnp.split(d_both, [len(kernel)])
    d_inputs = jnp.matmul(rows, _interleaved(kernel).reshape(len(kernel), -1).T).reshape(inputs.shape)
    d_bias = _separated(d_z.sum(axis=(0, 1)).reshape(-1))
    return (d_inputs, d_kernel.astype(kernel.dtype), d_recurrent.astype(recurrent.dtype), d_bias.astype(bias.dtype),
            d_h.astype(gradients[1].dtype), d_c.astype(gradients[2].dtype))  # fmt: skip


recur.defvjp(functools.partial(_run, True), _backward)


def _interleaved(weights: Array) -> Array:
    """Map (..., 4H) in Keras's order to (..., H, 4)."""
    return jnp.swapaxes(weights.reshape(*weights.shape[:-1], 4, -1), -1, -2)


def _separated(weights: Array) -> Array:
    """Map interleaved (..., 4H) to Keras's order."""
    return jnp.swapaxes(weights.reshape(*weights.shape[:-1], -1, 4), -1, -2).reshape(weights.shape)


def _forward_kernel(projected: Array, recurrent: Array, h: Array, c: Array, training: bool) -> Sequence[Array]:
    """Return outputs, gates, cells, last h and c, all float32; gates and cells are undefined unless `training`."""
    steps, batch, units, _ = projected.shape
    kept = (steps, batch) if training else (1, 1)
    shapes = (steps, batch, units), (*kept, units, 4), (*kept, units), (batch, units), (batch, units)
    return _call("lstm_forward", shapes, steps, batch, units, training, projected, recurrent, h, c)


def _backward_kernel(
    gates: Array, cells: Array, c: Array, transposed: Array, d_outputs: Array, d_h: Array, d_c: Array
) -> Sequence[Array]:
    """The gradients of `projected` (T, B, H, 4) and of the first h and c, (B, H) each."""
    steps, batch, units, _ = gates.shape
    shapes = gates.shape, (batch, units), (batch, units)
    return _call("lstm_backward", shapes, steps, batch, units, True, gates, cells, c, transposed, d_outputs, d_h, d_c)


def _call(
    name: str, shapes: tuple[tuple[int, ...], ...], steps: int, batch: int, units: int, training: bool, *arrays: Array
) -> Sequence[Array]:
    results = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    constants = {"H": units, "STEPS": steps, "BATCH": batch, "TRAINING": int(training)}
    return cuda.call(_SOURCE, name, results, batch, 4 * units, *arrays, **constants)
