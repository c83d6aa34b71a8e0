"""The machine: setting it up alike for all contenders, its peaks, and what must be said of it beside a number."""

import importlib.metadata
import shutil
import statistics
import subprocess
import time
from typing import Any

import keras
import tensorflow as tf
from common import NO_GPU, Device, check_precision, choose_device

from kerazoo.training.devices import gpus
from kerazoo.training.environment import cpu_model, cudnn_obstacles, environment

_DTYPES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}

# Dense peaks in TFLOP/s by the makers' data sheets, without sparsity: float32, tf32, 16 bits. The first fragment that
# the device's name contains decides, so longer names stand before the shorter ones that they contain.
_PEAKS = {
    "H200": (67.0, 494.7, 989.4),
    "H100 PCIe": (51.0, 378.0, 756.0),
    "H100": (67.0, 494.7, 989.4),
    "A100": (19.5, 156.0, 312.0),
    "L40S": (91.6, 183.0, 362.0),
    "L4": (30.3, 60.0, 121.0),
    "A10": (31.2, 62.5, 125.0),
    "T4": (8.1, None, 65.0),
    "V100": (15.7, None, 125.0),
}


def policy(precision: str) -> str:
    """Return the Keras dtype policy for a `--precision`."""
    return "float32" if precision == "tf32" else precision


def set_up(wanted: str, precision: str, threads: int) -> Device:
    """Choose the device, and give TensorFlow that device, this many threads and this precision.

    Raises:
        InputError: there is no such device, or it has not this precision.
    """
    device = choose_device(wanted, gpus(), cpu_model())
    check_precision(precision, device)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    physical = tf.config.list_physical_devices("GPU")
    visible = [physical[device.index]] if device.kind == "gpu" else []
    if physical:
        tf.config.set_visible_devices(visible, "GPU")
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)  # or nothing would be left to PyTorch
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
    return device


def matmul_flops(precision: str, device: Device, seconds: float = 1.0) -> float:
    """Return the FLOP/s of TensorFlow's product of two square matrices: the yardstick for "utilisation"."""
    size, count = (8192, 10) if device.kind == "gpu" else (2048, 1)
    matrix = tf.cast(tf.random.stateless_normal([size, size], seed=[0, 0]), _DTYPES.get(precision, "float32"))

    @tf.function
    def product():
        result = matrix
        for _ in range(count):  # one after the other, so that one sync stands for many products
            result = tf.matmul(result, matrix) / size
        return tf.reduce_sum(tf.cast(result, tf.float32))

    float(product())
    taken: list[float] = []
    while sum(taken) < seconds or len(taken) < 3:
        start = time.perf_counter()
        float(product())
        taken.append(time.perf_counter() - start)
    return count * 2 * size**3 / statistics.median(taken)


def dense_peak(device: Device, precision: str) -> float | str:
    """Return the FLOP/s that the maker states for dense matrix products, or why there is no such number."""
    if device.kind != "gpu":
        return NO_GPU
    column = {"float32": 0, "tf32": 1}.get(precision, 2)
    peak = next((peaks[column] for fragment, peaks in _PEAKS.items() if fragment in device.name), None)
    return f"not known for {device.name}" if peak is None else peak * 1e12


def utilisation(achieved: float | None, peak: float | str) -> float | str | None:
    """Return the share of `peak` that was `achieved`, or the reason why there is no peak."""
    return peak if isinstance(peak, str) else achieved and achieved / peak


def record(device: Device, precision: str, threads: int, torch: bool) -> dict[str, Any]:
    """Return everything about the machine and the software that a row's numbers depend on."""
    about = environment()
    about["device"] = {"kind": device.kind, "name": device.name}
    about["precision"] = precision
    about["threads"] = {
        "tensorflow_intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
        "tensorflow_inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
        "pytorch": threads if torch else None,
    }
    about["tf32"] = tf.config.experimental.tensor_float_32_execution_enabled() if device.kind == "gpu" else NO_GPU
    about["driver"] = driver() if device.kind == "gpu" else NO_GPU
    if torch:
        about["versions"]["torch"] = importlib.metadata.version("torch")
    return about


def driver() -> str:
    """Return the version of NVIDIA's driver, as `nvidia-smi` tells it."""
    if not shutil.which("nvidia-smi"):
        return "not known: no nvidia-smi"
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout.split()
    return told[0] if told else "not known: nvidia-smi says nothing"


def cudnn(model: keras.Model, device: Device) -> dict[str, list[str]] | str:
    """Return, for each LSTM layer, why cuDNN does not serve it; an empty list says that it does."""
    if device.kind != "gpu":
        return NO_GPU
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.LSTM)]
    return {layer.name: cudnn_obstacles(layer, gpu=True) for layer in layers}
