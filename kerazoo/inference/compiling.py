"""What of compiling and differentiating is the backend's own: the rest of this package is written in `keras.ops`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from kerazoo.errors import UnavailableError
from kerazoo.factory import exact_products
from kerazoo.lazy import BACKENDS, jax, keras, tf

Function = Callable[..., Any]


def on_jax() -> bool:
    """Tell whether JAX computes, and not TensorFlow.

    Raises:
        UnavailableError: neither does.
    """
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise UnavailableError(f"Keras computes with {backend}; this needs KERAS_BACKEND={' or '.join(BACKENDS)}")
    return backend == "jax"


def compiled(function: Function, *, xla: bool = True) -> Function:
    """Return `function`, a pure one of arrays, tensors and nested tuples of them, as one call of compiled code.

    Args:
        function: what is compiled at the first call with arguments of other shapes or dtypes.
        xla: whether TensorFlow compiles it with XLA, which takes longer, or runs it as a graph; JAX always does.
    """
    if on_jax():
        return _exact(jax.jit(function))
    # Partial, since TensorFlow counts tracings by code, and would warn of the fifth model's.
    return tf.function(functools.partial(function), jit_compile=xla or None, autograph=False)


def compiled_with(variables: Sequence[keras.Variable], function: Function) -> Function:
    """Return `function` compiled for any size of the first axis; of `variables` every call sees the present values.

    Args:
        variables: what the function reads beside its arguments.
        function: pure but for that. JAX compiles it anew for each size: give it few (`rows_for`).
    """
    if not on_jax():
        return tf.function(functools.partial(function), autograph=False, reduce_retracing=True)

    def of_values(values: Any, *given: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*given)

    call = _exact(jax.jit(of_values))
    return lambda *given: call([one.value for one in variables], *given)


def rows_for(count: int) -> int:
    """Return how many rows to compute `count` rows in: on JAX the next power of two."""
    return 1 << (count - 1).bit_length() if on_jax() else count


def value_and_slope(function: Function, x: Any) -> tuple[Any, Any]:
    """Return the second result of `function` at `x`, and the gradient by `x` of the first, a scalar."""
    if on_jax():
        slope, value = jax.grad(function, has_aux=True)(x)
        return value, slope
    with tf.GradientTape() as tape:
        tape.watch(x)
        total, value = function(x)
    return value, tape.gradient(total, x)


def _exact(function: Function) -> Function:
    def call(*given: Any) -> Any:
        with exact_products():
            return function(*given)

    return call
