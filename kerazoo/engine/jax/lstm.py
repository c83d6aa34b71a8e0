"""An LSTM with the weights, saved file and results of `keras.layers.LSTM`, computed in less time on JAX.

Source: the cell is Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), in Keras's gate order
i, f, c, o. The gradient keeps only `dz·Uᵀ` in the steps; those of the weights and of the inputs are one large product
each. (Forward, one large product for the inputs is slower here: what it gives leaves the cache before it is used.)
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
from jax import Array, lax
from jax import numpy as jnp

from kerazoo.engine.jax import cpu_lstm, gpu_lstm
from kerazoo.engine.jax.self_check import Outputs
from kerazoo.engine.layer_swap import lstm_fits


class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster: same arguments, weights, saved file and results.

    Maps (B, T, D) floats to (B, H), or (B, T, H) with `return_sequences`; with `return_state` also the last h and c,
    (B, H) each. What it does not cover is left to Keras.
    """

    is_faster_form = True

    def inner_loop(
        self, sequences: Array, initial_state: Sequence[Array], mask: Array | None, training: bool = False
    ) -> Any:
        """Run the recurrence. Returns the last output, all outputs (or the last) and [h, c]."""
        recur = _recurrence(sequences, self.units) if lstm_fits(self, sequences, mask, training) else None
        if recur is None:
            return keras.layers.LSTM.inner_loop(self, sequences, initial_state, mask, training=training)
        cell = self.cell
        kernel, recurrent = (keras.ops.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel))
        bias = jnp.zeros(kernel.shape[1]) if cell.bias is None else keras.ops.convert_to_tensor(cell.bias)
        inputs = jnp.swapaxes(sequences, 0, 1)  # (T, B, D)
        inputs = inputs[::-1] if self.go_backwards else inputs
        outputs, h, c = recur(inputs, kernel, recurrent, bias.astype(inputs.dtype), *initial_state)
        return h, jnp.swapaxes(outputs, 0, 1) if self.return_sequences else h, [h, c]


FASTER = {keras.layers.LSTM: LSTM}


def _recurrence(sequences: Array, units: int) -> Callable[..., Outputs] | None:
    """The function that runs the recurrence over (B, T, D) sequences, or None for Keras's (by cuDNN where possible)."""
    one_device = keras.distribution.distribution() is None  # no call of C or CUDA is divided among several
    if jax.default_backend() == "cpu":
        if one_device and sequences.dtype == "float32" and cpu_lstm.works():
            return cpu_lstm.recur
        return _recur if sequences.dtype in ("float32", "float64") else None
    small = sequences.dtype != "float64" and jax.default_backend() == "gpu" and one_device
    return gpu_lstm.recur if small and gpu_lstm.fits(units, *sequences.shape[:2]) else None


@jax.custom_vjp
def _recur(inputs: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, c: Array) -> Outputs:
    """Run an LSTM.

    Args:
        inputs: (T, B, D).
        kernel, recurrent, bias: (D, 4H), (H, 4H), (4H,).
        h, c: (B, H) to start from.

    Returns:
        (T, B, H) outputs; the last h and c, (B, H) each.
    """
    return _forward(inputs, kernel, recurrent, bias, h, c)[0]


def _forward(inputs: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, c: Array) -> tuple[Outputs, Any]:
    """`_recur`, and what `_backward` needs of it."""

    def step(state: Any, x: Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x @ kernel + h @ recurrent + bias, 4, axis=1)  # (B, H) each
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        after = f * c + i * g
        squashed = jnp.tanh(after)
        return (o * squashed, after), ((h, c, i, f, g, o, squashed), o * squashed)

    (h, c), (saved, outputs) = lax.scan(step, (h, c), inputs)
    return (outputs, h, c), (inputs, kernel, recurrent, saved)


def _backward(kept: Any, gradients: Outputs) -> tuple[Array, ...]:
    """Map the gradients of the results of `_recur` to those of its arguments."""
    (inputs, kernel, recurrent, saved), (d_outputs, d_h, d_c) = kept, gradients

    def step(state: Any, now: Any) -> Any:
        (d_h, d_c), (d_output, (_, c, i, f, g, o, squashed)) = state, now
        d_h = d_h + d_output
        d_c = d_c + d_h * o * (1 - squashed**2)
        d_i, d_f = d_c * g * i * (1 - i), d_c * c * f * (1 - f)
        d_g, d_o = d_c * i * (1 - g**2), d_h * squashed * o * (1 - o)
        d_z = jnp.concatenate([d_i, d_f, d_g, d_o], axis=1)  # (B, 4H)
        return (d_z @ recurrent.T, d_c * f), d_z

    (d_h, d_c), d_z = lax.scan(step, (d_h, d_c), (d_outputs, saved), reverse=True)
    rows, before = (jnp.reshape(a, (-1, a.shape[-1])) for a in (d_z, saved[0]))  # (T * B, 4H), (T * B, H)
    d_inputs = (rows @ kernel.T).reshape(inputs.shape)
    d_kernel = inputs.reshape(-1, inputs.shape[-1]).T @ rows
    return d_inputs, d_kernel, before.T @ rows, rows.sum(axis=0), d_h, d_c


_recur.defvjp(_forward, _backward)
