"""The directory of pretrained weights: one ONNX file a model, vocabulary included, and a manifest of what each is.

A file is used only if its sha256 is the manifest's. ONNX Runtime answers with it as it is; Keras's weights are its
initialisers whose names begin with their place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.errors import InputError, UnavailableError
from kerazoo.files import locked, read_bytes, read_json, to_json, whole_file, write_text
from kerazoo.lazy import np
from kerazoo.model_file import ORIGIN, origin_from_json
from kerazoo.weights.packing import unpack

DIRECTORY = Path(__file__).parent
"""Where the package's own weights are."""

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Pretrained:
    """Weights for Keras: float32 arrays in the model's order, the options to build it with, its words."""

    weights: list[np.ndarray]
    options: dict[str, Any]
    vocabulary: Vocabulary | None


def manifest(directory: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return what is known of each model that has weights in `directory` (None: the package's own), by name.

    Raises:
        UnavailableError: the manifest cannot be read.
    """
    path = (directory or DIRECTORY) / _MANIFEST
    try:
        known = read_json(path)
        if not isinstance(known, dict) or not all(map(_is_entry, known.values())):
            raise ValueError("it is no manifest of weights")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UnavailableError(f"'{path}' cannot be read ({error}); install kerazoo anew") from None
    return known


def _is_entry(one: Any) -> bool:
    texts = isinstance(one, dict) and all(isinstance(one.get(name), str) for name in ("file", "sha256"))
    return texts and isinstance(one.get("options", {}), dict)


def content(name: str, directory: Path | None = None) -> bytes:
    """Return the ONNX file of the model `name`.

    Raises:
        InputError: there is none.
        UnavailableError: it is missing, or is not the one that the manifest names.
    """
    known = manifest(directory)
    if name not in known:
        have = ", ".join(sorted(known)) or "none"
        raise InputError(f"the model '{name}' has no pretrained weights. There are for: {have}")
    return _checked((directory or DIRECTORY) / known[name]["file"], known[name]["sha256"])


def load(name: str, directory: Path | None = None) -> Pretrained:
    """Return the weights of the model `name` for Keras.

    Raises:
        InputError: there are none.
        UnavailableError: their file is missing, or is not the one that the manifest names.
    """
    import onnx
    from onnx import numpy_helper

    file = content(name, directory)
    try:
        model = onnx.load_from_string(file)
        arrays = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        origin = origin_from_json(next(one.value for one in model.metadata_props if one.key == ORIGIN))
    except Exception as error:  # protocol buffers raise their own
        told = f"the weights of '{name}' are no ONNX file that kerazoo wrote ({type(error).__name__})"
        raise UnavailableError(f"{told}; install kerazoo anew") from None
    stored = [one for one in arrays if one[0].isdigit() and not one.endswith(".scale")]
    stored.sort(key=lambda one: int(one.partition(".")[0]))
    weights = [unpack(arrays[one], arrays.get(f"{one}.scale")) for one in stored]
    return Pretrained(weights, dict(origin.options), origin.vocabulary)


def _checked(path: Path, wanted: str) -> bytes:
    try:
        file = read_bytes(path)
    except OSError as error:
        raise UnavailableError(f"the weights '{path}' cannot be read: {error.strerror}; install kerazoo anew") from None
    found = hashlib.sha256(file).hexdigest()
    if found != wanted:
        told = f"its sha256 is {found[:12]}..., and the manifest says {wanted[:12]}..."
        raise UnavailableError(f"the weights '{path}' are damaged or others: {told}; install kerazoo anew")
    return file


def save(name: str, file: bytes, entry: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Write the ONNX `file` of `name` to `directory` and `entry` to its manifest; returns the entry as written."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.onnx"
    with locked(directory):  # two that write at once would lose an entry
        with whole_file(path) as temporary:
            temporary.write_bytes(file)
        written = {"file": path.name, "sha256": hashlib.sha256(file).hexdigest(), "bytes": len(file), **entry}
        known = {**manifest(directory), name: written}
        write_text(directory / _MANIFEST, to_json(dict(sorted(known.items()))))
    return written
