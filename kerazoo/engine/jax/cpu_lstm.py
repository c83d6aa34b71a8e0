"""The C LSTM of `kerazoo.kernels`, called from JAX programs on a CPU.

Symbols: B batch, T steps, D inputs, H units, P units with padding.
"""

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import jax
from jax import Array
from jax import numpy as jnp

from kerazoo import kernels
from kerazoo.engine.jax import self_check
from kerazoo.engine.jax.self_check import Outputs

_NAMES = {"forward": "kz_xla_lstm", "backward": "kz_xla_lstm_gradient"}


def works() -> bool:
    """Whether the C library is available and passes its check; if not, the log says why."""
    return not kernels.off() and self_check.passes(recur, "an LSTM is not run in C")


@functools.cache
def _library() -> ctypes.CDLL:
    """Load the C library and register its functions with XLA."""
    c = kernels.functions()
    as_capsule = ctypes.pythonapi.PyCapsule_New
    as_capsule.restype, as_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    for name in _NAMES.values():
        address = ctypes.cast(getattr(c, name), ctypes.c_void_p)
        jax.ffi.register_ffi_target(name, as_capsule(address, None, None), platform="cpu")
    c.kz_padded.restype, c.kz_padded.argtypes = ctypes.c_long, [ctypes.c_long]
    return c


@jax.custom_vjp
def recur(inputs: Array, kernel: Array, recurrent: Array, bias: Array, h: Array, c: Array) -> Outputs:
    """Run an LSTM.

    Args:
        inputs: (T, B, D) float32, as all others.
        kernel, recurrent, bias: (D, 4H), (H, 4H), (4H,).
        h, c: (B, H) to start from.

    Returns:
        (T, B, H) outputs; the last h and c, (B, H) each.
    """
    return _run(False, inputs, kernel, recurrent, bias, h, c)[0]


def _run(training: bool, inputs: Array, *weights: Array) -> tuple[Outputs, Any]:
    """`recur`, and what `_backward` needs of it."""
    steps, batch, _ = inputs.shape
    units = weights[1].shape[0]
    padded = _library().kz_padded(units)
    shapes = [(batch, steps, units), (batch, units), (batch, units)]
    if training:
        shapes += [(steps, batch, 4 * padded), (steps, batch, padded), (steps, batch, padded)]
    arguments = (jnp.swapaxes(inputs, 0, 1), *weights)
    outputs, h, c, *kept = _call("forward", shapes, *arguments)
    return (jnp.swapaxes(outputs, 0, 1), h, c), (arguments, kept)


def _backward(kept: Any, gradients: Outputs) -> tuple[Array, ...]:
    """Map the gradients of the results of `recur` to those of its arguments."""
    arguments, saved = kept
    d_outputs, d_h, d_c = gradients
    given = (*arguments, *saved, jnp.swapaxes(d_outputs, 0, 1), d_h, d_c)
    shapes = [argument.shape for argument in (*arguments, saved[0])]
    d_inputs, *others, _ = _call("backward", shapes, *given)
    return jnp.swapaxes(d_inputs, 0, 1), *others


recur.defvjp(functools.partial(_run, True), _backward)


def _call(what: str, shapes: list[tuple[int, ...]], *arguments: Array) -> Sequence[Array]:
    return jax.ffi.ffi_call(_NAMES[what], [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes])(*arguments)
