"""Check that an LSTM in C or CUDA gives on this machine what the same steps in NumPy give."""

import functools
import logging
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from jax import Array

Outputs = tuple[Array, ...]
"""Of an LSTM: outputs (T, B, H); the last h and c, (B, H) each."""


@functools.cache
def passes(recur: Callable[..., Outputs], otherwise: str) -> bool:
    """Run a small LSTM by `recur`, compiled apart from whatever is being traced; once a process.

    Args:
        recur: from inputs (T, B, D), kernel (D, 4H), recurrent (H, 4H), bias (4H,), h and c (B, H), all float32, to
            outputs (T, B, H) and the last h and c.
        otherwise: what the log says, before the reason, where it fails.
    """
    draw = np.random.default_rng(0).standard_normal
    shapes = (2, 1, 3), (3, 32), (8, 32), (32,), (1, 8), (1, 8)
    # Ten bits are all that a GPU may keep of the factors of a product.
    given = [draw(shape).astype("float16").astype("float32") for shape in shapes]
    try:
        got = jax.jit(recur).lower(*given).compile()(*given)[0]
        return bool(np.allclose(got, _plain(*given), rtol=1e-4, atol=1e-5))
    except Exception as error:
        logging.getLogger("kerazoo.engine").info("%s: %s: %s", otherwise, type(error).__name__, error)
        return False


def _plain(inputs: Any, kernel: Any, recurrent: Any, bias: Any, h: Any, c: Any) -> npt.NDArray[Any]:
    outputs = []
    for x in inputs:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)
