"""The C library, an LSTM and optimizer updates on a CPU for TensorFlow and JAX, or the reason why it is not in use.

It is built with the package where there is GCC, for Linux on x86-64, and needs a processor with AVX2. Without it
everything is computed by the operations of TensorFlow and of JAX, with the same results. It uses as many threads as
TensorFlow's intra-op setting says (that of `tf.config.threading`, or TF_NUM_INTRAOP_THREADS), else as the process has
cores, by its affinity and its container's CPU quota (cgroup v2).
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import platform
import sys
from dataclasses import dataclass
from typing import Any

_MODULE = "kerazoo.kernels._library"


@dataclass(frozen=True)
class Library:
    """The loaded library: `operations` are TensorFlow's wrappers, `c` the C functions, `instructions` what they use."""

    operations: Any
    c: ctypes.CDLL
    instructions: str


def library() -> Library | None:
    """The library, loaded on the first call, which imports TensorFlow; None where `why_not` has a reason.

    The environment variable KERAZOO_KERNELS=0 turns it off, for whatever is traced from then on.
    """
    return None if off() else _loaded()[0]


def why_not() -> str | None:
    """The reason why `library` returns None; None where it returns a library."""
    return "KERAZOO_KERNELS=0 turns them off" if off() else _loaded()[1]


def functions() -> ctypes.CDLL:
    """Return the library's C functions, for JAX; does not import TensorFlow.

    Raises:
        LookupError: they are not in use; the message says why.
    """
    if off():
        raise LookupError("KERAZOO_KERNELS=0 turns them off")
    try:
        return _open(_built())
    except _UnavailableError as error:
        raise LookupError(str(error)) from error


def _path() -> str | None:
    """The path of the built library, or None if it was not built."""
    spec = importlib.util.find_spec(_MODULE)
    return spec.origin if spec else None


def off() -> bool:
    """Whether KERAZOO_KERNELS=0 turns the library off."""
    return os.environ.get("KERAZOO_KERNELS", "1") == "0"


@functools.cache
def _loaded() -> tuple[Library | None, str | None]:
    try:
        return _load(), None
    except _UnavailableError as error:
        return None, str(error)


class _UnavailableError(Exception):
    """Says why the library cannot be used."""


def _load() -> Library:
    file = _built()
    try:
        import tensorflow as tf
    except ImportError:
        raise _UnavailableError("TensorFlow is not installed") from None
    try:
        operations = tf.load_op_library(file)  # after TensorFlow, whose C API the library looks for as it is loaded
    except tf.errors.OpError as error:
        raise _UnavailableError(f"they cannot be loaded: {error}") from error
    c = _open(file)
    if trouble := c.kz_tensorflow_trouble():
        raise _UnavailableError(trouble.decode())
    if threads := tf.config.threading.get_intra_op_parallelism_threads() or _threads_of_environment():
        c.kz_set_threads(threads)
    found = Library(operations, c, c.kz_instructions().decode())
    _check(found, tf)
    return found


def _threads_of_environment() -> int:
    """The value of TF_NUM_INTRAOP_THREADS, which TensorFlow's Python settings do not show; 0 if unset."""
    value = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return int(value) if value.isdecimal() else 0


def _built() -> str:
    """The library's file, after a check that it is for this machine."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise _UnavailableError(f"they are for Linux on x86-64, this is {sys.platform} on {platform.machine()}")
    if (file := _path()) is None:
        raise _UnavailableError("they were not built when kerazoo was installed, which takes GCC")
    return file


def _open(file: str) -> ctypes.CDLL:
    try:
        c = ctypes.CDLL(file)
    except OSError as error:
        raise _UnavailableError(f"they cannot be loaded: {error}") from error
    c.kz_instructions.restype = c.kz_tensorflow_trouble.restype = ctypes.c_char_p
    if not c.kz_instructions():
        raise _UnavailableError("the processor has no AVX2")
    return c


def _check(found: Library, tf: Any) -> None:
    """Run one operation whose result is known."""
    with tf.init_scope(), tf.device("CPU:0"):
        one = tf.ones((1,))
        try:
            values, states = found.operations.kerazoo_adam(1.0, 0.5, 0.25, 1.0, [one], [one, one * 4], [one * 2])
            got = [float(tensor[0]) for tensor in values + states]
        except Exception as error:
            raise _UnavailableError(f"TensorFlow does not run them: {error}") from error
    if got != [0.5, 1.5, 4.0]:
        raise _UnavailableError(f"they computed {got} where [0.5, 1.5, 4.0] is right")
