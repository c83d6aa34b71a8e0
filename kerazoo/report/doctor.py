"""What `kerazoo doctor` finds: versions, devices, cuDNN, kernels and data."""

from __future__ import annotations

import os
from typing import Any

from kerazoo import kernels
from kerazoo.data.cache import cache_dir
from kerazoo.data.prepared import data_root, find
from kerazoo.errors import InputError
from kerazoo.factory import build
from kerazoo.lazy import installed, keras
from kerazoo.training import devices
from kerazoo.training.environment import cudnn_obstacles, environment

_DATA_SETS = {"MNIST": "mnist", "IMDb": "imdb_reviews/plain_text", "tiny Shakespeare": "tiny_shakespeare"}


def examine() -> dict[str, Any]:
    """Return the state of the installation as plain values for JSON."""
    found = environment()
    lstms = [layer for layer in build("imdb_lstm", compile=False).layers if isinstance(layer, keras.layers.LSTM)]
    obstacles = sorted({reason for layer in lstms for reason in cudnn_obstacles(layer)})
    found["cudnn_serves_imdb_lstm"] = not obstacles
    found["cudnn_obstacles"] = obstacles
    found["kernels"], found["kernels_obstacle"] = _kernels(found["backend"])
    found["cache_dir"] = str(cache_dir())
    try:
        root = data_root(None)
        found["data_dir"] = str(root)
        found["data"] = {name: _where(builder, root) for name, builder in _DATA_SETS.items()}
    except InputError as error:
        found["data_dir"] = f"{os.environ.get('TFDS_DATA_DIR')} (not usable: {error})"
        found["data"] = dict.fromkeys(_DATA_SETS, "missing")
    return found


def _kernels(backend: str) -> tuple[str | None, str | None]:
    """The instructions that the kernels use, or why there are none."""
    if backend not in ("tensorflow", "jax"):
        return None, f"they are for TensorFlow and JAX, Keras runs on {backend}"
    if devices.gpus():
        return None, "a GPU computes"
    try:
        c = kernels.functions() if backend == "jax" else None
    except LookupError as reason:
        return None, str(reason)
    if c is not None:
        return f"{c.kz_instructions().decode()}, for LSTMs", None
    library = kernels.library()
    return (library.instructions if library else None), kernels.why_not()


def _where(builder: str, root: Any) -> str:
    prepared = find(builder, root)
    return f"real, version {prepared.version}" if prepared else "missing: downloaded on first use, else the sample"


def readable(found: dict[str, Any]) -> dict[str, str]:
    """Return what `examine` found as short lines for people."""
    lines = dict(found["versions"])
    why = "" if installed("tensorflow") else " (TensorFlow is not installed)"
    lines["backend"] = f"{found['backend']}{why}, precision {found['precision']}"
    lines["processor"] = f"{found['cpu']}, {found['cores']} cores"
    products = ", products of float32 in TF32" if found["tf32"] else ""
    lines["GPU"] = (", ".join(found["gpus"]) or "none") + products
    served = "yes" if found["cudnn_serves_imdb_lstm"] else f"no: {'; '.join(found['cudnn_obstacles'])}"
    lines["cuDNN for imdb_lstm"] = served
    lines["kernels for the CPU"] = found["kernels"] or f"none: {found['kernels_obstacle']}"
    lines["data directory"] = found["data_dir"]
    lines.update(found["data"])
    lines["cache"] = found["cache_dir"]
    return lines
