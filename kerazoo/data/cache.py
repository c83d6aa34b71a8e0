"""Decoded arrays, kept on disk between runs, ready for use.

An entry is a folder of `.npy` files with a manifest of their checksums. It is written under another name and renamed,
so it is whole or absent, also with two processes at once. Arrays are mapped into memory rather than read: pages come
straight from the system's file cache, copied only where they are written to. What cannot be read is made anew; what
cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kerazoo.lazy import np

CACHE_VARIABLE = "KERAZOO_CACHE_DIR"
_FORMAT = 1  # raise when the decoding or the encoding of any data set changes
_MANIFEST = "manifest.json"


def cache_dir() -> Path:
    """Return the directory of cached arrays: `KERAZOO_CACHE_DIR`, or the user's cache directory."""
    import platformdirs

    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_path("kerazoo"))


def cached(name: str, key: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the arrays that `make` returns, from the cache where an entry for `name` and `key` is whole."""
    digest = hashlib.sha256(json.dumps({**key, "format": _FORMAT}, sort_keys=True).encode()).hexdigest()[:16]
    entry = cache_dir() / f"{name}-{digest}"
    try:
        return _read(entry)
    except (FileNotFoundError, NotADirectoryError):
        shutil.rmtree(entry, ignore_errors=True)  # a folder without a manifest, if there is one
    except PermissionError:
        warnings.warn(f"the cache entry {entry} cannot be read; it is made anew", RuntimeWarning, stacklevel=2)
    except (OSError, ValueError, KeyError, EOFError):
        warnings.warn(f"the cache entry {entry} is damaged; it is made anew", RuntimeWarning, stacklevel=2)
        shutil.rmtree(entry, ignore_errors=True)
    arrays = make()
    try:
        _write(entry, arrays)
    except OSError as error:
        warnings.warn(
            f"decoded data is not kept in {entry.parent} ({error.strerror}): it will be decoded again next time",
            RuntimeWarning,
            stacklevel=2,
        )
    return arrays


def _read(entry: Path) -> dict[str, Any]:
    arrays = {}
    for name, checksum in json.loads((entry / _MANIFEST).read_text(encoding="utf-8")).items():
        try:
            arrays[name] = np.asarray(np.load(entry / f"{name}.npy", mmap_mode="c", allow_pickle=False))
        except FileNotFoundError as error:
            raise ValueError(f"{name} is missing") from error
        if zlib.crc32(arrays[name].data) != checksum:
            raise ValueError(f"{name} has another checksum")
    return arrays


def _write(entry: Path, arrays: dict[str, Any]) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=entry.parent, prefix=".writing-"))
    try:
        for name, array in arrays.items():
            with (temporary / f"{name}.npy").open("wb") as file:
                np.save(file, array)
                file.flush()
                os.fsync(file.fileno())
        manifest = {name: zlib.crc32(np.ascontiguousarray(array).data) for name, array in arrays.items()}
        (temporary / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        try:
            temporary.rename(entry)
        except OSError:
            if not entry.is_dir():  # else another process has made the same entry meanwhile
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
