"""The directory of pretrained weights: one `.npz` a model, vocabulary included, and a manifest that says what each is.

A file is used only if its sha256 is the manifest's.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerazoo.data import Vocabulary
from kerazoo.errors import InputError, UnavailableError
from kerazoo.files import locked, read_bytes, read_json, to_json, whole_file, write_text
from kerazoo.lazy import np
from kerazoo.weights.packing import pack, unpack

DIRECTORY = Path(__file__).parent
"""Where the package's own weights are."""

_MANIFEST = "manifest.json"
_VOCABULARY = "vocabulary"


@dataclass(frozen=True)
class Pretrained:
    """Weights as they are loaded: float32 arrays in the model's order, the options to build it with, its words."""

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


def load(name: str, directory: Path | None = None) -> Pretrained:
    """Return the weights of the model `name`.

    Raises:
        InputError: there are none.
        UnavailableError: their file is missing, or is not the one that the manifest names.
    """
    known = manifest(directory)
    if name not in known:
        have = ", ".join(sorted(known)) or "none"
        raise InputError(f"the model '{name}' has no pretrained weights. There are for: {have}")
    entry = known[name]
    path = (directory or DIRECTORY) / entry["file"]
    content = _checked(path, entry["sha256"])
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnavailableError(f"'{path}' holds no arrays ({error}); install kerazoo anew") from None
    words = arrays.pop(_VOCABULARY, None)
    options = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.get("options", {}).items()
    }
    return Pretrained(unpack(arrays), options, None if words is None else _vocabulary(words.tobytes()))


@functools.lru_cache(maxsize=4)
def _vocabulary(text: bytes) -> Vocabulary:
    return Vocabulary.from_json(text.decode())


def _checked(path: Path, wanted: str) -> bytes:
    try:
        content = read_bytes(path)
    except OSError as error:
        raise UnavailableError(f"the weights '{path}' cannot be read: {error.strerror}; install kerazoo anew") from None
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        told = f"its sha256 is {found[:12]}..., and the manifest says {wanted[:12]}..."
        raise UnavailableError(f"the weights '{path}' are damaged or others: {told}; install kerazoo anew")
    return content


def save(
    name: str,
    weights: Sequence[np.ndarray],
    vocabulary: Vocabulary | None,
    entry: Mapping[str, Any],
    directory: Path,
) -> dict[str, Any]:
    """Write the weights of `name` to `directory` and `entry` to its manifest; returns the entry as written."""
    arrays: dict[str, Any] = pack(weights)
    if vocabulary is not None:
        arrays[_VOCABULARY] = np.frombuffer(vocabulary.to_json().encode(), np.uint8)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.npz"
    with locked(directory):  # two that write at once would lose an entry
        with whole_file(path) as temporary:
            np.savez_compressed(temporary, **arrays)
            content = temporary.read_bytes()
        written = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **entry}
        known = {**manifest(directory), name: written}
        write_text(directory / _MANIFEST, to_json(dict(sorted(known.items()))))
    return written
