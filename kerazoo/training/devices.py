"""What Keras's backend computes on: the GPUs, their libraries, and how exactly they multiply."""

from __future__ import annotations

import importlib.metadata
import os
import re
from typing import Any

from kerazoo.engine import internals
from kerazoo.lazy import jax, keras, tf


def gpus() -> list[str]:
    """Return the names of the GPUs that the backend sees; none, for a backend that kerazoo does not know."""
    return _ask("gpus") or []


def described() -> dict[str, Any]:
    """Return what of the devices a measured number depends on.

    Returns:
        `gpus`, their names; `cuda` and `cudnn`, versions, None where there is none or it cannot be told;
        `deterministic_ops`, whether the backend was asked for them; `tf32`, whether it may compute products of float32
        on these GPUs with the 10 bits of TF32; `threads`, how many an operation was limited to, None for all cores.
    """
    return {name: _ask(name) for name in ("gpus", "cuda", "cudnn", "deterministic_ops", "tf32", "threads")}


def _ask(what: str) -> Any:
    asked = _ANSWERS.get(keras.backend.backend(), {}).get(what)
    return asked and asked()


def _tensorflow_gpus() -> list[str]:
    devices = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]


def _tensorflow_threads() -> int | None:
    limit = os.environ.get("TF_NUM_INTRAOP_THREADS", "")  # which TensorFlow's own settings do not show
    return tf.config.threading.get_intra_op_parallelism_threads() or (int(limit) if limit.isdecimal() else 0) or None


def _tensorflow_tf32() -> bool:
    return bool(_tensorflow_gpus()) and tf.config.experimental.tensor_float_32_execution_enabled()


def _jax_gpus() -> list[str]:
    return [device.device_kind for device in jax.devices() if device.platform == "gpu"]


def _jax_cuda() -> str | None:
    """Return e.g. "12.8", from what XLA's client says of itself."""
    if not _jax_gpus():
        return None
    found = re.search(r"\bcuda (\d+)", jax.devices()[0].client.platform_version)
    return f"{int(found[1]) // 1000}.{int(found[1]) % 1000 // 10}" if found else None


def _jax_cudnn() -> str | None:
    """Return the version of the package that JAX takes its cuDNN from; a cuDNN of the system does not tell its own."""
    for package in ("nvidia-cudnn-cu13", "nvidia-cudnn-cu12"):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _jax_deterministic() -> bool:
    flags = os.environ.get("XLA_FLAGS", "")
    return re.search(r"--xla_gpu_(deterministic_ops|exclude_nondeterministic_ops)(=true|=1|\s|$)", flags) is not None


def _jax_tf32() -> bool:
    """Tell whether products are asked for below full precision, which is what JAX does unless it is told otherwise."""
    return bool(_jax_gpus()) and jax.config.jax_default_matmul_precision not in ("highest", "float32")


_ANSWERS: dict[str, dict[str, Any]] = {
    "tensorflow": {
        "gpus": _tensorflow_gpus,
        "cuda": lambda: tf.sysconfig.get_build_info().get("cuda_version"),
        "cudnn": lambda: tf.sysconfig.get_build_info().get("cudnn_version"),
        "deterministic_ops": internals.op_determinism,
        "tf32": _tensorflow_tf32,
        "threads": _tensorflow_threads,
    },
    "jax": {
        "gpus": _jax_gpus,
        "cuda": _jax_cuda,
        "cudnn": _jax_cudnn,
        "deterministic_ops": _jax_deterministic,
        "tf32": _jax_tf32,
    },
}
