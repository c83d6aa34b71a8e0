"""TFRecord files: records one after the other, each with checksums of its length and of its bytes."""

from __future__ import annotations

import struct
from pathlib import Path

from kerazoo.data.crc32c import checksums, unmasked
from kerazoo.errors import DataError
from kerazoo.lazy import np

_HEADER, _FOOTER = 12, 4  # bytes: a length of 8 and its checksum; the checksum of the record
_LENGTH = struct.Struct("<Q")


def read_records(path: Path) -> list[bytes]:
    """Return the records of the file `path`, their checksums compared.

    Raises:
        DataError: the file is cut off, or a checksum is another.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    begins, lengths, whole = _walk(content)
    data = np.frombuffer(content, np.uint8)
    # Of the length first: a damaged one leads anywhere.
    _check(data, begins - _HEADER, np.full(len(begins), 8), path)
    if not whole:
        raise DataError(f"'{path}' ends within record {max(len(begins), 1)}: it is cut off or damaged")
    _check(data, begins, lengths, path)
    return [content[begin : begin + length] for begin, length in zip(begins.tolist(), lengths.tolist(), strict=True)]


def _walk(content: bytes) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return where the records begin and how long they are, (N,) int64, and whether the last one ends with the file.

    A record that the file ends within is among them if its header is whole, with a length of 0.
    """
    begins, lengths, place, inside = [], [], 0, True
    while place + _HEADER <= len(content):
        (length,) = _LENGTH.unpack_from(content, place)
        place += _HEADER
        begins.append(place)
        inside = place + length + _FOOTER <= len(content)
        lengths.append(length if inside else 0)
        if not inside:
            break
        place += length + _FOOTER
    return np.array(begins, np.int64), np.array(lengths, np.int64), inside and place == len(content)


def _check(data: np.ndarray, begins: np.ndarray, lengths: np.ndarray, path: Path) -> None:
    """Compare the checksums of pieces of `data` with the four bytes that follow each."""
    follow = np.lib.stride_tricks.sliding_window_view(data, 4)[begins + lengths] if len(begins) else data[:0]
    stored = np.ascontiguousarray(follow).view("<u4").ravel()
    wrong = np.flatnonzero(checksums(data, begins, lengths) != unmasked(stored))
    if wrong.size:
        raise DataError(f"'{path}' is damaged: record {wrong[0] + 1} has another checksum")
