"""CUDA C kernels in JAX programs: compiled to PTX by NVRTC, which comes with JAX's CUDA packages, and called by XLA.

XLA records such a call in a CUDA graph like its own kernels, which it does not do with a call of cuDNN.
"""

import ctypes
import functools
import importlib.util
import itertools
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jax import Array

from kerazoo.engine import internals

_OLDEST = "compute_80"  # the virtual architecture: the driver's own compiler makes the machine's code of it


class CannotCompile(Exception):
    """NVRTC is not there, or does not take a source; the message says why, in one line."""


def call(
    source: str,
    name: str,
    results: list[jax.ShapeDtypeStruct],
    blocks: int,
    threads: int,
    *arrays: Array,
    **constants: int,
) -> Sequence[Array]:
    """Call the kernel `name` of CUDA C, with pointers to `arrays` and then to the results.

    Args:
        source: a file beside this module.
        name: of the kernel, which is `extern "C"`.
        results: shape and dtype of each result.
        blocks: in the grid.
        threads: in a block.
        arrays: contiguous.
        constants: macros of the source, integers.

    Raises:
        CannotCompile: at the time of tracing.
    """
    ptx = compiled(source, tuple(sorted(constants.items())))
    sizes = {"grid_x": blocks, "grid_y": 1, "grid_z": 1, "block_x": threads, "block_y": 1, "block_z": 1}
    sizes |= {"shared_mem_bytes": 0}
    return jax.ffi.ffi_call(internals.XLA_PTX_CALL, results)(
        *arrays, name=name, kernel_type="ptx", kernel_data=ptx, **{key: np.int32(n) for key, n in sizes.items()}
    )


@functools.cache
def compiled(source: str, constants: tuple[tuple[str, int], ...]) -> str:
    """Compile a CUDA C file with macros ((name, int), ...) to PTX.

    Raises:
        CannotCompile: NVRTC is not there or refuses the file.
    """
    library, program, size = _nvrtc(), ctypes.c_void_p(), ctypes.c_size_t()
    text = Path(__file__).with_name(source).read_bytes()
    options = [f"--gpu-architecture={_OLDEST}", *(f"-D{name}={value}" for name, value in constants)]
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    if library.nvrtcCreateProgram(ctypes.byref(program), text, source.encode(), 0, None, None):
        raise CannotCompile("NVRTC makes no program")
    try:
        failed = library.nvrtcCompileProgram(program, len(options), given)
        what = "ProgramLog" if failed else "PTX"
        getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        out = ctypes.create_string_buffer(size.value)
        getattr(library, f"nvrtcGet{what}")(program, out)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))
    told = out.value.decode()
    if failed:
        raise CannotCompile(f"NVRTC refuses {source}: {' '.join(told.split())[:200]}")
    return told


@functools.cache
def _nvrtc() -> ctypes.CDLL:
    """Load NVRTC, from the packages that JAX's CUDA brings or from the system."""
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    found = itertools.chain.from_iterable(sorted(folder.glob("*/lib/libnvrtc.so.[0-9]*")) for folder in folders)
    for path in [*found, *map(Path, ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"))]:
        try:
            for part in path.parent.glob("libnvrtc-builtins.so.*") if path.is_absolute() else ():  # looked for by name
                ctypes.CDLL(str(part))
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    raise CannotCompile("libnvrtc.so is not there; pip install nvidia-cuda-nvrtc")
