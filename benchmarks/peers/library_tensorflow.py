"""TensorFlow for a contender: its set-up, a matrix product, its memory."""

import importlib.metadata
from collections.abc import Callable
from typing import Any

from peers import Unavailable, keras_start

keras_start.start()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from kerazoo.training.environment import cudnn_obstacles  # noqa: E402

_DTYPES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
_state: dict[str, Any] = {}


def set_up(device: dict[str, Any], threads: int) -> None:
    """Set the threads, and check that the device is there.

    Raises:
        Unavailable: TensorFlow does not see the GPU.
    """
    _state.update(gpu=device["kind"] == "gpu", threads=threads)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if _state["gpu"] and not tf.config.list_physical_devices("GPU"):
        raise Unavailable(f"not measured: TensorFlow {tf.__version__} sees no GPU here")


def set_precision(precision: str) -> None:
    """Use full float32 in matrix products, unless the precision is tf32."""
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")


def about() -> dict[str, Any]:
    """Return versions, threads and TF32's state."""
    build = tf.sysconfig.get_build_info()
    return {
        "versions": {name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "numpy")},
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
        "threads": {
            "intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
        },
    }


def tf32() -> bool | str:
    """Tell whether products of float32 matrices may be rounded to TF32."""
    on = bool(tf.config.experimental.tensor_float_32_execution_enabled())
    return on if _state["gpu"] else "not measured: no GPU"


def product(precision: str, size: int, count: int) -> Callable[[], Any]:
    """Return a call that forms `count` products of (size, size) matrices, one after the other, and waits."""
    matrix = tf.cast(tf.random.stateless_normal([size, size], seed=[0, 0]), _DTYPES.get(precision, "float32"))

    @tf.function
    def chain() -> Any:
        result = matrix
        for _ in range(count):
            result = tf.matmul(result, matrix) / size
        return tf.reduce_sum(tf.cast(result, tf.float32))

    return lambda: float(chain())


def products(precision: str, shapes: list[tuple[int, int, int]]) -> Callable[[], Any]:
    """Return a call that forms a product of matrices (m, k) and (k, n) for each of `shapes`, and waits for them."""
    dtype = _DTYPES.get(precision, "float32")
    pairs = [(tf.Variable(tf.ones((m, k), dtype)), tf.Variable(tf.ones((k, n), dtype))) for m, k, n in shapes]
    every = tf.function(lambda: [tf.matmul(left, right) for left, right in pairs])

    def wait() -> None:
        every()[-1].numpy()

    return wait


def cudnn(side: Any) -> dict[str, list[str]] | str:
    """Return, for each LSTM layer, why cuDNN does not serve it; an empty list says that it does."""
    if not _state["gpu"]:
        return "not measured: no GPU"
    layers = [layer for layer in side.model._flatten_layers() if isinstance(layer, keras.layers.LSTM)]
    return {layer.name: cudnn_obstacles(layer, gpu=True) for layer in layers}


def forget_peak() -> None:
    """Reset the peak of the GPU's memory."""
    if _state["gpu"]:
        tf.config.experimental.reset_memory_stats("GPU:0")


def gpu_peak_mib() -> float | str:
    """Return the most memory of the GPU in use."""
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20 if _state["gpu"] else "not measured: no GPU"
