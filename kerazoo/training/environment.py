"""What a result was measured with: versions, devices, and whether cuDNN serves the LSTMs of a model."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import warnings
from pathlib import Path
from typing import Any

from kerazoo._version import __version__
from kerazoo.engine import internals
from kerazoo.factory import exact_products
from kerazoo.lazy import BACKENDS, keras
from kerazoo.training import devices

_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "scipy", "onnxruntime", "jax", "jaxlib", "torch")
_OF_PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "cache size")
_MASKS = {
    "tensorflow": "which cuDNN takes only where they are padded at the end",
    "jax": "of which Keras gives cuDNN none on JAX",
}


def versions() -> dict[str, str]:
    """Return the versions of Python, kerazoo and the packages that decide a result; absent packages are left out."""
    found = {"python": platform.python_version(), "kerazoo": __version__}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def cpu_model() -> str:
    """Return the processor's own name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def processor() -> dict[str, str]:
    """Return what tells the processor from others of its name, as far as the system tells it: family, stepping, ..."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    found: dict[str, str] = {name: told[name] for name in _OF_PROCESSOR if name in told}
    widest = [flag for flag in ("avx512f", "avx2", "avx") if flag in told.get("flags", "").split()]
    return {**found, "vectors": widest[0]} if widest else found


def memory_gib() -> float | None:
    """Return the machine's memory in GiB; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None


def environment() -> dict[str, Any]:
    """Return what a measured number depends on, for its record."""
    with exact_products():  # as everything is measured
        found = devices.described()
    return {
        "versions": versions(),
        "backend": keras.backend.backend(),
        "os": f"{platform.system()} {platform.release()}",
        "cpu": cpu_model(),
        "processor": processor(),
        "memory_gib": memory_gib(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "precision": keras.config.dtype_policy().name,
        **found,
    }


def cudnn_obstacles(layer: keras.layers.LSTM, *, gpu: bool | None = None) -> list[str]:
    """Return why cuDNN would not serve an LSTM layer; an empty list says that it would.

    Args:
        layer: the layer, built or not.
        gpu: whether there is a GPU; None asks the backend.
    """
    has_gpu = bool(devices.gpus()) if gpu is None else gpu
    checks = {
        "no GPU": not has_gpu,
        f"activation is {layer.activation.__name__}, not tanh": layer.activation is not keras.activations.tanh,
        f"recurrent activation is {layer.recurrent_activation.__name__}, not sigmoid": layer.recurrent_activation
        is not keras.activations.sigmoid,
        "recurrent_dropout is above 0": layer.recurrent_dropout > 0,
        "the layer is unrolled": layer.unroll,
        "the layer has no bias": not layer.use_bias,
        "the layer was built with use_cudnn=False": layer.use_cudnn is False,
        "Keras gives cuDNN LSTMs on JAX from 3.14 on": keras.backend.backend() == "jax" and _keras_before(3, 14),
        "the backend is neither TensorFlow nor JAX": keras.backend.backend() not in BACKENDS,
    }
    return [reason for reason, holds in checks.items() if holds]


def _keras_before(*version: int) -> bool:
    return tuple(int(part) for part in keras.__version__.split(".")[:2]) < version


def warn_where_cudnn_is_lost(model: keras.Model, *, gpu: bool | None = None) -> None:
    """Warn, on a GPU, of each LSTM of `model` that cuDNN cannot serve, and say why: it trains many times slower.

    Args:
        model: any Keras model.
        gpu: as in `cudnn_obstacles`.
    """
    if not (bool(devices.gpus()) if gpu is None else gpu):
        return
    layers = internals.layers_of(model)
    masks = any(isinstance(one, keras.layers.Masking) or getattr(one, "mask_zero", False) for one in layers)
    for layer in layers:
        if not isinstance(layer, keras.layers.LSTM):
            continue
        obstacles = cudnn_obstacles(layer, gpu=True)
        if masks:
            obstacles.append(f"the sequences are masked, {_MASKS[keras.backend.backend()]}")
        if obstacles:
            warnings.warn(f"cuDNN cannot serve the LSTM '{layer.name}': {'; '.join(obstacles)}", stacklevel=2)
