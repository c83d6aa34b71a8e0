"""CRC-32C (Castagnoli), the checksum of TFRecord files, of many byte strings at once in NumPy.

Without its initial value and its final inversion the checksum is linear over the bits: that of A followed by B is that
of A, moved on by the length of B, xor that of B; and leading zeros do not count. So the strings are cut, from their
ends, into chunks of one length, the chunks' bytes are looked up a column at a time, and each result is moved on by
what follows it.
"""

from __future__ import annotations

import functools
from typing import Any

from kerazoo.lazy import np

_POLYNOMIAL = 0x82F63B78  # of Castagnoli, reflected
_CHUNK = 64  # bytes
_MASK_DELTA = 0xA282EAD8


def checksums(data: Any, begins: Any, lengths: Any) -> Any:
    """Return the CRC-32C of each of N pieces of `data`, (N,) uint32.

    Args:
        data: (bytes,) uint8.
        begins: (N,) int64, where each piece begins.
        lengths: (N,) int64, the bytes of each, from 0; all within `data`.
    """
    begins, lengths = np.asarray(begins, np.int64), np.asarray(lengths, np.int64)
    counts = np.maximum(-(-lengths // _CHUNK), 1)  # chunks a piece
    ends = np.cumsum(counts)
    owner = np.repeat(np.arange(len(counts)), counts)
    after = ends[owner] - 1 - np.arange(counts.sum())  # chunks of the same piece that follow
    padded = np.concatenate([np.zeros(_CHUNK, np.uint8), data])  # the first chunk may begin before the data
    starts = (begins + lengths)[owner] - after * _CHUNK  # in `padded`, where the chunk's last byte is _CHUNK on
    chunks = np.lib.stride_tricks.sliding_window_view(padded, _CHUNK)[starts]  # (chunks, _CHUNK)
    first = ends - counts
    foreign = counts * _CHUNK - lengths  # bytes of a first chunk that lie before its piece
    chunks[first] *= np.arange(_CHUNK) >= foreign[:, None]
    found = np.zeros(len(chunks), np.uint32)
    for table, column in zip(_byte_tables(), np.ascontiguousarray(chunks.T), strict=True):
        found ^= table[column]
    found = _moved(found, after * _CHUNK)
    whole = np.bitwise_xor.reduceat(found, first) if len(first) else found
    return ~(whole ^ _moved(np.full(len(lengths), 0xFFFFFFFF, np.uint32), lengths))


def unmasked(stored: Any) -> Any:
    """Return the checksums, (N,) uint32, of which a TFRecord file holds the `stored` ones."""
    rotated = np.asarray(stored, np.uint32) - np.uint32(_MASK_DELTA)  # modulo 2 ** 32
    return (rotated << np.uint32(15)) | (rotated >> np.uint32(17))


def _moved(values: Any, distances: Any) -> Any:
    """Return the linear checksums (N,) of the same bytes followed by so many zeros each."""
    values = values.copy()
    for power in range(int(distances.max(initial=0)).bit_length()):
        which = np.flatnonzero(distances >> power & 1)
        values[which] = _apply(_zeros(power), values[which])
    return values


def _apply(tables: Any, values: Any) -> Any:
    """Return a linear map of (N,) uint32, given as (4, 256) tables by byte."""
    result = tables[0][values & 0xFF]
    for place in (1, 2, 3):
        result ^= tables[place][values >> np.uint32(8 * place) & 0xFF]
    return result


@functools.cache
def _byte_table() -> Any:
    """What each byte makes of a checksum of 0, (256,) uint32."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> np.uint32(1) ^ np.uint32(_POLYNOMIAL), table >> np.uint32(1))
    return table


@functools.cache
def _zeros(power: int) -> Any:
    """The map of a checksum to that after 2 ** `power` more zero bytes, (4, 256) uint32."""
    if power:
        once = _zeros(power - 1)
        return np.stack([_apply(once, table) for table in once])
    tables = np.arange(256, dtype=np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)[:, None]
    return _byte_table()[tables & 0xFF] ^ tables >> np.uint32(8)


@functools.cache
def _byte_tables() -> list[Any]:
    """What a byte in each place of a chunk adds to the chunk's checksum, (256,) uint32 each."""
    tables = [_byte_table()]
    for _ in range(_CHUNK - 1):
        tables.append(_apply(_zeros(0), tables[-1]))
    return tables[::-1]
