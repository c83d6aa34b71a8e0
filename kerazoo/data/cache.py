"""Decoded arrays, kept on disk between runs.

One uncompressed `.npz` an entry: NumPy checks each array's CRC when it is read. An entry is written to a temporary
file and renamed, so it is whole or absent, also with two processes at once. What cannot be read is made anew; what
cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kerazoo.files import whole_file
from kerazoo.lazy import np

CACHE_VARIABLE = "KERAZOO_CACHE_DIR"
_FORMAT = 1  # raise when the decoding or the encoding of any data set changes


def cache_dir() -> Path:
    """Return the directory of cached arrays: `KERAZOO_CACHE_DIR`, or the user's cache directory."""
    import platformdirs

    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_path("kerazoo"))


def cached(name: str, key: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the arrays that `make` returns, from the cache where an entry for `name` and `key` is whole."""
    digest = hashlib.sha256(json.dumps({**key, "format": _FORMAT}, sort_keys=True).encode()).hexdigest()[:16]
    path = cache_dir() / f"{name}-{digest}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as entry:
            return dict(entry)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError):
        warnings.warn(f"the cache entry {path} is damaged; it is made anew", RuntimeWarning, stacklevel=2)
    arrays = make()
    try:
        _write(path, arrays)
    except OSError as error:
        warnings.warn(f"decoded data is not kept in {path.parent}: {error.strerror}", RuntimeWarning, stacklevel=2)
    return arrays


def _write(path: Path, arrays: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        np.savez(temporary, **arrays)
