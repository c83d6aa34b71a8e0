"""A CPU LSTM with the weights, saved file and results of `keras.layers.LSTM`, computed in less time on JAX.

Source: the cell is Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), in Keras's gate order
i, f, c, o. Every time step is projected in one matrix product, and the gradient keeps only `h·U` and `dz·Uᵀ` in the
steps; those of the weights are one large product each.
"""

import jax
import keras
from jax import lax
from jax import numpy as jnp

from kerazoo.engine.faster import lstm_fits


class LSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster on a CPU: same arguments, weights, saved file and results.

    Maps (B, T, D) float32 or float64 to (B, H), or (B, T, H) with `return_sequences`; with `return_state` also the
    last h and c, (B, H) each. What it does not cover is left to Keras.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the recurrence. Returns the last output, all outputs (or the last) and [h, c]."""
        if jax.default_backend() != "cpu" or not lstm_fits(self, sequences, mask, training):
            return keras.layers.LSTM.inner_loop(self, sequences, initial_state, mask, training=training)
        kernel, recurrent = (keras.ops.convert_to_tensor(w) for w in (self.cell.kernel, self.cell.recurrent_kernel))
        inputs = jnp.swapaxes(sequences, 0, 1)  # (T, B, D)
        inputs = inputs[::-1] if self.go_backwards else inputs
        projected = inputs @ kernel  # (T, B, 4H)
        projected = projected if self.cell.bias is None else projected + keras.ops.convert_to_tensor(self.cell.bias)
        outputs, h, c = _recur(projected, recurrent, *initial_state)
        return h, jnp.swapaxes(outputs, 0, 1) if self.return_sequences else h, [h, c]


FASTER = {keras.layers.LSTM: LSTM}


@jax.custom_vjp
def _recur(projected, recurrent, h, c):
    """Run an LSTM over (T, B, 4H) projected inputs from (B, H) states.

    Returns:
        (T, B, H) outputs; the last h and c, (B, H) each.
    """
    return _forward(projected, recurrent, h, c)[0]


def _forward(projected, recurrent, h, c):
    """`_recur`, and what `_backward` needs of it."""

    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, axis=1)  # (B, H) each
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        after = f * c + i * g
        squashed = jnp.tanh(after)
        return (o * squashed, after), (h, c, i, f, g, o, squashed, o * squashed)

    (h, c), (*saved, outputs) = lax.scan(step, (h, c), projected)
    return (outputs, h, c), (recurrent, saved)


def _backward(kept, gradients):
    """From the gradients of what `_recur` returns to those of its arguments."""
    (recurrent, saved), (d_outputs, d_h, d_c) = kept, gradients

    def step(state, now):
        (d_h, d_c), (d_output, (_, c, i, f, g, o, squashed)) = state, now
        d_h = d_h + d_output
        d_c = d_c + d_h * o * (1 - squashed**2)
        d_i, d_f = d_c * g * i * (1 - i), d_c * c * f * (1 - f)
        d_g, d_o = d_c * i * (1 - g**2), d_h * squashed * o * (1 - o)
        d_z = jnp.concatenate([d_i, d_f, d_g, d_o], axis=1)  # (B, 4H)
        return (d_z @ recurrent.T, d_c * f), d_z

    (d_h, d_c), d_z = lax.scan(step, (d_h, d_c), (d_outputs, saved), reverse=True)
    units = recurrent.shape[0]
    d_recurrent = saved[0].reshape(-1, units).T @ d_z.reshape(-1, 4 * units)  # (H, 4H)
    return d_z, d_recurrent, d_h, d_c


_recur.defvjp(_forward, _backward)
