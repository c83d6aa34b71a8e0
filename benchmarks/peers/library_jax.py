"""JAX for a contender: its set-up, a matrix product, its memory."""

import importlib.metadata
from collections.abc import Callable
from typing import Any

from peers import Unavailable, keras_start

keras_start.start()

import jax  # noqa: E402
import keras  # noqa: E402

from kerazoo.engine.jax import gpu_lstm  # noqa: E402
from kerazoo.training.environment import cudnn_obstacles  # noqa: E402

_DTYPES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
_state: dict[str, Any] = {}


def set_up(device: dict[str, Any], threads: int) -> None:
    """Check that the device is there; JAX takes as many threads as the process may use cores.

    Raises:
        Unavailable: JAX does not see the GPU.
    """
    _state.update(gpu=device["kind"] == "gpu", threads=threads)
    try:
        kind = jax.devices()[0].platform
    except RuntimeError as error:
        raise Unavailable(f"not measured: JAX {jax.__version__}: {' '.join(str(error).split())[:200]}") from None
    if _state["gpu"] and kind != "gpu":
        raise Unavailable(f"not measured: JAX {jax.__version__} sees no GPU here")


def set_precision(precision: str) -> None:
    """Use full float32 in matrix products, unless the precision is tf32."""
    wanted = "tensorfloat32" if precision == "tf32" else "highest"
    if jax.config.values["jax_default_matmul_precision"] != wanted:
        jax.config.update("jax_default_matmul_precision", wanted)


def about() -> dict[str, Any]:
    """Return versions and threads; of CUDA and cuDNN, those that JAX was built for or uses."""
    versions = {}
    for name in ("jax", "jaxlib", "keras", "numpy"):
        versions[name] = importlib.metadata.version(name)
    return {
        "versions": versions,
        "cuda": _installed("nvidia-cuda-runtime") or _installed("nvidia-cuda-runtime-cu12"),
        "cudnn": _installed("nvidia-cudnn-cu13") or _installed("nvidia-cudnn-cu12"),
        "threads": _state["threads"],
    }


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package) if _state["gpu"] else None
    except importlib.metadata.PackageNotFoundError:
        return None


def tf32() -> bool | str:
    """Tell whether products of float32 matrices may be rounded to TF32."""
    on = jax.config.values["jax_default_matmul_precision"] != "highest"
    return on if _state["gpu"] else "not measured: no GPU"


def product(precision: str, size: int, count: int) -> Callable[[], Any]:
    """Return a call that forms `count` products of (size, size) matrices, one after the other, and waits."""
    matrix = jax.random.normal(jax.random.key(0), (size, size)).astype(_DTYPES.get(precision, "float32"))

    @jax.jit
    def chain(matrix: Any) -> Any:
        result = matrix
        for _ in range(count):
            result = result @ matrix / size
        return result.astype("float32").sum()

    return lambda: float(chain(matrix))


def products(precision: str, shapes: list[tuple[int, int, int]]) -> Callable[[], Any]:
    """Return a call that forms a product of matrices (m, k) and (k, n) for each of `shapes`, and waits for them."""
    dtype = _DTYPES.get(precision, "float32")
    pairs = [(jax.numpy.ones((m, k), dtype), jax.numpy.ones((k, n), dtype)) for m, k, n in shapes]
    every = jax.jit(lambda pairs: [left @ right for left, right in pairs])
    return lambda: jax.block_until_ready(every(pairs))


def cudnn(side: Any) -> dict[str, list[str]] | str:
    """Return, for each LSTM layer, why cuDNN does not serve it; an empty list says that it does."""
    if not _state["gpu"]:
        return "not measured: no GPU"
    if side.form.startswith("kerazoo") and gpu_lstm.works():
        return "not used: kerazoo has a kernel of its own"
    layers = [layer for layer in side.model._flatten_layers() if isinstance(layer, keras.layers.LSTM)]
    return {layer.name: cudnn_obstacles(layer, gpu=True) for layer in layers}


def forget_peak() -> None:
    """Do nothing: JAX's peak of the GPU's memory counts from the start of the process."""


def gpu_peak_mib() -> float | str:
    """Return the most memory of the GPU in use since the process began."""
    if not _state["gpu"]:
        return "not measured: no GPU"
    stats = jax.devices()[0].memory_stats() or {}
    return stats["peak_bytes_in_use"] / 2**20 if "peak_bytes_in_use" in stats else "not measured: JAX does not tell"
