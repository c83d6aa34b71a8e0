"""Decoded arrays, kept on disk between runs, ready for use.

An entry is a folder of `.npy` files with a manifest of their checksums, headers included. It is written under another
name and renamed, so it is whole or absent, also with two processes at once. Arrays are mapped into memory rather than
read: pages come straight from the system's file cache, copied only where they are written to. What is damaged is made
anew; what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from kerazoo.files import read_json, remove, whole_directory
from kerazoo.lazy import np

CACHE_VARIABLE = "KERAZOO_CACHE_DIR"
_FORMAT = 2  # raise when the decoding or the encoding of any data set changes, or the entries do
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
        if not (entry / _MANIFEST).exists():  # else another process has made the entry meanwhile
            _remove(entry)
    except (OSError, ValueError) as error:
        what = "cannot be read" if isinstance(error, PermissionError) else "is damaged"
        warnings.warn(f"the cache entry {entry} {what}; it is made anew", RuntimeWarning, stacklevel=2)
        _remove(entry)
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


def _remove(entry: Path) -> None:
    with contextlib.suppress(OSError):
        remove(entry)


def _read(entry: Path) -> dict[str, Any]:
    """Return the arrays of an entry.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is damaged.
    """
    checksums = read_json(entry / _MANIFEST)
    if not isinstance(checksums, dict) or not checksums or set(checksums) != {one.stem for one in entry.glob("*.npy")}:
        raise ValueError("the manifest is not that of the files")
    arrays = {}
    for name, checksum in checksums.items():
        file = entry / f"{name}.npy"
        if zlib.crc32(np.memmap(file, np.uint8, "r").data) != checksum:
            raise ValueError(f"{name} has another checksum")
        arrays[name] = np.asarray(np.load(file, mmap_mode="c", allow_pickle=False))
    return arrays


class _Summed:
    """A file that is written, with the checksum of what was written so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.checksum = file, 0

    def write(self, content: bytes) -> int:
        """Write `content`."""
        self.checksum = zlib.crc32(content, self.checksum)
        return self.file.write(content)


def _write(entry: Path, arrays: dict[str, Any]) -> None:
    with whole_directory(entry) as temporary:
        checksums = {}
        for name, array in arrays.items():
            with (temporary / f"{name}.npy").open("wb") as file:
                summed = _Summed(file)
                np.save(summed, array)
                file.flush()
                os.fsync(file.fileno())
            checksums[name] = summed.checksum
        (temporary / _MANIFEST).write_text(json.dumps(checksums), encoding="utf-8")
