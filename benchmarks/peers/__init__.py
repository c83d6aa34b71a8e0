"""The contenders: kerazoo, Keras and PyTorch with the same weights, data and mathematics, each in its own process."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Unavailable(Exception):
    """A contender cannot do this; the message says why."""


@dataclass(frozen=True)
class Contender:
    """Where a contender's code is; `extra` is the extra of kerazoo that installs its library."""

    library: str
    module: str
    kind: str
    extra: str = ""
    gpu_only: bool = False
    trains: bool = True


CONTENDERS = {
    "kerazoo-tensorflow": Contender("tensorflow", "kerazoo_sides", "Kerazoo"),
    "kerazoo-jax": Contender("jax", "kerazoo_sides", "Kerazoo", "jax"),
    "kerazoo-onnx": Contender("onnx", "kerazoo_onnx", "Kerazoo", trains=False),
    "keras-tensorflow": Contender("tensorflow", "keras_sides", "Plain"),
    "keras-jax": Contender("jax", "keras_sides", "Plain", "jax"),
    "torch-eager": Contender("torch", "torch_sides", "Torch", "bench"),
    "torch-compile": Contender("torch", "torch_sides", "Compiled", "bench"),
    "torch-cudagraphs": Contender("torch", "torch_graphs", "Graphed", "bench", gpu_only=True),
}
_TITLES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch", "keras": "Keras"}


def environment(name: str, device: Mapping[str, Any], threads: int) -> dict[str, str]:
    """Return the environment of the worker `name`: its backend, its device and its threads.

    Args:
        name: a contender, or "maker".
        device: "kind" and "index" of a `device.Device`.
        threads: of the worker; numeric libraries read their number before anything can be set by a call.
    """
    made = dict(os.environ)
    for variable in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT"):
        made.pop(variable, None)  # a worker that waits must not spin for longer than the libraries' own defaults
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        made[variable] = str(threads)
    gpu = device["kind"] == "gpu" and name != "maker"
    made |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(device["index"]) if gpu else ""}
    # Several processes share the GPU: none may take all of its memory at the start.
    made |= {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if name == "maker" or CONTENDERS[name].library == "onnx":  # which makes its file with Keras
        backend = "tensorflow" if importlib.util.find_spec("tensorflow") else "jax"
    else:
        backend = CONTENDERS[name].library
    if backend in ("tensorflow", "jax"):
        made["KERAS_BACKEND"] = backend
    made["JAX_PLATFORMS"] = "cuda" if gpu and backend == "jax" else "cpu"
    made["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return made


def library_of(name: str, settings: Mapping[str, Any]) -> Any:
    """Import and set up the module of the contender's library.

    Raises:
        Unavailable: it is not installed, or has not what the settings want.
    """
    contender = CONTENDERS[name]
    if contender.gpu_only and settings["device"]["kind"] != "gpu":
        raise Unavailable("not measured: no GPU")
    try:
        library = importlib.import_module(f"peers.library_{contender.library}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _TITLES:
            raise
        extra = f"'kerazoo[{contender.extra}]'" if contender.extra else package
        raise Unavailable(f"not measured: {_TITLES[package]} is not installed; pip install {extra}") from None
    library.set_up(settings["device"], settings["threads"])
    return library


def side_of(name: str) -> Any:
    """Return the class of the contender's side."""
    contender = CONTENDERS[name]
    return getattr(importlib.import_module(f"peers.{contender.module}"), contender.kind)
